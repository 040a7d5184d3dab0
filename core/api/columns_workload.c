/* Columns of what makes pods: replica sets and controllers, deployments, stateful and daemon sets, jobs; and of budgets. */
#include <string.h>

#include "core/api/columns_private.h"
#include "core/api/meta.h"
#include "core/base/duration.h"
#include "core/base/timestamp.h"
#include "core/object/selector.h"

static void
row_status_int(Row *row, const Value *object, const char *key)
{
    row_int(row, value_int(value_get(value_get(object, "status"), key)));
}

static const Value *
template_spec(const Value *spec)
{
    return value_get(value_get(spec, "template"), "spec");
}

/* ---- ReplicaSet, ReplicationController ---- */

static const Column replica_columns[] = {
    COLUMN_NAME,
    {"Desired", "integer", "Pods wanted", NULL, 0},
    {"Current", "integer", "Pods that exist", NULL, 0},
    {"Ready", "integer", "Pods that are ready", NULL, 0},
    COLUMN_AGE,
    COLUMN_CONTAINERS,
    COLUMN_IMAGES,
    COLUMN_SELECTOR,
};

static void
replica_fill_common(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec");

    row_name(row, object);
    row_int(row, value_int(value_get(spec, "replicas")));
    row_status_int(row, object, "replicas");
    row_status_int(row, object, "readyReplicas");
    row_age(row, object);
    row_containers(row, template_spec(spec));
}

static void
replica_set_fill(Row *row, const Value *object)
{
    replica_fill_common(row, object);
    row_label_selector(row, value_at(object, "spec.selector"));
}

static void
replication_controller_fill(Row *row, const Value *object)
{
    replica_fill_common(row, object);
    row_labels(row, value_at(object, "spec.selector"));
}

/* ---- Deployment, StatefulSet, DaemonSet ---- */

static const Column deployment_columns[] = {
    COLUMN_NAME,
    {"Ready", "string", "Pods that are ready, of those wanted", NULL, 0},
    {"Up-to-date", "string", "Pods that have the current template", NULL, 0},
    {"Available", "string", "Pods that have been ready for long enough", NULL, 0},
    COLUMN_AGE,
    COLUMN_CONTAINERS,
    COLUMN_IMAGES,
    COLUMN_SELECTOR,
};

static void
deployment_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *status = value_get(object, "status");
    g_autoptr(Selector) selector = selector_from_object(value_get(spec, "selector"), NULL);

    row_name(row, object);
    row_ratio(row, value_int(value_get(status, "readyReplicas")), value_int(value_get(spec, "replicas")));
    row_status_int(row, object, "updatedReplicas");
    row_status_int(row, object, "availableReplicas");
    row_age(row, object);
    row_containers(row, template_spec(spec));
    row_take(row, value_get(spec, "selector") != NULL && selector != NULL ? selector_text(selector) : g_strdup(""));
}

static const Column stateful_set_columns[] = {
    COLUMN_NAME,
    {"Ready", "string", "Pods that are ready, of those wanted", NULL, 0},
    COLUMN_AGE,
    COLUMN_CONTAINERS,
    COLUMN_IMAGES,
};

static void
stateful_set_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec");

    row_name(row, object);
    row_ratio(row, value_int_at(object, "status.readyReplicas"), value_int(value_get(spec, "replicas")));
    row_age(row, object);
    row_containers(row, template_spec(spec));
}

static const Column daemon_set_columns[] = {
    COLUMN_NAME,
    {"Desired", "integer", "Nodes that should run a pod", NULL, 0},
    {"Current", "integer", "Nodes that run a pod and should", NULL, 0},
    {"Ready", "integer", "Nodes whose pod is ready", NULL, 0},
    {"Up-to-date", "integer", "Nodes whose pod has the current template", NULL, 0},
    {"Available", "integer", "Nodes whose pod has been ready for long enough", NULL, 0},
    {"Node Selector", "string", "Labels that a node must carry", NULL, 0},
    COLUMN_AGE,
    COLUMN_CONTAINERS,
    COLUMN_IMAGES,
    COLUMN_SELECTOR,
};

static void
daemon_set_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec");

    row_name(row, object);
    row_status_int(row, object, "desiredNumberScheduled");
    row_status_int(row, object, "currentNumberScheduled");
    row_status_int(row, object, "numberReady");
    row_status_int(row, object, "updatedNumberScheduled");
    row_status_int(row, object, "numberAvailable");
    row_labels(row, value_get(template_spec(spec), "nodeSelector"));
    row_age(row, object);
    row_containers(row, template_spec(spec));
    row_label_selector(row, value_get(spec, "selector"));
}

static const Column controller_revision_columns[] = {
    COLUMN_NAME,
    {"Controller", "string", "Object whose history this is part of", NULL, 0},
    {"Revision", "string", "Number in the order of revisions", NULL, 0},
    COLUMN_AGE,
};

static void
controller_revision_fill(Row *row, const Value *object)
{
    const Value *owner = object_controller(object);
    const char *api_version = value_text(value_get(owner, "apiVersion")), *slash = strchr(api_version, '/');

    row_name(row, object);
    if (owner == NULL) {
        row_text(row, "<none>");
    } else {
        g_autofree char *kind = g_ascii_strdown(value_text(value_get(owner, "kind")), -1);

        row_take(row, g_strdup_printf("%s%s%.*s/%s", kind, slash != NULL ? "." : "",
                                      slash != NULL ? (int)(slash - api_version) : 0, api_version,
                                      value_text(value_get(owner, "name"))));
    }
    row_int(row, value_int(value_get(object, "revision")));
    row_age(row, object);
}

