/* The order in which the pods of a StatefulSet come and go (stateful_set_control.go
 * updateStatefulSet):
 *
 *   missing and ended ones from the lowest ordinal up -> surplus ones from the highest down ->
 * outdated ones from the highest down
 *
 * With OrderedReady each waits for the one before. */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/statefulset/view.h"

static bool
is_running_and_ready(const Value *pod)
{
    return strcmp(pod_phase(pod), "Running") == 0 && pod_is_ready(pod);
}

static void
count_pod(StatefulView *view, const Value *pod)
{
    if (*pod_phase(pod) == '\0')
        return;
    view->n_replicas++;
    if (is_running_and_ready(pod)) {
        view->n_ready++;
        view->n_available +=
            pod_is_available(pod, value_int_at(view->set, "spec.minReadySeconds"), view->now);
    }
    if (object_is_deleting(pod))
        return;
    view->n_current += strcmp(pod_revision(pod), object_name(view->current)) == 0;
    view->n_updated += strcmp(pod_revision(pod), object_name(view->update)) == 0;
}

static void
discount_pod(StatefulView *view, const Value *pod)
{
    view->n_current -= strcmp(pod_revision(pod), object_name(view->current)) == 0;
    view->n_updated -= strcmp(pod_revision(pod), object_name(view->update)) == 0;
}

/* True: the ordered set waits here. */
static bool
process_replica(StatefulView *view, int64_t index)
{
    const Value *pod = view->slots[index], *set = view->set;
    bool ordered = !stateful_is_parallel(set);
    int64_t ordinal = view->start + index;
    if (pod == NULL) {
        stateful_create(view, ordinal);
        return ordered;
    }
    if (pod_is_terminal(pod)) {
        if (object_is_deleting(pod))
            return true;
        bool failed = strcmp(pod_phase(pod), "Failed") == 0;
        event_record(view->controller->base.recorder, set, failed ? "Warning" : "Normal",
                     failed ? "RecreatingFailedPod" : "RecreatingTerminatedPod",
                     "StatefulSet %s/%s is recreating %s Pod %s", object_namespace(set),
                     object_name(set), failed ? "failed" : "terminated", object_name(pod));
        stateful_delete(view, pod);
        discount_pod(view, pod);
        return true;
    }
    if (!object_is_deleting(pod)) {
        stateful_update_claims(view, pod, false);
        if (stateful_fix_identity(view, pod, ordinal))
            return ordered;
    }
    return ordered && !pod_is_healthy_member(view, pod);
}

static const Value *
first_unhealthy(const StatefulView *view)
{
    for (int64_t i = 0; i < view->replicas; i++)
        if (view->slots[i] != NULL &&
            (!is_running_and_ready(view->slots[i]) || object_is_deleting(view->slots[i])))
            return view->slots[i];
    for (guint i = view->condemned->len; i > 0; i--) {
        const Value *pod = objects_item(view->condemned, i - 1);
        if (!is_running_and_ready(pod) || object_is_deleting(pod))
            return pod;
    }
    return NULL;
}

/* True: the ordered set waits here. */
static bool
process_condemned(StatefulView *view, const Value *pod, const Value *unhealthy)
{
    bool ordered = !stateful_is_parallel(view->set);
    if (object_is_deleting(pod))
        return ordered;
    if (ordered && pod != unhealthy &&
        (!is_running_and_ready(pod) || !pod_is_healthy_member(view, pod)))
        return true;
    if (ordered && unhealthy != NULL && pod != unhealthy && !is_running_and_ready(pod))
        return true;
    stateful_update_claims(view, pod, true);
    stateful_delete(view, pod);
    discount_pod(view, pod);
    return ordered;
}

static void
update_outdated(StatefulView *view)
{
    const Value *rolling = value_at(view->set, "spec.updateStrategy.rollingUpdate");
    int64_t least = value_int(value_get(rolling, "partition"));
    int64_t budget =
        MAX(int_or_percent(value_get(rolling, "maxUnavailable"), view->replicas, ROUND_DOWN, 1), 1);
    for (int64_t i = view->replicas - 1; i >= least && budget > 0; i--) {
        const Value *pod = view->slots[i];
        if (pod == NULL) {
            budget--;
        } else if (strcmp(pod_revision(pod), object_name(view->update)) != 0 &&
                   !object_is_deleting(pod)) {
            stateful_delete(view, pod);
            discount_pod(view, pod);
            budget--;
        } else if (!pod_is_healthy_member(view, pod)) {
            budget--;
        }
    }
}

/* Everything runs the new revision: it is the current one now. */
static void
complete_update(StatefulView *view)
{
    if (view->n_updated == view->replicas && view->n_replicas == view->replicas &&
        view->n_ready == view->replicas &&
        strcmp(value_text_at(view->set, "spec.updateStrategy.type"), "OnDelete") != 0) {
        view->n_current = view->n_updated;
        view->current_revision = object_name(view->update);
    }
}

void
stateful_reconcile(StatefulView *view)
{
    view->current_revision = object_name(view->current);
    for (int64_t i = 0; i < view->replicas; i++)
        if (view->slots[i] != NULL)
            count_pod(view, view->slots[i]);
    for (guint i = 0; i < view->condemned->len; i++)
        count_pod(view, objects_item(view->condemned, i));
    if (object_is_deleting(view->set))
        return;
    const Value *unhealthy = first_unhealthy(view);
    bool wait = false;
    for (int64_t i = 0; i < view->replicas && !wait; i++)
        wait = process_replica(view, i);
    for (guint i = 0; i < view->condemned->len && !wait; i++)
        wait = process_condemned(view, objects_item(view->condemned, i), unhealthy);
    if (!wait && strcmp(value_text_at(view->set, "spec.updateStrategy.type"), "OnDelete") != 0)
        update_outdated(view);
    complete_update(view);
}

Value *
stateful_status(const StatefulView *view)
{
    const Value *old = value_get(view->set, "status");
    return value_new_f(
        "{replicas: %i, readyReplicas: ?%i, availableReplicas: %i, currentReplicas: ?%i, "
        "updatedReplicas: ?%i, "
        "currentRevision: %s, updateRevision: %s, observedGeneration: ?%i, collisionCount: %V, "
        "conditions: ?%v}",
        view->n_replicas, view->n_ready, view->n_available, view->n_current, view->n_updated,
        view->current_revision, object_name(view->update), object_generation(view->set),
        value_new_int(value_int(value_get(old, "collisionCount"))), value_get(old, "conditions"));
}
