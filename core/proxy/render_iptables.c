/* Rules as iptables-restore takes them, in the chains and the order of pkg/proxy/iptables. */
#include "core/proxy/rules_private.h"

#define MARK "0x4000"

typedef struct {
    const ProxyRules *rules;
    ProxyFamily family;
    const char *cidr; /* of local traffic; NULL: unknown */
    GString *filter_services, *filter_external, *filter_nodeports, *filter_firewall;
    GString *chains, *services, *nodeports, *bodies;
} Render;

static bool
is_of_family(const Render *render, const char *cidr)
{
    return (strchr(cidr, ':') != NULL) == (render->family == PROXY_IPV6);
}

static const char *
first_cidr(const Render *render, char **cidrs)
{
    for (; *cidrs != NULL; cidrs++)
        if (is_of_family(render, *cidrs))
            return *cidrs;
    return NULL;
}

static void
chain(Render *render, const char *prefix, const char *hash)
{
    g_string_append_printf(render->chains, ":%s%s - [0:0]\n", prefix, hash);
}

/* ---- endpoints
 * ------------------------------------------------------------------------------------------- */

static void
endpoint_chain(Render *render, const ProxyPort *port, const ProxyEndpoint *endpoint)
{
    const char *protocol = proxy_protocol_name(port->protocol);
    chain(render, endpoint->chain, "");
    g_string_append_printf(render->bodies,
                           "-A %s -m comment --comment %s -s %s -j KUBE-MARK-MASQ\n",
                           endpoint->chain, port->name, endpoint->ip);
    g_string_append_printf(render->bodies, "-A %s -m comment --comment %s", endpoint->chain,
                           port->name);
    if (port->affinity_s > 0)
        g_string_append_printf(render->bodies, " -m recent --name %s --set", endpoint->chain);
    g_string_append_printf(render->bodies, " -m %s -p %s -j DNAT --to-destination %s\n", protocol,
                           protocol, endpoint->address);
}

/* Jumps that share new connections evenly among the endpoints. */
static void
balance(Render *render, const ProxyPort *port, const char *prefix, const GPtrArray *endpoints)
{
    for (unsigned i = 0; port->affinity_s > 0 && i < endpoints->len; i++) {
        const ProxyEndpoint *endpoint = endpoints->pdata[i];
        g_string_append_printf(render->bodies,
                               "-A %s%s -m comment --comment \"%s -> %s\" -m recent --name %s "
                               "--rcheck --seconds %" G_GINT64_FORMAT " --reap -j %s\n",
                               prefix, port->hash, port->name, endpoint->address, endpoint->chain,
                               port->affinity_s, endpoint->chain);
    }
    for (unsigned i = 0; i < endpoints->len; i++) {
        const ProxyEndpoint *endpoint = endpoints->pdata[i];
        g_string_append_printf(render->bodies, "-A %s%s -m comment --comment \"%s -> %s\"", prefix,
                               port->hash, port->name, endpoint->address);
        if (i + 1 < endpoints->len)
            g_string_append_printf(render->bodies,
                                   " -m statistic --mode random --probability %.10f",
                                   1.0 / (double)(endpoints->len - i));
        g_string_append_printf(render->bodies, " -j %s\n", endpoint->chain);
    }
}

/* ---- services
 * --------------------------------------------------------------------------------------------- */

static void
capture(GString *out, const char *from, const ProxyPort *port, const char *what, const char *ip,
        const char *to)
{
    const char *protocol = proxy_protocol_name(port->protocol);
    g_string_append_printf(
        out, "-A %s -m comment --comment \"%s %s\" -m %s -p %s -d %s --dport %u %s\n", from,
        port->name, what, protocol, protocol, ip, (unsigned)port->port, to);
}

