/* A table as one node sees it: which endpoints may be taken, and where a connection goes. */
#include "core/proxy/rules.h"

#include <string.h>

#include "core/proxy/address.h"
#include "core/proxy/rules_private.h"

const char *
proxy_protocol_name(ProxyProtocol protocol)
{
    static const char *const names[] = {"tcp", "udp", "sctp"};
    return names[protocol];
}

bool
proxy_protocol_parse(const char *text, ProxyProtocol *ret_protocol)
{
    for (int protocol = PROXY_TCP; text != NULL && protocol <= PROXY_SCTP; protocol++) {
        if (g_ascii_strcasecmp(text, proxy_protocol_name((ProxyProtocol)protocol)) == 0) {
            *ret_protocol = (ProxyProtocol)protocol;
            return true;
        }
    }
    return false;
}

/* ---- life
 * --------------------------------------------------------------------------------------------- */

static char **
copy_strings(const char *const *strings)
{
    static const char *const none[] = {NULL};
    return g_strdupv((char **)(strings != NULL ? strings : none));
}

ProxyRules *
proxy_rules_new(const ProxyTable *table, const ProxyNode *node)
{
    ProxyRules *rules = g_new0(ProxyRules, 1);
    rules->references = 1;
    rules->table = proxy_table_ref(table);
    rules->node = g_strdup(node->name);
    rules->zone = g_strdup(node->zone);
    rules->addresses = copy_strings(node->addresses);
    rules->pod_cidrs = copy_strings(node->pod_cidrs);
    rules->cluster_cidrs = copy_strings(node->cluster_cidrs);
    return rules;
}

ProxyRules *
proxy_rules_ref(const ProxyRules *rules)
{
    ProxyRules *owned = (ProxyRules *)rules;
    owned->references++;
    return owned;
}

void
proxy_rules_unref(ProxyRules *rules)
{
    if (rules == NULL || --rules->references > 0)
        return;
    proxy_table_unref(rules->table);
    g_free(rules->node);
    g_free(rules->zone);
    g_strfreev(rules->addresses);
    g_strfreev(rules->pod_cidrs);
    g_strfreev(rules->cluster_cidrs);
    g_free(rules);
}

const ProxyTable *
proxy_rules_table(const ProxyRules *rules)
{
    return rules->table;
}

const char *
proxy_rules_node(const ProxyRules *rules)
{
    return rules->node;
}

bool
proxy_rules_equal(const ProxyRules *a, const ProxyRules *b)
{
    return a == b ||
           (a != NULL && b != NULL && a->table == b->table && g_strcmp0(a->node, b->node) == 0 &&
            g_strcmp0(a->zone, b->zone) == 0 &&
            g_strv_equal((const char *const *)a->addresses, (const char *const *)b->addresses) &&
            g_strv_equal((const char *const *)a->pod_cidrs, (const char *const *)b->pod_cidrs) &&
            g_strv_equal((const char *const *)a->cluster_cidrs,
                         (const char *const *)b->cluster_cidrs));
}

/* ---- endpoints
 * ------------------------------------------------------------------------------------------ */

bool
proxy_endpoint_is_local(const ProxyRules *rules, const ProxyEndpoint *endpoint)
{
    return endpoint->node != NULL && rules->node != NULL &&
           strcmp(endpoint->node, rules->node) == 0;
}

bool
proxy_port_is_external(const ProxyPort *port)
{
    return port->node_port != 0 || port->external_ips[0] != NULL ||
           port->load_balancer_ips[0] != NULL;
}

static bool
hints_have(char **hints, const char *name)
{
    return hints != NULL && name != NULL && g_strv_contains((const char *const *)hints, name);
}

typedef enum { HINTS_NONE, HINTS_ZONE, HINTS_NODE } HintUse;

