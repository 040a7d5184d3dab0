/* The Runtime's table, and what only reads. What is not ours is asked of the components' runtime. */
#include <string.h>

#include "sim/backend/runc/node_private.h"

static const char *
runc_version(Runtime *runtime)
{
    return "runc://1.1";
}

static void
runc_set_listener(Runtime *runtime, const RuntimeListener *listener, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    Runtime *other = node->options.components;
    node->listener = listener;
    node->listener_data = data;
    if (other != NULL)
        other->ops->set_listener(other, listener, data);
}

static void
runc_update_config(Runtime *runtime, const char *pod_cidr)
{
    RuncNode *node = runc_runtime_node(runtime);
    Runtime *other = node->options.components;
    if (pod_cidr != NULL && node->pod_network == 0)
        network_set_cidr(node, pod_cidr);
    if (other != NULL && other->ops->update_runtime_config != NULL)
        other->ops->update_runtime_config(other, pod_cidr);
}

static const char *
runc_network_not_ready(Runtime *runtime)
{
    return runc_runtime_node(runtime)->pod_network == 0 ? "Network plugin returns error: cni plugin not initialized" : NULL;
}

static PodSandboxStatus
sandbox_status(const RuncSandbox *sandbox)
{
    return (PodSandboxStatus){.id = sandbox->id, .pod_uid = sandbox->uid, .pod_name = sandbox->name,
                              .pod_namespace = sandbox->namespace_, .attempt = sandbox->attempt,
                              .ready = sandbox->ready, .created_at = sandbox->created_at, .ip = sandbox->ip};
}

static ContainerStatus
status_of(const RuncContainer *container)
{
    const RuncSandbox *sandbox = container->sandbox;
    return (ContainerStatus){
        .id = container->id,
        .sandbox_id = sandbox->id,
        .name = container->name,
        .image = container->image,
        .image_ref = sandbox->node->image_ref,
        .attempt = container->attempt,
        .state = container->state,
        .created_at = container->created_at,
        .started_at = container->started_at,
        .finished_at = container->finished_at,
        .exit_code = container->exit_code,
        .signal = container->signal,
        .reason = container->reason,
        .message = container->message,
        .pod_uid = sandbox->uid,
        .pod_name = sandbox->name,
        .pod_namespace = sandbox->namespace_,
        .hash = container->hash,
    };
}

static void
runc_list_sandboxes(Runtime *runtime, const char *pod_uid, GArray *ret_statuses)
{
    RuncNode *node = runc_runtime_node(runtime);
    Runtime *other = node->options.components;
    if (other != NULL)
        other->ops->list_pod_sandboxes(other, pod_uid, ret_statuses);
    for (guint i = 0; i < node->sandboxes->len; i++) {
        const RuncSandbox *sandbox = node->sandboxes->pdata[i];
        PodSandboxStatus status = sandbox_status(sandbox);
        if (pod_uid == NULL || strcmp(pod_uid, sandbox->uid) == 0)
            g_array_append_val(ret_statuses, status);
    }
}

static void
runc_list_containers(Runtime *runtime, const char *pod_uid, GArray *ret_statuses)
{
    RuncNode *node = runc_runtime_node(runtime);
    Runtime *other = node->options.components;
    if (other != NULL)
        other->ops->list_containers(other, pod_uid, ret_statuses);
    for (guint i = 0; i < node->sandboxes->len; i++) {
        const RuncSandbox *sandbox = node->sandboxes->pdata[i];
        if (pod_uid != NULL && strcmp(pod_uid, sandbox->uid) != 0)
            continue;
        for (guint k = 0; k < sandbox->containers->len; k++) {
            ContainerStatus status = status_of(sandbox->containers->pdata[k]);
            g_array_append_val(ret_statuses, status);
        }
    }
}

static bool
runc_container_status(Runtime *runtime, const char *id, ContainerStatus *ret_status)
{
    RuncNode *node = runc_runtime_node(runtime);
    Runtime *other = node->options.components;
    const RuncContainer *container = runc_find_container(node, id);
    if (container == NULL)
        return other != NULL && other->ops->container_status(other, id, ret_status);
    *ret_status = status_of(container);
    return true;
}

static bool
runc_container_stats(Runtime *runtime, const char *id, ContainerStats *ret_stats)
{
    RuncNode *node = runc_runtime_node(runtime);
    Runtime *other = node->options.components;
    const RuncContainer *container = runc_find_container(node, id);
    if (container == NULL)
        return other != NULL && other->ops->container_stats(other, id, ret_stats);
    if (container->pid == 0)
        return false;
    const char *cgroup = container->cgroup;
    bool unified = cgroup_is_unified();
    const char *memory = unified ? "" : "memory";
    uint64_t usage = cgroup_number(memory, cgroup, unified ? "memory.current" : "memory.usage_in_bytes");
    uint64_t cache = cgroup_field(memory, cgroup, "memory.stat", unified ? "inactive_file" : "total_inactive_file");
    *ret_stats = (ContainerStats){
        .cpu_usage_ns = unified ? cgroup_field("", cgroup, "cpu.stat", "usage_usec") * 1000
                                : cgroup_number("cpuacct", cgroup, "cpuacct.usage"),
        .memory_working_set = usage > cache ? usage - cache : 0,
        .memory_rss = cgroup_field(memory, cgroup, "memory.stat", unified ? "anon" : "total_rss"),
    };
    return true;
}

const RuntimeOps runc_runtime_ops = {
    .version = runc_version,
    .set_listener = runc_set_listener,
    .update_runtime_config = runc_update_config,
    .network_not_ready = runc_network_not_ready,
    .run_pod_sandbox = runc_run_pod_sandbox,
    .stop_pod_sandbox = runc_stop_pod_sandbox,
    .remove_pod_sandbox = runc_remove_pod_sandbox,
    .create_container = runc_create_container,
    .start_container = runc_start_container,
    .stop_container = runc_stop_container,
    .remove_container = runc_remove_container,
    .list_pod_sandboxes = runc_list_sandboxes,
    .list_containers = runc_list_containers,
    .container_status = runc_container_status,
    .container_stats = runc_container_stats,
    .exec_sync = runc_exec_sync,
    .exec = runc_exec,
    .session_input = runc_session_input,
    .session_resize = runc_session_resize,
    .session_close = runc_session_close,
    .port_forward = runc_port_forward,
    .image_present = runc_image_present,
    .pull_image = runc_pull_image,
    .list_images = runc_list_images,
};