static void
refuse_external(Render *render, const ProxyPort *port, const char *why, const char *verdict)
{
    const char *protocol = proxy_protocol_name(port->protocol);
    for (char **ip = port->external_ips; *ip != NULL; ip++)
        capture(render->filter_external, "KUBE-EXTERNAL-SERVICES", port, why, *ip, verdict);
    for (char **ip = port->load_balancer_ips; *ip != NULL; ip++)
        capture(render->filter_external, "KUBE-EXTERNAL-SERVICES", port, why, *ip, verdict);
    if (port->node_port != 0)
        g_string_append_printf(
            render->filter_external,
            "-A KUBE-EXTERNAL-SERVICES -m comment --comment \"%s %s\" -m addrtype "
            "--dst-type LOCAL -m %s -p %s --dport %u %s\n",
            port->name, why, protocol, protocol, (unsigned)port->node_port, verdict);
}

static void
external_chain(Render *render, const ProxyPort *port, const char *cluster, const char *local)
{
    GString *out = render->bodies;
    chain(render, "KUBE-EXT-", port->hash);
    g_autofree char *from = g_strconcat("-A KUBE-EXT-", port->hash, NULL);
    if (!port->external_local) {
        g_string_append_printf(out,
                               "%s -m comment --comment \"masquerade traffic for %s external "
                               "destinations\" -j KUBE-MARK-MASQ\n%s -j %s\n",
                               from, port->name, from, cluster);
        return;
    }
    if (render->cidr != NULL)
        g_string_append_printf(
            out,
            "%s -m comment --comment \"pod traffic for %s external destinations\" "
            "-s %s -j %s\n",
            from, port->name, render->cidr, cluster);
    g_string_append_printf(out,
                           "%s -m comment --comment \"masquerade LOCAL traffic for %s external "
                           "destinations\" -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ\n"
                           "%s -m comment --comment \"route LOCAL traffic for %s external "
                           "destinations\" -m addrtype --src-type LOCAL -j %s\n",
                           from, port->name, from, port->name, cluster);
    if (local != NULL)
        g_string_append_printf(out, "%s -j %s\n", from, local);
}

static void
firewall_chain(Render *render, const ProxyPort *port)
{
    g_autofree char *name = g_strconcat("KUBE-FW-", port->hash, NULL);
    chain(render, name, "");
    for (char **range = port->source_ranges; *range != NULL; range++)
        g_string_append_printf(
            render->bodies,
            "-A %s -m comment --comment \"%s loadbalancer IP\" -s %s -j KUBE-EXT-%s\n", name,
            port->name, *range, port->hash);
    g_string_append_printf(render->bodies,
                           "-A %s -m comment --comment \"other traffic to %s will be dropped by "
                           "KUBE-PROXY-FIREWALL\"\n",
                           name, port->name);
    g_autofree char *what = g_strdup_printf("traffic not accepted by %s", name);
    for (char **ip = port->load_balancer_ips; *ip != NULL; ip++)
        capture(render->filter_firewall, "KUBE-PROXY-FIREWALL", port, what, *ip, "-j DROP");
}

/* A chain with the rule that masquerades what comes from outside the cluster, and its endpoints. */
static void
policy_chain(Render *render, const ProxyPort *port, const char *prefix, const GPtrArray *endpoints)
{
    const char *protocol = proxy_protocol_name(port->protocol);
    chain(render, prefix, port->hash);
    if (render->cidr != NULL)
        g_string_append_printf(
            render->bodies,
            "-A %s%s -m comment --comment \"%s cluster IP\" -m %s -p %s -d %s --dport %u "
            "! -s %s -j KUBE-MARK-MASQ\n",
            prefix, port->hash, port->name, protocol, protocol, port->cluster_ip,
            (unsigned)port->port, render->cidr);
    balance(render, port, prefix, endpoints);
}

static void
external_captures(Render *render, const ProxyPort *port)
{
    const char *protocol = proxy_protocol_name(port->protocol);
    g_autofree char *external = g_strconcat("-j KUBE-EXT-", port->hash, NULL);
    g_autofree char *firewall = g_strconcat("-j KUBE-FW-", port->hash, NULL);
    bool guarded = port->source_ranges[0] != NULL && port->load_balancer_ips[0] != NULL;
    for (char **ip = port->external_ips; *ip != NULL; ip++)
        capture(render->services, "KUBE-SERVICES", port, "external IP", *ip, external);
    for (char **ip = port->load_balancer_ips; *ip != NULL; ip++)
        capture(render->services, "KUBE-SERVICES", port, "loadbalancer IP", *ip,
                guarded ? firewall : external);
    if (port->node_port != 0)
        g_string_append_printf(
            render->nodeports,
            "-A KUBE-NODEPORTS -m comment --comment %s -m %s -p %s --dport %u %s\n", port->name,
            protocol, protocol, (unsigned)port->node_port, external);
    if (guarded)
        firewall_chain(render, port);
}

