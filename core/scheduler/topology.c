#include "core/scheduler/topology_private.h"

#include "core/api/meta.h"
#include "core/base/limits.h"
#include "core/scheduler/cache.h"

#include <string.h>

/* ---- topologies ------------------------------------------------------------------------------ */

static void
topology_free(void *data)
{
    Topology *topology = data;
    g_hash_table_destroy(topology->domains);
    g_free(topology->domain_of);
    g_free(topology);
}

static void *
grow_zeroed(void *array, size_t size, int32_t from, int32_t to)
{
    char *bytes = g_realloc(array, size * (size_t)to);
    memset(bytes + size * (size_t)from, 0, size * (size_t)(to - from));
    return bytes;
}

static void
topology_grow_domains(TopologyIndex *index, Topology *topology)
{
    int32_t from = topology->capacity, to = from * 2;
    for (guint i = 0; i < index->pod_sets->len; i++) {
        PodSet *set = index->pod_sets->pdata[i];
        for (guint c = 0; c < set->counters->len; c++) {
            Counter *counter = set->counters->pdata[c];
            if (counter->topology != topology)
                continue;
            counter->counts = grow_zeroed(counter->counts, sizeof(int32_t), from, to);
            counter->sizes = grow_zeroed(counter->sizes, sizeof(int32_t), from, to);
        }
    }
    for (guint i = 0; i < index->owned_terms->len; i++) {
        OwnedTerm *term = index->owned_terms->pdata[i];
        if (term->topology == topology)
            term->counts = grow_zeroed(term->counts, sizeof(int32_t), from, to);
    }
    topology->capacity = to;
}

static void
topology_place_node(TopologyIndex *index, Topology *topology, const NodeInfo *node)
{
    Symbol value = node->present ? labels_get(node->labels, topology->key) : 0;
    int32_t domain = -1;
    if (value != 0) {
        domain =
            GPOINTER_TO_INT(g_hash_table_lookup(topology->domains, GUINT_TO_POINTER(value))) - 1;
        if (domain < 0) {
            if (topology->n_domains == topology->capacity)
                topology_grow_domains(index, topology);
            domain = topology->n_domains++;
            g_hash_table_insert(topology->domains, GUINT_TO_POINTER(value),
                                GINT_TO_POINTER(domain + 1));
        }
    }
    topology->domain_of[node->slot] = domain;
}

Topology *
topology_get(TopologyIndex *index, Symbol key)
{
    for (guint i = 0; i < index->topologies->len; i++) {
        Topology *topology = index->topologies->pdata[i];
        if (topology->key == key)
            return topology;
    }
    Topology *topology = g_new0(Topology, 1);
    topology->key = key;
    topology->capacity = 16;
    topology->domains = g_hash_table_new(NULL, NULL);
    topology->domain_of = g_new(int32_t, MAX(index->slot_capacity, 1));
    memset(topology->domain_of, 0xff, sizeof(int32_t) * (size_t)MAX(index->slot_capacity, 1));
    g_ptr_array_add(index->topologies, topology);
    for (guint i = 0; i < index->cache->nodes->len; i++)
        if (index->cache->nodes->pdata[i] != NULL)
            topology_place_node(index, topology, index->cache->nodes->pdata[i]);
    return topology;
}

/* ---- sets of nodes --------------------------------------------------------------------------- */

static void
node_set_free(TopologyIndex *index, NodeSet *set)
{
    static_fit_release(index->cache->fits, set->fit);
    g_free(set->keys);
    g_free(set->eligible);
    g_free(set);
}

static void
node_set_place_node(TopologyIndex *index, NodeSet *set, const NodeInfo *node)
{
    bool eligible = node->present;
    for (uint32_t i = 0; eligible && i < set->n_keys; i++)
        eligible = labels_get(node->labels, set->keys[i]) != 0;
    if (eligible && set->fit != NULL) {
        unsigned failures = static_fit_verdict(index->cache->fits, set->fit, node)->failures;
        eligible = (failures & (set->honor_affinity ? FIT_AFFINITY : 0u)) == 0 &&
                   (failures & (set->honor_taints ? FIT_TAINT : 0u)) == 0;
    }
    set->eligible[node->slot] = eligible;
}

