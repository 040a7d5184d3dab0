/* computePodActions.
 *
 * The order of a pod's life: a sandbox; init containers one after the other, where a sidecar (restartPolicy Always) counts
 * as passed once it has started; then all main containers at once. When any main container has ever been made in this
 * sandbox, init containers that ran to completion are not looked at again; only sidecars are kept going. */
#include "core/kubelet/actions.h"

#include "core/api/meta.h"

typedef struct Computation {
    const Value *pod;
    const RuntimeView *view;
    ProbeLookup probe;
    void *data;
    PodActions *actions;
} Computation;

static void
kill_free(void *data)
{
    ContainerKill *kill = data;
    g_free(kill->id);
    g_free(kill->name);
    g_free(kill->message);
    g_free(kill);
}

void
pod_actions_free(PodActions *actions)
{
    if (actions == NULL)
        return;
    g_free(actions->sandbox_id);
    g_array_unref(actions->start);
    g_ptr_array_unref(actions->kill);
    g_free(actions);
}

static bool
sandbox_changed(Computation *c)
{
    const PodSandboxStatus *newest =
        c->view->sandboxes->len > 0 ? &g_array_index(c->view->sandboxes, PodSandboxStatus, 0) : NULL;
    if (newest == NULL)
        return true;
    c->actions->sandbox_id = g_strdup(newest->id);
    c->actions->attempt = newest->attempt;
    unsigned ready = 0;
    for (guint i = 0; i < c->view->sandboxes->len; i++)
        ready += g_array_index(c->view->sandboxes, PodSandboxStatus, i).ready;
    bool host_network = value_bool_at(c->pod, "spec.hostNetwork");
    if (ready == 1 && newest->ready && (host_network || newest->ip != NULL))
        return false;
    c->actions->attempt++;
    return true;
}

static void
add_start(Computation *c, ContainerKind kind, unsigned index)
{
    ContainerStart start = {kind, index};
    g_array_append_val(c->actions->start, start);
}

static void
add_kill(Computation *c, const ContainerStatus *status, int reason, char *take_message)
{
    ContainerKill *kill = g_new0(ContainerKill, 1);
    kill->id = g_strdup(status->id);
    kill->name = g_strdup(status->name);
    kill->reason = reason;
    kill->message = take_message;
    g_ptr_array_add(c->actions->kill, kill);
}

/* Must a running container be killed? Starts it anew as well if its policy wants it back. */
static bool
kill_running(Computation *c, const Value *container, ContainerKind kind, unsigned index, const ContainerStatus *status)
{
    ProbeVerdicts verdicts = {.started = true, .ready = true};
    c->probe(container, status->id, &verdicts, c->data);
    bool restart = container_restarts_on(c->pod, container, kind, 137);
    const char *why = NULL;
    int reason = KILL_LIVENESS;
    if (status->hash != 0 && status->hash != container_hash(container)) {
        why = "definition changed";
        reason = KILL_DEFINITION_CHANGED;
        restart = true;
    } else if (verdicts.liveness_failed) {
        why = "failed liveness probe";
    } else if (verdicts.startup_failed) {
        why = "failed startup probe";
        reason = KILL_STARTUP;
    }
    if (why == NULL)
        return false;
    add_kill(c, status, reason,
             g_strdup_printf("Container %s %s%s", status->name, why, restart ? ", will be restarted" : ""));
    if (restart)
        add_start(c, kind, index);
    return true;
}

static void
kill_unknown(Computation *c, const ContainerStatus *status)
{
    if (status != NULL && status->state == CONTAINER_UNKNOWN)
        add_kill(c, status, KILL_UNKNOWN, g_strdup("Container is in \"unknown\" state, try killing it before restart"));
}

/* Init containers of an earlier sandbox do not count: a new sandbox starts from the beginning. */
static const ContainerStatus *
init_status(const Computation *c, const Value *container)
{
    const ContainerStatus *status = runtime_view_find(c->view, value_text(value_get(container, "name")));
    if (status == NULL || c->actions->sandbox_id == NULL || status->sandbox_id == NULL)
        return status;
    return g_str_equal(status->sandbox_id, c->actions->sandbox_id) ? status : NULL;
}

static bool
any_main_created(const Computation *c)
{
    VALUE_ARRAY_FOREACH (container, pod_container_list(c->pod, CONTAINER_MAIN)) {
        if (init_status(c, container) != NULL)
            return true;
    }
    return false;
}

/* Returns whether the following containers may be looked at. `later` is whether a later one was made already. */
static bool
compute_sidecar(Computation *c, const Value *container, unsigned index, bool later)
{
    const ContainerStatus *status = init_status(c, container);
    if (status == NULL || status->state != CONTAINER_RUNNING) {
        kill_unknown(c, status);
        add_start(c, CONTAINER_INIT, index);
        return later;
    }
    if (kill_running(c, container, CONTAINER_INIT, index, status))
        return later;
    ProbeVerdicts verdicts = {.started = true};
    c->probe(container, status->id, &verdicts, c->data);
    return later || verdicts.started;
}

