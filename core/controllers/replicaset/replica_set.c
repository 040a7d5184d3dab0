/* Keeps as many pods as spec.replicas says: creates missing ones in slow-start batches, deletes the
 * surplus in the order of ActivePodsWithRanks, adopts and releases by labels, and writes the counts
 * into the status.
 *
 * Counts of pods come from counts.c, so that a sync costs the same however many pods a set has;
 * only scaling down looks at them all. A set of more than LARGE_SET pods gathers its pods' changes
 * for GATHER_NS, so that 1,500 pods becoming ready make tens of status writes and not 1,500. */
#include "core/controllers/replicaset/replica_set.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/batch.h"
#include "core/controllers/common/children.h"
#include "core/controllers/common/pod_control.h"
#include "core/controllers/common/util.h"
#include "core/controllers/replicaset/counts.h"

#define BURST_REPLICAS 500 /* of replica_set.go: creations or deletions of one sync */
#define LARGE_SET 100
#define GATHER_NS (200 * NS_PER_MS)

typedef struct Flavor {
    const ControllerClass *class_;
    const char *actor, *group, *resource, *kind, *api_version;
} Flavor;

typedef struct ReplicaSetController {
    Controller base;
    const Flavor *flavor;
    Children pods;
    Expectations *expectations;
    CountTable *counts;
} ReplicaSetController;

/* One sync that writes: what its completion needs to know. */
typedef struct Work {
    ReplicaSetController *controller;
    Value *set;
    PodCounts counts;
    int64_t diff;      /* active - wanted */
    GPtrArray *doomed; /* pods to delete, or NULL */
    Value *pod;        /* what to create: one value for all, the server names it */
    char *key;
} Work;

static void
work_free(gpointer data)
{
    Work *work = data;
    value_unref(work->set);
    value_unref(work->pod);
    if (work->doomed != NULL)
        g_ptr_array_unref(work->doomed);
    g_free(work->key);
    g_free(work);
}

static int64_t
replicas_wanted(const Value *set)
{
    return value_int_at_or(set, "spec.replicas", 1);
}

/* ---- status
 * ------------------------------------------------------------------------------------------ */

static Value *
status_conditions(const Work *work, const Value *old, const char *error)
{
    if (error == NULL)
        return conditions_remove(old, "ReplicaFailure");
    if (condition_find(old, "ReplicaFailure") != NULL)
        return value_ref(old);
    const char *reason = work->diff < 0 ? "FailedCreate" : work->diff > 0 ? "FailedDelete" : "";
    return conditions_put(old, condition_new("ReplicaFailure", "True", reason, error,
                                             controller_now(&work->controller->base)));
}

static void
status_write(Sync *sync, const Work *work, const char *error)
{
    const ReplicaSetController *controller = work->controller;
    const PodCounts *counts = &work->counts;
    const Value *old = value_get(work->set, "status");
    g_autoptr(Value) conditions = status_conditions(work, value_get(old, "conditions"), error);
    g_autoptr(Value) status = value_new_f(
        "{replicas: %i, fullyLabeledReplicas: ?%i, readyReplicas: ?%i, availableReplicas: ?%i, "
        "terminatingReplicas: %i, "
        "observedGeneration: ?%i, conditions: ?%v}",
        counts->active, counts->labeled, counts->ready, counts->available, counts->terminating,
        object_generation(work->set), value_size(conditions) > 0 ? conditions : NULL);
    if (controller->flavor == NULL || !g_str_equal(controller->flavor->kind, "ReplicaSet"))
        value_edit_remove(&status, "terminatingReplicas");
    if (counts->next_available_ns > 0)
        sync_again_after(sync, counts->next_available_ns);
    if (values_equal_semantically(old, status))
        return;
    client_update(controller->base.client, controller->flavor->group, controller->flavor->resource,
                  "status", value_set(work->set, "status", g_steal_pointer(&status)), sync_call,
                  sync_begin_tolerating(sync, "NotFound"));
}

/* ---- scaling
 * ----------------------------------------------------------------------------------------- */

static void
create_start(size_t index, void *begun, void *data)
{
    const Work *work = data;
    client_create(work->controller->base.client, "", "pods", object_namespace(work->set),
                  value_ref(work->pod), sync_call, begun);
}

static char *
create_answer(size_t index, const ApiResponse *response, void *data)
{
    const Work *work = data;
    if (!api_response_ok(response))
        expectations_creation_observed(work->controller->expectations, work->key);
    return pod_created(&work->controller->base, work->set, work->controller->flavor->kind,
                       response);
}

