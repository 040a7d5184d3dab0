/* A claim with access mode ReadWriteOncePod serves one pod of the whole cluster. */
#include "core/scheduler/plugins/plugins.h"

#include <string.h>

static bool
is_once_pod(const Cycle *cycle, Symbol claim)
{
    const Value *object =
        cluster_cache_get(cycle->cache, TABLE_CLAIMS, symbols_text(cycle->cache->symbols, claim));
    VALUE_ARRAY_FOREACH (mode, value_at(object, "spec.accessModes"))
        if (strcmp(value_text(mode), "ReadWriteOncePod") == 0)
            return true;
    return false;
}

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    ret_status->code = STATUS_SKIP;
    for (uint32_t i = 0; i < cycle->class_->n_claims; i++)
        if (is_once_pod(cycle, cycle->class_->claims[i]))
            ret_status->code = STATUS_SUCCESS;
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    for (uint32_t i = 0; i < cycle->class_->n_claims; i++) {
        Symbol claim = cycle->class_->claims[i];
        if (cluster_cache_claim_users(cycle->cache, claim) > 0 && is_once_pod(cycle, claim)) {
            status_add(ret_status, STATUS_UNSCHEDULABLE, REASON_READ_WRITE_ONCE_POD);
            return;
        }
    }
}

static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    if (event->pod == NULL)
        return true;
    for (uint32_t i = 0; i < event->pod->class_->n_claims; i++)
        for (uint32_t p = 0; p < pod->class_->n_claims; p++)
            if (event->pod->class_->claims[i] == pod->class_->claims[p])
                return true;
    return false;
}

const Plugin VOLUME_RESTRICTIONS = {
    .name = "VolumeRestrictions",
    .events = EVENT_POD_DELETE | EVENT_NODE_ADD | EVENT_CLAIM,
    .hint = hint,
    .pre_filter = pre_filter,
    .filter = filter,
};
