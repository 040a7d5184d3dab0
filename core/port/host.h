/* Port: what else a kubelet needs of its machine: facts, mounts, published volume contents, logs, probes' dialling. */
#pragma once

#include "core/object/value.h"

typedef struct Host Host;
typedef void (*HostDone)(const char *error, void *data);

/* Result of dialling for a probe: HTTP status (0 for tcp), or an error in Go's words ("connection refused"). */
typedef struct ProbeReply {
    const char *error;
    int http_status;
    const char *body; /* bounded (10 KiB), may be NULL */
} ProbeReply;
typedef void (*HostProbeDone)(const ProbeReply *reply, void *data);

typedef struct HostProbe {
    enum { HOST_PROBE_TCP, HOST_PROBE_HTTP, HOST_PROBE_GRPC } kind;
    const char *address; /* IP */
    uint16_t port;
    const char *scheme;  /* "HTTP" or "HTTPS" */
    const char *http_host; /* for the Host header; NULL: the address */
    const char *path;
    const Value *headers; /* array of {name, value} */
    const char *grpc_service;
    int64_t timeout_ns;
} HostProbe;

typedef struct HostPressure {
    bool memory, disk, pid;
    uint64_t memory_available; /* bytes */
} HostPressure;

/* One line of a container's log; borrowed during the call. */
typedef struct LogLine {
    int64_t time;
    int stream; /* 1 stdout, 2 stderr */
    bool partial;
    const char *text;
    size_t length;
} LogLine;
typedef bool (*LogLineFunc)(const LogLine *line, void *data); /* false: enough */

typedef struct HostOps {
    /* Node facts: {nodeInfo: {...}, capacity: {cpu, memory, ephemeral-storage, pods}, allocatable: {...},
     * addresses: [...]} as in node.status; owned by the caller. */
    Value *(*node_facts)(Host *host);
    void (*pressure)(Host *host, HostPressure *ret_pressure);

    /* A volume directory of a pod: made (mode), filled, removed. Contents is a map path -> text or {bytes: base64, mode: n};
     * publishing replaces all of it atomically (the ..data link). Returns the host path in *ret_path (owned by the caller). */
    void (*publish_volume)(Host *host, const char *pod_uid, const char *plugin, const char *volume, const Value *contents,
                           const Value *pod, HostDone done, void *data);
    /* Empty directory: medium "" or "Memory"; size_limit bytes, 0 none. */
    void (*make_empty_dir)(Host *host, const char *pod_uid, const char *volume, const char *medium, uint64_t size_limit,
                           const Value *pod, HostDone done, void *data);
    /* hostPath and local volumes: check or make according to type ("", Directory, DirectoryOrCreate, File, ...). */
    void (*check_host_path)(Host *host, const char *path, const char *type, HostDone done, void *data);
    /* Makes a bound PersistentVolume of a plug-in other than hostPath and local (csi, nfs, ...) available to a pod; its
     * content outlives the pod. It lies at volume_path(host, pod_uid, "kubernetes.io~csi", NAME OF THE PV). NULL op: such
     * volumes cannot be mounted here. */
    void (*mount_persistent_volume)(Host *host, const char *pod_uid, const Value *pv, bool readonly, const Value *pod,
                                    HostDone done, void *data);
    /* Where a volume lies for mounts; caller frees. */
    char *(*volume_path)(Host *host, const char *pod_uid, const char *plugin, const char *volume);
    /* Removes all volumes and directories of a pod. */
    void (*remove_pod_dirs)(Host *host, const char *pod_uid, HostDone done, void *data);

    /* Probes of kinds http, tcp and grpc; exec probes go to the runtime. */
    void (*probe)(Host *host, const HostProbe *probe, HostProbeDone done, void *data);

    /* Logs that are stored for a container, oldest first, and news of more. path is the sandbox's log directory plus the
     * container's log path. watch: func is called for each new line until unwatch; NULL when there is no such log. */
    bool (*read_log)(Host *host, const char *path, LogLineFunc func, void *data);
    uint64_t (*watch_log)(Host *host, const char *path, LogLineFunc func, void *data);
    void (*unwatch_log)(Host *host, uint64_t id);
    void (*remove_log)(Host *host, const char *path);

    /* Static pod manifests of this machine (array of pod objects; owned by the caller) and news of a change. */
    Value *(*static_pods)(Host *host);
    void (*set_static_pods_listener)(Host *host, void (*changed)(void *data), void *data);

    /* What survives a kubelet restart but not a wipe (checkpoint); may be NULL ops: then nothing survives. */
} HostOps;

struct Host {
    const HostOps *ops;
};
