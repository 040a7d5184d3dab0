/* Which pods to make and which to delete (job_controller.go manageJob, indexed_job_utils.go). */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/pod_control.h"
#include "core/controllers/common/util.h"
#include "core/controllers/job/view.h"

#define PODS_PER_SYNC_MAX 500 /* MaxPodCreateDeletePerSync */

static int64_t
active_wanted(const JobView *view)
{
    int64_t parallelism = value_int_at_or(view->job, "spec.parallelism", 1);
    if (view->completions < 0)
        return view->succeeded > 0 ? (int64_t)view->active->len : parallelism;
    int64_t left = view->completions - view->succeeded;
    if (view->per_index)
        left -= (int64_t)view->failed_indexes.members->len;
    return CLAMP(left, 0, parallelism);
}

/* Two pods of one index, or an index that is done or out of range: the surplus goes first. */
static void
doom_duplicates(JobView *view, GPtrArray *kept, GPtrArray *doomed)
{
    g_autoptr(GPtrArray) active = g_ptr_array_new();
    for (guint i = 0; i < view->active->len; i++)
        g_ptr_array_add(active, g_ptr_array_index(view->active, i));
    pods_sort_for_deletion(active, NULL, NULL, view->now);
    IndexSet seen;
    index_set_init(&seen);
    for (guint i = active->len; i > 0; i--) {
        const Value *pod = objects_item(active, i - 1);
        int64_t index = pod_completion_index(pod);
        bool useful = index >= 0 && (view->completions < 0 || index < view->completions) &&
                      !index_set_has(&seen, index);
        if (useful) {
            index_set_add(&seen, index);
            g_ptr_array_add(kept, (gpointer)pod);
        } else {
            objects_add(doomed, pod);
        }
    }
    index_set_clear(&seen);
}

static void
plan_deletions(JobView *view, int64_t wanted, GPtrArray *doomed)
{
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    if (view->indexed) {
        doom_duplicates(view, kept, doomed);
    } else {
        for (guint i = 0; i < view->active->len; i++)
            g_ptr_array_add(kept, g_ptr_array_index(view->active, i));
    }
    if ((int64_t)kept->len > wanted) {
        pods_sort_for_deletion(kept, NULL, NULL, view->now);
        for (guint i = 0; i < kept->len - (guint)wanted; i++)
            objects_add(doomed, objects_item(kept, i));
    }
    if (doomed->len > PODS_PER_SYNC_MAX)
        g_ptr_array_set_size(doomed, PODS_PER_SYNC_MAX);
}

/* ---- new pods
 * ---------------------------------------------------------------------------------------- */

static Value *
containers_with_index(const Value *containers)
{
    g_autoptr(ValueBuilder) result = value_builder_new_array();
    VALUE_ARRAY_FOREACH (container, containers) {
        const Value *env = value_get(container, "env");
        bool known = false;
        VALUE_ARRAY_FOREACH (entry, env)
            known |= strcmp(value_text(value_get(entry, "name")), "JOB_COMPLETION_INDEX") == 0;
        if (known) {
            value_builder_append(result, value_ref(container));
            continue;
        }
        g_autoptr(Value) before = env != NULL ? value_ref(env) : value_new_array();
        Value *entry = value_new_f(
            "{name: JOB_COMPLETION_INDEX, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: %s}}}",
            "metadata.labels['" LABEL_COMPLETION_INDEX "']");
        value_builder_append(result, value_set(container, "env", value_append(before, entry)));
    }
    return value_builder_end(g_steal_pointer(&result));
}

/* What all pods of this Job have; made once a sync, so that they share it. */
static Value *
pod_base(const JobView *view)
{
    Value *pod =
        pod_from_template(value_at(view->job, "spec.template"), view->job, "batch/v1", "Job");
    const Value *finalizers = value_at(pod, "metadata.finalizers");
    g_autoptr(Value) before = finalizers != NULL ? value_ref(finalizers) : value_new_array();
    value_edit(&pod, "metadata.finalizers", value_append(before, value_new_string(JOB_FINALIZER)));
    if (!view->indexed)
        return pod;
    value_edit(&pod, "spec.containers", containers_with_index(value_at(pod, "spec.containers")));
    if (value_at(pod, "spec.initContainers") != NULL)
        value_edit(&pod, "spec.initContainers",
                   containers_with_index(value_at(pod, "spec.initContainers")));
    return pod;
}

