/* Every 20 s. What a pass looks at is kept as pods change: the ended ones by age, the unplaced
 * deleting ones, and the names of nodes that pods are on; so a pass does not walk 150,000 healthy
 * pods. */
#include "core/controllers/podgc/pod_gc.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/node/taints.h"

#define PERIOD_NS (20 * NS_PER_S)
#define QUARANTINE_NS (40 * NS_PER_S) /* a missing node may only be late */

typedef struct PodGc {
    Controller base;
    Informer *pods, *nodes;
    GTree *ended;        /* pod key */
    GTree *unplaced;     /* pod key: deleting without a node */
    GTree *homes;        /* node name -> number of pods (pointer) */
    GHashTable *counted; /* pod key -> node name it is counted for; only ever looked up */
    GTree *missing;      /* node name -> when first missed (boxed) */
    int64_t threshold;
    TimerId timer;
} PodGc;

static gint
compare_keys(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

static void
home_add(PodGc *gc, const char *node, int change)
{
    int count = GPOINTER_TO_INT(g_tree_lookup(gc->homes, node)) + change;
    if (count > 0)
        g_tree_replace(gc->homes, g_strdup(node), GINT_TO_POINTER(count));
    else
        g_tree_remove(gc->homes, node);
}

static void
pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    PodGc *gc = data;
    const char *was = g_hash_table_lookup(gc->counted, key),
               *is = new_ != NULL ? pod_node_name(new_) : "";
    if (g_strcmp0(was != NULL ? was : "", is) != 0) {
        if (was != NULL)
            home_add(gc, was, -1);
        g_hash_table_remove(gc->counted, key);
        if (*is != '\0') {
            home_add(gc, is, 1);
            g_hash_table_insert(gc->counted, g_strdup(key), g_strdup(is));
        }
    }
    if (new_ != NULL && pod_is_terminal(new_))
        g_tree_replace(gc->ended, g_strdup(key), NULL);
    else
        g_tree_remove(gc->ended, key);
    if (new_ != NULL && object_is_deleting(new_) && *is == '\0')
        g_tree_replace(gc->unplaced, g_strdup(key), NULL);
    else
        g_tree_remove(gc->unplaced, key);
}

static char *
on_phase_written(const ApiResponse *response, void *data)
{
    return api_response_ok(response) || response_is(response, "NotFound")
               ? NULL
               : g_strdup(response_error(response));
}

/* Keys: "<why> namespace/name". */
static void
sync_pod(const char *key, Sync *sync, void *data)
{
    PodGc *gc = data;
    const char *pod_key = strchr(key, ' ') + 1;
    const Value *pod = informer_get(gc->pods, pod_key);
    if (pod == NULL)
        return;
    bool orphaned = g_str_has_prefix(key, "orphaned ");
    controller_decide(&gc->base, "delete", pod, "Pod",
                      "pod %s is garbage (%.*s): delete it at once", pod_key,
                      (int)(strchr(key, ' ') - key), key);
    if (orphaned || !pod_is_terminal(pod)) {
        int64_t now = controller_now(&gc->base);
        Value *condition = orphaned ? condition_new("DisruptionTarget", "True", "DeletionByPodGC",
                                                    "PodGC: node no longer exists", now)
                                    : NULL;
        Value *status =
            condition != NULL ? value_new_f("{conditions: [%V]}", condition) : value_new_map();
        if (!pod_is_terminal(pod))
            value_edit(&status, "phase", value_new_string("Failed"));
        client_patch(gc->base.client, "", "pods", object_namespace(pod), object_name(pod), "status",
                     PATCH_STRATEGIC,
                     value_new_f("{metadata: {uid: %s}, status: %V}", object_uid(pod), status),
                     sync_call, sync_begin_checked(sync, on_phase_written, NULL, NULL));
    }
    Value *options = value_new_f(
        "{apiVersion: v1, kind: DeleteOptions, gracePeriodSeconds: 0, preconditions: {uid: %s}}",
        object_uid(pod));
    client_delete(gc->base.client, "", "pods", object_namespace(pod), object_name(pod), options,
                  sync_call, sync_begin_tolerating(sync, "NotFound"));
}

static void
collect(PodGc *gc, const char *why, const char *pod_key)
{
    g_autofree char *key = g_strdup_printf("%s %s", why, pod_key);
    controller_enqueue(&gc->base, key, 0);
}

