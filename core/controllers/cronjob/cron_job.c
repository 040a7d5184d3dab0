/* One sync: history beyond its limits goes -> the list of active Jobs is brought up to date -> the
 * last missed time, if any, makes a Job as the policies allow -> come back at the next time. Times
 * are UTC: a timeZone other than UTC is refused with an event, since the program carries no zone
 * tables. */
#include "core/controllers/cronjob/cron_job.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/children.h"
#include "core/controllers/common/util.h"
#include "core/controllers/cronjob/schedule.h"
#include "core/controllers/job/view.h"

#define MISSED_MAX 100 /* more missed times than this are a sign of a wrong clock */
#define SKEW_NS                                                                                    \
    (100 * NS_PER_MS) /* nextScheduleDelta: so that we wake after the time, not before */

typedef struct CronController {
    Controller base;
    Children jobs;
} CronController;

typedef struct Run {
    CronController *controller;
    Sync *sync;
    Value *cron, *status; /* owned; status is edited as the sync goes */
    int64_t now;
    int64_t scheduled_ns;
    unsigned pending; /* nothing is written before these are answered */
} Run;

static void
run_clear(gpointer data)
{
    Run *run = data;
    value_unref(run->cron);
    value_unref(run->status);
}

static void
run_unref(gpointer data)
{
    g_rc_box_release_full(data, run_clear);
}

/* ---- history and the active list
 * --------------------------------------------------------------------- */

static void
delete_job(CronController *controller, Sync *sync, const Value *cron, const Value *job)
{
    Value *options =
        value_new_f("{apiVersion: v1, kind: DeleteOptions, propagationPolicy: Background}");
    client_delete(controller->base.client, "batch", "jobs", object_namespace(job), object_name(job),
                  options, sync_call, sync_begin_tolerating(sync, "NotFound"));
    event_record(controller->base.recorder, cron, "Normal", "SuccessfulDelete", "Deleted job %s",
                 object_name(job));
}

static void
clean_history(CronController *controller, Sync *sync, const Value *cron, const GPtrArray *jobs,
              const char *condition, const char *path, int64_t otherwise)
{
    const Value *given = value_at(cron, path);
    int64_t limit = given != NULL ? value_int(given) : otherwise;
    g_autoptr(GPtrArray) ended = g_ptr_array_new();
    for (guint i = 0; i < jobs->len; i++)
        if (condition_is(value_at(objects_item(jobs, i), "status.conditions"), condition, "True") &&
            !object_is_deleting(objects_item(jobs, i)))
            g_ptr_array_add(ended, g_ptr_array_index(jobs, i));
    objects_sort_by_age(ended);
    for (int64_t i = 0; i < (int64_t)ended->len - limit; i++)
        delete_job(controller, sync, cron, objects_item(ended, (guint)i));
}

static bool
active_has(const Value *active, const char *uid)
{
    VALUE_ARRAY_FOREACH (reference, active)
        if (strcmp(value_text(value_get(reference, "uid")), uid) == 0)
            return true;
    return false;
}

/* Ended Jobs leave the list, gone ones too, unfinished ones of ours that are missing are unexpected
 * but belong there. */
static void
update_active(Run *run, const GPtrArray *jobs)
{
    CronController *controller = run->controller;
    const Value *old = value_get(run->status, "active");
    g_autoptr(ValueBuilder) active = value_builder_new_array();
    VALUE_ARRAY_FOREACH (reference, old) {
        const Value *job = NULL;
        for (guint i = 0; i < jobs->len; i++)
            if (strcmp(object_uid(objects_item(jobs, i)),
                       value_text(value_get(reference, "uid"))) == 0)
                job = objects_item(jobs, i);
        const char *name = value_text(value_get(reference, "name"));
        int64_t revision =
            g_ascii_strtoll(value_text(value_get(reference, "resourceVersion")), NULL, 10);
        if (job == NULL && revision > informer_revision(controller->jobs.informer)) {
            value_builder_append(active,
                                 value_ref(reference)); /* just made; the cache will show it */
        } else if (job == NULL) {
            event_record(controller->base.recorder, run->cron, "Normal", "MissingJob",
                         "Active job went missing: %s", name);
        } else if (job_is_finished(job)) {
            bool complete = condition_is(value_at(job, "status.conditions"), "Complete", "True");
            event_record(controller->base.recorder, run->cron, "Normal", "SawCompletedJob",
                         "Saw completed job: %s, condition: %s", name,
                         complete ? "Complete" : "Failed");
            const Value *end = value_at(job, "status.completionTime");
            if (complete && time_of(end) > time_of(value_get(run->status, "lastSuccessfulTime")))
                value_edit(&run->status, "lastSuccessfulTime", value_ref(end));
        } else {
            value_builder_append(active, value_ref(reference));
        }
    }
    for (guint i = 0; i < jobs->len; i++) {
        const Value *job = objects_item(jobs, i);
        if (job_is_finished(job) || active_has(old, object_uid(job)) ||
            object_creation_time(job) < object_creation_time(run->cron))
            continue;
        value_builder_append(active, object_reference_new(job, "batch/v1", "Job"));
    }
    Value *list = value_builder_end(g_steal_pointer(&active));
    if (value_size(list) > 0) {
        value_edit(&run->status, "active", list);
    } else {
        value_edit_remove(&run->status, "active");
        value_unref(list);
    }
}

