/* What the files of sim/backend/runc share. */
#pragma once

#include <sys/types.h>

#include "core/proxy/rules.h"
#include "sim/backend/runc/node.h"

#define RUNC_CONTAINERS_MAX 1024     /* of one node, with those that exited */
#define RUNC_ERROR_MAX 4096          /* bytes of an error text from a child */
#define RUNC_OUTPUT_MAX (16u * 1024) /* of exec_sync */
#define RUNC_MESSAGE_MAX 4096        /* of a termination message */
#define RUNC_CGROUP_MOUNTS_MAX 32

typedef struct RuncSandbox RuncSandbox;
typedef struct RuncContainer RuncContainer;
typedef struct Child Child;

/* Who waits for a completion: dropped when the kubelet that asked is gone. */
typedef struct Waiter {
    RuntimeDone done;
    HostDone host_done; /* one of the two */
    void *data;
    uint32_t generation;
} Waiter;

typedef struct RuncPort {
    union {
        Runtime runtime;
        Host host;
        Dataplane dataplane;
    } base; /* first */
    RuncNode *node;
} RuncPort;

typedef struct LogWatch {
    uint64_t id;
    char *path;
    LogLineFunc func;
    void *data;
    uint32_t generation;
} LogWatch;

struct RuncNode {
    RuncNodeOptions options; /* texts owned */
    char *dir;               /* DIRECTORY/CLUSTER/NAME */
    char *cgroup;            /* "/timonel/CLUSTER-NAME": below every hierarchy */
    char *netns;             /* file that holds the node's network namespace */
    char *link;              /* the machine's end of the node's veth */
    char *nft, *runc;        /* programs; nft may be NULL */
    RuncPort runtime, host, dataplane;
    EngineProcess *kubelet;
    uint32_t generation;
    const RuntimeListener *listener;
    void *listener_data;
    GPtrArray *sandboxes;      /* owned, in order of making */
    GHashTable *component_uids; /* pods of the other runtime; looked up only */
    GPtrArray *children;       /* of Child, that run now */
    GPtrArray *sessions;       /* of RuntimeSession */
    GPtrArray *probes;         /* of Probe */
    GArray *log_watches;       /* LogWatch */
    uint64_t next_watch;
    uint32_t pod_network, pod_hosts; /* of the pod CIDR, host byte order; 0: not known yet */
    char *pod_cidr;
    char *image_ref;           /* of the built-in busybox */
    struct ProxyRules *rules_wanted;
    bool rules_busy;
    void (*rules_done)(const char *error, void *data);
    void *rules_data;
    uint32_t rules_pid; /* of the kube-proxy that waits */
    uint64_t next_id;
    int name_fd; /* holds the node's name */
    uint64_t cpu_total_milli, memory_total;
};

struct RuncSandbox {
    RuncNode *node;
    char *id, *name, *namespace_, *uid, *hostname, *log_directory, *dir, *cgroup_parent;
    Value *pod;
    uint32_t attempt;
    bool ready, host_network;
    char *ip;
    uint32_t ip_offset;
    int64_t created_at;
    GPtrArray *containers; /* owned */
    Waiter stop_waiter;
    bool stopping;
};

typedef struct LogStream {
    RuncContainer *container;
    int stream, fd;
    guint source;
    GString *partial;
} LogStream;

struct RuncContainer {
    RuncSandbox *sandbox;
    char *id, *name, *image, *dir, *log_path, *cgroup, *message, *message_file;
    Value *definition;
    uint32_t attempt;
    uint64_t hash;
    ContainerState state;
    pid_t pid; /* 0: none */
    guint watch;
    int exit_code, signal;
    const char *reason;
    int64_t created_at, started_at, finished_at;
    LogStream streams[2];
    int stdin_fd; /* -1: none */
    Waiter start_waiter;
    bool starting, removing;
    EventId grace;
    GArray *stop_waiters; /* Waiter */
};