static void
delete_start(size_t index, void *begun, void *data)
{
    const Work *work = data;
    const Value *pod = objects_item(work->doomed, (guint)index);
    client_delete(work->controller->base.client, "", "pods", object_namespace(pod),
                  object_name(pod), NULL, sync_call, begun);
}

static char *
delete_answer(size_t index, const ApiResponse *response, void *data)
{
    const Work *work = data;
    const Value *pod = objects_item(work->doomed, (guint)index);
    if (!api_response_ok(response))
        expectations_deletion_observed(work->controller->expectations, work->key, object_uid(pod));
    return pod_deleted(&work->controller->base, work->set, work->controller->flavor->kind,
                       object_name(pod), response);
}

static void
scale_done(Sync *sync, const char *error, size_t skipped, void *data)
{
    const Work *work = data;
    if (skipped > 0)
        expectations_lower(work->controller->expectations, work->key, (int64_t)skipped);
    status_write(sync, work, error);
}

/* How many related pods (of sets with the same controller) share a pod's node. */
typedef struct Neighbours {
    GHashTable *on_node; /* name -> count; only looked up */
} Neighbours;

static int64_t
neighbours_rank(const Value *pod, void *data)
{
    const Neighbours *neighbours = data;
    return GPOINTER_TO_INT(g_hash_table_lookup(neighbours->on_node, pod_node_name(pod)));
}

static void
neighbours_count(Neighbours *neighbours, const GPtrArray *pods)
{
    for (guint i = 0; i < pods->len; i++) {
        const Value *pod = objects_item(pods, i);
        if (!pod_is_active(pod) || *pod_node_name(pod) == '\0')
            continue;
        gpointer name = (gpointer)pod_node_name(pod);
        int count = GPOINTER_TO_INT(g_hash_table_lookup(neighbours->on_node, name));
        g_hash_table_replace(neighbours->on_node, name, GINT_TO_POINTER(count + 1));
    }
}

static GPtrArray *
pods_to_delete(ReplicaSetController *controller, const Value *set, int64_t count)
{
    Informer *informer = controller->pods.informer;
    const GPtrArray *owned = informer_owned_by(informer, object_uid(set));
    GPtrArray *candidates = objects_new();
    for (guint i = 0; i < owned->len; i++)
        if (pod_is_active(objects_item(owned, i)))
            objects_add(candidates, objects_item(owned, i));
    if (count < (int64_t)candidates->len) {
        Neighbours neighbours = {g_hash_table_new(g_str_hash, g_str_equal)};
        const Value *parent = object_controller(set);
        if (parent == NULL) {
            neighbours_count(&neighbours, owned);
        } else {
            const GPtrArray *sets =
                informer_owned_by(controller->pods.owners, value_text(value_get(parent, "uid")));
            g_autoptr(GPtrArray) siblings = objects_copy(sets);
            for (guint i = 0; i < siblings->len; i++)
                neighbours_count(&neighbours, informer_owned_by(
                                                  informer, object_uid(objects_item(siblings, i))));
        }
        pods_sort_for_deletion(candidates, neighbours_rank, &neighbours,
                               controller_now(&controller->base));
        g_hash_table_destroy(neighbours.on_node);
        g_ptr_array_set_size(candidates, (gint)count);
    }
    return candidates;
}

static void
scale_up(Sync *sync, Work *work)
{
    static const BatchOps ops = {create_start, create_answer, scale_done};
    ReplicaSetController *controller = work->controller;
    const Flavor *flavor = controller->flavor;
    int64_t count = MIN(-work->diff, BURST_REPLICAS);
    controller_decide(&controller->base, "create", work->set, flavor->kind,
                      "%s %s has %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
                      " pods: create %" G_GINT64_FORMAT,
                      flavor->kind, object_name(work->set), work->counts.active,
                      replicas_wanted(work->set), count);
    work->pod = pod_from_template(value_at(work->set, "spec.template"), work->set,
                                  flavor->api_version, flavor->kind);
    expectations_set(controller->expectations, work->key, count, NULL,
                     controller_now(&controller->base));
    batch_run(sync, BATCH_SLOW_START, (size_t)count, &ops, work, work_free);
}

static void
scale_down(Sync *sync, Work *work)
{
    static const BatchOps ops = {delete_start, delete_answer, scale_done};
    ReplicaSetController *controller = work->controller;
    work->doomed = pods_to_delete(controller, work->set, MIN(work->diff, BURST_REPLICAS));
    controller_decide(&controller->base, "delete", work->set, controller->flavor->kind,
                      "%s %s has %" G_GINT64_FORMAT " pods and wants %" G_GINT64_FORMAT
                      ": delete %u",
                      controller->flavor->kind, object_name(work->set), work->counts.active,
                      replicas_wanted(work->set), work->doomed->len);
    g_autoptr(GPtrArray) uids = g_ptr_array_new();
    for (guint i = 0; i < work->doomed->len; i++)
        g_ptr_array_add(uids, (gpointer)object_uid(objects_item(work->doomed, i)));
    expectations_set(controller->expectations, work->key, 0, uids,
                     controller_now(&controller->base));
    batch_run(sync, BATCH_ALL, work->doomed->len, &ops, work, work_free);
}

