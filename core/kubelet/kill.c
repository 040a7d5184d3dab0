/* Stopping one container (killContainer): the preStop hook, which counts against the grace period, then the stop signal with
 * what is left of it, at least 2 s. */
#include "core/kubelet/internal.h"

#define GRACE_MIN_NS (2 * NS_PER_S) /* minimumGracePeriodInSeconds */

static void
kill_free(void *data)
{
    Kill *kill = data;
    g_free(kill->id);
    g_free(kill->name);
    g_free(kill);
}

static Kill *
find(const PodWorker *worker, const char *id)
{
    for (guint i = 0; worker->kills != NULL && i < worker->kills->len; i++) {
        Kill *kill = worker->kills->pdata[i];
        if (g_str_equal(kill->id, id))
            return kill;
    }
    return NULL;
}

bool
kill_is_under_way(const PodWorker *worker, const char *id)
{
    return find(worker, id) != NULL;
}

unsigned
kill_count(const PodWorker *worker)
{
    return worker->kills == NULL ? 0 : worker->kills->len;
}

static void
kill_over(PodWorker *worker, Kill *kill)
{
    g_ptr_array_remove(worker->kills, kill);
    kubelet_changed_below(worker->kubelet, worker->uid);
    if (worker->state == WORKER_TERMINATING)
        worker_terminate_step(worker);
    else if (worker->state == WORKER_SYNC && worker->kills->len == 0 &&
             (worker->step == STEP_KILL_POD || worker->step == STEP_KILL))
        sync_continue(worker);
}

static void
on_stopped(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    Kill *kill = worker == NULL ? NULL : find(worker, op->text);
    if (kill == NULL)
        return;
    kill->stops--;
    if (error != NULL) {
        worker_event(worker, "Warning", "FailedKillPod",
                     "error killing pod: failed to \"KillContainer\" for \"%s\": %s", kill->name, error);
        worker_retry_at(worker, kubelet_now(worker->kubelet) + worker->kubelet->config.sync_retry_ns);
        worker_set_timer(worker);
        /* Out of the list without going on: the retry finds whether it still runs. */
        g_ptr_array_remove(worker->kills, kill);
        if (worker->state == WORKER_SYNC && worker->kills->len == 0)
            sync_continue(worker);
        return;
    }
    kill_over(worker, kill);
}

static void
stop(PodWorker *worker, Kill *kill, int64_t grace_ns)
{
    Runtime *runtime = worker->kubelet->runtime;
    Op *op = op_new(worker->kubelet, worker, on_stopped);
    op->text = g_strdup(kill->id);
    kill->in_hook = false;
    kill->stops++;
    runtime->ops->stop_container(runtime, op->text, grace_ns, op_runtime_done, op);
}

static void
on_pre_stop(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    Kill *kill = worker == NULL ? NULL : find(worker, op->text);
    if (kill == NULL || !kill->in_hook)
        return;
    if (error != NULL)
        worker_container_event(worker, kill->name, "Warning", "FailedPreStopHook", "PreStopHook failed");
    int64_t left = kill->deadline - kubelet_now(worker->kubelet);
    stop(worker, kill, MAX(left, GRACE_MIN_NS));
}

void
kill_container(PodWorker *worker, const char *id, const char *name, int64_t grace_ns, const char *message)
{
    if (kill_is_under_way(worker, id))
        return;
    Kubelet *kubelet = worker->kubelet;
    if (worker->kills == NULL)
        worker->kills = g_ptr_array_new_with_free_func(kill_free);
    Kill *kill = g_new0(Kill, 1);
    kill->id = g_strdup(id);
    kill->name = g_strdup(name);
    kill->started = kubelet_now(kubelet);
    kill->deadline = kill->started + grace_ns;
    g_ptr_array_add(worker->kills, kill);
    if (message != NULL)
        worker_container_event(worker, name, "Normal", "Killing", "%s", message);
    else
        worker_container_event(worker, name, "Normal", "Killing", "Stopping container %s", name);
    const Value *container = pod_find_container(worker->pod, name, NULL);
    const Value *hook = value_at(container, "lifecycle.preStop");
    if (hook == NULL || grace_ns <= 0) {
        stop(worker, kill, grace_ns);
        return;
    }
    kill->in_hook = true;
    Op *op = op_new(kubelet, worker, on_pre_stop);
    op->text = g_strdup(id);
    hook_run(worker, container, id, hook, grace_ns, op);
}

void
kill_shorten(PodWorker *worker, int64_t grace_ns)
{
    int64_t now = kubelet_now(worker->kubelet);
    for (guint i = 0; worker->kills != NULL && i < worker->kills->len; i++) {
        Kill *kill = worker->kills->pdata[i];
        if (now + grace_ns >= kill->deadline)
            continue;
        kill->deadline = now + grace_ns;
        stop(worker, kill, grace_ns);
    }
}