/* How often an index has failed, by the newest of its ended pods; and when. */
static int64_t
index_failures(const JobView *view, int64_t index, int64_t *ret_last_ns)
{
    int64_t failures = 0;
    *ret_last_ns = 0;
    for (guint i = 0; i < view->pods->len; i++) {
        const Value *pod = objects_item(view->pods, i);
        if (pod_completion_index(pod) != index || !pod_counts_as_failed(view, pod))
            continue;
        const Value *policy = value_at(view->job, "spec.podFailurePolicy");
        bool ignored =
            policy != NULL && pod_failure_action(policy, pod, NULL) == POD_FAILURE_IGNORE;
        const char *text = object_annotation(pod, ANNOTATION_INDEX_FAILURES);
        failures = MAX(failures, (text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0) + !ignored);
        *ret_last_ns = MAX(*ret_last_ns, pod_finish_time(pod, view->now));
    }
    return failures;
}

static Value *
indexed_pod(const JobView *view, const Value *base, int64_t index, int64_t failures)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, index);
    Value *pod = value_ref(base);
    value_edit(&pod, "metadata.generateName",
               value_new_stringf("%s-%s-", object_name(view->job), text));
    value_edit(&pod, "metadata.annotations['" LABEL_COMPLETION_INDEX "']", value_new_string(text));
    value_edit(&pod, "metadata.labels['" LABEL_COMPLETION_INDEX "']", value_new_string(text));
    value_edit(&pod, "spec.hostname", value_new_stringf("%s-%s", object_name(view->job), text));
    if (view->per_index)
        value_edit(&pod, "metadata.annotations['" ANNOTATION_INDEX_FAILURES "']",
                   value_new_stringf("%" G_GINT64_FORMAT, failures));
    return pod;
}

static void
plan_indexed(JobView *view, int64_t count, GPtrArray *create)
{
    g_autoptr(Value) base = pod_base(view);
    IndexSet taken;
    index_set_init(&taken);
    for (guint i = 0; i < view->pods->len; i++) {
        const Value *pod = objects_item(view->pods, i);
        bool blocks = pod_is_active(pod) || (view->only_replace_failed && object_is_deleting(pod) &&
                                             !pod_is_terminal(pod));
        if (blocks && pod_completion_index(pod) >= 0)
            index_set_add(&taken, pod_completion_index(pod));
    }
    for (int64_t index = 0; index < view->completions && (int64_t)create->len < count; index++) {
        if (index_set_has(&taken, index) || index_set_has(&view->succeeded_indexes, index) ||
            index_set_has(&view->failed_indexes, index))
            continue;
        int64_t last_ns = 0, failures = view->per_index ? index_failures(view, index, &last_ns) : 0;
        int64_t left = job_backoff_left(failures, last_ns, view->now);
        if (left > 0)
            sync_again_after(view->sync, left);
        else
            g_ptr_array_add(create, indexed_pod(view, base, index, failures));
    }
    index_set_clear(&taken);
}

void
job_plan_pods(JobView *view, JobPods *ret_pods)
{
    int64_t wanted = active_wanted(view);
    if (view->fail_reason != NULL || view->success_reason != NULL || job_is_suspended(view->job))
        wanted = 0;
    plan_deletions(view, wanted, ret_pods->doomed);
    if (ret_pods->doomed->len > 0)
        return;
    int64_t missing =
        wanted - (int64_t)view->active->len - (view->only_replace_failed ? view->n_terminating : 0);
    if (missing <= 0)
        return;
    int64_t left = view->per_index ? 0
                                   : job_backoff_left(view->backoff->failures,
                                                      view->backoff->last_failure_ns, view->now);
    if (left > 0) {
        sync_again_after(view->sync, left);
        return;
    }
    missing = MIN(missing, PODS_PER_SYNC_MAX);
    if (view->indexed) {
        plan_indexed(view, missing, ret_pods->create);
        return;
    }
    g_autoptr(Value) base = pod_base(view);
    for (int64_t i = 0; i < missing; i++)
        objects_add(ret_pods->create, base);
}
