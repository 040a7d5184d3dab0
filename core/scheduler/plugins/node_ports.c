#include "core/scheduler/plugins/plugins.h"

static bool
ports_clash(const HostPort *a, const HostPort *b)
{
    return a->port == b->port && a->protocol == b->protocol &&
           (a->ip == b->ip || a->ip == REASON_ANY_IP || b->ip == REASON_ANY_IP);
}

static void
pre_filter(Cycle *cycle, Status *ret_status)
{
    if (cycle->class_->n_ports == 0)
        ret_status->code = STATUS_SKIP;
}

static void
filter(Cycle *cycle, const NodeInfo *node, Status *ret_status)
{
    for (guint i = 0; node->ports != NULL && i < node->ports->len; i++)
        for (uint32_t p = 0; p < cycle->class_->n_ports; p++)
            if (ports_clash(&g_array_index(node->ports, HostPort, i), &cycle->class_->ports[p])) {
                status_add(ret_status, STATUS_UNSCHEDULABLE, REASON_PORTS);
                return;
            }
}

/* A pod that goes helps when it held one of the ports. */
static bool
hint(ClusterCache *cache, const PodInfo *pod, const ClusterEvent *event)
{
    if (event->pod == NULL)
        return true;
    for (uint32_t i = 0; i < event->pod->class_->n_ports; i++)
        for (uint32_t p = 0; p < pod->class_->n_ports; p++)
            if (ports_clash(&event->pod->class_->ports[i], &pod->class_->ports[p]))
                return true;
    return false;
}

const Plugin NODE_PORTS = {
    .name = "NodePorts",
    .events = EVENT_NODE_ADD | EVENT_POD_DELETE,
    .hint = hint,
    .pre_filter = pre_filter,
    .filter = filter,
};