/* ---- making a Job
 * ------------------------------------------------------------------------------------ */

static void
write_status(Run *run)
{
    if (values_equal_semantically(run->status, value_get(run->cron, "status")))
        return;
    client_update(run->controller->base.client, "batch", "cronjobs", "status",
                  value_set(run->cron, "status", value_ref(run->status)), sync_call,
                  sync_begin_tolerating(run->sync, "NotFound"));
}

static char *
on_created(const ApiResponse *response, void *data)
{
    Run *run = data;
    if (response_is_namespace_terminating(response))
        return NULL;
    if (!api_response_ok(response) && !response_is(response, "AlreadyExists")) {
        event_record(run->controller->base.recorder, run->cron, "Warning", "FailedCreate",
                     "Error creating job: %s", response_error(response));
        return g_strdup(response_error(response));
    }
    if (api_response_ok(response)) {
        event_record(run->controller->base.recorder, run->cron, "Normal", "SuccessfulCreate",
                     "Created job %s", object_name(response->object));
        const Value *known = value_get(run->status, "active");
        g_autoptr(Value) before = known != NULL ? value_ref(known) : value_new_array();
        value_edit(&run->status, "active",
                   value_append(before, object_reference_new(response->object, "batch/v1", "Job")));
    }
    value_edit(&run->status, "lastScheduleTime", time_value(run->scheduled_ns));
    write_status(run);
    return NULL;
}

static Value *
job_of(const Run *run)
{
    const Value *template_ = value_at(run->cron, "spec.jobTemplate");
    Value *owner = owner_reference_new(run->cron, "batch/v1", "CronJob");
    Value *name = value_new_stringf("%s-%" G_GINT64_FORMAT, object_name(run->cron),
                                    run->scheduled_ns / NS_PER_S / 60);
    Value *time = time_value(run->scheduled_ns);
    Value *annotations = value_set_at(value_at(template_, "metadata.annotations"),
                                      "['batch.kubernetes.io/cronjob-scheduled-timestamp']", time);
    return value_new_f("{apiVersion: batch/v1, kind: Job, metadata: {name: %V, namespace: %s, "
                       "labels: ?%v, annotations: %V, "
                       "ownerReferences: [%V]}, spec: %v}",
                       name, object_namespace(run->cron), value_at(template_, "metadata.labels"),
                       annotations, owner, value_get(template_, "spec"));
}

/* The last time that should have been and was not, 0 when none; *ret_missed how many there are (at
 * most MISSED_MAX + 1). */
static int64_t
last_missed(const Run *run, const CronSchedule *schedule, int64_t *ret_missed)
{
    int64_t earliest = time_of(value_get(run->status, "lastScheduleTime"));
    if (earliest == 0)
        earliest = object_creation_time(run->cron);
    const Value *deadline = value_at(run->cron, "spec.startingDeadlineSeconds");
    if (deadline != NULL)
        earliest = MAX(earliest, run->now - value_int(deadline) * NS_PER_S);
    int64_t first = cron_next(schedule, earliest), second = cron_next(schedule, first), latest = 0;
    *ret_missed = 0;
    if (first == 0 || first > run->now)
        return 0;
    *ret_missed = 1;
    if (second == 0 || second > run->now)
        return first;
    /* Jump most of the way, so that a long pause costs no long loop. */
    int64_t gap = second - first, skipped = (run->now - first) / gap;
    *ret_missed = MIN(skipped + 1, MISSED_MAX + 1);
    latest = first;
    int64_t from = skipped > MISSED_MAX ? run->now - 2 * gap : first;
    for (int64_t time = cron_next(schedule, from - 1); time != 0 && time <= run->now;
         time = cron_next(schedule, time))
        latest = time;
    return latest;
}

static bool
policy_allows(Run *run, const GPtrArray *jobs)
{
    const Value *cron = run->cron, *active = value_get(run->status, "active");
    const char *policy = value_text_at(cron, "spec.concurrencyPolicy");
    if (value_size(active) == 0 || strcmp(policy, "Allow") == 0 || *policy == '\0')
        return true;
    if (strcmp(policy, "Forbid") == 0) {
        event_record(
            run->controller->base.recorder, cron, "Normal", "JobAlreadyActive",
            "Not starting job because prior execution is running and concurrency policy is Forbid");
        return false;
    }
    for (guint i = 0; i < jobs->len; i++)
        if (active_has(active, object_uid(objects_item(jobs, i))))
            delete_job(run->controller, run->sync, cron, objects_item(jobs, i));
    value_edit_remove(&run->status, "active");
    return true;
}