/* ---- node.c ---- */
int64_t runc_now(RuncNode *node);
void node_wake(RuncNode *node); /* in each callback of the main loop, before anything else */
char *runc_make_id(RuncNode *node);
Waiter node_waiter(RuncNode *node, RuntimeDone done, void *data);
Waiter node_host_waiter(RuncNode *node, HostDone done, void *data);
void runc_complete(RuncNode *node, const Waiter *waiter, const char *id, const char *error);
void node_tell_changed(RuncNode *node, const RuncContainer *container);
RuncNode *runc_runtime_node(Runtime *runtime);
RuncSandbox *runc_find_sandbox(RuncNode *node, const char *id);
RuncContainer *runc_find_container(RuncNode *node, const char *id);
RuncSandbox *node_find_sandbox_by_ip(RuncNode *node, const char *ip);
bool node_is_component_pod(RuncNode *node, const char *uid, const Value *pod);

/* ---- child.c: forked children; done comes in the main loop, never inside the call ---- */
typedef void (*ChildDone)(int status /* as of waitpid; -1: could not fork */, const char *text, void *data);
/* Runs in the child, after a fork: no allocation. Writes an error text to error_fd; the result is the exit code. */
typedef int (*ChildBody)(void *arg, int error_fd);
typedef struct ChildOptions {
    ChildBody body;          /* may be NULL: only exec */
    void *arg;
    const char *const *argv; /* executed after the body returned 0; NULL: the child ends */
    int stdin_fd, stdout_fd, stderr_fd; /* 0: /dev/null, for output: the error text */
    bool new_session;        /* setsid, and stdin is the controlling terminal */
} ChildOptions;
Child *child_start(RuncNode *node, const ChildOptions *options, ChildDone done, void *data);
pid_t child_pid(const Child *child);
void child_stop_all(RuncNode *node);
/* Error texts in a child, without allocation. */
int child_fail(int error_fd, const char *what);

/* ---- netlink.c: all of it in a child or in short calls; false with errno ---- */
int netlink_open(void);
bool netlink_link_up(int fd, const char *link);
/* A pair: `name` here, `peer` in the namespace of peer_ns. */
bool netlink_add_veth(int fd, const char *name, const char *peer, int peer_ns);
bool netlink_delete_link(int fd, const char *link);
bool netlink_add_address(int fd, const char *link, uint32_t address, int prefix);
/* gateway 0: on the link; destination 0/0: default. source 0: the kernel's choice. */
bool netlink_add_route(int fd, const char *link, uint32_t destination, int prefix, uint32_t gateway, uint32_t source);

/* ---- network.c ---- */
bool network_make_node(RuncNode *node, GError **error);
void network_start_sandbox(RuncSandbox *sandbox, ChildDone done, void *data);
bool network_set_cidr(RuncNode *node, const char *cidr);
uint32_t network_take_address(RuncNode *node); /* an offset in the range; 0: none left */
/* Calls socket() in a network namespace; -1 with errno. */
int network_socket(const char *netns, int type);
char *sandbox_netns(const RuncSandbox *sandbox);

/* ---- cgroup.c ---- */
bool cgroup_read(const char *controller, const char *cgroup, const char *file, char *ret_text, size_t size);
uint64_t cgroup_number(const char *controller, const char *cgroup, const char *file);
uint64_t cgroup_field(const char *controller, const char *cgroup, const char *file, const char *field);
bool cgroup_is_unified(void);
void cgroup_kill_all(const char *cgroup);
void cgroup_remove(const char *cgroup);

/* ---- images.c ---- */
bool images_make_busybox(RuncNode *node, GError **error);
bool images_is_busybox(const char *image);
char *images_root(RuncNode *node);
char *images_full_name(const char *image);
const char *runc_image_present(Runtime *runtime, const char *image);
void runc_pull_image(Runtime *runtime, const char *image, const Value *secrets, RuntimeDone done, void *data);
Value *runc_list_images(Runtime *runtime);

