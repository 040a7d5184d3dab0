/* The kubelet's conditions of a pod. */
#include "core/kubelet/status_conditions.h"

#include "core/api/meta.h"
#include "core/kubelet/containers.h"
#include "core/kubelet/format.h"

static Value *
condition_new(const char *type, const Value *pod, bool is_true, const char *reason, const char *message)
{
    return value_new_f("{type: %s, status: %s, reason: ?%s, message: ?%s, observedGeneration: ?%i}", type,
                       is_true ? "True" : "False", reason, message, object_generation(pod));
}

static const Value *
find_status(const Value *status, const char *list, const Value *container)
{
    VALUE_ARRAY_FOREACH (candidate, value_get(status, list)) {
        if (value_equal(value_get(candidate, "name"), value_get(container, "name")))
            return candidate;
    }
    return NULL;
}

/* "containers with unknown status: [a], containers with unready status: [b]"; NULL when both are empty. */
static char *
complaint(const GPtrArray *unknown, const GPtrArray *unready, const char *word)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (unknown->len > 0) {
        g_autofree char *list = format_list(unknown);
        g_string_append_printf(text, "containers with unknown status: %s", list);
    }
    if (unready->len > 0) {
        g_autofree char *list = format_list(unready);
        g_string_append_printf(text, "%scontainers with %s status: %s", text->len > 0 ? ", " : "", word, list);
    }
    return text->len > 0 ? g_strdup(text->str) : NULL;
}

static bool
any_main_started(const Value *status)
{
    VALUE_ARRAY_FOREACH (candidate, value_get(status, "containerStatuses")) {
        if (value_bool(value_get(candidate, "started")) || value_at(candidate, "state.terminated") != NULL ||
            value_at(candidate, "lastState.terminated") != NULL)
            return true;
    }
    return false;
}

static Value *
initialized(const Value *pod, const Value *status)
{
    const Value *list = pod_container_list(pod, CONTAINER_INIT);
    if (value_size(list) == 0)
        return condition_new("Initialized", pod, true, NULL, NULL);
    g_autoptr(GPtrArray) unknown = g_ptr_array_new();
    g_autoptr(GPtrArray) unready = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (container, list) {
        const Value *found = find_status(status, "initContainerStatuses", container);
        bool sidecar = container_is_sidecar(container, CONTAINER_INIT);
        char *name = (char *)value_text(value_get(container, "name"));
        if (found == NULL)
            g_ptr_array_add(unknown, name);
        else if (!value_bool(value_get(found, sidecar ? "started" : "ready")))
            g_ptr_array_add(unready, name);
    }
    if (g_str_equal(value_text(value_get(status, "phase")), "Succeeded") && unknown->len == 0)
        return condition_new("Initialized", pod, true, "PodCompleted", NULL);
    g_autofree char *message = any_main_started(status) ? NULL : complaint(unknown, unready, "incomplete");
    if (message != NULL)
        return condition_new("Initialized", pod, false, "ContainersNotInitialized", message);
    return condition_new("Initialized", pod, true, NULL, NULL);
}

static Value *
containers_ready(const char *type, const Value *pod, const Value *status)
{
    const char *phase = value_text(value_get(status, "phase"));
    if (!value_has(status, "containerStatuses"))
        return condition_new(type, pod, false, "UnknownContainerStatuses", NULL);
    g_autoptr(GPtrArray) unknown = g_ptr_array_new();
    g_autoptr(GPtrArray) unready = g_ptr_array_new();
    for (ContainerKind kind = CONTAINER_INIT; kind <= CONTAINER_MAIN; kind++) {
        VALUE_ARRAY_FOREACH (container, pod_container_list(pod, kind)) {
            if (kind == CONTAINER_INIT && !container_is_sidecar(container, kind))
                continue;
            const Value *found =
                find_status(status, kind == CONTAINER_INIT ? "initContainerStatuses" : "containerStatuses", container);
            char *name = (char *)value_text(value_get(container, "name"));
            if (found == NULL)
                g_ptr_array_add(unknown, name);
            else if (!value_bool(value_get(found, "ready")))
                g_ptr_array_add(unready, name);
        }
    }
    if (g_str_equal(phase, "Succeeded") && unknown->len == 0)
        return condition_new(type, pod, false, "PodCompleted", NULL);
    if (g_str_equal(phase, "Failed"))
        return condition_new(type, pod, false, "PodFailed", NULL);
    g_autofree char *message = complaint(unknown, unready, "unready");
    if (message != NULL)
        return condition_new(type, pod, false, "ContainersNotReady", message);
    return condition_new(type, pod, true, NULL, NULL);
}

static Value *
ready(const Value *pod, const Value *status)
{
    Value *containers = containers_ready("Ready", pod, status);
    if (!g_str_equal(value_text(value_get(containers, "status")), "True"))
        return containers;
    g_autoptr(GString) text = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (gate, value_at(pod, "spec.readinessGates")) {
        const char *type = value_text(value_get(gate, "conditionType"));
        const Value *condition = condition_find(value_at(pod, "status.conditions"), type);
        const char *is = value_text(value_get(condition, "status"));
        if (condition != NULL && g_str_equal(is, "True"))
            continue;
        if (text->len > 0)
            g_string_append(text, ", ");
        if (condition == NULL)
            g_string_append_printf(text, "corresponding condition of pod readiness gate \"%s\" does not exist.", type);
        else
            g_string_append_printf(text, "the status of pod readiness gate \"%s\" is not \"True\", but %s", type, is);
    }
    if (text->len == 0)
        return containers;
    value_unref(containers);
    return condition_new("Ready", pod, false, "ReadinessGatesNotReady", text->str);
}

Value *
status_condition(const char *type, const Value *pod, const Value *status, bool sandbox_ready)
{
    if (g_str_equal(type, "Initialized"))
        return initialized(pod, status);
    if (g_str_equal(type, "ContainersReady"))
        return containers_ready(type, pod, status);
    if (g_str_equal(type, "Ready"))
        return ready(pod, status);
    if (g_str_equal(type, "PodScheduled"))
        return condition_new(type, pod, true, NULL, NULL);
    return condition_new(type, pod, sandbox_ready, NULL, NULL);
}
