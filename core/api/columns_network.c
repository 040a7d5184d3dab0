/* Columns of Services and what belongs to them, ingresses and network policies. */
#include <string.h>

#include "core/api/columns_private.h"
#include "core/api/meta.h"

#define SHOWN_MAX 3 /* of hosts, endpoints and ports; the rest is counted */

/* ---- lists that show their first few ---- */

typedef struct ShortList {
    GString *text;
    size_t count;
} ShortList;

static void
short_list_add(ShortList *list, const char *text)
{
    if (list->count++ >= SHOWN_MAX)
        return;
    g_string_append(list->text, list->count > 1 ? "," : "");
    g_string_append(list->text, text);
}

static void
row_short_list(Row *row, ShortList *list, const char *otherwise)
{
    if (list->count > SHOWN_MAX)
        g_string_append_printf(list->text, " + %zu more...", list->count - SHOWN_MAX);
    else if (list->text->len == 0)
        g_string_append(list->text, otherwise);
    row_take(row, g_string_free(list->text, FALSE));
}

/* ---- Service ---- */

static const Column service_columns[] = {
    COLUMN_NAME,
    {"Type", "string", "How the Service is reached", NULL, 0},
    {"Cluster-IP", "string", "Address within the cluster", NULL, 0},
    {"External-IP", "string", "Addresses outside the cluster", NULL, 0},
    {"Port(s)", "string", "Ports, with node ports after a colon", NULL, 0},
    COLUMN_AGE,
    COLUMN_SELECTOR,
};

static int
text_compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Addresses and host names of a load balancer, in order, each once. */
static char *
load_balancer_text(const Value *load_balancer)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    GString *text = g_string_new(NULL);

    VALUE_ARRAY_FOREACH (ingress, value_get(load_balancer, "ingress")) {
        const char *ip = value_text(value_get(ingress, "ip")), *name = value_text(value_get(ingress, "hostname"));

        if (*ip != '\0' || *name != '\0')
            g_ptr_array_add(names, (gpointer)(*ip != '\0' ? ip : name));
    }
    g_ptr_array_sort(names, text_compare);
    for (unsigned i = 0; i < names->len; i++) {
        if (i > 0 && strcmp(names->pdata[i - 1], names->pdata[i]) == 0)
            continue;
        g_string_append(text, text->len > 0 ? "," : "");
        g_string_append(text, names->pdata[i]);
    }
    return g_string_free(text, FALSE);
}

static void
service_external_ip(Row *row, const Value *service)
{
    const Value *spec = value_get(service, "spec");
    const char *type = value_text(value_get(spec, "type"));
    bool balanced = strcmp(type, "LoadBalancer") == 0;
    GString *text;

    if (strcmp(type, "ExternalName") == 0) {
        row_value(row, value_get(spec, "externalName"));
        return;
    }
    if (!balanced && strcmp(type, "ClusterIP") != 0 && strcmp(type, "NodePort") != 0) {
        row_text(row, "<unknown>");
        return;
    }
    text = g_string_new(NULL);
    if (balanced) {
        g_autofree char *ips = load_balancer_text(value_at(service, "status.loadBalancer"));

        g_string_append(text, ips);
    }
    VALUE_ARRAY_FOREACH (ip, value_get(spec, "externalIPs")) {
        g_string_append(text, text->len > 0 ? "," : "");
        g_string_append(text, value_text(ip));
    }
    if (text->len == 0)
        g_string_append(text, balanced ? "<pending>" : "<none>");
    row_take(row, g_string_free(text, FALSE));
}

static void
service_ports(Row *row, const Value *ports)
{
    GString *text = g_string_new(NULL);

    VALUE_ARRAY_FOREACH (port, ports) {
        int64_t node_port = value_int(value_get(port, "nodePort"));

        g_string_append(text, text->len > 0 ? "," : "");
        g_string_append_printf(text, "%" G_GINT64_FORMAT, value_int(value_get(port, "port")));
        if (node_port > 0)
            g_string_append_printf(text, ":%" G_GINT64_FORMAT, node_port);
        g_string_append_printf(text, "/%s", value_text(value_get(port, "protocol")));
    }
    if (text->len == 0)
        g_string_append(text, "<none>");
    row_take(row, g_string_free(text, FALSE));
}

static void
service_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *first = value_item(value_get(spec, "clusterIPs"), 0);

    row_name(row, object);
    row_value(row, value_get(spec, "type"));
    row_value_or(row, first != NULL ? first : value_get(spec, "clusterIP"), "<none>");
    service_external_ip(row, object);
    service_ports(row, value_get(spec, "ports"));
    row_age(row, object);
    row_labels(row, value_get(spec, "selector"));
}

/* ---- Endpoints, EndpointSlice ---- */

static const Column endpoints_columns[] = {
    COLUMN_NAME,
    {"Endpoints", "string", "Addresses and ports that stand behind the Service", NULL, 0},
    COLUMN_AGE,
};

static void
endpoints_add(ShortList *list, const Value *addresses, const Value *port)
{
    VALUE_ARRAY_FOREACH (address, addresses) {
        const char *ip = value_text(value_get(address, "ip"));
        bool brackets = strchr(ip, ':') != NULL;
        g_autofree char *text = NULL;

        if (port != NULL)
            text = g_strdup_printf("%s%s%s:%" G_GINT64_FORMAT, brackets ? "[" : "", ip, brackets ? "]" : "",
                                   value_int(value_get(port, "port")));
        short_list_add(list, text != NULL ? text : ip);
    }
}

