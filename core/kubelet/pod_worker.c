/* Pod workers: one state machine a pod (pkg/kubelet/pod_workers.go).
 *
 *   WORKER_SYNC --worker_terminate--> WORKER_TERMINATING --all stopped--> WORKER_TERMINATED --worker_finish--> freed
 *
 * worker_terminate comes from: deletion, removal from the source, a terminal phase, worker_fail (eviction, deadline).
 * Invariants: a worker in WORKER_SYNC runs at most one round (step is not STEP_IDLE); after WORKER_SYNC nothing is started any
 * more; a worker is freed only when its pod is gone from its source and nothing of it is left running. */
#include "core/kubelet/internal.h"

static VolumeState *
volumes_new(const Value *pod, uint16_t *ret_n)
{
    *ret_n = (uint16_t)MIN(value_size(value_at(pod, "spec.volumes")), (size_t)UINT16_MAX);
    return *ret_n == 0 ? NULL : g_new0(VolumeState, *ret_n);
}

PodWorker *
worker_new(Kubelet *kubelet, const Value *pod, bool is_static)
{
    PodWorker *worker = g_new0(PodWorker, 1);
    worker->kubelet = kubelet;
    worker->pod = value_ref(pod);
    worker->api = is_static ? NULL : value_ref(pod);
    worker->uid = g_strdup(object_uid(pod));
    worker->key = object_key(pod);
    worker->is_static = is_static;
    worker->grace_override = -1;
    worker->volumes = volumes_new(pod, &worker->n_volumes);
    const Value *status = value_get(pod, "status");
    if (!is_static && value_has(status, "startTime"))
        worker->status = value_ref(status);
    worker->adopted = worker->status != NULL;
    worker->cause = trace_current(kubelet->ports->trace);
    g_tree_insert(kubelet->workers, worker->uid, worker);
    objects_register(worker);
    return worker;
}

static void
memory_clear(ContainerMemory *memory)
{
    g_free(memory->name);
    g_free(memory->reason);
    g_free(memory->message);
    g_free(memory->pull_error);
    g_free(memory->pull_image);
}

void
worker_free(PodWorker *worker)
{
    if (worker == NULL)
        return;
    clock_cancel(worker->kubelet->ports->clock, &worker->timer);
    probes_stop(worker, true);
    for (Op *op = worker->kubelet->ops; op != NULL; op = op->next) {
        if (op->worker == worker)
            op->worker = NULL;
    }
    objects_release(worker);
    volumes_clear(worker);
    for (unsigned i = 0; i < worker->n_memories; i++)
        memory_clear(&worker->memories[i]);
    g_free(worker->memories);
    pod_actions_free(worker->actions);
    g_clear_pointer(&worker->kills, g_ptr_array_unref);
    value_unref(worker->pod);
    value_unref(worker->api);
    value_unref(worker->status);
    g_free(worker->uid);
    g_free(worker->key);
    g_free(worker->fail_reason);
    g_free(worker->fail_message);
    g_free(worker);
}

/* ---- what is remembered, told and traced ------------------------------------------------------------- */

ContainerMemory *
worker_memory(PodWorker *worker, const char *container, bool create)
{
    for (unsigned i = 0; i < worker->n_memories; i++) {
        if (g_str_equal(worker->memories[i].name, container))
            return &worker->memories[i];
    }
    if (!create)
        return NULL;
    worker->memories = g_renew(ContainerMemory, worker->memories, worker->n_memories + 1u);
    ContainerMemory *memory = &worker->memories[worker->n_memories++];
    *memory = (ContainerMemory){.name = g_strdup(container)};
    return memory;
}

void
worker_set_reason(PodWorker *worker, const char *container, const char *reason, const char *message)
{
    ContainerMemory *memory = worker_memory(worker, container, reason != NULL);
    if (memory == NULL)
        return;
    g_free(memory->reason);
    g_free(memory->message);
    memory->reason = g_strdup(reason);
    memory->message = g_strdup(message);
}

void
worker_event(PodWorker *worker, const char *type, const char *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (!worker->from_orphan)
        event_record(worker->kubelet->events, worker->api != NULL ? worker->api : worker->pod, type, reason, "%s", text);
}

void
worker_container_event(PodWorker *worker, const char *container, const char *type, const char *reason, const char *format,
                       ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (worker->from_orphan)
        return;
    ContainerKind kind = CONTAINER_MAIN;
    pod_find_container(worker->pod, container, &kind);
    g_autofree char *path = container_field_path(container, kind);
    event_record_field(worker->kubelet->events, worker->api != NULL ? worker->api : worker->pod, path, type, reason, "%s",
                       text);
}

void
worker_decision(PodWorker *worker, const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *subject = g_strdup_printf("Pod/%s", worker->key);
    trace_decision(worker->kubelet->ports->trace, worker->kubelet->actor, verb, subject, "%s", text);
}

/* ---- status ---------------------------------------------------------------------------------------------- */

