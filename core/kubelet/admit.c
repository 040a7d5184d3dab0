/* Does the node take a pod that was bound to it (pkg/kubelet/lifecycle/predicate.go)? The scheduler saw the node as it was;
 * the kubelet sees it as it is. */
#include "core/kubelet/internal.h"

typedef struct Usage {
    const PodWorker *candidate;
    int64_t milli_cpu, memory, ephemeral_storage, pods;
} Usage;

static void
add_usage(PodWorker *worker, void *data)
{
    Usage *usage = data;
    if (worker == usage->candidate || !worker->admitted || worker->state == WORKER_TERMINATED || worker->from_orphan)
        return;
    ResourceList list = {0};
    pod_requests(worker->pod, &list);
    usage->milli_cpu += list.milli_cpu;
    usage->memory += list.memory;
    usage->ephemeral_storage += list.ephemeral_storage;
    usage->pods++;
    resource_list_clear(&list);
}

static bool
out_of(const char *resource, int64_t requested, int64_t used, int64_t capacity, char **ret_reason, char **ret_message)
{
    if (requested == 0 || used + requested <= capacity)
        return false;
    *ret_reason = g_strdup_printf("OutOf%s", resource);
    *ret_message = g_strdup_printf("Node didn't have enough resource: %s, requested: %" G_GINT64_FORMAT
                                   ", used: %" G_GINT64_FORMAT ", capacity: %" G_GINT64_FORMAT,
                                   resource, requested, used, capacity);
    return true;
}

static bool
fits(PodWorker *worker, char **ret_reason, char **ret_message)
{
    Kubelet *kubelet = worker->kubelet;
    Usage usage = {.candidate = worker};
    kubelet_each_worker(kubelet, add_usage, &usage);
    ResourceList want = {0}, have = {0};
    int64_t pods = 0;
    const Value *allocatable = value_get(kubelet->facts, "allocatable");
    resource_list_parse(allocatable != NULL ? allocatable : value_get(kubelet->facts, "capacity"), &have, &pods);
    pod_requests(worker->pod, &want);
    bool full = out_of("pods", 1, usage.pods, kubelet->config.max_pods, ret_reason, ret_message) ||
                out_of("cpu", want.milli_cpu, usage.milli_cpu, have.milli_cpu, ret_reason, ret_message) ||
                out_of("memory", want.memory, usage.memory, have.memory, ret_reason, ret_message) ||
                (have.ephemeral_storage > 0 &&
                 out_of("ephemeral-storage", want.ephemeral_storage, usage.ephemeral_storage, have.ephemeral_storage,
                        ret_reason, ret_message));
    resource_list_clear(&want);
    resource_list_clear(&have);
    return !full;
}

/* A pod for another operating system than the node's. */
static bool
wrong_os(const PodWorker *worker, char **ret_reason, char **ret_message)
{
    const char *os = value_string_at(worker->kubelet->facts, "nodeInfo.operatingSystem");
    const char *wanted = value_string_at(worker->pod, "spec.os.name");
    if (os == NULL || wanted == NULL || g_str_equal(wanted, os))
        return false;
    *ret_reason = g_strdup("PodOSNotSupported");
    *ret_message = g_strdup("Failed to admit pod as the OS field doesn't match node OS");
    return true;
}

bool
admit_pod(PodWorker *worker, char **ret_reason, char **ret_message)
{
    if (worker->from_orphan || worker->adopted)
        return true; /* it was admitted before this kubelet started */
    if (wrong_os(worker, ret_reason, ret_message))
        return false;
    if (eviction_refuses(worker, ret_message)) {
        *ret_reason = g_strdup("Evicted");
        return false;
    }
    if (!fits(worker, ret_reason, ret_message))
        return false;
    const Value *node = node_object(worker->kubelet);
    if (node == NULL || worker->is_static)
        return true;
    if (!pod_matches_node_affinity(worker->pod, node)) {
        *ret_reason = g_strdup("NodeAffinity");
        *ret_message = g_strdup("Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector");
        return false;
    }
    static const char *const EFFECTS[] = {"NoExecute", NULL};
    const Value *taint = taints_find_untolerated(value_at(node, "spec.taints"), value_at(worker->pod, "spec.tolerations"),
                                                 EFFECTS);
    if (taint != NULL) {
        *ret_reason = g_strdup("TaintToleration");
        *ret_message = g_strdup_printf("Predicate TaintToleration failed: node(s) had untolerated taint {%s: %s}",
                                       value_text(value_get(taint, "key")), value_text(value_get(taint, "value")));
        return false;
    }
    return true;
}
