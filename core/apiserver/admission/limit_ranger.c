/* LimitRanger: a namespace's LimitRanges give containers default requests and limits, and bound
 * what containers, pods and claims may ask for (k8s.io/kubernetes
 * plugin/pkg/admission/limitranger). */
#include "core/apiserver/admission/admission.h"
#include "core/object/quantity.h"

static const char *const container_lists[] = {"initContainers", "containers"};

/* ---- defaults
 * -------------------------------------------------------------------------------------------------------
 */

typedef struct Defaults {
    Value *spec;         /* of the pod; edited */
    GString *annotation; /* what was set, in upstream's words */
} Defaults;

static void
set_defaults(Value **container, const char *kind, const char *list, const Value *defaults,
             GString *annotation, bool init)
{
    g_autoptr(GString) set = g_string_new(NULL);

    VALUE_MAP_FOREACH (resource, quantity, defaults) {
        const Value *given = value_get(value_get(*container, "resources"), list);
        g_autoptr(Value) resources = NULL, values = NULL;

        if (value_has(given, resource))
            continue;
        resources = value_get(*container, "resources") == NULL
                        ? value_new_map()
                        : value_ref(value_get(*container, "resources"));
        values = given == NULL ? value_new_map() : value_ref(given);
        value_replace(&values, value_set(values, resource, value_ref(quantity)));
        value_replace(&resources, value_set(resources, list, g_steal_pointer(&values)));
        value_edit(container, "resources", g_steal_pointer(&resources));
        g_string_append_printf(set, "%s%s", set->len == 0 ? "" : ", ", resource);
    }
    if (set->len > 0)
        g_string_append_printf(annotation, "%s%s %s for %s %s", annotation->len == 0 ? "" : "; ",
                               set->str, kind, init ? "init container" : "container",
                               value_text_at(*container, "name"));
}

static void
default_containers(Defaults *defaults, const Value *limit)
{
    for (size_t l = 0; l < G_N_ELEMENTS(container_lists); l++) {
        size_t n = value_size(value_get(defaults->spec, container_lists[l]));

        for (size_t i = 0; i < n; i++) {
            g_autofree char *path = g_strdup_printf("%s[%zu]", container_lists[l], i);
            Value *container = value_ref(value_at(defaults->spec, path));

            set_defaults(&container, "request", "requests", value_get(limit, "defaultRequest"),
                         defaults->annotation, l == 0);
            set_defaults(&container, "limit", "limits", value_get(limit, "default"),
                         defaults->annotation, l == 0);
            value_edit(&defaults->spec, path, container);
        }
    }
}

static bool
default_from(const Value *range, void *data)
{
    VALUE_ARRAY_FOREACH (limit, value_at(range, "spec.limits"))
        if (strcmp(value_text_at(limit, "type"), "Container") == 0)
            default_containers(data, limit);
    return true;
}

static Value *
mutate(ApiCall *call, Value **object, const Value *old)
{
    Defaults defaults;

    if (!admission_is(call, "", "pods") || old != NULL)
        return NULL;
    if (pmap_count_prefix(store_committed(server_resource(call->server, "", "limitranges")->bucket),
                          "") == 0)
        return NULL;
    defaults =
        (Defaults){.spec = value_ref(value_get(*object, "spec")), .annotation = g_string_new(NULL)};
    server_each(call->server, "", "limitranges", object_namespace(*object), default_from,
                &defaults);
    value_edit(object, "spec", defaults.spec);
    if (defaults.annotation->len > 0) {
        g_autofree char *text =
            g_strconcat("LimitRanger plugin set: ", defaults.annotation->str, NULL);

        value_edit(object, "metadata.annotations['kubernetes.io/limit-ranger']",
                   value_new_string(text));
    }
    g_string_free(defaults.annotation, TRUE);
    return NULL;
}

/* ---- bounds
 * ------------------------------------------------------------------------------------------------------------
 */

typedef struct Bounds {
    const Value *object;
    bool is_claim;
    GString *problems; /* joined as upstream's aggregate: "[a, b]" */
    int count;
} Bounds;

static void
problem(Bounds *bounds, const char *format, ...)
{
    va_list arguments;

    if (bounds->count++ > 0)
        g_string_append(bounds->problems, ", ");
    va_start(arguments, format);
    g_string_append_vprintf(bounds->problems, format, arguments);
    va_end(arguments);
}

static void
check_min(Bounds *bounds, const char *type, const char *resource, const Value *min,
          const Value *request, const Value *limit)
{
    Quantity bound = quantity_of(min);

    if (request == NULL)
        problem(bounds, "minimum %s usage per %s is %s.  No request is specified", resource, type,
                value_text(min));
    else if (quantity_compare(quantity_of(request), bound) < 0)
        problem(bounds, "minimum %s usage per %s is %s, but request is %s", resource, type,
                value_text(min), value_text(request));
    else if (limit != NULL && quantity_compare(quantity_of(limit), bound) < 0)
        problem(bounds, "minimum %s usage per %s is %s, but limit is %s", resource, type,
                value_text(min), value_text(limit));
}

