/* Columns of pods and pod templates (printPod of k8s.io/kubernetes pkg/printers/internalversion). */
#include <string.h>

#include "core/api/columns_private.h"
#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/base/duration.h"
#include "core/base/timestamp.h"

static const Column pod_columns[] = {
    COLUMN_NAME,
    {"Ready", "string", "Containers that are ready, of all of them", NULL, 0},
    {"Status", "string", "State of the pod, summed up from its containers", NULL, 0},
    {"Restarts", "string", "How often containers were restarted, and when last", NULL, 0},
    COLUMN_AGE,
    {"IP", "string", "Address of the pod", NULL, 1},
    {"Node", "string", "Node on which the pod runs", NULL, 1},
    {"Nominated Node", "string", "Node on which pods are evicted to make room for this one", NULL, 1},
    {"Readiness Gates", "string", "Readiness gates that are passed, of all of them", NULL, 1},
};

/* What the containers' statuses add up to. `reason` is borrowed from the pod, or from `own`. */
typedef struct PodSummary {
    const char *reason;
    char own[96];
    int64_t restarts;
    int64_t restarted_ns; /* when last; 0: unknown */
    int64_t sidecar_restarts;
    int64_t sidecar_restarted_ns;
    int64_t ready, total;
    bool initializing;
} PodSummary;

static void
summary_restart(int64_t *restarts, int64_t *restarted_ns, const Value *status)
{
    int64_t then;

    *restarts += value_int(value_get(status, "restartCount"));
    if (value_get(status, "lastState") != NULL &&
        timestamp_parse(value_string_at(status, "lastState.terminated.finishedAt"), &then))
        *restarted_ns = MAX(*restarted_ns, then);
}

/* The reason of a terminated container: its own, else its signal or exit code. */
static const char *
summary_terminated(PodSummary *summary, const char *prefix, const Value *terminated)
{
    const char *reason = value_text(value_get(terminated, "reason"));
    int64_t signal = value_int(value_get(terminated, "signal"));

    if (*reason != '\0' && *prefix == '\0')
        return reason;
    if (*reason != '\0')
        g_snprintf(summary->own, sizeof summary->own, "%s%s", prefix, reason);
    else if (signal != 0)
        g_snprintf(summary->own, sizeof summary->own, "%sSignal:%" G_GINT64_FORMAT, prefix, signal);
    else
        g_snprintf(summary->own, sizeof summary->own, "%sExitCode:%" G_GINT64_FORMAT, prefix,
                   value_int(value_get(terminated, "exitCode")));
    return summary->own;
}

static bool
is_sidecar(const Value *init_containers, const char *name)
{
    VALUE_ARRAY_FOREACH (container, init_containers)
        if (strcmp(value_text(value_get(container, "name")), name) == 0)
            return strcmp(value_text(value_get(container, "restartPolicy")), "Always") == 0;
    return false;
}

/* False when this one is through, so that the next one counts. */
static bool
summary_init_container(PodSummary *summary, const Value *status, size_t index, const Value *init_containers)
{
    const Value *state = value_get(status, "state"), *terminated = value_get(state, "terminated");
    const char *waiting = value_text(value_get(value_get(state, "waiting"), "reason"));
    bool sidecar = is_sidecar(init_containers, value_text(value_get(status, "name")));

    summary_restart(&summary->restarts, &summary->restarted_ns, status);
    if (sidecar)
        summary_restart(&summary->sidecar_restarts, &summary->sidecar_restarted_ns, status);
    if (terminated != NULL && value_int(value_get(terminated, "exitCode")) == 0)
        return false;
    if (sidecar && value_bool(value_get(status, "started"))) {
        summary->ready += value_bool(value_get(status, "ready"));
        return false;
    }
    if (terminated != NULL) {
        summary->reason = summary_terminated(summary, "Init:", terminated);
        return true;
    }
    if (*waiting != '\0' && strcmp(waiting, "PodInitializing") != 0)
        g_snprintf(summary->own, sizeof summary->own, "Init:%s", waiting);
    else
        g_snprintf(summary->own, sizeof summary->own, "Init:%zu/%zu", index, value_size(init_containers));
    summary->reason = summary->own;
    return true;
}

/* The first container of the list has the last word, as in Kubernetes. */
static void
summary_containers(PodSummary *summary, const Value *status)
{
    const Value *statuses = value_get(status, "containerStatuses");
    bool running = false;

    summary->restarts = summary->sidecar_restarts;
    summary->restarted_ns = summary->sidecar_restarted_ns;
    for (size_t i = value_size(statuses); i-- > 0;) {
        const Value *one = value_item(statuses, i), *state = value_get(one, "state");
        const Value *terminated = value_get(state, "terminated");
        const char *waiting = value_text(value_get(value_get(state, "waiting"), "reason"));

        summary_restart(&summary->restarts, &summary->restarted_ns, one);
        if (*waiting != '\0') {
            summary->reason = waiting;
        } else if (terminated != NULL) {
            summary->reason = summary_terminated(summary, "", terminated);
        } else if (value_bool(value_get(one, "ready")) && value_get(state, "running") != NULL) {
            running = true;
            summary->ready++;
        }
    }
    if (running && strcmp(summary->reason, "Completed") == 0)
        summary->reason = condition_is(value_get(status, "conditions"), "Ready", "True") ? "Running" : "NotReady";
}