NodeSet *
topology_node_set(TopologyIndex *index, const PodClass *class_, bool honor_affinity,
                  bool honor_taints, const Symbol *keys, uint32_t n_keys)
{
    honor_affinity = honor_affinity && static_fit_has_affinity(class_->fit);
    bool by_fit = honor_affinity || honor_taints;
    if (!by_fit && n_keys == 0)
        return NULL;
    uint64_t digest = by_fit ? static_fit_digest(class_->fit) : 1;
    digest = digest_mix(digest, (uint64_t)honor_affinity * 2 + honor_taints);
    for (uint32_t i = 0; i < n_keys; i++)
        digest = digest_mix(digest, keys[i]);
    for (guint i = 0; i < index->node_sets->len; i++) {
        NodeSet *set = index->node_sets->pdata[i];
        if (set->digest == digest)
            return set;
    }
    NodeSet *set = g_new0(NodeSet, 1);
    set->digest = digest;
    set->honor_affinity = honor_affinity;
    set->honor_taints = honor_taints;
    set->fit = by_fit ? static_fit_get(index->cache->fits, class_) : NULL;
    set->n_keys = n_keys;
    set->keys = g_memdup2(keys, n_keys * sizeof(Symbol));
    set->eligible = g_new0(uint8_t, MAX(index->slot_capacity, 1));
    g_ptr_array_add(index->node_sets, set);
    for (guint i = 0; i < index->cache->nodes->len; i++)
        if (index->cache->nodes->pdata[i] != NULL)
            node_set_place_node(index, set, index->cache->nodes->pdata[i]);
    return set;
}

/* ---- counters -------------------------------------------------------------------------------- */

static void
counter_add(Counter *counter, int32_t slot, int32_t pods)
{
    int32_t domain = topology_domain(counter->topology, slot);
    if (domain < 0 || (counter->nodes != NULL && !counter->nodes->eligible[slot]))
        return;
    counter->counts[domain] += pods;
    counter->total += pods;
}

static void
counter_resize(Counter *counter, int32_t slot, int32_t delta)
{
    int32_t domain = topology_domain(counter->topology, slot);
    if (domain < 0 || (counter->nodes != NULL && !counter->nodes->eligible[slot]))
        return;
    counter->n_present -= counter->sizes[domain] > 0;
    counter->sizes[domain] += delta;
    counter->n_present += counter->sizes[domain] > 0;
}

Counter *
topology_counter(TopologyIndex *index, PodSet *set, Symbol key, NodeSet *nodes)
{
    for (guint i = 0; i < set->counters->len; i++) {
        Counter *counter = set->counters->pdata[i];
        if (counter->topology->key == key && counter->nodes == nodes)
            return counter;
    }
    Counter *counter = g_new0(Counter, 1);
    counter->topology = topology_get(index, key);
    counter->nodes = nodes;
    counter->counts = g_new0(int32_t, counter->topology->capacity);
    counter->sizes = g_new0(int32_t, counter->topology->capacity);
    g_ptr_array_add(set->counters, counter);
    for (guint slot = 0; slot < index->cache->nodes->len; slot++) {
        const NodeInfo *node = index->cache->nodes->pdata[slot];
        if (node == NULL || !node->present)
            continue;
        counter_resize(counter, node->slot, 1);
        counter_add(counter, node->slot, set->node_counts[slot]);
    }
    return counter;
}

int32_t
counter_minimum(const Counter *counter)
{
    int32_t minimum = INT32_MAX;
    for (int32_t i = 0; i < counter->topology->n_domains; i++) {
        int32_t count = counter->sizes[i] > 0 ? counter->counts[i] : INT32_MAX;
        minimum = MIN(minimum, count);
    }
    return minimum == INT32_MAX ? 0 : minimum;
}

/* ---- sets of pods ---------------------------------------------------------------------------- */

bool
topology_term_matches(const TopologyIndex *index, const PodTerm *term, const PodClass *class_)
{
    bool in_namespace = false;
    for (uint32_t i = 0; i < term->n_namespaces && !in_namespace; i++)
        in_namespace = term->namespaces[i] == class_->namespace_;
    if (!in_namespace && term->namespace_selector != NULL) {
        const char *name = symbols_text(index->cache->symbols, class_->namespace_);
        const Value *object = cluster_cache_get(index->cache, TABLE_NAMESPACES, name);
        g_autofree Labels *labels = labels_new(index->cache->symbols, object_labels(object));
        in_namespace = matcher_matches(term->namespace_selector, labels);
    }
    return in_namespace && matcher_matches(term->selector, class_->labels);
}

