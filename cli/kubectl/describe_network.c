/* Services, Endpoints, EndpointSlices. */
#include <string.h>

#include "cli/kubectl/describe.h"
#include "core/api/meta.h"

#define INT G_GINT64_FORMAT
#define SHOWN_MAX 3 /* endpoints of a port that are listed, as kubectl does */

static void
head(Describing *d, const Value *object)
{
    describe_name(d, object, true);
    describe_map(d, "Labels", object_labels(object));
    describe_annotations(d, "Annotations", object_annotations(object));
}

/* "10.0.0.1:80,10.0.0.2:80 + 3 more..." of the slices' ports with this name; owned. */
static char *
endpoints_of(const Value *slices, const char *port_name)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int count = 0;
    VALUE_ARRAY_FOREACH (slice, value_get(slices, "items"))
        VALUE_ARRAY_FOREACH (port, value_get(slice, "ports")) {
            if (strcmp(value_text(value_get(port, "name")), port_name) != 0)
                continue;
            VALUE_ARRAY_FOREACH (endpoint, value_get(slice, "endpoints")) {
                const Value *ready = value_at(endpoint, "conditions.ready");
                if (ready != NULL && !value_bool(ready))
                    continue;
                VALUE_ARRAY_FOREACH (address, value_get(endpoint, "addresses"))
                    if (count++ < SHOWN_MAX)
                        g_string_append_printf(text, "%s%s:%" INT, count > 1 ? "," : "",
                                               value_text(address),
                                               value_int(value_get(port, "port")));
            }
        }
    if (count > SHOWN_MAX)
        g_string_append_printf(text, " + %d more...", count - SHOWN_MAX);
    return g_strdup(text->str);
}

static void
service_ports(Describing *d, const Value *service, const Value *slices)
{
    VALUE_ARRAY_FOREACH (port, value_at(service, "spec.ports")) {
        const char *name = value_text(value_get(port, "name")),
                   *protocol = value_text(value_get(port, "protocol"));
        const char *shown = *name != '\0' ? name : "<unset>";
        g_autofree char *target = describe_text(value_get(port, "targetPort"));
        g_autofree char *endpoints = endpoints_of(slices, name);
        describe_line(d, 0, "Port:\t%s\t%" INT "/%s", shown, value_int(value_get(port, "port")),
                      protocol);
        describe_line(d, 0, "TargetPort:\t%s/%s", target, protocol);
        if (value_int(value_get(port, "nodePort")) != 0)
            describe_line(d, 0, "NodePort:\t%s\t%" INT "/%s", shown,
                          value_int(value_get(port, "nodePort")), protocol);
        describe_line(d, 0, "Endpoints:\t%s", endpoints);
    }
}

static void
service(Describing *d, const Value *object)
{
    const Value *spec = value_get(object, "spec");
    g_autofree char *selector = describe_pairs(value_get(spec, "selector"));
    g_autofree char *label = g_strdup_printf("kubernetes.io/service-name=%s", object_name(object));
    g_autoptr(Value) slices = describe_list(d, "discovery.k8s.io", "endpointslices",
                                            object_namespace(object), label, NULL);
    head(d, object);
    describe_line(d, 0, "Selector:\t%s", selector);
    describe_line(d, 0, "Type:\t%s", value_text(value_get(spec, "type")));
    if (*value_text(value_get(spec, "ipFamilyPolicy")) != '\0')
        describe_line(d, 0, "IP Family Policy:\t%s", value_text(value_get(spec, "ipFamilyPolicy")));
    describe_texts(d, "IP Families", value_get(spec, "ipFamilies"));
    describe_line(d, 0, "IP:\t%s", value_text(value_get(spec, "clusterIP")));
    describe_texts(d, "IPs", value_get(spec, "clusterIPs"));
    if (value_size(value_get(spec, "externalIPs")) > 0)
        describe_texts(d, "External IPs", value_get(spec, "externalIPs"));
    if (*value_text(value_get(spec, "externalName")) != '\0')
        describe_line(d, 0, "External Name:\t%s", value_text(value_get(spec, "externalName")));
    g_autoptr(GString) ingress = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (entry, value_at(object, "status.loadBalancer.ingress")) {
        const char *ip = value_text(value_get(entry, "ip"));
        g_string_append_printf(ingress, "%s%s", ingress->len > 0 ? ", " : "",
                               *ip != '\0' ? ip : value_text(value_get(entry, "hostname")));
    }
    if (ingress->len > 0)
        describe_line(d, 0, "LoadBalancer Ingress:\t%s", ingress->str);
    service_ports(d, object, slices);
    describe_line(d, 0, "Session Affinity:\t%s", value_text(value_get(spec, "sessionAffinity")));
    if (*value_text(value_get(spec, "externalTrafficPolicy")) != '\0')
        describe_line(d, 0, "External Traffic Policy:\t%s",
                      value_text(value_get(spec, "externalTrafficPolicy")));
    if (*value_text(value_get(spec, "internalTrafficPolicy")) != '\0')
        describe_line(d, 0, "Internal Traffic Policy:\t%s",
                      value_text(value_get(spec, "internalTrafficPolicy")));
    if (*value_text(value_get(spec, "trafficDistribution")) != '\0')
        describe_line(d, 0, "Traffic Distribution:\t%s",
                      value_text(value_get(spec, "trafficDistribution")));
}

