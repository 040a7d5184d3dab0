/* Configuration, accounts, namespaces, limits and quotas, priority classes, leases and events. */
#include "core/api/validation_private.h"

#include "core/base/text.h"
#include "core/object/json.h"
#include "core/object/label.h"
#include "core/object/quantity.h"

#define DATA_SIZE_MAX (1024 * 1024) /* MaxSecretSize */
#define USER_PRIORITY_MAX 1000000000
#define IMMUTABLE_SET "field is immutable when `immutable` is set"

/* ---- ConfigMap, Secret ---- */

static void
check_data_keys(const Path *at, const Value *data)
{
    VALUE_MAP_FOREACH (key, value, data)
        check_config_key(KEYED(at, key), key);
}

static size_t
data_size(const Value *data, bool is_base64)
{
    size_t total = 0;

    VALUE_MAP_FOREACH (key, value, data)
        total += is_base64 ? value_string_len(value) / 4 * 3 : value_string_len(value);
    return total;
}

static void
config_map_check(const Path *root, const Value *object)
{
    const Value *data = value_get(object, "data"), *binary = value_get(object, "binaryData");

    VALUE_MAP_FOREACH (key, value, data) {
        check_config_key(KEYED(AT(root, "data"), key), key);
        if (value_has(binary, key))
            bad_invalid_text(KEYED(AT(root, "data"), key), key, "duplicate of key present in binaryData");
    }
    check_data_keys(AT(root, "binaryData"), binary);
    if (data_size(data, false) + data_size(binary, true) > DATA_SIZE_MAX)
        bad_too_long(root, DATA_SIZE_MAX);
}

/* What is said once to stay as it is, stays. */
static void
check_immutable_data(const Path *root, const Value *object, const Value *old, const char *const *fields)
{
    if (!value_bool(value_get(old, "immutable")))
        return;
    if (!value_bool(value_get(object, "immutable")))
        bad_forbidden(AT(root, "immutable"), IMMUTABLE_SET);
    for (; *fields != NULL; fields++) {
        const Value *now = value_get(object, *fields), *then = value_get(old, *fields);

        if (now != then && !value_equal(now, then) && value_size(now) + value_size(then) > 0)
            bad_forbidden(AT(root, *fields), IMMUTABLE_SET);
    }
}

static void
config_map_check_update(const Path *root, const Value *object, const Value *old)
{
    check_immutable_data(root, object, old, TEXTS("data", "binaryData"));
}

static void
check_json_entry(const Path *at, const Value *entry)
{
    g_autofree uint8_t *bytes = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) parsed = NULL;
    size_t length = 0;

    if (entry == NULL) {
        bad_required(at, "");
        return;
    }
    bytes = text_base64_decode(value_text(entry), &length);
    parsed = bytes != NULL ? json_parse((const char *)bytes, length, &error) : NULL;
    if (parsed == NULL)
        bad_invalid_text(at, "<secret contents redacted>", error != NULL ? error->message : "unexpected end of JSON input");
}

static void
secret_check(const Path *root, const Value *object)
{
    const Value *data = value_get(object, "data"), *type = value_get(object, "type");
    const Path *at = AT(root, "data");
    const char *account = "kubernetes.io/service-account.name";
    const Value *annotations = value_at(object, "metadata.annotations");

    check_data_keys(at, data);
    if (data_size(data, true) > DATA_SIZE_MAX)
        bad_too_long(at, DATA_SIZE_MAX);
    if (text_is(type, "kubernetes.io/service-account-token")) {
        if (is_empty(value_get(annotations, account)))
            bad_required(KEYED(AT(AT(root, "metadata"), "annotations"), account), "");
    } else if (text_is(type, "kubernetes.io/dockercfg")) {
        check_json_entry(KEYED(at, ".dockercfg"), value_get(data, ".dockercfg"));
    } else if (text_is(type, "kubernetes.io/dockerconfigjson")) {
        check_json_entry(KEYED(at, ".dockerconfigjson"), value_get(data, ".dockerconfigjson"));
    } else if (text_is(type, "kubernetes.io/basic-auth")) {
        if (value_get(data, "username") == NULL && value_get(data, "password") == NULL) {
            bad_required(KEYED(at, "username"), "");
            bad_required(KEYED(at, "password"), "");
        }
    } else if (text_is(type, "kubernetes.io/ssh-auth")) {
        if (value_string_len(value_get(data, "ssh-privatekey")) == 0)
            bad_required(KEYED(at, "ssh-privatekey"), "");
    } else if (text_is(type, "kubernetes.io/tls")) {
        if (value_get(data, "tls.crt") == NULL)
            bad_required(KEYED(at, "tls.crt"), "");
        if (value_get(data, "tls.key") == NULL)
            bad_required(KEYED(at, "tls.key"), "");
    }
}