static void
service_port(Render *render, const ProxyPort *port)
{
    g_autoptr(GPtrArray) cluster = proxy_rules_endpoints(render->rules, port, PROXY_CLUSTER);
    g_autoptr(GPtrArray) local = proxy_rules_endpoints(render->rules, port, PROXY_LOCAL);
    bool external = proxy_port_is_external(port);
    bool needs_local = port->internal_local || (external && port->external_local);
    if (port->health_check_node_port != 0)
        g_string_append_printf(
            render->filter_nodeports,
            "-A KUBE-NODEPORTS -m comment --comment \"%s health check node port\" -m tcp "
            "-p tcp --dport %u -j ACCEPT\n",
            port->name, (unsigned)port->health_check_node_port);
    if (cluster->len == 0 && (!needs_local || local->len == 0)) {
        capture(render->filter_services, "KUBE-SERVICES", port, "has no endpoints",
                port->cluster_ip, "-j REJECT");
        refuse_external(render, port, "has no endpoints", "-j REJECT");
        return;
    }
    g_autofree char *svc = g_strconcat("KUBE-SVC-", port->hash, NULL);
    g_autofree char *svl = g_strconcat("KUBE-SVL-", port->hash, NULL);
    g_autofree char *internal = g_strconcat("-j ", port->internal_local ? svl : svc, NULL);
    if (port->internal_local && local->len == 0)
        capture(render->filter_services, "KUBE-SERVICES", port, "has no local endpoints",
                port->cluster_ip, "-j DROP");
    else
        capture(render->services, "KUBE-SERVICES", port, "cluster IP", port->cluster_ip, internal);
    if (external && port->external_local && local->len == 0)
        refuse_external(render, port, "has no local endpoints", "-j DROP");
    if (external) {
        external_captures(render, port);
        external_chain(render, port, svc, local->len > 0 ? svl : NULL);
    }
    if (!port->internal_local || external)
        policy_chain(render, port, "KUBE-SVC-", cluster);
    if (needs_local && local->len > 0)
        policy_chain(render, port, "KUBE-SVL-", local);
    for (size_t i = 0; i < port->n_endpoints; i++) {
        const ProxyEndpoint *endpoint = &port->endpoints[i];
        if (g_ptr_array_find(cluster, endpoint, NULL) ||
            (needs_local && g_ptr_array_find(local, endpoint, NULL)))
            endpoint_chain(render, port, endpoint);
    }
}

/* ---- the whole
 * ---------------------------------------------------------------------------------------------- */

static void
filter_table(GString *out, const Render *render)
{
    g_string_append(out, "*filter\n"
                         ":KUBE-NODEPORTS - [0:0]\n:KUBE-SERVICES - [0:0]\n"
                         ":KUBE-EXTERNAL-SERVICES - [0:0]\n:KUBE-FIREWALL - [0:0]\n"
                         ":KUBE-FORWARD - [0:0]\n:KUBE-PROXY-FIREWALL - [0:0]\n");
    g_string_append(out, render->filter_nodeports->str);
    g_string_append(out, render->filter_services->str);
    g_string_append(out, render->filter_external->str);
    if (render->family == PROXY_IPV4)
        g_string_append(
            out, "-A KUBE-FIREWALL -m comment --comment \"block incoming localnet connections\" "
                 "-d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate "
                 "RELATED,ESTABLISHED,DNAT -j DROP\n");
    g_string_append(
        out, "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n"
             "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" -m mark "
             "--mark " MARK "/" MARK " -j ACCEPT\n"
             "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack rule\" -m "
             "conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n");
    g_string_append(out, render->filter_firewall->str);
    g_string_append(out, "COMMIT\n");
}

