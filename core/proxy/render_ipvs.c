/* Rules as `ipvsadm -R` takes them (and `ipvsadm -S -n` prints them). */
#include "core/proxy/rules_private.h"

static const char *
protocol_option(ProxyProtocol protocol)
{
    static const char *const options[] = {"-t", "-u", "--sctp-service"};
    return options[protocol];
}

static void
virtual_server(GString *out, const ProxyPort *port, const char *ip, uint16_t number,
               const GPtrArray *endpoints)
{
    g_autofree char *service =
        g_strdup_printf(port->family == PROXY_IPV6 ? "%s [%s]:%u" : "%s %s:%u",
                        protocol_option(port->protocol), ip, (unsigned)number);
    g_string_append_printf(out, "-A %s -s rr", service);
    if (port->affinity_s > 0)
        g_string_append_printf(out, " -p %" G_GINT64_FORMAT, port->affinity_s);
    g_string_append_c(out, '\n');
    for (unsigned i = 0; i < endpoints->len; i++)
        g_string_append_printf(out, "-a %s -r %s -m -w 1\n", service,
                               ((const ProxyEndpoint *)endpoints->pdata[i])->address);
}

static void
service_port(GString *out, const ProxyRules *rules, const ProxyPort *port)
{
    g_autoptr(GPtrArray) internal =
        proxy_rules_endpoints(rules, port, port->internal_local ? PROXY_LOCAL : PROXY_CLUSTER);
    g_autoptr(GPtrArray) external =
        proxy_rules_endpoints(rules, port, port->external_local ? PROXY_LOCAL : PROXY_CLUSTER);
    virtual_server(out, port, port->cluster_ip, port->port, internal);
    for (char **ip = port->external_ips; *ip != NULL; ip++)
        virtual_server(out, port, *ip, port->port, external);
    for (char **ip = port->load_balancer_ips; *ip != NULL; ip++)
        virtual_server(out, port, *ip, port->port, external);
    for (char **ip = rules->addresses; port->node_port != 0 && *ip != NULL; ip++)
        if ((strchr(*ip, ':') != NULL) == (port->family == PROXY_IPV6))
            virtual_server(out, port, *ip, port->node_port, external);
}

char *
proxy_rules_ipvs(const ProxyRules *rules, ProxyFamily family)
{
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; i < rules->table->ports->len; i++) {
        const ProxyPort *port = rules->table->ports->pdata[i];
        if (port->family == family)
            service_port(out, rules, port);
    }
    return g_string_free(out, FALSE);
}
