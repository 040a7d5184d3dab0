/* Defaults of pods and pod templates that depend on other fields. */
#include <string.h>

#include "core/api/defaults.h"
#include "core/api/defaults_private.h"
#include "core/object/quantity.h"

const char *
image_pull_policy(const char *image)
{
    const char *name = strrchr(image, '/');
    const char *tag = strrchr(name ? name : image, ':');
    bool pinned = strchr(image, '@') != NULL;
    bool latest = !pinned && *image && (!tag || strcmp(tag, ":latest") == 0);
    /* name:latest@digest still says latest. */
    if (pinned) {
        g_autofree char *bare = g_strndup(image, (gsize)(strchr(image, '@') - image));
        latest = g_str_has_suffix(bare, ":latest");
    }
    return latest ? "Always" : "IfNotPresent";
}

/* ---- only in Pods
 * ----------------------------------------------------------------------------------------- */

static void
requests_from_limits(Value **container)
{
    const Value *limits = value_at(*container, "resources.limits");
    if (value_size(limits) == 0)
        return;
    g_autoptr(Value) requests = value_ref(value_at(*container, "resources.requests"));
    g_autoptr(Value) before = value_ref(requests);
    if (!requests)
        requests = value_new_map();
    VALUE_MAP_FOREACH (key, quantity, limits)
        if (!value_has(requests, key))
            value_replace(&requests, value_set(requests, key, value_ref(quantity)));
    if (requests != before)
        value_edit(container, "resources.requests", g_steal_pointer(&requests));
}

static void
host_port(Value **port)
{
    if (value_int_at(*port, "hostPort") == 0)
        value_edit(port, "hostPort", value_new_int(value_int_at(*port, "containerPort")));
}

static void
host_ports(Value **container)
{
    default_items(container, "ports", host_port);
}

/* What all containers together request of one resource: the ordinary ones at the same time, init
 * containers one after the other beside the sidecars before them (component-helpers
 * resource.AggregateContainerRequests). */
static Quantity
requested_together(const Value *spec, const char *resource)
{
    Quantity zero = quantity_from_int(0, QUANTITY_DECIMAL_SI);
    Quantity sidecars = zero;
    Quantity peak = zero;
    VALUE_ARRAY_FOREACH (container, value_get(spec, "initContainers")) {
        Quantity one = quantity_of(value_get(value_at(container, "resources.requests"), resource));
        Quantity during = quantity_add(sidecars, one);
        if (strcmp(value_text_at(container, "restartPolicy"), "Always") == 0)
            sidecars = during;
        if (quantity_compare(during, peak) > 0)
            peak = during;
    }
    Quantity sum = sidecars;
    VALUE_ARRAY_FOREACH (container, value_get(spec, "containers"))
        sum = quantity_add(
            sum, quantity_of(value_get(value_at(container, "resources.requests"), resource)));
    return quantity_compare(peak, sum) > 0 ? peak : sum;
}

static bool
is_pod_level(const char *resource)
{
    return strcmp(resource, "cpu") == 0 || strcmp(resource, "memory") == 0 ||
           g_str_has_prefix(resource, "hugepages-");
}

static bool
any_requests(const Value *spec, const char *resource)
{
    static const char *const LISTS[] = {"containers", "initContainers"};
    for (size_t i = 0; i < G_N_ELEMENTS(LISTS); i++)
        VALUE_ARRAY_FOREACH (container, value_get(spec, LISTS[i]))
            if (value_has(value_at(container, "resources.requests"), resource))
                return true;
    return false;
}

/* Pod-level requests, when only some of pod-level resources are given: what the containers request,
 * else the limit. */
static void
pod_requests_default(Value **pod)
{
    g_autoptr(Value) spec = value_ref(value_get(*pod, "spec"));
    const Value *limits = value_at(spec, "resources.limits");
    if (value_size(limits) == 0)
        return;
    g_autoptr(Value) requests = value_ref(value_at(spec, "resources.requests"));
    g_autoptr(Value) before = value_ref(requests);
    if (!requests)
        requests = value_new_map();
    static const char *const SHARED[] = {"cpu", "memory"};
    for (size_t i = 0; i < G_N_ELEMENTS(SHARED); i++)
        if (!value_has(requests, SHARED[i]) && any_requests(spec, SHARED[i]))
            value_replace(&requests,
                          value_set(requests, SHARED[i],
                                    quantity_value_new(requested_together(spec, SHARED[i]))));
    VALUE_MAP_FOREACH (resource, limit, limits) {
        if (value_has(requests, resource) || !is_pod_level(resource))
            continue;
        Value *value = any_requests(spec, resource)
                           ? quantity_value_new(requested_together(spec, resource))
                           : value_ref(limit);
        value_replace(&requests, value_set(requests, resource, value));
    }
    if (value_size(requests) > 0 && requests != before)
        value_edit(pod, "spec.resources.requests", g_steal_pointer(&requests));
}

void
default_pod(Value **pod)
{
    default_items(pod, "spec.containers", requests_from_limits);
    default_items(pod, "spec.initContainers", requests_from_limits);
    default_missing(pod, "spec.enableServiceLinks", value_new_bool(true));
    if (value_bool_at(*pod, "spec.hostNetwork")) {
        default_items(pod, "spec.containers", host_ports);
        default_items(pod, "spec.initContainers", host_ports);
    }
    pod_requests_default(pod);
}

/* ---- in templates too
 * ------------------------------------------------------------------------------------- */

static void
container(Value **object)
{
    if (!*value_text_at(*object, "imagePullPolicy"))
        value_edit(object, "imagePullPolicy",
                   value_new_string(image_pull_policy(value_text_at(*object, "image"))));
}

static void
volume(Value **object)
{
    bool sourced = false;
    for (size_t i = 0; i < value_size(*object); i++)
        sourced = sourced || strcmp(value_key_at(*object, i), "name") != 0;
    if (!sourced)
        value_edit(object, "emptyDir", value_new_map());
    const Value *image = value_get(*object, "image");
    if (image && !*value_text_at(image, "pullPolicy"))
        value_edit(object, "image.pullPolicy",
                   value_new_string(image_pull_policy(value_text_at(image, "reference"))));
}

void
default_pod_spec(Value **spec)
{
    default_items(spec, "containers", container);
    default_items(spec, "initContainers", container);
    default_items(spec, "ephemeralContainers", container);
    default_items(spec, "volumes", volume);
    /* serviceAccount is the old name of serviceAccountName; the API shows both. */
    const char *name = value_text_at(*spec, "serviceAccountName");
    const char *old = value_text_at(*spec, "serviceAccount");
    if (*name && strcmp(name, old) != 0)
        value_edit(spec, "serviceAccount", value_new_string(name));
    else if (!*name && *old)
        value_edit(spec, "serviceAccountName", value_new_string(old));
}
