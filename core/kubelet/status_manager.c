/* Tells the API how pods are, with as few writes as possible (pkg/kubelet/status/status_manager.go): a status that did not
 * change is not written, while a write is under way further changes wait and go together, and a pod that is down and marked
 * for deletion is deleted only after its last status is written. */
#include "core/kubelet/internal.h"

static void
on_deleted(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    if (worker == NULL || error == NULL || op->code == 404 || op->code == 409)
        return;
    worker->delete_sent = false;
    worker_retry_at(worker, kubelet_now(op->kubelet) + op->kubelet->config.sync_retry_ns);
    worker_set_timer(worker);
}

static bool
may_delete(const PodWorker *worker)
{
    return !worker->is_static && worker->state == WORKER_TERMINATED && worker->cleaned && !worker->delete_sent &&
           !worker->removed && object_is_deleting(worker->api);
}

static void
delete_pod(PodWorker *worker)
{
    worker->delete_sent = true;
    worker_decision(worker, "delete", "the pod is down: delete it from the API");
    client_delete(worker->kubelet->client, "", "pods", object_namespace(worker->api), object_name(worker->api),
                  value_new_f("{apiVersion: v1, kind: DeleteOptions, gracePeriodSeconds: 0, preconditions: {uid: %s}}",
                              object_uid(worker->api)),
                  op_api_done, op_new(worker->kubelet, worker, on_deleted));
}

static void
take_newer(PodWorker *worker, const Value *object)
{
    if (worker->api != NULL && g_str_equal(object_uid(worker->api), object_uid(object)) &&
        object_resource_version(object) < object_resource_version(worker->api))
        return;
    value_replace(&worker->api, value_ref(object));
}

static void
on_patched(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    if (worker == NULL)
        return;
    worker->status_in_flight = false;
    if (error == NULL) {
        take_newer(worker, op->value);
        const Value *told = value_get(worker->api, "status");
        if (!worker->status_dirty && value_equal(worker->status, told))
            value_replace(&worker->status, value_ref(told)); /* one copy is enough */
    } else if (op->code != 404 && op->code != 409) {
        worker->status_dirty = true;
        worker_retry_at(worker, kubelet_now(op->kubelet) + op->kubelet->config.sync_retry_ns);
        worker_set_timer(worker);
        return;
    }
    status_flush(worker);
}

void
status_flush(PodWorker *worker)
{
    if (worker->status_in_flight || worker->from_orphan || worker->removed || worker->api == NULL)
        return;
    g_autoptr(Value) patch = NULL;
    if (worker->status_dirty && worker->status != NULL)
        patch = status_patch(worker->api, value_get(worker->api, "status"), worker->status);
    worker->status_dirty = false;
    if (patch == NULL) {
        if (may_delete(worker))
            delete_pod(worker);
        return;
    }
    worker->status_in_flight = true;
    client_patch(worker->kubelet->client, "", "pods", object_namespace(worker->api), object_name(worker->api), "status",
                 PATCH_STRATEGIC, g_steal_pointer(&patch), op_api_done, op_new(worker->kubelet, worker, on_patched));
}

void
status_set(PodWorker *worker, Value *take)
{
    if (value_equal(worker->status, take)) {
        value_unref(take);
        if (!worker->status_dirty)
            return;
    } else {
        const char *old = value_text(value_get(worker->status, "phase"));
        const char *phase = value_text(value_get(take, "phase"));
        if (!g_str_equal(old, phase))
            worker_decision(worker, "phase", "%s -> %s", *old != '\0' ? old : "(none)", phase);
        value_replace(&worker->status, take);
        worker->status_dirty = true;
    }
    status_flush(worker);
}

void
status_api_changed(PodWorker *worker, const Value *object)
{
    take_newer(worker, object);
}
