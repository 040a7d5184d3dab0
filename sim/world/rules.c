/* kube-proxy's rules, as the simulated kernels of the nodes follow them. */
#include "core/proxy/rules.h"
#include "sim/world/world_private.h"

static ProxyRules *
rules_ref(ProxyRules *rules)
{
    return proxy_rules_ref(rules);
}

/* The simulated net draws the number itself, from the sender's stream. */
typedef struct Drawn {
    Random base;
    uint64_t number;
} Drawn;

static uint64_t
drawn_next(Random *random)
{
    Drawn *drawn = (Drawn *)random;
    return drawn->number++; /* another one, should the first be rejected */
}

static ProxyProtocol
protocol_of(const char *name)
{
    if (g_ascii_strcasecmp(name, "udp") == 0)
        return PROXY_UDP;
    return g_ascii_strcasecmp(name, "sctp") == 0 ? PROXY_SCTP : PROXY_TCP;
}

static NetResolve
rules_resolve(ProxyRules *rules, const char *node, const char *source, const char *ip,
              uint16_t port, const char *protocol, uint64_t choice, NetEndpoint *ret_endpoint)
{
    static const RandomOps OPS = {.next = drawn_next};
    Drawn drawn = {{&OPS}, choice};
    const ProxyRoute route =
        proxy_rules_resolve(rules, ip, port, protocol_of(protocol), source, &drawn.base);
    switch (route.verdict) {
    case PROXY_ENDPOINT:
        g_strlcpy(ret_endpoint->ip, route.endpoint->ip, sizeof ret_endpoint->ip);
        ret_endpoint->port = route.endpoint->port;
        return NET_RESOLVE_TO;
    case PROXY_REJECT:
        return NET_RESOLVE_REJECT;
    case PROXY_DROP:
        return NET_RESOLVE_DROP;
    case PROXY_PASS:
        break;
    }
    return NET_RESOLVE_PASS;
}

const SimulatedRulesOps WORLD_RULES_OPS = {
    .ref = rules_ref,
    .unref = proxy_rules_unref,
    .resolve = rules_resolve,
};
