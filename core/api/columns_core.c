/* Columns of nodes, namespaces, events, configuration, quotas, leases and priority classes. */
#include <string.h>

#include "core/api/columns_private.h"
#include "core/api/meta.h"

#define ROLE_LABEL_PREFIX "node-role.kubernetes.io/"
#define ROLE_LABEL "kubernetes.io/role"

/* ---- Node ---- */

static const Column node_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "Whether the node is ready and takes pods", NULL, 0},
    {"Roles", "string", "Roles that the node's labels give it", NULL, 0},
    COLUMN_AGE,
    {"Version", "string", "Version of the kubelet", NULL, 0},
    {"Internal-IP", "string", "Address within the cluster's network", NULL, 1},
    {"External-IP", "string", "Address seen from outside", NULL, 1},
    {"OS-Image", "string", "Operating system", NULL, 1},
    {"Kernel-Version", "string", "Version of the kernel", NULL, 1},
    {"Container-Runtime", "string", "Container runtime and its version", NULL, 1},
};

static int
text_compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
node_roles(Row *row, const Value *labels)
{
    g_autoptr(GPtrArray) roles = g_ptr_array_new();
    GString *text = g_string_new(NULL);

    VALUE_MAP_FOREACH (key, value, labels) {
        const char *role = g_str_has_prefix(key, ROLE_LABEL_PREFIX) ? key + strlen(ROLE_LABEL_PREFIX) : "";

        if (strcmp(key, ROLE_LABEL) == 0)
            role = value_text(value);
        if (*role != '\0')
            g_ptr_array_add(roles, (gpointer)role);
    }
    g_ptr_array_sort(roles, text_compare);
    for (unsigned i = 0; i < roles->len; i++)
        if (i == 0 || strcmp(roles->pdata[i - 1], roles->pdata[i]) != 0)
            g_string_append_printf(text, "%s%s", i > 0 ? "," : "", (const char *)roles->pdata[i]);
    if (text->len == 0)
        g_string_append(text, "<none>");
    row_take(row, g_string_free(text, FALSE));
}

static void
node_address(Row *row, const Value *addresses, const char *type)
{
    VALUE_ARRAY_FOREACH (address, addresses)
        if (strcmp(value_text(value_get(address, "type")), type) == 0) {
            row_value(row, value_get(address, "address"));
            return;
        }
    row_text(row, "<none>");
}

static void
node_fill(Row *row, const Value *object)
{
    const Value *status = value_get(object, "status"), *info = value_get(status, "nodeInfo");
    const Value *ready = condition_find(value_get(status, "conditions"), "Ready");
    bool is_ready = strcmp(value_text(value_get(ready, "status")), "True") == 0;

    row_name(row, object);
    row_take(row, g_strconcat(ready == NULL ? "Unknown" : is_ready ? "Ready" : "NotReady",
                              value_bool_at(object, "spec.unschedulable") ? ",SchedulingDisabled" : "", NULL));
    node_roles(row, object_labels(object));
    row_age(row, object);
    row_value(row, value_get(info, "kubeletVersion"));
    node_address(row, value_get(status, "addresses"), "InternalIP");
    node_address(row, value_get(status, "addresses"), "ExternalIP");
    row_value_or(row, value_get(info, "osImage"), "<unknown>");
    row_value_or(row, value_get(info, "kernelVersion"), "<unknown>");
    row_value_or(row, value_get(info, "containerRuntimeVersion"), "<unknown>");
}

/* ---- Namespace, Secret, ConfigMap, ServiceAccount ---- */

static const Column namespace_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "Whether the namespace is active or being emptied", NULL, 0},
    COLUMN_AGE,
};

static void
namespace_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_value(row, value_at(object, "status.phase"));
    row_age(row, object);
}

static const Column secret_columns[] = {
    COLUMN_NAME,
    {"Type", "string", "What the secret is for", NULL, 0},
    {"Data", "string", "Number of entries", NULL, 0},
    COLUMN_AGE,
};

