/* The scheduler's picture of the cluster (pkg/scheduler/backend/cache): nodes with what their pods
 * ask for, pods on nodes (also those assumed there while their binding is under way), and the
 * smaller objects that plug-ins look up. A scheduling cycle is one event of the engine, so nothing
 * changes under it and the cache itself is the cycle's snapshot. */
#pragma once

#include "core/scheduler/pod_class.h"
#include "core/scheduler/static_fit.h"
#include "core/scheduler/topology.h"

/* Reasons with fixed texts have fixed symbols. */
enum {
    REASON_NONE,
    REASON_UNSCHEDULABLE,
    REASON_NODE_NAME,
    REASON_TAINT,
    REASON_NODE_AFFINITY,
    REASON_AFFINITY_CONFLICT,
    REASON_PORTS,
    REASON_TOO_MANY_PODS,
    REASON_CPU,
    REASON_MEMORY,
    REASON_EPHEMERAL_STORAGE,
    REASON_READ_WRITE_ONCE_POD,
    REASON_UNBOUND_IMMEDIATE,
    REASON_VOLUME_NODE_AFFINITY,
    REASON_VOLUME_BIND_CONFLICT,
    REASON_VOLUME_MISSING,
    REASON_VOLUME_ZONE,
    REASON_VOLUME_COUNT,
    REASON_SPREAD,
    REASON_SPREAD_LABEL,
    REASON_AFFINITY,
    REASON_ANTI_AFFINITY,
    REASON_EXISTING_ANTI_AFFINITY,
    REASON_NOT_SATISFIED, /* "node(s) didn't satisfy plugin(s) [NodeAffinity]" */
    REASON_NO_VICTIMS,
    REASON_PREEMPTION_USELESS,
    REASON_HOSTNAME_KEY, /* not a reason: the label kubernetes.io/hostname */
    REASON_ZONE_KEY,     /* the label topology.kubernetes.io/zone */
    REASON_ANY_IP,       /* "0.0.0.0" */
    REASON_COUNT
};

typedef struct NodeScalar {
    Symbol name;
    int64_t allocatable, requested;
} NodeScalar;

typedef struct NodeImage {
    Symbol name;
    int64_t size;
} NodeImage;

typedef struct NodeInfo {
    int32_t slot;
    Symbol name_symbol;
    uint32_t static_generation; /* changes with labels, taints, unschedulable */
    bool present;               /* the Node object exists (pods may be seen before their node) */
    int64_t milli_cpu, memory, ephemeral_storage, max_pods; /* allocatable */
    int64_t requested_cpu, requested_memory, requested_storage, nonzero_cpu, nonzero_memory;
    uint32_t n_pods, pods_capacity, n_scalars, n_images;
    struct PodInfo **pods;
    NodeScalar *scalars;
    GArray *ports;        /* of HostPort, NULL when none */
    NodeImage *images;    /* sorted by name */
    GPtrArray *nominated; /* PodInfo of pending pods, NULL when none */
    Labels *labels;
    Value *node;
    const char *name;
    char *zone; /* region and zone, for the order of nodes */
} NodeInfo;

typedef struct PodInfo {
    char *key; /* "namespace/name" */
    Value *pod;
    PodClass *class_;
    NodeInfo *node;      /* where it is, or is assumed to be */
    NodeInfo *nominated; /* where preemption made room for it */
    uint32_t index;      /* in node->pods */
    bool assumed, deleting;
    struct PodInfo *class_next, *class_previous; /* of those on nodes */
    struct QueuedPod *queued;                    /* pending: see queue.h */
} PodInfo;

/* The smaller objects, by key "namespace/name" or "name". */
typedef enum {
    TABLE_NAMESPACES,
    TABLE_SERVICES,
    TABLE_REPLICATION_CONTROLLERS,
    TABLE_REPLICA_SETS,
    TABLE_STATEFUL_SETS,
    TABLE_CLAIMS,
    TABLE_VOLUMES,
    TABLE_STORAGE_CLASSES,
    TABLE_DISRUPTION_BUDGETS,
    TABLE_CSI_NODES,
    TABLE_COUNT
} CacheTable;

