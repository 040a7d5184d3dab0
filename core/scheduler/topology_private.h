/* Shared by topology.c and its check. */
#pragma once

#include "core/scheduler/cache.h"

struct TopologyIndex {
    ClusterCache *cache;
    int32_t slot_capacity;
    GPtrArray *topologies;
    GPtrArray *node_sets;
    GPtrArray *pod_sets; /* in order of creation */
    GHashTable *pod_sets_by_digest;
    GPtrArray *owned_terms;
    GHashTable *owned_by_digest;
    uint64_t uses;
};

bool pod_set_matches(const TopologyIndex *index, const PodSet *set, const PodClass *class_);
