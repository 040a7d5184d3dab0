/* Names below the cluster's domain, read from the right:
 *
 *   domain  <- svc <- namespace <- service <- endpoint, or _protocol <- _port
 *           <- pod <- namespace <- dashed address
 *           <- dns-version                                                     */
#include "core/dns/records.h"

#include <arpa/inet.h>
#include <string.h>

#define DNS_SPECIFICATION "1.1.0"
#define LABELS_MAX 8
#define BY_SERVICE "service"
#define BY_ADDRESS "address"
#define SERVICE_NAME_LABEL "kubernetes.io/service-name"

/* ---- indices
 * -------------------------------------------------------------------------------------------- */

static void
service_addresses(const Value *service, GPtrArray *ret_strings)
{
    const Value *spec = value_get(service, "spec");
    const Value *all = value_get(spec, "clusterIPs");
    if (value_size(all) == 0 && value_is_string(value_get(spec, "clusterIP")))
        g_ptr_array_add(ret_strings, g_strdup(value_text(value_get(spec, "clusterIP"))));
    for (size_t i = 0; i < value_size(all) && i < 2; i++)
        g_ptr_array_add(ret_strings, g_strdup(value_text(value_item(all, i))));
}

static char *
slice_service(const Value *slice)
{
    const Value *metadata = value_get(slice, "metadata");
    return g_strconcat(value_text(value_get(metadata, "namespace")), "/",
                       value_text(value_get(value_get(metadata, "labels"), SERVICE_NAME_LABEL)),
                       NULL);
}

static void
slice_services(const Value *slice, GPtrArray *ret_strings)
{
    g_ptr_array_add(ret_strings, slice_service(slice));
}

void
dns_view_add_indices(Informer *services, Informer *slices)
{
    informer_add_index(services, BY_ADDRESS, service_addresses);
    informer_add_index(slices, BY_SERVICE, slice_services);
}

/* ---- answers
 * -------------------------------------------------------------------------------------------- */

typedef struct {
    const DnsView *view;
    const DnsQuery *query;
    DnsAnswer *answer;
    bool exists;   /* the name does, whatever the type */
    char **labels; /* before the domain, from the right; lower case */
    unsigned n_labels;
} Lookup;

static void
add_soa(Lookup *lookup, GPtrArray *section)
{
    const DnsView *view = lookup->view;
    DnsRecord *soa = dns_record_add(section, view->domain, DNS_SOA, view->ttl);
    soa->target = g_strconcat("ns.dns.", view->domain, NULL);
    soa->text = g_strconcat("hostmaster.", view->domain, NULL);
    soa->serial = (uint32_t)informer_revision(view->services);
    soa->minimum = view->ttl;
}

static bool
asks(const Lookup *lookup, DnsType type)
{
    return lookup->query->type == type || lookup->query->type == DNS_ANY;
}

static bool
has_address(const GPtrArray *section, const char *name, const char *address)
{
    for (unsigned i = 0; i < section->len; i++) {
        const DnsRecord *record = section->pdata[i];
        if (g_strcmp0(record->address, address) == 0 && strcmp(record->name, name) == 0)
            return true;
    }
    return false;
}

/* An A or AAAA record, each once. */
static void
add_address(const Lookup *lookup, GPtrArray *section, const char *name, const char *address)
{
    DnsType type = strchr(address, ':') != NULL ? DNS_AAAA : DNS_A;
    if (has_address(section, name, address))
        return;
    DnsRecord *record = dns_record_add(section, name, type, lookup->view->ttl);
    if (record != NULL)
        record->address = g_strdup(address);
}

static void
add_srv(const Lookup *lookup, const char *target, int64_t port)
{
    GPtrArray *answers = lookup->answer->answers;
    for (unsigned i = 0; i < answers->len; i++) {
        const DnsRecord *other = answers->pdata[i];
        if (other->port == port && g_strcmp0(other->target, target) == 0)
            return;
    }
    DnsRecord *record = dns_record_add(answers, lookup->query->name, DNS_SRV, lookup->view->ttl);
    if (record == NULL)
        return;
    record->port = (uint16_t)port;
    record->target = g_strdup(target);
}

/* CoreDNS shares a weight of 100 among the records of one priority. */
static void
share_weights(const Lookup *lookup)
{
    GPtrArray *answers = lookup->answer->answers;
    for (unsigned i = 0; i < answers->len; i++) {
        DnsRecord *record = answers->pdata[i];
        if (record->type == DNS_SRV)
            record->weight = (uint16_t)MAX(100 / answers->len, 1);
    }
}

