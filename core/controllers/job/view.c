/* Counting: which pods are active, which have ended and how, and what follows for the Job. */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/job/view.h"

bool
job_is_suspended(const Value *job)
{
    return value_bool_at(job, "spec.suspend");
}

bool
job_is_finished(const Value *job)
{
    const Value *conditions = value_at(job, "status.conditions");
    return condition_is(conditions, "Complete", "True") ||
           condition_is(conditions, "Failed", "True");
}

bool
pod_counts_as_failed(const JobView *view, const Value *pod)
{
    if (strcmp(pod_phase(pod), "Failed") == 0)
        return true;
    return !view->only_replace_failed && object_is_deleting(pod) &&
           strcmp(pod_phase(pod), "Succeeded") != 0;
}

static bool
array_has(const Value *array, const char *text)
{
    VALUE_ARRAY_FOREACH (item, array)
        if (strcmp(value_text(item), text) == 0)
            return true;
    return false;
}

/* Those of the uncounted whose pod has lost the finalizer are counted now; the others still wait.
 */
static Value *
settle_uncounted(const JobView *view, const char *key, int64_t *counted)
{
    const Value *old = value_get(value_at(view->job, "status.uncountedTerminatedPods"), key);
    g_autoptr(ValueBuilder) left = value_builder_new_array();
    VALUE_ARRAY_FOREACH (uid, old) {
        bool tracked = false;
        for (guint i = 0; i < view->pods->len && !tracked; i++)
            tracked = strcmp(object_uid(objects_item(view->pods, i)), value_text(uid)) == 0 &&
                      object_has_finalizer(objects_item(view->pods, i), JOB_FINALIZER);
        if (tracked)
            value_builder_append(left, value_ref(uid));
        else
            ++*counted;
    }
    return value_builder_end(g_steal_pointer(&left));
}

static void
fail_with(JobView *view, const char *reason, char *take_message)
{
    if (view->fail_reason == NULL) {
        view->fail_reason = g_strdup(reason);
        view->fail_message = take_message;
    } else {
        g_free(take_message);
    }
}

static void
record_success(JobView *view, const Value *pod)
{
    if (g_hash_table_add(view->backoff->seen, g_strdup(object_uid(pod))))
        view->backoff->failures = 0;
    if (!view->indexed || pod_completion_index(pod) < 0)
        value_replace(&view->uncounted_succeeded,
                      value_append(view->uncounted_succeeded, value_new_string(object_uid(pod))));
}

static void
record_failure(JobView *view, const Value *pod)
{
    char *message = NULL;
    const Value *policy = value_at(view->job, "spec.podFailurePolicy");
    PodFailureAction action =
        policy != NULL ? pod_failure_action(policy, pod, &message) : POD_FAILURE_COUNT;
    int64_t index = pod_completion_index(pod);
    if (action == POD_FAILURE_FAIL_JOB)
        fail_with(view, "PodFailurePolicy", message);
    if (view->per_index && index >= 0) {
        const char *text = object_annotation(pod, ANNOTATION_INDEX_FAILURES);
        int64_t failures =
            (text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0) + (action != POD_FAILURE_IGNORE);
        if (action == POD_FAILURE_FAIL_INDEX ||
            failures > value_int_at(view->job, "spec.backoffLimitPerIndex"))
            index_set_add(&view->failed_indexes, index);
    }
    if (action == POD_FAILURE_IGNORE)
        return;
    if (g_hash_table_add(view->backoff->seen, g_strdup(object_uid(pod)))) {
        view->backoff->failures++;
        view->backoff->last_failure_ns =
            MAX(view->backoff->last_failure_ns, pod_finish_time(pod, view->now));
    }
    value_replace(&view->uncounted_failed,
                  value_append(view->uncounted_failed, value_new_string(object_uid(pod))));
}

static void
count_pods(JobView *view)
{
    for (guint i = 0; i < view->pods->len; i++) {
        const Value *pod = objects_item(view->pods, i);
        bool succeeded = strcmp(pod_phase(pod), "Succeeded") == 0;
        bool failed = !succeeded && pod_counts_as_failed(view, pod);
        int64_t index = pod_completion_index(pod);
        if (pod_is_active(pod)) {
            g_ptr_array_add(view->active, (gpointer)pod);
            view->n_ready += pod_is_ready(pod);
        }
        if (object_is_deleting(pod) && !pod_is_terminal(pod))
            view->n_terminating++;
        if (succeeded && view->indexed && index >= 0 && index < view->completions)
            index_set_add(&view->succeeded_indexes, index);
        if (!object_has_finalizer(pod, JOB_FINALIZER) ||
            array_has(view->uncounted_succeeded, object_uid(pod)) ||
            array_has(view->uncounted_failed, object_uid(pod)))
            continue;
        if (succeeded)
            record_success(view, pod);
        else if (failed)
            record_failure(view, pod);
    }
    view->succeeded =
        view->indexed ? (int64_t)view->succeeded_indexes.members->len
                      : view->counted_succeeded + (int64_t)value_size(view->uncounted_succeeded);
    view->failed = view->counted_failed + (int64_t)value_size(view->uncounted_failed);
}

