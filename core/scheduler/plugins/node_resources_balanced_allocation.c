/* Prefers nodes on which the used shares of cpu and memory come close to each other: (1 - standard
 * deviation) * 100, in plain IEEE doubles. */
#include "core/scheduler/plugins/plugins.h"

static bool
pre_score(Cycle *cycle)
{
    return cycle->class_->milli_cpu != 0 ||
           cycle->class_->memory != 0; /* best-effort pods are left out */
}

static double
share(int64_t requested, int64_t allocatable)
{
    double fraction = (double)requested / (double)allocatable;
    return fraction > 1 ? 1 : fraction;
}

static int64_t
score(Cycle *cycle, const NodeInfo *node)
{
    double deviation = 0;
    if (node->milli_cpu != 0 && node->memory != 0) {
        double cpu = share(node->requested_cpu + cycle->class_->milli_cpu, node->milli_cpu);
        double memory = share(node->requested_memory + cycle->class_->memory, node->memory);
        deviation = (cpu - memory) / 2;
        if (deviation < 0)
            deviation = -deviation;
    }
    return (int64_t)((1 - deviation) * (double)NODE_SCORE_MAX);
}

const Plugin NODE_RESOURCES_BALANCED_ALLOCATION = {
    .name = "NodeResourcesBalancedAllocation", .weight = 1, .pre_score = pre_score, .score = score};
