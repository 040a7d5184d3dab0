#include "core/cluster/inspect.h"

#include "core/scheduler/scheduler.h"

Value *
cluster_explain_pod(const Cluster *cluster, const char *pod_key)
{
    Scheduler *scheduler = cluster_scheduler(cluster);
    return scheduler != NULL ? scheduler_explain(scheduler, pod_key) : NULL;
}
