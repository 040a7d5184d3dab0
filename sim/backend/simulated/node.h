/* The simulated machines: one backend a world, one node a machine. A node is the Runtime (CRI), the Host and the
 * Dataplane that its kubelet and kube-proxy are given. */
#pragma once

#include "core/port/dataplane.h"
#include "core/port/host.h"
#include "core/port/runtime.h"
#include "sim/backend/simulated/images.h"
#include "sim/backend/simulated/net.h"
#include "sim/backend/simulated/process_factory.h"

typedef struct SimulatedBackend SimulatedBackend;
typedef struct SimulatedNode SimulatedNode;

/* ---- the backend ---- */

/* engine and net are borrowed and must outlive it. The net's resolver is set by it. */
SimulatedBackend *simulated_backend_new(Engine *engine, SimulatedNet *net);
/* After the processes of kubelets were killed. Frees its nodes and the components in their containers. A world is taken
 * down in this order: kubelets, simulated_backend_free, engine_drop_pending, simulated_net_free, engine_free. */
void simulated_backend_free(SimulatedBackend *backend);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimulatedBackend, simulated_backend_free)

SimulatedImages *simulated_backend_images(SimulatedBackend *backend);
void simulated_backend_set_process_factory(SimulatedBackend *backend, const SimulatedProcessFactory *factory, void *data);

/* What is known of ProxyRules: rules of a node resolve a destination; `choice` is a random number. */
typedef struct SimulatedRulesOps {
    struct ProxyRules *(*ref)(struct ProxyRules *rules);
    void (*unref)(struct ProxyRules *rules);
    NetResolve (*resolve)(struct ProxyRules *rules, const char *node, const char *source, const char *ip, uint16_t port,
                          const char *protocol, uint64_t choice, NetEndpoint *ret_endpoint);
} SimulatedRulesOps;
void simulated_backend_set_rules_ops(SimulatedBackend *backend, const SimulatedRulesOps *ops);

/* How a container's program asks a DNS server: the world translates to what the DNS process understands. NULL: names other
 * than hosts are not found. */
typedef struct SimulatedDnsOps {
    NetMessage (*question)(const char *name); /* body owned by the message */
    /* Adds the addresses (texts) of a reply that has status NET_OK; false: no such name. Takes the message. */
    bool (*answer)(NetMessage take, GPtrArray *ips);
} SimulatedDnsOps;
void simulated_backend_set_dns(SimulatedBackend *backend, const SimulatedDnsOps *ops);

SimulatedNode *simulated_backend_node(SimulatedBackend *backend, const char *name); /* NULL: none */

/* ---- nodes ---- */

typedef struct SimulatedNodeOptions {
    const char *name, *ip;
    const char *os, *arch;        /* "linux", "amd64" */
    const char *cpu, *memory, *ephemeral_storage; /* quantities as texts */
    int64_t pods;
    const char *kubelet_version;  /* "v1.35.0" */
    const char *const *preloaded; /* images that are there from the start, NULL terminated; may be NULL */
} SimulatedNodeOptions;

/* Adds the host to the net, too. Owned by the backend. */
SimulatedNode *simulated_node_new(SimulatedBackend *backend, const SimulatedNodeOptions *options);
const char *simulated_node_name(const SimulatedNode *node);
Runtime *simulated_node_runtime(SimulatedNode *node);
Host *simulated_node_host(SimulatedNode *node);
Dataplane *simulated_node_dataplane(SimulatedNode *node);
/* Completions and news are events of this process from now on; those of the one before are dropped. NULL: none. */
void simulated_node_set_kubelet(SimulatedNode *node, EngineProcess *process);
/* Pods get their IPs from here ("10.244.1.0/24") once it is set. */
void simulated_node_set_pod_cidr(SimulatedNode *node, const char *cidr);
void simulated_node_set_static_pods(SimulatedNode *node, Value *take); /* array of pods; tells the listener */

/* ---- faults ---- */

/* The n-th running container whose pod and container names are these (container NULL: the first). False: none runs. */
bool simulated_node_kill_container(SimulatedNode *node, const char *namespace_, const char *pod, const char *container,
                                   int exit_code, int signal, const char *reason /* "Error", "OOMKilled" */);
bool simulated_node_hang_container(SimulatedNode *node, const char *namespace_, const char *pod, const char *container,
                                   bool hang);
/* Of a component's container: the process behind it, or NULL. */
EngineProcess *simulated_node_find_process(SimulatedNode *node, const char *process);
/* Everything on it dies at once, no one is told; the kubelet's process is the world's to kill. Its images, logs and
 * volumes stay; containers are found exited (255, Unknown) after power is back. */
void simulated_node_power_off(SimulatedNode *node);
void simulated_node_power_on(SimulatedNode *node);
bool simulated_node_has_power(const SimulatedNode *node);
void simulated_node_set_pressure(SimulatedNode *node, const HostPressure *pressure); /* NULL: by the model */
void simulated_node_set_disk_full(SimulatedNode *node, bool full);
void simulated_node_set_disk_slow(SimulatedNode *node, unsigned factor);
void simulated_node_remove_image(SimulatedNode *node, const char *image);

size_t simulated_node_running_containers(const SimulatedNode *node);
