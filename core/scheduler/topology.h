/* Counts of pods by topology domain, kept up to date with every pod that comes to or leaves a node,
 * so that inter-pod affinity and topology spreading cost a look-up a node instead of a walk over
 * all pods.
 *
 *   Topology    one label key: which domain (label value) each node is in
 *   PodSet      the pods some terms speak of: how many are on each node,
 *               and by domain one Counter for each topology and set of nodes
 *   OwnedTerm   a term that pods bring with them: how many such pods a domain has
 *
 * Sets and terms are found by the digest of their content. A PodSet nobody asked for lately is
 * dropped when there are too many; a term goes with the last class that owns it. */
#pragma once

#include "core/scheduler/pod_class.h"

struct NodeInfo;
struct PodInfo;

typedef struct Topology {
    Symbol key;
    int32_t *domain_of;  /* by node slot; -1: the node lacks the label (or is not there) */
    GHashTable *domains; /* Symbol of the value -> domain + 1 */
    int32_t n_domains, capacity;
} Topology;

/* Which nodes count for a spread constraint: those that match the pod's node affinity and taints
 * policies and bear all keys. */
typedef struct NodeSet {
    uint64_t digest;
    struct StaticFit *fit; /* NULL: neither policy applies */
    bool honor_affinity, honor_taints;
    uint32_t n_keys;
    Symbol *keys;
    uint8_t *eligible; /* by slot */
} NodeSet;

typedef struct Counter {
    Topology *topology;
    NodeSet *nodes;    /* NULL: all */
    int32_t *counts;   /* pods, by domain */
    int32_t *sizes;    /* nodes that count, by domain */
    int32_t n_present; /* domains with a node that counts */
    int64_t total;
} Counter;

typedef struct PodSet {
    uint64_t digest;
    uint32_t n_terms;
    PodTerm **terms; /* a pod must match all */
    bool ignore_deleting;
    int32_t *node_counts; /* by slot */
    GPtrArray *counters;
    uint64_t last_used;
} PodSet;

typedef enum { OWNED_ANTI, OWNED_AFFINITY, OWNED_PREFERRED, OWNED_PREFERRED_ANTI } OwnedKind;

typedef struct OwnedTerm {
    uint64_t digest;
    int refs; /* classes that own it */
    OwnedKind kind;
    PodTerm *term;
    Topology *topology;
    int32_t *counts; /* pods that own it, by domain */
    int64_t total;
} OwnedTerm;

typedef struct TopologyIndex TopologyIndex;

TopologyIndex *topology_index_new(struct ClusterCache *cache);
void topology_index_free(TopologyIndex *index);

PodSet *topology_pod_set(TopologyIndex *index, PodTerm *const *terms, uint32_t n_terms,
                         bool ignore_deleting);
Counter *topology_counter(TopologyIndex *index, PodSet *set, Symbol key, NodeSet *nodes);
/* keys: those the node must bear; class_ gives affinity and tolerations. NULL when every node
 * counts. */
NodeSet *topology_node_set(TopologyIndex *index, const PodClass *class_, bool honor_affinity,
                           bool honor_taints, const Symbol *keys, uint32_t n_keys);
Topology *topology_get(TopologyIndex *index, Symbol key);
bool topology_term_matches(const TopologyIndex *index, const PodTerm *term, const PodClass *class_);

static inline int32_t
topology_domain(const Topology *topology, int32_t slot)
{
    return topology->domain_of[slot];
}

/* Fewest pods of any domain that counts; 0 when there is none. */
int32_t counter_minimum(const Counter *counter);

/* ---- called by the cache --------------------------------------------------------------------- */

void topology_class_added(TopologyIndex *index, PodClass *class_);
void topology_class_removed(TopologyIndex *index, PodClass *class_);
void topology_pod_changed(TopologyIndex *index, const struct PodInfo *pod, int32_t delta);
/* Around a change of a node's labels, taints or presence. */
void topology_node_detach(TopologyIndex *index, struct NodeInfo *node);
void topology_node_attach(TopologyIndex *index, struct NodeInfo *node);
void topology_grow(TopologyIndex *index, int32_t slot_capacity);
/* A namespace's labels changed: whatever namespace selectors decided is forgotten. */
void topology_namespaces_changed(TopologyIndex *index);
/* Between cycles: drops what nobody uses when there is too much. */
void topology_trim(TopologyIndex *index);
void topology_check(TopologyIndex *index); /* counts against pods; asserts */