/* restartPolicy OnFailure: restarts within the pods count against the limit. */
static bool
restarts_exceed(const JobView *view, int64_t limit)
{
    if (strcmp(value_text_at(view->job, "spec.template.spec.restartPolicy"), "OnFailure") != 0)
        return false;
    int64_t restarts = 0;
    for (guint i = 0; i < view->active->len; i++)
        restarts += pod_restart_count(objects_item(view->active, i));
    return limit == 0 ? restarts > 0 : restarts >= limit;
}

static void
judge_failure(JobView *view)
{
    const Value *job = view->job, *deadline = value_at(job, "spec.activeDeadlineSeconds");
    const Value *target = condition_find(value_at(job, "status.conditions"), "FailureTarget");
    int64_t start = time_at(job, "status.startTime"),
            limit = value_int_at_or(job, "spec.backoffLimit", view->per_index ? INT32_MAX : 6);
    if (target != NULL && strcmp(value_text(value_get(target, "status")), "True") == 0) {
        g_clear_pointer(&view->fail_reason, g_free);
        g_clear_pointer(&view->fail_message, g_free);
        fail_with(view, value_text(value_get(target, "reason")),
                  g_strdup(value_text(value_get(target, "message"))));
        return;
    }
    if (view->fail_reason != NULL ||
        condition_is(value_at(job, "status.conditions"), "SuccessCriteriaMet", "True"))
        return;
    if (view->failed > limit || restarts_exceed(view, limit))
        fail_with(view, "BackoffLimitExceeded",
                  g_strdup("Job has reached the specified backoff limit"));
    else if (deadline != NULL && start != 0 && !job_is_suspended(job) &&
             view->now - start >= value_int(deadline) * NS_PER_S)
        fail_with(view, "DeadlineExceeded",
                  g_strdup("Job was active longer than specified deadline"));
    const Value *max_failed = value_at(job, "spec.maxFailedIndexes");
    int64_t failed_indexes = view->failed_indexes.members->len;
    if (max_failed != NULL && failed_indexes > value_int(max_failed))
        fail_with(view, "MaxFailedIndexesExceeded",
                  g_strdup("Job has exceeded the specified maximal number of failed indexes"));
    else if (view->per_index && failed_indexes > 0 && view->completions >= 0 &&
             failed_indexes + (int64_t)view->succeeded_indexes.members->len >= view->completions)
        fail_with(view, "FailedIndexes", g_strdup("Job has failed indexes"));
}

static void
judge_success(JobView *view)
{
    const Value *job = view->job,
                *met = condition_find(value_at(job, "status.conditions"), "SuccessCriteriaMet");
    if (view->fail_reason != NULL)
        return;
    if (met != NULL && strcmp(value_text(value_get(met, "status")), "True") == 0) {
        view->success_reason = g_strdup(value_text(value_get(met, "reason")));
        view->success_message = g_strdup(value_text(value_get(met, "message")));
        return;
    }
    const Value *policy = value_at(job, "spec.successPolicy");
    if (policy != NULL && view->indexed &&
        (view->success_message = success_policy_match(policy, &view->succeeded_indexes)) != NULL) {
        view->success_reason = g_strdup("SuccessPolicy");
        return;
    }
    bool complete = view->completions < 0
                        ? view->succeeded > 0 && view->active->len == 0
                        : view->succeeded >= view->completions && view->active->len == 0;
    if (complete) {
        view->success_reason = g_strdup("CompletionsReached");
        view->success_message = g_strdup("Reached expected number of succeeded pods");
    }
}

void
job_view_init(JobView *view)
{
    const Value *job = view->job, *completions = value_at(job, "spec.completions");
    const char *replacement = value_text_at(job, "spec.podReplacementPolicy");
    view->indexed = strcmp(value_text_at(job, "spec.completionMode"), "Indexed") == 0;
    view->per_index = view->indexed && value_at(job, "spec.backoffLimitPerIndex") != NULL;
    view->only_replace_failed =
        strcmp(replacement, "Failed") == 0 ||
        (*replacement == '\0' && value_at(job, "spec.podFailurePolicy") != NULL);
    view->completions = completions != NULL ? value_int(completions) : -1;
    view->active = g_ptr_array_new();
    index_set_init(&view->succeeded_indexes);
    index_set_init(&view->failed_indexes);
    index_set_parse(&view->succeeded_indexes, value_text_at(job, "status.completedIndexes"),
                    view->completions);
    index_set_parse(&view->failed_indexes, value_text_at(job, "status.failedIndexes"),
                    view->completions);
    view->counted_succeeded = value_int_at(job, "status.succeeded");
    view->counted_failed = value_int_at(job, "status.failed");
    view->uncounted_succeeded = settle_uncounted(view, "succeeded", &view->counted_succeeded);
    view->uncounted_failed = settle_uncounted(view, "failed", &view->counted_failed);
    count_pods(view);
    judge_failure(view);
    judge_success(view);
}

void
job_view_clear(JobView *view)
{
    g_ptr_array_free(view->active, TRUE);
    index_set_clear(&view->succeeded_indexes);
    index_set_clear(&view->failed_indexes);
    g_free(view->fail_reason);
    g_free(view->fail_message);
    g_free(view->success_reason);
    g_free(view->success_message);
    value_unref(view->uncounted_succeeded);
    value_unref(view->uncounted_failed);
}
