/* Looking into a cluster's components: for views and oracles, which may not include the components themselves. */
#pragma once

#include "core/cluster/cluster.h"

/* What the scheduler that leads decided about a pod ("namespace/name") in its last cycle, as scheduler_explain gives it (see
 * core/scheduler/scheduler.h); NULL when no scheduler runs or it does not remember. Owned. */
Value *cluster_explain_pod(const Cluster *cluster, const char *pod_key);