bool
pod_set_matches(const TopologyIndex *index, const PodSet *set, const PodClass *class_)
{
    for (uint32_t i = 0; i < set->n_terms; i++)
        if (!topology_term_matches(index, set->terms[i], class_))
            return false;
    return true;
}

static void
pod_set_free(PodSet *set)
{
    for (guint i = 0; i < set->counters->len; i++) {
        Counter *counter = set->counters->pdata[i];
        g_free(counter->counts);
        g_free(counter->sizes);
        g_free(counter);
    }
    g_ptr_array_free(set->counters, TRUE);
    for (uint32_t i = 0; i < set->n_terms; i++)
        pod_term_unref(set->terms[i]);
    g_free(set->terms);
    g_free(set->node_counts);
    g_free(set);
}

PodSet *
topology_pod_set(TopologyIndex *index, PodTerm *const *terms, uint32_t n_terms,
                 bool ignore_deleting)
{
    uint64_t digest = ignore_deleting ? 3 : 5;
    for (uint32_t i = 0; i < n_terms; i++)
        digest = digest_mix(digest, terms[i]->digest);
    PodSet *set = g_hash_table_lookup(index->pod_sets_by_digest, &digest);
    if (set == NULL) {
        set = g_new0(PodSet, 1);
        set->digest = digest;
        set->n_terms = n_terms;
        set->terms = g_new(PodTerm *, MAX(n_terms, 1));
        for (uint32_t i = 0; i < n_terms; i++)
            set->terms[i] = pod_term_ref(terms[i]);
        set->ignore_deleting = ignore_deleting;
        set->node_counts = g_new0(int32_t, MAX(index->slot_capacity, 1));
        set->counters = g_ptr_array_new();
        g_ptr_array_add(index->pod_sets, set);
        g_hash_table_insert(index->pod_sets_by_digest, &set->digest, set);
        for (guint i = 0; i < index->cache->classes->len; i++) {
            PodClass *class_ = index->cache->classes->pdata[i];
            if (!pod_set_matches(index, set, class_))
                continue;
            g_ptr_array_add(class_->pod_sets, set);
            for (const PodInfo *pod = class_->pods; pod != NULL; pod = pod->class_next)
                set->node_counts[pod->node->slot] += !(ignore_deleting && pod->deleting);
        }
    }
    set->last_used = ++index->uses;
    return set;
}

/* ---- terms that pods own --------------------------------------------------------------------- */

static OwnedTerm *
owned_term_get(TopologyIndex *index, PodTerm *term, OwnedKind kind)
{
    uint64_t digest = digest_mix(term->digest, ((uint64_t)kind << 32) | term->topology_key);
    digest = digest_mix(digest, (uint64_t)(uint32_t)term->weight);
    OwnedTerm *owned = g_hash_table_lookup(index->owned_by_digest, &digest);
    if (owned == NULL) {
        owned = g_new0(OwnedTerm, 1);
        owned->digest = digest;
        owned->kind = kind;
        owned->term = pod_term_ref(term);
        owned->topology = topology_get(index, term->topology_key);
        owned->counts = g_new0(int32_t, owned->topology->capacity);
        g_ptr_array_add(index->owned_terms, owned);
        g_hash_table_insert(index->owned_by_digest, &owned->digest, owned);
        for (guint i = 0; i < index->cache->classes->len; i++) {
            PodClass *class_ = index->cache->classes->pdata[i];
            if (topology_term_matches(index, term, class_))
                g_ptr_array_add(class_->matched_terms, owned);
        }
    }
    owned->refs++;
    return owned;
}

static void
owned_term_free(OwnedTerm *owned)
{
    pod_term_unref(owned->term);
    g_free(owned->counts);
    g_free(owned);
}

static void
owned_term_release(TopologyIndex *index, OwnedTerm *owned)
{
    if (--owned->refs > 0)
        return;
    for (guint i = 0; i < index->cache->classes->len; i++) {
        PodClass *class_ = index->cache->classes->pdata[i];
        g_ptr_array_remove(class_->matched_terms, owned);
    }
    g_hash_table_remove(index->owned_by_digest, &owned->digest);
    g_ptr_array_remove(index->owned_terms, owned);
    owned_term_free(owned);
}

