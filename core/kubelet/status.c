/* The phase of a pod, its status as a whole, and patches of it. */
#include "core/kubelet/status.h"

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/kubelet/format.h"
#include "core/kubelet/status_conditions.h"

static const Value *
status_of(const Value *statuses, const Value *container)
{
    VALUE_ARRAY_FOREACH (status, statuses) {
        if (value_equal(value_get(status, "name"), value_get(container, "name")))
            return status;
    }
    return NULL;
}

typedef struct PhaseCount {
    unsigned unknown, running, stopped, succeeded, waiting, restarting;
    unsigned init_pending, init_failed;
} PhaseCount;

static void
count_init(PhaseCount *count, const Value *pod, const Value *statuses)
{
    VALUE_ARRAY_FOREACH (container, pod_container_list(pod, CONTAINER_INIT)) {
        const Value *status = status_of(statuses, container);
        if (container_is_sidecar(container, CONTAINER_INIT)) {
            count->init_pending += !value_bool(value_get(status, "started"));
            continue;
        }
        const Value *terminated = value_at(status, "state.terminated");
        if (terminated == NULL && value_at(status, "state.waiting") != NULL)
            terminated = value_at(status, "lastState.terminated");
        if (terminated == NULL)
            count->init_pending++;
        else if (value_int(value_get(terminated, "exitCode")) == 0)
            count->init_pending += value_at(status, "state.terminated") == NULL;
        else if (container_restarts_on(pod, container, CONTAINER_INIT,
                                       (int)value_int(value_get(terminated, "exitCode"))))
            count->init_pending++;
        else
            count->init_failed++;
    }
}

static void
count_main(PhaseCount *count, const Value *pod, const Value *statuses)
{
    VALUE_ARRAY_FOREACH (container, pod_container_list(pod, CONTAINER_MAIN)) {
        const Value *status = status_of(statuses, container);
        const Value *terminated = value_at(status, "state.terminated");
        if (status == NULL) {
            count->unknown++;
        } else if (value_at(status, "state.running") != NULL) {
            count->running++;
        } else if (terminated != NULL) {
            int exit_code = (int)value_int(value_get(terminated, "exitCode"));
            count->stopped++;
            count->succeeded += exit_code == 0;
            count->restarting += container_restarts_on(pod, container, CONTAINER_MAIN, exit_code);
        } else if (value_at(status, "lastState.terminated") != NULL) {
            count->stopped++;
            count->restarting++;
        } else {
            count->waiting++;
        }
    }
}

/* getPhase */
const char *
status_phase(const Value *pod, const Value *init_statuses, const Value *statuses, bool terminal)
{
    PhaseCount count = {0};
    count_init(&count, pod, init_statuses);
    count_main(&count, pod, statuses);
    if (count.init_failed > 0)
        return "Failed";
    bool initialized = count.running > 0 || count.stopped > 0;
    if (terminal)
        return count.stopped > 0 && count.stopped == count.succeeded && count.waiting + count.unknown == 0 ? "Succeeded"
                                                                                                           : "Failed";
    if (count.init_pending > 0 && !initialized)
        return "Pending";
    if (count.waiting > 0)
        return "Pending";
    if (count.running > 0 && count.unknown == 0)
        return "Running";
    if (count.stopped == 0 || count.unknown > 0)
        return "Pending";
    if (count.restarting > 0)
        return "Running";
    return count.stopped == count.succeeded ? "Succeeded" : "Failed";
}

static void
add_addresses(Value **status, const StatusInput *in)
{
    if (value_size(in->host_ips) > 0) {
        value_edit(status, "hostIP", value_ref(value_get(value_item(in->host_ips, 0), "ip")));
        value_edit(status, "hostIPs", value_ref(in->host_ips));
    }
    const PodSandboxStatus *sandbox = runtime_view_sandbox(in->view);
    const char *ip = sandbox != NULL && sandbox->ready ? sandbox->ip : NULL;
    if (value_bool_at(in->pod, "spec.hostNetwork"))
        ip = sandbox != NULL && sandbox->ready ? value_string_at(*status, "hostIP") : NULL;
    if (ip == NULL) /* kept: a pod that ended still shows its address */
        ip = value_string_at(in->old_status, "podIP");
    if (ip == NULL || *ip == '\0')
        return;
    g_autofree char *copy = g_strdup(ip);
    value_edit(status, "podIP", value_new_string(copy));
    value_edit(status, "podIPs", value_new_f("[{ip: %s}]", copy));
}

