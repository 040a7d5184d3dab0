/* Defaults that depend on other fields, kind by kind. Pods and templates: defaults_pod.c. The table
 * is at the end. */
#include "core/api/defaults.h"

#include <string.h>

#include "core/api/defaults_private.h"
#include "core/api/schema.h"

void
default_missing(Value **object, const char *path, Value *take)
{
    if (value_is_null(value_at(*object, path)))
        value_edit(object, path, take);
    else
        value_unref(take);
}

void
default_items(Value **object, const char *path, void (*one)(Value **item))
{
    g_autoptr(Value) list = value_ref(value_at(*object, path));
    bool changed = false;
    for (size_t i = 0; i < value_size(list); i++) {
        g_autoptr(Value) item = value_ref(value_item(list, i));
        one(&item);
        if (item == value_item(list, i))
            continue;
        value_replace(&list, value_set_item(list, i, g_steal_pointer(&item)));
        changed = true;
    }
    if (changed)
        value_edit(object, path, g_steal_pointer(&list));
}

static bool
is_at(const Value *object, const char *path, const char *text)
{
    return strcmp(value_text_at(object, path), text) == 0;
}

static void
labels_from_template(Value **object)
{
    const Value *labels = value_at(*object, "spec.template.metadata.labels");
    if (value_size(labels) > 0 && value_size(value_at(*object, "metadata.labels")) == 0)
        value_edit(object, "metadata.labels", value_ref(labels));
}

/* ---- workloads
 * -------------------------------------------------------------------------------------------- */

static void
deployment(Value **object)
{
    if (!is_at(*object, "spec.strategy.type", "RollingUpdate"))
        return;
    default_missing(object, "spec.strategy.rollingUpdate.maxUnavailable", value_new_string("25%"));
    default_missing(object, "spec.strategy.rollingUpdate.maxSurge", value_new_string("25%"));
}

static void
daemon_set(Value **object)
{
    if (!is_at(*object, "spec.updateStrategy.type", "RollingUpdate"))
        return;
    default_missing(object, "spec.updateStrategy.rollingUpdate.maxUnavailable", value_new_int(1));
    default_missing(object, "spec.updateStrategy.rollingUpdate.maxSurge", value_new_int(0));
}

static void
stateful_set(Value **object)
{
    default_missing(object, "spec.persistentVolumeClaimRetentionPolicy",
                    value_new_f("{whenDeleted: Retain, whenScaled: Retain}"));
    if (!is_at(*object, "spec.updateStrategy.type", "RollingUpdate"))
        return;
    default_missing(object, "spec.updateStrategy.rollingUpdate.partition", value_new_int(0));
}

static void
replication_controller(Value **object)
{
    labels_from_template(object);
    const Value *labels = value_at(*object, "spec.template.metadata.labels");
    if (value_size(labels) > 0 && value_size(value_at(*object, "spec.selector")) == 0)
        value_edit(object, "spec.selector", value_ref(labels));
}

static void
job(Value **object)
{
    bool per_index = !value_is_null(value_at(*object, "spec.backoffLimitPerIndex"));
    bool policy = !value_is_null(value_at(*object, "spec.podFailurePolicy"));
    if (value_is_null(value_at(*object, "spec.completions")) &&
        value_is_null(value_at(*object, "spec.parallelism")))
        value_edit(object, "spec.completions", value_new_int(1));
    default_missing(object, "spec.parallelism", value_new_int(1));
    default_missing(object, "spec.backoffLimit", value_new_int(per_index ? G_MAXINT32 : 6));
    default_missing(object, "spec.completionMode", value_new_string("NonIndexed"));
    default_missing(object, "spec.suspend", value_new_bool(false));
    default_missing(object, "spec.manualSelector", value_new_bool(false));
    default_missing(object, "spec.podReplacementPolicy",
                    value_new_string(policy ? "Failed" : "TerminatingOrFailed"));
    labels_from_template(object);
}

/* ---- core
 * -------------------------------------------------------------------------------------------------
 */

static void
service_port(Value **port)
{
    const Value *target = value_get(*port, "targetPort");
    bool empty = value_is_null(target) ||
                 (value_type(target) == VALUE_INT && value_int(target) == 0) ||
                 (value_is_string(target) && value_string_len(target) == 0);
    if (empty)
        value_edit(port, "targetPort", value_new_int(value_int(value_get(*port, "port"))));
}

static void
ingress_point(Value **ingress)
{
    if (*value_text_at(*ingress, "ip"))
        default_missing(ingress, "ipMode", value_new_string("VIP"));
}

static void
service(Value **object)
{
    const char *type = value_text_at(*object, "spec.type");
    bool balanced = strcmp(type, "LoadBalancer") == 0;
    bool outside = balanced || strcmp(type, "NodePort") == 0;
    bool external_name = strcmp(type, "ExternalName") == 0;
    bool external_ips =
        value_size(value_at(*object, "spec.externalIPs")) > 0 && strcmp(type, "ClusterIP") == 0;
    if (is_at(*object, "spec.sessionAffinity", "ClientIP"))
        default_missing(object, "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
                        value_new_int(10800));
    else if (is_at(*object, "spec.sessionAffinity", "None"))
        value_edit_remove(object, "spec.sessionAffinityConfig");
    default_items(object, "spec.ports", service_port);
    if (outside || external_ips)
        default_missing(object, "spec.externalTrafficPolicy", value_new_string("Cluster"));
    if (!external_name)
        default_missing(object, "spec.internalTrafficPolicy", value_new_string("Cluster"));
    if (balanced)
        default_missing(object, "spec.allocateLoadBalancerNodePorts", value_new_bool(true));
    default_items(object, "status.loadBalancer.ingress", ingress_point);
}

