/* Nodes, namespaces, quotas, priority classes, disruption budgets. */
#include <string.h>

#include "cli/kubectl/describe.h"
#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/object/quantity.h"

#define INT G_GINT64_FORMAT
#define ROLE "node-role.kubernetes.io/"

static void
roles(Describing *d, const Value *node)
{
    g_autoptr(GString) text = g_string_new(NULL);
    VALUE_MAP_FOREACH (key, value, object_labels(node))
        if (g_str_has_prefix(key, ROLE) && key[strlen(ROLE)] != '\0')
            g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "", key + strlen(ROLE));
    describe_line(d, 0, "Roles:\t%s", or_none(text->str));
}

static void
taints(Describing *d, const Value *list)
{
    bool first = true;
    g_string_append(d->out, "Taints:\t");
    if (value_size(list) == 0)
        g_string_append(d->out, "<none>\n");
    VALUE_ARRAY_FOREACH (taint, list) {
        const char *value = value_text(value_get(taint, "value"));
        g_string_append_printf(d->out, "%s%s%s%s:%s\n", first ? "" : "\t",
                               value_text(value_get(taint, "key")), *value != '\0' ? "=" : "",
                               value, value_text(value_get(taint, "effect")));
        first = false;
    }
}

static void
lease(Describing *d, const Value *node)
{
    const ApiKind *kind =
        api_types_by_resource(d->kube->env->types, "coordination.k8s.io", NULL, "leases");
    g_autofree char *error = NULL;
    g_autoptr(Value) found =
        kind != NULL ? kube_get(d->kube, kind, "kube-node-lease", object_name(node), &error) : NULL;
    if (found == NULL) {
        g_autofree char *reason = g_strstrip(g_strdup(error != NULL ? error : ""));
        describe_line(d, 0, "Lease:\tFailed to get lease: %s", reason);
        return;
    }
    const Value *acquired = value_at(found, "spec.acquireTime"),
                *renewed = value_at(found, "spec.renewTime");
    g_autofree char *acquire = acquired != NULL ? describe_time(acquired) : g_strdup("<unset>");
    g_autofree char *renew = renewed != NULL ? describe_time(renewed) : g_strdup("<unset>");
    describe_line(d, 0, "Lease:");
    describe_line(d, 1, "HolderIdentity:\t%s", value_text_at(found, "spec.holderIdentity"));
    describe_line(d, 1, "AcquireTime:\t%s", acquire);
    describe_line(d, 1, "RenewTime:\t%s", renew);
}

