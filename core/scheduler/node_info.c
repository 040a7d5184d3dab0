/* One node's sums. Invariant: requested_*, nonzero_*, scalars' requested and ports are the sums
 * over pods[] of their classes, and every pod in pods[] knows its node and index
 * (cluster_cache_check asserts it). */
#include "core/scheduler/node_info.h"
#include "core/api/meta.h"
#include "core/api/pod.h"

#include <stdlib.h>
#include <string.h>

static NodeScalar *
node_scalar(NodeInfo *node, Symbol name, bool make)
{
    for (uint32_t i = 0; i < node->n_scalars; i++)
        if (node->scalars[i].name == name)
            return &node->scalars[i];
    if (!make)
        return NULL;
    node->scalars = g_renew(NodeScalar, node->scalars, node->n_scalars + 1);
    node->scalars[node->n_scalars] = (NodeScalar){.name = name};
    return &node->scalars[node->n_scalars++];
}

static void
read_allocatable(ClusterCache *cache, NodeInfo *node, const Value *allocatable)
{
    ResourceList list = {0};
    int64_t pods = 0;
    resource_list_parse(allocatable, &list, &pods);
    node->milli_cpu = list.milli_cpu;
    node->memory = list.memory;
    node->ephemeral_storage = list.ephemeral_storage;
    node->max_pods = pods;
    for (uint32_t i = 0; i < node->n_scalars; i++)
        node->scalars[i].allocatable = 0;
    VALUE_MAP_FOREACH (name, amount, list.scalars)
        node_scalar(node, symbols_intern(cache->symbols, name), true)->allocatable =
            value_int(amount);
    resource_list_clear(&list);
}

static int
image_compare(const void *a, const void *b)
{
    const NodeImage *left = a, *right = b;
    return left->name < right->name ? -1 : left->name > right->name;
}

static void
count_images(ClusterCache *cache, const NodeInfo *node, int delta)
{
    for (uint32_t i = 0; i < node->n_images; i++) {
        gpointer key = GUINT_TO_POINTER(node->images[i].name);
        int n = GPOINTER_TO_INT(g_hash_table_lookup(cache->image_nodes, key)) + delta;
        g_hash_table_insert(cache->image_nodes, key, GINT_TO_POINTER(n));
    }
}

static void
read_images(ClusterCache *cache, NodeInfo *node, const Value *images)
{
    count_images(cache, node, -1);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(NodeImage));
    VALUE_ARRAY_FOREACH (image, images)
        VALUE_ARRAY_FOREACH (name, value_get(image, "names")) {
            NodeImage item = {.name = symbols_intern(cache->symbols, value_text(name)),
                              .size = value_int_at(image, "sizeBytes")};
            g_array_append_val(found, item);
        }
    g_array_sort(found, image_compare);
    g_free(node->images);
    node->images = g_new(NodeImage, MAX(found->len, 1));
    node->n_images = 0;
    for (guint i = 0; i < found->len; i++) {
        const NodeImage *item = &g_array_index(found, NodeImage, i);
        if (node->n_images == 0 || node->images[node->n_images - 1].name != item->name)
            node->images[node->n_images++] = *item;
    }
    count_images(cache, node, 1);
}

void
node_info_read(ClusterCache *cache, NodeInfo *node, const Value *object)
{
    const Value *before = node->node;
    const Value *allocatable = value_at(object, "status.allocatable");
    const Value *images = value_at(object, "status.images");
    if (before == NULL || !value_equal(allocatable, value_at(before, "status.allocatable")))
        read_allocatable(cache, node, allocatable);
    if (before == NULL || !value_equal(images, value_at(before, "status.images")))
        read_images(cache, node, images);
    if (before == NULL || !value_equal(object_labels(object), object_labels(before))) {
        g_free(node->labels);
        node->labels = labels_new(cache->symbols, object_labels(object));
    }
    value_replace(&node->node, object != NULL ? value_ref(object) : NULL);
}

