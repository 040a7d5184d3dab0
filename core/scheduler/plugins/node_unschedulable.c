#include "core/scheduler/plugins/plugins.h"

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    if (static_fit_verdict(cycle->cache->fits, cycle->class_->fit, node)->failures &
        FIT_UNSCHEDULABLE)
        status_add(ret_status, STATUS_UNRESOLVABLE, REASON_UNSCHEDULABLE);
}

/* A node that can be used now and could not before. */
static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    if (event->node == NULL)
        return true;
    bool before = event->old != NULL &&
                  !(static_fit_failures(pod->class_->fit, event->old) & FIT_UNSCHEDULABLE);
    return !before && !(static_fit_failures(pod->class_->fit, event->new_) & FIT_UNSCHEDULABLE);
}

const Plugin NODE_UNSCHEDULABLE = {
    .name = "NodeUnschedulable",
    .events = EVENT_NODE_ADD | EVENT_NODE_UNSCHEDULABLE | EVENT_NODE_TAINT | EVENT_SELF,
    .hint = hint,
    .filter = filter,
};