static void
sync_set(const char *key, Sync *sync, void *data)
{
    ReplicaSetController *controller = data;
    int64_t now = controller_now(&controller->base);
    const Value *set = informer_get(controller->pods.owners, key);
    if (set == NULL) {
        expectations_delete(controller->expectations, key);
        return;
    }
    bool satisfied = expectations_satisfied(controller->expectations, key, now);
    PodCounts counts = count_table_get(controller->counts, set, controller->pods.informer, now);
    if (counts.strangers > 0 ||
        informer_orphans(controller->pods.informer, object_namespace(set))->len > 0) {
        bool writing = false;
        g_ptr_array_unref(children_claim(&controller->pods, set, sync, &writing, NULL));
        if (writing)
            return;
    }
    Work *work = g_new0(Work, 1);
    *work = (Work){.controller = controller,
                   .set = value_ref(set),
                   .counts = counts,
                   .diff = counts.active - replicas_wanted(set),
                   .key = g_strdup(key)};
    if (!satisfied)
        sync_again_after(sync, EXPECTATIONS_TIMEOUT_NS);
    if (satisfied && !object_is_deleting(set) && work->diff < 0) {
        scale_up(sync, work);
    } else if (satisfied && !object_is_deleting(set) && work->diff > 0) {
        scale_down(sync, work);
    } else {
        const Value *failure = condition_find(value_at(set, "status.conditions"), "ReplicaFailure");
        g_autofree char *message = satisfied || failure == NULL
                                       ? NULL
                                       : g_strdup(value_text(value_get(failure, "message")));
        status_write(sync, work, message);
        work_free(work);
    }
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
    return replicas_wanted(set) > LARGE_SET && old != NULL && new_ != NULL &&
                   !object_is_deleting(new_)
               ? GATHER_NS
               : 0;
}

static void
pod_changed(Controller *base, const Value *set, const Value *old, const Value *new_)
{
    count_table_change(((ReplicaSetController *)base)->counts, set, old, new_);
}

static void
set_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    ReplicaSetController *controller = data;
    if (old != NULL && (new_ == NULL || strcmp(object_uid(old), object_uid(new_)) != 0)) {
        expectations_delete(controller->expectations, key);
        count_table_forget(controller->counts, object_uid(old));
    }
    controller_enqueue(&controller->base, key, cause);
}

static Controller *
start(ControllerContext *context, const Flavor *flavor)
{
    static const InformerHandler handler = {.changed = set_changed};
    ReplicaSetController *controller = g_new0(ReplicaSetController, 1);
    controller_init(&controller->base, context, flavor->class_, flavor->actor, 5, sync_set);
    controller->flavor = flavor;
    controller->expectations = expectations_new();
    controller->counts = count_table_new();
    controller->pods =
        (Children){.controller = &controller->base,
                   .owners = context_owned_informer(context, flavor->group, flavor->resource),
                   .kind = flavor->kind,
                   .informer = context_pods(context),
                   .group = "",
                   .resource = "pods",
                   .owner_api_version = flavor->api_version,
                   .expectations = controller->expectations,
                   .selector = set_selector,
                   .delay = gather_delay,
                   .changed = pod_changed};
    informer_add_handler(controller->pods.owners, &handler, controller);
    children_watch(&controller->pods);
    return &controller->base;
}

static Controller *
start_replica_set(ControllerContext *context)
{
    static const Flavor flavor = {&replica_set_controller_class,
                                  "replicaset-controller",
                                  "apps",
                                  "replicasets",
                                  "ReplicaSet",
                                  "apps/v1"};
    return start(context, &flavor);
}

static Controller *
start_replication(ControllerContext *context)
{
    static const Flavor flavor = {&replication_controller_class, "replication-controller", "",
                                  "replicationcontrollers",      "ReplicationController",  "v1"};
    return start(context, &flavor);
}

static void
stop(Controller *base)
{
    ReplicaSetController *controller = (ReplicaSetController *)base;
    controller_clear(base);
    expectations_free(controller->expectations);
    count_table_free(controller->counts);
    g_free(controller);
}

const ControllerClass replica_set_controller_class = {"replicaset-controller", start_replica_set,
                                                      NULL, stop};
const ControllerClass replication_controller_class = {"replicationcontroller-controller",
                                                      start_replication, NULL, stop};
