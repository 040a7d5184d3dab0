/* The Deployment's status: counts, and the conditions Available, Progressing and ReplicaFailure
 * (progress.go). */
#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/deployment/rollout.h"

Value *
deployment_condition_new(const char *type, const char *status, const char *reason,
                         const char *message, int64_t now)
{
    Value *condition = condition_new(type, status, reason, message, now);
    value_edit(&condition, "lastUpdateTime", time_value(now));
    return condition;
}

static int64_t
sum(const GPtrArray *sets, const char *path)
{
    int64_t total = 0;
    for (guint i = 0; i < sets->len; i++)
        total += value_int_at(objects_item(sets, i), path);
    return total;
}

Value *
rollout_calculate_status(const Rollout *rollout)
{
    const Value *deployment = rollout->deployment, *old = value_get(deployment, "status");
    int64_t now = controller_now(rollout->controller), wanted = 0;
    for (guint i = 0; i < rollout->sets->len; i++)
        wanted += set_replicas(objects_item(rollout->sets, i));
    int64_t available = sum(rollout->sets, "status.availableReplicas");
    int64_t terminating = sum(rollout->sets, "status.terminatingReplicas");
    int64_t minimum = deployment_replicas(deployment) - deployment_max_unavailable(deployment);
    Value *condition =
        available >= minimum
            ? deployment_condition_new("Available", "True", "MinimumReplicasAvailable",
                                       "Deployment has minimum availability.", now)
            : deployment_condition_new("Available", "False", "MinimumReplicasUnavailable",
                                       "Deployment does not have minimum availability.", now);
    Value *conditions = conditions_put(value_get(old, "conditions"), condition);
    return value_new_f(
        "{observedGeneration: ?%i, replicas: ?%i, updatedReplicas: ?%i, readyReplicas: ?%i, "
        "availableReplicas: ?%i, "
        "unavailableReplicas: ?%i, terminatingReplicas: %i, collisionCount: ?%v, conditions: %V}",
        object_generation(deployment), sum(rollout->sets, "status.replicas"),
        value_int_at(rollout->new_set, "status.replicas"),
        sum(rollout->sets, "status.readyReplicas"), available, MAX(wanted - available, 0),
        terminating, value_get(old, "collisionCount"), conditions);
}

void
rollout_write_status(Rollout *rollout, Value *take_status)
{
    client_update(rollout->controller->client, "apps", "deployments", "status",
                  value_set(rollout->deployment, "status", take_status), sync_call,
                  sync_begin_tolerating(rollout->sync, "NotFound"));
}

void
rollout_sync_counts(Rollout *rollout)
{
    g_autoptr(Value) status = rollout_calculate_status(rollout);
    if (!values_equal_semantically(status, value_get(rollout->deployment, "status")))
        rollout_write_status(rollout, g_steal_pointer(&status));
}

/* ---- progress
 * ---------------------------------------------------------------------------------------- */

static int64_t
count(const Value *status, const char *key)
{
    return value_int(value_get(status, key));
}

static bool
has_progressed(const Value *old, const Value *new_)
{
    int64_t old_left = count(old, "replicas") - count(old, "updatedReplicas");
    int64_t new_left = count(new_, "replicas") - count(new_, "updatedReplicas");
    return count(new_, "updatedReplicas") > count(old, "updatedReplicas") || new_left < old_left ||
           count(new_, "readyReplicas") > count(old, "readyReplicas") ||
           count(new_, "availableReplicas") > count(old, "availableReplicas");
}

static bool
has_timed_out(const Rollout *rollout, const Value *status)
{
    const Value *condition = condition_find(value_get(status, "conditions"), "Progressing");
    if (condition == NULL)
        return false;
    const char *reason = value_text(value_get(condition, "reason"));
    if (strcmp(reason, "NewReplicaSetAvailable") == 0)
        return false;
    if (strcmp(reason, "ProgressDeadlineExceeded") == 0)
        return true;
    int64_t deadline = value_int_at(rollout->deployment, "spec.progressDeadlineSeconds") * NS_PER_S;
    return time_of(value_get(condition, "lastUpdateTime")) + deadline <
           controller_now(rollout->controller);
}

