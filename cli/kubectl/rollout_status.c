/* kubectl rollout status: follows a rollout to its end, with the words of kubectl's
 * pkg/polymorphichelpers. */
#include <string.h>

#include "cli/kubectl/rollout.h"
#include "core/api/meta.h"

#define INT G_GINT64_FORMAT

typedef struct Rollout {
    Kube *kube;
    const KubeItem *item;
    int64_t revision; /* --revision; 0: any */
    char *last;       /* the text said last */
    char *error;      /* why it ended badly; with the newline */
    bool gone;
} Rollout;

/* Each gives the text of the state (owned), and *ret_done; *ret_error for an end without success.
 */

static char *
deployment_state(const Value *object, bool *ret_done, char **ret_error)
{
    const char *name = object_name(object);
    int64_t replicas = value_int_at_or(object, "spec.replicas", 1);
    int64_t updated = value_int_at(object, "status.updatedReplicas");
    int64_t total = value_int_at(object, "status.replicas");
    int64_t available = value_int_at(object, "status.availableReplicas");
    if (object_generation(object) > value_int_at(object, "status.observedGeneration"))
        return g_strdup("Waiting for deployment spec update to be observed...\n");
    const Value *progressing = condition_find(value_at(object, "status.conditions"), "Progressing");
    if (strcmp(value_text(value_get(progressing, "reason")), "ProgressDeadlineExceeded") == 0) {
        *ret_error =
            g_strdup_printf("error: deployment \"%s\" exceeded its progress deadline\n", name);
        return NULL;
    }
    if (updated < replicas)
        return g_strdup_printf("Waiting for deployment \"%s\" rollout to finish: %" INT
                               " out of %" INT " new replicas have been updated...\n",
                               name, updated, replicas);
    if (total > updated)
        return g_strdup_printf("Waiting for deployment \"%s\" rollout to finish: %" INT
                               " old replicas are pending termination...\n",
                               name, total - updated);
    if (available < updated)
        return g_strdup_printf("Waiting for deployment \"%s\" rollout to finish: %" INT " of %" INT
                               " updated replicas are available...\n",
                               name, available, updated);
    *ret_done = true;
    return g_strdup_printf("deployment \"%s\" successfully rolled out\n", name);
}

static char *
daemon_set_state(const Value *object, bool *ret_done, char **ret_error)
{
    const char *name = object_name(object);
    int64_t desired = value_int_at(object, "status.desiredNumberScheduled");
    int64_t updated = value_int_at(object, "status.updatedNumberScheduled");
    int64_t available = value_int_at(object, "status.numberAvailable");
    if (strcmp(value_text_at(object, "spec.updateStrategy.type"), "OnDelete") == 0) {
        *ret_error =
            g_strdup("error: rollout status is only available for RollingUpdate strategy type\n");
        return NULL;
    }
    if (object_generation(object) > value_int_at(object, "status.observedGeneration"))
        return g_strdup("Waiting for daemon set spec update to be observed...\n");
    if (updated < desired)
        return g_strdup_printf("Waiting for daemon set \"%s\" rollout to finish: %" INT
                               " out of %" INT " new pods have been updated...\n",
                               name, updated, desired);
    if (available < desired)
        return g_strdup_printf("Waiting for daemon set \"%s\" rollout to finish: %" INT " of %" INT
                               " updated pods are available...\n",
                               name, available, desired);
    *ret_done = true;
    return g_strdup_printf("daemon set \"%s\" successfully rolled out\n", name);
}

