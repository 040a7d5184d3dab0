#include "core/controllers/disruption/disruption.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/membership.h"
#include "core/controllers/common/util.h"

#define POD_PREFIX "pod " /* of keys that name a pod whose DisruptionTarget may be stale */
#define DELETION_TIMEOUT_NS                                                                        \
    (120 * NS_PER_S) /* an eviction that deleted nothing within this time is forgotten */
#define GATHER_NS (100 * NS_PER_MS)

typedef struct DisruptionController {
    Controller base;
    Informer *budgets, *pods, *sets, *deployments, *stateful_sets, *replication_controllers;
    Membership *membership;
} DisruptionController;

/* ---- expected counts
 * --------------------------------------------------------------------------------- */

/* The controller whose scale counts for a pod: a Deployment for its ReplicaSet's pods. NULL: none
 * that has a scale. */
static const Value *
scaled_owner(const DisruptionController *controller, const Value *pod)
{
    const Value *reference = object_controller(pod);
    const char *kind = value_text(value_get(reference, "kind")),
               *name = value_text(value_get(reference, "name"));
    const Informer *informer = strcmp(kind, "ReplicaSet") == 0    ? controller->sets
                               : strcmp(kind, "StatefulSet") == 0 ? controller->stateful_sets
                               : strcmp(kind, "ReplicationController") == 0
                                   ? controller->replication_controllers
                                   : NULL;
    const Value *owner =
        informer != NULL ? informer_get_named(informer, object_namespace(pod), name) : NULL;
    const Value *parent = object_controller(owner);
    if (parent != NULL && strcmp(value_text(value_get(parent, "kind")), "Deployment") == 0)
        return informer_get_named(controller->deployments, object_namespace(pod),
                                  value_text(value_get(parent, "name")));
    return owner;
}

/* The sum of the replicas of all controllers of the pods; *ret_unmanaged counts pods without one.
 */
static int64_t
expected_scale(const DisruptionController *controller, const GPtrArray *pods,
               int64_t *ret_unmanaged)
{
    int64_t total = 0;
    g_autoptr(GHashTable) seen =
        g_hash_table_new(g_str_hash, g_str_equal); /* only ever looked up */
    for (guint i = 0; i < pods->len; i++) {
        const Value *owner = scaled_owner(controller, objects_item(pods, i));
        if (owner == NULL)
            ++*ret_unmanaged;
        else if (g_hash_table_add(seen, (gpointer)object_uid(owner)))
            total += value_int_at_or(owner, "spec.replicas", 1);
    }
    return total;
}

static void
expected_counts(const DisruptionController *controller, const Value *budget, const GPtrArray *pods,
                int64_t *ret_expected, int64_t *ret_desired, int64_t *ret_unmanaged)
{
    const Value *max_unavailable = value_at(budget, "spec.maxUnavailable"),
                *min_available = value_at(budget, "spec.minAvailable");
    *ret_unmanaged = 0;
    if (max_unavailable != NULL) {
        *ret_expected = expected_scale(controller, pods, ret_unmanaged);
        *ret_desired =
            MAX(*ret_expected - int_or_percent(max_unavailable, *ret_expected, ROUND_UP, 0), 0);
    } else if (value_is_string(min_available)) {
        *ret_expected = expected_scale(controller, pods, ret_unmanaged);
        *ret_desired = int_or_percent(min_available, *ret_expected, ROUND_UP, 0);
    } else {
        *ret_expected = pods->len;
        *ret_desired = value_int(min_available);
    }
}

/* ---- sync
 * -------------------------------------------------------------------------------------------- */

