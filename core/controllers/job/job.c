/* One sync, after counting (view.c):
 *
 *   pods to make or delete -> batch -> status, if it changed: an ended pod goes into
 * uncountedTerminatedPods first status unchanged -> finalizers off the uncounted pods; the watch
 * brings them back, and then they are counted
 *
 * so that no ended pod is counted twice or never, whoever crashes when. A Job whose end is decided
 * (FailureTarget or SuccessCriteriaMet) becomes Failed or Complete when no pod is active,
 * terminating or uncounted. */
#include "core/controllers/job/job.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/batch.h"
#include "core/controllers/common/pod_control.h"
#include "core/controllers/common/util.h"
#include "core/controllers/job/view.h"

#define ORPHAN_PREFIX "orphan pod " /* of keys that name a pod whose Job is gone */

typedef struct JobController {
    Controller base;
    Children pods;
    Expectations *expectations;
    GHashTable *backoff; /* job's uid -> JobBackoff; only ever looked up */
} JobController;

typedef struct Work {
    JobController *controller;
    Value *job, *status;
    JobPods pods;
    GPtrArray *release; /* pods to lose the finalizer: references */
    char *key;
    Sync *sync;
    bool release_first; /* pods that go because they are too many are no failures: they lose the
                           finalizer first */
} Work;

static void
work_free(gpointer data)
{
    Work *work = data;
    value_unref(work->job);
    value_unref(work->status);
    g_ptr_array_unref(work->pods.create);
    g_ptr_array_unref(work->pods.doomed);
    g_ptr_array_unref(work->release);
    g_free(work->key);
    g_free(work);
}

/* ---- status
 * ------------------------------------------------------------------------------------------ */

static void
put(Value **conditions, const JobView *view, const char *type, const char *status,
    const char *reason, const char *message)
{
    Value *condition = condition_new(type, status, reason, message, view->now);
    value_edit(&condition, "lastProbeTime", time_value(view->now));
    value_replace(conditions, conditions_put(*conditions, condition));
}

static void
put_suspended(const JobView *view, Value **conditions, Value **start_time)
{
    EventRecorder *recorder = view->controller->recorder;
    bool was = condition_is(*conditions, "Suspended", "True");
    if (job_is_suspended(view->job)) {
        if (!was) {
            put(conditions, view, "Suspended", "True", "JobSuspended", "Job suspended");
            event_record(recorder, view->job, "Normal", "Suspended", "Job suspended");
        }
        value_replace(start_time, NULL);
        return;
    }
    if (was) {
        put(conditions, view, "Suspended", "False", "JobResumed", "Job resumed");
        event_record(recorder, view->job, "Normal", "Resumed", "Job resumed");
        value_replace(start_time, time_value(view->now)); /* the deadline runs from here */
    } else if (*start_time == NULL) {
        *start_time = time_value(view->now);
    }
}

/* Decided ends are told at once, terminal conditions when nothing is left to wait for. */
static bool
put_end(const JobView *view, Value **conditions)
{
    const char *reason = view->fail_reason, *message = view->fail_message;
    bool failed = reason != NULL;
    if (!failed && view->success_reason == NULL)
        return false;
    if (failed) {
        put(conditions, view, "FailureTarget", "True", reason, message);
    } else {
        reason = view->success_reason;
        message = view->success_message;
        put(conditions, view, "SuccessCriteriaMet", "True", reason, message);
    }
    if (view->active->len > 0 || view->n_terminating > 0 ||
        value_size(view->uncounted_failed) > 0 || value_size(view->uncounted_succeeded) > 0)
        return false;
    for (guint i = 0; i < view->pods->len; i++)
        if (object_has_finalizer(objects_item(view->pods, i), JOB_FINALIZER))
            return false;
    put(conditions, view, failed ? "Failed" : "Complete", "True", reason, message);
    if (failed)
        event_record(view->controller->recorder, view->job, "Warning", reason, "%s", message);
    else
        event_record(view->controller->recorder, view->job, "Normal", "Completed", "Job completed");
    return true;
}

