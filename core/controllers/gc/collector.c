/* Keys are uids ("attempt to delete"), or "orphan <uid>". An owner that the graph has not observed
 * is asked for by GET, once: the caches of different kinds are not in step. What is found absent is
 * remembered. */
#include "core/controllers/gc/collector.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/batch.h"
#include "core/controllers/common/util.h"
#include "core/controllers/gc/graph.h"

#define ORPHAN_PREFIX "orphan "

typedef struct Collector {
    Controller base;
    GPtrArray *resources; /* GcResource */
    GcGraph *graph;
} Collector;

/* ---- writing
 * ----------------------------------------------------------------------------------------- */

static const Value *
node_object(const GcNode *node)
{
    return node->resource != NULL ? informer_get(node->resource->informer, node->key) : NULL;
}

static void
patch_metadata(Collector *collector, const GcNode *node, const Value *object, const char *field,
               Value *take_list, void *begun)
{
    const ApiKind *kind = node->resource->kind;
    g_autofree char *path = g_strdup_printf("metadata.%s", field);
    Value *patch = value_new_f("{metadata: {uid: %s, resourceVersion: %v}}", object_uid(object),
                               value_at(object, "metadata.resourceVersion"));
    value_edit(&patch, path, take_list);
    client_patch(collector->base.client, kind->group, kind->resource,
                 kind->namespaced ? object_namespace(object) : NULL, object_name(object), NULL,
                 PATCH_MERGE, patch, sync_call, begun);
}

static void
remove_finalizer(Collector *collector, Sync *sync, const GcNode *node, const char *finalizer)
{
    const Value *object = node_object(node);
    if (object == NULL || !object_has_finalizer(object, finalizer))
        return;
    g_autoptr(ValueBuilder) left = value_builder_new_array();
    VALUE_ARRAY_FOREACH (item, value_at(object, "metadata.finalizers"))
        if (strcmp(value_text(item), finalizer) != 0)
            value_builder_append(left, value_ref(item));
    patch_metadata(collector, node, object, "finalizers", value_builder_end(g_steal_pointer(&left)),
                   sync_begin_tolerating(sync, "NotFound"));
}

static Value *
owners_without(const Value *owners, const GPtrArray *uids)
{
    g_autoptr(ValueBuilder) left = value_builder_new_array();
    VALUE_ARRAY_FOREACH (owner, owners) {
        bool removed = false;
        for (guint i = 0; i < uids->len; i++)
            removed |= strcmp(g_ptr_array_index(uids, i), value_text(value_get(owner, "uid"))) == 0;
        if (!removed)
            value_builder_append(left, value_ref(owner));
    }
    return value_builder_end(g_steal_pointer(&left));
}

static void
delete_node(Collector *collector, Sync *sync, const GcNode *node, const Value *object,
            const char *policy)
{
    const ApiKind *kind = node->resource->kind;
    controller_decide(&collector->base, "delete", object, kind->kind,
                      "%s %s has no owner left: delete it (%s)", kind->kind, object_name(object),
                      policy);
    Value *options = value_new_f(
        "{apiVersion: v1, kind: DeleteOptions, propagationPolicy: %s, preconditions: {uid: %s}}",
        policy, node->uid);
    client_delete(collector->base.client, kind->group, kind->resource,
                  kind->namespaced ? object_namespace(object) : NULL, object_name(object), options,
                  sync_call, sync_begin_tolerating(sync, "NotFound,Conflict"));
}

/* ---- owners
 * ------------------------------------------------------------------------------------------ */

typedef struct Lookup {
    Collector *collector;
    char *owner_uid, *item_uid;
} Lookup;

static void
lookup_free(gpointer data)
{
    Lookup *lookup = data;
    g_free(lookup->owner_uid);
    g_free(lookup->item_uid);
    g_free(lookup);
}

static char *
on_looked_up(const ApiResponse *response, void *data)
{
    const Lookup *lookup = data;
    if (!api_response_ok(response) && !response_is(response, "NotFound"))
        return g_strdup(response_error(response));
    bool lives =
        api_response_ok(response) && strcmp(object_uid(response->object), lookup->owner_uid) == 0;
    if (!lives) {
        gc_graph_add_absent(lookup->collector->graph, lookup->owner_uid);
        controller_enqueue(&lookup->collector->base, lookup->item_uid, 0);
    }
    return NULL; /* alive: the watch will bring it into the graph */
}

typedef enum { OWNER_SOLID, OWNER_DANGLING, OWNER_WAITING, OWNER_UNKNOWN } OwnerState;

