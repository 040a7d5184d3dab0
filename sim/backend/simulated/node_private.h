/* What the files of a node share: node.c (life, completions, faults), runtime.c and runtime_sandbox.c (the CRI),
 * container.c (one container's life), container_serve.c (its answers), node_log.c, host.c, host_volumes.c, dataplane.c,
 * session.c. */
#pragma once

#include "sim/backend/simulated/file_tree.h"
#include "sim/backend/simulated/node.h"
#include "sim/backend/simulated/shell.h"
#include "sim/engine/trace.h"

#define CONTAINERS_MAX 4096        /* of one node, with those that exited */
#define LOG_BYTES_MAX (128u * 1024) /* kept per container */
#define CONTAINER_ID_LENGTH 64

typedef struct SimulatedSandbox SimulatedSandbox;
typedef struct SimulatedContainer SimulatedContainer;
typedef struct NodeLog NodeLog;

struct SimulatedBackend {
    Engine *engine;
    SimulatedNet *net;
    SimulatedImages *images;
    const SimulatedProcessFactory *factory;
    void *factory_data;
    const SimulatedRulesOps *rules;
    const SimulatedDnsOps *dns;
    GPtrArray *nodes;      /* in order of making */
    GHashTable *by_name;   /* looked up only */
    GHashTable *persistent; /* name of a PersistentVolume -> FileTree; looked up only */
    GPtrArray *lookups;    /* DNS lookups of containers that go on; shell_lookup_free frees one */
    GHashTable *blocks;    /* shared lists of texts (environments, commands); looked up only */
};

typedef struct NodeDataplane {
    Dataplane base;
    SimulatedNode *node;
    struct ProxyRules *rules;
    uint64_t choices;
} NodeDataplane;

typedef struct NodeRuntime {
    Runtime base;
    SimulatedNode *node;
    const RuntimeListener *listener;
    void *listener_data;
} NodeRuntime;

typedef struct NodeHost {
    Host base;
    SimulatedNode *node;
    void (*static_pods_changed)(void *data);
    void *static_pods_data;
} NodeHost;

typedef struct HostPort {
    uint16_t host_port, container_port;
    SimulatedSandbox *sandbox;
} HostPort;

struct SimulatedNode {
    SimulatedBackend *backend;
    char *name, *ip, *os, *arch, *kubelet_version;
    char *cpu, *memory, *ephemeral_storage;
    int64_t pods;
    NodeRuntime runtime;
    NodeHost host;
    NodeDataplane dataplane;
    EngineProcess *kubelet;
    uint32_t kubelet_generation; /* what an older kubelet asked for is not told to a newer one */
    bool power, disk_full, has_pressure;
    unsigned disk_slow;
    HostPressure pressure;
    uint64_t numbers, seed; /* the node's own stream */
    GPtrArray *sandboxes; /* owned, in order of making */
    GHashTable *containers; /* id -> container; looked up only */
    GHashTable *images;     /* full name -> reference; looked up only */
    GPtrArray *image_list;  /* full names, in order of arrival; owned by images */
    GArray *host_ports;     /* HostPort */
    uint32_t pod_network, pod_hosts, next_ip; /* of the pod CIDR, host byte order */
    GHashTable *used_ips;   /* offsets; looked up only */
    GHashTable *logs;       /* path -> NodeLog; looked up only */
    GHashTable *log_watches; /* id -> NodeLog; looked up only */
    uint64_t next_watch;
    GHashTable *volumes;    /* host path -> FileTree; looked up only */
    FileTree *files;        /* the node's own (hostPath) */
    Value *static_pods;
};

struct SimulatedSandbox {
    SimulatedNode *node;
    char id[CONTAINER_ID_LENGTH + 1];
    char *name, *namespace_, *uid, *hostname, *log_directory;
    Value *pod;
    uint32_t attempt;
    bool ready, host_network, has_host_ports;
    char *ip; /* NULL on the host network */
    uint32_t ip_offset;
    const char *const *dns_texts;  /* shared block */
    const char *dns_server;        /* in dns_texts: the first one, or NULL */
    const char *dns_searches;      /* in dns_texts: joined by spaces, or NULL */
    int64_t created_at;
    GPtrArray *containers; /* owned */
};

typedef enum { MAIN_PROGRAM, MAIN_SHELL, MAIN_PROCESS } MainKind;