static Value *
job_status(const JobView *view, const JobPods *pods)
{
    const Value *old = value_get(view->job, "status"), *known = value_get(old, "conditions");
    g_autoptr(Value) conditions = known != NULL ? value_ref(known) : value_new_array();
    g_autoptr(Value) start_time =
        value_get(old, "startTime") != NULL ? value_ref(value_get(old, "startTime")) : NULL;
    put_suspended(view, &conditions, &start_time);
    bool ended = put_end(view, &conditions);
    g_autofree char *completed = index_set_format(&view->succeeded_indexes),
                    *failed = index_set_format(&view->failed_indexes);
    Value *uncounted =
        value_new_f("{succeeded: ?%v, failed: ?%v}",
                    value_size(view->uncounted_succeeded) > 0 ? view->uncounted_succeeded : NULL,
                    value_size(view->uncounted_failed) > 0 ? view->uncounted_failed : NULL);
    int64_t active = ended ? 0 : (int64_t)view->active->len;
    bool complete = ended && view->fail_reason == NULL;
    Value *status = value_new_f(
        "{conditions: ?%v, startTime: ?%v, completionTime: ?%V, active: ?%i, ready: %i, "
        "terminating: %i, succeeded: ?%i, failed: ?%i, "
        "completedIndexes: ?%s, failedIndexes: ?%s, uncountedTerminatedPods: %V}",
        value_size(conditions) > 0 ? conditions : NULL, start_time,
        complete ? time_value(view->now) : NULL, active, view->n_ready, view->n_terminating,
        view->indexed ? view->succeeded : view->counted_succeeded, view->counted_failed,
        *completed != '\0' ? completed : NULL, view->per_index ? failed : NULL, uncounted);
    return status;
}

/* ---- writing
 * ----------------------------------------------------------------------------------------- */

static void
release_pod(JobController *controller, Sync *sync, const Value *pod)
{
    g_autoptr(ValueBuilder) finalizers = value_builder_new_array();
    VALUE_ARRAY_FOREACH (item, value_at(pod, "metadata.finalizers"))
        if (strcmp(value_text(item), JOB_FINALIZER) != 0)
            value_builder_append(finalizers, value_ref(item));
    Value *left = value_builder_end(g_steal_pointer(&finalizers));
    Value *patch = value_new_f("{metadata: {uid: %s, resourceVersion: %v, finalizers: %V}}",
                               object_uid(pod), value_at(pod, "metadata.resourceVersion"), left);
    client_patch(controller->base.client, "", "pods", object_namespace(pod), object_name(pod), NULL,
                 PATCH_MERGE, patch, sync_call, sync_begin_tolerating(sync, "NotFound"));
}

static void
write_start(size_t index, void *begun, void *data)
{
    const Work *work = data;
    Client *client = work->controller->base.client;
    if (index < work->pods.create->len) {
        client_create(client, "", "pods", object_namespace(work->job),
                      value_ref(objects_item(work->pods.create, (guint)index)), sync_call, begun);
        return;
    }
    const Value *pod = objects_item(work->pods.doomed, (guint)index - work->pods.create->len);
    if (work->release_first && object_has_finalizer(pod, JOB_FINALIZER))
        release_pod(work->controller, work->sync, pod);
    client_delete(client, "", "pods", object_namespace(pod), object_name(pod), NULL, sync_call,
                  begun);
}

static char *
write_answer(size_t index, const ApiResponse *response, void *data)
{
    const Work *work = data;
    JobController *controller = work->controller;
    if (index < work->pods.create->len) {
        if (!api_response_ok(response))
            expectations_creation_observed(controller->expectations, work->key);
        return pod_created(&controller->base, work->job, "Job", response);
    }
    const Value *pod = objects_item(work->pods.doomed, (guint)index - work->pods.create->len);
    if (!api_response_ok(response))
        expectations_deletion_observed(controller->expectations, work->key, object_uid(pod));
    return pod_deleted(&controller->base, work->job, "Job", object_name(pod), response);
}

