/* Rules as `nft -f` takes them: the table, chains, sets and verdict maps of pkg/proxy/nftables. The
 * table is made anew in one transaction, so no chain or element of the old rules stays. */
#include "core/proxy/rules_private.h"

typedef struct {
    const ProxyRules *rules;
    ProxyFamily family;
    const char *ip;   /* "ip" or "ip6" */
    const char *cidr; /* of local traffic; NULL: unknown */
    GString *chains, *rules_text, *elements;
} Render;

static void line(GString *out, const Render *render, const char *verb, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void
line(GString *out, const Render *render, const char *verb, const char *format, ...)
{
    va_list args;
    g_string_append_printf(out, "add %s %s kube-proxy ", verb, render->ip);
    va_start(args, format);
    g_string_append_vprintf(out, format, args);
    va_end(args);
    g_string_append_c(out, '\n');
}

/* ---- what is always there
 * --------------------------------------------------------------------------------- */

static void
base(GString *out, const Render *render)
{
    static const char *const chains[] = {
        "filter-prerouting-pre-dnat { type filter hook prerouting priority -110 ; }",
        "filter-output-pre-dnat { type filter hook output priority -110 ; }",
        "filter-input { type filter hook input priority 0 ; }",
        "filter-forward { type filter hook forward priority 0 ; }",
        "filter-output { type filter hook output priority 0 ; }",
        "nat-prerouting { type nat hook prerouting priority -100 ; }",
        "nat-output { type nat hook output priority -100 ; }",
        "nat-postrouting { type nat hook postrouting priority 100 ; }",
        "cluster-ips-check",
        "firewall-check",
        "mark-for-masquerade",
        "masquerading",
        "nodeport-endpoints-check",
        "reject-chain",
        "service-endpoints-check",
        "services"};
    const char *type = render->family == PROXY_IPV6 ? "ipv6_addr" : "ipv4_addr";
    g_string_append_printf(out, "add table %s kube-proxy\ndelete table %s kube-proxy\n", render->ip,
                           render->ip);
    g_string_append_printf(out, "add table %s kube-proxy { comment \"rules for kube-proxy\" ; }\n",
                           render->ip);
    for (size_t i = 0; i < G_N_ELEMENTS(chains); i++)
        line(out, render, "chain", "%s", chains[i]);
    line(out, render, "set", "cluster-ips { type %s ; comment \"Active ClusterIPs\" ; }", type);
    line(out, render, "set",
         "nodeport-ips { type %s ; comment \"IPs that accept NodePort traffic\" ; }", type);
    static const char *const address_maps[][2] = {
        {"firewall-ips", "destinations that are subject to LoadBalancerSourceRanges"},
        {"no-endpoint-services", "vmap to drop or reject packets to services with no endpoints"},
        {"service-ips", "ClusterIP, ExternalIP and LoadBalancer IP traffic"}};
    for (size_t i = 0; i < G_N_ELEMENTS(address_maps); i++)
        line(out, render, "map",
             "%s { type %s . inet_proto . inet_service : verdict ; comment \"%s\" ; }",
             address_maps[i][0], type, address_maps[i][1]);
    static const char *const port_maps[][2] = {
        {"no-endpoint-nodeports",
         "vmap to drop or reject packets to service nodeports with no endpoints"},
        {"service-nodeports", "NodePort traffic"}};
    for (size_t i = 0; i < G_N_ELEMENTS(port_maps); i++)
        line(out, render, "map",
             "%s { type inet_proto . inet_service : verdict ; comment \"%s\" ; }", port_maps[i][0],
             port_maps[i][1]);
}

static void
base_rules(GString *out, const Render *render)
{
    static const char *const fixed[] = {
        "filter-prerouting-pre-dnat ct state new jump firewall-check",
        "filter-forward ct state new jump service-endpoints-check",
        "filter-forward ct state new jump cluster-ips-check",
        "filter-input ct state new jump nodeport-endpoints-check",
        "filter-input ct state new jump service-endpoints-check",
        "filter-output ct state new jump service-endpoints-check",
        "filter-output-pre-dnat ct state new jump firewall-check",
        "filter-output ct state new jump cluster-ips-check",
        "mark-for-masquerade mark set mark or 0x4000",
        "masquerading mark and 0x4000 == 0 return",
        "masquerading mark set mark xor 0x4000",
        "masquerading masquerade fully-random",
        "nat-output jump services",
        "nat-postrouting jump masquerading",
        "nat-prerouting jump services",
        "reject-chain reject"};
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
        line(out, render, "rule", "%s", fixed[i]);
    const char *ip = render->ip;
    line(out, render, "rule",
         "cluster-ips-check %s daddr @cluster-ips reject comment \"Reject traffic to "
         "invalid ports of ClusterIPs\"",
         ip);
    line(out, render, "rule",
         "firewall-check %s daddr . meta l4proto . th dport vmap @firewall-ips", ip);
    line(out, render, "rule",
         "nodeport-endpoints-check %s daddr @nodeport-ips meta l4proto . th dport vmap "
         "@no-endpoint-nodeports",
         ip);
    line(out, render, "rule",
         "service-endpoints-check %s daddr . meta l4proto . th dport vmap @no-endpoint-services",
         ip);
    line(out, render, "rule", "services %s daddr . meta l4proto . th dport vmap @service-ips", ip);
    line(out, render, "rule",
         "services %s daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports", ip);
}

/* ---- services
 * --------------------------------------------------------------------------------------------- */

static void
address_element(Render *render, const char *map, const ProxyPort *port, const char *ip,
                const char *verdict)
{
    line(render->elements, render, "element", "%s { %s . %s . %u : %s }", map, ip,
         proxy_protocol_name(port->protocol), (unsigned)port->port, verdict);
}

static void
no_endpoints(Render *render, const ProxyPort *port, const char *ip, const char *verdict)
{
    line(render->elements, render, "element",
         "no-endpoint-services { %s . %s . %u comment \"%s\" : %s }", ip,
         proxy_protocol_name(port->protocol), (unsigned)port->port, port->name, verdict);
}

static void
no_external_endpoints(Render *render, const ProxyPort *port, const char *verdict)
{
    for (char **ip = port->external_ips; *ip != NULL; ip++)
        no_endpoints(render, port, *ip, verdict);
    for (char **ip = port->load_balancer_ips; *ip != NULL; ip++)
        no_endpoints(render, port, *ip, verdict);
    if (port->node_port != 0)
        line(render->elements, render, "element",
             "no-endpoint-nodeports { %s . %u comment \"%s\" : %s }",
             proxy_protocol_name(port->protocol), (unsigned)port->node_port, port->name, verdict);
}

static void
endpoint_chain(Render *render, const ProxyPort *port, const ProxyEndpoint *endpoint)
{
    const char *type = render->family == PROXY_IPV6 ? "ipv6_addr" : "ipv4_addr";
    const char *name = endpoint->nft_name;
    if (port->affinity_s > 0)
        line(render->chains, render, "set",
             "affinity-%s { type %s ; flags dynamic,timeout ; timeout %" G_GINT64_FORMAT "s ; }",
             name, type, port->affinity_s);
    line(render->chains, render, "chain", "endpoint-%s", name);
    line(render->rules_text, render, "rule", "endpoint-%s %s saddr %s jump mark-for-masquerade",
         name, render->ip, endpoint->ip);
    if (port->affinity_s > 0)
        line(render->rules_text, render, "rule", "endpoint-%s update @affinity-%s { %s saddr }",
             name, name, render->ip);
    line(render->rules_text, render, "rule", "endpoint-%s meta l4proto %s dnat to %s", name,
         proxy_protocol_name(port->protocol), endpoint->address);
}

static void
policy_chain(Render *render, const ProxyPort *port, const char *kind, const GPtrArray *endpoints)
{
    line(render->chains, render, "chain", "%s-%s", kind, port->nft_name);
    if (render->cidr != NULL)
        line(render->rules_text, render, "rule",
             "%s-%s %s daddr %s %s saddr != %s jump mark-for-masquerade", kind, port->nft_name,
             render->ip, port->cluster_ip, render->ip, render->cidr);
    for (unsigned i = 0; port->affinity_s > 0 && i < endpoints->len; i++) {
        const char *name = ((const ProxyEndpoint *)endpoints->pdata[i])->nft_name;
        line(render->rules_text, render, "rule", "%s-%s %s saddr @affinity-%s goto endpoint-%s",
             kind, port->nft_name, render->ip, name, name);
    }
    if (endpoints->len == 0)
        return;
    g_autoptr(GString) choices = g_string_new(NULL);
    for (unsigned i = 0; i < endpoints->len; i++)
        g_string_append_printf(choices, "%s%u : goto endpoint-%s", i > 0 ? " , " : "", i,
                               ((const ProxyEndpoint *)endpoints->pdata[i])->nft_name);
    line(render->rules_text, render, "rule", "%s-%s numgen random mod %u vmap { %s }", kind,
         port->nft_name, endpoints->len, choices->str);
}

static void
external_chain(Render *render, const ProxyPort *port, bool has_local)
{
    const char *name = port->nft_name;
    GString *out = render->rules_text;
    line(render->chains, render, "chain", "external-%s", name);
    if (!port->external_local) {
        line(out, render, "rule", "external-%s jump mark-for-masquerade", name);
        line(out, render, "rule", "external-%s goto service-%s", name, name);
        return;
    }
    if (render->cidr != NULL)
        line(out, render, "rule",
             "external-%s %s saddr %s goto service-%s comment \"short-circuit pod traffic\"", name,
             render->ip, render->cidr, name);
    line(out, render, "rule",
         "external-%s fib saddr type local jump mark-for-masquerade comment \"masquerade local "
         "traffic\"",
         name);
    line(out, render, "rule",
         "external-%s fib saddr type local goto service-%s comment \"short-circuit local traffic\"",
         name, name);
    if (has_local)
        line(out, render, "rule", "external-%s goto service-local-%s", name, name);
}

static void
external_elements(Render *render, const ProxyPort *port)
{
    g_autofree char *to = g_strconcat("goto external-", port->nft_name, NULL);
    for (char **ip = port->external_ips; *ip != NULL; ip++)
        address_element(render, "service-ips", port, *ip, to);
    for (char **ip = port->load_balancer_ips; *ip != NULL; ip++)
        address_element(render, "service-ips", port, *ip, to);
    if (port->node_port != 0)
        line(render->elements, render, "element", "service-nodeports { %s . %u : %s }",
             proxy_protocol_name(port->protocol), (unsigned)port->node_port, to);
    if (port->source_ranges[0] == NULL || port->load_balancer_ips[0] == NULL)
        return;
    g_autofree char *ranges = g_strjoinv(", ", port->source_ranges);
    g_autofree char *firewall = g_strconcat("goto firewall-", port->nft_name, NULL);
    line(render->chains, render, "chain", "firewall-%s", port->nft_name);
    line(render->rules_text, render, "rule", "firewall-%s %s saddr != { %s } drop", port->nft_name,
         render->ip, ranges);
    for (char **ip = port->load_balancer_ips; *ip != NULL; ip++)
        address_element(render, "firewall-ips", port, *ip, firewall);
}

static void
service_port(Render *render, const ProxyPort *port)
{
    g_autoptr(GPtrArray) cluster = proxy_rules_endpoints(render->rules, port, PROXY_CLUSTER);
    g_autoptr(GPtrArray) local = proxy_rules_endpoints(render->rules, port, PROXY_LOCAL);
    bool external = proxy_port_is_external(port);
    bool needs_local = port->internal_local || (external && port->external_local);
    line(render->elements, render, "element", "cluster-ips { %s }", port->cluster_ip);
    if (cluster->len == 0 && (!needs_local || local->len == 0)) {
        no_endpoints(render, port, port->cluster_ip, "goto reject-chain");
        no_external_endpoints(render, port, "goto reject-chain");
        return;
    }
    if (port->internal_local && local->len == 0) {
        no_endpoints(render, port, port->cluster_ip, "drop");
    } else {
        g_autofree char *to = g_strconcat(
            port->internal_local ? "goto service-local-" : "goto service-", port->nft_name, NULL);
        address_element(render, "service-ips", port, port->cluster_ip, to);
    }
    if (external && port->external_local && local->len == 0)
        no_external_endpoints(render, port, "drop");
    for (size_t i = 0; i < port->n_endpoints; i++) {
        const ProxyEndpoint *endpoint = &port->endpoints[i];
        if (g_ptr_array_find(cluster, endpoint, NULL) ||
            (needs_local && g_ptr_array_find(local, endpoint, NULL)))
            endpoint_chain(render, port, endpoint);
    }
    if (!port->internal_local || external)
        policy_chain(render, port, "service", cluster);
    if (needs_local && local->len > 0)
        policy_chain(render, port, "service-local", local);
    if (external) {
        external_chain(render, port, local->len > 0);
        external_elements(render, port);
    }
}

char *
proxy_rules_nftables(const ProxyRules *rules, ProxyFamily family)
{
    bool is_v6 = family == PROXY_IPV6;
    Render render = {.rules = rules, .family = family, .ip = is_v6 ? "ip6" : "ip"};
    for (char **cidr = rules->cluster_cidrs; *cidr != NULL && render.cidr == NULL; cidr++)
        if ((strchr(*cidr, ':') != NULL) == is_v6)
            render.cidr = *cidr;
    render.chains = g_string_new(NULL);
    render.rules_text = g_string_new(NULL);
    render.elements = g_string_new(NULL);
    for (char **address = rules->addresses; *address != NULL; address++)
        if ((strchr(*address, ':') != NULL) == is_v6)
            line(render.elements, &render, "element", "nodeport-ips { %s }", *address);
    for (unsigned i = 0; i < rules->table->ports->len; i++) {
        const ProxyPort *port = rules->table->ports->pdata[i];
        if (port->family == family)
            service_port(&render, port);
    }
    GString *out = g_string_new(NULL);
    base(out, &render);
    g_string_append(out, render.chains->str);
    base_rules(out, &render);
    g_string_append(out, render.rules_text->str);
    g_string_append(out, render.elements->str);
    g_string_free(render.chains, TRUE);
    g_string_free(render.rules_text, TRUE);
    g_string_free(render.elements, TRUE);
    return g_string_free(out, FALSE);
}