static void
secret_check_update(const Path *root, const Value *object, const Value *old)
{
    check_kept(AT(root, "type"), value_get(object, "type"), value_get(old, "type"));
    check_immutable_data(root, object, old, TEXTS("data"));
}

/* ---- Namespace ---- */

static void
namespace_check(const Path *root, const Value *object)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (finalizer, value_at(object, "spec.finalizers")) {
        const Path *at = NTH(AT(AT(root, "spec"), "finalizers"), i++);

        check_qualified(at, finalizer);
        if (strchr(value_text(finalizer), '/') == NULL &&
            !text_in(value_text(finalizer), TEXTS("kubernetes", "orphan", "foregroundDeletion")))
            bad_invalid(at, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
    }
}

static void
namespace_check_status(const Path *root, const Value *object, const Value *old)
{
    const Value *phase = value_at(object, "status.phase");
    const Path *at = AT(AT(root, "status"), "Phase");
    bool deleting = value_at(object, "metadata.deletionTimestamp") != NULL;

    (void)old;
    if (!deleting && !text_is(phase, "Active"))
        bad_invalid(at, phase, "may only be 'Active' if `deletionTimestamp` is empty");
    if (deleting && !text_is(phase, "Terminating"))
        bad_invalid(at, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
}

/* ---- LimitRange ---- */

static void
check_order(const Path *at, const Value *shown, const Value *less, const Value *more, const char *less_name,
            const char *more_name)
{
    g_autofree char *detail = NULL;

    if (less == NULL || more == NULL || quantity_compare(quantity_of(less), quantity_of(more)) <= 0)
        return;
    detail = g_strdup_printf("%s value %s is greater than %s value %s", less_name, value_text(less), more_name,
                             value_text(more));
    bad_invalid(at, shown, detail);
}

static void
check_limit_resource(const Path *at, const Value *item, const char *name)
{
    const Value *min = value_get(value_get(item, "min"), name), *max = value_get(value_get(item, "max"), name);
    const Value *limit = value_get(value_get(item, "default"), name);
    const Value *request = value_get(value_get(item, "defaultRequest"), name);
    const Value *ratio = value_get(value_get(item, "maxLimitRequestRatio"), name);

    check_order(KEYED(AT(at, "min"), name), min, min, max, "min", "max");
    check_order(KEYED(AT(at, "defaultRequest"), name), request, min, request, "min", "default request");
    check_order(KEYED(AT(at, "defaultRequest"), name), request, request, max, "default request", "max");
    check_order(KEYED(AT(at, "defaultRequest"), name), request, request, limit, "default request", "default limit");
    check_order(KEYED(AT(at, "default"), name), min, min, limit, "min", "default");
    check_order(KEYED(AT(at, "default"), name), max, limit, max, "default", "max");
    if (ratio != NULL && quantity_compare(quantity_of(ratio), quantity_from_int(1, QUANTITY_DECIMAL_SI)) < 0) {
        g_autofree char *detail = g_strdup_printf("ratio %s is less than 1", value_text(ratio));

        bad_invalid(KEYED(AT(at, "maxLimitRequestRatio"), name), ratio, detail);
    }
}

static void
check_limit_item(const Path *at, const Value *item)
{
    static const char *const parts[] = {"max", "min", "default", "defaultRequest", "maxLimitRequestRatio"};
    const Value *type = value_get(item, "type");
    const char *word = value_text(type);
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    if (strchr(word, '/') == NULL && !text_in(word, TEXTS("Pod", "Container", "PersistentVolumeClaim")))
        bad_invalid(AT(at, "type"), type, "must be a standard limit type or fully qualified");
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (strcmp(word, "Pod") == 0 && text_in(parts[i], TEXTS("default", "defaultRequest"))) {
            if (value_size(value_get(item, parts[i])) > 0)
                bad_forbidden_f(AT(at, parts[i]), "may not be specified when `type` is 'Pod'");
            continue;
        }
        VALUE_MAP_FOREACH (name, quantity, value_get(item, parts[i]))
            if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
                g_ptr_array_add(names, (gpointer)name);
    }
    if (strcmp(word, "PersistentVolumeClaim") == 0 && value_at(item, "min.storage") == NULL && value_at(item, "max.storage") == NULL)
        bad_required(AT(at, "limits"), "either minimum or maximum storage value is required, but neither was provided");
    for (unsigned i = 0; i < names->len; i++)
        check_limit_resource(at, item, names->pdata[i]);
}