static void
write_done(Sync *sync, const char *error, size_t skipped, void *data)
{
    Work *work = data;
    JobController *controller = work->controller;
    expectations_lower(controller->expectations, work->key,
                       (int64_t)MIN(skipped, work->pods.create->len));
    if (!values_equal_semantically(work->status, value_get(work->job, "status"))) {
        client_update(controller->base.client, "batch", "jobs", "status",
                      value_set(work->job, "status", value_ref(work->status)), sync_call,
                      sync_begin_tolerating(sync, "NotFound"));
        return;
    }
    for (guint i = 0; i < work->release->len; i++)
        release_pod(controller, sync, objects_item(work->release, i));
}

/* Pods that are written down as uncounted, or ended without being counted by number, may lose the
 * finalizer. */
static void
collect_release(const JobView *view, GPtrArray *release)
{
    for (guint i = 0; i < view->pods->len; i++) {
        const Value *pod = objects_item(view->pods, i);
        bool ended = pod_is_terminal(pod) || pod_counts_as_failed(view, pod);
        bool over =
            (view->fail_reason != NULL || view->success_reason != NULL) && object_is_deleting(pod);
        if (object_has_finalizer(pod, JOB_FINALIZER) && (ended || over))
            objects_add(release, pod);
    }
}

/* ---- sync
 * -------------------------------------------------------------------------------------------- */

static void
backoff_free(gpointer data)
{
    g_hash_table_destroy(((JobBackoff *)data)->seen);
    g_free(data);
}

static JobBackoff *
backoff_of(JobController *controller, const Value *job)
{
    JobBackoff *backoff = g_hash_table_lookup(controller->backoff, object_uid(job));
    if (backoff == NULL) {
        backoff = g_new0(JobBackoff, 1);
        backoff->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_hash_table_insert(controller->backoff, g_strdup(object_uid(job)), backoff);
    }
    return backoff;
}

static void
come_back_for_deadline(const JobView *view)
{
    const Value *deadline = value_at(view->job, "spec.activeDeadlineSeconds");
    int64_t start = time_at(view->job, "status.startTime");
    if (deadline != NULL && !job_is_suspended(view->job)) {
        int64_t left =
            (start != 0 ? start : view->now) + value_int(deadline) * NS_PER_S - view->now;
        if (left > 0)
            sync_again_after(view->sync, left);
    }
}

static void
reconcile(JobController *controller, Sync *sync, const char *key, const Value *job, GPtrArray *pods)
{
    static const BatchOps ops = {write_start, write_answer, write_done};
    JobView view = {.controller = &controller->base,
                    .sync = sync,
                    .job = job,
                    .pods = pods,
                    .backoff = backoff_of(controller, job),
                    .now = controller_now(&controller->base)};
    job_view_init(&view);
    Work *work = g_new0(Work, 1);
    *work = (Work){controller,    value_ref(job), NULL, {objects_new(), objects_new()},
                   objects_new(), g_strdup(key)};
    bool satisfied = expectations_satisfied(controller->expectations, key, view.now);
    if (satisfied && !object_is_deleting(job))
        job_plan_pods(&view, &work->pods);
    work->status = job_status(&view, &work->pods);
    collect_release(&view, work->release);
    work->sync = sync;
    work->release_first = view.fail_reason == NULL && view.success_reason == NULL;
    if (work->pods.create->len + work->pods.doomed->len > 0) {
        g_autoptr(GPtrArray) uids = g_ptr_array_new();
        for (guint i = 0; i < work->pods.doomed->len; i++)
            g_ptr_array_add(uids, (gpointer)object_uid(objects_item(work->pods.doomed, i)));
        expectations_set(controller->expectations, key, work->pods.create->len, uids, view.now);
        controller_decide(&controller->base, "manage", job, "Job",
                          "Job %s: %u pods active, %" G_GINT64_FORMAT
                          " succeeded, %" G_GINT64_FORMAT " failed: create %u, delete %u",
                          object_name(job), view.active->len, view.succeeded, view.failed,
                          work->pods.create->len, work->pods.doomed->len);
    }
    come_back_for_deadline(&view);
    job_view_clear(&view);
    batch_run(sync, BATCH_SLOW_START, work->pods.create->len + work->pods.doomed->len, &ops, work,
              work_free);
}

