#include "core/scheduler/plugins/plugins.h"

#include "core/api/pod.h"

#include <string.h>

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    if (*pod_node_name(cycle->pod->pod) == '\0')
        ret_status->code = STATUS_SKIP;
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    if (strcmp(pod_node_name(cycle->pod->pod), node->name) != 0)
        status_add(ret_status, STATUS_UNRESOLVABLE, REASON_NODE_NAME);
}

const Plugin NODE_NAME = {
    .name = "NodeName", .events = EVENT_NODE_ADD, .pre_filter = pre_filter, .filter = filter};
