/* One sync: claim pods and revisions -> who is missing, who is too many -> create in slow-start
 * batches, delete -> when neither was needed, the rolling update -> status. A sync walks all nodes;
 * events of pods of large sets are gathered. */
#include "core/controllers/daemonset/daemon_set.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/batch.h"
#include "core/controllers/common/pod_control.h"
#include "core/controllers/common/util.h"
#include "core/controllers/daemonset/view.h"

#define BURST_REPLICAS 250
#define LARGE_SET 100
#define GATHER_NS (500 * NS_PER_MS)
#define BACKOFF_MIN_NS NS_PER_S
#define BACKOFF_MAX_NS (15 * 60 * NS_PER_S)

typedef struct DaemonController {
    Controller base;
    Children pods, revisions;
    History history;
    Informer *nodes;
    Expectations *expectations;
    GHashTable *backoff; /* "uid/generation/node" -> Backoff; only ever looked up */
} DaemonController;

typedef struct Backoff {
    int64_t delay_ns, last_ns;
} Backoff;

typedef struct Work {
    DaemonController *controller;
    Value *set, *status;
    GPtrArray *create; /* pod values */
    GPtrArray *doomed; /* pods: references */
    char *key;
} Work;

static void
work_free(gpointer data)
{
    Work *work = data;
    value_unref(work->set);
    value_unref(work->status);
    g_ptr_array_unref(work->create);
    g_ptr_array_unref(work->doomed);
    g_free(work->key);
    g_free(work);
}

/* ---- managing
 * ---------------------------------------------------------------------------------------- */

/* A pod that failed is replaced, but not in a tight loop. */
static bool
failed_pod_must_wait(DaemonController *controller, const DaemonView *view, const char *node,
                     Sync *sync)
{
    g_autofree char *key = g_strdup_printf("%s/%" G_GINT64_FORMAT "/%s", object_uid(view->set),
                                           object_generation(view->set), node);
    Backoff *backoff = g_hash_table_lookup(controller->backoff, key);
    if (backoff == NULL) {
        backoff = g_new0(Backoff, 1);
        g_hash_table_insert(controller->backoff, g_steal_pointer(&key), backoff);
    }
    int64_t left = backoff->last_ns + backoff->delay_ns - view->now;
    if (backoff->delay_ns > 0 && left > 0) {
        sync_again_after(sync, left);
        return true;
    }
    bool quiet = view->now - backoff->last_ns > 2 * BACKOFF_MAX_NS;
    backoff->delay_ns = backoff->delay_ns == 0 || quiet
                            ? BACKOFF_MIN_NS
                            : MIN(backoff->delay_ns * 2, BACKOFF_MAX_NS);
    backoff->last_ns = view->now;
    return false;
}

static void
record_ended_pod(DaemonController *controller, const DaemonView *view, const Value *pod,
                 bool failed)
{
    const char *node = daemon_pod_node(pod);
    if (failed)
        event_record(controller->base.recorder, view->set, "Warning", "FailedDaemonPod",
                     "Found failed daemon pod %s/%s on node %s, will try to kill it",
                     object_namespace(pod), object_name(pod), node);
    else
        event_record(controller->base.recorder, view->set, "Normal", "SucceededDaemonPod",
                     "Found succeeded daemon pod %s/%s on node %s, will try to delete it",
                     object_namespace(pod), object_name(pod), node);
}

/* More than one runs: without surge the oldest stays; with surge one old one may stay beside a new
 * one that is not yet available. */
static void
delete_surplus(const DaemonView *view, const GPtrArray *running, GPtrArray *doomed)
{
    if (daemon_max_surge(view) == 0) {
        for (guint i = 1; i < running->len; i++)
            objects_add(doomed, objects_item(running, i));
        return;
    }
    const Value *oldest_new = NULL, *oldest_old = NULL;
    for (guint i = 0; i < running->len; i++) {
        const Value *pod = objects_item(running, i);
        const Value **slot = daemon_pod_is_updated(view, pod) ? &oldest_new : &oldest_old;
        if (*slot == NULL)
            *slot = pod;
        else
            objects_add(doomed, pod);
    }
    if (oldest_old != NULL && oldest_new != NULL && daemon_pod_is_available(view, oldest_new))
        objects_add(doomed, oldest_old);
}