static gint
compare_slots(gconstpointer a, gconstpointer b)
{
    return object_compare_age(*(const Value *const *)a, *(const Value *const *)b);
}

static void
collect_ended(PodGc *gc)
{
    int64_t surplus = (int64_t)g_tree_nnodes(gc->ended) - gc->threshold;
    if (gc->threshold <= 0 || surplus <= 0)
        return;
    g_autoptr(GPtrArray) ended = g_ptr_array_new();
    for (GTreeNode *node = g_tree_node_first(gc->ended); node != NULL;
         node = g_tree_node_next(node)) {
        const Value *pod = informer_get(gc->pods, g_tree_node_key(node));
        if (pod != NULL)
            g_ptr_array_add(ended, (gpointer)pod);
    }
    g_ptr_array_sort(ended, compare_slots);
    for (int64_t i = 0; i < surplus && i < (int64_t)ended->len; i++) {
        g_autofree char *key = object_key(objects_item(ended, (guint)i));
        collect(gc, "terminated", key);
    }
}

static void
collect_of_node(PodGc *gc, const char *why, const char *name, bool only_deleting)
{
    const GPtrArray *pods = informer_indexed(gc->pods, INDEX_NODE, name);
    for (guint i = 0; i < pods->len; i++) {
        if (only_deleting && !object_is_deleting(objects_item(pods, i)))
            continue;
        g_autofree char *key = object_key(objects_item(pods, i));
        collect(gc, why, key);
    }
}

static void
collect_nodes(PodGc *gc, int64_t now)
{
    for (GTreeNode *home = g_tree_node_first(gc->homes); home != NULL;
         home = g_tree_node_next(home)) {
        const char *name = g_tree_node_key(home);
        const Value *node = informer_get(gc->nodes, name);
        if (node != NULL) {
            g_tree_remove(gc->missing, name);
            if (!node_is_ready(node) &&
                taints_have(value_at(node, "spec.taints"), TAINT_OUT_OF_SERVICE, "NoExecute"))
                collect_of_node(gc, "out-of-service", name, true);
            continue;
        }
        int64_t *since = g_tree_lookup(gc->missing, name);
        if (since == NULL) {
            since = g_new(int64_t, 1);
            *since = now;
            g_tree_insert(gc->missing, g_strdup(name), since);
        } else if (now - *since >= QUARANTINE_NS) {
            collect_of_node(gc, "orphaned", name, false);
        }
    }
}

static void
pass(void *data)
{
    PodGc *gc = data;
    int64_t now = controller_now(&gc->base);
    collect_ended(gc);
    collect_nodes(gc, now);
    for (GTreeNode *node = g_tree_node_first(gc->unplaced); node != NULL;
         node = g_tree_node_next(node))
        collect(gc, "unscheduled", g_tree_node_key(node));
    gc->timer = clock_timer_at(gc->base.context->ports->clock, now + PERIOD_NS, pass, gc);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = pod_changed};
    PodGc *gc = g_new0(PodGc, 1);
    controller_init(&gc->base, context, &pod_gc_controller_class, "pod-garbage-collector", 5,
                    sync_pod);
    gc->pods = context_pods(context);
    gc->nodes = context_informer(context, "", "nodes");
    gc->ended = g_tree_new_full(compare_keys, NULL, g_free, NULL);
    gc->unplaced = g_tree_new_full(compare_keys, NULL, g_free, NULL);
    gc->homes = g_tree_new_full(compare_keys, NULL, g_free, NULL);
    gc->missing = g_tree_new_full(compare_keys, NULL, g_free, g_free);
    gc->counted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    gc->threshold = config_int(context, "terminatedPodGCThreshold", 12500);
    informer_add_handler(gc->pods, &handler, gc);
    return &gc->base;
}

static void
synced(Controller *base)
{
    work_queue_start(base->queue);
    pass(base);
}

static void
stop(Controller *base)
{
    PodGc *gc = (PodGc *)base;
    clock_cancel(base->context->ports->clock, &gc->timer);
    controller_clear(base);
    g_tree_unref(gc->ended);
    g_tree_unref(gc->unplaced);
    g_tree_unref(gc->homes);
    g_tree_unref(gc->missing);
    g_hash_table_destroy(gc->counted);
    g_free(gc);
}

const ControllerClass pod_gc_controller_class = {"pod-garbage-collector-controller", start, synced,
                                                 stop};
