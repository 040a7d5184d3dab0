/* Services and what stands behind them, ingresses and network policies. */
#include "core/api/validation_private.h"

#include "core/object/label.h"

#define AFFINITY_SECONDS_MAX 86400
#define KUBELET_PORT 10250
#define SLICE_ENDPOINTS_MAX 1000
#define SLICE_PORTS_MAX 20000
#define ENDPOINT_ADDRESSES_MAX 100

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

/* ---- Service ---- */

static void
check_service_port(const Path *at, const Value *ports, size_t i, bool headless)
{
    const Value *port = value_item(ports, i), *name = value_get(port, "name"), *target = value_get(port, "targetPort");

    if (is_empty(name)) {
        if (value_size(ports) > 1)
            bad_required(AT(at, "name"), "");
    } else {
        check_dns_label(AT(at, "name"), name);
        for (size_t k = 0; k < i; k++)
            if (value_equal(value_get(value_item(ports, k), "name"), name)) {
                bad_duplicate(AT(at, "name"), name);
                break;
            }
    }
    check_port(AT(at, "port"), value_get(port, "port"));
    check_enum(AT(at, "protocol"), value_get(port, "protocol"), protocols, REQUIRED);
    if (target != NULL && !(headless && value_int(target) == 0 && !value_is_string(target)))
        check_port_number_or_name(AT(at, "targetPort"), target);
    if (!is_empty(value_get(port, "appProtocol")))
        check_qualified(AT(at, "appProtocol"), value_get(port, "appProtocol"));
}

/* Two ports must differ in number or protocol, and so must their node ports. */
static void
check_service_ports_differ(const Path *at, const Value *ports, const char *number)
{
    for (size_t i = 0; i < value_size(ports); i++) {
        const Value *port = value_item(ports, i), *mine = value_get(port, number);

        for (size_t k = 0; k < i && value_int(mine) != 0; k++) {
            const Value *other = value_item(ports, k);

            if (!value_equal(value_get(other, number), mine) ||
                !value_equal(value_get(other, "protocol"), value_get(port, "protocol")))
                continue;
            if (strcmp(number, "nodePort") == 0) {
                bad_duplicate(AT(NTH(at, i), number), mine);
            } else {
                g_autoptr(Value) key = value_new_f("{port: %v, protocol: %v}", mine, value_get(port, "protocol"));

                bad_duplicate(NTH(at, i), key);
            }
            break;
        }
    }
}

static void
check_affinity_config(const Path *at, const Value *spec)
{
    const Value *affinity = value_get(spec, "sessionAffinity"), *config = value_get(spec, "sessionAffinityConfig");
    const Value *seconds = value_at(config, "clientIP.timeoutSeconds");
    const Path *here = AT(at, "sessionAffinityConfig");

    check_enum(AT(at, "sessionAffinity"), affinity, TEXTS("ClientIP", "None"), REQUIRED);
    if (text_is(affinity, "ClientIP")) {
        if (seconds == NULL)
            bad_required(here, "when session affinity type is ClientIP");
        else if (value_int(seconds) <= 0 || value_int(seconds) > AFFINITY_SECONDS_MAX)
            bad_invalid(AT(AT(here, "clientIP"), "timeoutSeconds"), seconds, "must be greater than 0 and less than 86400");
    } else if (text_is(affinity, "None") && !value_is_null(config)) {
        bad_forbidden(here, "must not be set when session affinity is None");
    }
}

static void
check_families(const Path *at, const Value *spec)
{
    const Value *families = value_get(spec, "ipFamilies");

    for (size_t i = 0; i < value_size(families); i++) {
        const Path *here = NTH(AT(at, "ipFamilies"), i);

        check_enum(here, value_item(families, i), TEXTS("IPv4", "IPv6"), REQUIRED);
        if (i > 0 && value_equal(value_item(families, i - 1), value_item(families, i)))
            bad_duplicate(here, value_item(families, i));
    }
    check_enum(AT(at, "ipFamilyPolicy"), value_get(spec, "ipFamilyPolicy"),
               TEXTS("PreferDualStack", "RequireDualStack", "SingleStack"), OPTIONAL);
}

