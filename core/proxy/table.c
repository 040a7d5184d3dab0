/* Services and EndpointSlices -> ProxyTable.
 *
 * One Entry a Service holds its ports; an entry is taken over from the previous table when the
 * Service and its slices are the very same values. */
#include <string.h>

#include "core/proxy/address.h"
#include "core/proxy/hash.h"
#include "core/proxy/rules_private.h"

#define ENDPOINTS_MAX 100000 /* of one service port */
#define PROXY_NAME_LABEL "service.kubernetes.io/service-proxy-name"
#define HEADLESS_LABEL "service.kubernetes.io/headless"
#define SERVICE_NAME_LABEL "kubernetes.io/service-name"

/* ---- life
 * --------------------------------------------------------------------------------------------- */

static void
endpoint_clear(ProxyEndpoint *endpoint)
{
    g_free(endpoint->ip);
    g_free(endpoint->address);
    g_free(endpoint->chain);
    g_free(endpoint->nft_name);
    g_free(endpoint->node);
    g_strfreev(endpoint->zone_hints);
    g_strfreev(endpoint->node_hints);
}

static void
port_free(void *data)
{
    ProxyPort *port = data;
    for (size_t i = 0; i < port->n_endpoints; i++)
        endpoint_clear(&port->endpoints[i]);
    g_free(port->endpoints);
    g_free(port->name);
    g_free(port->namespace_);
    g_free(port->service);
    g_free(port->hash);
    g_free(port->nft_name);
    g_free(port->cluster_ip);
    g_strfreev(port->external_ips);
    g_strfreev(port->load_balancer_ips);
    g_strfreev(port->source_ranges);
    g_free(port);
}

static void
entry_unref(void *data)
{
    ProxyEntry *entry = data;
    if (--entry->references > 0)
        return;
    value_unref(entry->service);
    g_ptr_array_unref(entry->slices);
    g_ptr_array_unref(entry->ports);
    g_free(entry);
}

static const PMapType entries_type = {.unref = entry_unref};

static void
unref_value(void *value)
{
    value_unref(value);
}

/* ---- endpoints
 * ------------------------------------------------------------------------------------------ */

static char **
hint_names(const Value *hints)
{
    size_t n = value_size(hints);
    if (n == 0)
        return NULL;
    char **names = g_new0(char *, n + 1);
    for (size_t i = 0; i < n; i++)
        names[i] = g_strdup(value_text(value_get(value_item(hints, i), "name")));
    return names;
}

/* A missing condition is unknown, which counts as true for ready and serving. */
static bool
condition(const Value *endpoint, const char *name, bool otherwise)
{
    const Value *found = value_get(value_get(endpoint, "conditions"), name);
    return value_is_null(found) ? otherwise : value_bool(found);
}

static void
add_endpoint(GArray *endpoints, const ProxyPort *port, const Value *item, uint16_t target_port)
{
    const char *ip = value_string(value_item(value_get(item, "addresses"), 0));
    IpAddress address;
    if (!ip_parse(ip, &address) || endpoints->len >= ENDPOINTS_MAX)
        return;
    bool ready = condition(item, "ready", true);
    const Value *hints = value_get(item, "hints");
    ProxyEndpoint endpoint = {.ip = g_strdup(ip),
                              .port = target_port,
                              .address = g_strdup_printf(address.length == 16 ? "[%s]:%u" : "%s:%u",
                                                         ip, (unsigned)target_port),
                              .node = g_strdup(value_string(value_get(item, "nodeName"))),
                              .ready = ready,
                              .serving = condition(item, "serving", ready),
                              .terminating = condition(item, "terminating", false),
                              .zone_hints = hint_names(value_get(hints, "forZones")),
                              .node_hints = hint_names(value_get(hints, "forNodes"))};
    endpoint.chain = proxy_endpoint_chain(port, endpoint.address);
    endpoint.nft_name = proxy_endpoint_nft_name(port, ip, target_port);
    g_array_append_val(endpoints, endpoint);
}