static void
pod_summarize(PodSummary *summary, const Value *pod)
{
    const Value *spec = value_get(pod, "spec"), *status = value_get(pod, "status");
    const Value *init_containers = value_get(spec, "initContainers"), *conditions = value_get(status, "conditions");
    const char *phase = value_text(value_get(status, "phase")), *reason = value_text(value_get(status, "reason"));
    size_t index = 0;

    summary->reason = *reason != '\0' ? reason : phase;
    summary->total = (int64_t)value_size(value_get(spec, "containers"));
    VALUE_ARRAY_FOREACH (condition, conditions)
        if (strcmp(value_text(value_get(condition, "type")), "PodScheduled") == 0 &&
            strcmp(value_text(value_get(condition, "reason")), "SchedulingGated") == 0)
            summary->reason = "SchedulingGated";
    VALUE_ARRAY_FOREACH (container, init_containers)
        summary->total += strcmp(value_text(value_get(container, "restartPolicy")), "Always") == 0;
    VALUE_ARRAY_FOREACH (one, value_get(status, "initContainerStatuses"))
        if (!summary->initializing)
            summary->initializing = summary_init_container(summary, one, index++, init_containers);
    if (!summary->initializing || condition_is(conditions, "Initialized", "True"))
        summary_containers(summary, status);
    if (object_is_deleting(pod) && strcmp(reason, "NodeLost") == 0)
        summary->reason = "Unknown";
    else if (object_is_deleting(pod) && !pod_is_terminal(pod))
        summary->reason = "Terminating";
}

static void
pod_restarts(Row *row, const PodSummary *summary)
{
    g_autofree char *since = NULL;

    if (summary->restarts == 0 || summary->restarted_ns == 0) {
        char text[24];

        g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, summary->restarts);
        row_text(row, text);
        return;
    }
    since = duration_human(row->now_ns - summary->restarted_ns);
    row_take(row, g_strdup_printf("%" G_GINT64_FORMAT " (%s ago)", summary->restarts, since));
}

static void
pod_readiness_gates(Row *row, const Value *gates, const Value *conditions)
{
    int64_t passed = 0;

    if (value_size(gates) == 0) {
        row_text(row, "<none>");
        return;
    }
    VALUE_ARRAY_FOREACH (gate, gates)
        passed += condition_is(conditions, value_text(value_get(gate, "conditionType")), "True");
    row_ratio(row, passed, (int64_t)value_size(gates));
}

static Value *
pod_row_conditions(const char *phase)
{
    if (strcmp(phase, "Succeeded") == 0)
        return value_new_f("[{type: Completed, status: 'True', reason: Succeeded, message: 'The pod has completed "
                           "successfully.'}]");
    if (strcmp(phase, "Failed") == 0)
        return value_new_f("[{type: Completed, status: 'True', reason: Failed, message: 'The pod failed.'}]");
    return NULL;
}

static void
pod_fill(Row *row, const Value *pod)
{
    const Value *spec = value_get(pod, "spec"), *status = value_get(pod, "status");
    PodSummary summary = {0};

    pod_summarize(&summary, pod);
    row->conditions = pod_row_conditions(value_text(value_get(status, "phase")));
    row_name(row, pod);
    row_ratio(row, summary.ready, summary.total);
    row_text(row, summary.reason);
    pod_restarts(row, &summary);
    row_age(row, pod);
    row_value_or(row, value_get(value_item(value_get(status, "podIPs"), 0), "ip"), "<none>");
    row_value_or(row, value_get(spec, "nodeName"), "<none>");
    row_value_or(row, value_get(status, "nominatedNodeName"), "<none>");
    pod_readiness_gates(row, value_get(spec, "readinessGates"), value_get(status, "conditions"));
}

static const Column pod_template_columns[] = {
    COLUMN_NAME,
    {"Containers", "string", "Names of the containers of the template", NULL, 0},
    {"Images", "string", "Images of the containers of the template", NULL, 0},
    {"Pod Labels", "string", "Labels that the template's pods get", NULL, 0},
};

static void
pod_template_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_containers(row, value_at(object, "template.spec"));
    row_labels(row, value_at(object, "template.metadata.labels"));
}

const ColumnTable column_tables_pod[] = {
    COLUMN_TABLE("", "Pod", pod_columns, pod_fill),
    COLUMN_TABLE("", "PodTemplate", pod_template_columns, pod_template_fill),
    {0},
};
