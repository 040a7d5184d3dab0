/* The plug-ins' constants, for their table, and what two of them share. */
#pragma once

#include "core/scheduler/framework.h"

extern const Plugin SCHEDULING_GATES, PRIORITY_SORT, NODE_UNSCHEDULABLE, NODE_NAME,
    TAINT_TOLERATION, NODE_AFFINITY, NODE_PORTS, NODE_RESOURCES_FIT, VOLUME_RESTRICTIONS,
    NODE_VOLUME_LIMITS, VOLUME_BINDING, VOLUME_ZONE, POD_TOPOLOGY_SPREAD, INTER_POD_AFFINITY,
    DEFAULT_PREEMPTION, NODE_RESOURCES_BALANCED_ALLOCATION, IMAGE_LOCALITY, DEFAULT_BINDER;

/* ln(n) for n >= 1, from basic IEEE operations only, so that it is the same on every machine. */
double natural_log(int n);