/* Evictions that the API server granted and that are not yet seen as deletions. */
static Value *
disrupted_pods(DisruptionController *controller, Sync *sync, const Value *budget,
               const GPtrArray *pods)
{
    int64_t now = controller_now(&controller->base);
    g_autoptr(ValueBuilder) left = value_builder_new(NULL);
    const Value *known = value_at(budget, "status.disruptedPods");
    for (guint i = 0; i < pods->len; i++) {
        const Value *pod = objects_item(pods, i), *since = value_get(known, object_name(pod));
        if (since == NULL || object_is_deleting(pod))
            continue;
        int64_t wait = time_of(since) + DELETION_TIMEOUT_NS - now;
        if (wait <= 0) {
            event_record(controller->base.recorder, pod, "Warning", "NotDeleted",
                         "Pod was expected by PDB %s/%s to be deleted but it wasn't",
                         object_namespace(budget), object_name(budget));
            continue;
        }
        value_builder_set(left, object_name(pod), value_ref(since));
        sync_again_after(sync, wait);
    }
    return value_builder_end(g_steal_pointer(&left));
}

static void
sync_budget(DisruptionController *controller, Sync *sync, const char *key, const Value *budget)
{
    int64_t expected, desired, unmanaged, healthy = 0, now = controller_now(&controller->base);
    g_autoptr(GPtrArray) pods = membership_pods(controller->membership, key, budget);
    if (pods->len == 0)
        event_record(controller->base.recorder, budget, "Normal", "NoPods",
                     "No matching pods found");
    expected_counts(controller, budget, pods, &expected, &desired, &unmanaged);
    if (unmanaged > 0)
        event_record(controller->base.recorder, budget, "Warning", "UnmanagedPods",
                     "Pods selected by this PodDisruptionBudget were found to be unmanaged. As a "
                     "result, the status of the PDB cannot be "
                     "calculated correctly, which may result in undefined behavior. To account for "
                     "these pods please set \".spec.minAvailable\" "
                     "field of the PDB to an integer value.");
    g_autoptr(Value) disrupted = disrupted_pods(controller, sync, budget, pods);
    for (guint i = 0; i < pods->len; i++)
        healthy += pod_is_ready(objects_item(pods, i)) &&
                   !object_is_deleting(objects_item(pods, i)) &&
                   !value_has(disrupted, object_name(objects_item(pods, i)));
    int64_t allowed = expected <= 0 ? 0 : MAX(healthy - desired, 0);
    const Value *old = value_get(budget, "status"), *known = value_get(old, "conditions");
    Value *condition = condition_new("DisruptionAllowed", allowed > 0 ? "True" : "False",
                                     allowed > 0 ? "SufficientPods" : "InsufficientPods", "", now);
    value_edit(&condition, "observedGeneration", value_new_int(object_generation(budget)));
    g_autoptr(Value) before = known != NULL ? value_ref(known) : value_new_array();
    Value *conditions = condition_set(before, condition, false);
    Value *status =
        value_new_f("{observedGeneration: ?%i, disruptedPods: ?%v, disruptionsAllowed: %i, "
                    "currentHealthy: %i, desiredHealthy: %i, "
                    "expectedPods: %i, conditions: %V}",
                    object_generation(budget), value_size(disrupted) > 0 ? disrupted : NULL,
                    allowed, healthy, desired, expected, conditions);
    if (values_equal_semantically(status, old)) {
        value_unref(status);
        return;
    }
    client_update(controller->base.client, "policy", "poddisruptionbudgets", "status",
                  value_set(budget, "status", status), sync_call,
                  sync_begin_tolerating(sync, "NotFound"));
}

/* A pod that was to be disrupted and was not, within two minutes: the condition is taken back. */
static void
sync_stale_pod(DisruptionController *controller, Sync *sync, const char *key)
{
    const Value *pod = informer_get(controller->pods, key),
                *conditions = value_at(pod, "status.conditions");
    if (pod == NULL || object_is_deleting(pod) || pod_is_terminal(pod) ||
        !condition_is(conditions, "DisruptionTarget", "True"))
        return;
    const Value *condition = condition_find(conditions, "DisruptionTarget");
    int64_t now = controller_now(&controller->base);
    int64_t left = time_of(value_get(condition, "lastTransitionTime")) + DELETION_TIMEOUT_NS - now;
    if (left > 0) {
        sync_again_after(sync, left);
        return;
    }
    Value *written = value_set(condition, "status", value_new_string("False"));
    value_edit(&written, "lastTransitionTime", time_value(now));
    client_patch(
        controller->base.client, "", "pods", object_namespace(pod), object_name(pod), "status",
        PATCH_STRATEGIC,
        value_new_f("{metadata: {uid: %s}, status: {conditions: [%V]}}", object_uid(pod), written),
        sync_call, sync_begin_tolerating(sync, "NotFound"));
}