static void
manage_node(DaemonController *controller, const DaemonView *view, const DaemonNode *node,
            Sync *sync, GPtrArray *nodes_to_fill, GPtrArray *doomed)
{
    if (node->pods == NULL) {
        if (node->should_run)
            g_ptr_array_add(nodes_to_fill, (gpointer)node->node);
        return;
    }
    g_autoptr(GPtrArray) running = g_ptr_array_new();
    guint present = 0;
    for (guint i = 0; i < node->pods->len; i++) {
        const Value *pod = objects_item(node->pods, i);
        present++;
        if (object_is_deleting(pod))
            continue;
        bool failed = strcmp(pod_phase(pod), "Failed") == 0;
        if (!node->should_continue) {
            objects_add(doomed, pod);
        } else if (pod_is_terminal(pod)) {
            if (failed && failed_pod_must_wait(controller, view, object_name(node->node), sync))
                continue;
            record_ended_pod(controller, view, pod, failed);
            objects_add(doomed, pod);
        } else {
            g_ptr_array_add(running, (gpointer)pod);
        }
    }
    if (running->len > 1)
        delete_surplus(view, running, doomed);
    if (present == 0 && node->should_run)
        g_ptr_array_add(nodes_to_fill, (gpointer)node->node);
}

/* ---- writing
 * ----------------------------------------------------------------------------------------- */

static void
write_start(size_t index, void *begun, void *data)
{
    const Work *work = data;
    Client *client = work->controller->base.client;
    if (index < work->create->len) {
        client_create(client, "", "pods", object_namespace(work->set),
                      value_ref(objects_item(work->create, (guint)index)), sync_call, begun);
        return;
    }
    const Value *pod = objects_item(work->doomed, (guint)index - work->create->len);
    client_delete(client, "", "pods", object_namespace(pod), object_name(pod), NULL, sync_call,
                  begun);
}

static char *
write_answer(size_t index, const ApiResponse *response, void *data)
{
    const Work *work = data;
    DaemonController *controller = work->controller;
    if (index < work->create->len) {
        if (!api_response_ok(response))
            expectations_creation_observed(controller->expectations, work->key);
        return pod_created(&controller->base, work->set, "DaemonSet", response);
    }
    const Value *pod = objects_item(work->doomed, (guint)index - work->create->len);
    if (!api_response_ok(response))
        expectations_deletion_observed(controller->expectations, work->key, object_uid(pod));
    return pod_deleted(&controller->base, work->set, "DaemonSet", object_name(pod), response);
}

static void
status_write(Sync *sync, Work *work)
{
    if (values_equal_semantically(work->status, value_get(work->set, "status")))
        return;
    client_update(work->controller->base.client, "apps", "daemonsets", "status",
                  value_set(work->set, "status", value_ref(work->status)), sync_call,
                  sync_begin_tolerating(sync, "NotFound"));
}

static void
write_done(Sync *sync, const char *error, size_t skipped, void *data)
{
    Work *work = data;
    /* Skipped ones are the last of the list: deletions come last. */
    size_t deletions = MIN(skipped, work->doomed->len);
    for (size_t i = 0; i < deletions; i++)
        expectations_deletion_observed(
            work->controller->expectations, work->key,
            object_uid(objects_item(work->doomed, work->doomed->len - 1 - (guint)i)));
    expectations_lower(work->controller->expectations, work->key, (int64_t)(skipped - deletions));
    status_write(sync, work);
}