void
worker_probe_lookup(const Value *container, const char *container_id, ProbeVerdicts *ret_verdicts, void *data)
{
    *ret_verdicts = (ProbeVerdicts){.started = true, .ready = true};
    probes_lookup(data, value_text(value_get(container, "name")), container_id, ret_verdicts);
}

static const char *
reason_lookup(const char *container, const char **ret_message, void *data)
{
    PodWorker *worker = data;
    ContainerMemory *memory = worker_memory(worker, container, false);
    if (memory == NULL || memory->reason == NULL || worker->state != WORKER_SYNC)
        return NULL;
    *ret_message = memory->message;
    return memory->reason;
}

/* terminationMessagePolicy FallbackToLogsOnError: the end of the log stands in for the message. */
#define FALLBACK_LINES 80
#define FALLBACK_BYTES 2048

static bool
keep_tail(const LogLine *line, void *data)
{
    GQueue *lines = data;
    g_queue_push_tail(lines, g_strndup(line->text, line->length));
    if (g_queue_get_length(lines) > FALLBACK_LINES)
        g_free(g_queue_pop_head(lines));
    return true;
}

static void
fall_back_to_logs(PodWorker *worker, RuntimeView *view)
{
    Host *host = worker->kubelet->host;
    for (guint i = 0; i < view->containers->len; i++) {
        ContainerStatus *status = &g_array_index(view->containers, ContainerStatus, i);
        const Value *container = pod_find_container(worker->pod, status->name, NULL);
        if (status->state != CONTAINER_EXITED || status->exit_code == 0 || status->message != NULL ||
            !g_str_equal(value_text(value_get(container, "terminationMessagePolicy")), "FallbackToLogsOnError"))
            continue;
        g_autofree char *path = g_strdup_printf("/var/log/pods/%s_%s_%s/%s/%u.log", object_namespace(worker->pod),
                                                object_name(worker->pod), worker->uid, status->name, status->attempt);
        GQueue lines = G_QUEUE_INIT;
        host->ops->read_log(host, path, keep_tail, &lines);
        g_autoptr(GString) text = g_string_new(NULL);
        for (char *line; (line = g_queue_pop_head(&lines)) != NULL; g_free(line))
            g_string_append_printf(text, "%s\n", line);
        gsize skip = text->len > FALLBACK_BYTES ? text->len - FALLBACK_BYTES : 0;
        if (text->len > 0)
            status->message = g_string_chunk_insert(view->strings, text->str + skip);
    }
}

void
worker_make_status(PodWorker *worker)
{
    Kubelet *kubelet = worker->kubelet;
    if (worker->rejected || worker->from_orphan)
        return;
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, worker->uid);
    const char *phase = value_text(value_get(worker->status, "phase"));
    bool over = g_str_equal(phase, "Succeeded") || g_str_equal(phase, "Failed");
    if (over && worker->adopted && worker->fail_reason == NULL && !runtime_view_any_running(view))
        return; /* it ended before this kubelet started: what was said then stands */
    fall_back_to_logs(worker, view);
    if (worker->state == WORKER_SYNC)
        probes_update(worker, view);
    StatusInput in = {
        .pod = worker->pod,
        .old_status = worker->status,
        .view = view,
        .host_ips = kubelet->host_ips,
        .now = kubelet_now(kubelet),
        .terminal = worker->state == WORKER_TERMINATED,
        .fail_reason = worker->fail_reason,
        .fail_message = worker->fail_message,
        .disrupted = worker->disrupted,
        .probe = worker_probe_lookup,
        .reason = reason_lookup,
        .data = worker,
    };
    g_autoptr(Value) pod = NULL;
    if (worker->api != NULL && worker->api != worker->pod) { /* conditions of others live on the API's object */
        pod = value_set(worker->pod, "status", value_ref(value_get(worker->api, "status")));
        in.pod = pod;
    }
    status_set(worker, status_build(&in));
}

/* ---- time ------------------------------------------------------------------------------------------------ */

void
worker_retry_at(PodWorker *worker, int64_t when)
{
    if (worker->retry_at == 0 || when < worker->retry_at)
        worker->retry_at = when;
}

static int64_t
deadline_at(const PodWorker *worker)
{
    int64_t seconds = value_int_at(worker->pod, "spec.activeDeadlineSeconds");
    int64_t start = format_time_parse(value_string(value_get(worker->status, "startTime")));
    return seconds > 0 && start > 0 && worker->state == WORKER_SYNC ? start + seconds * NS_PER_S : 0;
}

