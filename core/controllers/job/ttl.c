/* ttl-after-finished-controller: a finished Job with ttlSecondsAfterFinished is deleted that long
 * after its end. */
#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/job/job.h"
#include "core/controllers/job/view.h"

static int64_t
finish_time(const Value *job)
{
    VALUE_ARRAY_FOREACH (condition, value_at(job, "status.conditions")) {
        const char *type = value_text(value_get(condition, "type"));
        if ((strcmp(type, "Complete") == 0 || strcmp(type, "Failed") == 0) &&
            strcmp(value_text(value_get(condition, "status")), "True") == 0)
            return time_of(value_get(condition, "lastTransitionTime"));
    }
    return 0;
}

static bool
needs_cleanup(const Value *job)
{
    return job != NULL && value_at(job, "spec.ttlSecondsAfterFinished") != NULL &&
           !object_is_deleting(job) && finish_time(job) != 0;
}

static void
sync_job(const char *key, Sync *sync, void *data)
{
    Controller *controller = data;
    const Value *job = informer_get(context_informer(controller->context, "batch", "jobs"), key);
    if (!needs_cleanup(job))
        return;
    int64_t left = finish_time(job) + value_int_at(job, "spec.ttlSecondsAfterFinished") * NS_PER_S -
                   controller_now(controller);
    if (left > 0) {
        sync_again_after(sync, left);
        return;
    }
    controller_decide(controller, "delete", job, "Job",
                      "Job %s ended longer ago than its ttlSecondsAfterFinished", object_name(job));
    Value *options = value_new_f("{apiVersion: v1, kind: DeleteOptions, propagationPolicy: "
                                 "Foreground, preconditions: {uid: %s}}",
                                 object_uid(job));
    client_delete(controller->client, "batch", "jobs", object_namespace(job), object_name(job),
                  options, sync_call, sync_begin_tolerating(sync, "NotFound"));
}

static void
job_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    if (needs_cleanup(new_))
        controller_enqueue(data, key, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = job_changed};
    Controller *controller = g_new0(Controller, 1);
    controller_init(controller, context, &ttl_after_finished_controller_class,
                    "ttl-after-finished-controller", 5, sync_job);
    informer_add_handler(context_informer(context, "batch", "jobs"), &handler, controller);
    return controller;
}

static void
stop(Controller *controller)
{
    controller_clear(controller);
    g_free(controller);
}

const ControllerClass ttl_after_finished_controller_class = {"ttl-after-finished-controller", start,
                                                             NULL, stop};
