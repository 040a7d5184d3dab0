/* Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs, CronJobs. */
#include <string.h>

#include "cli/kubectl/describe.h"
#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/base/duration.h"
#include "core/base/timestamp.h"

#define INT G_GINT64_FORMAT

static void
head(Describing *d, const Value *object, bool created)
{
    describe_name(d, object, true);
    if (created) {
        g_autofree char *time = describe_time(value_at(object, "metadata.creationTimestamp"));
        describe_line(d, 0, "CreationTimestamp:\t%s", time);
    }
}

static void
labels(Describing *d, const Value *object)
{
    describe_map(d, "Labels", object_labels(object));
    describe_annotations(d, "Annotations", object_annotations(object));
}

static void
selector_line(Describing *d, const Value *object)
{
    g_autofree char *selector = describe_selector(value_at(object, "spec.selector"));
    describe_line(d, 0, "Selector:\t%s", selector);
}

/* Of the pods that the object controls. */
static void
pods_status(Describing *d, const Value *object)
{
    g_autofree char *selector = describe_selector(value_at(object, "spec.selector"));
    g_autoptr(Value) list = describe_list(d, "", "pods", object_namespace(object),
                                          strcmp(selector, "<none>") == 0 ? NULL : selector, NULL);
    int running = 0, waiting = 0, succeeded = 0, failed = 0;
    VALUE_ARRAY_FOREACH (pod, value_get(list, "items")) {
        const char *phase = pod_phase(pod);
        if (!object_is_controlled_by(pod, object_uid(object)))
            continue;
        running += strcmp(phase, "Running") == 0;
        waiting += strcmp(phase, "Pending") == 0;
        succeeded += strcmp(phase, "Succeeded") == 0;
        failed += strcmp(phase, "Failed") == 0;
    }
    describe_line(d, 0, "Pods Status:\t%d Running / %d Waiting / %d Succeeded / %d Failed", running,
                  waiting, succeeded, failed);
}

static bool
same_template(const Value *deployment, const Value *set)
{
    g_autoptr(Value) bare = value_ref(value_at(set, "spec.template"));
    value_edit_remove(&bare, "metadata.labels['pod-template-hash']");
    return value_equal(bare, value_at(deployment, "spec.template"));
}

static void
replica_sets(Describing *d, const Value *deployment)
{
    g_autofree char *selector = describe_selector(value_at(deployment, "spec.selector"));
    g_autoptr(Value) list =
        describe_list(d, "apps", "replicasets", object_namespace(deployment), selector, NULL);
    g_autoptr(GString) old = g_string_new(NULL), new_ = g_string_new(NULL);
    if (list == NULL)
        return;
    VALUE_ARRAY_FOREACH (set, value_get(list, "items")) {
        if (!object_is_controlled_by(set, object_uid(deployment)))
            continue;
        GString *to = new_->len == 0 && same_template(deployment, set) ? new_ : old;
        g_string_append_printf(to, "%s%s (%" INT "/%" INT " replicas created)",
                               to->len > 0 ? ", " : "", object_name(set),
                               value_int_at(set, "status.replicas"),
                               value_int_at_or(set, "spec.replicas", 1));
    }
    describe_line(d, 0, "OldReplicaSets:\t%s", or_none(old->str));
    describe_line(d, 0, "NewReplicaSet:\t%s", or_none(new_->str));
}

static void
deployment(Describing *d, const Value *object)
{
    head(d, object, true);
    labels(d, object);
    selector_line(d, object);
    describe_line(
        d, 0,
        "Replicas:\t%" INT " desired | %" INT " updated | %" INT " total | %" INT
        " available | %" INT " unavailable",
        value_int_at_or(object, "spec.replicas", 1), value_int_at(object, "status.updatedReplicas"),
        value_int_at(object, "status.replicas"), value_int_at(object, "status.availableReplicas"),
        value_int_at(object, "status.unavailableReplicas"));
    describe_line(d, 0, "StrategyType:\t%s", value_text_at(object, "spec.strategy.type"));
    describe_line(d, 0, "MinReadySeconds:\t%" INT, value_int_at(object, "spec.minReadySeconds"));
    if (value_at(object, "spec.strategy.rollingUpdate") != NULL) {
        g_autofree char *most =
            describe_text(value_at(object, "spec.strategy.rollingUpdate.maxUnavailable"));
        g_autofree char *surge =
            describe_text(value_at(object, "spec.strategy.rollingUpdate.maxSurge"));
        describe_line(d, 0, "RollingUpdateStrategy:\t%s max unavailable, %s max surge", most,
                      surge);
    }
    describe_template(d, value_at(object, "spec.template"));
    describe_conditions(d, value_at(object, "status.conditions"), true);
    replica_sets(d, object);
}

