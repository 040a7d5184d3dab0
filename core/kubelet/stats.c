/* /stats/summary: what the pods and the node use. */
#include "core/kubelet/internal.h"

typedef struct Summary {
    ValueBuilder *pods;
    uint64_t cpu_ns, memory;
} Summary;

static Value *
usage(int64_t now, uint64_t cpu_ns, uint64_t memory, uint64_t rss, const char *name)
{
    return value_new_f("{name: ?%s, cpu: {time: %V, usageCoreNanoSeconds: %i}, memory: {time: %V, workingSetBytes: %i, "
                       "usageBytes: %i, rssBytes: %i}}",
                       name, format_time_value(now), (int64_t)cpu_ns, format_time_value(now), (int64_t)memory, (int64_t)memory,
                       (int64_t)rss);
}

static void
add_pod(PodWorker *worker, void *data)
{
    Summary *summary = data;
    Runtime *runtime = worker->kubelet->runtime;
    int64_t now = kubelet_now(worker->kubelet);
    g_autoptr(RuntimeView) view = runtime_view_new(runtime, worker->uid);
    g_autoptr(ValueBuilder) containers = value_builder_new_array();
    uint64_t cpu = 0, memory = 0;
    for (guint i = 0; i < view->containers->len; i++) {
        const ContainerStatus *status = &g_array_index(view->containers, ContainerStatus, i);
        ContainerStats stats = {0};
        if (status->state != CONTAINER_RUNNING || !runtime->ops->container_stats(runtime, status->id, &stats))
            continue;
        cpu += stats.cpu_usage_ns;
        memory += stats.memory_working_set;
        Value *container = usage(now, stats.cpu_usage_ns, stats.memory_working_set, stats.memory_rss, status->name);
        value_edit(&container, "startTime", format_time_value(status->started_at));
        value_builder_append(containers, container);
    }
    summary->cpu_ns += cpu;
    summary->memory += memory;
    Value *pod = usage(now, cpu, memory, 0, NULL);
    value_edit(&pod, "podRef", value_new_f("{name: %s, namespace: %s, uid: %s}", object_name(worker->pod),
                                           object_namespace(worker->pod), worker->uid));
    value_edit(&pod, "containers", value_builder_end(g_steal_pointer(&containers)));
    value_builder_append(summary->pods, pod);
}

Value *
stats_summary(Kubelet *kubelet)
{
    Summary summary = {.pods = value_builder_new_array()};
    kubelet_each_worker(kubelet, add_pod, &summary);
    Value *node = usage(kubelet_now(kubelet), summary.cpu_ns, summary.memory, 0, NULL);
    value_edit(&node, "nodeName", value_new_string(kubelet->config.node_name));
    value_edit(&node, "startTime", format_time_value(kubelet->started_at));
    return value_new_f("{node: %V, pods: %V}", node, value_builder_end(summary.pods));
}
