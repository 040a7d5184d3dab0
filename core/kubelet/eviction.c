/* Eviction under node pressure (pkg/kubelet/eviction): while a resource is short, at each tick the pod that is ranked first is
 * given up: those that use more than they asked for before the others, then by priority, then by how much more. Static and
 * node-critical pods stay. Dead containers and unused images are the runtime's to reclaim first on disk pressure. */
#include "core/kubelet/internal.h"

#define CRITICAL_PRIORITY 2000000000 /* system-cluster-critical and above */

typedef struct Candidate {
    PodWorker *worker;
    uint64_t usage;
    int64_t request;
    int64_t priority;
} Candidate;

static uint64_t
memory_usage(PodWorker *worker)
{
    Runtime *runtime = worker->kubelet->runtime;
    g_autoptr(RuntimeView) view = runtime_view_new(runtime, worker->uid);
    uint64_t sum = 0;
    for (guint i = 0; i < view->containers->len; i++) {
        const ContainerStatus *status = &g_array_index(view->containers, ContainerStatus, i);
        ContainerStats stats = {0};
        if (status->state == CONTAINER_RUNNING && runtime->ops->container_stats(runtime, status->id, &stats))
            sum += stats.memory_working_set;
    }
    return sum;
}

static void
collect(PodWorker *worker, void *data)
{
    GArray *candidates = data;
    if (worker->state != WORKER_SYNC || worker->is_static || worker->from_orphan || worker->fail_reason != NULL ||
        pod_priority(worker->pod) >= CRITICAL_PRIORITY)
        return;
    ResourceList list = {0};
    pod_requests(worker->pod, &list);
    Candidate candidate = {worker, memory_usage(worker), list.memory, pod_priority(worker->pod)};
    resource_list_clear(&list);
    g_array_append_val(candidates, candidate);
}

static int
compare(const void *a, const void *b)
{
    const Candidate *one = a, *two = b;
    int64_t over_one = (int64_t)one->usage - one->request, over_two = (int64_t)two->usage - two->request;
    if ((over_one > 0) != (over_two > 0))
        return over_one > 0 ? -1 : 1;
    if (one->priority != two->priority)
        return one->priority < two->priority ? -1 : 1;
    if (over_one != over_two)
        return over_one > over_two ? -1 : 1;
    return strcmp(one->worker->uid, two->worker->uid);
}

static char *
kibibytes(uint64_t bytes)
{
    return bytes % (1u << 20) == 0 ? g_strdup_printf("%" G_GUINT64_FORMAT "Mi", bytes >> 20)
                                   : g_strdup_printf("%" G_GUINT64_FORMAT "Ki", bytes >> 10);
}

/* "Container web was using 900Mi, request is 100Mi, has larger consumption of memory. " */
static void
append_containers(GString *text, PodWorker *worker)
{
    Runtime *runtime = worker->kubelet->runtime;
    g_autoptr(RuntimeView) view = runtime_view_new(runtime, worker->uid);
    VALUE_ARRAY_FOREACH (container, pod_container_list(worker->pod, CONTAINER_MAIN)) {
        const ContainerStatus *status = runtime_view_find(view, value_text(value_get(container, "name")));
        ContainerStats stats = {0};
        if (status == NULL || !runtime->ops->container_stats(runtime, status->id, &stats))
            continue;
        ResourceList request = {0};
        int64_t pods;
        resource_list_parse(value_at(container, "resources.requests"), &request, &pods);
        if ((int64_t)stats.memory_working_set > request.memory) {
            g_autofree char *used = kibibytes(stats.memory_working_set);
            const char *asked = value_string_at(container, "resources.requests.memory");
            g_string_append_printf(text, "Container %s was using %s, request is %s, has larger consumption of memory. ",
                                   value_text(value_get(container, "name")), used, asked != NULL ? asked : "0");
        }
        resource_list_clear(&request);
    }
}

static void
evict(PodWorker *worker, const char *resource, const HostPressure *pressure)
{
    Kubelet *kubelet = worker->kubelet;
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_printf(text, "The node was low on resource: %s. ", resource);
    if (g_str_equal(resource, "memory")) {
        g_autofree char *threshold = kibibytes(kubelet->config.eviction_memory_available);
        g_autofree char *available = kibibytes(pressure->memory_available);
        g_string_append_printf(text, "Threshold quantity: %s, available: %s. ", threshold, available);
        append_containers(text, worker);
    }
    worker_event(worker, "Warning", "Evicted", "%s", text->str);
    worker_decision(worker, "evict", "the node is low on %s", resource);
    worker_fail(worker, "Evicted", text->str, true, 1);
}

bool
eviction_refuses(const PodWorker *worker, char **ret_message)
{
    const Value *conditions = worker->kubelet->conditions;
    if (worker->is_static || pod_priority(worker->pod) >= CRITICAL_PRIORITY)
        return false;
    g_autoptr(GPtrArray) types = g_ptr_array_new();
    static const char *const TYPES[] = {"MemoryPressure", "DiskPressure", "PIDPressure"};
    for (size_t i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        if (condition_is(conditions, TYPES[i], "True"))
            g_ptr_array_add(types, (char *)TYPES[i]);
    }
    bool memory_only = types->len == 1 && g_str_equal(types->pdata[0], TYPES[0]);
    if (types->len == 0 || (memory_only && !g_str_equal(pod_qos_class(worker->pod), "BestEffort")))
        return false;
    g_autofree char *list = format_list(types);
    *ret_message = g_strdup_printf("The node had condition: %s. ", list);
    return true;
}

void
eviction_check(Kubelet *kubelet, const HostPressure *pressure)
{
    bool memory = pressure->memory || (pressure->memory_available > 0 &&
                                       pressure->memory_available < kubelet->config.eviction_memory_available);
    if (!memory && !pressure->disk && !pressure->pid)
        return;
    const char *resource = memory ? "memory" : pressure->disk ? "ephemeral-storage" : "pids";
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    kubelet_each_worker(kubelet, collect, candidates);
    node_event(kubelet, "Warning", "EvictionThresholdMet", "Attempting to reclaim %s", resource);
    if (!memory && pressure->disk && gc_images(kubelet) > 0)
        return; /* that may be enough: the next tick tells */
    if (candidates->len == 0)
        return;
    g_array_sort(candidates, compare);
    evict(g_array_index(candidates, Candidate, 0).worker, resource, pressure);
}
