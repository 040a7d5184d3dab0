/* Does what the pod requests fit beside what the node's pods request? Scored by what stays free
 * (LeastAllocated) or, by configuration, by what is used (MostAllocated). */
#include "core/scheduler/plugins/plugins.h"

#include "core/api/pod.h"

/* What could never fit, not even on an empty node, is beyond preemption. */
static void
check(Status *ret_status, int64_t request, int64_t allocatable, int64_t used, Symbol reason)
{
    if (request > 0 && request > allocatable - used)
        status_add(ret_status, request > allocatable ? STATUS_UNRESOLVABLE : STATUS_UNSCHEDULABLE,
                   reason);
}

static void
check_scalar(Cycle *cycle, const NodeInfo *node, const ScalarAmount *scalar, Status *ret_status)
{
    int64_t allocatable = 0, used = 0;
    for (uint32_t i = 0; i < node->n_scalars; i++)
        if (node->scalars[i].name == scalar->name) {
            allocatable = node->scalars[i].allocatable;
            used = node->scalars[i].requested;
        }
    if (scalar->amount <= allocatable - used)
        return;
    g_autofree char *text =
        g_strconcat("Insufficient ", symbols_text(cycle->cache->symbols, scalar->name), NULL);
    check(ret_status, scalar->amount, allocatable, used,
          symbols_intern(cycle->cache->symbols, text));
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    const PodClass *class_ = cycle->class_;
    if ((int64_t)node->n_pods + 1 > node->max_pods)
        status_add(ret_status, STATUS_UNSCHEDULABLE, REASON_TOO_MANY_PODS);
    check(ret_status, class_->milli_cpu, node->milli_cpu, node->requested_cpu, REASON_CPU);
    check(ret_status, class_->memory, node->memory, node->requested_memory, REASON_MEMORY);
    check(ret_status, class_->ephemeral_storage, node->ephemeral_storage, node->requested_storage,
          REASON_EPHEMERAL_STORAGE);
    for (uint32_t i = 0; i < class_->n_scalars; i++)
        check_scalar(cycle, node, &class_->scalars[i], ret_status);
}

static int64_t
resource_score(const Profile *profile, int64_t requested, int64_t capacity)
{
    if (capacity == 0)
        return 0;
    if (profile->most_allocated)
        return MIN(requested, capacity) * NODE_SCORE_MAX / capacity;
    return requested > capacity ? 0 : (capacity - requested) * NODE_SCORE_MAX / capacity;
}

static int64_t
score(Cycle *cycle, const NodeInfo *node)
{
    const Profile *profile = cycle->profile;
    int64_t sum = 0, weights = 0;
    if (node->milli_cpu != 0) {
        sum += profile->cpu_weight * resource_score(profile,
                                                    node->nonzero_cpu + cycle->class_->nonzero_cpu,
                                                    node->milli_cpu);
        weights += profile->cpu_weight;
    }
    if (node->memory != 0) {
        sum += profile->memory_weight *
               resource_score(profile, node->nonzero_memory + cycle->class_->nonzero_memory,
                              node->memory);
        weights += profile->memory_weight;
    }
    return weights == 0 ? 0 : sum / weights;
}

/* Could the pod fit on the node if nothing else was there? */
static bool
fits_capacity(const ClusterCache *cache, const PodClass *class_, const Value *node)
{
    ResourceList list = {0};
    int64_t pods = 0;
    resource_list_parse(value_at(node, "status.allocatable"), &list, &pods);
    bool fits = pods > 0 && class_->milli_cpu <= list.milli_cpu && class_->memory <= list.memory &&
                class_->ephemeral_storage <= list.ephemeral_storage;
    for (uint32_t i = 0; fits && i < class_->n_scalars; i++)
        fits = class_->scalars[i].amount <=
               value_int(
                   value_get(list.scalars, symbols_text(cache->symbols, class_->scalars[i].name)));
    resource_list_clear(&list);
    return fits;
}

/* Does the pod on a node ask for less than before? */
static bool
asks_less(const PodClass *class_, const Value *old)
{
    ResourceList list = {0};
    pod_requests(old, &list);
    bool less = class_->milli_cpu < list.milli_cpu || class_->memory < list.memory ||
                class_->ephemeral_storage < list.ephemeral_storage;
    resource_list_clear(&list);
    return less;
}

static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    if (event->node != NULL)
        return fits_capacity(cache, pod->class_, event->new_);
    if (event->kinds & EVENT_POD_UPDATE)
        return asks_less(event->pod->class_, event->old);
    return true; /* a pod that goes leaves at least its place */
}

const Plugin NODE_RESOURCES_FIT = {
    .name = "NodeResourcesFit",
    .weight = 1,
    .events =
        EVENT_NODE_ADD | EVENT_NODE_ALLOCATABLE | EVENT_POD_DELETE | EVENT_POD_UPDATE | EVENT_SELF,
    .hint = hint,
    .filter = filter,
    .score = score,
};