static void
nat_table(GString *out, const Render *render)
{
    g_string_append(out, "*nat\n:KUBE-NODEPORTS - [0:0]\n:KUBE-SERVICES - [0:0]\n");
    g_string_append(out, render->chains->str);
    g_string_append(
        out, ":KUBE-MARK-MASQ - [0:0]\n:KUBE-POSTROUTING - [0:0]\n"
             "-A KUBE-POSTROUTING -m mark ! --mark " MARK "/" MARK " -j RETURN\n"
             "-A KUBE-POSTROUTING -j MARK --xor-mark " MARK "\n"
             "-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring "
             "SNAT\" -j MASQUERADE --random-fully\n"
             "-A KUBE-MARK-MASQ -j MARK --or-mark " MARK "\n");
    g_string_append(out, render->nodeports->str);
    g_string_append(out, render->services->str);
    g_string_append(
        out, "-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this "
             "must be the last rule in this chain\" -m addrtype --dst-type LOCAL -j "
             "KUBE-NODEPORTS\n");
    g_string_append(out, render->bodies->str);
    g_string_append(out, "COMMIT\n");
}

char *
proxy_rules_iptables(const ProxyRules *rules, ProxyFamily family)
{
    Render render = {.rules = rules, .family = family};
    GString **parts[] = {&render.filter_services, &render.filter_external, &render.filter_nodeports,
                         &render.filter_firewall, &render.chains,          &render.services,
                         &render.nodeports,       &render.bodies};
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        *parts[i] = g_string_new(NULL);
    render.cidr = first_cidr(&render, rules->cluster_cidrs);
    for (unsigned i = 0; i < rules->table->ports->len; i++) {
        const ProxyPort *port = rules->table->ports->pdata[i];
        if (port->family == family)
            service_port(&render, port);
    }
    GString *out = g_string_new(NULL);
    filter_table(out, &render);
    nat_table(out, &render);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        g_string_free(*parts[i], TRUE);
    return g_string_free(out, FALSE);
}

char *
proxy_rules_iptables_jumps(void)
{
    static const char *const jumps[][4] = {
        /* table, chain, condition, target and its comment */
        {"filter", "INPUT", "-m conntrack --ctstate NEW", "KUBE-EXTERNAL-SERVICES"},
        {"filter", "FORWARD", "-m conntrack --ctstate NEW", "KUBE-EXTERNAL-SERVICES"},
        {"filter", "INPUT", "", "KUBE-NODEPORTS"},
        {"filter", "FORWARD", "-m conntrack --ctstate NEW", "KUBE-SERVICES"},
        {"filter", "OUTPUT", "-m conntrack --ctstate NEW", "KUBE-SERVICES"},
        {"filter", "FORWARD", "", "KUBE-FORWARD"},
        {"filter", "INPUT", "-m conntrack --ctstate NEW", "KUBE-PROXY-FIREWALL"},
        {"filter", "OUTPUT", "-m conntrack --ctstate NEW", "KUBE-PROXY-FIREWALL"},
        {"filter", "FORWARD", "-m conntrack --ctstate NEW", "KUBE-PROXY-FIREWALL"},
        {"nat", "OUTPUT", "", "KUBE-SERVICES"},
        {"nat", "PREROUTING", "", "KUBE-SERVICES"},
        {"nat", "POSTROUTING", "", "KUBE-POSTROUTING"},
    };
    GString *out = g_string_new("*filter\n");
    for (size_t i = 0; i < G_N_ELEMENTS(jumps); i++) {
        if (i > 0 && g_strcmp0(jumps[i][0], jumps[i - 1][0]) != 0)
            g_string_append(out, "COMMIT\n*nat\n");
        g_string_append_printf(out, "-I %s %s%s-m comment --comment \"kubernetes %s\" -j %s\n",
                               jumps[i][1], jumps[i][2], jumps[i][2][0] != '\0' ? " " : "",
                               jumps[i][0][0] == 'n' ? "service portals" : "service rules",
                               jumps[i][3]);
    }
    g_string_append(out, "COMMIT\n");
    return g_string_free(out, FALSE);
}