static char *
stateful_set_state(const Value *object, bool *ret_done, char **ret_error)
{
    int64_t replicas = value_int_at_or(object, "spec.replicas", 1);
    int64_t partition = value_int_at(object, "spec.updateStrategy.rollingUpdate.partition");
    int64_t updated = value_int_at(object, "status.updatedReplicas");
    int64_t ready = value_int_at(object, "status.readyReplicas");
    const char *current = value_text_at(object, "status.currentRevision");
    const char *update = value_text_at(object, "status.updateRevision");
    if (strcmp(value_text_at(object, "spec.updateStrategy.type"), "OnDelete") == 0) {
        *ret_error =
            g_strdup("error: rollout status is only available for RollingUpdate strategy type\n");
        return NULL;
    }
    if (value_int_at(object, "status.observedGeneration") == 0 ||
        object_generation(object) > value_int_at(object, "status.observedGeneration"))
        return g_strdup("Waiting for statefulset spec update to be observed...\n");
    if (ready < replicas)
        return g_strdup_printf("Waiting for %" INT " pods to be ready...\n", replicas - ready);
    if (partition > 0) {
        if (updated < replicas - partition)
            return g_strdup_printf("Waiting for partitioned roll out to finish: %" INT
                                   " out of %" INT " new pods have been updated...\n",
                                   updated, replicas - partition);
        *ret_done = true;
        return g_strdup_printf(
            "partitioned roll out complete: %" INT " new pods have been updated...\n", updated);
    }
    if (strcmp(current, update) != 0)
        return g_strdup_printf("waiting for statefulset rolling update to complete %" INT
                               " pods at revision %s...\n",
                               updated, update);
    *ret_done = true;
    return g_strdup_printf("statefulset rolling update complete %" INT " pods at revision %s...\n",
                           value_int_at(object, "status.currentReplicas"), current);
}

static bool
advance(const Value *object, void *data)
{
    Rollout *rollout = data;
    bool done = false;
    if (object == NULL) {
        rollout->gone = true;
        rollout->error = g_strdup("error: object has been deleted\n");
        return true;
    }
    const char *kind = rollout->item->kind->kind;
    const char *now = object_annotation(object, "deployment.kubernetes.io/revision");
    if (rollout->revision > 0 && now != NULL &&
        g_ascii_strtoll(now, NULL, 10) != rollout->revision) {
        rollout->error = g_strdup_printf("error: desired revision (%" INT
                                         ") is different from the running revision (%s)\n",
                                         rollout->revision, now);
        return true;
    }
    g_autofree char *text =
        strcmp(kind, "Deployment") == 0  ? deployment_state(object, &done, &rollout->error)
        : strcmp(kind, "DaemonSet") == 0 ? daemon_set_state(object, &done, &rollout->error)
                                         : stateful_set_state(object, &done, &rollout->error);
    if (rollout->error != NULL)
        return true;
    if (rollout->last == NULL || strcmp(rollout->last, text) != 0) {
        kube_write(rollout->kube, 1, text);
        g_free(rollout->last);
        rollout->last = g_steal_pointer(&text);
    }
    return done || !kube_flag_bool(rollout->kube, "watch");
}

int
rollout_status_of(Kube *kube, const KubeItem *item)
{
    Rollout rollout = {.kube = kube, .item = item, .revision = kube_flag_int(kube, "revision")};
    static const char *const known[] = {"Deployment", "DaemonSet", "StatefulSet", NULL};
    if (!g_strv_contains(known, item->kind->kind))
        return kube_fail(kube, "no status viewer has been implemented for %s", item->kind->kind);
    int64_t timeout = kube_flag_duration(kube, "timeout");
    char *error = NULL;
    Await outcome = kube_await(kube, item->kind, item->namespace_, item->name, advance, &rollout,
                               timeout > 0 ? timeout : -1, &error);
    g_free(rollout.last);
    if (outcome == AWAIT_FAILED)
        return kube_fail_take(kube, error);
    if (rollout.error != NULL)
        return kube_fail_take(kube, rollout.error);
    if (outcome == AWAIT_TIMEOUT)
        return kube_fail(kube, "timed out waiting for the condition");
    return outcome == AWAIT_DONE ? 0 : 1;
}

static int
status_run(Kube *kube)
{
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, kube_n_args(kube));
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= rollout_status_of(kube, kube_item(items, i));
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    {"watch", 'w', FLAG_BOOL, "true", NULL, "Go on until it is done"},
    {"timeout", 0, FLAG_DURATION, "0s", NULL, "How long to wait; 0: as long as it takes"},
    {"revision", 0, FLAG_INT, "0", NULL,
     "End when another revision is rolled out; 0: the latest, whatever it is"},
    KUBE_FLAGS_END,
};

const KubeCommand ROLLOUT_STATUS = {
    .name = "status",
    .usage = "(TYPE NAME | TYPE/NAME) [flags]",
    .summary = "Show the status of the rollout",
    .examples = "  kubectl rollout status deployment/web --timeout=2m",
    .flags = flags,
    .run = status_run,
};