static void
limit_range_check(const Path *root, const Value *object)
{
    const Value *limits = value_at(object, "spec.limits");
    const Path *at = AT(AT(root, "spec"), "limits");

    for (size_t i = 0; i < value_size(limits); i++) {
        const Value *type = value_get(value_item(limits, i), "type");

        for (size_t k = 0; k < i; k++)
            if (value_equal(value_get(value_item(limits, k), "type"), type)) {
                bad_duplicate(AT(NTH(at, i), "type"), type);
                break;
            }
        check_limit_item(NTH(at, i), value_item(limits, i));
    }
}

/* ---- ResourceQuota ---- */

static const char *const quota_counts[] = {"pods",       "services",     "replicationcontrollers", "resourcequotas",
                                           "secrets",    "configmaps",   "persistentvolumeclaims", "services.nodeports",
                                           "services.loadbalancers", NULL};
static const char *const quota_amounts[] = {"cpu",
                                            "memory",
                                            "ephemeral-storage",
                                            "requests.cpu",
                                            "requests.memory",
                                            "requests.storage",
                                            "requests.ephemeral-storage",
                                            "limits.cpu",
                                            "limits.memory",
                                            "limits.ephemeral-storage",
                                            NULL};

static void
check_quota_amounts(const Path *at, const Value *amounts)
{
    VALUE_MAP_FOREACH (name, quantity, amounts) {
        const Path *here = KEYED(at, name);
        Quantity amount = quantity_of(quantity);
        g_autofree char *problem = label_key_problem(name);

        if (problem != NULL)
            bad_invalid_text(here, name, problem);
        else if (strchr(name, '/') == NULL && !text_in(name, quota_counts) && !text_in(name, quota_amounts) &&
                 !g_str_has_prefix(name, "hugepages-") && !g_str_has_prefix(name, "requests.hugepages-"))
            bad_invalid_text(here, name, "must be a standard resource for quota");
        if (quantity_sign(amount) < 0)
            bad_invalid(here, quantity, NOT_NEGATIVE);
        else if (text_in(name, quota_counts) &&
                 quantity_compare(amount, quantity_from_int(quantity_units(amount), QUANTITY_DECIMAL_SI)) != 0)
            bad_invalid(here, quantity, "must be an integer");
    }
}

static const char *const quota_scopes[] = {"BestEffort",     "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating",
                                           "PriorityClass",  "Terminating",               "VolumeAttributesClass", NULL};

static bool
has_scope(const Value *scopes, const char *scope)
{
    VALUE_ARRAY_FOREACH (one, scopes)
        if (text_is(one, scope))
            return true;
    return false;
}