static void
sync_orphan(JobController *controller, Sync *sync, const char *pod_key)
{
    const Value *pod = informer_get(controller->pods.informer, pod_key);
    if (pod != NULL && object_has_finalizer(pod, JOB_FINALIZER) &&
        children_owner(&controller->pods, pod) == NULL)
        release_pod(controller, sync, pod);
}

static void
sync_job(const char *key, Sync *sync, void *data)
{
    JobController *controller = data;
    if (g_str_has_prefix(key, ORPHAN_PREFIX)) {
        sync_orphan(controller, sync, key + strlen(ORPHAN_PREFIX));
        return;
    }
    const Value *cached = informer_get(controller->pods.owners, key);
    if (cached == NULL) {
        expectations_delete(controller->expectations, key);
        return;
    }
    const char *managed_by = value_string_at(cached, "spec.managedBy");
    if (job_is_finished(cached) ||
        (managed_by != NULL && strcmp(managed_by, "kubernetes.io/job-controller") != 0))
        return;
    g_autoptr(Value) job = value_ref(cached);
    bool writing = false;
    g_autoptr(GPtrArray) pods = children_claim(&controller->pods, job, sync, &writing, NULL);
    if (!writing)
        reconcile(controller, sync, key, job, pods);
}

/* ---- who is woken
 * ------------------------------------------------------------------------------------ */

static const Value *
job_selector(const Value *job)
{
    return value_at(job, "spec.selector");
}

/* Many pods ending at once make one status write: syncJobBatchPeriod. */
static int64_t
gather_delay(Controller *base, const Value *job, const Value *old, const Value *new_)
{
    return old != NULL ? NS_PER_S : 0;
}

static void
pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    JobController *controller = data;
    if (new_ == NULL || !object_has_finalizer(new_, JOB_FINALIZER) ||
        children_owner(&controller->pods, new_) != NULL)
        return;
    g_autofree char *orphan = g_strconcat(ORPHAN_PREFIX, key, NULL);
    if (initial) /* its Job may not be in the cache yet */
        work_queue_add_after(controller->base.queue, orphan, NS_PER_S);
    else if (object_is_deleting(new_))
        controller_enqueue(&controller->base, orphan, cause);
}

static void
job_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    JobController *controller = data;
    controller_enqueue(&controller->base, key, cause);
    if (new_ != NULL)
        return;
    g_hash_table_remove(controller->backoff, object_uid(old));
    const GPtrArray *pods = informer_owned_by(controller->pods.informer, object_uid(old));
    for (guint i = 0; i < pods->len; i++) {
        g_autofree char *pod_key = object_key(objects_item(pods, i));
        g_autofree char *orphan = g_strconcat(ORPHAN_PREFIX, pod_key, NULL);
        controller_enqueue(&controller->base, orphan, cause);
    }
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler pod_handler = {.changed = pod_changed},
                                 job_handler = {.changed = job_changed};
    JobController *controller = g_new0(JobController, 1);
    controller_init(&controller->base, context, &job_controller_class, "job-controller", 5,
                    sync_job);
    controller->expectations = expectations_new();
    controller->backoff = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, backoff_free);
    controller->pods = (Children){.controller = &controller->base,
                                  .owners = context_owned_informer(context, "batch", "jobs"),
                                  .kind = "Job",
                                  .informer = context_pods(context),
                                  .group = "",
                                  .resource = "pods",
                                  .owner_api_version = "batch/v1",
                                  .expectations = controller->expectations,
                                  .selector = job_selector,
                                  .delay = gather_delay};
    informer_add_handler(controller->pods.owners, &job_handler, controller);
    children_watch(&controller->pods);
    informer_add_handler(controller->pods.informer, &pod_handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    JobController *controller = (JobController *)base;
    controller_clear(base);
    expectations_free(controller->expectations);
    g_hash_table_destroy(controller->backoff);
    g_free(controller);
}

const ControllerClass job_controller_class = {"job-controller", start, NULL, stop};