static void
secret_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_value(row, value_get(object, "type"));
    row_int(row, (int64_t)value_size(value_get(object, "data")));
    row_age(row, object);
}

static const Column config_map_columns[] = {
    COLUMN_NAME,
    {"Data", "string", "Number of entries", NULL, 0},
    COLUMN_AGE,
};

static void
config_map_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_int(row, (int64_t)(value_size(value_get(object, "data")) + value_size(value_get(object, "binaryData"))));
    row_age(row, object);
}

static const Column service_account_columns[] = {
    COLUMN_NAME,
    {"Secrets", "string", "Number of secrets that its pods may use", NULL, 0},
    COLUMN_AGE,
};

static void
service_account_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_int(row, (int64_t)value_size(value_get(object, "secrets")));
    row_age(row, object);
}

/* ---- Event: of the core group, and of events.k8s.io with its own field names ---- */

static const Column event_columns[] = {
    {"Last Seen", "string", "Time since it happened last", NULL, 0},
    {"Type", "string", "Normal or Warning", NULL, 0},
    {"Reason", "string", "What happened, in a word", NULL, 0},
    {"Object", "string", "Object to which it happened", NULL, 0},
    {"Subobject", "string", "Part of the object to which it happened", NULL, 1},
    {"Source", "string", "Component that reports it, and its host", NULL, 1},
    {"Message", "string", "What happened, in a sentence", NULL, 0},
    {"First Seen", "string", "Time since it happened first", NULL, 1},
    {"Count", "string", "How often it happened", NULL, 1},
    {"Name", "string", "Unique name of the object within its namespace", "name", 1},
};

static const Value *
either(const Value *object, const char *key, const char *other_key)
{
    const Value *value = value_get(object, key);

    return value_is_null(value) ? value_get(object, other_key) : value;
}

static void
event_object(Row *row, const Value *reference)
{
    g_autofree char *kind = g_ascii_strdown(value_text(value_get(reference, "kind")), -1);
    const char *name = value_text(value_get(reference, "name"));

    row_take(row, *name != '\0' ? g_strconcat(kind, "/", name, NULL) : g_steal_pointer(&kind));
}

static void
event_source(Row *row, const Value *event)
{
    const Value *source = either(event, "source", "deprecatedSource");
    const char *component = value_text(value_get(source, "component")), *host = value_text(value_get(source, "host"));

    if (*component == '\0')
        component = value_text(either(event, "reportingComponent", "reportingController"));
    if (*host == '\0')
        host = value_text(value_get(event, "reportingInstance"));
    row_take(row, g_strconcat(component, *host != '\0' ? ", " : "", host, NULL));
}

static void
event_message(Row *row, const Value *message)
{
    const char *text = value_text(message);
    size_t length = strlen(text);

    if (length > 0 && (g_ascii_isspace(text[0]) || g_ascii_isspace(text[length - 1])))
        row_take(row, g_strstrip(g_strdup(text)));
    else
        row_value(row, message);
}

static void
event_fill(Row *row, const Value *object)
{
    const Value *series = value_get(object, "series"), *reference = either(object, "involvedObject", "regarding");
    const Value *first = either(object, "firstTimestamp", "deprecatedFirstTimestamp");
    const Value *last = either(object, "lastTimestamp", "deprecatedLastTimestamp");
    int64_t count = value_int(either(object, "count", "deprecatedCount"));

    if (value_is_null(first))
        first = value_get(object, "eventTime");
    if (value_is_null(last))
        last = first;
    if (!value_is_null(series)) {
        last = value_get(series, "lastObservedTime");
        count = value_int(value_get(series, "count")) + 1; /* the series does not count its first event */
    }
    row_since(row, last);
    row_value(row, value_get(object, "type"));
    row_value(row, value_get(object, "reason"));
    event_object(row, reference);
    row_value(row, value_get(reference, "fieldPath"));
    event_source(row, object);
    event_message(row, either(object, "message", "note"));
    row_since(row, first);
    row_int(row, MAX(count, 1));
    row_name(row, object);
}

