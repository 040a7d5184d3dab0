/* ResourceQuota: what a namespace holds stays within its quotas. The usage that a write adds is
 * taken into the quota's status before the write, so that two writers do not share one allowance;
 * the quota controller corrects it afterwards (apiserver pkg/admission/plugin/resourcequota,
 * k8s.io/kubernetes pkg/quota/v1/evaluator/core). */
#include "core/api/pod.h"
#include "core/apiserver/admission/admission.h"
#include "core/object/quantity.h"

/* ---- what an object uses: resource name -> quantity
 * ---------------------------------------------------------------------- */

static void
usage_set(Value **usage, const char *name, Quantity quantity)
{
    value_replace(usage, value_set(*usage, name, quantity_value_new(quantity)));
}

static void
usage_pod(Value **usage, const Value *pod)
{
    static const char *const lists[] = {"requests", "limits"};
    ResourceList sums[2];

    if (pod_is_terminal(pod))
        return;
    usage_set(usage, "pods", quantity_from_int(1, QUANTITY_DECIMAL_SI));
    pod_requests(pod, &sums[0]);
    pod_limits(pod, &sums[1]);
    for (size_t i = 0; i < 2; i++) {
        g_autofree char *cpu = g_strconcat(lists[i], ".cpu", NULL),
                        *memory = g_strconcat(lists[i], ".memory", NULL);
        g_autofree char *disk = g_strconcat(lists[i], ".ephemeral-storage", NULL);

        usage_set(usage, cpu, quantity_from_milli(sums[i].milli_cpu, QUANTITY_DECIMAL_SI));
        usage_set(usage, memory, quantity_from_int(sums[i].memory, QUANTITY_BINARY_SI));
        usage_set(usage, disk, quantity_from_int(sums[i].ephemeral_storage, QUANTITY_BINARY_SI));
    }
    usage_set(usage, "cpu", quantity_from_milli(sums[0].milli_cpu, QUANTITY_DECIMAL_SI));
    usage_set(usage, "memory", quantity_from_int(sums[0].memory, QUANTITY_BINARY_SI));
    VALUE_MAP_FOREACH (name, count, sums[0].scalars) {
        g_autofree char *full = g_strconcat("requests.", name, NULL);

        usage_set(usage, full, quantity_from_int(value_int(count), QUANTITY_DECIMAL_SI));
    }
    resource_list_clear(&sums[0]);
    resource_list_clear(&sums[1]);
}

static void
usage_claim(Value **usage, const Value *claim)
{
    const char *class = value_text_at(claim, "spec.storageClassName");
    const Value *size = value_at(claim, "spec.resources.requests.storage");
    static const char *const suffixes[] = {"requests.storage", "persistentvolumeclaims"};
    Quantity parts[] = {quantity_of(size), quantity_from_int(1, QUANTITY_DECIMAL_SI)};

    for (size_t i = 0; i < 2; i++) {
        usage_set(usage, suffixes[i], parts[i]);
        if (*class != '\0') {
            g_autofree char *name =
                g_strconcat(class, ".storageclass.storage.k8s.io/", suffixes[i], NULL);

            usage_set(usage, name, parts[i]);
        }
    }
}

static void
usage_service(Value **usage, const Value *service)
{
    const char *type = value_text_at(service, "spec.type");
    bool balancer = strcmp(type, "LoadBalancer") == 0;
    bool has_ports =
        strcmp(type, "NodePort") == 0 ||
        (balancer && (value_at(service, "spec.allocateLoadBalancerNodePorts") == NULL ||
                      value_bool_at(service, "spec.allocateLoadBalancerNodePorts")));

    usage_set(usage, "services", quantity_from_int(1, QUANTITY_DECIMAL_SI));
    usage_set(usage, "services.loadbalancers", quantity_from_int(balancer, QUANTITY_DECIMAL_SI));
    usage_set(
        usage, "services.nodeports",
        quantity_from_int(has_ports ? (int64_t)value_size(value_at(service, "spec.ports")) : 0,
                          QUANTITY_DECIMAL_SI));
}