/* ---- Job, CronJob ---- */

static const Column job_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "State of the job", NULL, 0},
    {"Completions", "string", "Pods that succeeded, of those needed", NULL, 0},
    {"Duration", "string", "Time that the job took or has taken so far", NULL, 0},
    COLUMN_AGE,
    COLUMN_CONTAINERS,
    COLUMN_IMAGES,
    COLUMN_SELECTOR,
};

static const char *
job_state(const Value *job)
{
    const Value *conditions = value_at(job, "status.conditions");

    if (condition_is(conditions, "Complete", "True"))
        return "Complete";
    if (condition_is(conditions, "Failed", "True"))
        return "Failed";
    if (object_is_deleting(job))
        return "Terminating";
    if (condition_is(conditions, "Suspended", "True"))
        return "Suspended";
    if (condition_is(conditions, "FailureTarget", "True"))
        return "FailureTarget";
    return condition_is(conditions, "SuccessCriteriaMet", "True") ? "SuccessCriteriaMet" : "Running";
}

static void
job_completions(Row *row, const Value *job)
{
    int64_t succeeded = value_int_at(job, "status.succeeded"), parallelism = value_int_at(job, "spec.parallelism");
    const Value *completions = value_at(job, "spec.completions");

    if (completions != NULL)
        row_ratio(row, succeeded, value_int(completions));
    else if (parallelism > 1)
        row_take(row, g_strdup_printf("%" G_GINT64_FORMAT "/1 of %" G_GINT64_FORMAT, succeeded, parallelism));
    else
        row_ratio(row, succeeded, 1);
}

static void
job_duration(Row *row, const Value *status)
{
    int64_t start, end = row->now_ns;

    if (!timestamp_parse(value_string(value_get(status, "startTime")), &start)) {
        row_text(row, "");
        return;
    }
    timestamp_parse(value_string(value_get(status, "completionTime")), &end);
    row_take(row, duration_human(end - start));
}

static void
job_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec");

    row_name(row, object);
    row_text(row, job_state(object));
    job_completions(row, object);
    job_duration(row, value_get(object, "status"));
    row_age(row, object);
    row_containers(row, template_spec(spec));
    row_label_selector(row, value_get(spec, "selector"));
}

static const Column cron_job_columns[] = {
    COLUMN_NAME,
    {"Schedule", "string", "When the job runs, in cron's notation", NULL, 0},
    {"Timezone", "string", "Time zone of the schedule", NULL, 0},
    {"Suspend", "boolean", "Whether no further jobs are started", NULL, 0},
    {"Active", "integer", "Jobs that run now", NULL, 0},
    {"Last Schedule", "string", "Time since a job was started last", NULL, 0},
    COLUMN_AGE,
    COLUMN_CONTAINERS,
    COLUMN_IMAGES,
    COLUMN_SELECTOR,
};

static void
cron_job_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *suspend = value_get(spec, "suspend");
    const Value *job = value_at(spec, "jobTemplate.spec"), *last = value_at(object, "status.lastScheduleTime");

    row_name(row, object);
    row_value(row, value_get(spec, "schedule"));
    row_value_or(row, value_get(spec, "timeZone"), "<none>");
    row_text(row, suspend == NULL ? "<unset>" : value_bool(suspend) ? "True" : "False");
    row_int(row, (int64_t)value_size(value_at(object, "status.active")));
    if (last == NULL)
        row_text(row, "<none>");
    else
        row_since(row, last);
    row_age(row, object);
    row_containers(row, template_spec(job));
    row_label_selector(row, value_get(job, "selector"));
}

/* ---- PodDisruptionBudget ---- */

static const Column pod_disruption_budget_columns[] = {
    COLUMN_NAME,
    {"Min Available", "string", "Pods that must stay available", NULL, 0},
    {"Max Unavailable", "string", "Pods that may be unavailable", NULL, 0},
    {"Allowed Disruptions", "integer", "Pods that may be evicted now", NULL, 0},
    COLUMN_AGE,
};

static void
row_int_or_string(Row *row, const Value *value)
{
    if (value_type(value) == VALUE_INT)
        row_take(row, g_strdup_printf("%" G_GINT64_FORMAT, value_int(value)));
    else
        row_value_or(row, value, "N/A");
}

static void
pod_disruption_budget_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_int_or_string(row, value_at(object, "spec.minAvailable"));
    row_int_or_string(row, value_at(object, "spec.maxUnavailable"));
    row_status_int(row, object, "disruptionsAllowed");
    row_age(row, object);
}

const ColumnTable column_tables_workload[] = {
    COLUMN_TABLE("apps", "ReplicaSet", replica_columns, replica_set_fill),
    COLUMN_TABLE("", "ReplicationController", replica_columns, replication_controller_fill),
    COLUMN_TABLE("apps", "Deployment", deployment_columns, deployment_fill),
    COLUMN_TABLE("apps", "StatefulSet", stateful_set_columns, stateful_set_fill),
    COLUMN_TABLE("apps", "DaemonSet", daemon_set_columns, daemon_set_fill),
    COLUMN_TABLE("apps", "ControllerRevision", controller_revision_columns, controller_revision_fill),
    COLUMN_TABLE("batch", "Job", job_columns, job_fill),
    COLUMN_TABLE("batch", "CronJob", cron_job_columns, cron_job_fill),
    COLUMN_TABLE("policy", "PodDisruptionBudget", pod_disruption_budget_columns, pod_disruption_budget_fill),
    {0},
};