static void
write_all(DaemonController *controller, const DaemonView *view, Sync *sync,
          const GPtrArray *nodes_to_fill, GPtrArray *doomed, const char *key)
{
    static const BatchOps ops = {write_start, write_answer, write_done};
    Work *work = g_new0(Work, 1);
    *work = (Work){controller,    value_ref(view->set), daemon_status(view),
                   objects_new(), objects_new(),        g_strdup(key)};
    g_autoptr(GPtrArray) uids = g_ptr_array_new();
    for (guint i = 0; i < nodes_to_fill->len && i < BURST_REPLICAS; i++)
        g_ptr_array_add(work->create,
                        daemon_pod_new(view, object_name(objects_item(nodes_to_fill, i))));
    for (guint i = 0; i < doomed->len && i < BURST_REPLICAS; i++) {
        objects_add(work->doomed, objects_item(doomed, i));
        g_ptr_array_add(uids, (gpointer)object_uid(objects_item(doomed, i)));
    }
    if (work->create->len + work->doomed->len > 0) {
        controller_decide(&controller->base, "manage", view->set, "DaemonSet",
                          "DaemonSet %s: create %u pods where nodes lack one, delete %u",
                          object_name(view->set), work->create->len, work->doomed->len);
        expectations_set(controller->expectations, key, work->create->len, uids, view->now);
    }
    batch_run(sync, BATCH_SLOW_START, work->create->len + work->doomed->len, &ops, work, work_free);
}

static void
manage(DaemonController *controller, const DaemonView *view, Sync *sync, const char *key)
{
    g_autoptr(GPtrArray) nodes_to_fill = g_ptr_array_new(), doomed = objects_new(),
                         outdated = g_ptr_array_new();
    if (expectations_satisfied(controller->expectations, key, view->now)) {
        for (guint i = 0; i < view->nodes->len; i++)
            manage_node(controller, view, &g_array_index(view->nodes, DaemonNode, i), sync,
                        nodes_to_fill, doomed);
        for (guint i = 0; i < view->stray->len; i++)
            if (*pod_node_name(objects_item(view->stray, i)) == '\0' &&
                !object_is_deleting(objects_item(view->stray, i)))
                objects_add(doomed, objects_item(view->stray, i));
        bool rolling =
            strcmp(value_text_at(view->set, "spec.updateStrategy.type"), "OnDelete") != 0;
        if (rolling && nodes_to_fill->len == 0 && doomed->len == 0) {
            daemon_rolling_update(view, nodes_to_fill, outdated);
            for (guint i = 0; i < outdated->len; i++)
                objects_add(doomed, objects_item(outdated, i));
        }
    } else {
        sync_again_after(sync, EXPECTATIONS_TIMEOUT_NS);
    }
    write_all(controller, view, sync, nodes_to_fill, doomed, key);
}

/* minReadySeconds: time alone makes pods available. */
static void
come_back_for_availability(const DaemonView *view, Sync *sync)
{
    int64_t seconds = value_int_at(view->set, "spec.minReadySeconds");
    for (guint i = 0; seconds > 0 && i < view->pods->len; i++)
        if (pod_is_ready(objects_item(view->pods, i)) &&
            !daemon_pod_is_available(view, objects_item(view->pods, i))) {
            const Value *ready =
                condition_find(value_at(objects_item(view->pods, i), "status.conditions"), "Ready");
            int64_t left =
                time_of(value_get(ready, "lastTransitionTime")) + seconds * NS_PER_S - view->now;
            sync_again_after(sync, MAX(left, NS_PER_S));
        }
}