static void
check_max(Bounds *bounds, const char *type, const char *resource, const Value *max,
          const Value *request, const Value *limit)
{
    Quantity bound = quantity_of(max);

    if (limit == NULL && !bounds->is_claim)
        problem(bounds, "maximum %s usage per %s is %s.  No limit is specified", resource, type,
                value_text(max));
    else if (limit != NULL && quantity_compare(quantity_of(limit), bound) > 0)
        problem(bounds, "maximum %s usage per %s is %s, but limit is %s", resource, type,
                value_text(max), value_text(limit));
    else if (request != NULL && quantity_compare(quantity_of(request), bound) > 0)
        problem(bounds, "maximum %s usage per %s is %s, but request is %s", resource, type,
                value_text(max), value_text(request));
}

static void
check_ratio(Bounds *bounds, const char *type, const char *resource, const Value *max,
            const Value *request, const Value *limit)
{
    double wanted = quantity_double(quantity_of(max)),
           asked = quantity_double(quantity_of(request));
    double ratio = asked > 0 ? quantity_double(quantity_of(limit)) / asked : 0;

    if (request == NULL || quantity_is_zero(quantity_of(request)))
        problem(bounds,
                "%s max limit to request ratio per %s is %s, but no request is specified or "
                "request is 0",
                resource, type, value_text(max));
    else if (limit == NULL || quantity_is_zero(quantity_of(limit)))
        problem(
            bounds,
            "%s max limit to request ratio per %s is %s, but no limit is specified or limit is 0",
            resource, type, value_text(max));
    else if (ratio > wanted)
        problem(bounds, "%s max limit to request ratio per %s is %s, but provided ratio is %f",
                resource, type, value_text(max), ratio);
}

static void
check_resources(Bounds *bounds, const Value *limit, const char *type, const Value *requests,
                const Value *limits)
{
    VALUE_MAP_FOREACH (resource, min, value_get(limit, "min"))
        check_min(bounds, type, resource, min, value_get(requests, resource),
                  value_get(limits, resource));
    VALUE_MAP_FOREACH (resource, max, value_get(limit, "max"))
        check_max(bounds, type, resource, max, value_get(requests, resource),
                  value_get(limits, resource));
    VALUE_MAP_FOREACH (resource, ratio, value_get(limit, "maxLimitRequestRatio"))
        check_ratio(bounds, type, resource, ratio, value_get(requests, resource),
                    value_get(limits, resource));
}

/* Sum over the containers; a resource that any of them leaves out has no sum. */
static Value *
pod_sum(const Value *pod, const char *list)
{
    const Value *containers = value_at(pod, "spec.containers");
    Value *sum = value_new_map();

    VALUE_MAP_FOREACH (resource, first,
                       value_get(value_get(value_item(containers, 0), "resources"), list)) {
        Quantity total = quantity_from_int(0, quantity_of(first).format);
        bool all = true;

        VALUE_ARRAY_FOREACH (container, containers) {
            const Value *part =
                value_get(value_get(value_get(container, "resources"), list), resource);

            all &= part != NULL;
            total = quantity_add(total, quantity_of(part));
        }
        if (all)
            value_replace(&sum, value_set(sum, resource, quantity_value_new(total)));
    }
    return sum;
}

static void
check_pod(Bounds *bounds, const Value *limit)
{
    const char *type = value_text_at(limit, "type");

    if (strcmp(type, "Container") == 0) {
        for (size_t l = 0; l < G_N_ELEMENTS(container_lists); l++)
            VALUE_ARRAY_FOREACH (container,
                                 value_get(value_get(bounds->object, "spec"), container_lists[l]))
                check_resources(bounds, limit, type, value_at(container, "resources.requests"),
                                value_at(container, "resources.limits"));
    } else if (strcmp(type, "Pod") == 0) {
        g_autoptr(Value) requests = pod_sum(bounds->object, "requests"),
                         limits = pod_sum(bounds->object, "limits");

        check_resources(bounds, limit, type, requests, limits);
    }
}

static bool
check_range(const Value *range, void *data)
{
    Bounds *bounds = data;

    VALUE_ARRAY_FOREACH (limit, value_at(range, "spec.limits")) {
        if (!bounds->is_claim)
            check_pod(bounds, limit);
        else if (strcmp(value_text_at(limit, "type"), "PersistentVolumeClaim") == 0)
            check_resources(bounds, limit, "PersistentVolumeClaim",
                            value_at(bounds->object, "spec.resources.requests"), NULL);
    }
    return true;
}

static Value *
validate(ApiCall *call, const Value *object, const Value *old)
{
    bool is_pod = admission_is(call, "", "pods"),
         is_claim = admission_is(call, "", "persistentvolumeclaims");
    Bounds bounds = {.object = object, .is_claim = is_claim};
    Value *refusal = NULL;
    g_autofree char *text = NULL;

    if ((!is_pod && !is_claim) || (is_pod && old != NULL) || call->sub != NULL)
        return NULL;
    bounds.problems = g_string_new(NULL);
    server_each(call->server, "", "limitranges", object_namespace(object), check_range, &bounds);
    if (bounds.count > 0) {
        text = bounds.count > 1 ? g_strdup_printf("[%s]", bounds.problems->str)
                                : g_strdup(bounds.problems->str);
        refusal = status_forbidden(call->kind, object_name(object), text);
    }
    g_string_free(bounds.problems, TRUE);
    return refusal;
}

const AdmissionStep admission_limit_ranger = {
    .name = "LimitRanger", .mutate = mutate, .validate = validate};