static void
address_line(Describing *d, const char *title, const Value *addresses)
{
    g_autoptr(GString) text = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (address, addresses)
        g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "",
                               value_text(value_get(address, "ip")));
    describe_line(d, 1, "%s:\t%s", title, or_none(text->str));
}

static void
endpoints(Describing *d, const Value *object)
{
    head(d, object);
    describe_line(d, 0, "Subsets:");
    VALUE_ARRAY_FOREACH (subset, value_get(object, "subsets")) {
        address_line(d, "Addresses", value_get(subset, "addresses"));
        address_line(d, "NotReadyAddresses", value_get(subset, "notReadyAddresses"));
        if (value_size(value_get(subset, "ports")) > 0) {
            describe_line(d, 1, "Ports:");
            describe_line(d, 2, "Name\tPort\tProtocol");
            describe_line(d, 2, "----\t----\t--------");
        }
        VALUE_ARRAY_FOREACH (port, value_get(subset, "ports")) {
            const char *name = value_text(value_get(port, "name"));
            describe_line(d, 2, "%s\t%" INT "\t%s", *name != '\0' ? name : "<unset>",
                          value_int(value_get(port, "port")),
                          value_text(value_get(port, "protocol")));
        }
        describe_line(d, 0, "%s", "");
    }
}

static void
one_endpoint(Describing *d, const Value *endpoint)
{
    g_autoptr(GString) addresses = g_string_new(NULL);
    const Value *ready = value_at(endpoint, "conditions.ready"),
                *target = value_get(endpoint, "targetRef");
    VALUE_ARRAY_FOREACH (address, value_get(endpoint, "addresses"))
        g_string_append_printf(addresses, "%s%s", addresses->len > 0 ? ", " : "",
                               value_text(address));
    describe_line(d, 1, "- Addresses:\t%s", or_none(addresses->str));
    describe_line(d, 2, "Conditions:");
    describe_line(d, 3, "Ready:\t%s",
                  ready == NULL       ? "<unset>"
                  : value_bool(ready) ? "true"
                                      : "false");
    describe_line(d, 2, "Hostname:\t%s",
                  value_has(endpoint, "hostname") ? value_text(value_get(endpoint, "hostname"))
                                                  : "<unset>");
    if (target != NULL)
        describe_line(d, 2, "TargetRef:\t%s/%s", value_text(value_get(target, "kind")),
                      value_text(value_get(target, "name")));
    describe_line(d, 2, "NodeName:\t%s",
                  value_has(endpoint, "nodeName") ? value_text(value_get(endpoint, "nodeName"))
                                                  : "<unset>");
    describe_line(d, 2, "Zone:\t%s",
                  value_has(endpoint, "zone") ? value_text(value_get(endpoint, "zone"))
                                              : "<unset>");
}

static void
endpoint_slice(Describing *d, const Value *object)
{
    head(d, object);
    describe_line(d, 0, "AddressType:\t%s", value_text(value_get(object, "addressType")));
    if (value_size(value_get(object, "ports")) == 0) {
        describe_line(d, 0, "Ports: <unset>");
    } else {
        describe_line(d, 0, "Ports:");
        describe_line(d, 1, "Name\tPort\tProtocol");
        describe_line(d, 1, "----\t----\t--------");
    }
    VALUE_ARRAY_FOREACH (port, value_get(object, "ports")) {
        const char *name = value_text(value_get(port, "name"));
        describe_line(d, 1, "%s\t%" INT "\t%s", *name != '\0' ? name : "<unset>",
                      value_int(value_get(port, "port")), value_text(value_get(port, "protocol")));
    }
    describe_line(
        d, 0, value_size(value_get(object, "endpoints")) == 0 ? "Endpoints: <none>" : "Endpoints:");
    VALUE_ARRAY_FOREACH (endpoint, value_get(object, "endpoints"))
        one_endpoint(d, endpoint);
}

const Describer DESCRIBE_NETWORK[] = {
    {"", "services", service, false},
    {"", "endpoints", endpoints, false},
    {"discovery.k8s.io", "endpointslices", endpoint_slice, false},
    {NULL, NULL, NULL, false},
};