/* One address of a service or an endpoint, as the question wants it. */
static void
give(Lookup *lookup, const char *target, const char *address, int64_t port)
{
    lookup->exists = true;
    if (asks(lookup, DNS_SRV) && port > 0) {
        add_srv(lookup, target, port);
        add_address(lookup, lookup->answer->additional, target, address);
    }
    if (asks(lookup, strchr(address, ':') != NULL ? DNS_AAAA : DNS_A))
        add_address(lookup, lookup->answer->answers, lookup->query->name, address);
}

/* ---- services
 * ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *port, *protocol; /* NULL: any; without their underscores */
    const char *endpoint;        /* NULL: the service itself */
} Selection;

static bool
port_matches(const Selection *selection, const Value *port)
{
    const char *protocol = value_text(value_get(port, "protocol"));
    return (selection->port == NULL ||
            g_ascii_strcasecmp(value_text(value_get(port, "name")), selection->port) == 0) &&
           (selection->protocol == NULL ||
            g_ascii_strcasecmp(protocol[0] != '\0' ? protocol : "TCP", selection->protocol) == 0);
}

/* "hostname", or the address with dashes: 10-1-2-3, fd00--1. */
static char *
endpoint_hostname(const Value *endpoint, const char *address)
{
    const char *hostname = value_string(value_get(endpoint, "hostname"));
    if (hostname != NULL && hostname[0] != '\0')
        return g_strdup(hostname);
    return g_strdelimit(g_strdup(address), ".:", '-');
}

static void
give_endpoint(Lookup *lookup, const Selection *selection, const char *service_name,
              const Value *slice, const Value *endpoint)
{
    const Value *ports = value_get(slice, "ports");
    VALUE_ARRAY_FOREACH (item, value_get(endpoint, "addresses")) {
        const char *address = value_text(item);
        g_autofree char *hostname = endpoint_hostname(endpoint, address);
        if (selection->endpoint != NULL && g_ascii_strcasecmp(hostname, selection->endpoint) != 0)
            continue;
        g_autofree char *target = g_strconcat(hostname, ".", service_name, NULL);
        if (value_size(ports) == 0 && selection->port == NULL)
            give(lookup, target, address, 0);
        VALUE_ARRAY_FOREACH (port, ports)
            if (port_matches(selection, port))
                give(lookup, target, address, value_int(value_get(port, "port")));
    }
}

static void
give_endpoints(Lookup *lookup, const Selection *selection, const char *key,
               const char *service_name)
{
    const GPtrArray *slices = informer_by_index(lookup->view->slices, BY_SERVICE, key);
    for (unsigned i = 0; slices != NULL && i < slices->len; i++) {
        const Value *slice = slices->pdata[i];
        if (strcmp(value_text(value_get(slice, "addressType")), "FQDN") == 0)
            continue;
        VALUE_ARRAY_FOREACH (endpoint, value_get(slice, "endpoints")) {
            const Value *ready = value_get(value_get(endpoint, "conditions"), "ready");
            if (value_is_null(ready) || value_bool(ready))
                give_endpoint(lookup, selection, service_name, slice, endpoint);
        }
    }
}

static void
give_service(Lookup *lookup, const Selection *selection, const Value *service, const char *key,
             const char *service_name)
{
    const Value *spec = value_get(service, "spec");
    const char *cluster_ip = value_text(value_get(spec, "clusterIP"));
    if (strcmp(value_text(value_get(spec, "type")), "ExternalName") == 0) {
        if (selection->endpoint != NULL || selection->port != NULL)
            return;
        lookup->exists = true;
        if (asks(lookup, DNS_CNAME) || asks(lookup, DNS_A) || asks(lookup, DNS_AAAA)) {
            DnsRecord *alias = dns_record_add(lookup->answer->answers, lookup->query->name,
                                              DNS_CNAME, lookup->view->ttl);
            g_autofree char *target = g_strdup(value_text(value_get(spec, "externalName")));
            if (g_str_has_suffix(target, "."))
                target[strlen(target) - 1] = '\0';
            alias->target = g_steal_pointer(&target);
        }
        return;
    }
    if (strcmp(cluster_ip, "None") == 0 || selection->endpoint != NULL) {
        give_endpoints(lookup, selection, key, service_name);
        return;
    }
    if (cluster_ip[0] == '\0')
        return;
    g_autoptr(Value) one = value_new_f("[%s]", cluster_ip);
    const Value *all = value_get(spec, "clusterIPs");
    VALUE_ARRAY_FOREACH (address, value_size(all) > 0 ? all : one)
        VALUE_ARRAY_FOREACH (port, value_get(spec, "ports"))
            if (port_matches(selection, port))
                give(lookup, service_name, value_text(address), value_int(value_get(port, "port")));
}

