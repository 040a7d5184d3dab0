/* spec.nodeSelector and node affinity: required terms filter, preferred terms score by their
 * weights. */
#include "core/scheduler/plugins/plugins.h"

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    if (!static_fit_has_affinity(cycle->class_->fit))
        ret_status->code = STATUS_SKIP;
    else if (cycle->class_->limited_to_names && cycle->class_->n_node_names == 0)
        status_add(ret_status, STATUS_UNRESOLVABLE, REASON_AFFINITY_CONFLICT);
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    if (static_fit_verdict(cycle->cache->fits, cycle->class_->fit, node)->failures & FIT_AFFINITY)
        status_add(ret_status, STATUS_UNRESOLVABLE, REASON_NODE_AFFINITY);
}

static bool
pre_score(Cycle *cycle)
{
    return static_fit_has_preferences(cycle->class_->fit);
}

static int64_t
score(Cycle *cycle, const NodeInfo *node)
{
    return static_fit_verdict(cycle->cache->fits, cycle->class_->fit, node)->preference;
}

static void
normalize(Cycle *cycle, int64_t *scores)
{
    normalize_by_maximum(scores, cycle->n_scored, false);
}

static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    if (event->node == NULL)
        return true;
    bool before =
        event->old != NULL && !(static_fit_failures(pod->class_->fit, event->old) & FIT_AFFINITY);
    return !before && !(static_fit_failures(pod->class_->fit, event->new_) & FIT_AFFINITY);
}

const Plugin NODE_AFFINITY = {
    .name = "NodeAffinity",
    .weight = 2,
    .events = EVENT_NODE_ADD | EVENT_NODE_LABEL,
    .hint = hint,
    .pre_filter = pre_filter,
    .filter = filter,
    .pre_score = pre_score,
    .score = score,
    .normalize = normalize,
};