static void
conditions(Describing *d, const Value *list)
{
    if (value_size(list) == 0)
        return;
    describe_line(d, 0, "Conditions:");
    describe_line(d, 1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    describe_line(d, 1, "----\t------\t-----------------\t------------------\t------\t-------");
    VALUE_ARRAY_FOREACH (condition, list) {
        g_autofree char *heartbeat = describe_time(value_get(condition, "lastHeartbeatTime"));
        g_autofree char *transition = describe_time(value_get(condition, "lastTransitionTime"));
        describe_line(d, 1, "%s \t%s \t%s \t%s \t%s \t%s", value_text(value_get(condition, "type")),
                      value_text(value_get(condition, "status")), heartbeat, transition,
                      value_text(value_get(condition, "reason")),
                      value_text(value_get(condition, "message")));
    }
}

static void
system_info(Describing *d, const Value *info)
{
    static const char *const fields[][2] = {
        {"Machine ID", "machineID"},
        {"System UUID", "systemUUID"},
        {"Boot ID", "bootID"},
        {"Kernel Version", "kernelVersion"},
        {"OS Image", "osImage"},
        {"Operating System", "operatingSystem"},
        {"Architecture", "architecture"},
        {"Container Runtime Version", "containerRuntimeVersion"},
        {"Kubelet Version", "kubeletVersion"},
        {"Kube-Proxy Version", "kubeProxyVersion"}};
    describe_line(d, 0, "System Info:");
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        describe_line(d, 1, "%s:\t%s", fields[i][0], value_text(value_get(info, fields[i][1])));
}

static int
percent(int64_t part, int64_t whole)
{
    return whole > 0 ? (int)((double)part / (double)whole * 100) : 0;
}

static char *
cpu_text(int64_t milli, int64_t whole)
{
    g_autofree char *text = quantity_text(quantity_from_milli(milli, QUANTITY_DECIMAL_SI));
    return g_strdup_printf("%s (%d%%)", text, percent(milli, whole));
}

static char *
bytes_text(int64_t bytes, int64_t whole)
{
    g_autofree char *text = quantity_text(quantity_from_int(bytes, QUANTITY_BINARY_SI));
    return g_strdup_printf("%s (%d%%)", text, percent(bytes, whole));
}

static void
add(ResourceList *sum, const ResourceList *one)
{
    sum->milli_cpu += one->milli_cpu;
    sum->memory += one->memory;
    sum->ephemeral_storage += one->ephemeral_storage;
}

static void
pod_row(Describing *d, const Value *pod, const ResourceList *whole, ResourceList *requests,
        ResourceList *limits)
{
    ResourceList request = {0}, limit = {0};
    pod_requests(pod, &request);
    pod_limits(pod, &limit);
    g_autofree char *age = describe_since(d, value_at(pod, "metadata.creationTimestamp"));
    g_autofree char *cpu = cpu_text(request.milli_cpu, whole->milli_cpu);
    g_autofree char *cpu_limit = cpu_text(limit.milli_cpu, whole->milli_cpu);
    g_autofree char *memory = bytes_text(request.memory, whole->memory);
    g_autofree char *memory_limit = bytes_text(limit.memory, whole->memory);
    describe_line(d, 1, "%s\t%s\t\t%s\t%s\t%s\t%s\t%s", object_namespace(pod), object_name(pod),
                  cpu, cpu_limit, memory, memory_limit, age);
    add(requests, &request);
    add(limits, &limit);
    resource_list_clear(&request);
    resource_list_clear(&limit);
}

static void
allocated(Describing *d, const Value *node)
{
    g_autofree char *fields = g_strdup_printf(
        "spec.nodeName=%s,status.phase!=Succeeded,status.phase!=Failed", object_name(node));
    g_autoptr(Value) list = describe_list(d, "", "pods", NULL, NULL, fields);
    ResourceList whole = {0}, requests = {0}, limits = {0};
    const Value *allocatable = value_at(node, "status.allocatable");
    resource_list_parse(allocatable != NULL ? allocatable : value_at(node, "status.capacity"),
                        &whole, NULL);
    describe_line(d, 0, "Non-terminated Pods:\t(%zu in total)",
                  value_size(value_get(list, "items")));
    describe_line(
        d, 1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    describe_line(
        d, 1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    VALUE_ARRAY_FOREACH (pod, value_get(list, "items"))
        pod_row(d, pod, &whole, &requests, &limits);
    g_autofree char *cpu = cpu_text(requests.milli_cpu, whole.milli_cpu);
    g_autofree char *cpu_limit = cpu_text(limits.milli_cpu, whole.milli_cpu);
    g_autofree char *memory = bytes_text(requests.memory, whole.memory);
    g_autofree char *memory_limit = bytes_text(limits.memory, whole.memory);
    g_autofree char *storage = bytes_text(requests.ephemeral_storage, whole.ephemeral_storage);
    g_autofree char *storage_limit = bytes_text(limits.ephemeral_storage, whole.ephemeral_storage);
    describe_line(d, 0, "Allocated resources:");
    describe_line(d, 0, "  (Total limits may be over 100 percent, i.e., overcommitted.)");
    describe_line(d, 1, "Resource\tRequests\tLimits");
    describe_line(d, 1, "--------\t--------\t------");
    describe_line(d, 1, "cpu\t%s\t%s", cpu, cpu_limit);
    describe_line(d, 1, "memory\t%s\t%s", memory, memory_limit);
    describe_line(d, 1, "ephemeral-storage\t%s\t%s", storage, storage_limit);
    resource_list_clear(&whole);
}

static void
node(Describing *d, const Value *object)
{
    g_autofree char *created = describe_time(value_at(object, "metadata.creationTimestamp"));
    const Value *status = value_get(object, "status");
    describe_name(d, object, false);
    roles(d, object);
    describe_map(d, "Labels", object_labels(object));
    describe_annotations(d, "Annotations", object_annotations(object));
    describe_line(d, 0, "CreationTimestamp:\t%s", created);
    taints(d, value_at(object, "spec.taints"));
    describe_line(d, 0, "Unschedulable:\t%s",
                  value_bool_at(object, "spec.unschedulable") ? "true" : "false");
    lease(d, object);
    conditions(d, value_get(status, "conditions"));
    describe_line(d, 0, "Addresses:");
    VALUE_ARRAY_FOREACH (address, value_get(status, "addresses"))
        describe_line(d, 1, "%s:\t%s", value_text(value_get(address, "type")),
                      value_text(value_get(address, "address")));
    describe_resources(d, 0, "Capacity", value_get(status, "capacity"));
    describe_resources(d, 0, "Allocatable", value_get(status, "allocatable"));
    system_info(d, value_get(status, "nodeInfo"));
    if (*value_text_at(object, "spec.podCIDR") != '\0') {
        describe_line(d, 0, "PodCIDR:\t%s", value_text_at(object, "spec.podCIDR"));
        describe_texts(d, "PodCIDRs", value_at(object, "spec.podCIDRs"));
    }
    if (*value_text_at(object, "spec.providerID") != '\0')
        describe_line(d, 0, "ProviderID:\t%s", value_text_at(object, "spec.providerID"));
    allocated(d, object);
}

/* ---- namespaces and quotas ---- */

static void
quota_rows(Describing *d, const Value *quota, const char *indent)
{
    VALUE_MAP_FOREACH (name, hard, value_at(quota, "status.hard")) {
        const Value *used = value_get(value_at(quota, "status.used"), name);
        g_autofree char *hard_text = describe_text(hard);
        g_autofree char *used_text = used != NULL ? describe_text(used) : g_strdup("0");
        describe_line(d, 0, "%s%s\t%s\t%s", indent, name, used_text, hard_text);
    }
}

static void
namespace_(Describing *d, const Value *object)
{
    describe_name(d, object, false);
    describe_map(d, "Labels", object_labels(object));
    describe_annotations(d, "Annotations", object_annotations(object));
    describe_line(d, 0, "Status:\t%s", value_text_at(object, "status.phase"));
    g_autoptr(Value) quotas =
        describe_list(d, "", "resourcequotas", object_name(object), NULL, NULL);
    describe_line(d, 0, "%s", "");
    if (value_size(value_get(quotas, "items")) == 0)
        describe_line(d, 0, "No resource quota.");
    else
        describe_line(d, 0, "Resource Quotas");
    VALUE_ARRAY_FOREACH (quota, value_get(quotas, "items")) {
        describe_line(d, 0, "  Name:\t%s", object_name(quota));
        describe_line(d, 0, "  Resource\tUsed\tHard");
        describe_line(d, 0, "  --------\t---\t---");
        quota_rows(d, quota, "  ");
    }
    g_autoptr(Value) ranges = describe_list(d, "", "limitranges", object_name(object), NULL, NULL);
    describe_line(d, 0, "%s", "");
    if (value_size(value_get(ranges, "items")) == 0)
        describe_line(d, 0, "No LimitRange resource.");
    VALUE_ARRAY_FOREACH (range, value_get(ranges, "items"))
        describe_line(d, 0, "LimitRange: %s", object_name(range));
}

static void
quota(Describing *d, const Value *object)
{
    describe_name(d, object, true);
    if (value_size(value_at(object, "spec.scopes")) > 0)
        describe_texts(d, "Scopes", value_at(object, "spec.scopes"));
    describe_line(d, 0, "Resource\tUsed\tHard");
    describe_line(d, 0, "--------\t----\t----");
    quota_rows(d, object, "");
}

static void
priority_class(Describing *d, const Value *object)
{
    g_autofree char *annotations = describe_pairs(object_annotations(object));
    describe_name(d, object, false);
    describe_line(d, 0, "Value:\t%" INT, value_int_at(object, "value"));
    describe_line(d, 0, "GlobalDefault:\t%s",
                  value_bool_at(object, "globalDefault") ? "true" : "false");
    describe_line(d, 0, "PreemptionPolicy:\t%s", value_text_at(object, "preemptionPolicy"));
    describe_line(d, 0, "Description:\t%s", value_text_at(object, "description"));
    describe_line(d, 0, "Annotations:\t%s", annotations);
}

static void
budget(Describing *d, const Value *object)
{
    g_autofree char *least = describe_text(value_at(object, "spec.minAvailable"));
    g_autofree char *most = describe_text(value_at(object, "spec.maxUnavailable"));
    g_autofree char *selector = describe_selector(value_at(object, "spec.selector"));
    describe_name(d, object, true);
    if (*least != '\0')
        describe_line(d, 0, "Min available:\t%s", least);
    else if (*most != '\0')
        describe_line(d, 0, "Max unavailable:\t%s", most);
    describe_line(d, 0, "Selector:\t%s", selector);
    describe_line(d, 0, "Status:");
    describe_line(d, 2, "Allowed disruptions:\t%" INT,
                  value_int_at(object, "status.disruptionsAllowed"));
    describe_line(d, 2, "Current:\t%" INT, value_int_at(object, "status.currentHealthy"));
    describe_line(d, 2, "Desired:\t%" INT, value_int_at(object, "status.desiredHealthy"));
    describe_line(d, 2, "Total:\t%" INT, value_int_at(object, "status.expectedPods"));
}

const Describer DESCRIBE_CLUSTER[] = {
    {"", "nodes", node, false},
    {"", "namespaces", namespace_, true},
    {"", "resourcequotas", quota, true},
    {"scheduling.k8s.io", "priorityclasses", priority_class, false},
    {"policy", "poddisruptionbudgets", budget, false},
    {NULL, NULL, NULL, false},
};
