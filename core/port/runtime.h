/* Port: the container runtime, in the CRI's own words (cri-api v1 runtime.proto). Requests and answers are plain
 * structs; strings given are borrowed during the call and copied by the back end. Every op that takes time completes
 * by a later event, exactly once, unless the kubelet process died in between. Errors are texts (what the CRI returns
 * and events quote); NULL means success. */
#pragma once

#include "core/object/value.h"

typedef struct Runtime Runtime;

typedef void (*RuntimeDone)(const char *id, const char *error, void *data); /* id: of what was made, or NULL */

/* A pod sandbox: the namespaces that a pod's containers share. */
typedef struct PodSandboxConfig {
    const char *name, *namespace_, *uid;
    uint32_t attempt;
    const Value *pod; /* the whole API object: hostname, dns, security, ports, labels and annotations are read from it */
    const char *log_directory;
    const char *cgroup_parent;
    const char *hostname; /* as the pod sees it (spec.hostname and subdomain are worked in) */
    /* resolv.conf as dnsPolicy and dnsConfig want it; NULL terminated; all NULL: the host's own. */
    const char *const *dns_servers;
    const char *const *dns_searches;
    const char *const *dns_options;
} PodSandboxConfig;

typedef struct RuntimeMount {
    const char *host_path;
    const char *container_path;
    bool readonly;
    const char *propagation; /* "None", "HostToContainer", "Bidirectional" */
} RuntimeMount;

typedef struct ContainerConfig {
    const char *name; /* of the container in the pod */
    uint32_t attempt; /* the restart count */
    const char *image; /* as resolved by the image service */
    const Value *container; /* the API's container: resources, securityContext, lifecycle's stopSignal, tty ... */
    const char *const *command; /* NULL terminated, $(VAR) expanded; NULL: the image's */
    const char *const *args;
    const char *const *env;     /* "NAME=value", NULL terminated */
    const char *working_dir;    /* NULL: the image's */
    const RuntimeMount *mounts;
    size_t n_mounts;
    const char *log_path; /* relative to the sandbox's log directory */
    uint64_t hash; /* kept with the container and told in its status: the definition it was made from */
} ContainerConfig;

typedef enum { CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED, CONTAINER_UNKNOWN } ContainerState;

typedef struct ContainerStatus {
    const char *id;
    const char *sandbox_id;
    const char *name;
    const char *image;
    const char *image_ref; /* digest */
    uint32_t attempt;
    ContainerState state;
    int64_t created_at, started_at, finished_at; /* ns; 0 when not yet */
    int exit_code;
    int signal;
    const char *reason;  /* "Completed", "Error", "OOMKilled", "ContainerCannotRun", "StartError" */
    const char *message; /* the termination message, or NULL */
    const char *pod_uid, *pod_name, *pod_namespace;
    uint64_t hash; /* of ContainerConfig; 0: not known */
} ContainerStatus;

typedef struct PodSandboxStatus {
    const char *id;
    const char *pod_uid, *pod_name, *pod_namespace;
    uint32_t attempt;
    bool ready;
    int64_t created_at;
    const char *ip; /* NULL on the host network */
} PodSandboxStatus;

typedef struct ExecResult {
    const char *error; /* the runtime could not do it; else NULL */
    int exit_code;
    const char *output; /* stdout and stderr mixed, bounded (16 KiB), NUL terminated */
    bool timed_out;
} ExecResult;
typedef void (*RuntimeExecDone)(const ExecResult *result, void *data);

/* An interactive session (exec -it, attach). The runtime calls the sink; the kubelet's server calls the session ops. */
typedef struct RuntimeSession RuntimeSession;
typedef struct RuntimeSink {
    void (*output)(int stream /* 1 stdout, 2 stderr */, const void *bytes, size_t length, void *data);
    void (*ended)(int exit_code, const char *error, void *data); /* the session is gone afterwards */
} RuntimeSink;

typedef struct RuntimeExecOptions {
    const char *const *command; /* NULL: attach to the main process */
    bool stdin_open, tty;
    int64_t timeout_ns; /* 0: none */
} RuntimeExecOptions;

typedef struct ContainerStats {
    uint64_t cpu_usage_ns; /* cumulative */
    uint64_t memory_working_set; /* bytes */
    uint64_t memory_rss;
} ContainerStats;

