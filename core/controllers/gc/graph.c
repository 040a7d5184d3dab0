#include "core/controllers/gc/graph.h"

#include <string.h>

#include "core/api/meta.h"

struct GcGraph {
    GHashTable *by_uid; /* only ever looked up; the order of work comes from the trees and lists */
    GHashTable *absent; /* a set; only ever looked up */
    GQueue absent_order;
};

static void
node_free(gpointer data)
{
    GcNode *node = data;
    g_free(node->uid);
    g_free(node->key);
    value_unref(node->owners);
    if (node->dependents != NULL)
        g_tree_unref(node->dependents);
    g_free(node);
}

GcGraph *
gc_graph_new(void)
{
    GcGraph *graph = g_new0(GcGraph, 1);
    graph->by_uid = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, node_free);
    graph->absent = g_hash_table_new(g_str_hash, g_str_equal);
    return graph;
}

void
gc_graph_free(GcGraph *graph)
{
    if (graph == NULL)
        return;
    g_hash_table_destroy(graph->by_uid);
    g_hash_table_destroy(graph->absent);
    g_queue_clear_full(&graph->absent_order, g_free);
    g_free(graph);
}

GcNode *
gc_graph_find(const GcGraph *graph, const char *uid)
{
    return g_hash_table_lookup(graph->by_uid, uid);
}

size_t
gc_node_dependents(const GcNode *node)
{
    return node->dependents != NULL ? (size_t)g_tree_nnodes(node->dependents) : 0;
}

static GcNode *
node_ensure(GcGraph *graph, const char *uid)
{
    GcNode *node = gc_graph_find(graph, uid);
    if (node == NULL) {
        node = g_new0(GcNode, 1);
        node->uid = g_strdup(uid);
        g_hash_table_insert(graph->by_uid, node->uid, node);
    }
    return node;
}

/* A virtual node that nobody names any more is of no use. */
static void
node_drop_unused(GcGraph *graph, GcNode *node)
{
    if (node->resource == NULL && gc_node_dependents(node) == 0)
        g_hash_table_remove(graph->by_uid, node->uid);
}

static gint
compare_uids(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

static bool
owners_name(const Value *owners, const char *uid)
{
    VALUE_ARRAY_FOREACH (owner, owners)
        if (strcmp(value_text(value_get(owner, "uid")), uid) == 0)
            return true;
    return false;
}

static void
node_set_owners(GcGraph *graph, GcNode *node, const Value *owners)
{
    g_autoptr(Value) old = node->owners;
    node->owners = owners != NULL ? value_ref(owners) : NULL;
    VALUE_ARRAY_FOREACH (owner, owners) {
        GcNode *parent = node_ensure(graph, value_text(value_get(owner, "uid")));
        if (parent->dependents == NULL)
            parent->dependents = g_tree_new_full(compare_uids, NULL, NULL, NULL);
        g_tree_replace(parent->dependents, node->uid, node);
    }
    VALUE_ARRAY_FOREACH (owner, old) {
        const char *uid = value_text(value_get(owner, "uid"));
        GcNode *parent = gc_graph_find(graph, uid);
        if (parent == NULL || owners_name(owners, uid))
            continue;
        g_tree_remove(parent->dependents, node->uid);
        node_drop_unused(graph, parent);
    }
}

GcChange
gc_graph_observe(GcGraph *graph, const GcResource *resource, const char *key, const Value *object)
{
    GcNode *node = node_ensure(graph, object_uid(object));
    GcChange change = {.node = node, .added = node->resource == NULL};
    bool was_deleting = node->deleting, was_foreground = node->foreground,
         was_orphan = node->orphan;
    if (change.added) {
        node->resource = resource;
        node->key = g_strdup(key);
    }
    const Value *owners = value_at(object, "metadata.ownerReferences");
    if (!value_equal(owners, node->owners)) {
        node_set_owners(graph, node, owners);
        change.owners_changed = true;
    }
    node->deleting = object_is_deleting(object);
    node->foreground = node->deleting && object_has_finalizer(object, FINALIZER_FOREGROUND);
    node->orphan = node->deleting && object_has_finalizer(object, FINALIZER_ORPHAN);
    change.starts_foreground = node->foreground && !(was_deleting && was_foreground);
    change.starts_orphan = node->orphan && !(was_deleting && was_orphan);
    return change;
}

static gboolean
collect_uid(gpointer uid, gpointer node, gpointer data)
{
    g_ptr_array_add(data, g_strdup(uid));
    return FALSE;
}

void
gc_graph_forget(GcGraph *graph, const char *uid, GPtrArray *ret_dependents, GPtrArray *ret_owners)
{
    GcNode *node = gc_graph_find(graph, uid);
    if (node == NULL)
        return;
    VALUE_ARRAY_FOREACH (owner, node->owners)
        g_ptr_array_add(ret_owners, g_strdup(value_text(value_get(owner, "uid"))));
    if (node->dependents != NULL)
        g_tree_foreach(node->dependents, collect_uid, ret_dependents);
    node_set_owners(graph, node, NULL);
    node->resource = NULL; /* its dependents still name it */
    g_clear_pointer(&node->key, g_free);
    node->deleting = node->foreground = node->orphan = false;
    node_drop_unused(graph, node);
    gc_graph_add_absent(graph, uid);
}

void
gc_graph_add_absent(GcGraph *graph, const char *uid)
{
    if (g_hash_table_contains(graph->absent, uid))
        return;
    char *copy = g_strdup(uid);
    g_hash_table_add(graph->absent, copy);
    g_queue_push_tail(&graph->absent_order, copy);
    if (graph->absent_order.length > GC_ABSENT_MAX) {
        char *oldest = g_queue_pop_head(&graph->absent_order);
        g_hash_table_remove(graph->absent, oldest);
        g_free(oldest);
    }
}

bool
gc_graph_is_absent(const GcGraph *graph, const char *uid)
{
    return g_hash_table_contains(graph->absent, uid);
}