static const ApiKind *
owner_kind(const Collector *collector, const Value *owner)
{
    const char *api_version = value_text(value_get(owner, "apiVersion")),
               *slash = strchr(api_version, '/');
    g_autofree char *group = api_version_group(api_version);
    return api_types_by_kind(client_types(collector->base.client), group,
                             slash != NULL ? slash + 1 : api_version,
                             value_text(value_get(owner, "kind")));
}

static OwnerState
owner_state(Collector *collector, const GcNode *item, const Value *object, const Value *owner)
{
    const char *uid = value_text(value_get(owner, "uid"));
    const ApiKind *kind = owner_kind(collector, owner);
    if (kind == NULL)
        return OWNER_SOLID; /* a kind we do not know: leave its dependents alone */
    if (kind->namespaced && !item->resource->kind->namespaced) {
        event_record(
            collector->base.recorder, object, "Warning", "OwnerRefInvalidNamespace",
            "ownerRef [%s/%s, namespace: , name: %s, uid: %s] does not exist in namespace \"\"",
            value_text(value_get(owner, "apiVersion")), kind->kind,
            value_text(value_get(owner, "name")), uid);
        return OWNER_SOLID;
    }
    const GcNode *node = gc_graph_find(collector->graph, uid);
    if (node != NULL && node->resource != NULL) {
        const Value *found = node_object(node);
        bool same_place = !kind->namespaced || found == NULL ||
                          strcmp(object_namespace(found), object_namespace(object)) == 0;
        if (same_place)
            return node->foreground ? OWNER_WAITING : OWNER_SOLID;
    }
    return gc_graph_is_absent(collector->graph, uid) ? OWNER_DANGLING : OWNER_UNKNOWN;
}

static void
look_up(Collector *collector, Sync *sync, const GcNode *item, const Value *object,
        const Value *owner)
{
    const ApiKind *kind = owner_kind(collector, owner);
    Lookup *lookup = g_new(Lookup, 1);
    *lookup =
        (Lookup){collector, g_strdup(value_text(value_get(owner, "uid"))), g_strdup(item->uid)};
    client_get(collector->base.client, kind->group, kind->resource,
               kind->namespaced ? object_namespace(object) : NULL,
               value_text(value_get(owner, "name")), sync_call,
               sync_begin_checked(sync, on_looked_up, lookup, lookup_free));
}

/* ---- syncs
 * ------------------------------------------------------------------------------------------- */

static bool
blocks(const GcNode *dependent, const char *owner_uid)
{
    VALUE_ARRAY_FOREACH (owner, dependent->owners)
        if (strcmp(value_text(value_get(owner, "uid")), owner_uid) == 0)
            return value_bool(value_get(owner, "blockOwnerDeletion"));
    return false;
}

/* In foreground deletion: wait for those that block it, and see to it that they go. */
static void
process_foreground(Collector *collector, Sync *sync, const GcNode *node)
{
    bool blocked = false;
    for (GTreeNode *each = node->dependents != NULL ? g_tree_node_first(node->dependents) : NULL;
         each != NULL; each = g_tree_node_next(each)) {
        const GcNode *dependent = g_tree_node_value(each);
        if (!blocks(dependent, node->uid))
            continue;
        blocked = true;
        if (!dependent->deleting)
            controller_enqueue(&collector->base, dependent->uid, 0);
    }
    if (!blocked)
        remove_finalizer(collector, sync, node, FINALIZER_FOREGROUND);
}

/* Two that wait for each other would wait for ever. */
static void
unblock_circle(Collector *collector, Sync *sync, const GcNode *node, const Value *object)
{
    bool circle = false;
    for (GTreeNode *each = node->dependents != NULL ? g_tree_node_first(node->dependents) : NULL;
         each != NULL; each = g_tree_node_next(each))
        circle |= ((GcNode *)g_tree_node_value(each))->foreground;
    if (!circle)
        return;
    g_autoptr(ValueBuilder) owners = value_builder_new_array();
    VALUE_ARRAY_FOREACH (owner, node->owners)
        value_builder_append(owners, value_set(owner, "blockOwnerDeletion", value_new_bool(false)));
    patch_metadata(collector, node, object, "ownerReferences",
                   value_builder_end(g_steal_pointer(&owners)),
                   sync_begin_tolerating(sync, "NotFound"));
}

