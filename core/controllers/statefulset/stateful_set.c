#include "core/controllers/statefulset/stateful_set.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/statefulset/view.h"

#define REPLICAS_MAX 100000 /* of one set: the table of its ordinals is made in memory */

static gint
compare_ordinal_down(gconstpointer a, gconstpointer b, gpointer set)
{
    int64_t x = stateful_ordinal(set, *(const Value *const *)a),
            y = stateful_ordinal(set, *(const Value *const *)b);
    return x != y ? (x > y ? -1 : 1) : 0;
}

static void
view_place_pods(StatefulView *view, const GPtrArray *pods)
{
    view->slots = g_new0(const Value *, (gsize)view->replicas + 1);
    view->condemned = g_ptr_array_new();
    for (guint i = 0; i < pods->len; i++) {
        const Value *pod = objects_item(pods, i);
        int64_t ordinal = stateful_ordinal(view->set, pod);
        if (ordinal >= view->start && ordinal < view->start + view->replicas)
            view->slots[ordinal - view->start] = pod;
        else if (ordinal >= 0)
            g_ptr_array_add(view->condemned, (gpointer)pod);
    }
    g_ptr_array_sort_with_data(view->condemned, compare_ordinal_down, (gpointer)view->set);
}

/* minReadySeconds: time alone makes pods available. */
static void
come_back_for_availability(const StatefulView *view)
{
    int64_t seconds = value_int_at(view->set, "spec.minReadySeconds");
    if (seconds > 0 && view->n_available < view->n_ready)
        sync_again_after(view->sync, seconds * NS_PER_S);
}

static void
reconcile(StatefulController *controller, const Value *set, const GPtrArray *pods,
          const GPtrArray *revisions, const Value *update, Sync *sync)
{
    const Value *current =
        revision_by_name(revisions, value_text_at(set, "status.currentRevision"));
    StatefulView view = {.controller = controller,
                         .sync = sync,
                         .set = set,
                         .current = current != NULL ? current : update,
                         .update = update,
                         .start = value_int_at(set, "spec.ordinals.start"),
                         .replicas =
                             CLAMP(value_int_at_or(set, "spec.replicas", 1), 0, REPLICAS_MAX),
                         .now = controller_now(&controller->base)};
    view_place_pods(&view, pods);
    stateful_reconcile(&view);
    come_back_for_availability(&view);
    g_autoptr(Value) status = stateful_status(&view);
    if (!values_equal_semantically(status, value_get(set, "status")))
        client_update(controller->base.client, "apps", "statefulsets", "status",
                      value_set(set, "status", g_steal_pointer(&status)), sync_call,
                      sync_begin_tolerating(sync, "NotFound"));
    g_autoptr(GPtrArray) live = g_ptr_array_new();
    g_ptr_array_add(live, (gpointer)object_name(view.current));
    g_ptr_array_add(live, (gpointer)object_name(view.update));
    for (guint i = 0; i < pods->len; i++)
        g_ptr_array_add(live, (gpointer)pod_revision(objects_item(pods, i)));
    history_truncate(&controller->history, set, revisions, (const char *const *)live->pdata,
                     live->len, sync);
    g_free(view.slots);
    g_ptr_array_free(view.condemned, TRUE);
}

/* Only pods that bear the set's name can be its members. */
static bool
is_member(const Value *set, const Value *pod)
{
    return stateful_ordinal(set, pod) >= 0;
}

static void
sync_set(const char *key, Sync *sync, void *data)
{
    StatefulController *controller = data;
    const Value *cached = informer_get(controller->pods.owners, key);
    if (cached == NULL || label_selector_is_empty(value_at(cached, "spec.selector")))
        return;
    g_autoptr(Value) set = value_ref(cached);
    bool writing = false, writing_revisions = false;
    g_autoptr(GPtrArray) pods = children_claim(&controller->pods, set, sync, &writing, is_member);
    g_autoptr(GPtrArray) revisions =
        history_list(&controller->history, set, sync, &writing_revisions);
    if (writing || writing_revisions)
        return;
    const Value *update = history_ensure(&controller->history, set, revisions, sync);
    if (update != NULL)
        reconcile(controller, set, pods, revisions, update, sync);
}

static const Value *
set_selector(const Value *set)
{
    return value_at(set, "spec.selector");
}

static Controller *
start(ControllerContext *context)
{
    StatefulController *controller = g_new0(StatefulController, 1);
    controller_init(&controller->base, context, &stateful_set_controller_class,
                    "statefulset-controller", 5, sync_set);
    controller->claims = context_informer(context, "", "persistentvolumeclaims");
    controller->pods = (Children){.controller = &controller->base,
                                  .owners = context_informer(context, "apps", "statefulsets"),
                                  .kind = "StatefulSet",
                                  .informer = context_pods(context),
                                  .group = "",
                                  .resource = "pods",
                                  .owner_api_version = "apps/v1",
                                  .selector = set_selector};
    controller->revisions = controller->pods;
    controller->revisions.informer = context_owned_informer(context, "apps", "controllerrevisions");
    controller->revisions.group = "apps";
    controller->revisions.resource = "controllerrevisions";
    controller->history = (History){&controller->revisions, "controller.kubernetes.io/hash"};
    controller_watch(&controller->base, controller->pods.owners);
    children_watch(&controller->pods);
    children_watch(&controller->revisions);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    g_free(base);
}

const ControllerClass stateful_set_controller_class = {"statefulset-controller", start, NULL, stop};