static const char *const OWN_CONDITIONS[] = {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady",
                                             "PodScheduled"};

static bool
is_own_condition(const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(OWN_CONDITIONS); i++) {
        if (g_str_equal(type, OWN_CONDITIONS[i]))
            return true;
    }
    return false;
}

/* Sets lastTransitionTime: the old one's when the status is the same. */
static Value *
stamped(Value *take, const Value *old_conditions, int64_t now)
{
    const Value *old = condition_find(old_conditions, value_text(value_get(take, "type")));
    bool same = old != NULL && value_equal(value_get(old, "status"), value_get(take, "status"));
    value_edit(&take, "lastProbeTime", value_new_null());
    value_edit(&take, "lastTransitionTime",
               same ? value_ref(value_get(old, "lastTransitionTime")) : format_time_value(now));
    return take;
}

static Value *
build_conditions(const StatusInput *in, const Value *status)
{
    const Value *old = value_get(in->old_status, "conditions");
    const Value *api = value_at(in->pod, "status.conditions");
    g_autoptr(ValueBuilder) list = value_builder_new_array();
    bool disrupted = false;
    VALUE_ARRAY_FOREACH (condition, api) {
        const char *type = value_text(value_get(condition, "type"));
        if (is_own_condition(type))
            continue;
        disrupted = disrupted || g_str_equal(type, "DisruptionTarget");
        value_builder_append(list, value_ref(condition));
    }
    if (in->disrupted && !disrupted)
        value_builder_append(list, stamped(value_new_f("{type: DisruptionTarget, status: \"True\", "
                                                       "reason: TerminationByKubelet, message: ?%s}",
                                                       in->fail_message),
                                           old, in->now));
    const PodSandboxStatus *sandbox = runtime_view_sandbox(in->view);
    bool sandbox_ready = sandbox != NULL && sandbox->ready &&
                         (sandbox->ip != NULL || value_bool_at(in->pod, "spec.hostNetwork"));
    for (size_t i = 0; i < G_N_ELEMENTS(OWN_CONDITIONS); i++) {
        const Value *known = old != NULL ? old : api;
        value_builder_append(
            list, stamped(status_condition(OWN_CONDITIONS[i], in->pod, status, sandbox_ready), known, in->now));
    }
    return value_builder_end(g_steal_pointer(&list));
}

/* TerminatePod: once a pod was initialized, a main container without an end is a failure. */
static void
end_unknown(Value **status, const StatusInput *in)
{
    const Value *statuses = value_get(*status, "containerStatuses");
    VALUE_ARRAY_FOREACH (init, value_get(*status, "initContainerStatuses")) {
        if (!value_bool(value_get(init, "ready")) && value_at(init, "state.terminated") == NULL)
            return; /* it never was */
    }
    for (size_t i = 0; i < value_size(statuses); i++) {
        const Value *one = value_item(statuses, i);
        if (value_at(one, "state.terminated") != NULL)
            continue;
        g_autoptr(Value) ended = value_set(
            one, "state",
            value_new_f("{terminated: {exitCode: 137, reason: ContainerStatusUnknown, message: %s, startedAt: null, "
                        "finishedAt: null}}",
                        "The container could not be located when the pod was terminated"));
        value_edit(status, "containerStatuses", value_set_item(statuses, i, g_steal_pointer(&ended)));
        statuses = value_get(*status, "containerStatuses");
    }
}

static void
set_if(Value **status, const char *key, Value *take)
{
    if (take != NULL)
        value_edit(status, key, take);
}

