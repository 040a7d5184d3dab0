#include "core/scheduler/plugins/plugins.h"

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    if (static_fit_verdict(cycle->cache->fits, cycle->class_->fit, node)->failures & FIT_TAINT)
        status_add(ret_status, STATUS_UNRESOLVABLE, REASON_TAINT);
}

static int64_t
score(Cycle *cycle, const NodeInfo *node)
{
    return static_fit_verdict(cycle->cache->fits, cycle->class_->fit, node)->intolerable;
}

static void
normalize(Cycle *cycle, int64_t *scores)
{
    normalize_by_maximum(scores, cycle->n_scored, true);
}

static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    if (event->node == NULL)
        return true;
    bool before =
        event->old != NULL && !(static_fit_failures(pod->class_->fit, event->old) & FIT_TAINT);
    return !before && !(static_fit_failures(pod->class_->fit, event->new_) & FIT_TAINT);
}

const Plugin TAINT_TOLERATION = {
    .name = "TaintToleration",
    .weight = 3,
    .events = EVENT_NODE_ADD | EVENT_NODE_TAINT | EVENT_SELF,
    .hint = hint,
    .filter = filter,
    .score = score,
    .normalize = normalize,
};