static void
put_progressing(const Rollout *rollout, Value **status, const char *value, const char *reason,
                const char *what)
{
    g_autofree char *message =
        rollout->new_set != NULL
            ? g_strdup_printf("ReplicaSet \"%s\" %s", object_name(rollout->new_set), what)
            : g_strdup_printf("Deployment \"%s\" %s", object_name(rollout->deployment), what);
    Value *condition = deployment_condition_new("Progressing", value, reason, message,
                                                controller_now(rollout->controller));
    const Value *conditions = value_get(*status, "conditions");
    const Value *known = condition_find(conditions, "Progressing");
    if (strcmp(reason, "ReplicaSetUpdated") == 0 && known != NULL) {
        /* The same reason again: what counts is lastUpdateTime, from which the deadline runs. */
        if (strcmp(value_text(value_get(known, "status")), "True") == 0)
            value_edit(&condition, "lastTransitionTime",
                       value_ref(value_get(known, "lastTransitionTime")));
        g_autoptr(Value) others = conditions_remove(conditions, "Progressing");
        value_edit(status, "conditions", value_append(others, condition));
        return;
    }
    value_edit(status, "conditions", conditions_put(conditions, condition));
}

static void
estimate_progress(const Rollout *rollout, Value **status)
{
    const Value *old = value_get(rollout->deployment, "status");
    const Value *known = condition_find(value_get(old, "conditions"), "Progressing");
    bool rolled_out = count(*status, "replicas") == count(*status, "updatedReplicas") &&
                      known != NULL &&
                      strcmp(value_text(value_get(known, "reason")), "NewReplicaSetAvailable") == 0;
    if (rolled_out)
        return;
    if (deployment_is_complete(rollout->deployment, *status))
        put_progressing(rollout, status, "True", "NewReplicaSetAvailable",
                        "has successfully progressed.");
    else if (has_progressed(old, *status))
        put_progressing(rollout, status, "True", "ReplicaSetUpdated", "is progressing.");
    else if (has_timed_out(rollout, *status))
        put_progressing(rollout, status, "False", "ProgressDeadlineExceeded",
                        "has timed out progressing.");
}

/* The new set's failure before that of any other. */
static Value *
replica_failure(const Rollout *rollout)
{
    const Value *failure =
        condition_find(value_at(rollout->new_set, "status.conditions"), "ReplicaFailure");
    for (guint i = 0; i < rollout->old_sets->len && failure == NULL; i++)
        failure = condition_find(value_at(objects_item(rollout->old_sets, i), "status.conditions"),
                                 "ReplicaFailure");
    if (failure == NULL)
        return NULL;
    Value *condition = value_ref(failure);
    value_edit(&condition, "lastUpdateTime", value_ref(value_get(failure, "lastTransitionTime")));
    return condition;
}

/* Nothing changed: come back when the deadline may have passed. */
static void
come_back_when_stuck(Rollout *rollout, const Value *status)
{
    const Value *condition =
        condition_find(value_at(rollout->deployment, "status.conditions"), "Progressing");
    if (!deployment_has_progress_deadline(rollout->deployment) || condition == NULL ||
        deployment_is_complete(rollout->deployment, status) ||
        strcmp(value_text(value_get(condition, "reason")), "ProgressDeadlineExceeded") == 0)
        return;
    int64_t deadline = value_int_at(rollout->deployment, "spec.progressDeadlineSeconds") * NS_PER_S;
    int64_t after = time_of(value_get(condition, "lastUpdateTime")) + deadline -
                    controller_now(rollout->controller);
    /* One second more, since the stored time has only seconds. */
    sync_again_after(rollout->sync, MAX(after, 0) + NS_PER_S);
}

void
rollout_sync_progress(Rollout *rollout)
{
    const Value *old = value_get(rollout->deployment, "status");
    g_autoptr(Value) status = rollout_calculate_status(rollout);
    if (deployment_has_progress_deadline(rollout->deployment))
        estimate_progress(rollout, &status);
    else
        value_edit(&status, "conditions",
                   conditions_remove(value_get(status, "conditions"), "Progressing"));
    Value *failure = replica_failure(rollout);
    value_edit(&status, "conditions",
               failure != NULL
                   ? conditions_put(value_get(status, "conditions"), failure)
                   : conditions_remove(value_get(status, "conditions"), "ReplicaFailure"));
    if (values_equal_semantically(status, old))
        come_back_when_stuck(rollout, status);
    else
        rollout_write_status(rollout, g_steal_pointer(&status));
}
