/* Container statuses (convertToAPIContainerStatuses). */
#include "core/api/meta.h"
#include "core/kubelet/format.h"
#include "core/kubelet/status.h"

static const char *const STATUS_LISTS[] = {"initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"};

static char *
container_id_text(const ContainerStatus *status)
{
    return strstr(status->id, "://") != NULL ? g_strdup(status->id) : g_strdup_printf("containerd://%s", status->id);
}

static Value *
terminated_state(const ContainerStatus *status)
{
    g_autofree char *id = container_id_text(status);
    const char *reason = status->reason != NULL ? status->reason : status->exit_code == 0 ? "Completed" : "Error";
    return value_new_f("{terminated: {exitCode: %i, signal: ?%i, reason: %s, message: ?%s, startedAt: %V, "
                       "finishedAt: %V, containerID: %s}}",
                       (int64_t)status->exit_code, (int64_t)status->signal, reason, status->message,
                       format_time_value(status->started_at), format_time_value(status->finished_at), id);
}

static Value *
container_state(const ContainerStatus *status, const Value *old)
{
    switch (status->state) {
    case CONTAINER_RUNNING:
        return value_new_f("{running: {startedAt: %V}}", format_time_value(status->started_at));
    case CONTAINER_CREATED:
        return value_new_f("{waiting: {}}");
    case CONTAINER_EXITED:
        return terminated_state(status);
    case CONTAINER_UNKNOWN:
        break;
    }
    if (value_at(old, "state.running") == NULL)
        return value_new_f("{waiting: {}}");
    return value_new_f("{terminated: {exitCode: 137, reason: ContainerStatusUnknown, message: %s}}",
                       "The container could not be located when the pod was terminated");
}

static Value *
mount_statuses(const Value *container)
{
    const Value *mounts = value_get(container, "volumeMounts");
    if (value_size(mounts) == 0)
        return NULL;
    g_autoptr(ValueBuilder) list = value_builder_new_array();
    VALUE_ARRAY_FOREACH (mount, mounts) {
        bool readonly = value_bool(value_get(mount, "readOnly"));
        value_builder_append(list, value_new_f("{name: %v, mountPath: %v, readOnly: ?%b, recursiveReadOnly: ?%s}",
                                               value_get(mount, "name"), value_get(mount, "mountPath"), (int)readonly,
                                               readonly ? "Disabled" : NULL));
    }
    return value_builder_end(g_steal_pointer(&list));
}

static Value *
user_status(const Value *pod, const Value *container)
{
    if (value_at(pod, "spec.os.name") != NULL && g_str_equal(value_text_at(pod, "spec.os.name"), "windows"))
        return NULL;
    const Value *own = value_get(container, "securityContext");
    const Value *pods = value_at(pod, "spec.securityContext");
    int64_t uid = value_int_at_or(own, "runAsUser", value_int_at_or(pods, "runAsUser", 0));
    int64_t gid = value_int_at_or(own, "runAsGroup", value_int_at_or(pods, "runAsGroup", 0));
    g_autoptr(ValueBuilder) groups = value_builder_new_array();
    value_builder_append(groups, value_new_int(gid));
    if (value_has(pods, "fsGroup") && value_int(value_get(pods, "fsGroup")) != gid)
        value_builder_append(groups, value_ref(value_get(pods, "fsGroup")));
    VALUE_ARRAY_FOREACH (group, value_get(pods, "supplementalGroups"))
        value_builder_append(groups, value_ref(group));
    return value_new_f("{linux: {uid: %i, gid: %i, supplementalGroups: %V}}", uid, gid,
                       value_builder_end(g_steal_pointer(&groups)));
}

static Value *
convert(const StatusInput *in, const Value *container, const ContainerStatus *status, const Value *old)
{
    g_autofree char *id = container_id_text(status);
    bool running = status->state == CONTAINER_RUNNING;
    g_autoptr(Value) requests =
        value_size(value_at(container, "resources.requests")) > 0 ? value_ref(value_at(container, "resources.requests")) : NULL;
    g_autoptr(Value) resources = value_has(container, "resources") ? value_ref(value_get(container, "resources"))
                                                                   : value_new_map();
    return value_new_f("{name: %s, image: %s, imageID: %s, containerID: %s, restartCount: %i, ready: false, "
                       "state: %V, lastState: {}, allocatedResources: ?%v, resources: ?%v, volumeMounts: ?%V, user: ?%V}",
                       status->name, status->image != NULL ? status->image : value_text(value_get(container, "image")),
                       status->image_ref != NULL ? status->image_ref : "", id, (int64_t)status->attempt,
                       container_state(status, old), requests,
                       running ? resources : value_get(old, "resources"), mount_statuses(container),
                       running ? user_status(in->pod, container) : value_has(old, "user") ? value_ref(value_get(old, "user")) : NULL);
}

