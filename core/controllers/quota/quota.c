#include "core/controllers/quota/quota.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/object/quantity.h"

#define RESYNC_NS (300 * NS_PER_S)
#define GATHER_NS NS_PER_S

/* The kinds that quotas count, beside pods. */
typedef struct Counted {
    const char *group, *resource, *plain; /* plain: the old name, or NULL */
} Counted;

static const Counted counted[] = {
    {"", "pods", "pods"},
    {"", "services", "services"},
    {"", "persistentvolumeclaims", "persistentvolumeclaims"},
    {"", "configmaps", "configmaps"},
    {"", "secrets", "secrets"},
    {"", "replicationcontrollers", "replicationcontrollers"},
    {"", "resourcequotas", "resourcequotas"},
    {"apps", "deployments", NULL},
    {"apps", "replicasets", NULL},
    {"apps", "statefulsets", NULL},
    {"batch", "jobs", NULL},
    {"batch", "cronjobs", NULL},
    {"networking.k8s.io", "ingresses", NULL},
};

typedef struct QuotaController {
    Controller base;
    Informer *quotas, *informers[G_N_ELEMENTS(counted)];
} QuotaController;

/* ---- scopes
 * ------------------------------------------------------------------------------------------ */

static bool
scope_matches(const char *scope, const Value *expression, const Value *pod)
{
    bool terminating = value_at(pod, "spec.activeDeadlineSeconds") != NULL;
    bool best_effort = strcmp(pod_qos_class(pod), "BestEffort") == 0;
    if (strcmp(scope, "Terminating") == 0)
        return terminating;
    if (strcmp(scope, "NotTerminating") == 0)
        return !terminating;
    if (strcmp(scope, "BestEffort") == 0)
        return best_effort;
    if (strcmp(scope, "NotBestEffort") == 0)
        return !best_effort;
    if (strcmp(scope, "PriorityClass") != 0)
        return false;
    const char *operator_ = value_text(value_get(expression, "operator")),
               *class_ = value_text_at(pod, "spec.priorityClassName");
    bool in = false;
    VALUE_ARRAY_FOREACH (value, value_get(expression, "values"))
        in |= strcmp(value_text(value), class_) == 0;
    if (strcmp(operator_, "Exists") == 0 || *operator_ == '\0')
        return *class_ != '\0';
    if (strcmp(operator_, "DoesNotExist") == 0)
        return *class_ == '\0';
    return strcmp(operator_, "In") == 0 ? in : !in;
}

static bool
quota_concerns_pod(const Value *quota, const Value *pod)
{
    VALUE_ARRAY_FOREACH (scope, value_at(quota, "spec.scopes"))
        if (!scope_matches(value_text(scope), NULL, pod))
            return false;
    VALUE_ARRAY_FOREACH (expression, value_at(quota, "spec.scopeSelector.matchExpressions"))
        if (!scope_matches(value_text(value_get(expression, "scopeName")), expression, pod))
            return false;
    return true;
}

static bool
quota_has_scope(const Value *quota)
{
    return value_size(value_at(quota, "spec.scopes")) > 0 ||
           value_size(value_at(quota, "spec.scopeSelector.matchExpressions")) > 0;
}

/* ---- usage
 * ------------------------------------------------------------------------------------------- */

/* Amounts in nano-units by resource name. */
typedef struct Usage {
    GTree *amounts; /* name -> Quantity, boxed; only the names of spec.hard */
} Usage;

static void
usage_add(Usage *usage, const char *name, Quantity amount)
{
    Quantity *sum = g_tree_lookup(usage->amounts, name);
    if (sum != NULL)
        *sum = quantity_add(*sum, amount);
}

static void
usage_add_list(Usage *usage, const char *prefix, const ResourceList *list)
{
    g_autofree char *cpu = g_strconcat(prefix, "cpu", NULL),
                    *memory = g_strconcat(prefix, "memory", NULL);
    g_autofree char *storage = g_strconcat(prefix, "ephemeral-storage", NULL);
    usage_add(usage, cpu, quantity_from_milli(list->milli_cpu, QUANTITY_DECIMAL_SI));
    usage_add(usage, memory, quantity_from_int(list->memory, QUANTITY_BINARY_SI));
    usage_add(usage, storage, quantity_from_int(list->ephemeral_storage, QUANTITY_BINARY_SI));
    VALUE_MAP_FOREACH (name, amount, list->scalars) {
        g_autofree char *full = g_strconcat(*prefix != '\0' ? prefix : "requests.", name, NULL);
        usage_add(usage, full, quantity_from_int(value_int(amount), QUANTITY_DECIMAL_SI));
    }
}

static void
usage_add_pod(Usage *usage, const Value *pod)
{
    ResourceList requests, limits;
    pod_requests(pod, &requests);
    pod_limits(pod, &limits);
    usage_add_list(usage, "", &requests);
    g_clear_pointer(&requests.scalars, value_unref);
    usage_add_list(usage, "requests.", &requests);
    usage_add_list(usage, "limits.", &limits);
    resource_list_clear(&requests);
    resource_list_clear(&limits);
}

static void
usage_add_service(Usage *usage, const Value *service)
{
    const char *type = value_text_at(service, "spec.type");
    int64_t ports = (int64_t)value_size(value_at(service, "spec.ports"));
    bool balanced = strcmp(type, "LoadBalancer") == 0;
    if (balanced)
        usage_add(usage, "services.loadbalancers", quantity_from_int(1, QUANTITY_DECIMAL_SI));
    if (balanced && value_at(service, "spec.allocateLoadBalancerNodePorts") != NULL &&
        !value_bool_at(service, "spec.allocateLoadBalancerNodePorts"))
        ports = 0;
    if (balanced || strcmp(type, "NodePort") == 0)
        usage_add(usage, "services.nodeports", quantity_from_int(ports, QUANTITY_DECIMAL_SI));
}