/* Hints hold when every ready endpoint has them and one is for us; a node's before a zone's. */
static HintUse
hint_use(const ProxyRules *rules, const ProxyPort *port)
{
    bool all_zone = true, all_node = true, one_zone = false, one_node = false;
    for (size_t i = 0; i < port->n_endpoints; i++) {
        const ProxyEndpoint *endpoint = &port->endpoints[i];
        if (!endpoint->ready)
            continue;
        all_zone = all_zone && endpoint->zone_hints != NULL;
        all_node = all_node && endpoint->node_hints != NULL;
        one_zone = one_zone || hints_have(endpoint->zone_hints, rules->zone);
        one_node = one_node || hints_have(endpoint->node_hints, rules->node);
    }
    return all_node && one_node ? HINTS_NODE : all_zone && one_zone ? HINTS_ZONE : HINTS_NONE;
}

GPtrArray *
proxy_rules_endpoints(const ProxyRules *rules, const ProxyPort *port, ProxyScope scope)
{
    GPtrArray *found = g_ptr_array_new();
    HintUse use = scope == PROXY_CLUSTER ? hint_use(rules, port) : HINTS_NONE;
    for (int pass = 0; pass < 2 && found->len == 0; pass++) {
        for (size_t i = 0; i < port->n_endpoints; i++) {
            const ProxyEndpoint *endpoint = &port->endpoints[i];
            if (pass == 0 ? !endpoint->ready : !(endpoint->serving && endpoint->terminating))
                continue;
            if (scope == PROXY_LOCAL && !proxy_endpoint_is_local(rules, endpoint))
                continue;
            if ((pass == 0 && use == HINTS_ZONE &&
                 !hints_have(endpoint->zone_hints, rules->zone)) ||
                (pass == 0 && use == HINTS_NODE && !hints_have(endpoint->node_hints, rules->node)))
                continue;
            g_ptr_array_add(found, (void *)endpoint);
        }
    }
    return found;
}

size_t
proxy_rules_local_ready(const ProxyRules *rules, const ProxyPort *port)
{
    size_t n = 0;
    for (size_t i = 0; i < port->n_endpoints; i++)
        n += port->endpoints[i].ready && proxy_endpoint_is_local(rules, &port->endpoints[i]);
    return n;
}

/* ---- finding
 * -------------------------------------------------------------------------------------------- */

static char *
address_key(const char *ip, uint16_t port, ProxyProtocol protocol)
{
    return g_strdup_printf("%s %u %s", ip, (unsigned)port, proxy_protocol_name(protocol));
}

static void
add_target(GHashTable *targets, const char *ip, uint16_t number, const ProxyPort *port, int kind)
{
    char *key = address_key(ip, number, port->protocol);
    if (g_hash_table_contains(targets, key)) { /* the first by name wins, on every node alike */
        g_free(key);
        return;
    }
    ProxyTarget *target = g_new0(ProxyTarget, 1);
    target->port = port;
    target->kind = kind;
    g_hash_table_insert(targets, key, target);
}

static GHashTable *
targets_of(ProxyTable *table)
{
    if (table->by_address != NULL)
        return table->by_address;
    GHashTable *targets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (unsigned i = 0; i < table->ports->len; i++) {
        const ProxyPort *port = table->ports->pdata[i];
        add_target(targets, port->cluster_ip, port->port, port, TARGET_CLUSTER_IP);
        for (char **ip = port->external_ips; *ip != NULL; ip++)
            add_target(targets, *ip, port->port, port, TARGET_EXTERNAL_IP);
        for (char **ip = port->load_balancer_ips; *ip != NULL; ip++)
            add_target(targets, *ip, port->port, port, TARGET_LOAD_BALANCER);
        if (port->node_port != 0)
            add_target(targets, port->family == PROXY_IPV6 ? "node6" : "node4", port->node_port,
                       port, TARGET_NODE_PORT);
    }
    return table->by_address = targets;
}

static const ProxyTarget *
find_target(const ProxyRules *rules, const char *ip, uint16_t port, ProxyProtocol protocol)
{
    GHashTable *targets = targets_of(rules->table);
    g_autofree char *key = address_key(ip, port, protocol);
    const ProxyTarget *found = g_hash_table_lookup(targets, key);
    if (found != NULL || !g_strv_contains((const char *const *)rules->addresses, ip))
        return found;
    g_autofree char *node_key = address_key(ip_is_v6(ip) ? "node6" : "node4", port, protocol);
    return g_hash_table_lookup(targets, node_key);
}