Value *
status_build(const StatusInput *in)
{
    Value *status = value_new_f("{observedGeneration: ?%i, qosClass: %s}", object_generation(in->pod),
                                pod_qos_class(in->pod));
    set_if(&status, "initContainerStatuses", status_container_list(in, CONTAINER_INIT));
    set_if(&status, "containerStatuses", status_container_list(in, CONTAINER_MAIN));
    set_if(&status, "ephemeralContainerStatuses", status_container_list(in, CONTAINER_EPHEMERAL));
    if (in->terminal)
        end_unknown(&status, in);
    const char *old_phase = value_text(value_get(in->old_status, "phase"));
    const char *phase = status_phase(in->pod, value_get(status, "initContainerStatuses"),
                                     value_get(status, "containerStatuses"), in->terminal);
    bool running = runtime_view_any_running(in->view);
    bool ends = g_str_equal(phase, "Failed") || g_str_equal(phase, "Succeeded");
    if (in->fail_reason != NULL) {
        if (in->fail_message != NULL)
            value_edit(&status, "message", value_new_string(in->fail_message));
        value_edit(&status, "reason", value_new_string(in->fail_reason));
        phase = "Failed";
        ends = true;
    }
    if (g_str_equal(old_phase, "Failed") || g_str_equal(old_phase, "Succeeded"))
        phase = old_phase;
    else if (ends && running) /* terminal only once nothing runs any more */
        phase = *old_phase != '\0' ? old_phase : "Running";
    value_edit(&status, "phase", value_new_string(phase));
    const Value *start = value_get(in->old_status, "startTime");
    value_edit(&status, "startTime", start != NULL ? value_ref(start) : format_time_value(in->now));
    add_addresses(&status, in);
    Value *conditions = build_conditions(in, status);
    value_edit(&status, "conditions", conditions);
    return status;
}

Value *
status_rejected(const Value *pod, const char *reason, const char *message, int64_t now)
{
    g_autofree char *text = g_strdup_printf("Pod was rejected: %s", message);
    const Value *conditions = value_at(pod, "status.conditions");
    const Value *start = value_at(pod, "status.startTime");
    return value_new_f("{observedGeneration: ?%i, phase: Failed, reason: %s, message: %s, qosClass: %s, startTime: %V, "
                       "conditions: ?%v}",
                       object_generation(pod), reason, text, pod_qos_class(pod),
                       start != NULL ? value_ref(start) : format_time_value(now), conditions);
}

/* ---- patches ----------------------------------------------------------------------------------------- */

/* Changed items of a list with a merge key, and deletions; NULL when nothing changed. */
static Value *
patch_list(const Value *old_list, const Value *new_list, const char *merge_key, bool own_only)
{
    g_autoptr(ValueBuilder) changes = value_builder_new_array();
    VALUE_ARRAY_FOREACH (item, new_list) {
        const Value *old = NULL;
        VALUE_ARRAY_FOREACH (candidate, old_list) {
            if (value_equal(value_get(candidate, merge_key), value_get(item, merge_key)))
                old = candidate;
        }
        g_autoptr(Value) one = value_remove(item, "lastProbeTime"); /* always null; servers may leave it out */
        g_autoptr(Value) two = old != NULL ? value_remove(old, "lastProbeTime") : NULL;
        if (!value_equal(one, two))
            value_builder_append(changes, value_ref(item));
    }
    VALUE_ARRAY_FOREACH (old, old_list) {
        bool kept = own_only && !is_own_condition(value_text(value_get(old, merge_key)));
        VALUE_ARRAY_FOREACH (item, new_list)
            kept = kept || value_equal(value_get(item, merge_key), value_get(old, merge_key));
        if (!kept)
            value_builder_append(changes, value_new_f("{$patch: delete, %s: %v}", merge_key, value_get(old, merge_key)));
    }
    if (value_size(value_builder_peek(changes)) == 0)
        return NULL;
    return value_builder_end(g_steal_pointer(&changes));
}

Value *
status_patch(const Value *pod, const Value *old_status, const Value *new_status)
{
    g_autoptr(ValueBuilder) patch = value_builder_new(NULL);
    VALUE_MAP_FOREACH (key, value, new_status) {
        const Value *old = value_get(old_status, key);
        if (value_equal(old, value))
            continue;
        Value *change = NULL;
        if (g_str_equal(key, "conditions"))
            change = patch_list(old, value, "type", true);
        else if (g_str_equal(key, "podIPs") || g_str_equal(key, "hostIPs"))
            change = patch_list(old, value, "ip", false);
        else
            change = value_ref(value);
        if (change != NULL)
            value_builder_set(patch, key, change);
    }
    static const char *const REMOVABLE[] = {"reason", "message", "containerStatuses", "initContainerStatuses"};
    for (size_t i = 0; i < G_N_ELEMENTS(REMOVABLE); i++) {
        if (value_has(old_status, REMOVABLE[i]) && !value_has(new_status, REMOVABLE[i]))
            value_builder_set(patch, REMOVABLE[i], value_new_null());
    }
    if (value_size(value_builder_peek(patch)) == 0)
        return NULL;
    return value_new_f("{metadata: {uid: %s}, status: %V}", object_uid(pod),
                       value_builder_end(g_steal_pointer(&patch)));
}
