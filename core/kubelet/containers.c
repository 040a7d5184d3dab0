/* A pod's containers in the specification and in the runtime. */
#include "core/kubelet/containers.h"

#include "core/api/meta.h"

static const char *const LIST_NAMES[] = {"initContainers", "containers", "ephemeralContainers"};

const Value *
pod_container_list(const Value *pod, ContainerKind kind)
{
    return value_get(value_get(pod, "spec"), LIST_NAMES[kind]);
}

const Value *
pod_find_container(const Value *pod, const char *name, ContainerKind *ret_kind)
{
    for (int kind = CONTAINER_INIT; kind <= CONTAINER_EPHEMERAL; kind++) {
        VALUE_ARRAY_FOREACH (container, pod_container_list(pod, (ContainerKind)kind)) {
            if (!g_str_equal(value_text(value_get(container, "name")), name))
                continue;
            if (ret_kind != NULL)
                *ret_kind = (ContainerKind)kind;
            return container;
        }
    }
    return NULL;
}

bool
container_is_sidecar(const Value *container, ContainerKind kind)
{
    return kind == CONTAINER_INIT && g_str_equal(value_text(value_get(container, "restartPolicy")), "Always");
}

char *
container_field_path(const char *name, ContainerKind kind)
{
    return g_strdup_printf("spec.%s{%s}", LIST_NAMES[kind], name);
}

uint64_t
container_hash(const Value *container)
{
    uint64_t hash = 14695981039346656037u;
    const char *parts[] = {value_text(value_get(container, "name")), value_text(value_get(container, "image"))};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        for (const char *p = parts[i]; *p != '\0'; p++)
            hash = (hash ^ (unsigned char)*p) * 1099511628211u;
        hash = (hash ^ 0xff) * 1099511628211u;
    }
    return hash == 0 ? 1 : hash;
}

const char *
container_restart_policy(const Value *pod, const Value *container)
{
    const char *own = value_string(value_get(container, "restartPolicy"));
    if (own != NULL)
        return own;
    const char *pods = value_string_at(pod, "spec.restartPolicy");
    return pods != NULL ? pods : "Always";
}

/* restartPolicyRules: the first rule that matches decides; *ret_restart is set then. */
static bool
restart_rule_matches(const Value *container, int exit_code, bool *ret_restart)
{
    VALUE_ARRAY_FOREACH (rule, value_get(container, "restartPolicyRules")) {
        const Value *codes = value_get(rule, "exitCodes");
        bool in = false;
        VALUE_ARRAY_FOREACH (code, value_get(codes, "values"))
            in = in || value_int(code) == exit_code;
        bool not_in = g_str_equal(value_text(value_get(codes, "operator")), "NotIn");
        if (in != not_in) {
            *ret_restart = g_str_has_prefix(value_text(value_get(rule, "action")), "Restart");
            return true;
        }
    }
    return false;
}

bool
container_restarts_on(const Value *pod, const Value *container, ContainerKind kind, int exit_code)
{
    if (kind == CONTAINER_EPHEMERAL)
        return false;
    bool restart;
    if (restart_rule_matches(container, exit_code, &restart))
        return restart;
    const char *policy = container_restart_policy(pod, container);
    if (kind == CONTAINER_INIT && !container_is_sidecar(container, kind))
        return exit_code != 0 && !g_str_equal(policy, "Never");
    return g_str_equal(policy, "Always") || (g_str_equal(policy, "OnFailure") && exit_code != 0);
}

/* ---- the runtime's side --------------------------------------------------------------------------- */

static const char *
keep(RuntimeView *view, const char *text)
{
    return text == NULL ? NULL : g_string_chunk_insert(view->strings, text);
}

void
runtime_view_add_container(RuntimeView *view, const ContainerStatus *status)
{
    ContainerStatus copy = *status;
    copy.id = keep(view, status->id);
    copy.sandbox_id = keep(view, status->sandbox_id);
    copy.name = keep(view, status->name);
    copy.image = keep(view, status->image);
    copy.image_ref = keep(view, status->image_ref);
    copy.reason = keep(view, status->reason);
    copy.message = keep(view, status->message);
    copy.pod_uid = keep(view, status->pod_uid);
    copy.pod_name = keep(view, status->pod_name);
    copy.pod_namespace = keep(view, status->pod_namespace);
    g_array_append_val(view->containers, copy);
}