/* Of a container that the runtime does not have. */
static Value *
default_status(const StatusInput *in, const Value *container, ContainerKind kind, const Value *old)
{
    if (value_at(old, "state.terminated") != NULL)
        return value_ref(old);
    bool has_init = kind == CONTAINER_MAIN && value_size(pod_container_list(in->pod, CONTAINER_INIT)) > 0;
    if (kind == CONTAINER_INIT)
        has_init = true;
    const char *reason = has_init ? "PodInitializing" : "ContainerCreating";
    int64_t restarts = value_int(value_get(old, "restartCount"));
    g_autoptr(Value) last = value_has(old, "lastState") ? value_ref(value_get(old, "lastState")) : value_new_map();
    if (value_at(old, "state.running") != NULL && value_size(last) == 0) {
        /* It ran, and nobody knows what became of it. */
        value_replace(&last, value_new_f("{terminated: {exitCode: 137, reason: ContainerStatusUnknown, message: %s, "
                                         "startedAt: null, finishedAt: null}}",
                                         "The container could not be located when the pod was deleted.  The container "
                                         "used to be Running"));
        restarts += !object_is_deleting(in->pod);
    }
    return value_new_f("{name: %v, image: %v, imageID: \"\", restartCount: %i, ready: false, state: {waiting: {reason: %s}}, "
                       "lastState: %v, volumeMounts: ?%V}",
                       value_get(container, "name"), value_get(container, "image"), restarts, reason, last,
                       mount_statuses(container));
}

/* The newest two containers of a name: the state and the last state. */
static Value *
status_from_view(const StatusInput *in, const Value *container, ContainerKind kind, const Value *old)
{
    const char *name = value_text(value_get(container, "name"));
    Value *status = NULL;
    unsigned seen = 0;
    for (guint i = 0; i < in->view->containers->len && seen < 2; i++) {
        const ContainerStatus *found = &g_array_index(in->view->containers, ContainerStatus, i);
        if (!g_str_equal(found->name, name))
            continue;
        if (seen++ == 0)
            status = convert(in, container, found, old);
        else if (found->state == CONTAINER_EXITED)
            value_edit(&status, "lastState", terminated_state(found));
    }
    if (status == NULL)
        return default_status(in, container, kind, old);
    if (seen == 1 && value_size(value_get(old, "lastState")) > 0 && value_int(value_get(status, "restartCount")) > 0)
        value_edit(&status, "lastState", value_ref(value_get(old, "lastState")));
    return status;
}

/* A container that is to be started (again) and could not be is waiting, with the reason why. */
static void
apply_reason(const StatusInput *in, const Value *container, ContainerKind kind, Value **status)
{
    const char *message = NULL;
    const char *name = value_text(value_get(container, "name"));
    const char *reason = in->reason != NULL ? in->reason(name, &message, in->data) : NULL;
    if (reason == NULL || !container_should_start(in->pod, container, kind, in->view))
        return;
    const Value *state = value_get(*status, "state");
    if (value_has(state, "terminated"))
        value_edit(status, "lastState", value_ref(state));
    value_edit(status, "state", value_new_f("{waiting: {reason: %s, message: ?%s}}", reason, message));
}

static void
apply_probes(const StatusInput *in, const Value *container, ContainerKind kind, Value **status)
{
    if (kind == CONTAINER_EPHEMERAL)
        return;
    bool sidecar = container_is_sidecar(container, kind);
    const ContainerStatus *found = runtime_view_find(in->view, value_text(value_get(container, "name")));
    ProbeVerdicts verdicts = {.started = false, .ready = false};
    bool running = value_at(*status, "state.running") != NULL && found != NULL;
    if (running) {
        verdicts = (ProbeVerdicts){.started = true, .ready = true};
        if (in->probe != NULL)
            in->probe(container, found->id, &verdicts, in->data);
    }
    bool ready = running && verdicts.started && verdicts.ready;
    if (kind == CONTAINER_INIT && !sidecar)
        ready = value_has(value_get(*status, "state"), "terminated") &&
                value_int_at(*status, "state.terminated.exitCode") == 0;
    value_edit(status, "started", value_new_bool(running && verdicts.started));
    value_edit(status, "ready", value_new_bool(ready));
}

Value *
status_container_list(const StatusInput *in, ContainerKind kind)
{
    const Value *containers = pod_container_list(in->pod, kind);
    if (value_size(containers) == 0)
        return NULL;
    const Value *old_list = value_get(in->old_status, STATUS_LISTS[kind]);
    g_autoptr(GPtrArray) statuses = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (container, containers) {
        const Value *old = NULL;
        VALUE_ARRAY_FOREACH (candidate, old_list) {
            if (value_equal(value_get(candidate, "name"), value_get(container, "name")))
                old = candidate;
        }
        Value *status = status_from_view(in, container, kind, old);
        apply_reason(in, container, kind, &status);
        apply_probes(in, container, kind, &status);
        /* Main containers are sorted by name, init containers keep the order in which they run. */
        guint at = statuses->len;
        while (kind != CONTAINER_INIT && at > 0 &&
               strcmp(value_text(value_get(statuses->pdata[at - 1], "name")), value_text(value_get(status, "name"))) > 0)
            at--;
        g_ptr_array_insert(statuses, (int)at, status);
    }
    g_autoptr(ValueBuilder) list = value_builder_new_array();
    for (guint i = 0; i < statuses->len; i++)
        value_builder_append(list, statuses->pdata[i]);
    return value_builder_end(g_steal_pointer(&list));
}