const ProxyPort *
proxy_rules_find(const ProxyRules *rules, const char *ip, uint16_t port, ProxyProtocol protocol)
{
    const ProxyTarget *target = find_target(rules, ip, port, protocol);
    return target != NULL ? target->port : NULL;
}

/* ---- resolving
 * ------------------------------------------------------------------------------------------ */

static uint64_t
text_hash(uint64_t hash, const char *text) /* FNV-1a */
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

/* Rendezvous hashing: the source keeps its endpoint as long as that is there. */
static const ProxyEndpoint *
choose_by_source(const GPtrArray *endpoints, const char *source)
{
    const ProxyEndpoint *best = NULL;
    uint64_t best_weight = 0;
    for (unsigned i = 0; i < endpoints->len; i++) {
        const ProxyEndpoint *endpoint = endpoints->pdata[i];
        uint64_t weight =
            text_hash(text_hash(UINT64_C(14695981039346656037), source), endpoint->address);
        weight ^= weight >> 29;
        weight *= UINT64_C(0xbf58476d1ce4e5b9);
        weight ^= weight >> 32;
        if (best == NULL || weight > best_weight) {
            best = endpoint;
            best_weight = weight;
        }
    }
    return best;
}

/* A number below `count`: from the stream if there is one, else from the choice made beforehand. */
static unsigned
choose_index(unsigned count, Random *random, uint64_t choice)
{
    if (count < 2)
        return 0;
    return (unsigned)(random != NULL ? random_below(random, count) : choice % count);
}

static ProxyRoute
resolve(const ProxyRules *rules, const char *ip, uint16_t number, ProxyProtocol protocol,
        const char *source, Random *random, uint64_t choice)
{
    const ProxyTarget *target = find_target(rules, ip, number, protocol);
    if (target == NULL)
        return (ProxyRoute){.verdict = PROXY_PASS};
    const ProxyPort *port = target->port;
    ProxyRoute route = {.verdict = PROXY_DROP, .port = port};
    bool internal = target->kind == TARGET_CLUSTER_IP;
    bool from_node =
        source == NULL || g_strv_contains((const char *const *)rules->addresses, source);
    bool from_pod = !from_node && ip_in_any(source, rules->pod_cidrs);
    if (target->kind == TARGET_LOAD_BALANCER && port->source_ranges[0] != NULL && source != NULL &&
        !ip_in_any(source, port->source_ranges))
        return route;
    /* External addresses with policy Local: the node's own pods and processes take any endpoint all
     * the same. */
    bool local = internal ? port->internal_local : port->external_local && !from_node && !from_pod;
    g_autoptr(GPtrArray) cluster = proxy_rules_endpoints(rules, port, PROXY_CLUSTER);
    g_autoptr(GPtrArray) usable =
        local ? proxy_rules_endpoints(rules, port, PROXY_LOCAL) : g_ptr_array_ref(cluster);
    if (usable->len == 0) {
        route.verdict = local && cluster->len > 0 ? PROXY_DROP : PROXY_REJECT;
        return route;
    }
    route.verdict = PROXY_ENDPOINT;
    if (port->affinity_s > 0)
        route.endpoint = choose_by_source(usable, source != NULL ? source : "");
    else
        route.endpoint = usable->pdata[choose_index(usable->len, random, choice)];
    bool hairpin = source != NULL && strcmp(source, route.endpoint->ip) == 0;
    bool outside = rules->cluster_cidrs[0] != NULL && !ip_in_any(source, rules->cluster_cidrs);
    route.masquerade = hairpin || (internal ? outside : !port->external_local || from_node);
    return route;
}

ProxyRoute
proxy_rules_resolve(const ProxyRules *rules, const char *ip, uint16_t port, ProxyProtocol protocol,
                    const char *source, Random *random)
{
    return resolve(rules, ip, port, protocol, source, random, 0);
}

ProxyRoute
proxy_rules_resolve_by(const ProxyRules *rules, const char *ip, uint16_t port,
                       ProxyProtocol protocol, const char *source, uint64_t choice)
{
    return resolve(rules, ip, port, protocol, source, NULL, choice);
}