void
node_info_free(NodeInfo *node)
{
    if (node == NULL)
        return;
    g_free(node->pods);
    g_free(node->scalars);
    g_free(node->images);
    g_free(node->labels);
    g_free(node->zone);
    g_clear_pointer(&node->ports, g_array_unref);
    g_clear_pointer(&node->nominated, g_ptr_array_unref);
    value_unref(node->node);
    g_free(node);
}

/* ---- pods ------------------------------------------------------------------------------------ */

static void
node_add_amounts(NodeInfo *node, const PodClass *class_, int64_t sign)
{
    node->requested_cpu += sign * class_->milli_cpu;
    node->requested_memory += sign * class_->memory;
    node->requested_storage += sign * class_->ephemeral_storage;
    node->nonzero_cpu += sign * class_->nonzero_cpu;
    node->nonzero_memory += sign * class_->nonzero_memory;
    for (uint32_t i = 0; i < class_->n_scalars; i++)
        node_scalar(node, class_->scalars[i].name, true)->requested +=
            sign * class_->scalars[i].amount;
}

static void
node_remove_port(NodeInfo *node, const HostPort *port)
{
    for (guint i = 0; i < node->ports->len; i++)
        if (memcmp(&g_array_index(node->ports, HostPort, i), port, sizeof *port) == 0) {
            g_array_remove_index_fast(node->ports, i);
            return;
        }
}

static void
count_claims(ClusterCache *cache, const PodClass *class_, int delta)
{
    for (uint32_t i = 0; i < class_->n_claims; i++) {
        gpointer key = GUINT_TO_POINTER(class_->claims[i]);
        int n = GPOINTER_TO_INT(g_hash_table_lookup(cache->claim_users, key)) + delta;
        if (n > 0)
            g_hash_table_insert(cache->claim_users, key, GINT_TO_POINTER(n));
        else
            g_hash_table_remove(cache->claim_users, key);
    }
}

void
node_info_add_pod(ClusterCache *cache, NodeInfo *node, PodInfo *pod)
{
    PodClass *class_ = pod->class_;
    g_assert(pod->node == NULL);
    if (node->n_pods == node->pods_capacity) {
        node->pods_capacity = MAX(8, node->pods_capacity * 2);
        node->pods = g_renew(PodInfo *, node->pods, node->pods_capacity);
    }
    pod->node = node;
    pod->index = node->n_pods;
    node->pods[node->n_pods++] = pod;
    pod->class_previous = NULL;
    pod->class_next = class_->pods;
    if (class_->pods != NULL)
        class_->pods->class_previous = pod;
    class_->pods = pod;
    node_add_amounts(node, class_, 1);
    if (class_->n_ports > 0) {
        if (node->ports == NULL)
            node->ports = g_array_new(FALSE, FALSE, sizeof(HostPort));
        g_array_append_vals(node->ports, class_->ports, class_->n_ports);
    }
    count_claims(cache, class_, 1);
    topology_pod_changed(cache->topology, pod, 1);
    cache->mutations++;
}

void
node_info_remove_pod(ClusterCache *cache, PodInfo *pod)
{
    NodeInfo *node = pod->node;
    PodClass *class_ = pod->class_;
    topology_pod_changed(cache->topology, pod, -1);
    count_claims(cache, class_, -1);
    node_add_amounts(node, class_, -1);
    for (uint32_t i = 0; i < class_->n_ports; i++)
        node_remove_port(node, &class_->ports[i]);
    if (pod->class_previous != NULL)
        pod->class_previous->class_next = pod->class_next;
    else
        class_->pods = pod->class_next;
    if (pod->class_next != NULL)
        pod->class_next->class_previous = pod->class_previous;
    pod->class_next = pod->class_previous = NULL;
    node->pods[pod->index] = node->pods[--node->n_pods];
    node->pods[pod->index]->index = pod->index;
    pod->node = NULL;
    cache->mutations++;
}