/* ---- config.c ---- */
Value *config_make(RuncContainer *container, const ContainerConfig *config);

/* ---- sandbox.c, container.c ---- */
void runc_run_pod_sandbox(Runtime *runtime, const PodSandboxConfig *config, RuntimeDone done, void *data);
void runc_stop_pod_sandbox(Runtime *runtime, const char *id, RuntimeDone done, void *data);
void runc_remove_pod_sandbox(Runtime *runtime, const char *id, RuntimeDone done, void *data);
void sandbox_container_exited(RuncSandbox *sandbox);
void runc_sandbox_free(void *sandbox);
void runc_create_container(Runtime *runtime, const char *sandbox_id, const ContainerConfig *config, RuntimeDone done,
                           void *data);
void runc_start_container(Runtime *runtime, const char *id, RuntimeDone done, void *data);
void runc_stop_container(Runtime *runtime, const char *id, int64_t grace_ns, RuntimeDone done, void *data);
void runc_remove_container(Runtime *runtime, const char *id, RuntimeDone done, void *data);
void runc_container_free(void *container);
char *container_runc_error(const char *log, const char *otherwise);

/* ---- log.c ---- */
void log_stream_open(RuncContainer *container, int stream, int fd); /* nothing is read before log_stream_watch */
void log_stream_watch(LogStream *stream);
void log_stream_drop(LogStream *stream); /* what was never read is no output of the container, but runc's own words */
void log_stream_close(LogStream *stream); /* reads what is left, then ends it */
bool runc_read_log(Host *host, const char *path, LogLineFunc func, void *data);
uint64_t runc_watch_log(Host *host, const char *path, LogLineFunc func, void *data);
void runc_unwatch_log(Host *host, uint64_t id);
void runc_remove_log(Host *host, const char *path);

/* ---- session.c ---- */
void runc_exec_sync(Runtime *runtime, const char *id, const char *const *command, int64_t timeout_ns,
                    RuntimeExecDone done, void *data);
RuntimeSession *runc_exec(Runtime *runtime, const char *id, const RuntimeExecOptions *options, const RuntimeSink *sink,
                          void *data);
void runc_session_input(Runtime *runtime, RuntimeSession *session, const void *bytes, size_t length);
void runc_session_resize(Runtime *runtime, RuntimeSession *session, unsigned columns, unsigned rows);
void runc_session_close(Runtime *runtime, RuntimeSession *session);
RuntimeSession *runc_port_forward(Runtime *runtime, const char *sandbox_id, uint16_t port, const RuntimeSink *sink,
                                  void *data);
void runc_sessions_output(RuncContainer *container, int stream, const char *bytes, size_t length);
void runc_sessions_exited(RuncContainer *container);
void sessions_free(RuncNode *node);

/* ---- host.c, volumes.c, probe.c, dataplane.c, runtime.c ---- */
extern const RuntimeOps runc_runtime_ops;
extern const HostOps runc_host_ops;
extern const DataplaneOps runc_dataplane_ops;
RuncNode *runc_host_node(Host *host);
void runc_probe(Host *host, const HostProbe *probe, HostProbeDone done, void *data);
void probes_free(RuncNode *node);
void runc_publish_volume(Host *host, const char *pod_uid, const char *plugin, const char *volume, const Value *contents,
                         const Value *pod, HostDone done, void *data);
void runc_make_empty_dir(Host *host, const char *pod_uid, const char *volume, const char *medium, uint64_t size_limit,
                         const Value *pod, HostDone done, void *data);
void runc_check_host_path(Host *host, const char *path, const char *type, HostDone done, void *data);
void runc_mount_persistent_volume(Host *host, const char *pod_uid, const Value *pv, bool readonly, const Value *pod,
                                  HostDone done, void *data);
char *runc_volume_path(Host *host, const char *pod_uid, const char *plugin, const char *volume);
void runc_remove_pod_dirs(Host *host, const char *pod_uid, HostDone done, void *data);
void dataplane_clear(RuncNode *node);