static Value *
usage_of(const ApiKind *kind, const Value *object)
{
    static const char *const counted[] = {"configmaps", "secrets", "replicationcontrollers",
                                          "resourcequotas"};
    g_autofree char *count = g_strconcat("count/", api_kind_qualified(kind), NULL);
    Value *usage = value_new_map();

    if (object == NULL)
        return usage;
    usage_set(&usage, count, quantity_from_int(1, QUANTITY_DECIMAL_SI));
    if (*kind->group != '\0')
        return usage;
    if (strcmp(kind->resource, "pods") == 0)
        usage_pod(&usage, object);
    else if (strcmp(kind->resource, "persistentvolumeclaims") == 0)
        usage_claim(&usage, object);
    else if (strcmp(kind->resource, "services") == 0)
        usage_service(&usage, object);
    for (size_t i = 0; i < G_N_ELEMENTS(counted); i++)
        if (strcmp(kind->resource, counted[i]) == 0)
            usage_set(&usage, counted[i], quantity_from_int(1, QUANTITY_DECIMAL_SI));
    return usage;
}

/* ---- scopes
 * ------------------------------------------------------------------------------------------------------------------
 */

static bool
scope_matches(const char *scope, const Value *pod)
{
    bool best_effort = strcmp(value_text_at(pod, "status.qosClass"), "BestEffort") == 0;
    bool terminating = value_at(pod, "spec.activeDeadlineSeconds") != NULL;

    if (strcmp(scope, "BestEffort") == 0)
        return best_effort;
    if (strcmp(scope, "NotBestEffort") == 0)
        return !best_effort;
    if (strcmp(scope, "Terminating") == 0)
        return terminating;
    if (strcmp(scope, "NotTerminating") == 0)
        return !terminating;
    return strcmp(scope, "PriorityClass") == 0 &&
           *value_text_at(pod, "spec.priorityClassName") != '\0';
}

static bool
scope_expression_matches(const Value *expression, const Value *pod)
{
    const char *operator_ = value_text_at(expression, "operator"),
               *name = value_text_at(pod, "spec.priorityClassName");
    bool listed = false;

    if (strcmp(value_text_at(expression, "scopeName"), "PriorityClass") != 0)
        return scope_matches(value_text_at(expression, "scopeName"), pod);
    VALUE_ARRAY_FOREACH (value, value_get(expression, "values"))
        listed |= strcmp(value_text(value), name) == 0;
    if (strcmp(operator_, "Exists") == 0)
        return *name != '\0';
    if (strcmp(operator_, "DoesNotExist") == 0)
        return *name == '\0';
    return strcmp(operator_, "In") == 0 ? listed : !listed;
}

static bool
quota_covers(const Value *quota, const Value *object, bool is_pod)
{
    const Value *scopes = value_at(quota, "spec.scopes");
    const Value *expressions = value_at(quota, "spec.scopeSelector.matchExpressions");

    if (!is_pod)
        return value_size(scopes) == 0 && value_size(expressions) == 0;
    VALUE_ARRAY_FOREACH (scope, scopes)
        if (!scope_matches(value_text(scope), object))
            return false;
    VALUE_ARRAY_FOREACH (expression, expressions)
        if (!scope_expression_matches(expression, object))
            return false;
    return true;
}

/* ---- the check
 * ------------------------------------------------------------------------------------------------------------------
 */

typedef struct QuotaCheck {
    ApiCall *call;
    const Value *object;
    const Value *usage, *before; /* of the object and of the one it replaces */
    bool is_pod;
    GPtrArray *quotas, *changed; /* those that cover it, and what becomes of them */
    Value *refusal;
} QuotaCheck;

static void
list_append(GString *list, const char *name, const char *value)
{
    g_string_append_printf(list, "%s%s%s%s", list->len == 0 ? "" : ",", name,
                           value == NULL ? "" : "=", value == NULL ? "" : value);
}

/* A quota on a compute resource makes its request or limit mandatory for every container. */
static Value *
check_constraints(QuotaCheck *check, const Value *quota)
{
    static const char *const compute[][2] = {
        {"cpu", "requests"},          {"memory", "requests"},
        {"requests.cpu", "requests"}, {"requests.memory", "requests"},
        {"limits.cpu", "limits"},     {"limits.memory", "limits"}};
    g_autoptr(GString) missing = g_string_new(NULL);
    g_autofree char *text = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(compute) && check->is_pod; i++) {
        const char *resource =
            strrchr(compute[i][0], '.') == NULL ? compute[i][0] : strrchr(compute[i][0], '.') + 1;
        bool all = true;

        if (!value_has(value_at(quota, "spec.hard"), compute[i][0]))
            continue;
        VALUE_ARRAY_FOREACH (container, value_at(check->object, "spec.containers"))
            all &= value_has(value_get(value_get(container, "resources"), compute[i][1]), resource);
        if (!all)
            list_append(missing, compute[i][0], NULL);
    }
    if (missing->len == 0)
        return NULL;
    text = g_strdup_printf("failed quota: %s: must specify %s for: %s", object_name(quota),
                           missing->str, value_text_at(check->object, "spec.containers[0].name"));
    return status_forbidden(check->call->kind, object_name(check->object), text);
}