static void
sync_set(const char *key, Sync *sync, void *data)
{
    DaemonController *controller = data;
    const Value *cached = informer_get(controller->pods.owners, key);
    if (cached == NULL) {
        expectations_delete(controller->expectations, key);
        return;
    }
    g_autoptr(Value) set = value_ref(cached);
    if (label_selector_is_empty(value_at(set, "spec.selector"))) {
        event_record(controller->base.recorder, set, "Warning", "SelectingAll",
                     "This daemon set is selecting all pods. A non-empty selector is required.");
        return;
    }
    if (object_is_deleting(set))
        return;
    bool writing = false, writing_revisions = false;
    g_autoptr(GPtrArray) pods = children_claim(&controller->pods, set, sync, &writing, NULL);
    g_autoptr(GPtrArray) revisions =
        history_list(&controller->history, set, sync, &writing_revisions);
    if (writing || writing_revisions)
        return;
    const Value *revision = history_ensure(&controller->history, set, revisions, sync);
    if (revision == NULL)
        return;
    DaemonView view = {.controller = &controller->base,
                       .set = set,
                       .hash = revision_hash(&controller->history, revision),
                       .pods = pods,
                       .now = controller_now(&controller->base)};
    daemon_view_init(&view, controller->nodes);
    manage(controller, &view, sync, key);
    come_back_for_availability(&view, sync);
    /* Revisions that pods still run are live. */
    g_autoptr(GPtrArray) live = g_ptr_array_new();
    g_ptr_array_add(live, (gpointer)object_name(revision));
    for (guint i = 0; i < revisions->len; i++)
        for (guint j = 0; j < pods->len; j++) {
            const char *hash = object_label(objects_item(pods, j), LABEL_REVISION_HASH);
            if (hash != NULL && strcmp(hash, revision_hash(&controller->history,
                                                           objects_item(revisions, i))) == 0) {
                g_ptr_array_add(live, (gpointer)object_name(objects_item(revisions, i)));
                break;
            }
        }
    history_truncate(&controller->history, set, revisions, (const char *const *)live->pdata,
                     live->len, sync);
    daemon_view_clear(&view);
}

/* ---- who is woken
 * ------------------------------------------------------------------------------------ */

static const Value *
set_selector(const Value *set)
{
    return value_at(set, "spec.selector");
}

static int64_t
gather_delay(Controller *base, const Value *set, const Value *old, const Value *new_)
{
    return value_int_at(set, "status.desiredNumberScheduled") > LARGE_SET ? GATHER_NS : 0;
}

/* A new or changed node matters to the sets for which it makes a difference. */
static void
node_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
             void *data)
{
    DaemonController *controller = data;
    if (old != NULL && new_ != NULL && value_equal(object_labels(old), object_labels(new_)) &&
        value_equal(value_get(old, "spec"), value_get(new_, "spec")))
        return;
    InformerIter iter;
    informer_iter_init(&iter, controller->pods.owners, NULL);
    const char *set_key;
    while (informer_iter_next(&iter, &set_key) != NULL)
        if (initial || informer_count(controller->nodes) > LARGE_SET)
            work_queue_add_after(controller->base.queue, set_key, GATHER_NS);
        else
            controller_enqueue(&controller->base, set_key, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = node_changed};
    DaemonController *controller = g_new0(DaemonController, 1);
    controller_init(&controller->base, context, &daemon_set_controller_class,
                    "daemonset-controller", 2, sync_set);
    controller->expectations = expectations_new();
    controller->backoff = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    controller->nodes = context_informer(context, "", "nodes");
    controller->pods = (Children){.controller = &controller->base,
                                  .owners = context_informer(context, "apps", "daemonsets"),
                                  .kind = "DaemonSet",
                                  .informer = context_pods(context),
                                  .group = "",
                                  .resource = "pods",
                                  .owner_api_version = "apps/v1",
                                  .expectations = controller->expectations,
                                  .selector = set_selector,
                                  .delay = gather_delay};
    controller->revisions = controller->pods;
    controller->revisions.informer = context_owned_informer(context, "apps", "controllerrevisions");
    controller->revisions.group = "apps";
    controller->revisions.resource = "controllerrevisions";
    controller->revisions.expectations = NULL;
    controller->revisions.delay = NULL;
    controller->history = (History){&controller->revisions, LABEL_REVISION_HASH};
    controller_watch(&controller->base, controller->pods.owners);
    children_watch(&controller->pods);
    children_watch(&controller->revisions);
    informer_add_handler(controller->nodes, &handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    DaemonController *controller = (DaemonController *)base;
    controller_clear(base);
    expectations_free(controller->expectations);
    g_hash_table_destroy(controller->backoff);
    g_free(controller);
}

const ControllerClass daemon_set_controller_class = {"daemonset-controller", start, NULL, stop};