static void
on_timer(void *data)
{
    PodWorker *worker = data;
    Kubelet *kubelet = worker->kubelet;
    int64_t now = kubelet_now(kubelet);
    worker->timer = 0;
    bool wake = worker->retry_at != 0 && worker->retry_at <= now;
    if (wake)
        worker->retry_at = 0;
    int64_t deadline = deadline_at(worker);
    if (deadline != 0 && deadline <= now) {
        worker_event(worker, "Normal", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline");
        worker_fail(worker, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline", false, -1);
        return;
    }
    if (worker->refresh_at != 0 && worker->refresh_at <= now) {
        worker->refresh_at = 0;
        volumes_refresh(worker);
    }
    if (wake)
        worker_wake(worker);
    else
        worker_set_timer(worker);
}

void
worker_set_timer(PodWorker *worker)
{
    Clock *clock = worker->kubelet->ports->clock;
    clock_cancel(clock, &worker->timer);
    int64_t times[] = {worker->retry_at, worker->refresh_at, deadline_at(worker)};
    int64_t first = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        if (times[i] != 0 && (first == 0 || times[i] < first))
            first = times[i];
    }
    if (first != 0)
        worker->timer = clock_timer_at(clock, first, on_timer, worker);
}

/* ---- transitions ----------------------------------------------------------------------------------------- */

void
worker_fail(PodWorker *worker, const char *reason, const char *message, bool disrupted, int64_t grace)
{
    if (worker->state != WORKER_SYNC || worker->fail_reason != NULL)
        return;
    worker->fail_reason = g_strdup(reason);
    worker->fail_message = g_strdup(message);
    worker->disrupted = disrupted;
    worker->grace_override = grace;
    worker_decision(worker, "fail", "give the pod up: %s", reason);
    worker_terminate(worker);
}

typedef struct NameSearch {
    const PodWorker *worker;
    bool found;
} NameSearch;

static void
compare_names(PodWorker *other, void *data)
{
    NameSearch *search = data;
    if (other != search->worker && other->removed && g_str_equal(other->key, search->worker->key))
        search->found = true;
}

/* A static pod whose manifest changed waits for the pod of the same name that is still going down. */
static bool
is_blocked(PodWorker *worker)
{
    NameSearch search = {.worker = worker};
    if (worker->is_static)
        kubelet_each_worker(worker->kubelet, compare_names, &search);
    return search.found;
}

static bool
admit(PodWorker *worker)
{
    if (worker->admitted || worker->rejected)
        return worker->admitted;
    g_autofree char *reason = NULL, *message = NULL;
    worker->admitted = admit_pod(worker, &reason, &message);
    if (worker->admitted) {
        worker_decision(worker, "admit", "run it on this node");
        return true;
    }
    worker->rejected = true;
    worker_decision(worker, "reject", "%s", message);
    worker_event(worker, "Warning", reason, "%s", message);
    status_set(worker, status_rejected(worker->pod, reason, message, kubelet_now(worker->kubelet)));
    worker->state = WORKER_TERMINATED;
    worker->cleaned = true;
    status_flush(worker);
    return false;
}

void
worker_wake(PodWorker *worker)
{
    if (worker->status_dirty)
        status_flush(worker);
    if (worker->is_static && worker->api == NULL)
        mirror_pod_sync(worker);
    switch (worker->state) {
    case WORKER_SYNC:
        if (!is_blocked(worker) && admit(worker))
            worker_sync(worker);
        break;
    case WORKER_TERMINATING:
        worker_terminate_step(worker);
        break;
    case WORKER_TERMINATED:
        status_flush(worker);
        worker_finish(worker);
        break;
    }
}

void
worker_update(PodWorker *worker, const Value *pod)
{
    Kubelet *kubelet = worker->kubelet;
    g_autoptr(Value) old = g_steal_pointer(&worker->pod);
    worker->pod = value_ref(pod);
    worker->cause = trace_current(kubelet->ports->trace);
    if (!worker->is_static)
        status_api_changed(worker, pod);
    bool deleting = object_is_deleting(pod);
    bool spec_changed = !value_equal(value_get(old, "spec"), value_get(pod, "spec"));
    bool labels_changed = !value_equal(object_labels(old), object_labels(pod)) ||
                          !value_equal(object_annotations(old), object_annotations(pod));
    bool gates_changed = !value_equal(value_at(old, "status.conditions"), value_at(pod, "status.conditions")) &&
                         value_size(value_at(pod, "spec.readinessGates")) > 0;
    if (labels_changed)
        worker_object_changed(worker, false);
    if (deleting && worker->state == WORKER_SYNC && !worker->rejected) {
        worker_terminate(worker);
    } else if (deleting && worker->state == WORKER_TERMINATING) {
        int64_t grace = worker_grace_seconds(worker) * NS_PER_S;
        if (pod_grace_period(old) > pod_grace_period(pod) || !object_is_deleting(old))
            kill_shorten(worker, grace);
    } else if (deleting) {
        status_flush(worker);
    } else if (spec_changed || gates_changed) {
        worker_wake(worker);
    }
}

void
worker_removed(PodWorker *worker)
{
    worker->removed = true;
    if (worker->state == WORKER_SYNC)
        worker_terminate(worker);
    else if (worker->state == WORKER_TERMINATED)
        worker_finish(worker);
}