static void
check_cluster_ips(const Path *at, const Value *spec)
{
    const Value *ip = value_get(spec, "clusterIP"), *ips = value_get(spec, "clusterIPs");
    const Path *here = AT(at, "clusterIPs");

    if (value_size(ips) == 0) {
        if (!is_empty(ip) && !text_is(ip, "None"))
            check_ip(NTH(here, 0), ip);
        return;
    }
    if (is_empty(ip))
        bad_invalid(here, ips, "must be empty when `clusterIP` is not specified");
    else if (!value_equal(value_item(ips, 0), ip))
        bad_invalid(here, ips, "first value must match `clusterIP`");
    for (size_t i = 0; i < value_size(ips); i++) {
        const Value *one = value_item(ips, i);

        if (!text_is(one, "None"))
            check_ip(NTH(here, i), one);
        else if (value_size(ips) > 1)
            bad_invalid(here, ips, "'None' must be the first and only value");
    }
    if (value_size(ips) > 2)
        bad_invalid(here, ips, "may only hold up to 2 values");
    if (value_size(ips) == 2 && ip_family(value_text(value_item(ips, 0))) == ip_family(value_text(value_item(ips, 1))))
        bad_invalid(here, ips, "may specify no more than one IP for each IP family");
}

static void
check_by_type(const Path *at, const Value *spec)
{
    static const char *const not_for_name[] = {"clusterIPs", "ipFamilies", "ipFamilyPolicy"};
    const char *type = value_text(value_get(spec, "type"));
    const Value *name = value_get(spec, "externalName"), *ports = value_get(spec, "ports");
    bool headless = text_is(value_get(spec, "clusterIP"), "None");
    size_t i = 0;

    if (value_size(ports) == 0 && !headless && strcmp(type, "ExternalName") != 0)
        bad_required(AT(at, "ports"), "");
    if (strcmp(type, "LoadBalancer") == 0) {
        VALUE_ARRAY_FOREACH (port, ports) {
            if (value_int(value_get(port, "port")) == KUBELET_PORT)
                bad_invalid(AT(NTH(AT(at, "ports"), i), "port"), value_get(port, "port"),
                            "may not expose port 10250 externally since it is used by kubelet");
            i++;
        }
    }
    if (headless && text_in(type, TEXTS("LoadBalancer", "NodePort"))) {
        g_autofree char *detail = g_strdup_printf("may not be set to 'None' for %s services", type);

        bad_invalid(NTH(AT(at, "clusterIPs"), 0), value_get(spec, "clusterIP"), detail);
    }
    if (strcmp(type, "ExternalName") != 0)
        return;
    for (i = 0; i < G_N_ELEMENTS(not_for_name); i++)
        if (value_size(value_get(spec, not_for_name[i])) > 0 || value_is_string(value_get(spec, not_for_name[i])))
            bad_forbidden(AT(at, not_for_name[i]), "may not be set for ExternalName services");
    if (is_empty(name))
        bad_required(AT(at, "externalName"), "");
    else
        check_dns_subdomain(AT(at, "externalName"), name);
}