static void
sync_key_(const char *key, Sync *sync, void *data)
{
    DisruptionController *controller = data;
    if (g_str_has_prefix(key, POD_PREFIX)) {
        sync_stale_pod(controller, sync, key + strlen(POD_PREFIX));
        return;
    }
    const Value *cached = informer_get(controller->budgets, key);
    g_autoptr(Value) budget = cached != NULL ? value_ref(cached) : NULL;
    if (budget != NULL)
        sync_budget(controller, sync, key, budget);
}

/* ---- who is woken
 * ------------------------------------------------------------------------------------ */

static const Value *
budget_selector(const Value *budget)
{
    return value_at(budget, "spec.selector");
}

static void
index_budget(const Value *budget, GPtrArray *ret_strings)
{
    membership_index(budget, budget_selector(budget), ret_strings);
}

static void
member_changed(const char *budget_key, const Value *budget, const Value *old, const Value *new_,
               uint64_t cause, void *data)
{
    DisruptionController *controller = data;
    bool same = old != NULL && new_ != NULL && pod_is_ready(old) == pod_is_ready(new_) &&
                object_is_deleting(old) == object_is_deleting(new_) &&
                value_equal(object_labels(old), object_labels(new_)) &&
                object_controller(old) == object_controller(new_);
    if (!same)
        work_queue_add_after(controller->base.queue, budget_key, GATHER_NS);
}

static void
pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    DisruptionController *controller = data;
    if (new_ == NULL ||
        !condition_is(value_at(new_, "status.conditions"), "DisruptionTarget", "True"))
        return;
    g_autofree char *prefixed = g_strconcat(POD_PREFIX, key, NULL);
    controller_enqueue(&controller->base, prefixed, cause);
}

/* A scale that changed matters to the budgets of its pods: those that choose its template's labels.
 */
static void
scale_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
              void *data)
{
    DisruptionController *controller = data;
    if (new_ == NULL || informer_count(controller->budgets) == 0 ||
        (old != NULL &&
         value_equal(value_at(old, "spec.replicas"), value_at(new_, "spec.replicas"))))
        return;
    g_autoptr(Value) pod =
        value_new_f("{metadata: {namespace: %s, labels: ?%v}}", object_namespace(new_),
                    value_at(new_, "spec.template.metadata.labels"));
    g_autoptr(GPtrArray) budgets = membership_owners(controller->membership, pod);
    for (guint i = 0; i < budgets->len; i++)
        controller_enqueue_object(&controller->base, objects_item(budgets, i), cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler pod_handler = {.changed = pod_changed},
                                 scale_handler = {.changed = scale_changed};
    DisruptionController *controller = g_new0(DisruptionController, 1);
    controller_init(&controller->base, context, &disruption_controller_class, "controllermanager",
                    1, sync_key_);
    controller->budgets = context_informer(context, "policy", "poddisruptionbudgets");
    controller->pods = context_pods(context);
    controller->sets = context_informer(context, "apps", "replicasets");
    controller->deployments = context_informer(context, "apps", "deployments");
    controller->stateful_sets = context_informer(context, "apps", "statefulsets");
    controller->replication_controllers = context_informer(context, "", "replicationcontrollers");
    controller->membership =
        membership_new(controller->budgets, "selector", index_budget, controller->pods,
                       budget_selector, member_changed, controller);
    controller_watch(&controller->base, controller->budgets);
    informer_add_handler(controller->pods, &pod_handler, controller);
    informer_add_handler(controller->deployments, &scale_handler, controller);
    informer_add_handler(controller->sets, &scale_handler, controller);
    informer_add_handler(controller->stateful_sets, &scale_handler, controller);
    informer_add_handler(controller->replication_controllers, &scale_handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    membership_free(((DisruptionController *)base)->membership);
    g_free(base);
}

const ControllerClass disruption_controller_class = {"disruption-controller", start, NULL, stop};