static void
attempt_to_delete(Collector *collector, Sync *sync, const GcNode *node, const Value *object)
{
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    size_t solid = 0, waiting = 0, unknown = 0;
    VALUE_ARRAY_FOREACH (owner, node->owners) {
        OwnerState state = owner_state(collector, node, object, owner);
        solid += state == OWNER_SOLID;
        waiting += state == OWNER_WAITING;
        unknown += state == OWNER_UNKNOWN;
        if (state == OWNER_UNKNOWN)
            look_up(collector, sync, node, object, owner);
        else if (state != OWNER_SOLID)
            g_ptr_array_add(gone, (gpointer)value_text(value_get(owner, "uid")));
    }
    if (unknown > 0 || value_size(node->owners) == 0 || (solid > 0 && gone->len == 0))
        return;
    if (solid > 0) {
        patch_metadata(collector, node, object, "ownerReferences",
                       owners_without(node->owners, gone), sync_begin_tolerating(sync, "NotFound"));
    } else if (waiting > 0 && gc_node_dependents(node) > 0) {
        unblock_circle(collector, sync, node, object);
        delete_node(collector, sync, node, object, "Foreground");
    } else {
        delete_node(collector, sync, node, object,
                    object_has_finalizer(object, FINALIZER_ORPHAN)       ? "Orphan"
                    : object_has_finalizer(object, FINALIZER_FOREGROUND) ? "Foreground"
                                                                         : "Background");
    }
}

typedef struct Orphaning {
    Collector *collector;
    char *uid;
    GPtrArray *dependents; /* uids */
} Orphaning;

static void
orphaning_free(gpointer data)
{
    Orphaning *orphaning = data;
    g_free(orphaning->uid);
    g_ptr_array_unref(orphaning->dependents);
    g_free(orphaning);
}

static void
orphan_start(size_t index, void *begun, void *data)
{
    const Orphaning *orphaning = data;
    Collector *collector = orphaning->collector;
    const GcNode *node =
        gc_graph_find(collector->graph, g_ptr_array_index(orphaning->dependents, index));
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    g_ptr_array_add(gone, orphaning->uid);
    patch_metadata(collector, node, node_object(node), "ownerReferences",
                   owners_without(node->owners, gone), begun);
}

static char *
orphan_answer(size_t index, const ApiResponse *response, void *data)
{
    return api_response_ok(response) || response_is(response, "NotFound")
               ? NULL
               : g_strdup(response_error(response));
}

static void
orphan_done(Sync *sync, const char *error, size_t skipped, void *data)
{
    const Orphaning *orphaning = data;
    const GcNode *node = gc_graph_find(orphaning->collector->graph, orphaning->uid);
    if (error == NULL && node != NULL && node->resource != NULL)
        remove_finalizer(orphaning->collector, sync, node, FINALIZER_ORPHAN);
}

static void
orphan_dependents(Collector *collector, Sync *sync, const GcNode *node)
{
    static const BatchOps ops = {orphan_start, orphan_answer, orphan_done};
    Orphaning *orphaning = g_new(Orphaning, 1);
    *orphaning =
        (Orphaning){collector, g_strdup(node->uid), g_ptr_array_new_with_free_func(g_free)};
    for (GTreeNode *each = node->dependents != NULL ? g_tree_node_first(node->dependents) : NULL;
         each != NULL; each = g_tree_node_next(each))
        if (node_object(g_tree_node_value(each)) != NULL)
            g_ptr_array_add(orphaning->dependents, g_strdup(g_tree_node_key(each)));
    batch_run(sync, BATCH_ALL, orphaning->dependents->len, &ops, orphaning, orphaning_free);
}

static void
sync_node(const char *key, Sync *sync, void *data)
{
    Collector *collector = data;
    bool orphan = g_str_has_prefix(key, ORPHAN_PREFIX);
    const GcNode *node =
        gc_graph_find(collector->graph, orphan ? key + strlen(ORPHAN_PREFIX) : key);
    const Value *object = node != NULL ? node_object(node) : NULL;
    if (object == NULL || strcmp(object_uid(object), node->uid) != 0)
        return;
    if (orphan) {
        if (node->orphan)
            orphan_dependents(collector, sync, node);
    } else if (node->foreground) {
        process_foreground(collector, sync, node);
    } else if (!node->deleting) {
        attempt_to_delete(collector, sync, node, object);
    }
}

/* ---- events
 * ------------------------------------------------------------------------------------------ */

static void
enqueue_all(Collector *collector, const GPtrArray *uids, uint64_t cause)
{
    for (guint i = 0; i < uids->len; i++)
        controller_enqueue(&collector->base, g_ptr_array_index(uids, i), cause);
}