/* ---- ResourceQuota ---- */

static const Column resource_quota_columns[] = {
    COLUMN_NAME,
    {"Request", "string", "What is used and what is allowed", NULL, 0},
    {"Limit", "string", "What is used and allowed of limits", NULL, 0},
    COLUMN_AGE,
};

static void
resource_quota_fill(Row *row, const Value *object)
{
    const Value *hard = value_at(object, "status.hard"), *used = value_at(object, "status.used");
    GString *requests = g_string_new(NULL), *limits = g_string_new(NULL);

    VALUE_MAP_FOREACH (resource, quantity, hard) {
        GString *text = g_str_has_prefix(resource, "limits.") ? limits : requests;
        const char *now = value_string(value_get(used, resource));

        g_string_append_printf(text, "%s%s: %s/%s", text->len > 0 ? ", " : "", resource, now != NULL ? now : "0",
                               value_text(quantity));
    }
    row_name(row, object);
    row_take(row, g_string_free(requests, FALSE));
    row_take(row, g_string_free(limits, FALSE));
    row_age(row, object);
}

/* ---- ComponentStatus, Lease, PriorityClass ---- */

static const Column component_status_columns[] = {
    COLUMN_NAME,
    {"Status", "string", "Whether the component is healthy", NULL, 0},
    {"Message", "string", "What its health check said", NULL, 0},
    {"Error", "string", "Why its health check failed", NULL, 0},
};

static void
component_status_fill(Row *row, const Value *object)
{
    const Value *healthy = condition_find(value_get(object, "conditions"), "Healthy");
    bool is_healthy = strcmp(value_text(value_get(healthy, "status")), "True") == 0;

    row_name(row, object);
    row_text(row, healthy == NULL ? "Unknown" : is_healthy ? "Healthy" : "Unhealthy");
    row_value(row, value_get(healthy, "message"));
    row_value(row, value_get(healthy, "error"));
}

static const Column lease_columns[] = {
    COLUMN_NAME,
    {"Holder", "string", "Who holds the lease", NULL, 0},
    COLUMN_AGE,
};

static void
lease_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_value(row, value_at(object, "spec.holderIdentity"));
    row_age(row, object);
}

static const Column priority_class_columns[] = {
    COLUMN_NAME,
    {"Value", "integer", "Priority that pods of this class get", NULL, 0},
    {"Global-Default", "boolean", "Whether pods without a class get this one", NULL, 0},
    COLUMN_AGE,
    {"PreemptionPolicy", "string", "Whether pods of this class push others out", NULL, 0},
};

static void
priority_class_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_int(row, value_int(value_get(object, "value")));
    row_bool(row, value_bool(value_get(object, "globalDefault")));
    row_age(row, object);
    row_value_or(row, value_get(object, "preemptionPolicy"), "");
}

const ColumnTable column_tables_core[] = {
    COLUMN_TABLE("", "Node", node_columns, node_fill),
    COLUMN_TABLE("", "Namespace", namespace_columns, namespace_fill),
    COLUMN_TABLE("", "Event", event_columns, event_fill),
    COLUMN_TABLE("events.k8s.io", "Event", event_columns, event_fill),
    COLUMN_TABLE("", "Secret", secret_columns, secret_fill),
    COLUMN_TABLE("", "ConfigMap", config_map_columns, config_map_fill),
    COLUMN_TABLE("", "ServiceAccount", service_account_columns, service_account_fill),
    COLUMN_TABLE("", "ResourceQuota", resource_quota_columns, resource_quota_fill),
    COLUMN_TABLE("", "ComponentStatus", component_status_columns, component_status_fill),
    COLUMN_TABLE("coordination.k8s.io", "Lease", lease_columns, lease_fill),
    COLUMN_TABLE("scheduling.k8s.io", "PriorityClass", priority_class_columns, priority_class_fill),
    {0},
};