/* labels: svc, namespace, service, ... */
static void
lookup_service(Lookup *lookup)
{
    if (lookup->n_labels < 3) {
        lookup->exists = lookup->n_labels == 1 ||
                         informer_get(lookup->view->namespaces, lookup->labels[1]) != NULL;
        return;
    }
    Selection selection = {0};
    char **labels = lookup->labels;
    if (lookup->n_labels == 4 && labels[3][0] != '_') {
        selection.endpoint = labels[3];
    } else if (lookup->n_labels == 5 && labels[3][0] == '_' && labels[4][0] == '_') {
        selection.protocol = labels[3] + 1;
        selection.port = labels[4] + 1;
    } else if (lookup->n_labels != 3) {
        return;
    }
    g_autofree char *key = g_strconcat(labels[1], "/", labels[2], NULL);
    const Value *service = informer_get(lookup->view->services, key);
    if (service == NULL || informer_get(lookup->view->namespaces, labels[1]) == NULL)
        return;
    g_autofree char *name =
        g_strconcat(labels[2], ".", labels[1], ".svc.", lookup->view->domain, NULL);
    give_service(lookup, &selection, service, key, name);
    share_weights(lookup);
}

/* ---- pods
 * -------------------------------------------------------------------------------------------------
 */

/* `pods insecure`: any address is confirmed, as long as its namespace is there. */
static void
lookup_pod(Lookup *lookup)
{
    if (lookup->n_labels < 3) {
        lookup->exists = lookup->n_labels == 1 ||
                         informer_get(lookup->view->namespaces, lookup->labels[1]) != NULL;
        return;
    }
    if (lookup->n_labels != 3 || informer_get(lookup->view->namespaces, lookup->labels[1]) == NULL)
        return;
    uint8_t bytes[16];
    g_autofree char *address = g_strdelimit(g_strdup(lookup->labels[2]), "-", '.');
    if (inet_pton(AF_INET, address, bytes) != 1) {
        g_free(address);
        address = g_strdelimit(g_strdup(lookup->labels[2]), "-", ':');
        if (inet_pton(AF_INET6, address, bytes) != 1)
            return;
    }
    give(lookup, lookup->query->name, address, 0);
}

/* ---- reverse
 * ------------------------------------------------------------------------------------------------
 */