static void
observe(Collector *collector, const GcResource *resource, const char *key, const Value *object,
        uint64_t cause)
{
    GcChange change = gc_graph_observe(collector->graph, resource, key, object);
    GcNode *node = change.node;
    if (change.starts_foreground || change.starts_orphan || (change.added && node->foreground)) {
        for (GTreeNode *each = node->dependents != NULL && node->foreground
                                   ? g_tree_node_first(node->dependents)
                                   : NULL;
             each != NULL; each = g_tree_node_next(each))
            controller_enqueue(&collector->base, g_tree_node_key(each), cause);
        g_autofree char *orphan = g_strconcat(ORPHAN_PREFIX, node->uid, NULL);
        controller_enqueue(&collector->base, node->orphan ? orphan : node->uid, cause);
    }
    if (!change.owners_changed)
        return;
    /* Are its owners there? Only those that the graph has not seen are a question. */
    VALUE_ARRAY_FOREACH (owner, node->owners) {
        const GcNode *parent = gc_graph_find(collector->graph, value_text(value_get(owner, "uid")));
        if (parent == NULL || parent->resource == NULL || parent->foreground) {
            controller_enqueue(&collector->base, node->uid, cause);
            if (parent != NULL && parent->foreground)
                controller_enqueue(&collector->base, parent->uid, cause);
        }
    }
}

static void
object_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
               void *data)
{
    GcResource *resource = data;
    Collector *collector = resource->data;
    bool replaced = old != NULL && new_ != NULL && strcmp(object_uid(old), object_uid(new_)) != 0;
    if (new_ == NULL || replaced) {
        g_autoptr(GPtrArray) dependents = g_ptr_array_new_with_free_func(g_free),
                             owners = g_ptr_array_new_with_free_func(g_free);
        gc_graph_forget(collector->graph, object_uid(old), dependents, owners);
        enqueue_all(collector, dependents, cause);
        for (guint i = 0; i < owners->len; i++) {
            const GcNode *owner = gc_graph_find(collector->graph, g_ptr_array_index(owners, i));
            if (owner != NULL && owner->foreground)
                controller_enqueue(&collector->base, owner->uid, cause);
        }
    }
    if (new_ == NULL)
        return;
    const Value *before = value_get(old, "metadata"), *after = value_get(new_, "metadata");
    bool same =
        old != NULL && !replaced &&
        value_equal(value_get(before, "ownerReferences"), value_get(after, "ownerReferences")) &&
        value_equal(value_get(before, "finalizers"), value_get(after, "finalizers")) &&
        object_is_deleting(old) == object_is_deleting(new_);
    if (!same)
        observe(collector, resource, key, new_, cause);
}

static void
add_resources(Collector *collector)
{
    static const InformerHandler handler = {.changed = object_changed};
    const ApiTypes *types = client_types(collector->base.client);
    for (size_t i = 0; i < api_types_count(types); i++) {
        const ApiKind *kind = api_types_item(types, i);
        unsigned needed = API_VERB_LIST | API_VERB_WATCH | API_VERB_DELETE;
        bool skipped =
            (kind->verbs & needed) != needed || strcmp(kind->resource, "events") == 0 ||
            (kind->storage_group != NULL && strcmp(kind->storage_group, kind->group) != 0);
        for (guint j = 0; j < collector->resources->len && !skipped; j++) {
            const ApiKind *other = ((GcResource *)g_ptr_array_index(collector->resources, j))->kind;
            skipped = strcmp(other->group, kind->group) == 0 &&
                      strcmp(other->resource, kind->resource) == 0;
        }
        if (skipped)
            continue;
        GcResource *resource = g_new(GcResource, 1);
        *resource = (GcResource){
            kind, context_informer(collector->base.context, kind->group, kind->resource),
            collector};
        g_ptr_array_add(collector->resources, resource);
        informer_add_handler(resource->informer, &handler, resource);
    }
}

static Controller *
start(ControllerContext *context)
{
    Collector *collector = g_new0(Collector, 1);
    controller_init(&collector->base, context, &garbage_collector_class,
                    "garbage-collector-controller", 20, sync_node);
    collector->resources = g_ptr_array_new_with_free_func(g_free);
    collector->graph = gc_graph_new();
    if (client_types(context->client) != NULL)
        add_resources(collector);
    return &collector->base;
}

static void
stop(Controller *base)
{
    Collector *collector = (Collector *)base;
    controller_clear(base);
    gc_graph_free(collector->graph);
    g_ptr_array_unref(collector->resources);
    g_free(collector);
}

const ControllerClass garbage_collector_class = {"garbage-collector-controller", start, NULL, stop};