static void
endpoints_fill(Row *row, const Value *object)
{
    const Value *subsets = value_get(object, "subsets");
    ShortList list = {.text = g_string_new(NULL)};

    VALUE_ARRAY_FOREACH (subset, subsets) {
        const Value *addresses = value_get(subset, "addresses"), *ports = value_get(subset, "ports");

        if (value_size(ports) == 0)
            endpoints_add(&list, addresses, NULL);
        VALUE_ARRAY_FOREACH (port, ports)
            endpoints_add(&list, addresses, port);
    }
    row_name(row, object);
    row_short_list(row, &list, value_size(subsets) == 0 ? "<none>" : "");
    row_age(row, object);
}

static const Column endpoint_slice_columns[] = {
    COLUMN_NAME,
    {"AddressType", "string", "Kind of the addresses: IPv4, IPv6 or FQDN", NULL, 0},
    {"Ports", "string", "Ports that every endpoint has", NULL, 0},
    {"Endpoints", "string", "Addresses of the endpoints", NULL, 0},
    COLUMN_AGE,
};

static void
endpoint_slice_fill(Row *row, const Value *object)
{
    ShortList ports = {.text = g_string_new(NULL)}, addresses = {.text = g_string_new(NULL)};

    VALUE_ARRAY_FOREACH (port, value_get(object, "ports")) {
        const Value *number = value_get(port, "port");
        const char *name = value_string(value_get(port, "name"));
        char text[24];

        g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, value_int(number));
        short_list_add(&ports, !value_is_null(number) ? text : name != NULL ? name : "*");
    }
    VALUE_ARRAY_FOREACH (endpoint, value_get(object, "endpoints"))
        VALUE_ARRAY_FOREACH (address, value_get(endpoint, "addresses"))
            short_list_add(&addresses, value_text(address));
    row_name(row, object);
    row_value(row, value_get(object, "addressType"));
    row_short_list(row, &ports, "<unset>");
    row_short_list(row, &addresses, "<unset>");
    row_age(row, object);
}

/* ---- Ingress, IngressClass, NetworkPolicy ---- */

static const Column ingress_columns[] = {
    COLUMN_NAME,
    {"Class", "string", "IngressClass that serves it", NULL, 0},
    {"Hosts", "string", "Host names that its rules match", NULL, 0},
    {"Address", "string", "Addresses of its load balancer", NULL, 0},
    {"Ports", "string", "Ports that it opens", NULL, 0},
    COLUMN_AGE,
};

static void
ingress_hosts(Row *row, const Value *rules)
{
    GString *text = g_string_new(NULL);
    size_t shown = 0;
    bool more = false;

    VALUE_ARRAY_FOREACH (rule, rules) {
        const char *host = value_text(value_get(rule, "host"));

        more |= shown == SHOWN_MAX;
        if (more || *host == '\0')
            continue;
        g_string_append(text, shown++ > 0 ? "," : "");
        g_string_append(text, host);
    }
    if (more)
        g_string_append_printf(text, " + %zu more...", value_size(rules) - SHOWN_MAX);
    else if (shown == 0)
        g_string_append(text, "*");
    row_take(row, g_string_free(text, FALSE));
}

static void
ingress_fill(Row *row, const Value *object)
{
    const Value *spec = value_get(object, "spec");

    row_name(row, object);
    row_value_or(row, value_get(spec, "ingressClassName"), "<none>");
    ingress_hosts(row, value_get(spec, "rules"));
    row_take(row, load_balancer_text(value_at(object, "status.loadBalancer")));
    row_text(row, value_size(value_get(spec, "tls")) > 0 ? "80, 443" : "80");
    row_age(row, object);
}

static const Column ingress_class_columns[] = {
    COLUMN_NAME,
    {"Controller", "string", "Controller that serves this class", NULL, 0},
    {"Parameters", "string", "Object with settings for the controller", NULL, 0},
    COLUMN_AGE,
};

static void
ingress_class_fill(Row *row, const Value *object)
{
    const Value *parameters = value_at(object, "spec.parameters");
    const char *group = value_string(value_get(parameters, "apiGroup"));

    row_name(row, object);
    row_value(row, value_at(object, "spec.controller"));
    if (parameters == NULL)
        row_text(row, "<none>");
    else
        row_take(row, g_strdup_printf("%s%s%s/%s", value_text(value_get(parameters, "kind")),
                                      group != NULL ? "." : "", group != NULL ? group : "",
                                      value_text(value_get(parameters, "name"))));
    row_age(row, object);
}

static const Column network_policy_columns[] = {
    COLUMN_NAME,
    {"Pod-Selector", "string", "Labels of the pods that the policy isolates", NULL, 0},
    COLUMN_AGE,
};

static void
network_policy_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_label_selector(row, value_at(object, "spec.podSelector"));
    row_age(row, object);
}

const ColumnTable column_tables_network[] = {
    COLUMN_TABLE("", "Service", service_columns, service_fill),
    COLUMN_TABLE("", "Endpoints", endpoints_columns, endpoints_fill),
    COLUMN_TABLE("discovery.k8s.io", "EndpointSlice", endpoint_slice_columns, endpoint_slice_fill),
    COLUMN_TABLE("networking.k8s.io", "Ingress", ingress_columns, ingress_fill),
    COLUMN_TABLE("networking.k8s.io", "IngressClass", ingress_class_columns, ingress_class_fill),
    COLUMN_TABLE("networking.k8s.io", "NetworkPolicy", network_policy_columns, network_policy_fill),
    {0},
};