static void
usage_add_claim(Usage *usage, const Value *claim)
{
    Quantity size = quantity_of(value_at(claim, "spec.resources.requests.storage"));
    const char *class_ = value_text_at(claim, "spec.storageClassName");
    usage_add(usage, "requests.storage", size);
    if (*class_ == '\0')
        return;
    g_autofree char *storage =
        g_strconcat(class_, ".storageclass.storage.k8s.io/requests.storage", NULL);
    g_autofree char *count =
        g_strconcat(class_, ".storageclass.storage.k8s.io/persistentvolumeclaims", NULL);
    usage_add(usage, storage, size);
    usage_add(usage, count, quantity_from_int(1, QUANTITY_DECIMAL_SI));
}

static void
usage_add_kind(Usage *usage, const Counted *kind, const Informer *informer, const Value *quota)
{
    bool pods = strcmp(kind->resource, "pods") == 0, scoped = quota_has_scope(quota);
    g_autofree char *count = *kind->group != '\0'
                                 ? g_strdup_printf("count/%s.%s", kind->resource, kind->group)
                                 : g_strdup_printf("count/%s", kind->resource);
    if (scoped && !pods)
        return; /* scopes speak of pods only */
    Quantity one = quantity_from_int(1, QUANTITY_DECIMAL_SI);
    InformerIter iter;
    informer_iter_init(&iter, informer, object_namespace(quota));
    const Value *object;
    while ((object = informer_iter_next(&iter, NULL)) != NULL) {
        if (pods && !quota_concerns_pod(quota, object))
            continue;
        usage_add(usage, count, one);
        if (pods && pod_is_terminal(object))
            continue;
        if (kind->plain != NULL)
            usage_add(usage, kind->plain, one);
        if (pods)
            usage_add_pod(usage, object);
        else if (strcmp(kind->resource, "services") == 0)
            usage_add_service(usage, object);
        else if (strcmp(kind->resource, "persistentvolumeclaims") == 0)
            usage_add_claim(usage, object);
    }
}

static gint
compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

static Value *
used_of(const QuotaController *controller, const Value *quota)
{
    const Value *hard = value_at(quota, "spec.hard");
    Usage usage = {g_tree_new_full(compare_names, NULL, g_free, g_free)};
    VALUE_MAP_FOREACH (name, limit, hard) {
        Quantity *sum = g_new(Quantity, 1);
        *sum = quantity_from_int(0, quantity_of(limit).format);
        g_tree_insert(usage.amounts, g_strdup(name), sum);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(counted); i++)
        usage_add_kind(&usage, &counted[i], controller->informers[i], quota);
    g_autoptr(ValueBuilder) used = value_builder_new(NULL);
    for (GTreeNode *node = g_tree_node_first(usage.amounts); node != NULL;
         node = g_tree_node_next(node))
        value_builder_set(used, g_tree_node_key(node),
                          quantity_value_new(*(Quantity *)g_tree_node_value(node)));
    g_tree_unref(usage.amounts);
    return value_builder_end(g_steal_pointer(&used));
}

static void
sync_quota(const char *key, Sync *sync, void *data)
{
    QuotaController *controller = data;
    const Value *quota = informer_get(controller->quotas, key);
    if (quota == NULL)
        return;
    g_autoptr(Value) used = used_of(controller, quota);
    g_autoptr(Value) status =
        value_new_f("{hard: %v, used: %v}", value_at(quota, "spec.hard"), used);
    sync_again_after(sync, RESYNC_NS);
    if (!values_equal_semantically(status, value_get(quota, "status")))
        client_update(controller->base.client, "", "resourcequotas", "status",
                      value_set(quota, "status", g_steal_pointer(&status)), sync_call,
                      sync_begin_tolerating(sync, "NotFound"));
}

/* ---- who is woken
 * ------------------------------------------------------------------------------------ */

static void
quota_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
              void *data)
{
    QuotaController *controller = data;
    if (new_ != NULL &&
        (old == NULL || !value_equal(value_at(old, "spec.hard"), value_at(new_, "spec.hard"))))
        controller_enqueue(&controller->base, key, cause);
}

/* Something is gone or uses less: what it held is free again. */
static void
object_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
               void *data)
{
    QuotaController *controller = data;
    if (old == NULL || informer_count(controller->quotas) == 0)
        return;
    if (new_ != NULL && (pod_is_terminal(old) == pod_is_terminal(new_)) &&
        value_equal(value_get(old, "spec"), value_get(new_, "spec")))
        return;
    InformerIter iter;
    informer_iter_init(&iter, controller->quotas, object_namespace(old));
    const char *quota_key;
    while (informer_iter_next(&iter, &quota_key) != NULL)
        work_queue_add_after(controller->base.queue, quota_key, GATHER_NS);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler quota_handler = {.changed = quota_changed},
                                 object_handler = {.changed = object_changed};
    QuotaController *controller = g_new0(QuotaController, 1);
    controller_init(&controller->base, context, &resource_quota_controller_class,
                    "resourcequota-controller", 5, sync_quota);
    controller->quotas = context_informer(context, "", "resourcequotas");
    informer_add_handler(controller->quotas, &quota_handler, controller);
    for (size_t i = 0; i < G_N_ELEMENTS(counted); i++) {
        controller->informers[i] = context_informer(context, counted[i].group, counted[i].resource);
        if (strcmp(counted[i].resource, "resourcequotas") != 0)
            informer_add_handler(controller->informers[i], &object_handler, controller);
    }
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    g_free(base);
}

const ControllerClass resource_quota_controller_class = {"resourcequota-controller", start, NULL,
                                                         stop};