static int
compare_endpoints(const void *a, const void *b)
{
    const ProxyEndpoint *x = a, *y = b;
    return strcmp(x->address, y->address);
}

/* The same address in two slices (while it moves from one to the other) counts once; a ready one is
 * preferred. */
static void
keep_endpoint(ProxyPort *port, ProxyEndpoint next)
{
    ProxyEndpoint *last = port->n_endpoints > 0 ? &port->endpoints[port->n_endpoints - 1] : NULL;
    if (last == NULL || strcmp(last->address, next.address) != 0) {
        port->endpoints[port->n_endpoints++] = next;
    } else if (next.ready && !last->ready) {
        endpoint_clear(last);
        *last = next;
    } else {
        endpoint_clear(&next);
    }
}

static ProxyProtocol
protocol_of(const Value *port)
{
    const char *text = value_text(value_get(port, "protocol"));
    return strcmp(text, "UDP") == 0    ? PROXY_UDP
           : strcmp(text, "SCTP") == 0 ? PROXY_SCTP
                                       : PROXY_TCP;
}

static void
collect_endpoints(ProxyPort *port, const char *port_name, const GPtrArray *slices)
{
    GArray *endpoints = g_array_new(FALSE, FALSE, sizeof(ProxyEndpoint));
    const char *wanted_type = port->family == PROXY_IPV6 ? "IPv6" : "IPv4";
    for (unsigned i = 0; i < slices->len; i++) {
        const Value *slice = slices->pdata[i];
        if (strcmp(value_text(value_get(slice, "addressType")), wanted_type) != 0)
            continue;
        VALUE_ARRAY_FOREACH (slice_port, value_get(slice, "ports")) {
            int64_t number = value_int(value_get(slice_port, "port"));
            if (strcmp(value_text(value_get(slice_port, "name")), port_name) != 0 ||
                protocol_of(slice_port) != port->protocol || number <= 0 || number > 65535)
                continue;
            VALUE_ARRAY_FOREACH (item, value_get(slice, "endpoints"))
                add_endpoint(endpoints, port, item, (uint16_t)number);
        }
    }
    g_array_sort(endpoints, compare_endpoints);
    port->endpoints = g_new0(ProxyEndpoint, endpoints->len + 1);
    for (unsigned k = 0; k < endpoints->len; k++)
        keep_endpoint(port, g_array_index(endpoints, ProxyEndpoint, k));
    g_array_unref(endpoints);
}

/* ---- services
 * ------------------------------------------------------------------------------------------ */

/* Strings of an array that are addresses (or prefixes) of the family. */
static char **
strings_of_family(const Value *array, const char *field, ProxyFamily family)
{
    GPtrArray *found = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (item, array) {
        const char *text = value_text(field != NULL ? value_get(item, field) : item);
        g_autofree char *trimmed = g_strstrip(g_strdup(text));
        if (trimmed[0] != '\0' && (strchr(trimmed, ':') != NULL) == (family == PROXY_IPV6))
            g_ptr_array_add(found, g_steal_pointer(&trimmed));
    }
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_free(found, FALSE);
}

/* Load balancers with ipMode Proxy deliver to the node's port themselves: their addresses get no
 * rules. */
static Value *
vip_ingress(const Value *service)
{
    ValueBuilder *found = value_builder_new_array();
    VALUE_ARRAY_FOREACH (item, value_at(service, "status.loadBalancer.ingress"))
        if (strcmp(value_text(value_get(item, "ipMode")), "Proxy") != 0)
            value_builder_append(found, value_ref(item));
    return value_builder_end(found);
}