/* stringData is written, never read: it lands in data. */
static void
secret(Value **object)
{
    g_autoptr(Value) texts = value_ref(value_get(*object, "stringData"));
    if (!texts)
        return;
    g_autoptr(Value) data = value_ref(value_get(*object, "data"));
    if (!value_is_map(data))
        value_replace(&data, value_new_map());
    VALUE_MAP_FOREACH (key, text, texts) {
        char *encoded = g_base64_encode((const guchar *)value_text(text), value_string_len(text));
        value_replace(&data, value_set(data, key, value_new_string_take(encoded)));
    }
    if (value_size(data) > 0)
        value_edit(object, "data", g_steal_pointer(&data));
    value_edit_remove(object, "stringData");
}

static void
namespace_(Value **object)
{
    const char *name = value_text_at(*object, "metadata.name");
    if (*name && !is_at(*object, "metadata.labels['kubernetes.io/metadata.name']", name))
        value_edit(object, "metadata.labels['kubernetes.io/metadata.name']",
                   value_new_string(name));
}

static void
node(Value **object)
{
    const Value *capacity = value_at(*object, "status.capacity");
    if (capacity)
        default_missing(object, "status.allocatable", value_ref(capacity));
}

static void
fill_from(Value **map, const Value *from)
{
    VALUE_MAP_FOREACH (key, quantity, from)
        if (!value_has(*map, key))
            value_replace(map, value_set(*map, key, value_ref(quantity)));
}

static void
limit_range_item(Value **item)
{
    if (!is_at(*item, "type", "Container"))
        return;
    g_autoptr(Value) limits = value_ref(value_get(*item, "default"));
    g_autoptr(Value) requests = value_ref(value_get(*item, "defaultRequest"));
    if (!limits)
        limits = value_new_map();
    if (!requests)
        requests = value_new_map();
    fill_from(&limits, value_get(*item, "max"));
    fill_from(&requests, limits);
    fill_from(&requests, value_get(*item, "min"));
    if (value_size(limits) > 0)
        value_edit(item, "default", g_steal_pointer(&limits));
    if (value_size(requests) > 0)
        value_edit(item, "defaultRequest", g_steal_pointer(&requests));
}

static void
limit_range(Value **object)
{
    default_items(object, "spec.limits", limit_range_item);
}

/* ---- other groups
 * ----------------------------------------------------------------------------------------- */

static void
network_policy(Value **object)
{
    if (value_size(value_at(*object, "spec.policyTypes")) > 0)
        return;
    bool egress = value_size(value_at(*object, "spec.egress")) > 0;
    value_edit(object, "spec.policyTypes",
               egress ? value_new_f("[Ingress, Egress]") : value_new_f("[Ingress]"));
}

static void
csi_driver(Value **object)
{
    if (value_size(value_at(*object, "spec.volumeLifecycleModes")) == 0)
        value_edit(object, "spec.volumeLifecycleModes", value_new_f("[Persistent]"));
}

/* Kinds by their qualified resource; `spec_path` leads to the pod specification inside. */
static const struct {
    const char *qualified;
    void (*fill)(Value **object);
    const char *spec_path;
} DEFAULTS[] = {
    {"pods", default_pod, "spec"},
    {"podtemplates", NULL, "template.spec"},
    {"replicationcontrollers", replication_controller, "spec.template.spec"},
    {"services", service, NULL},
    {"secrets", secret, NULL},
    {"namespaces", namespace_, NULL},
    {"nodes", node, NULL},
    {"limitranges", limit_range, NULL},
    {"deployments.apps", deployment, "spec.template.spec"},
    {"replicasets.apps", NULL, "spec.template.spec"},
    {"daemonsets.apps", daemon_set, "spec.template.spec"},
    {"statefulsets.apps", stateful_set, "spec.template.spec"},
    {"jobs.batch", job, "spec.template.spec"},
    {"cronjobs.batch", NULL, "spec.jobTemplate.spec.template.spec"},
    {"networkpolicies.networking.k8s.io", network_policy, NULL},
    {"csidrivers.storage.k8s.io", csi_driver, NULL},
};

Value *
api_default(const ApiTypes *types, const ApiKind *kind, const Value *object)
{
    Value *result = schema_default(kind->schema, object);
    const char *qualified = api_kind_qualified(kind);
    for (size_t i = 0; i < G_N_ELEMENTS(DEFAULTS); i++) {
        if (strcmp(DEFAULTS[i].qualified, qualified) != 0)
            continue;
        if (DEFAULTS[i].fill)
            DEFAULTS[i].fill(&result);
        if (DEFAULTS[i].spec_path && value_is_map(value_at(result, DEFAULTS[i].spec_path))) {
            g_autoptr(Value) spec = value_ref(value_at(result, DEFAULTS[i].spec_path));
            g_autoptr(Value) before = value_ref(spec);
            default_pod_spec(&spec);
            if (spec != before)
                value_edit(&result, DEFAULTS[i].spec_path, g_steal_pointer(&spec));
        }
        break;
    }
    return result;
}