static void
replica_set(Describing *d, const Value *object)
{
    head(d, object, false);
    selector_line(d, object);
    labels(d, object);
    describe_controlled_by(d, object);
    describe_line(d, 0, "Replicas:\t%" INT " current / %" INT " desired",
                  value_int_at(object, "status.replicas"),
                  value_int_at_or(object, "spec.replicas", 1));
    pods_status(d, object);
    describe_template(d, value_at(object, "spec.template"));
    describe_conditions(d, value_at(object, "status.conditions"), true);
}

static void
claim_templates(Describing *d, const Value *templates)
{
    if (value_size(templates) == 0) {
        describe_line(d, 0, "Volume Claims:\t<none>");
        return;
    }
    describe_line(d, 0, "Volume Claims:");
    VALUE_ARRAY_FOREACH (claim, templates) {
        g_autofree char *capacity =
            describe_text(value_at(claim, "spec.resources.requests.storage"));
        describe_line(d, 1, "Name:\t%s", object_name(claim));
        describe_line(d, 1, "StorageClass:\t%s", value_text_at(claim, "spec.storageClassName"));
        describe_map(d, "  Labels", object_labels(claim));
        describe_annotations(d, "  Annotations", object_annotations(claim));
        describe_line(d, 1, "Capacity:\t%s", capacity);
        g_autoptr(GString) modes = g_string_new(NULL);
        VALUE_ARRAY_FOREACH (mode, value_at(claim, "spec.accessModes"))
            g_string_append_printf(modes, "%s%s", modes->len > 0 ? " " : "", value_text(mode));
        describe_line(d, 1, "Access Modes:\t[%s]", modes->str);
    }
}

static void
stateful_set(Describing *d, const Value *object)
{
    head(d, object, true);
    selector_line(d, object);
    labels(d, object);
    describe_line(d, 0, "Replicas:\t%" INT " desired | %" INT " total",
                  value_int_at_or(object, "spec.replicas", 1),
                  value_int_at(object, "status.replicas"));
    describe_line(d, 0, "Update Strategy:\t%s", value_text_at(object, "spec.updateStrategy.type"));
    if (value_at(object, "spec.updateStrategy.rollingUpdate.partition") != NULL)
        describe_line(d, 1, "Partition:\t%" INT,
                      value_int_at(object, "spec.updateStrategy.rollingUpdate.partition"));
    pods_status(d, object);
    describe_template(d, value_at(object, "spec.template"));
    claim_templates(d, value_at(object, "spec.volumeClaimTemplates"));
}

static void
daemon_set(Describing *d, const Value *object)
{
    g_autofree char *nodes = describe_pairs(value_at(object, "spec.template.spec.nodeSelector"));
    describe_name(d, object, true);
    selector_line(d, object);
    describe_line(d, 0, "Node-Selector:\t%s", nodes);
    labels(d, object);
    static const char *const counts[][2] = {
        {"Desired Number of Nodes Scheduled", "status.desiredNumberScheduled"},
        {"Current Number of Nodes Scheduled", "status.currentNumberScheduled"},
        {"Number of Nodes Scheduled with Up-to-date Pods", "status.updatedNumberScheduled"},
        {"Number of Nodes Scheduled with Available Pods", "status.numberAvailable"},
        {"Number of Nodes Misscheduled", "status.numberMisscheduled"}};
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        describe_line(d, 0, "%s: %" INT, counts[i][0], value_int_at(object, counts[i][1]));
    pods_status(d, object);
    describe_template(d, value_at(object, "spec.template"));
}

static void
time_line(Describing *d, const char *title, const Value *time)
{
    g_autofree char *text = time != NULL ? describe_time(time) : NULL;
    if (text != NULL)
        describe_line(d, 0, "%s:\t%s", title, text);
}

static void
number_line(Describing *d, const char *title, const Value *number, const char *unit)
{
    if (number != NULL)
        describe_line(d, 0, "%s:\t%" INT "%s", title, value_int(number), unit);
    else
        describe_line(d, 0, "%s:\t<unset>", title);
}