static ProxyPort *
port_new(const Value *service, const Value *service_port, const char *cluster_ip,
         const GPtrArray *slices)
{
    const Value *metadata = value_get(service, "metadata"), *spec = value_get(service, "spec");
    const char *port_name = value_text(value_get(service_port, "name"));
    ProxyPort *port = g_new0(ProxyPort, 1);
    port->namespace_ = g_strdup(value_text(value_get(metadata, "namespace")));
    port->service = g_strdup(value_text(value_get(metadata, "name")));
    port->name = g_strdup_printf("%s/%s%s%s", port->namespace_, port->service,
                                 port_name[0] != '\0' ? ":" : "", port_name);
    port->family = ip_is_v6(cluster_ip) ? PROXY_IPV6 : PROXY_IPV4;
    port->protocol = protocol_of(service_port);
    port->cluster_ip = g_strdup(cluster_ip);
    port->port = (uint16_t)value_int(value_get(service_port, "port"));
    port->node_port = (uint16_t)value_int(value_get(service_port, "nodePort"));
    port->hash = proxy_port_hash(port);
    port->nft_name = proxy_port_nft_name(port, port_name);
    g_autoptr(Value) ingress = vip_ingress(service);
    port->external_ips = strings_of_family(value_get(spec, "externalIPs"), NULL, port->family);
    port->load_balancer_ips = strings_of_family(ingress, "ip", port->family);
    port->source_ranges =
        strings_of_family(value_get(spec, "loadBalancerSourceRanges"), NULL, port->family);
    port->internal_local =
        strcmp(value_text(value_get(spec, "internalTrafficPolicy")), "Local") == 0;
    port->external_local =
        strcmp(value_text(value_get(spec, "externalTrafficPolicy")), "Local") == 0;
    if (strcmp(value_text(value_get(spec, "sessionAffinity")), "ClientIP") == 0)
        port->affinity_s =
            value_int_at_or(spec, "sessionAffinityConfig.clientIP.timeoutSeconds", 10800);
    if (port->external_local)
        port->health_check_node_port = (uint16_t)value_int(value_get(spec, "healthCheckNodePort"));
    collect_endpoints(port, port_name, slices);
    return port;
}

static bool
is_ours(const Value *object)
{
    const Value *labels = value_get(value_get(object, "metadata"), "labels");
    return !value_has(labels, PROXY_NAME_LABEL) && !value_has(labels, HEADLESS_LABEL);
}

static bool
has_virtual_ip(const Value *service)
{
    const Value *spec = value_get(service, "spec");
    const char *cluster_ip = value_text(value_get(spec, "clusterIP"));
    return cluster_ip[0] != '\0' && strcmp(cluster_ip, "None") != 0 &&
           strcmp(value_text(value_get(spec, "type")), "ExternalName") != 0;
}

static ProxyEntry *
entry_new(const Value *service, GPtrArray *slices)
{
    ProxyEntry *entry = g_new0(ProxyEntry, 1);
    entry->references = 1;
    entry->service = value_ref(service);
    entry->slices = g_ptr_array_new_with_free_func(unref_value);
    for (unsigned i = 0; i < slices->len; i++)
        g_ptr_array_add(entry->slices, value_ref(slices->pdata[i]));
    entry->ports = g_ptr_array_new_with_free_func(port_free);
    const Value *spec = value_get(service, "spec");
    g_autoptr(Value) one = value_new_f("[%v]", value_get(spec, "clusterIP"));
    const Value *cluster_ips = value_get(spec, "clusterIPs");
    VALUE_ARRAY_FOREACH (ip, value_size(cluster_ips) > 0 ? cluster_ips : one) {
        IpAddress address;
        if (!ip_parse(value_string(ip), &address))
            continue;
        VALUE_ARRAY_FOREACH (service_port, value_get(spec, "ports"))
            g_ptr_array_add(entry->ports,
                            port_new(service, service_port, value_string(ip), slices));
    }
    return entry;
}

