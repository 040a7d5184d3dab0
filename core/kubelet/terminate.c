/* Bringing a pod down: main containers at once, then sidecars from the last to the first, each with its preStop hook and what
 * is left of the grace period; then the sandbox, the last status, the directories; and when the API object is gone, what is
 * left below (SyncTerminatingPod, SyncTerminatedPod). */
#include "core/kubelet/internal.h"

int64_t
worker_grace_seconds(const PodWorker *worker)
{
    int64_t grace = pod_grace_period(worker->pod);
    if (worker->grace_override >= 0)
        grace = worker->grace_override;
    return MAX(grace, 1);
}

void
worker_terminate(PodWorker *worker)
{
    if (worker->state != WORKER_SYNC)
        return;
    sync_abort(worker);
    worker->state = WORKER_TERMINATING;
    worker->wait_since = kubelet_now(worker->kubelet);
    worker->retry_at = 0;
    probes_stop(worker, false);
    worker_decision(worker, "terminate", "bring the pod down within %" G_GINT64_FORMAT " s", worker_grace_seconds(worker));
    if (worker->status != NULL || worker->fail_reason != NULL)
        worker_make_status(worker);
    worker_terminate_step(worker);
}

/* The containers that may be stopped now: all but sidecars, or the last sidecar that runs. Returns how many run. */
static unsigned
kill_next(PodWorker *worker, const RuntimeView *view)
{
    unsigned running = 0, mains = 0;
    const ContainerStatus *last_sidecar = NULL;
    const Value *init = pod_container_list(worker->pod, CONTAINER_INIT);
    int64_t elapsed = kubelet_now(worker->kubelet) - worker->wait_since;
    int64_t grace = worker_grace_seconds(worker) * NS_PER_S;
    for (guint i = 0; i < view->containers->len; i++) {
        const ContainerStatus *status = &g_array_index(view->containers, ContainerStatus, i);
        if (status->state != CONTAINER_RUNNING && status->state != CONTAINER_UNKNOWN)
            continue;
        running++;
        ContainerKind kind = CONTAINER_MAIN;
        const Value *container = pod_find_container(worker->pod, status->name, &kind);
        if (container != NULL && container_is_sidecar(container, kind))
            continue;
        mains++;
        if (!kill_is_under_way(worker, status->id))
            kill_container(worker, status->id, status->name, grace, NULL);
    }
    for (size_t i = value_size(init); i-- > 0 && mains == 0 && last_sidecar == NULL;) {
        const ContainerStatus *status = runtime_view_find(view, value_text(value_get(value_item(init, i), "name")));
        if (status != NULL && (status->state == CONTAINER_RUNNING || status->state == CONTAINER_UNKNOWN))
            last_sidecar = status;
    }
    if (last_sidecar != NULL && !kill_is_under_way(worker, last_sidecar->id))
        kill_container(worker, last_sidecar->id, last_sidecar->name, MAX(grace - elapsed, 2 * NS_PER_S), NULL);
    return running;
}

static void
on_sandbox_stopped(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    if (worker == NULL)
        return;
    worker->in_flight--;
    if (error != NULL) {
        worker_event(worker, "Warning", "FailedKillPod", "error killing pod: failed to \"KillPodSandbox\" for \"%s\": %s",
                     worker->uid, error);
        worker_retry_at(worker, kubelet_now(worker->kubelet) + worker->kubelet->config.sync_retry_ns);
        worker_set_timer(worker);
        return;
    }
    worker_terminate_step(worker);
}

static void
on_dirs_removed(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    if (worker == NULL)
        return;
    worker->in_flight--;
    worker->cleaned = true;
    status_flush(worker);
    worker_finish(worker);
}

static void
terminated(PodWorker *worker)
{
    Kubelet *kubelet = worker->kubelet;
    worker->state = WORKER_TERMINATED;
    probes_stop(worker, true);
    objects_release(worker);
    worker_decision(worker, "terminated", "all containers have ended");
    worker_make_status(worker);
    worker->retry_at = worker->refresh_at = 0;
    worker_set_timer(worker);
    worker->in_flight++;
    kubelet->host->ops->remove_pod_dirs(kubelet->host, worker->uid, op_host_done,
                                        op_new(kubelet, worker, on_dirs_removed));
}

void
worker_terminate_step(PodWorker *worker)
{
    if (worker->state != WORKER_TERMINATING || worker->in_flight > 0)
        return;
    Kubelet *kubelet = worker->kubelet;
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, worker->uid);
    if (kill_next(worker, view) > 0 || kill_count(worker) > 0)
        return;
    bool stopping = false;
    for (guint i = 0; i < view->sandboxes->len; i++) {
        const PodSandboxStatus *sandbox = &g_array_index(view->sandboxes, PodSandboxStatus, i);
        if (!sandbox->ready)
            continue;
        stopping = true;
        worker->in_flight++;
        kubelet->runtime->ops->stop_pod_sandbox(kubelet->runtime, sandbox->id, op_runtime_done,
                                                op_new(kubelet, worker, on_sandbox_stopped));
    }
    if (!stopping)
        terminated(worker);
}

void
worker_finish(PodWorker *worker)
{
    if (worker->state != WORKER_TERMINATED || !worker->removed || !worker->cleaned || worker->in_flight > 0)
        return;
    Kubelet *kubelet = worker->kubelet;
    g_autofree char *uid = g_strdup(worker->uid);
    g_autofree char *namespace_ = g_strdup(object_namespace(worker->pod));
    g_autofree char *name = g_strdup(object_name(worker->pod));
    gc_remove_pod(kubelet, uid);
    kubelet_forget_worker(worker);
    PodWorker *next = kubelet_find_named(kubelet, namespace_, name);
    if (next != NULL && next->state == WORKER_SYNC)
        worker_wake(next); /* a static pod waited for the name */
}