static void
check_scope_selector(const Path *at, const Value *requirements)
{
    size_t i = 0;

    VALUE_ARRAY_FOREACH (requirement, requirements) {
        const Value *scope = value_get(requirement, "scopeName"), *operator_ = value_get(requirement, "operator");
        const Path *here = NTH(at, i++);
        bool lists = text_in(value_text(operator_), TEXTS("In", "NotIn"));

        if (!text_in(value_text(scope), quota_scopes))
            bad_invalid(AT(here, "scopeName"), scope, "unsupported scope");
        if (text_in(value_text(scope), TEXTS("Terminating", "NotTerminating", "BestEffort", "NotBestEffort")) &&
            !text_is(operator_, "Exists"))
            bad_invalid(AT(here, "operator"), operator_, "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
                                                         "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                                                         "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
        if (lists && value_size(value_get(requirement, "values")) == 0)
            bad_required(AT(here, "values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
        if (!lists && value_size(value_get(requirement, "values")) > 0)
            bad_invalid(AT(here, "values"), value_get(requirement, "values"),
                        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
        if (!lists && !text_in(value_text(operator_), TEXTS("Exists", "DoesNotExist")))
            bad_invalid(AT(here, "operator"), operator_, "not a valid selector operator");
    }
}

static void
resource_quota_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *scopes = value_get(spec, "scopes");
    const Path *at = AT(root, "spec");

    check_quota_amounts(AT(at, "hard"), value_get(spec, "hard"));
    VALUE_ARRAY_FOREACH (scope, scopes)
        if (!text_in(value_text(scope), quota_scopes))
            bad_invalid(AT(at, "scopes"), scopes, "unsupported scope");
    if ((has_scope(scopes, "BestEffort") && has_scope(scopes, "NotBestEffort")) ||
        (has_scope(scopes, "Terminating") && has_scope(scopes, "NotTerminating")))
        bad_invalid(AT(at, "scopes"), scopes, "conflicting scopes");
    check_scope_selector(AT(AT(at, "scopeSelector"), "matchExpressions"), value_at(spec, "scopeSelector.matchExpressions"));
}

static void
resource_quota_check_update(const Path *root, const Value *object, const Value *old)
{
    check_kept(AT(AT(root, "spec"), "scopes"), value_at(object, "spec.scopes"), value_at(old, "spec.scopes"));
}

static void
resource_quota_check_status(const Path *root, const Value *object, const Value *old)
{
    (void)old;
    check_quota_amounts(AT(AT(root, "status"), "hard"), value_at(object, "status.hard"));
    check_quota_amounts(AT(AT(root, "status"), "used"), value_at(object, "status.used"));
}

/* ---- PriorityClass, Lease, Event ---- */

static void
priority_class_check(const Path *root, const Value *object)
{
    const char *name = value_text(value_at(object, "metadata.name"));
    int64_t value = value_int(value_get(object, "value"));
    bool cluster = strcmp(name, "system-cluster-critical") == 0, node = strcmp(name, "system-node-critical") == 0;
    int64_t known = cluster ? 2000000000 : 2000001000;

    check_enum(AT(root, "preemptionPolicy"), value_get(object, "preemptionPolicy"), TEXTS("PreemptLowerPriority", "Never"),
               OPTIONAL);
    if (!g_str_has_prefix(name, "system-")) {
        if (value > USER_PRIORITY_MAX)
            bad_forbidden(AT(root, "value"), "maximum allowed value of a user defined priority is 1000000000");
        return;
    }
    if (!cluster && !node)
        bad_forbidden_f(AT(AT(root, "metadata"), "name"),
                        "priority class names with 'system-' prefix are reserved for system use only. error: %s is not a known "
                        "system priority class",
                        name);
    else if (value != known)
        bad_forbidden_f(AT(AT(root, "metadata"), "name"),
                        "priority class names with 'system-' prefix are reserved for system use only. error: value of %s "
                        "PriorityClass must be %" G_GINT64_FORMAT,
                        name, known);
}

static void
priority_class_check_update(const Path *root, const Value *object, const Value *old)
{
    if (value_int(value_get(object, "value")) != value_int(value_get(old, "value")))
        bad_forbidden(AT(root, "value"), "may not be changed in an update.");
    check_kept(AT(root, "preemptionPolicy"), value_get(object, "preemptionPolicy"), value_get(old, "preemptionPolicy"));
}

static void
lease_check(const Path *root, const Value *object)
{
    const Value *spec = value_get(object, "spec"), *seconds = value_get(spec, "leaseDurationSeconds");
    const Path *at = AT(root, "spec");

    if (seconds != NULL && value_int(seconds) <= 0)
        bad_invalid(AT(at, "leaseDurationSeconds"), seconds, "must be greater than 0");
    if (value_int(value_get(spec, "leaseTransitions")) < 0)
        bad_invalid(AT(at, "leaseTransitions"), value_get(spec, "leaseTransitions"), NOT_NEGATIVE);
}

static void
event_check(const Path *root, const Value *object)
{
    const char *own = value_text(value_at(object, "metadata.namespace"));
    const Value *about = value_at(object, "involvedObject.namespace");

    if (is_empty(about) ? !text_in(own, TEXTS("", "default", "kube-system")) : !text_is(about, own))
        bad_invalid(AT(AT(root, "involvedObject"), "namespace"), about, "does not match event.namespace");
}

const KindRules kind_rules_config[] = {
    {"", "ConfigMap", NAME_SUBDOMAIN, config_map_check, config_map_check_update, NULL, false},
    {"", "Secret", NAME_SUBDOMAIN, secret_check, secret_check_update, NULL, false},
    {"", "Namespace", NAME_LABEL, namespace_check, NULL, namespace_check_status, false},
    {"", "LimitRange", NAME_SUBDOMAIN, limit_range_check, NULL, NULL, false},
    {"", "ResourceQuota", NAME_SUBDOMAIN, resource_quota_check, resource_quota_check_update, resource_quota_check_status, false},
    {"scheduling.k8s.io", "PriorityClass", NAME_SUBDOMAIN, priority_class_check, priority_class_check_update, NULL, false},
    {"coordination.k8s.io", "Lease", NAME_SUBDOMAIN, lease_check, NULL, NULL, false},
    {"", "Event", NAME_SUBDOMAIN, event_check, NULL, NULL, false},
    {0},
};
