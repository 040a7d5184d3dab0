/* What is special about each resource, as one table (the strategy.go files below k8s.io/kubernetes
 * pkg/registry). */
#include "core/api/pod.h"
#include "core/apiserver/private.h"
#include "core/base/text.h"

static void
pod_prepare_create(ApiCall *call, Value **object)
{
    value_edit(object, "status",
               value_new_f("{phase: Pending, qosClass: %s}", pod_qos_class(*object)));
}

static void
pod_prepare_status(ApiCall *call, Value **object, const Value *old)
{
    const Value *class = value_at(old, "status.qosClass");

    if (value_at(*object, "status.qosClass") == NULL && class != NULL)
        value_edit(object, "status.qosClass", value_ref(class));
}

/* CheckGracefulDelete of pods: what is not on a node, or has ended, needs no grace. */
static int64_t
pod_delete_grace(const Value *object, const Value *options)
{
    const Value *asked = value_get(options, "gracePeriodSeconds");
    int64_t seconds = asked != NULL
                          ? value_int(asked)
                          : value_int_at_or(object, "spec.terminationGracePeriodSeconds", 30);

    if (*pod_node_name(object) == '\0' || pod_is_terminal(object))
        return 0;
    return seconds < 0 ? 1 : seconds;
}

static void
namespace_prepare_create(ApiCall *call, Value **object)
{
    const Value *finalizers = value_at(*object, "spec.finalizers");

    value_edit(object, "status", value_new_f("{phase: Active}"));
    VALUE_ARRAY_FOREACH (finalizer, finalizers)
        if (strcmp(value_text(finalizer), "kubernetes") == 0)
            return;
    value_edit(object, "spec.finalizers",
               finalizers == NULL ? value_new_f("[kubernetes]")
                                  : value_append(finalizers, value_new_string("kubernetes")));
}

static void
namespace_prepare_update(ApiCall *call, Value **object, const Value *old)
{
    const Value *finalizers = value_at(old, "spec.finalizers");

    if (finalizers != NULL)
        value_edit(object, "spec.finalizers", value_ref(finalizers));
    else if (value_at(*object, "spec.finalizers") != NULL)
        value_edit_remove(object, "spec.finalizers");
}

static void
secret_merge_string_data(Value **object)
{
    const Value *given = value_get(*object, "stringData");
    Value *data;

    if (given == NULL)
        return;
    data = value_get(*object, "data") == NULL ? value_new_map()
                                              : value_ref(value_get(*object, "data"));
    VALUE_MAP_FOREACH (key, text, given)
        value_replace(&data, value_set(data, key,
                                       value_new_string_take(
                                           text_base64(value_text(text), value_string_len(text)))));
    value_edit(object, "data", data);
    value_edit_remove(object, "stringData");
}

static void
secret_prepare_create(ApiCall *call, Value **object)
{
    secret_merge_string_data(object);
}

static void
secret_prepare_update(ApiCall *call, Value **object, const Value *old)
{
    if (*value_text_at(*object, "type") == '\0')
        value_edit(object, "type", value_ref(value_get(old, "type")));
    secret_merge_string_data(object);
}

/* Unless manualSelector is set, a Job selects its pods by its own uid. */
static void
job_prepare_create(ApiCall *call, Value **object)
{
    static const char *const uid_labels[] = {"batch.kubernetes.io/controller-uid",
                                             "controller-uid"};
    static const char *const name_labels[] = {"batch.kubernetes.io/job-name", "job-name"};
    g_autoptr(Value) uid = NULL, name = NULL;
    const Value *given = value_at(*object, "spec.template.metadata.labels");
    Value *labels;

    value_edit(object, "status", value_new_map());
    if (value_bool_at(*object, "spec.manualSelector"))
        return;
    uid = value_ref(value_at(*object, "metadata.uid"));
    name = value_ref(value_at(*object, "metadata.name"));
    labels = given == NULL ? value_new_map() : value_ref(given);
    for (size_t i = 0; i < 2; i++) {
        value_replace(&labels, value_set(labels, uid_labels[i], value_ref(uid)));
        value_replace(&labels, value_set(labels, name_labels[i], value_ref(name)));
    }
    value_edit(object, "spec.template.metadata.labels", labels);
    if (value_at(*object, "spec.selector") == NULL)
        value_edit(object, "spec.selector", value_new_map());
    value_edit(object, "spec.selector.matchLabels['batch.kubernetes.io/controller-uid']",
               value_ref(uid));
}