static bool
compute_init(Computation *c, const Value *container, unsigned index)
{
    const ContainerStatus *status = init_status(c, container);
    if (status != NULL && status->state == CONTAINER_EXITED) {
        if (status->exit_code == 0)
            return true;
        if (container_restarts_on(c->pod, container, CONTAINER_INIT, status->exit_code))
            add_start(c, CONTAINER_INIT, index);
        else
            c->actions->kill_pod = true;
        return false;
    }
    if (status != NULL && status->state == CONTAINER_RUNNING)
        return false;
    kill_unknown(c, status);
    add_start(c, CONTAINER_INIT, index);
    return false;
}

/* Returns whether initialization is done. */
static bool
compute_init_containers(Computation *c)
{
    const Value *list = pod_container_list(c->pod, CONTAINER_INIT);
    bool initialized = any_main_created(c);
    unsigned latest = 0;
    for (unsigned i = 0; i < value_size(list); i++) {
        if (init_status(c, value_item(list, i)) != NULL)
            latest = i;
    }
    for (unsigned i = 0; i < value_size(list); i++) {
        const Value *container = value_item(list, i);
        bool sidecar = container_is_sidecar(container, CONTAINER_INIT);
        if (sidecar && !compute_sidecar(c, container, i, initialized || i < latest))
            return false;
        if (!sidecar && !initialized && !compute_init(c, container, i))
            return false;
    }
    return true;
}

static void
compute_main_containers(Computation *c)
{
    const Value *list = pod_container_list(c->pod, CONTAINER_MAIN);
    unsigned kept = 0, started = 0;
    for (unsigned i = 0; i < value_size(list); i++) {
        const Value *container = value_item(list, i);
        const ContainerStatus *status = runtime_view_find(c->view, value_text(value_get(container, "name")));
        guint before = c->actions->start->len;
        if (status == NULL || status->state != CONTAINER_RUNNING) {
            if (container_should_start(c->pod, container, CONTAINER_MAIN, c->view)) {
                kill_unknown(c, status);
                add_start(c, CONTAINER_MAIN, i);
            }
        } else if (!kill_running(c, container, CONTAINER_MAIN, i, status)) {
            kept++;
        }
        started += c->actions->start->len - before;
    }
    if (kept == 0 && started == 0) {
        c->actions->kill_pod = true;
        g_array_set_size(c->actions->start, 0);
    }
}

/* With a new sandbox everything starts from the beginning, unless the pod is done. */
static void
compute_new_sandbox(Computation *c)
{
    PodActions *actions = c->actions;
    bool never = g_str_equal(value_text_at(c->pod, "spec.restartPolicy"), "Never");
    bool on_failure = g_str_equal(value_text_at(c->pod, "spec.restartPolicy"), "OnFailure");
    actions->kill_pod = actions->create_sandbox = true;
    if (never && actions->sandbox_id != NULL && c->view->containers->len > 0) {
        actions->create_sandbox = false;
        return;
    }
    const Value *list = pod_container_list(c->pod, CONTAINER_MAIN);
    for (unsigned i = 0; i < value_size(list); i++) {
        const ContainerStatus *status =
            runtime_view_find(c->view, value_text(value_get(value_item(list, i), "name")));
        bool succeeded = status != NULL && status->state == CONTAINER_EXITED && status->exit_code == 0;
        if (!(on_failure && succeeded))
            add_start(c, CONTAINER_MAIN, i);
    }
    if (actions->start->len == 0) {
        actions->create_sandbox = false;
        return;
    }
    if (value_size(pod_container_list(c->pod, CONTAINER_INIT)) > 0) {
        g_array_set_size(actions->start, 0);
        add_start(c, CONTAINER_INIT, 0);
    }
}

PodActions *
pod_actions_compute(const Value *pod, const RuntimeView *view, ProbeLookup probe, void *data)
{
    PodActions *actions = g_new0(PodActions, 1);
    actions->start = g_array_new(FALSE, FALSE, sizeof(ContainerStart));
    actions->kill = g_ptr_array_new_with_free_func(kill_free);
    Computation c = {.pod = pod, .view = view, .probe = probe, .data = data, .actions = actions};
    if (sandbox_changed(&c)) {
        compute_new_sandbox(&c);
        return actions;
    }
    const Value *ephemeral = pod_container_list(pod, CONTAINER_EPHEMERAL);
    for (unsigned i = 0; i < value_size(ephemeral); i++) {
        if (runtime_view_find(view, value_text(value_get(value_item(ephemeral, i), "name"))) == NULL)
            add_start(&c, CONTAINER_EPHEMERAL, i);
    }
    if (compute_init_containers(&c))
        compute_main_containers(&c);
    return actions;
}