static void
check_traffic(const Path *at, const Value *spec)
{
    const char *type = value_text(value_get(spec, "type"));
    const Value *external = value_get(spec, "externalTrafficPolicy"), *check = value_get(spec, "healthCheckNodePort");
    const Value *ranges = value_get(spec, "loadBalancerSourceRanges");
    bool is_external = text_in(type, TEXTS("NodePort", "LoadBalancer")) || value_size(value_get(spec, "externalIPs")) > 0;
    size_t i = 0;

    if (!is_empty(external) && !is_external)
        bad_invalid(AT(at, "externalTrafficPolicy"), external, "may only be set for externally-accessible services");
    else
        check_enum(AT(at, "externalTrafficPolicy"), external, TEXTS("Cluster", "Local"),
                   text_in(type, TEXTS("NodePort", "LoadBalancer")) ? REQUIRED : OPTIONAL);
    check_enum(AT(at, "internalTrafficPolicy"), value_get(spec, "internalTrafficPolicy"), TEXTS("Cluster", "Local"),
               strcmp(type, "ExternalName") == 0 ? OPTIONAL : REQUIRED);
    check_not_negative(AT(at, "healthCheckNodePort"), check);
    if (value_int(check) > 0 && (strcmp(type, "LoadBalancer") != 0 || !text_is(external, "Local")))
        bad_invalid(AT(at, "healthCheckNodePort"), check,
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
    if (value_size(ranges) > 0 && strcmp(type, "LoadBalancer") != 0)
        bad_forbidden(AT(at, "loadBalancerSourceRanges"), "may only be used when `type` is 'LoadBalancer'");
    VALUE_ARRAY_FOREACH (range, ranges)
        check_cidr(NTH(AT(at, "loadBalancerSourceRanges"), i++), range);
    if (value_get(spec, "allocateLoadBalancerNodePorts") != NULL && strcmp(type, "LoadBalancer") != 0)
        bad_forbidden(AT(at, "allocateLoadBalancerNodePorts"), "may only be used when `type` is 'LoadBalancer'");
    check_enum(AT(at, "trafficDistribution"), value_get(spec, "trafficDistribution"),
               TEXTS("PreferClose", "PreferSameNode", "PreferSameZone"), OPTIONAL);
}

static void
service_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *ports = value_get(spec, "ports");
    const Path *at = AT(root, "spec");
    bool headless = text_is(value_get(spec, "clusterIP"), "None");
    size_t k = 0;

    check_by_type(at, spec);
    for (size_t i = 0; i < value_size(ports); i++)
        check_service_port(NTH(AT(at, "ports"), i), ports, i, headless);
    check_labels(AT(at, "selector"), value_get(spec, "selector"));
    check_affinity_config(at, spec);
    if (!text_is(value_get(spec, "type"), "ExternalName")) {
        check_cluster_ips(at, spec);
        check_families(at, spec);
    }
    VALUE_ARRAY_FOREACH (ip, value_get(spec, "externalIPs"))
        check_ip(NTH(AT(at, "externalIPs"), k++), ip);
    check_enum(AT(at, "type"), value_get(spec, "type"), TEXTS("ClusterIP", "ExternalName", "LoadBalancer", "NodePort"), REQUIRED);
    for (size_t i = 0; i < value_size(ports) && text_is(value_get(spec, "type"), "ClusterIP"); i++)
        if (value_int(value_get(value_item(ports, i), "nodePort")) != 0)
            bad_forbidden(AT(NTH(AT(at, "ports"), i), "nodePort"), "may not be used when `type` is 'ClusterIP'");
    check_service_ports_differ(AT(at, "ports"), ports, "nodePort");
    check_service_ports_differ(AT(at, "ports"), ports, "port");
    check_traffic(at, spec);
}

/* The first address stays, unless the Service is or was a mere name. */
static void
service_check_update(const Path *root, const Value *object, const Value *old)
{
    const Value *now = value_at(object, "spec.clusterIPs"), *before = value_at(old, "spec.clusterIPs");
    const Path *here = NTH(AT(AT(root, "spec"), "clusterIPs"), 0);

    if (text_is(value_at(object, "spec.type"), "ExternalName") || text_is(value_at(old, "spec.type"), "ExternalName") ||
        value_size(before) == 0)
        return;
    if (value_size(now) == 0)
        bad_invalid(here, now, "primary clusterIP can not be unset");
    else if (!value_equal(value_item(now, 0), value_item(before, 0)))
        bad_invalid(here, now, "may not change once set");
}

