/* Pods of one template are one PodClass: all that the scheduler wants to know of a pod apart from
 * its identity, digested once. Two pods have the same class when the digest of those fields is the
 * same. */
#pragma once

#include "core/scheduler/matcher.h"

struct ClusterCache;
struct PodInfo;
struct StaticFit;

/* Which pods a (anti-)affinity term or a spread constraint speaks of. Counted references. */
typedef struct PodTerm {
    int refs;
    Symbol topology_key;
    int32_t weight; /* of a preferred term; else 0 */
    uint32_t n_namespaces;
    Symbol *namespaces;
    Matcher *namespace_selector; /* NULL: none */
    Matcher *selector;
    uint64_t digest; /* of namespaces and selectors */
} PodTerm;

PodTerm *pod_term_ref(PodTerm *term);
void pod_term_unref(PodTerm *term);
/* Only pods of one namespace; takes the matcher. */
PodTerm *pod_term_new_simple(Symbol namespace_, Matcher *take);

typedef struct PodTerms {
    uint32_t n;
    PodTerm **items;
} PodTerms;

typedef struct SpreadConstraint {
    Symbol topology_key;
    int32_t max_skew;
    int32_t min_domains;
    bool hard; /* DoNotSchedule */
    bool honor_affinity, honor_taints;
    bool self_match; /* the pod itself matches the selector */
    PodTerm *term;
} SpreadConstraint;

typedef struct HostPort {
    Symbol protocol, ip; /* ip: the symbol of "0.0.0.0" when none */
    int32_t port;
} HostPort;

typedef struct ScalarAmount {
    Symbol name;
    int64_t amount;
} ScalarAmount;

typedef struct PodClass {
    uint64_t digest;
    uint32_t n_users; /* pods that hold it */
    uint32_t index;   /* in the cache's list */
    Value *sample;    /* one pod of it */
    Symbol namespace_, scheduler_name;
    Labels *labels;
    int64_t priority;
    bool preempts_never;

    int64_t milli_cpu, memory, ephemeral_storage;
    int64_t nonzero_cpu,
        nonzero_memory; /* with 100m and 200Mi where a container asks for none: for scores */
    uint32_t n_scalars;
    ScalarAmount *scalars;

    uint32_t n_ports, n_images, n_claims, n_constraints, n_node_names;
    uint32_t n_containers;
    HostPort *ports;
    Symbol *images; /* normalised names, one a container that has one; init containers too */
    Symbol *claims; /* "namespace/name" of PersistentVolumeClaims */
    bool *claim_is_ephemeral;
    SpreadConstraint *constraints;
    bool limited_to_names; /* node affinity leaves only nodes by name; none when terms conflict */
    Symbol *node_names;    /* sorted by text */
    PodTerms required_affinity, required_anti_affinity, preferred_affinity, preferred_anti_affinity;
    struct StaticFit *fit; /* node selector, node affinity and tolerations against nodes */

    /* System default spreading: the selector of the pod's services and controller; see
     * plugins/pod_topology_spread.c. */
    uint64_t default_generation;
    PodTerm *default_term; /* NULL: nothing selects it */

    /* Indexes; see topology.h. */
    struct PodInfo *pods;     /* those on nodes */
    GPtrArray *pod_sets;      /* PodSet: that count pods of this class */
    GPtrArray *owned_terms;   /* OwnedTerm: that pods of this class bring to a node */
    GPtrArray *matched_terms; /* OwnedTerm: of any pods, that speak of this class */
} PodClass;

/* The digest of what makes a class. */
uint64_t pod_class_digest(const Value *pod);
/* Without its indexes and StaticFit; pod_class_free frees those that were set. */
PodClass *pod_class_new(Symbols *symbols, const Value *pod, uint64_t digest);
void pod_class_free(PodClass *class_);
