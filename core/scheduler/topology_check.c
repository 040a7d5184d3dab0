/* The counts of topology.c against the pods themselves: what each set and term would count anew
 * must be what it has counted. */
#include "core/scheduler/topology_private.h"

static void
check_counter(const TopologyIndex *index, const PodSet *set, const Counter *counter)
{
    const Topology *topology = counter->topology;
    g_autofree int32_t *counts = g_new0(int32_t, topology->n_domains + 1);
    g_autofree int32_t *sizes = g_new0(int32_t, topology->n_domains + 1);
    int64_t total = 0;
    int32_t present = 0;
    for (guint slot = 0; slot < index->cache->nodes->len; slot++) {
        const NodeInfo *node = index->cache->nodes->pdata[slot];
        if (node == NULL || !node->present || topology->domain_of[slot] < 0 ||
            (counter->nodes != NULL && !counter->nodes->eligible[slot]))
            continue;
        counts[topology->domain_of[slot]] += set->node_counts[slot];
        sizes[topology->domain_of[slot]]++;
        total += set->node_counts[slot];
    }
    for (int32_t d = 0; d < topology->n_domains; d++) {
        g_assert(counts[d] == counter->counts[d] && sizes[d] == counter->sizes[d]);
        present += sizes[d] > 0;
    }
    g_assert(total == counter->total && present == counter->n_present);
}

static void
check_pod_set(const TopologyIndex *index, const PodSet *set)
{
    for (guint slot = 0; slot < index->cache->nodes->len; slot++) {
        const NodeInfo *node = index->cache->nodes->pdata[slot];
        int32_t count = 0;
        for (uint32_t p = 0; node != NULL && p < node->n_pods; p++)
            count += pod_set_matches(index, set, node->pods[p]->class_) &&
                     !(set->ignore_deleting && node->pods[p]->deleting);
        g_assert(count == set->node_counts[slot]);
    }
    for (guint c = 0; c < set->counters->len; c++)
        check_counter(index, set, set->counters->pdata[c]);
}

static void
check_owned_term(const TopologyIndex *index, const OwnedTerm *owned)
{
    g_autofree int32_t *counts = g_new0(int32_t, owned->topology->n_domains + 1);
    for (guint slot = 0; slot < index->cache->nodes->len; slot++) {
        const NodeInfo *node = index->cache->nodes->pdata[slot];
        int32_t domain = owned->topology->domain_of[slot];
        for (uint32_t p = 0; node != NULL && domain >= 0 && p < node->n_pods; p++) {
            const GPtrArray *terms = node->pods[p]->class_->owned_terms;
            for (guint t = 0; t < terms->len; t++)
                counts[domain] += terms->pdata[t] == owned;
        }
    }
    for (int32_t d = 0; d < owned->topology->n_domains; d++)
        g_assert(counts[d] == owned->counts[d]);
}

/* What a class was matched with when it or the set came must still be what matches. */
static void
check_class(const TopologyIndex *index, const PodClass *class_)
{
    guint sets = 0, terms = 0;
    for (guint i = 0; i < index->pod_sets->len; i++)
        sets += pod_set_matches(index, index->pod_sets->pdata[i], class_);
    for (guint i = 0; i < index->owned_terms->len; i++) {
        const OwnedTerm *owned = index->owned_terms->pdata[i];
        terms += topology_term_matches(index, owned->term, class_);
    }
    g_assert(sets == class_->pod_sets->len && terms == class_->matched_terms->len);
}

void
topology_check(TopologyIndex *index)
{
    for (guint i = 0; i < index->pod_sets->len; i++)
        check_pod_set(index, index->pod_sets->pdata[i]);
    for (guint i = 0; i < index->owned_terms->len; i++)
        check_owned_term(index, index->owned_terms->pdata[i]);
    for (guint i = 0; i < index->cache->classes->len; i++)
        check_class(index, index->cache->classes->pdata[i]);
}