static Value *
exceeded(QuotaCheck *check, const Value *quota, const char *requested, const char *used,
         const char *limited)
{
    g_autofree char *text =
        g_strdup_printf("exceeded quota: %s, requested: %s, used: %s, limited: %s",
                        object_name(quota), requested, used, limited);

    return status_forbidden(check->call->kind, object_name(check->object), text);
}

static void
check_quota(QuotaCheck *check, const Value *quota)
{
    const Value *hard = value_at(quota, "status.hard");
    g_autoptr(GString) requested = g_string_new(NULL), used = g_string_new(NULL),
                       limited = g_string_new(NULL);
    Value *changed = value_ref(quota);

    hard = hard == NULL ? value_at(quota, "spec.hard") : hard;
    VALUE_MAP_FOREACH (name, bound, hard) {
        Quantity delta = quantity_sub(quantity_of(value_get(check->usage, name)),
                                      quantity_of(value_get(check->before, name)));
        Quantity now = quantity_of(value_get(value_at(quota, "status.used"), name));
        Quantity sum = quantity_add(now, delta);
        g_autoptr(Value) all = NULL;

        if (quantity_is_zero(delta))
            continue;
        if (quantity_sign(delta) > 0 && quantity_compare(sum, quantity_of(bound)) > 0) {
            g_autofree char *delta_text = quantity_text(delta), *now_text = quantity_text(now);

            list_append(requested, name, delta_text);
            list_append(used, name, now_text);
            list_append(limited, name, value_text(bound));
        }
        all = value_at(changed, "status.used") == NULL
                  ? value_new_map()
                  : value_ref(value_at(changed, "status.used"));
        value_edit(&changed, "status.used", value_set(all, name, quantity_value_new(sum)));
    }
    if (requested->len > 0)
        check->refusal = exceeded(check, quota, requested->str, used->str, limited->str);
    g_ptr_array_add(check->quotas, value_ref(quota));
    g_ptr_array_add(check->changed, changed);
}

static bool
consider_quota(const Value *committed, void *data)
{
    QuotaCheck *check = data;
    const Value *quota = server_head(check->call->server, "", "resourcequotas",
                                     object_namespace(committed), object_name(committed));

    if (quota == NULL || !quota_covers(quota, check->object, check->is_pod))
        return true;
    check->refusal = check_constraints(check, quota);
    if (check->refusal == NULL)
        check_quota(check, quota);
    return check->refusal == NULL;
}

static void
take_usage(QuotaCheck *check)
{
    ApiResource *quotas = server_resource(check->call->server, "", "resourcequotas");

    for (guint i = 0; i < check->quotas->len; i++) {
        Value *quota = g_ptr_array_index(check->quotas, i),
              *changed = g_ptr_array_index(check->changed, i);

        if (!value_equal(quota, changed))
            server_replace(quotas, quota, value_ref(changed));
    }
}

static void
unref_value(gpointer value)
{
    value_unref(value);
}

static Value *
validate(ApiCall *call, const Value *object, const Value *old)
{
    ApiResource *quotas = server_resource(call->server, "", "resourcequotas");
    QuotaCheck check = {.call = call, .object = object, .is_pod = admission_is(call, "", "pods")};
    g_autofree char *prefix = NULL;
    g_autoptr(Value) usage = NULL, before = NULL;

    if (!call->resource->kind->namespaced || call->sub != NULL || quotas == call->resource)
        return NULL;
    if (old != NULL && check.is_pod)
        return NULL;
    prefix = g_strconcat(object_namespace(object), "/", NULL);
    if (pmap_count_prefix(store_committed(quotas->bucket), prefix) == 0)
        return NULL;
    check.usage = usage = usage_of(call->resource->kind, object);
    check.before = before = usage_of(call->resource->kind, old);
    check.quotas = g_ptr_array_new_with_free_func(unref_value);
    check.changed = g_ptr_array_new_with_free_func(unref_value);
    server_each(call->server, "", "resourcequotas", object_namespace(object), consider_quota,
                &check);
    if (check.refusal == NULL && !call->request->dry_run)
        take_usage(&check);
    g_ptr_array_unref(check.quotas);
    g_ptr_array_unref(check.changed);
    return check.refusal;
}

const AdmissionStep admission_resource_quota = {.name = "ResourceQuota", .validate = validate};