/* "4.3.2.1.in-addr.arpa" -> "1.2.3.4"; NULL when it is none. */
static char *
reverse_address(const char *name)
{
    bool v4 = dns_name_in(name, "in-addr.arpa"), v6 = dns_name_in(name, "ip6.arpa");
    if (!v4 && !v6)
        return NULL;
    g_auto(GStrv) labels = g_strsplit(name, ".", DNS_NAME_MAX);
    g_autoptr(GString) text = g_string_new(NULL);
    int n = (int)g_strv_length(labels) - 2, wanted = v4 ? 4 : 32;
    if (n != wanted)
        return NULL;
    for (int i = n - 1; i >= 0; i--) {
        if (v6 && strlen(labels[i]) != 1)
            return NULL;
        g_string_append(text, labels[i]);
        if (i > 0 && (v4 || (n - i) % 4 == 0))
            g_string_append_c(text, v4 ? '.' : ':');
    }
    char clean[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (inet_pton(v4 ? AF_INET : AF_INET6, text->str, bytes) != 1)
        return NULL;
    inet_ntop(v4 ? AF_INET : AF_INET6, bytes, clean, sizeof clean);
    return g_strdup(clean);
}

static void
add_ptr(Lookup *lookup, char *take_target)
{
    lookup->exists = true;
    DnsRecord *record = NULL;
    if (asks(lookup, DNS_PTR))
        record = dns_record_add(lookup->answer->answers, lookup->query->name, DNS_PTR,
                                lookup->view->ttl);
    if (record != NULL)
        record->target = take_target;
    else
        g_free(take_target);
}

/* Endpoints by address: the slices of a cluster are gone through, as reverse questions are rare. */
static void
reverse_endpoints(Lookup *lookup, const char *address)
{
    InformerIter iter;
    const Value *slice;
    informer_iter_init(&iter, lookup->view->slices, NULL);
    while ((slice = informer_iter_next(&iter, NULL)) != NULL) {
        VALUE_ARRAY_FOREACH (endpoint, value_get(slice, "endpoints")) {
            const char *its = value_text(value_item(value_get(endpoint, "addresses"), 0));
            if (strcmp(its, address) != 0)
                continue;
            const Value *metadata = value_get(slice, "metadata");
            g_autofree char *hostname = endpoint_hostname(endpoint, its);
            add_ptr(lookup,
                    g_strdup_printf(
                        "%s.%s.%s.svc.%s", hostname,
                        value_text(value_get(value_get(metadata, "labels"), SERVICE_NAME_LABEL)),
                        value_text(value_get(metadata, "namespace")), lookup->view->domain));
        }
    }
}

static void
lookup_reverse(Lookup *lookup, const char *address)
{
    const GPtrArray *services = informer_by_index(lookup->view->services, BY_ADDRESS, address);
    for (unsigned i = 0; services != NULL && i < services->len; i++) {
        const Value *metadata = value_get(services->pdata[i], "metadata");
        add_ptr(lookup, g_strdup_printf("%s.%s.svc.%s", value_text(value_get(metadata, "name")),
                                        value_text(value_get(metadata, "namespace")),
                                        lookup->view->domain));
    }
    if (services == NULL || services->len == 0)
        reverse_endpoints(lookup, address);
}

/* ---- the question
 * --------------------------------------------------------------------------------------------- */

static void
lookup_domain(Lookup *lookup)
{
    const char *first = lookup->n_labels > 0 ? lookup->labels[0] : "";
    GPtrArray *answers = lookup->answer->answers;
    if (lookup->n_labels == 0) {
        lookup->exists = true;
        if (asks(lookup, DNS_SOA))
            add_soa(lookup, answers);
        if (asks(lookup, DNS_NS))
            dns_record_add(answers, lookup->query->name, DNS_NS, lookup->view->ttl)->target =
                g_strconcat("ns.dns.", lookup->view->domain, NULL);
    } else if (lookup->n_labels == 1 && strcmp(first, "dns-version") == 0) {
        lookup->exists = true;
        if (asks(lookup, DNS_TXT))
            dns_record_add(answers, lookup->query->name, DNS_TXT, lookup->view->ttl)->text =
                g_strdup(DNS_SPECIFICATION);
    } else if (strcmp(first, "svc") == 0) {
        lookup_service(lookup);
    } else if (strcmp(first, "pod") == 0) {
        lookup_pod(lookup);
    }
}

static void
split_labels(Lookup *lookup)
{
    size_t keep = strlen(lookup->query->name) - strlen(lookup->view->domain);
    g_autofree char *before =
        g_ascii_strdown(lookup->query->name, (gssize)(keep > 0 ? keep - 1 : 0));
    lookup->labels = g_strsplit(before, ".", -1);
    lookup->n_labels = before[0] != '\0' ? g_strv_length(lookup->labels) : 0;
    for (unsigned i = 0; i < lookup->n_labels / 2; i++) {
        char *swap = lookup->labels[i];
        lookup->labels[i] = lookup->labels[lookup->n_labels - 1 - i];
        lookup->labels[lookup->n_labels - 1 - i] = swap;
    }
}

DnsAnswer *
dns_lookup(const DnsView *view, const DnsQuery *query)
{
    Lookup lookup = {.view = view, .query = query};
    g_autofree char *reverse = reverse_address(query->name);
    if (reverse == NULL && !dns_name_in(query->name, view->domain))
        return NULL;
    lookup.answer = dns_answer_new(DNS_NOERROR);
    lookup.answer->authoritative = true;
    if (reverse != NULL) {
        lookup_reverse(&lookup, reverse);
        if (!lookup.exists)
            g_clear_pointer(&lookup.answer, dns_answer_free);
        return lookup.answer;
    }
    split_labels(&lookup);
    if (lookup.n_labels <= LABELS_MAX)
        lookup_domain(&lookup);
    g_strfreev(lookup.labels);
    if (!lookup.exists)
        lookup.answer->code = DNS_NXDOMAIN;
    if (lookup.answer->answers->len == 0)
        add_soa(&lookup, lookup.answer->authority);
    return lookup.answer;
}