static void
quota_prepare_update(ApiCall *call, Value **object, const Value *old)
{
    if (value_get(*object, "status") == NULL)
        value_edit(object, "status", value_new_map());
}

static const Strategy strategies[] = {
    {.group = "",
     .resource = "pods",
     .prepare_create = pod_prepare_create,
     .prepare_status = pod_prepare_status,
     .grace = pod_delete_grace,
     .initial_status = "{}",
     .returns_deleted = true,
     .labels_by_status = true},
    {.group = "",
     .resource = "namespaces",
     .prepare_create = namespace_prepare_create,
     .prepare_update = namespace_prepare_update,
     .returns_deleted = true},
    {.group = "", .resource = "nodes", .keeps_status = true, .labels_by_status = true},
    {.group = "",
     .resource = "services",
     .prepare_create = service_prepare_create,
     .prepare_update = service_prepare_update,
     .allocate = service_allocate,
     .released = service_released,
     .initial_status = "{loadBalancer: {}}",
     .create_on_update = true,
     .returns_deleted = true},
    {.group = "",
     .resource = "secrets",
     .prepare_create = secret_prepare_create,
     .prepare_update = secret_prepare_update},
    {.group = "", .resource = "endpoints", .create_on_update = true},
    {.group = "", .resource = "events", .create_on_update = true},
    {.group = "", .resource = "limitranges", .create_on_update = true},
    {.group = "",
     .resource = "resourcequotas",
     .prepare_update = quota_prepare_update,
     .returns_deleted = true},
    {.group = "", .resource = "serviceaccounts", .returns_deleted = true},
    {.group = "", .resource = "podtemplates", .returns_deleted = true},
    {.group = "",
     .resource = "persistentvolumes",
     .initial_status = "{phase: Pending}",
     .returns_deleted = true},
    {.group = "",
     .resource = "persistentvolumeclaims",
     .initial_status = "{phase: Pending}",
     .returns_deleted = true},
    {.group = "", .resource = "replicationcontrollers", .initial_status = "{replicas: 0}"},
    {.group = "apps", .resource = "replicasets", .initial_status = "{replicas: 0}"},
    {.group = "apps",
     .resource = "statefulsets",
     .initial_status = "{replicas: 0, availableReplicas: 0}"},
    {.group = "apps",
     .resource = "daemonsets",
     .initial_status = "{currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: "
                       "0, numberReady: 0}"},
    {.group = "batch", .resource = "jobs", .prepare_create = job_prepare_create},
    {.group = "policy",
     .resource = "poddisruptionbudgets",
     .conditional_update_only = true,
     .initial_status =
         "{currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0}"},
    {.group = "coordination.k8s.io",
     .resource = "leases",
     .create_on_update = true,
     .conditional_update_only = true},
    {.group = "storage.k8s.io", .resource = "storageclasses", .returns_deleted = true},
    {.group = "rbac.authorization.k8s.io", .resource = "roles", .create_on_update = true},
    {.group = "rbac.authorization.k8s.io", .resource = "rolebindings", .create_on_update = true},
    {.group = "rbac.authorization.k8s.io", .resource = "clusterroles", .create_on_update = true},
    {.group = "rbac.authorization.k8s.io",
     .resource = "clusterrolebindings",
     .create_on_update = true},
};

const Strategy *
strategy_of(const ApiKind *kind)
{
    static const Strategy plain = {0};

    for (size_t i = 0; i < G_N_ELEMENTS(strategies); i++)
        if (strcmp(strategies[i].group, kind->group) == 0 &&
            strcmp(strategies[i].resource, kind->resource) == 0)
            return &strategies[i];
    return &plain;
}