static bool
entry_is_of(const ProxyEntry *entry, const Value *service, const GPtrArray *slices)
{
    if (entry == NULL || entry->service != service || entry->slices->len != slices->len)
        return false;
    for (unsigned i = 0; i < slices->len; i++)
        if (entry->slices->pdata[i] != slices->pdata[i])
            return false;
    return true;
}

/* ---- the table
 * ------------------------------------------------------------------------------------------ */

static void
unref_array(void *array)
{
    g_ptr_array_unref(array);
}

/* "namespace/service" -> borrowed slices, in key order; for look-up only. */
static GHashTable *
slices_by_service(const PMap *slices)
{
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_array);
    PMapIter iter = pmap_seek(slices, NULL);
    while (pmap_next(&iter)) {
        const Value *metadata = value_get(iter.value, "metadata");
        const char *service =
            value_text(value_get(value_get(metadata, "labels"), SERVICE_NAME_LABEL));
        if (service[0] == '\0' || !is_ours(iter.value))
            continue;
        char *key = g_strconcat(value_text(value_get(metadata, "namespace")), "/", service, NULL);
        GPtrArray *list = g_hash_table_lookup(found, key);
        if (list == NULL) {
            list = g_ptr_array_new();
            g_hash_table_insert(found, key, list);
        } else {
            g_free(key);
        }
        g_ptr_array_add(list, iter.value);
    }
    return found;
}

static int
compare_ports(const void *a, const void *b)
{
    const ProxyPort *x = *(ProxyPort *const *)a, *y = *(ProxyPort *const *)b;
    int order = strcmp(x->name, y->name);
    if (order == 0)
        order = (int)x->family - (int)y->family;
    if (order == 0)
        order = (int)x->protocol - (int)y->protocol;
    return order != 0 ? order : (int)x->port - (int)y->port;
}

ProxyTable *
proxy_table_new(const PMap *services, const PMap *slices, const ProxyTable *previous)
{
    g_autoptr(GHashTable) by_service = slices_by_service(slices);
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    ProxyTable *table = g_new0(ProxyTable, 1);
    table->references = 1;
    table->entries = pmap_new(&entries_type);
    table->ports = g_ptr_array_new();
    bool same = previous != NULL;
    PMapIter iter = pmap_seek(services, NULL);
    while (pmap_next(&iter)) {
        if (!is_ours(iter.value) || !has_virtual_ip(iter.value))
            continue;
        GPtrArray *its = g_hash_table_lookup(by_service, iter.key);
        its = its != NULL ? its : none;
        ProxyEntry *entry = previous != NULL ? pmap_get(previous->entries, iter.key) : NULL;
        if (entry_is_of(entry, iter.value, its)) {
            entry->references++;
        } else {
            entry = entry_new(iter.value, its);
            same = false;
        }
        pmap_put(&table->entries, iter.key, entry);
        for (unsigned i = 0; i < entry->ports->len; i++)
            g_ptr_array_add(table->ports, entry->ports->pdata[i]);
    }
    if (same && pmap_count(previous->entries) == pmap_count(table->entries)) {
        proxy_table_unref(table);
        return proxy_table_ref(previous);
    }
    g_ptr_array_sort(table->ports, compare_ports);
    return table;
}

ProxyTable *
proxy_table_ref(const ProxyTable *table)
{
    ProxyTable *owned = (ProxyTable *)table;
    owned->references++;
    return owned;
}

void
proxy_table_unref(ProxyTable *table)
{
    if (table == NULL || --table->references > 0)
        return;
    if (table->by_address != NULL)
        g_hash_table_unref(table->by_address);
    g_ptr_array_unref(table->ports);
    pmap_unref(table->entries);
    g_free(table);
}

size_t
proxy_table_count(const ProxyTable *table)
{
    return table->ports->len;
}

const ProxyPort *
proxy_table_port(const ProxyTable *table, size_t index)
{
    g_assert(index < table->ports->len);
    return table->ports->pdata[index];
}