/* What happens below by itself. `container_changed`: a container stopped or vanished (the kubelet then asks for its
 * status: this is the CRI's GetContainerEvents). */
typedef struct RuntimeListener {
    void (*container_changed)(const char *pod_uid, const char *container_id, void *data);
} RuntimeListener;

typedef struct RuntimeOps {
    const char *(*version)(Runtime *runtime); /* "containerd://2.1.3" as the Node shows it */
    void (*set_listener)(Runtime *runtime, const RuntimeListener *listener, void *data);
    /* UpdateRuntimeConfig: the range that this node's pods get their addresses from is known. May be NULL: not used. */
    void (*update_runtime_config)(Runtime *runtime, const char *pod_cidr);
    /* Why pods cannot have a network yet (Status: NetworkReady), borrowed: "Network plugin returns error: cni plugin not
     * initialized"; NULL: it is ready. May be NULL: always ready. The kubelet asks at each tick while it is not, and after
     * update_runtime_config. */
    const char *(*network_not_ready)(Runtime *runtime);

    void (*run_pod_sandbox)(Runtime *runtime, const PodSandboxConfig *config, RuntimeDone done, void *data);
    /* Kills what still runs in it; idempotent. */
    void (*stop_pod_sandbox)(Runtime *runtime, const char *sandbox_id, RuntimeDone done, void *data);
    void (*remove_pod_sandbox)(Runtime *runtime, const char *sandbox_id, RuntimeDone done, void *data);

    void (*create_container)(Runtime *runtime, const char *sandbox_id, const ContainerConfig *config, RuntimeDone done,
                             void *data);
    void (*start_container)(Runtime *runtime, const char *container_id, RuntimeDone done, void *data);
    /* Sends the stop signal, waits, then kills. Grace 0 kills at once. done after it has stopped. */
    void (*stop_container)(Runtime *runtime, const char *container_id, int64_t grace_ns, RuntimeDone done, void *data);
    void (*remove_container)(Runtime *runtime, const char *container_id, RuntimeDone done, void *data);

    /* Reading what is known now needs no event. The arrays' elements are borrowed until the next call into the runtime. */
    void (*list_pod_sandboxes)(Runtime *runtime, const char *pod_uid /* NULL: all */,
                               GArray *ret_statuses /* of PodSandboxStatus */);
    void (*list_containers)(Runtime *runtime, const char *pod_uid /* NULL: all */, GArray *ret_statuses /* of ContainerStatus */);
    bool (*container_status)(Runtime *runtime, const char *container_id, ContainerStatus *ret_status);
    bool (*container_stats)(Runtime *runtime, const char *container_id, ContainerStats *ret_stats);

    void (*exec_sync)(Runtime *runtime, const char *container_id, const char *const *command, int64_t timeout_ns,
                      RuntimeExecDone done, void *data);
    RuntimeSession *(*exec)(Runtime *runtime, const char *container_id, const RuntimeExecOptions *options,
                            const RuntimeSink *sink, void *data);
    void (*session_input)(Runtime *runtime, RuntimeSession *session, const void *bytes, size_t length); /* length 0: end */
    void (*session_resize)(Runtime *runtime, RuntimeSession *session, unsigned columns, unsigned rows);
    void (*session_close)(Runtime *runtime, RuntimeSession *session);
    /* A byte stream to a port inside the sandbox: same session ops and sink (stream 1). */
    RuntimeSession *(*port_forward)(Runtime *runtime, const char *sandbox_id, uint16_t port, const RuntimeSink *sink,
                                    void *data);

    /* Image service. present: is it here already (then id is its reference)? pull: done's id is the reference. */
    const char *(*image_present)(Runtime *runtime, const char *image); /* its reference, or NULL; borrowed */
    void (*pull_image)(Runtime *runtime, const char *image, const Value *pull_secrets, RuntimeDone done, void *data);
    /* Frees the room of an image that no container uses. May be NULL: images stay. */
    void (*remove_image)(Runtime *runtime, const char *image, RuntimeDone done, void *data);
    /* Images on this node for node.status.images: array of {names: [...], sizeBytes: n}; owned by the caller. */
    Value *(*list_images)(Runtime *runtime);
} RuntimeOps;

struct Runtime {
    const RuntimeOps *ops;
};
