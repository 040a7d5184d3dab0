/* The kubelet: makes the pods that are bound to its node run there, and tells the API how they are.
 *
 * Follows pkg/kubelet of Kubernetes 1.35: registers the node, renews its lease, takes pods from the API and from static
 * manifests, runs one state machine a pod (pod_worker.c), probes, keeps statuses up to date and serves port 10250. Its world
 * is the runtime (CRI), the host, the network and the clock that it is given. Nothing is polled while nothing is to be done,
 * except for one tick a node (lease and node status, 10 s) and the probes that pods ask for. */
#pragma once

#include "core/client/client.h"
#include "core/port/host.h"
#include "core/port/ports.h"
#include "core/port/runtime.h"

typedef struct Kubelet Kubelet;

/* Strings and Values are borrowed and must outlive the kubelet (5,000 kubelets share them). Times in ns. */
typedef struct KubeletConfig {
    const char *node_name;
    const Value *labels;      /* map; added to the well-known ones; may be NULL */
    const Value *annotations; /* map; may be NULL */
    const Value *taints;      /* to register with; array of {key, value, effect}; may be NULL */
    const char *version;      /* "v1.35.0" */
    const char *provider_id;  /* NULL: none */
    const char *pod_cidr;     /* given to the node by --pod-cidr; NULL: the controller manager's is used */
    bool register_node;
    bool unschedulable;       /* register cordoned */
    int64_t max_pods;         /* 110 */
    uint16_t port;            /* 10250 */

    int64_t lease_duration_ns;      /* 40 s; renewed every quarter of it */
    int64_t status_update_ns;       /* 10 s: compute, and write when something changed */
    int64_t status_report_ns;       /* 5 min: write in any case */
    int64_t pleg_relist_ns;         /* 1 s: changes below are seen at the next multiple of it */
    int64_t sync_retry_ns;          /* 10 s (with jitter 0.5): a failed sync comes back */
    int64_t object_refresh_ns;      /* 60 s: mounted configMaps and secrets follow within this time */
    int64_t backoff_ns, backoff_max_ns; /* 10 s, 5 min: of crashing containers and failing pulls */

    bool serialize_image_pulls; /* true */
    int max_parallel_image_pulls; /* when not serialised; 0: no limit */
    int node_status_max_images; /* 50 */
    int image_gc_high_percent, image_gc_low_percent; /* 85, 80 */

    const char *cluster_dns;    /* address of the DNS Service; NULL: none */
    const char *cluster_domain; /* "cluster.local" */

    uint64_t eviction_memory_available; /* 100Mi: memory.available below it is pressure */
    int64_t eviction_pressure_ns;       /* 5 min: how long a pressure condition lasts at least */
    const char *const *features;        /* NULL terminated names of gates that are on beyond the defaults; may be NULL */
} KubeletConfig;

/* Fills in the defaults of 1.35. */
void kubelet_config_init(KubeletConfig *config, const char *node_name);

/* Starts at once: registration, informers, server. Borrows all but `config`, of which it takes a copy. `client` is the
 * kubelet's own (user system:node:NAME, QPS 50, burst 100). */
Kubelet *kubelet_new(const Ports *ports, Client *client, Runtime *runtime, Host *host, const KubeletConfig *config);
/* Frees the memory. The containers live on: a new kubelet finds them. */
void kubelet_free(Kubelet *kubelet);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Kubelet, kubelet_free)

/* For views and tests. */
const char *kubelet_node_name(const Kubelet *kubelet);
size_t kubelet_pod_count(const Kubelet *kubelet);
/* The state of a pod's worker: "sync", "terminating", "terminated", or NULL when there is none. */
const char *kubelet_pod_state(const Kubelet *kubelet, const char *namespace_, const char *name);