static void
class_own(TopologyIndex *index, PodClass *class_, const PodTerms *terms, OwnedKind kind)
{
    for (uint32_t i = 0; i < terms->n; i++)
        g_ptr_array_add(class_->owned_terms, owned_term_get(index, terms->items[i], kind));
}

static void
class_match(TopologyIndex *index, PodClass *class_)
{
    for (guint i = 0; i < index->pod_sets->len; i++)
        if (pod_set_matches(index, index->pod_sets->pdata[i], class_))
            g_ptr_array_add(class_->pod_sets, index->pod_sets->pdata[i]);
    for (guint i = 0; i < index->owned_terms->len; i++) {
        OwnedTerm *owned = index->owned_terms->pdata[i];
        if (topology_term_matches(index, owned->term, class_))
            g_ptr_array_add(class_->matched_terms, owned);
    }
}

/* Called when the class is in cache->classes already: a new term finds it there. */
void
topology_class_added(TopologyIndex *index, PodClass *class_)
{
    class_match(index, class_);
    class_own(index, class_, &class_->required_anti_affinity, OWNED_ANTI);
    class_own(index, class_, &class_->required_affinity, OWNED_AFFINITY);
    class_own(index, class_, &class_->preferred_affinity, OWNED_PREFERRED);
    class_own(index, class_, &class_->preferred_anti_affinity, OWNED_PREFERRED_ANTI);
}

void
topology_class_removed(TopologyIndex *index, PodClass *class_)
{
    for (guint i = 0; i < class_->owned_terms->len; i++)
        owned_term_release(index, class_->owned_terms->pdata[i]);
    g_ptr_array_set_size(class_->owned_terms, 0);
}

/* ---- changes --------------------------------------------------------------------------------- */

void
topology_pod_changed(TopologyIndex *index, const PodInfo *pod, int32_t delta)
{
    int32_t slot = pod->node->slot;
    const PodClass *class_ = pod->class_;
    for (guint i = 0; i < class_->pod_sets->len; i++) {
        PodSet *set = class_->pod_sets->pdata[i];
        if (set->ignore_deleting && pod->deleting)
            continue;
        set->node_counts[slot] += delta;
        for (guint c = 0; c < set->counters->len; c++)
            counter_add(set->counters->pdata[c], slot, delta);
    }
    for (guint i = 0; i < class_->owned_terms->len; i++) {
        OwnedTerm *owned = class_->owned_terms->pdata[i];
        int32_t domain = topology_domain(owned->topology, slot);
        if (domain < 0)
            continue;
        owned->counts[domain] += delta;
        owned->total += delta;
    }
}

static void
node_count_all(TopologyIndex *index, const NodeInfo *node, int32_t sign)
{
    for (guint i = 0; i < index->pod_sets->len; i++) {
        PodSet *set = index->pod_sets->pdata[i];
        for (guint c = 0; c < set->counters->len; c++) {
            counter_resize(set->counters->pdata[c], node->slot, sign);
            counter_add(set->counters->pdata[c], node->slot, sign * set->node_counts[node->slot]);
        }
    }
    for (uint32_t p = 0; p < node->n_pods; p++) {
        const PodClass *class_ = node->pods[p]->class_;
        for (guint i = 0; i < class_->owned_terms->len; i++) {
            OwnedTerm *owned = class_->owned_terms->pdata[i];
            int32_t domain = topology_domain(owned->topology, node->slot);
            if (domain < 0)
                continue;
            owned->counts[domain] += sign;
            owned->total += sign;
        }
    }
}

void
topology_node_detach(TopologyIndex *index, NodeInfo *node)
{
    node_count_all(index, node, -1);
}

void
topology_node_attach(TopologyIndex *index, NodeInfo *node)
{
    for (guint i = 0; i < index->topologies->len; i++)
        topology_place_node(index, index->topologies->pdata[i], node);
    for (guint i = 0; i < index->node_sets->len; i++)
        node_set_place_node(index, index->node_sets->pdata[i], node);
    node_count_all(index, node, 1);
}

