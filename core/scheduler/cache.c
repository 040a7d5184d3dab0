#include "core/scheduler/cache.h"

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/scheduler/node_info.h"

#include <string.h>

typedef struct CacheZone {
    char *name;
    GPtrArray *nodes; /* in order of arrival */
} CacheZone;

static void
zone_free(void *data)
{
    CacheZone *zone = data;
    g_free(zone->name);
    g_ptr_array_free(zone->nodes, TRUE);
    g_free(zone);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void
intern_reasons(Symbols *symbols)
{
    static const char *const texts[REASON_COUNT] = {
        [REASON_UNSCHEDULABLE] = "node(s) were unschedulable",
        [REASON_NODE_NAME] = "node(s) didn't match the requested node name",
        [REASON_TAINT] = "node(s) had untolerated taint(s)",
        [REASON_NODE_AFFINITY] = "node(s) didn't match Pod's node affinity/selector",
        [REASON_AFFINITY_CONFLICT] = "pod affinity terms conflict",
        [REASON_PORTS] = "node(s) didn't have free ports for the requested pod ports",
        [REASON_TOO_MANY_PODS] = "Too many pods",
        [REASON_CPU] = "Insufficient cpu",
        [REASON_MEMORY] = "Insufficient memory",
        [REASON_EPHEMERAL_STORAGE] = "Insufficient ephemeral-storage",
        [REASON_READ_WRITE_ONCE_POD] =
            "node has pod using PersistentVolumeClaim with the same name and "
            "ReadWriteOncePod access mode",
        [REASON_UNBOUND_IMMEDIATE] = "pod has unbound immediate PersistentVolumeClaims",
        [REASON_VOLUME_NODE_AFFINITY] = "node(s) didn't match PersistentVolume's node affinity",
        [REASON_VOLUME_BIND_CONFLICT] = "node(s) didn't find available persistent volumes to bind",
        [REASON_VOLUME_MISSING] =
            "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
        [REASON_VOLUME_COUNT] = "node(s) exceed max volume count",
        [REASON_VOLUME_ZONE] = "node(s) had no available volume zone",
        [REASON_SPREAD] = "node(s) didn't match pod topology spread constraints",
        [REASON_SPREAD_LABEL] =
            "node(s) didn't match pod topology spread constraints (missing required label)",
        [REASON_AFFINITY] = "node(s) didn't match pod affinity rules",
        [REASON_ANTI_AFFINITY] = "node(s) didn't match pod anti-affinity rules",
        [REASON_EXISTING_ANTI_AFFINITY] =
            "node(s) didn't satisfy existing pods anti-affinity rules",
        [REASON_NOT_SATISFIED] = "node(s) didn't satisfy plugin(s) [NodeAffinity]",
        [REASON_NO_VICTIMS] = "No preemption victims found for incoming pod",
        [REASON_PREEMPTION_USELESS] = "Preemption is not helpful for scheduling",
        [REASON_HOSTNAME_KEY] = "kubernetes.io/hostname",
        [REASON_ZONE_KEY] = "topology.kubernetes.io/zone",
        [REASON_ANY_IP] = "0.0.0.0",
    };
    for (Symbol i = 1; i < REASON_COUNT; i++) {
        Symbol symbol = symbols_intern(symbols, texts[i]);
        g_assert(symbol == i);
    }
}

static int
key_compare(const void *a, const void *b, void *data)
{
    return strcmp(a, b);
}

ClusterCache *
cluster_cache_new(void)
{
    ClusterCache *cache = g_new0(ClusterCache, 1);
    cache->symbols = symbols_new();
    intern_reasons(cache->symbols);
    cache->nodes = g_ptr_array_new();
    cache->free_slots = g_array_new(FALSE, FALSE, sizeof(int32_t));
    cache->nodes_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    cache->zones = g_ptr_array_new_with_free_func(zone_free);
    cache->order = g_ptr_array_new();
    cache->pods = g_hash_table_new(g_str_hash, g_str_equal);
    cache->classes_by_digest = g_hash_table_new(g_int64_hash, g_int64_equal);
    cache->classes = g_ptr_array_new();
    for (int i = 0; i < TABLE_COUNT; i++)
        cache->tables[i] = g_tree_new_full(key_compare, NULL, g_free, (GDestroyNotify)value_unref);
    cache->claim_users = g_hash_table_new(NULL, NULL);
    cache->image_nodes = g_hash_table_new(NULL, NULL);
    cache->volume_claims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    cache->fits = static_fits_new();
    cache->topology = topology_index_new(cache);
    cache->spreading_generation = 1;
    return cache;
}

static void
pod_info_free(PodInfo *pod)
{
    g_free(pod->key);
    value_unref(pod->pod);
    g_free(pod);
}

void
cluster_cache_free(ClusterCache *cache)
{
    if (cache == NULL)
        return;
    GHashTableIter iter;
    gpointer pod;
    g_hash_table_iter_init(&iter, cache->pods);
    while (g_hash_table_iter_next(&iter, NULL, &pod))
        pod_info_free(pod);
    topology_index_free(cache->topology);
    for (guint i = 0; i < cache->classes->len; i++) {
        PodClass *class_ = cache->classes->pdata[i];
        static_fit_release(cache->fits, class_->fit);
        pod_class_free(class_);
    }
    for (guint i = 0; i < cache->nodes->len; i++)
        node_info_free(cache->nodes->pdata[i]);
    static_fits_free(cache->fits);
    g_ptr_array_free(cache->classes, TRUE);
    g_ptr_array_free(cache->nodes, TRUE);
    g_array_free(cache->free_slots, TRUE);
    g_hash_table_destroy(cache->nodes_by_name);
    g_ptr_array_free(cache->zones, TRUE);
    g_ptr_array_free(cache->order, TRUE);
    g_hash_table_destroy(cache->pods);
    g_hash_table_destroy(cache->classes_by_digest);
    for (int i = 0; i < TABLE_COUNT; i++)
        g_tree_destroy(cache->tables[i]);
    g_hash_table_destroy(cache->claim_users);
    g_hash_table_destroy(cache->image_nodes);
    g_hash_table_destroy(cache->volume_claims);
    symbols_free(cache->symbols);
    g_free(cache);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

NodeInfo *
cluster_cache_find_node(const ClusterCache *cache, const char *name)
{
    return g_hash_table_lookup(cache->nodes_by_name, name);
}

static NodeInfo *
node_make(ClusterCache *cache, const char *name)
{
    NodeInfo *node = cluster_cache_find_node(cache, name);
    if (node != NULL)
        return node;
    node = g_new0(NodeInfo, 1);
    node->name_symbol = symbols_intern(cache->symbols, name);
    node->name = symbols_text(cache->symbols, node->name_symbol);
    node->labels = labels_new(cache->symbols, NULL);
    if (cache->free_slots->len > 0) {
        node->slot = g_array_index(cache->free_slots, int32_t, cache->free_slots->len - 1);
        g_array_set_size(cache->free_slots, cache->free_slots->len - 1);
        cache->nodes->pdata[node->slot] = node;
    } else {
        node->slot = (int32_t)cache->nodes->len;
        if (node->slot >= cache->slot_capacity) {
            cache->slot_capacity = MAX(64, cache->slot_capacity * 2);
            static_fits_grow(cache->fits, cache->slot_capacity);
            topology_grow(cache->topology, cache->slot_capacity);
        }
        g_ptr_array_add(cache->nodes, node);
    }
    node->static_generation =
        (uint32_t)++cache->mutations; /* a reused slot's old verdicts never fit */
    g_hash_table_insert(cache->nodes_by_name, (gpointer)node->name, node);
    return node;
}

/* Nodes that are neither there nor hold pods or nominations are forgotten. */
static void
node_drop_if_unused(ClusterCache *cache, NodeInfo *node)
{
    if (node->present || node->n_pods > 0 || (node->nominated != NULL && node->nominated->len > 0))
        return;
    topology_node_attach(cache->topology, node); /* leaves its domains */
    g_hash_table_remove(cache->nodes_by_name, node->name);
    cache->nodes->pdata[node->slot] = NULL;
    g_array_append_val(cache->free_slots, node->slot);
    node_info_free(node);
}

static char *
node_zone(const Value *node)
{
    const char *region = object_label(node, "topology.kubernetes.io/region");
    const char *zone = object_label(node, "topology.kubernetes.io/zone");
    return g_strdup_printf("%s:\x01:%s", region != NULL ? region : "", zone != NULL ? zone : "");
}

static void
zone_leave(ClusterCache *cache, NodeInfo *node)
{
    for (guint i = 0; i < cache->zones->len; i++) {
        CacheZone *zone = cache->zones->pdata[i];
        if (!g_ptr_array_remove(zone->nodes, node))
            continue;
        if (zone->nodes->len == 0)
            g_ptr_array_remove_index(cache->zones, i);
        break;
    }
    g_clear_pointer(&node->zone, g_free);
    cache->order_stale = true;
}

static void
zone_join(ClusterCache *cache, NodeInfo *node, char *take_zone)
{
    CacheZone *zone = NULL;
    for (guint i = 0; i < cache->zones->len && zone == NULL; i++)
        if (strcmp(((CacheZone *)cache->zones->pdata[i])->name, take_zone) == 0)
            zone = cache->zones->pdata[i];
    if (zone == NULL) {
        zone = g_new0(CacheZone, 1);
        zone->name = g_strdup(take_zone);
        zone->nodes = g_ptr_array_new();
        g_ptr_array_add(cache->zones, zone);
    }
    g_ptr_array_add(zone->nodes, node);
    node->zone = take_zone;
    cache->order_stale = true;
}

static bool
node_static_differs(const Value *a, const Value *b)
{
    return !value_equal(object_labels(a), object_labels(b)) ||
           !value_equal(value_at(a, "spec.taints"), value_at(b, "spec.taints")) ||
           value_bool_at(a, "spec.unschedulable") != value_bool_at(b, "spec.unschedulable");
}

NodeInfo *
cluster_cache_set_node(ClusterCache *cache, const Value *object)
{
    NodeInfo *node = node_make(cache, object_name(object));
    bool differs = !node->present || node_static_differs(node->node, object);
    if (differs && node->present)
        topology_node_detach(cache->topology, node);
    node_info_read(cache, node, object);
    if (!differs)
        return node;
    node->present = true;
    node->static_generation = (uint32_t)++cache->mutations;
    char *zone = node_zone(object);
    if (node->zone == NULL || strcmp(zone, node->zone) != 0) {
        zone_leave(cache, node);
        zone_join(cache, node, zone);
    } else {
        g_free(zone);
    }
    topology_node_attach(cache->topology, node);
    return node;
}

void
cluster_cache_remove_node(ClusterCache *cache, const char *name)
{
    NodeInfo *node = cluster_cache_find_node(cache, name);
    if (node == NULL || !node->present)
        return;
    topology_node_detach(cache->topology, node);
    node->present = false;
    node->static_generation = (uint32_t)++cache->mutations;
    zone_leave(cache, node);
    node_info_read(cache, node, NULL);
    topology_node_attach(cache->topology, node);
    node_drop_if_unused(cache, node);
}

const GPtrArray *
cluster_cache_order(ClusterCache *cache)
{
    if (!cache->order_stale)
        return cache->order;
    g_ptr_array_set_size(cache->order, 0);
    bool more = true;
    for (guint round = 0; more; round++) {
        more = false;
        for (guint i = 0; i < cache->zones->len; i++) {
            const CacheZone *zone = cache->zones->pdata[i];
            if (round < zone->nodes->len)
                g_ptr_array_add(cache->order, zone->nodes->pdata[round]);
            more |= round + 1 < zone->nodes->len;
        }
    }
    cache->order_stale = false;
    return cache->order;
}

/* ---- pods ------------------------------------------------------------------------------------ */

static PodClass *
class_take(ClusterCache *cache, const Value *pod)
{
    uint64_t digest = pod_class_digest(pod);
    PodClass *class_ = g_hash_table_lookup(cache->classes_by_digest, &digest);
    if (class_ == NULL) {
        class_ = pod_class_new(cache->symbols, pod, digest);
        class_->fit = static_fit_get(cache->fits, class_);
        g_hash_table_insert(cache->classes_by_digest, &class_->digest, class_);
        class_->index = cache->classes->len;
        g_ptr_array_add(cache->classes, class_);
        topology_class_added(cache->topology, class_);
    }
    class_->n_users++;
    return class_;
}

static void
class_drop(ClusterCache *cache, PodClass *class_)
{
    if (--class_->n_users > 0)
        return;
    g_hash_table_remove(cache->classes_by_digest, &class_->digest);
    g_ptr_array_remove_index_fast(cache->classes, class_->index);
    if (class_->index < cache->classes->len)
        ((PodClass *)cache->classes->pdata[class_->index])->index = class_->index;
    topology_class_removed(cache->topology, class_);
    static_fit_release(cache->fits, class_->fit);
    pod_class_free(class_);
}

PodInfo *
cluster_cache_find_pod(const ClusterCache *cache, const char *key)
{
    return g_hash_table_lookup(cache->pods, key);
}

static void
pod_leave_node(ClusterCache *cache, PodInfo *pod)
{
    NodeInfo *node = pod->node;
    if (node == NULL)
        return;
    node_info_remove_pod(cache, pod);
    pod->assumed = false;
    node_drop_if_unused(cache, node);
}

PodInfo *
cluster_cache_set_pod(ClusterCache *cache, const char *key, const Value *object)
{
    PodInfo *pod = cluster_cache_find_pod(cache, key);
    const char *node_name = pod_node_name(object);
    if (pod == NULL) {
        pod = g_new0(PodInfo, 1);
        pod->key = g_strdup(key);
        pod->class_ = class_take(cache, object);
        pod->deleting = object_is_deleting(object);
        g_hash_table_insert(cache->pods, pod->key, pod);
    } else if (pod->class_->digest != pod_class_digest(object) ||
               pod->deleting != object_is_deleting(object)) {
        NodeInfo *node = pod->node;
        PodClass *before = pod->class_;
        if (node != NULL)
            node_info_remove_pod(cache, pod);
        pod->class_ = class_take(cache, object);
        class_drop(cache, before);
        pod->deleting = object_is_deleting(object);
        if (node != NULL)
            node_info_add_pod(cache, node, pod);
    }
    value_replace(&pod->pod, value_ref(object));
    if (*node_name == '\0')
        return pod;
    pod->assumed = false;
    if (pod->node == NULL || strcmp(pod->node->name, node_name) != 0) {
        pod_leave_node(cache, pod);
        node_info_add_pod(cache, node_make(cache, node_name), pod);
    }
    return pod;
}

void
cluster_cache_remove_pod(ClusterCache *cache, PodInfo *pod)
{
    cluster_cache_nominate(cache, pod, NULL);
    pod_leave_node(cache, pod);
    g_hash_table_remove(cache->pods, pod->key);
    class_drop(cache, pod->class_);
    pod_info_free(pod);
}

void
cluster_cache_assume(ClusterCache *cache, PodInfo *pod, NodeInfo *node)
{
    node_info_add_pod(cache, node, pod);
    pod->assumed = true;
}

void
cluster_cache_forget(ClusterCache *cache, PodInfo *pod)
{
    if (pod->assumed)
        pod_leave_node(cache, pod);
}

void
cluster_cache_nominate(ClusterCache *cache, PodInfo *pod, const char *node_name)
{
    NodeInfo *before = pod->nominated;
    NodeInfo *node = node_name != NULL && *node_name != '\0' ? node_make(cache, node_name) : NULL;
    if (node == before)
        return;
    pod->nominated = node;
    if (node != NULL) {
        if (node->nominated == NULL)
            node->nominated = g_ptr_array_new();
        g_ptr_array_add(node->nominated, pod);
        cache->n_nominated++;
    }
    if (before != NULL) {
        g_ptr_array_remove(before->nominated, pod);
        cache->n_nominated--;
        node_drop_if_unused(cache, before);
    }
}

/* ---- smaller objects ------------------------------------------------------------------------- */

static bool
selectors_differ(CacheTable table, const Value *a, const Value *b)
{
    if (table < TABLE_SERVICES || table > TABLE_STATEFUL_SETS)
        return false;
    return a == NULL || b == NULL ||
           !value_equal(value_at(a, "spec.selector"), value_at(b, "spec.selector"));
}

void
cluster_cache_put(ClusterCache *cache, CacheTable table, const char *key, const Value *object)
{
    const Value *before = cluster_cache_get(cache, table, key);
    bool labels_differ =
        table == TABLE_NAMESPACES && !value_equal(object_labels(before), object_labels(object));
    if (selectors_differ(table, before, object))
        cache->spreading_generation++;
    if (object != NULL)
        g_tree_replace(cache->tables[table], g_strdup(key), value_ref(object));
    else
        g_tree_remove(cache->tables[table], key);
    if (labels_differ)
        topology_namespaces_changed(cache->topology);
}

const Value *
cluster_cache_get(const ClusterCache *cache, CacheTable table, const char *key)
{
    return g_tree_lookup(cache->tables[table], key);
}

void
cluster_cache_each(const ClusterCache *cache, CacheTable table, const char *namespace_,
                   bool (*func)(const char *key, const Value *object, void *data), void *data)
{
    g_autofree char *prefix =
        *namespace_ != '\0' ? g_strconcat(namespace_, "/", NULL) : g_strdup("");
    GTreeNode *node = g_tree_lower_bound(cache->tables[table], prefix);
    for (; node != NULL && g_str_has_prefix(g_tree_node_key(node), prefix);
         node = g_tree_node_next(node))
        if (!func(g_tree_node_key(node), g_tree_node_value(node), data))
            return;
}

int
cluster_cache_claim_users(const ClusterCache *cache, Symbol claim)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(cache->claim_users, GUINT_TO_POINTER(claim)));
}

int
cluster_cache_image_nodes(const ClusterCache *cache, Symbol image)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(cache->image_nodes, GUINT_TO_POINTER(image)));
}

void
cluster_cache_check(ClusterCache *cache)
{
    for (guint slot = 0; slot < cache->nodes->len; slot++) {
        const NodeInfo *node = cache->nodes->pdata[slot];
        int64_t cpu = 0, memory = 0, nonzero_cpu = 0;
        for (uint32_t i = 0; node != NULL && i < node->n_pods; i++) {
            g_assert(node->pods[i]->node == node && node->pods[i]->index == i);
            cpu += node->pods[i]->class_->milli_cpu;
            memory += node->pods[i]->class_->memory;
            nonzero_cpu += node->pods[i]->class_->nonzero_cpu;
        }
        g_assert(node == NULL ||
                 (node->slot == (int32_t)slot && cpu == node->requested_cpu &&
                  memory == node->requested_memory && nonzero_cpu == node->nonzero_cpu));
    }
    topology_check(cache->topology);
}