static void
job(Describing *d, const Value *object)
{
    int64_t start, end;
    const char *mode = value_text_at(object, "spec.completionMode");
    head(d, object, false);
    selector_line(d, object);
    labels(d, object);
    describe_controlled_by(d, object);
    number_line(d, "Parallelism", value_at(object, "spec.parallelism"), "");
    number_line(d, "Completions", value_at(object, "spec.completions"), "");
    if (*mode != '\0')
        describe_line(d, 0, "Completion Mode:\t%s", mode);
    describe_line(d, 0, "Suspend:\t%s", value_bool_at(object, "spec.suspend") ? "true" : "false");
    describe_line(d, 0, "Backoff Limit:\t%" INT, value_int_at_or(object, "spec.backoffLimit", 6));
    if (value_at(object, "spec.ttlSecondsAfterFinished") != NULL)
        number_line(d, "TTL Seconds After Finished",
                    value_at(object, "spec.ttlSecondsAfterFinished"), "");
    time_line(d, "Start Time", value_at(object, "status.startTime"));
    time_line(d, "Completed At", value_at(object, "status.completionTime"));
    if (timestamp_parse(value_string_at(object, "status.startTime"), &start) &&
        timestamp_parse(value_string_at(object, "status.completionTime"), &end)) {
        g_autofree char *took = duration_human(end - start);
        describe_line(d, 0, "Duration:\t%s", took);
    }
    if (value_at(object, "spec.activeDeadlineSeconds") != NULL)
        number_line(d, "Active Deadline Seconds", value_at(object, "spec.activeDeadlineSeconds"),
                    "s");
    if (value_at(object, "status.ready") != NULL)
        describe_line(d, 0,
                      "Pods Statuses:\t%" INT " Active (%" INT " Ready) / %" INT
                      " Succeeded / %" INT " Failed",
                      value_int_at(object, "status.active"), value_int_at(object, "status.ready"),
                      value_int_at(object, "status.succeeded"),
                      value_int_at(object, "status.failed"));
    else
        describe_line(
            d, 0, "Pods Statuses:\t%" INT " Active / %" INT " Succeeded / %" INT " Failed",
            value_int_at(object, "status.active"), value_int_at(object, "status.succeeded"),
            value_int_at(object, "status.failed"));
    if (strcmp(mode, "Indexed") == 0)
        describe_line(d, 0, "Completed Indexes:\t%s",
                      or_none(value_string_at(object, "status.completedIndexes")));
    describe_template(d, value_at(object, "spec.template"));
}

static void
cron_job(Describing *d, const Value *object)
{
    const Value *template_ = value_at(object, "spec.jobTemplate");
    head(d, object, false);
    labels(d, object);
    describe_line(d, 0, "Schedule:\t%s", value_text_at(object, "spec.schedule"));
    if (*value_text_at(object, "spec.timeZone") != '\0')
        describe_line(d, 0, "Time Zone:\t%s", value_text_at(object, "spec.timeZone"));
    describe_line(d, 0, "Concurrency Policy:\t%s", value_text_at(object, "spec.concurrencyPolicy"));
    describe_line(d, 0, "Suspend:\t%s", value_bool_at(object, "spec.suspend") ? "True" : "False");
    number_line(d, "Successful Job History Limit",
                value_at(object, "spec.successfulJobsHistoryLimit"), "");
    number_line(d, "Failed Job History Limit", value_at(object, "spec.failedJobsHistoryLimit"), "");
    number_line(d, "Starting Deadline Seconds", value_at(object, "spec.startingDeadlineSeconds"),
                "s");
    describe_line(d, 0, "Selector:\t<unset>");
    number_line(d, "Parallelism", value_at(template_, "spec.parallelism"), "");
    number_line(d, "Completions", value_at(template_, "spec.completions"), "");
    describe_template(d, value_at(template_, "spec.template"));
    g_autofree char *last = value_at(object, "status.lastScheduleTime") != NULL
                                ? describe_time(value_at(object, "status.lastScheduleTime"))
                                : g_strdup("<unset>");
    describe_line(d, 0, "Last Schedule Time:\t%s", last);
    g_autoptr(GString) active = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (running, value_at(object, "status.active"))
        g_string_append_printf(active, "%s%s", active->len > 0 ? ", " : "",
                               value_text(value_get(running, "name")));
    describe_line(d, 0, "Active Jobs:\t%s", or_none(active->str));
}

const Describer DESCRIBE_WORKLOADS[] = {
    {"", "pods", describe_pod, false},           {"apps", "deployments", deployment, false},
    {"apps", "replicasets", replica_set, false}, {"apps", "statefulsets", stateful_set, false},
    {"apps", "daemonsets", daemon_set, false},   {"batch", "jobs", job, false},
    {"batch", "cronjobs", cron_job, false},      {NULL, NULL, NULL, false},
};