typedef struct ContainerMount {
    char *host_path, *container_path; /* container_path without the leading slash */
    bool readonly;
} ContainerMount;

typedef struct StopWaiter {
    RuntimeDone done;
    void *data;
    uint32_t generation;
} StopWaiter;

struct SimulatedContainer {
    SimulatedSandbox *sandbox;
    char id[CONTAINER_ID_LENGTH + 1];
    uint8_t state; /* ContainerState */
    uint8_t main;  /* MainKind */
    bool hung, program_running, oom_scored;
    uint32_t attempt;
    const ImageModel *model;
    char *name;
    const char *const *image_texts; /* shared block: name, reference */
    Value *definition; /* the API's container */
    const char *const *argv; /* shared block */
    const char *const *env;  /* shared block */
    char *working_dir;
    ContainerMount *mounts;
    uint32_t n_mounts;
    int exit_code, signal;
    const char *reason; /* static */
    char *message;
    int64_t created_at, started_at, finished_at;
    int64_t program_started_at; /* of the image's own program, which may run in a shell */
    uint64_t requests, cpu_extra_ns;
    uint64_t hash;
    NodeLog *log;
    FileTree *files; /* NULL until touched */
    Shell *shell;
    EngineProcess *process;
    void *process_handle;
    EventId timer; /* the next thing that happens by itself: exit, log, end of grace */
    EventId grace;
    GArray *waiters; /* StopWaiter; NULL until needed */
    GPtrArray *sessions; /* RuntimeSession; NULL until needed */
};

/* node.c */
uint64_t node_next_number(SimulatedNode *node);
void node_make_id(SimulatedNode *node, char ret_id[CONTAINER_ID_LENGTH + 1]);
/* Calls done(id, error) on the kubelet's process after a delay; texts are copied. */
void node_complete(SimulatedNode *node, int64_t delay_ns, RuntimeDone done, void *data, const char *id,
                   const char *error);
