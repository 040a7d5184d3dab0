/* One sync: claim ReplicaSets -> paused or scaled: sizes only -> else roll out by the strategy ->
 * status. A sync that wrote the new ReplicaSet's or the Deployment's annotations ends; the watch
 * starts the next. */
#include "core/controllers/deployment/deployment.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/deployment/rollout.h"

typedef struct DeploymentController {
    Controller base;
    Children sets;
    Informer *pods;
} DeploymentController;

/* ---- strategies
 * -------------------------------------------------------------------------------------- */

static void
rollout_rolling(Rollout *rollout)
{
    if (rollout_sync_revision(rollout, true))
        return;
    if (!rollout_reconcile_new_set(rollout) && !rollout_reconcile_old_sets(rollout) &&
        deployment_is_complete(rollout->deployment, value_get(rollout->deployment, "status")))
        rollout_clean_up(rollout);
    rollout_sync_progress(rollout);
}

static bool
old_pods_run(const DeploymentController *controller, const Rollout *rollout)
{
    for (guint i = 0; i < rollout->old_sets->len; i++)
        if (value_int_at(objects_item(rollout->old_sets, i), "status.replicas") > 0)
            return true;
    for (guint i = 0; i < rollout->old_sets->len; i++) {
        const GPtrArray *pods =
            informer_owned_by(controller->pods, object_uid(objects_item(rollout->old_sets, i)));
        for (guint j = 0; j < pods->len; j++)
            if (!pod_is_terminal(objects_item(pods, j)))
                return true;
    }
    return false;
}

static void
rollout_recreate(DeploymentController *controller, Rollout *rollout)
{
    bool scaled = false;
    if (rollout_sync_revision(rollout, false))
        return;
    for (guint i = 0; i < rollout->old_sets->len; i++)
        if (set_replicas(objects_item(rollout->old_sets, i)) > 0)
            scaled |= rollout_scale_set(rollout, objects_item(rollout->old_sets, i), 0);
    if (scaled || old_pods_run(controller, rollout)) {
        rollout_sync_progress(rollout);
        return;
    }
    if (rollout->new_set == NULL) {
        rollout_sync_revision(rollout, true);
        return;
    }
    rollout_scale_set(rollout, rollout->new_set, deployment_replicas(rollout->deployment));
    if (deployment_is_complete(rollout->deployment, value_get(rollout->deployment, "status")))
        rollout_clean_up(rollout);
    rollout_sync_progress(rollout);
}

/* ---- sync
 * -------------------------------------------------------------------------------------------- */

/* Pausing stops the deadline's clock. True: it wrote the condition. */
static bool
write_paused_condition(Rollout *rollout)
{
    const Value *deployment = rollout->deployment;
    if (!deployment_has_progress_deadline(deployment))
        return false;
    const Value *conditions = value_at(deployment, "status.conditions");
    const char *reason = value_text(value_get(condition_find(conditions, "Progressing"), "reason"));
    bool paused = value_bool_at(deployment, "spec.paused"),
         known = strcmp(reason, "DeploymentPaused") == 0;
    if (strcmp(reason, "ProgressDeadlineExceeded") == 0 || paused == known)
        return false;
    Value *condition = deployment_condition_new(
        "Progressing", "Unknown", paused ? "DeploymentPaused" : "DeploymentResumed",
        paused ? "Deployment is paused" : "Deployment is resumed",
        controller_now(rollout->controller));
    Value *status = value_get(deployment, "status") != NULL
                        ? value_ref(value_get(deployment, "status"))
                        : value_new_map();
    value_edit(&status, "conditions", conditions_put(conditions, condition));
    rollout_write_status(rollout, status);
    return true;
}

static void
sync_rollout(DeploymentController *controller, Rollout *rollout)
{
    const Value *deployment = rollout->deployment;
    if (object_is_deleting(deployment)) {
        rollout_sync_counts(rollout);
        return;
    }
    if (write_paused_condition(rollout))
        return;
    if (value_bool_at(deployment, "spec.paused") || rollout_is_scaling_event(rollout)) {
        if (rollout_sync_revision(rollout, false))
            return;
        rollout_scale_proportionally(rollout);
        if (value_bool_at(deployment, "spec.paused"))
            rollout_clean_up(rollout);
        rollout_sync_counts(rollout);
    } else if (deployment_is_rolling(deployment)) {
        rollout_rolling(rollout);
    } else {
        rollout_recreate(controller, rollout);
    }
}

static void
sync_deployment(const char *key, Sync *sync, void *data)
{
    DeploymentController *controller = data;
    const Value *cached = informer_get(controller->sets.owners, key);
    if (cached == NULL)
        return;
    g_autoptr(Value) deployment = value_ref(cached);
    if (label_selector_is_empty(value_at(deployment, "spec.selector"))) {
        event_record(controller->base.recorder, deployment, "Warning", "SelectingAll",
                     "This deployment is selecting all pods. A non-empty selector is required.");
        return;
    }
    bool writing = false;
    g_autoptr(GPtrArray) sets = children_claim(&controller->sets, deployment, sync, &writing, NULL);
    if (writing)
        return;
    Rollout rollout = {
        .controller = &controller->base, .sync = sync, .deployment = deployment, .sets = sets};
    rollout_find_sets(&rollout);
    sync_rollout(controller, &rollout);
    g_ptr_array_free(rollout.old_sets, TRUE);
}

/* ---- who is woken
 * ------------------------------------------------------------------------------------ */

static const Value *
deployment_selector(const Value *deployment)
{
    return value_at(deployment, "spec.selector");
}

/* Recreate waits for its old pods to be gone. */
static void
pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    DeploymentController *controller = data;
    if (old == NULL || (new_ != NULL && pod_is_terminal(new_) == pod_is_terminal(old)))
        return;
    const Value *reference = object_controller(old);
    if (strcmp(value_text(value_get(reference, "kind")), "ReplicaSet") != 0)
        return;
    const Value *set = informer_get_named(controller->sets.informer, object_namespace(old),
                                          value_text(value_get(reference, "name")));
    const Value *deployment = set != NULL ? children_owner(&controller->sets, set) : NULL;
    if (deployment != NULL && !deployment_is_rolling(deployment))
        controller_enqueue_object(&controller->base, deployment, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = pod_changed};
    DeploymentController *controller = g_new0(DeploymentController, 1);
    controller_init(&controller->base, context, &deployment_controller_class,
                    "deployment-controller", 5, sync_deployment);
    controller->pods = context_pods(context);
    controller->sets =
        (Children){.controller = &controller->base,
                   .owners = context_informer(context, "apps", "deployments"),
                   .kind = "Deployment",
                   .informer = context_owned_informer(context, "apps", "replicasets"),
                   .group = "apps",
                   .resource = "replicasets",
                   .owner_api_version = "apps/v1",
                   .selector = deployment_selector};
    controller_watch(&controller->base, controller->sets.owners);
    children_watch(&controller->sets);
    informer_add_handler(controller->pods, &handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    g_free(base);
}

const ControllerClass deployment_controller_class = {"deployment-controller", start, NULL, stop};
