/* A real machine's share of a cluster: Runtime (CRI), Host and Dataplane of a node whose containers are real processes,
 * started by an OCI runtime with runc's command line. Each node is a network namespace of this machine; pods are network
 * namespaces that it routes to. Needs root.
 *
 * Everything happens in the GLib main loop of the caller and in forked children; what the kubelet waits for comes as a
 * later event of its process. All that a node makes lies below one directory, one cgroup and one link whose names carry
 * cluster and node, so a sweep by those names finds what a crashed run left. */
#pragma once

#include "core/port/dataplane.h"
#include "core/port/host.h"
#include "core/port/runtime.h"
#include "sim/engine/process.h"

typedef struct RuncNode RuncNode;

typedef struct RuncNodeOptions {
    Engine *engine;
    const char *cluster, *name;
    const char *ip;              /* where the machine reaches the node; NULL: the node has no way out */
    const char *directory;       /* absolute; the node's files lie in DIRECTORY/CLUSTER/NAME */
    const char *kubelet_version; /* "v1.35.0" */
    const char *cpu, *memory;    /* quantities as texts that cap what the node offers; NULL: all of the machine */
    int64_t pods;                /* 0: 110 */
    /* Called when something happened outside: brings the engine's time to the present. May be NULL. */
    void (*catch_up)(void *context);
    /* Pods all of whose images are components run on the other runtime and host. May be NULL: there are none. */
    bool (*is_component)(const char *image, void *context);
    Runtime *components;
    Host *components_host;
    Dataplane *components_dataplane;
    EngineProcess *(*proxy_process)(void *context); /* kube-proxy's process now, or NULL */
    void *context;
} RuncNodeOptions;

/* Why real containers cannot run here ("must be root", "runc is not installed: ..."); NULL when they can. Owned. */
char *runc_node_missing(void);

/* Sweeps away what a crashed run of the same names left, then makes the node's namespace. Texts are copied. */
RuncNode *runc_node_new(const RuncNodeOptions *options, GError **error);
/* Kills every container and removes every process, mount, namespace, cgroup, link and file of the node. Data of
 * PersistentVolumes stays. The kubelet's process must be dead. */
void runc_node_free(RuncNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RuncNode, runc_node_free)

Runtime *runc_node_runtime(RuncNode *node);
Host *runc_node_host(RuncNode *node);
Dataplane *runc_node_dataplane(RuncNode *node);
/* Completions and news are events of this process from now on; those of the one before are dropped. NULL: none. */
void runc_node_set_kubelet(RuncNode *node, EngineProcess *process);
/* Removes what a run of these names left behind: processes first. */
void runc_node_sweep(const char *directory, const char *cluster, const char *name);