void node_complete_host(SimulatedNode *node, int64_t delay_ns, HostDone done, void *data, const char *error);
const char *const *backend_share_block(SimulatedBackend *backend, const char *const *texts);
void backend_drop_block(SimulatedBackend *backend, const char *const *block);
void node_state_fact(SimulatedNode *node, const char *verb, const SimulatedSandbox *sandbox, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* runtime.c, runtime_sandbox.c */
extern const RuntimeOps simulated_runtime_ops;
SimulatedNode *runtime_node(Runtime *runtime);
SimulatedSandbox *node_find_sandbox(SimulatedNode *node, const char *id);
SimulatedContainer *node_find_container(SimulatedNode *node, const char *id);
void runtime_run_pod_sandbox(Runtime *runtime, const PodSandboxConfig *config, RuntimeDone done, void *data);
void runtime_stop_pod_sandbox(Runtime *runtime, const char *sandbox_id, RuntimeDone done, void *data);
void runtime_remove_pod_sandbox(Runtime *runtime, const char *sandbox_id, RuntimeDone done, void *data);
void sandbox_free(void *sandbox);
void sandbox_release_network(SimulatedSandbox *sandbox);

/* container.c */
SimulatedContainer *container_new(SimulatedSandbox *sandbox, const ContainerConfig *config, const ImageModel *model,
                                  const char *image, const char *image_ref);
void container_free(void *container);
/* NULL, or the error text of a start that failed; the container has exited then. */
char *container_start(SimulatedContainer *container);
void container_stop(SimulatedContainer *container, int64_t grace_ns);
void container_exit(SimulatedContainer *container, int exit_code, int signal, const char *reason);
bool container_log(SimulatedContainer *container, int stream, const char *text, size_t length);
uint64_t container_memory(const SimulatedContainer *container);
uint64_t container_memory_limit(const SimulatedContainer *container);
uint64_t container_cpu_ns(const SimulatedContainer *container);
/* The image's program, started by a shell in the container: exits by itself after *ret_after_ns, or never. False: the
 * image has no such program. */
bool container_has_program(const SimulatedContainer *container, const char *word);
bool container_run_program(SimulatedContainer *container, int64_t *ret_after_ns, int *ret_code);
bool container_is_listening(const SimulatedContainer *container);
void container_signal(SimulatedContainer *container, int signal); /* sent from inside */
void container_check_memory(SimulatedContainer *container);
const char *container_env(const SimulatedContainer *container, const char *name); /* NULL: not set */
const char *container_argument(const SimulatedContainer *container, const char *name); /* value of --name, or NULL */
SimulatedNode *container_node(const SimulatedContainer *container);
const char *container_address(const SimulatedContainer *container); /* of its network */

/* container_news.c */
void container_read_message(SimulatedContainer *container); /* the termination message, at its end */
void container_tell_kubelet(SimulatedContainer *container);

/* container_files.c: paths as the container sees them; directory is the current one. */
FileTree *container_find_file(SimulatedContainer *container, const char *directory, const char *path, char **ret_path,
                              bool *ret_readonly);
FileStatus container_read_file(SimulatedContainer *container, const char *path, const char **ret_text, size_t *ret_len);
FileStatus container_write_file(SimulatedContainer *container, const char *directory, const char *path,
                                const char *text, size_t length, bool append);

/* container_serve.c */
extern const SimulatedSpaceOps simulated_sandbox_space_ops; /* owner: SimulatedSandbox */
extern const SimulatedSpaceOps simulated_node_space_ops;    /* owner: SimulatedNode */
bool sandbox_serve(SimulatedSandbox *sandbox, const SimulatedRequest *request, SimulatedRespond *respond);

/* node_log.c */
struct NodeLog {
    Log port; /* what a component logs to; its first member */
    uint32_t refs;
    char *path;
    GQueue lines; /* of KeptLine */
    size_t bytes;
    GString *partial[2];
    GArray *watches;
    SimulatedNode *node;
};
NodeLog *node_log_open(SimulatedNode *node, const char *path);
NodeLog *node_log_ref(NodeLog *log);
void node_log_unref(void *log);
/* Bytes of a stream; complete lines are kept. */
void node_log_write(NodeLog *log, int stream, const char *bytes, size_t length);
void node_log_flush(NodeLog *log); /* what has no newline at its end */

bool host_read_log(Host *host, const char *path, LogLineFunc func, void *data);
uint64_t host_watch_log(Host *host, const char *path, LogLineFunc func, void *data);
void host_unwatch_log(Host *host, uint64_t id);
void host_remove_log(Host *host, const char *path);

/* host.c, host_volumes.c, dataplane.c */
extern const HostOps simulated_host_ops;
extern const DataplaneOps simulated_dataplane_ops;
SimulatedNode *host_node(Host *host);
void host_publish_volume(Host *host, const char *pod_uid, const char *plugin, const char *volume, const Value *contents,
                         const Value *pod, HostDone done, void *data);
void host_make_empty_dir(Host *host, const char *pod_uid, const char *volume, const char *medium, uint64_t size_limit,
                         const Value *pod, HostDone done, void *data);
void host_check_host_path(Host *host, const char *path, const char *type, HostDone done, void *data);
void host_mount_persistent_volume(Host *host, const char *pod_uid, const Value *pv, bool readonly, const Value *pod,
                                  HostDone done, void *data);
char *host_volume_path(Host *host, const char *pod_uid, const char *plugin, const char *volume);
void host_remove_pod_dirs(Host *host, const char *pod_uid, HostDone done, void *data);
/* The tree in which a host path lies and the path within it (caller frees). */
FileTree *node_find_volume(SimulatedNode *node, const char *host_path, char **ret_path);
NetResolve dataplane_resolve(const char *host, const char *source, const char *ip, uint16_t port, const char *protocol,
                             NetEndpoint *ret_endpoint, void *data);

/* shell/tools_net.c */
void shell_lookup_free(void *lookup);

/* session.c */
struct RuntimeSession; /* core/port/runtime.h */
void runtime_exec_sync(Runtime *runtime, const char *container_id, const char *const *command, int64_t timeout_ns,
                       RuntimeExecDone done, void *data);
RuntimeSession *runtime_exec(Runtime *runtime, const char *container_id, const RuntimeExecOptions *options,
                             const RuntimeSink *sink, void *data);
void runtime_session_input(Runtime *runtime, RuntimeSession *session, const void *bytes, size_t length);
void runtime_session_resize(Runtime *runtime, RuntimeSession *session, unsigned columns, unsigned rows);
void runtime_session_close(Runtime *runtime, RuntimeSession *session);
RuntimeSession *runtime_port_forward(Runtime *runtime, const char *sandbox_id, uint16_t port, const RuntimeSink *sink,
                                     void *data);
void sessions_container_exited(SimulatedContainer *container);
void sessions_container_output(SimulatedContainer *container, int stream, const char *bytes, size_t length);