void
topology_grow(TopologyIndex *index, int32_t slot_capacity)
{
    int32_t from = index->slot_capacity;
    for (guint i = 0; i < index->topologies->len; i++) {
        Topology *topology = index->topologies->pdata[i];
        topology->domain_of = g_renew(int32_t, topology->domain_of, slot_capacity);
        memset(topology->domain_of + from, 0xff, sizeof(int32_t) * (size_t)(slot_capacity - from));
    }
    for (guint i = 0; i < index->node_sets->len; i++) {
        NodeSet *set = index->node_sets->pdata[i];
        set->eligible = grow_zeroed(set->eligible, 1, from, slot_capacity);
    }
    for (guint i = 0; i < index->pod_sets->len; i++) {
        PodSet *set = index->pod_sets->pdata[i];
        set->node_counts = grow_zeroed(set->node_counts, sizeof(int32_t), from, slot_capacity);
    }
    index->slot_capacity = slot_capacity;
}

/* ---- forgetting ------------------------------------------------------------------------------ */

static void
drop_pod_sets(TopologyIndex *index, uint64_t used_before)
{
    for (guint i = 0; i < index->cache->classes->len; i++) {
        GPtrArray *sets = ((PodClass *)index->cache->classes->pdata[i])->pod_sets;
        guint kept = 0;
        for (guint s = 0; s < sets->len; s++)
            if (((PodSet *)sets->pdata[s])->last_used >= used_before)
                sets->pdata[kept++] = sets->pdata[s];
        g_ptr_array_set_size(sets, (gint)kept);
    }
    guint kept = 0;
    for (guint i = 0; i < index->pod_sets->len; i++) {
        PodSet *set = index->pod_sets->pdata[i];
        if (set->last_used >= used_before) {
            index->pod_sets->pdata[kept++] = set;
            continue;
        }
        g_hash_table_remove(index->pod_sets_by_digest, &set->digest);
        pod_set_free(set);
    }
    g_ptr_array_set_size(index->pod_sets, (gint)kept);
}

static int
use_compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

void
topology_trim(TopologyIndex *index)
{
    if (index->node_sets->len > SCHEDULER_NODE_SETS_MAX) { /* counters point to them: all go, and
                                                              come again as they are asked for */
        drop_pod_sets(index, UINT64_MAX);
        for (guint i = 0; i < index->node_sets->len; i++)
            node_set_free(index, index->node_sets->pdata[i]);
        g_ptr_array_set_size(index->node_sets, 0);
    }
    guint n = index->pod_sets->len;
    if (n <= SCHEDULER_POD_SETS_MAX)
        return;
    g_autofree uint64_t *uses = g_new(uint64_t, n);
    for (guint i = 0; i < n; i++)
        uses[i] = ((PodSet *)index->pod_sets->pdata[i])->last_used;
    qsort(uses, n, sizeof uses[0], use_compare);
    drop_pod_sets(index, uses[n - SCHEDULER_POD_SETS_MAX / 2]); /* the half used last stays */
}

void
topology_namespaces_changed(TopologyIndex *index)
{
    drop_pod_sets(index, UINT64_MAX);
    for (guint i = 0; i < index->cache->classes->len; i++) {
        PodClass *class_ = index->cache->classes->pdata[i];
        g_ptr_array_set_size(class_->matched_terms, 0);
        class_match(index, class_);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

TopologyIndex *
topology_index_new(ClusterCache *cache)
{
    TopologyIndex *index = g_new0(TopologyIndex, 1);
    index->cache = cache;
    index->topologies = g_ptr_array_new_with_free_func(topology_free);
    index->node_sets = g_ptr_array_new();
    index->pod_sets = g_ptr_array_new();
    index->pod_sets_by_digest = g_hash_table_new(g_int64_hash, g_int64_equal);
    index->owned_terms = g_ptr_array_new();
    index->owned_by_digest = g_hash_table_new(g_int64_hash, g_int64_equal);
    return index;
}

void
topology_index_free(TopologyIndex *index)
{
    if (index == NULL)
        return;
    drop_pod_sets(index, UINT64_MAX);
    for (guint i = 0; i < index->owned_terms->len; i++)
        owned_term_free(index->owned_terms->pdata[i]);
    for (guint i = 0; i < index->node_sets->len; i++)
        node_set_free(index, index->node_sets->pdata[i]);
    g_ptr_array_free(index->owned_terms, TRUE);
    g_ptr_array_free(index->node_sets, TRUE);
    g_ptr_array_free(index->pod_sets, TRUE);
    g_ptr_array_free(index->topologies, TRUE);
    g_hash_table_destroy(index->pod_sets_by_digest);
    g_hash_table_destroy(index->owned_by_digest);
    g_free(index);
}