void
runtime_view_add_sandbox(RuntimeView *view, const PodSandboxStatus *status)
{
    PodSandboxStatus copy = *status;
    copy.id = keep(view, status->id);
    copy.pod_uid = keep(view, status->pod_uid);
    copy.pod_name = keep(view, status->pod_name);
    copy.pod_namespace = keep(view, status->pod_namespace);
    copy.ip = keep(view, status->ip);
    g_array_append_val(view->sandboxes, copy);
}

static int
compare_containers(const void *a, const void *b)
{
    const ContainerStatus *one = a, *two = b;
    int by_name = strcmp(one->name, two->name);
    if (by_name != 0)
        return by_name;
    if (one->attempt != two->attempt)
        return one->attempt > two->attempt ? -1 : 1;
    return one->created_at > two->created_at ? -1 : one->created_at < two->created_at;
}

static int
compare_sandboxes(const void *a, const void *b)
{
    const PodSandboxStatus *one = a, *two = b;
    if (one->attempt != two->attempt)
        return one->attempt > two->attempt ? -1 : 1;
    return one->created_at > two->created_at ? -1 : one->created_at < two->created_at;
}

void
runtime_view_sort(RuntimeView *view)
{
    g_array_sort(view->containers, compare_containers);
    g_array_sort(view->sandboxes, compare_sandboxes);
}

RuntimeView *
runtime_view_new_empty(void)
{
    RuntimeView *view = g_new0(RuntimeView, 1);
    view->containers = g_array_new(FALSE, FALSE, sizeof(ContainerStatus));
    view->sandboxes = g_array_new(FALSE, FALSE, sizeof(PodSandboxStatus));
    view->strings = g_string_chunk_new(512);
    return view;
}

RuntimeView *
runtime_view_new(Runtime *runtime, const char *pod_uid)
{
    RuntimeView *view = runtime_view_new_empty();
    g_autoptr(GArray) containers = g_array_new(FALSE, FALSE, sizeof(ContainerStatus));
    runtime->ops->list_containers(runtime, pod_uid, containers);
    for (guint i = 0; i < containers->len; i++)
        runtime_view_add_container(view, &g_array_index(containers, ContainerStatus, i));
    g_autoptr(GArray) sandboxes = g_array_new(FALSE, FALSE, sizeof(PodSandboxStatus));
    runtime->ops->list_pod_sandboxes(runtime, pod_uid, sandboxes);
    for (guint i = 0; i < sandboxes->len; i++)
        runtime_view_add_sandbox(view, &g_array_index(sandboxes, PodSandboxStatus, i));
    runtime_view_sort(view);
    return view;
}

void
runtime_view_free(RuntimeView *view)
{
    if (view == NULL)
        return;
    g_array_unref(view->containers);
    g_array_unref(view->sandboxes);
    g_string_chunk_free(view->strings);
    g_free(view);
}

const ContainerStatus *
runtime_view_find(const RuntimeView *view, const char *name)
{
    for (guint i = 0; i < view->containers->len; i++) {
        const ContainerStatus *status = &g_array_index(view->containers, ContainerStatus, i);
        if (g_str_equal(status->name, name))
            return status;
    }
    return NULL;
}

const PodSandboxStatus *
runtime_view_sandbox(const RuntimeView *view)
{
    for (guint i = 0; i < view->sandboxes->len; i++) {
        const PodSandboxStatus *status = &g_array_index(view->sandboxes, PodSandboxStatus, i);
        if (status->ready)
            return status;
    }
    return view->sandboxes->len > 0 ? &g_array_index(view->sandboxes, PodSandboxStatus, 0) : NULL;
}

bool
runtime_view_any_running(const RuntimeView *view)
{
    for (guint i = 0; i < view->containers->len; i++) {
        ContainerState state = g_array_index(view->containers, ContainerStatus, i).state;
        if (state == CONTAINER_RUNNING || state == CONTAINER_UNKNOWN)
            return true;
    }
    return false;
}

bool
container_should_start(const Value *pod, const Value *container, ContainerKind kind, const RuntimeView *view)
{
    if (object_is_deleting(pod))
        return false;
    const ContainerStatus *status = runtime_view_find(view, value_text(value_get(container, "name")));
    if (status == NULL || status->state == CONTAINER_CREATED || status->state == CONTAINER_UNKNOWN)
        return true;
    if (status->state == CONTAINER_RUNNING)
        return false;
    return container_restarts_on(pod, container, kind, status->exit_code);
}