typedef struct ClusterCache {
    Symbols *symbols;
    GPtrArray *nodes; /* NodeInfo by slot; NULL where free */
    GArray *free_slots;
    int32_t slot_capacity;
    GHashTable *nodes_by_name; /* looked up only */
    GPtrArray *zones;          /* CacheZone, in order of arrival */
    GPtrArray *order;          /* NodeInfo: zones in turn, as the real one lists nodes */
    bool order_stale;
    GHashTable *pods; /* key -> PodInfo; looked up only */
    GHashTable *classes_by_digest;
    GPtrArray *classes; /* all, in no order that matters */
    GTree *tables[TABLE_COUNT];
    uint64_t spreading_generation; /* services and controllers' selectors */
    uint64_t mutations; /* of pods on nodes: what cycles computed from counts is stale after one */
    GHashTable *claim_users;   /* Symbol -> number of pods on nodes */
    GHashTable *image_nodes;   /* Symbol -> number of nodes */
    GHashTable *volume_claims; /* volume name -> claim key: bindings under way (assumed) */
    uint32_t n_nominated;
    StaticFits *fits;
    TopologyIndex *topology;
} ClusterCache;

ClusterCache *cluster_cache_new(void);
void cluster_cache_free(ClusterCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClusterCache, cluster_cache_free)

/* ---- nodes ----------------------------------------------------------------------------------- */

NodeInfo *cluster_cache_find_node(const ClusterCache *cache,
                                  const char *name); /* also one without its object */
/* Adds or replaces; returns it. */
NodeInfo *cluster_cache_set_node(ClusterCache *cache, const Value *node);
void cluster_cache_remove_node(ClusterCache *cache, const char *name);
const GPtrArray *cluster_cache_order(ClusterCache *cache);

/* ---- pods ------------------------------------------------------------------------------------ */

/* Adds a pod or takes over its new version; where it runs follows spec.nodeName (an assumed pod
 * keeps its node until the real one is seen). */
PodInfo *cluster_cache_set_pod(ClusterCache *cache, const char *key, const Value *pod);
PodInfo *cluster_cache_find_pod(const ClusterCache *cache, const char *key);
void cluster_cache_remove_pod(ClusterCache *cache, PodInfo *pod); /* frees it */
void cluster_cache_assume(ClusterCache *cache, PodInfo *pod, NodeInfo *node);
void cluster_cache_forget(ClusterCache *cache, PodInfo *pod); /* undoes assume */
void cluster_cache_nominate(ClusterCache *cache, PodInfo *pod,
                            const char *node_name /* NULL or "": none */);
/* Puts a pod on a node and takes it off again, for dry runs too. */
void node_info_add_pod(ClusterCache *cache, NodeInfo *node, PodInfo *pod);
void node_info_remove_pod(ClusterCache *cache, PodInfo *pod);

/* ---- smaller objects ------------------------------------------------------------------------- */

void cluster_cache_put(ClusterCache *cache, CacheTable table, const char *key,
                       const Value *object /* NULL: gone */);
const Value *cluster_cache_get(const ClusterCache *cache, CacheTable table, const char *key);
/* Walks one namespace ("" for cluster-scoped kinds: everything) in key order, until func returns
 * false. */
void cluster_cache_each(const ClusterCache *cache, CacheTable table, const char *namespace_,
                        bool (*func)(const char *key, const Value *object, void *data), void *data);
int cluster_cache_claim_users(const ClusterCache *cache, Symbol claim);
int cluster_cache_image_nodes(const ClusterCache *cache, Symbol image);
/* What the sums of all nodes must say about their pods; asserts. For tests. */
void cluster_cache_check(ClusterCache *cache);
