/* What kube-proxy applied on a node, and how the node's kernel rewrites destinations by it. */
#include "sim/backend/simulated/node_private.h"

#define APPLY_NS (5 * NS_PER_MS)

typedef struct Applied {
    void (*done)(const char *error, void *data);
    void *data;
} Applied;

static void
rules_are_applied(void *data)
{
    Applied *applied = data;
    applied->done(NULL, applied->data);
    g_free(applied);
}

static void
dataplane_apply(Dataplane *dataplane, struct ProxyRules *rules, void (*done)(const char *error, void *data), void *data)
{
    NodeDataplane *own = (NodeDataplane *)dataplane;
    SimulatedNode *node = own->node;
    const SimulatedRulesOps *ops = node->backend->rules;
    g_assert(ops != NULL);
    struct ProxyRules *old = own->rules;
    own->rules = ops->ref(rules);
    if (old != NULL)
        ops->unref(old);
    Engine *engine = node->backend->engine;
    if (done == NULL)
        return;
    Applied applied = {done, data};
    engine_at_take(engine, simulated_node_find_process(node, "kube-proxy"), engine_now(engine) + APPLY_NS,
                   rules_are_applied, g_memdup2(&applied, sizeof applied), g_free);
}

const DataplaneOps simulated_dataplane_ops = {.apply = dataplane_apply};

NetResolve
dataplane_resolve(const char *host, const char *source, const char *ip, uint16_t port, const char *protocol,
                  NetEndpoint *ret_endpoint, void *data)
{
    SimulatedBackend *backend = data;
    SimulatedNode *node = simulated_backend_node(backend, host);
    if (node == NULL || node->dataplane.rules == NULL || backend->rules->resolve == NULL)
        return NET_RESOLVE_PASS;
    return backend->rules->resolve(node->dataplane.rules, node->name, source, ip, port, protocol, node_next_number(node),
                                   ret_endpoint);
}
