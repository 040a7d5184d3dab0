/* The taint-eviction-controller (pkg/controller/tainteviction): pods leave nodes with NoExecute
 * taints that they do not tolerate, at once or when the shortest tolerationSeconds of their
 * tolerations is over.
 *
 * Keys are pods. A pod's sync decides: nothing to do (forget), wait (come back), or delete. What is
 * remembered of a waiting pod is when its wait began, so that a second look does not begin it anew.
 */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/node/lifecycle.h"

typedef struct EvictionController {
    Controller base;
    Informer *pods, *nodes;
    GHashTable *since; /* pod's uid -> when its wait began (boxed); only ever looked up */
} EvictionController;

/* The least tolerationSeconds of the tolerations that count; -1 for ever; -2: some taint is not
 * tolerated. */
static int64_t
toleration_seconds(const Value *taints, const Value *tolerations)
{
    int64_t least = -1;
    VALUE_ARRAY_FOREACH (taint, taints) {
        if (strcmp(value_text(value_get(taint, "effect")), "NoExecute") != 0)
            continue;
        bool tolerated = false;
        VALUE_ARRAY_FOREACH (toleration, tolerations) {
            if (!toleration_tolerates(toleration, taint))
                continue;
            tolerated = true;
            const Value *seconds = value_get(toleration, "tolerationSeconds");
            if (seconds != NULL && (least < 0 || value_int(seconds) < least))
                least = MAX(value_int(seconds), 0);
        }
        if (!tolerated)
            return -2;
    }
    return least;
}

static bool
has_no_execute(const Value *node)
{
    VALUE_ARRAY_FOREACH (taint, value_at(node, "spec.taints"))
        if (strcmp(value_text(value_get(taint, "effect")), "NoExecute") == 0)
            return true;
    return false;
}

static char *
on_condition_written(const ApiResponse *response, void *data)
{
    return api_response_ok(response) || response_is(response, "NotFound")
               ? NULL
               : g_strdup(response_error(response));
}

static void
evict(EvictionController *controller, Sync *sync, const Value *pod)
{
    controller_decide(&controller->base, "delete", pod, "Pod",
                      "node %s has a NoExecute taint that pod %s does not tolerate (any longer)",
                      pod_node_name(pod), object_name(pod));
    event_record(controller->base.recorder, pod, "Normal", "TaintManagerEviction",
                 "Marking for deletion Pod %s/%s", object_namespace(pod), object_name(pod));
    Value *condition = condition_new("DisruptionTarget", "True", "DeletionByTaintManager",
                                     "Taint manager: deleting due to NoExecute taint",
                                     controller_now(&controller->base));
    Value *patch = value_new_f("{metadata: {uid: %s}, status: {conditions: [%V]}}", object_uid(pod),
                               condition);
    client_patch(controller->base.client, "", "pods", object_namespace(pod), object_name(pod),
                 "status", PATCH_STRATEGIC, patch, sync_call,
                 sync_begin_checked(sync, on_condition_written, NULL, NULL));
    client_delete(controller->base.client, "", "pods", object_namespace(pod), object_name(pod),
                  NULL, sync_call, sync_begin_tolerating(sync, "NotFound"));
}

static void
forget(EvictionController *controller, const Value *pod)
{
    if (g_hash_table_remove(controller->since, object_uid(pod)))
        event_record(controller->base.recorder, pod, "Normal", "TaintManagerEviction",
                     "Cancelling deletion of Pod %s/%s", object_namespace(pod), object_name(pod));
}

static void
sync_pod(const char *key, Sync *sync, void *data)
{
    EvictionController *controller = data;
    const Value *pod = informer_get(controller->pods, key);
    if (pod == NULL || object_is_deleting(pod) || *pod_node_name(pod) == '\0')
        return;
    const Value *node = informer_get(controller->nodes, pod_node_name(pod));
    if (node == NULL || !has_no_execute(node)) {
        forget(controller, pod);
        return;
    }
    int64_t seconds =
        toleration_seconds(value_at(node, "spec.taints"), value_at(pod, "spec.tolerations"));
    if (seconds == -1) {
        forget(controller, pod);
        return;
    }
    int64_t now = controller_now(&controller->base);
    if (seconds > 0) {
        int64_t *since = g_hash_table_lookup(controller->since, object_uid(pod));
        if (since == NULL) {
            since = g_new(int64_t, 1);
            *since = now;
            g_hash_table_insert(controller->since, g_strdup(object_uid(pod)), since);
        }
        int64_t left = *since + seconds * NS_PER_S - now;
        if (left > 0) {
            sync_again_after(sync, left);
            return;
        }
    }
    g_hash_table_remove(controller->since, object_uid(pod));
    evict(controller, sync, pod);
}

static void
node_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
             void *data)
{
    EvictionController *controller = data;
    if (!has_no_execute(old) && !has_no_execute(new_))
        return;
    if (old != NULL && new_ != NULL &&
        value_equal(value_at(old, "spec.taints"), value_at(new_, "spec.taints")))
        return;
    const GPtrArray *pods = informer_indexed(controller->pods, INDEX_NODE, key);
    for (guint i = 0; i < pods->len; i++)
        controller_enqueue_object(&controller->base, objects_item(pods, i), cause);
}

static void
pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    EvictionController *controller = data;
    if (new_ == NULL) {
        g_hash_table_remove(controller->since, object_uid(old));
        return;
    }
    bool moved = strcmp(pod_node_name(old), pod_node_name(new_)) != 0 ||
                 (old != NULL && !value_equal(value_at(old, "spec.tolerations"),
                                              value_at(new_, "spec.tolerations")));
    if (moved && has_no_execute(informer_get(controller->nodes, pod_node_name(new_))))
        controller_enqueue(&controller->base, key, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler node_handler = {.changed = node_changed},
                                 pod_handler = {.changed = pod_changed};
    EvictionController *controller = g_new0(EvictionController, 1);
    controller_init(&controller->base, context, &taint_eviction_controller_class,
                    "taint-eviction-controller", 8, sync_pod);
    controller->pods = context_pods(context);
    controller->nodes = context_informer(context, "", "nodes");
    controller->since = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    informer_add_handler(controller->nodes, &node_handler, controller);
    informer_add_handler(controller->pods, &pod_handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    g_hash_table_destroy(((EvictionController *)base)->since);
    g_free(base);
}

const ControllerClass taint_eviction_controller_class = {"taint-eviction-controller", start, NULL,
                                                         stop};