static void
service_check_status(const Path *root, const Value *object, const Value *old)
{
    const Path *at = AT(AT(AT(root, "status"), "loadBalancer"), "ingress");
    size_t i = 0;

    (void)old;
    VALUE_ARRAY_FOREACH (ingress, value_at(object, "status.loadBalancer.ingress")) {
        const Value *ip = value_get(ingress, "ip"), *name = value_get(ingress, "hostname");
        const Path *here = NTH(at, i++);

        if (!is_empty(ip) && ip_family(value_text(ip)) == 0)
            bad_invalid(AT(here, "ip"), ip, "must be a valid IP address");
        if (is_empty(name))
            continue;
        check_dns_subdomain(AT(here, "hostname"), name);
        if (ip_family(value_text(name)) != 0)
            bad_invalid(AT(here, "hostname"), name, "must be a DNS name, not an IP address");
    }
}

/* ---- Endpoints, EndpointSlice ---- */

static void
check_plain_ip(const Path *at, const Value *ip)
{
    const char *text = value_text(ip);

    if (ip_family(text) == 0)
        bad_invalid(at, ip, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    else if (text_in(text, TEXTS("0.0.0.0", "::")))
        bad_invalid(at, ip, "may not be unspecified (0.0.0.0 or ::)");
    else if (g_str_has_prefix(text, "127.") || strcmp(text, "::1") == 0)
        bad_invalid(at, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    else if (g_str_has_prefix(text, "169.254.") || g_str_has_prefix(text, "fe80:"))
        bad_invalid(at, ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    else if (g_str_has_prefix(text, "224.0.0.") || g_str_has_prefix(text, "ff02:"))
        bad_invalid(at, ip, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

static void
endpoints_check(const Path *root, const Value *object)
{
    static const char *const lists[] = {"addresses", "notReadyAddresses"};
    const Path *at = AT(root, "subsets");
    size_t i = 0;

    VALUE_ARRAY_FOREACH (subset, value_get(object, "subsets")) {
        const Value *ports = value_get(subset, "ports");
        const Path *here = NTH(at, i++);
        size_t k = 0;

        if (value_size(value_get(subset, "addresses")) + value_size(value_get(subset, "notReadyAddresses")) == 0)
            bad_required(here, "must specify `addresses` or `notReadyAddresses`");
        for (size_t list = 0; list < G_N_ELEMENTS(lists); list++) {
            size_t n = 0;

            VALUE_ARRAY_FOREACH (address, value_get(subset, lists[list]))
                check_plain_ip(AT(NTH(AT(here, lists[list]), n++), "ip"), value_get(address, "ip"));
        }
        VALUE_ARRAY_FOREACH (port, ports) {
            const Path *port_at = NTH(AT(here, "ports"), k++);

            if (!is_empty(value_get(port, "name")))
                check_dns_label(AT(port_at, "name"), value_get(port, "name"));
            else if (value_size(ports) > 1)
                bad_required(AT(port_at, "name"), "");
            check_port(AT(port_at, "port"), value_get(port, "port"));
            check_enum(AT(port_at, "protocol"), value_get(port, "protocol"), protocols, REQUIRED);
        }
    }
}

static void
slice_check_ports(const Path *at, const Value *ports)
{
    if (value_size(ports) > SLICE_PORTS_MAX)
        bad_too_many(at, value_size(ports), SLICE_PORTS_MAX);
    for (size_t i = 0; i < value_size(ports); i++) {
        const Value *port = value_item(ports, i), *name = value_get(port, "name");
        const Path *here = NTH(at, i);

        if (!is_empty(name))
            check_dns_label(AT(here, "name"), name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(value_text(value_get(value_item(ports, k), "name")), value_text(name)) == 0) {
                bad_duplicate(AT(here, "name"), name);
                break;
            }
        check_enum(AT(here, "protocol"), value_get(port, "protocol"), protocols, REQUIRED);
    }
}

static void
endpoint_slice_check(const Path *root, const Value *object)
{
    const Value *type = value_get(object, "addressType"), *endpoints = value_get(object, "endpoints");
    const Path *at = AT(root, "endpoints");
    size_t i = 0;

    check_enum(AT(root, "addressType"), type, TEXTS("FQDN", "IPv4", "IPv6"), REQUIRED);
    if (value_size(endpoints) > SLICE_ENDPOINTS_MAX)
        bad_too_many(at, value_size(endpoints), SLICE_ENDPOINTS_MAX);
    VALUE_ARRAY_FOREACH (endpoint, endpoints) {
        const Value *addresses = value_get(endpoint, "addresses");
        const Path *here = NTH(at, i++);
        size_t k = 0;

        if (value_size(addresses) == 0)
            bad_required(AT(here, "addresses"), "must contain at least 1 address");
        else if (value_size(addresses) > ENDPOINT_ADDRESSES_MAX)
            bad_too_many(AT(here, "addresses"), value_size(addresses), ENDPOINT_ADDRESSES_MAX);
        VALUE_ARRAY_FOREACH (address, addresses) {
            const Path *one = NTH(AT(here, "addresses"), k++);

            if (text_is(type, "FQDN"))
                check_dns_subdomain(one, address);
            else if (text_in(value_text(type), TEXTS("IPv4", "IPv6")))
                check_plain_ip(one, address);
        }
        if (!is_empty(value_get(endpoint, "nodeName")))
            check_dns_subdomain(AT(here, "nodeName"), value_get(endpoint, "nodeName"));
    }
    slice_check_ports(AT(root, "ports"), value_get(object, "ports"));
}

static void
endpoint_slice_check_update(const Path *root, const Value *object, const Value *old)
{
    check_kept(AT(root, "addressType"), value_get(object, "addressType"), value_get(old, "addressType"));
}

/* ---- Ingress, IngressClass ---- */

static void
check_ingress_backend(const Path *at, const Value *backend)
{
    const Value *service = value_get(backend, "service"), *port = value_get(service, "port");
    const Value *name = value_get(port, "name"), *number = value_get(port, "number");
    const Path *here = AT(at, "service");

    if (service == NULL) {
        if (value_get(backend, "resource") == NULL)
            bad_invalid_text(at, "", "resource or service backend is required");
        return;
    }
    if (value_get(backend, "resource") != NULL)
        bad_invalid_text(at, "", "cannot set both resource and service backends");
    if (is_empty(value_get(service, "name"))) {
        bad_required(AT(here, "name"), "");
    } else {
        g_autofree char *problem = dns_1035_label_problem(value_text(value_get(service, "name")));

        if (problem != NULL)
            bad_invalid(AT(here, "name"), value_get(service, "name"), problem);
    }
    if (!is_empty(name) && value_int(number) != 0) {
        bad_invalid_text(here, "", "cannot set both port name & port number");
    } else if (!is_empty(name)) {
        check_port_number_or_name(AT(AT(here, "port"), "name"), name);
    } else if (value_int(number) != 0) {
        check_port(AT(AT(here, "port"), "number"), number);
    } else {
        bad_required(at, "port name or number is required");
    }
}

static void
check_ingress_path(const Path *at, const Value *path)
{
    static const char *const wrong[] = {"//", "/./", "/../", "%2f", "%2F"}, *const wrong_ends[] = {"/..", "/."};
    const Value *type = value_get(path, "pathType"), *value = value_get(path, "path");
    const char *text = value_text(value);

    if (is_empty(type)) {
        bad_required(AT(at, "pathType"), "pathType must be specified");
        return;
    }
    check_enum(AT(at, "pathType"), type, TEXTS("Exact", "ImplementationSpecific", "Prefix"), REQUIRED);
    if (text_in(value_text(type), TEXTS("Exact", "Prefix"))) {
        if (*text != '/')
            bad_invalid(AT(at, "path"), value, "must be an absolute path");
        for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
            g_autofree char *detail = g_strdup_printf("must not contain '%s'", wrong[i]);

            if (strstr(text, wrong[i]) != NULL)
                bad_invalid(AT(at, "path"), value, detail);
        }
        for (size_t i = 0; i < G_N_ELEMENTS(wrong_ends); i++) {
            g_autofree char *detail = g_strdup_printf("cannot end with '%s'", wrong_ends[i]);

            if (g_str_has_suffix(text, wrong_ends[i]))
                bad_invalid(AT(at, "path"), value, detail);
        }
    } else if (*text != '\0' && *text != '/') {
        bad_invalid(AT(at, "path"), value, "must be an absolute path");
    }
    check_ingress_backend(AT(at, "backend"), value_get(path, "backend"));
}

static void
check_host(const Path *at, const Value *host)
{
    const char *text = value_text(host);
    g_autoptr(Value) rest = g_str_has_prefix(text, "*.") ? value_new_string(text + 2) : NULL;

    if (ip_family(text) != 0)
        bad_invalid(at, host, "must be a DNS name, not an IP address");
    else if (*text != '\0')
        check_dns_subdomain(at, rest != NULL ? rest : host);
}

static void
ingress_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *rules = value_get(spec, "rules"), *backend = value_get(spec, "defaultBackend");
    const Path *at = AT(root, "spec");
    size_t i = 0, k = 0;

    if (value_size(rules) == 0 && backend == NULL) {
        g_autoptr(Value) none = value_new_array();

        bad_invalid(at, none, "either `defaultBackend` or `rules` must be specified");
    }
    if (backend != NULL)
        check_ingress_backend(AT(at, "defaultBackend"), backend);
    VALUE_ARRAY_FOREACH (rule, rules) {
        const Path *here = NTH(AT(at, "rules"), i++);
        const Path *paths = AT(AT(here, "http"), "paths");
        size_t n = 0;

        check_host(AT(here, "host"), value_get(rule, "host"));
        if (value_get(rule, "http") != NULL && value_size(value_at(rule, "http.paths")) == 0)
            bad_required(paths, "");
        VALUE_ARRAY_FOREACH (path, value_at(rule, "http.paths"))
            check_ingress_path(NTH(paths, n++), path);
    }
    VALUE_ARRAY_FOREACH (tls, value_get(spec, "tls")) {
        const Path *here = NTH(AT(at, "tls"), k++);
        size_t n = 0;

        VALUE_ARRAY_FOREACH (host, value_get(tls, "hosts"))
            check_host(NTH(AT(here, "hosts"), n++), host);
    }
    if (value_get(spec, "ingressClassName") != NULL)
        check_dns_subdomain(AT(at, "ingressClassName"), value_get(spec, "ingressClassName"));
}

static void
ingress_class_check(const Path *root, const Value *object)
{
    const Value *parameters = value_at(object, "spec.parameters");
    const Path *at = AT(root, "spec");

    if (value_string_len(value_at(object, "spec.controller")) > 250)
        bad_too_long(AT(at, "controller"), 250);
    check_qualified(AT(at, "controller"), value_at(object, "spec.controller"));
    if (parameters == NULL)
        return;
    if (is_empty(value_get(parameters, "kind")))
        bad_required(AT(AT(at, "parameters"), "kind"), "kind is required");
    if (is_empty(value_get(parameters, "name")))
        bad_required(AT(AT(at, "parameters"), "name"), "name is required");
}

static void
ingress_class_check_update(const Path *root, const Value *object, const Value *old)
{
    check_kept(AT(AT(root, "spec"), "controller"), value_at(object, "spec.controller"), value_at(old, "spec.controller"));
}

/* ---- NetworkPolicy ---- */

static void
check_policy_peer(const Path *at, const Value *peer)
{
    const Value *block = value_get(peer, "ipBlock");
    size_t i = 0;

    check_label_selector(AT(at, "podSelector"), value_get(peer, "podSelector"));
    check_label_selector(AT(at, "namespaceSelector"), value_get(peer, "namespaceSelector"));
    if (block != NULL) {
        if (is_empty(value_get(block, "cidr")))
            bad_required(AT(AT(at, "ipBlock"), "cidr"), "");
        else
            check_cidr(AT(AT(at, "ipBlock"), "cidr"), value_get(block, "cidr"));
        VALUE_ARRAY_FOREACH (except, value_get(block, "except"))
            check_cidr(NTH(AT(AT(at, "ipBlock"), "except"), i++), except);
    }
    if (value_size(peer) == 0)
        bad_required(at, "must specify a peer");
    else if (block != NULL && value_size(peer) > 1)
        bad_forbidden(at, "may not specify both ipBlock and another peer");
}

static void
check_policy_ports(const Path *at, const Value *ports)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (port, ports) {
        const Value *number = value_get(port, "port"), *end = value_get(port, "endPort");
        const Path *here = NTH(at, i++);

        check_enum(AT(here, "protocol"), value_get(port, "protocol"), TEXTS("TCP", "UDP", "SCTP"), OPTIONAL);
        if (number != NULL)
            check_port_number_or_name(AT(here, "port"), number);
        if (end == NULL)
            continue;
        if (number == NULL)
            bad_required(AT(here, "endPort"), "must be specified when `endPort` is specified");
        else if (value_is_string(number))
            bad_invalid(AT(here, "port"), end, "must be an integer when `endPort` is specified");
        else if (value_int(end) < value_int(number))
            bad_invalid(AT(here, "endPort"), end, "must be greater than or equal to `port`");
        check_range(AT(here, "endPort"), end, 1, 65535);
    }
}

static void
check_policy_rules(const Path *at, const Value *rules, const char *peers)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (rule, rules) {
        const Path *here = NTH(at, i++);
        size_t k = 0;

        check_policy_ports(AT(here, "ports"), value_get(rule, "ports"));
        VALUE_ARRAY_FOREACH (peer, value_get(rule, peers))
            check_policy_peer(NTH(AT(here, peers), k++), peer);
    }
}

static void
network_policy_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *types = value_get(spec, "policyTypes");
    const Path *at = AT(root, "spec");
    size_t i = 0;

    check_label_selector(AT(at, "podSelector"), value_get(spec, "podSelector"));
    check_policy_rules(AT(at, "ingress"), value_get(spec, "ingress"), "from");
    check_policy_rules(AT(at, "egress"), value_get(spec, "egress"), "to");
    if (value_size(types) > 2) {
        bad_invalid(AT(at, "policyTypes"), types, "may not specify more than two policyTypes");
        return;
    }
    VALUE_ARRAY_FOREACH (type, types)
        check_enum(NTH(AT(at, "policyTypes"), i++), type, TEXTS("Ingress", "Egress"), REQUIRED);
}

const KindRules kind_rules_network[] = {
    {"", "Service", NAME_1035_LABEL, service_check, service_check_update, service_check_status, false},
    {"", "Endpoints", NAME_SUBDOMAIN, endpoints_check, NULL, NULL, false},
    {"discovery.k8s.io", "EndpointSlice", NAME_SUBDOMAIN, endpoint_slice_check, endpoint_slice_check_update, NULL, false},
    {"networking.k8s.io", "Ingress", NAME_SUBDOMAIN, ingress_check, NULL, NULL, false},
    {"networking.k8s.io", "IngressClass", NAME_SUBDOMAIN, ingress_class_check, ingress_class_check_update, NULL, false},
    {"networking.k8s.io", "NetworkPolicy", NAME_SUBDOMAIN, network_policy_check, NULL, NULL, false},
    {0},
};