static void
schedule_run(Run *run, const CronSchedule *schedule, const GPtrArray *jobs)
{
    CronController *controller = run->controller;
    const Value *cron = run->cron, *deadline = value_at(cron, "spec.startingDeadlineSeconds");
    int64_t next = cron_next(schedule, run->now), missed = 0;
    if (next != 0)
        sync_again_after(run->sync, next - run->now + SKEW_NS);
    run->scheduled_ns = last_missed(run, schedule, &missed);
    if (missed > MISSED_MAX)
        event_record(controller->base.recorder, cron, "Warning", "TooManyMissedTimes",
                     "too many missed start times. Set or decrease .spec.startingDeadlineSeconds "
                     "or check clock skew");
    bool late = deadline != NULL && run->scheduled_ns + value_int(deadline) * NS_PER_S < run->now;
    if (run->scheduled_ns != 0 && late)
        event_record(controller->base.recorder, cron, "Warning", "MissSchedule",
                     "Missed scheduled time to start a job: %s",
                     value_text(value_get(run->status, "lastScheduleTime")));
    if (run->scheduled_ns == 0 || late || !policy_allows(run, jobs)) {
        write_status(run);
        return;
    }
    Value *job = job_of(run);
    controller_decide(&controller->base, "create", cron, "CronJob",
                      "the schedule \"%s\" says it is time: create Job %s",
                      value_text_at(cron, "spec.schedule"), object_name(job));
    client_create(controller->base.client, "batch", "jobs", object_namespace(cron), job, sync_call,
                  sync_begin_checked(run->sync, on_created, g_rc_box_acquire(run), run_unref));
}

/* ---- sync
 * -------------------------------------------------------------------------------------------- */

static bool
zone_is_known(Run *run)
{
    const char *zone = value_string_at(run->cron, "spec.timeZone");
    if (zone == NULL || strcmp(zone, "UTC") == 0 || strcmp(zone, "Etc/UTC") == 0 ||
        strcmp(zone, "Etc/GMT") == 0 || strcmp(zone, "GMT") == 0)
        return true;
    event_record(run->controller->base.recorder, run->cron, "Warning", "UnknownTimeZone",
                 "invalid timeZone: \"%s\": unknown time zone %s", zone, zone);
    return false;
}

static void
sync_cron(const char *key, Sync *sync, void *data)
{
    CronController *controller = data;
    const Value *cached = informer_get(controller->jobs.owners, key);
    if (cached == NULL)
        return;
    Run *run = g_rc_box_new0(Run);
    *run = (Run){.controller = controller,
                 .sync = sync,
                 .cron = value_ref(cached),
                 .now = controller_now(&controller->base)};
    run->status = value_get(cached, "status") != NULL ? value_ref(value_get(cached, "status"))
                                                      : value_new_map();
    g_autoptr(GPtrArray) jobs =
        objects_copy(informer_owned_by(controller->jobs.informer, object_uid(cached)));
    clean_history(controller, sync, run->cron, jobs, "Failed", "spec.failedJobsHistoryLimit", 1);
    clean_history(controller, sync, run->cron, jobs, "Complete", "spec.successfulJobsHistoryLimit",
                  3);
    update_active(run, jobs);
    CronSchedule schedule;
    g_autoptr(GError) error = NULL;
    if (object_is_deleting(run->cron) || value_bool_at(run->cron, "spec.suspend")) {
        write_status(run);
    } else if (!zone_is_known(run)) {
        write_status(run);
    } else if (!cron_parse(value_text_at(run->cron, "spec.schedule"), &schedule, &error)) {
        event_record(controller->base.recorder, run->cron, "Warning", "UnparseableSchedule",
                     "unparseable schedule: %s : %s", value_text_at(run->cron, "spec.schedule"),
                     error->message);
        write_status(run);
    } else {
        schedule_run(run, &schedule, jobs);
    }
    run_unref(run);
}

static Controller *
start(ControllerContext *context)
{
    CronController *controller = g_new0(CronController, 1);
    controller_init(&controller->base, context, &cron_job_controller_class, "cronjob-controller", 5,
                    sync_cron);
    controller->jobs = (Children){.controller = &controller->base,
                                  .owners = context_informer(context, "batch", "cronjobs"),
                                  .kind = "CronJob",
                                  .informer = context_owned_informer(context, "batch", "jobs"),
                                  .group = "batch",
                                  .resource = "jobs",
                                  .owner_api_version = "batch/v1"};
    controller_watch(&controller->base, controller->jobs.owners);
    children_watch(&controller->jobs);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    g_free(base);
}

const ControllerClass cron_job_controller_class = {"cronjob-controller", start, NULL, stop};
