/* What a pod asks for, as scheduler, kubelet and quota count it (component-helpers resource.PodRequests, and
 * apis/core/v1/helper/qos). Sums are exact: milli-units for CPU, whole units for all else. */
#include <string.h>

#include "core/api/pod.h"
#include "core/object/quantity.h"

typedef struct Amount {
    const char *name; /* borrowed from the pod */
    Quantity quantity;
} Amount;

/* A small list by resource name; pods name a handful of resources. */
typedef struct Amounts {
    GArray *items;
} Amounts;

static Amounts
amounts_new(void)
{
    return (Amounts){g_array_new(FALSE, FALSE, sizeof(Amount))};
}

static Quantity *
amounts_find(Amounts *amounts, const char *name)
{
    for (guint i = 0; i < amounts->items->len; i++) {
        Amount *amount = &g_array_index(amounts->items, Amount, i);
        if (strcmp(amount->name, name) == 0)
            return &amount->quantity;
    }
    return NULL;
}

static void
amounts_combine(Amounts *amounts, const char *name, Quantity quantity, bool largest)
{
    Quantity *found = amounts_find(amounts, name);
    if (found == NULL) {
        Amount amount = {name, quantity};
        g_array_append_val(amounts->items, amount);
    } else if (!largest) {
        *found = quantity_add(*found, quantity);
    } else if (quantity_compare(quantity, *found) > 0) {
        *found = quantity;
    }
}

static void
amounts_add_map(Amounts *amounts, const Value *map, bool largest)
{
    VALUE_MAP_FOREACH(name, value, map)
    {
        amounts_combine(amounts, name, quantity_of(value), largest);
    }
}

static void
amounts_add(Amounts *amounts, const Amounts *other, bool largest)
{
    for (guint i = 0; i < other->items->len; i++) {
        const Amount *amount = &g_array_index(other->items, Amount, i);
        amounts_combine(amounts, amount->name, amount->quantity, largest);
    }
}

static bool
is_sidecar(const Value *container)
{
    return strcmp(value_text(value_get(container, "restartPolicy")), "Always") == 0;
}

/* Containers and sidecars run together; an ordinary init container runs beside the sidecars that started before it. */
static Amounts
pod_amounts(const Value *pod, const char *which)
{
    const Value *spec = value_get(pod, "spec");
    Amounts total = amounts_new(), sidecars = amounts_new(), init = amounts_new();
    VALUE_ARRAY_FOREACH(container, value_get(spec, "containers"))
    {
        amounts_add_map(&total, value_get(value_get(container, "resources"), which), false);
    }
    VALUE_ARRAY_FOREACH(container, value_get(spec, "initContainers"))
    {
        const Value *map = value_get(value_get(container, "resources"), which);
        if (is_sidecar(container)) {
            amounts_add_map(&total, map, false);
            amounts_add_map(&sidecars, map, false);
            amounts_add(&init, &sidecars, true);
            continue;
        }
        Amounts alone = amounts_new();
        amounts_add(&alone, &sidecars, false);
        amounts_add_map(&alone, map, false);
        amounts_add(&init, &alone, true);
        g_array_unref(alone.items);
    }
    amounts_add(&total, &init, true);
    /* Pod-level resources say it for the whole pod. */
    VALUE_MAP_FOREACH(name, value, value_get(value_get(spec, "resources"), which))
    {
        Quantity *found = amounts_find(&total, name);
        if (found != NULL)
            *found = quantity_of(value);
        else
            amounts_combine(&total, name, quantity_of(value), false);
    }
    const Value *overhead = value_get(spec, "overhead");
    bool requests = strcmp(which, "requests") == 0;
    VALUE_MAP_FOREACH(name, value, overhead)
    {
        /* A pod without a limit does not get one from its overhead. */
        if (requests || amounts_find(&total, name) != NULL)
            amounts_combine(&total, name, quantity_of(value), false);
    }
    g_array_unref(sidecars.items);
    g_array_unref(init.items);
    return total;
}

static void
list_put(ResourceList *list, const char *name, Quantity quantity, int64_t *ret_pods)
{
    if (strcmp(name, "cpu") == 0)
        list->milli_cpu = quantity_milli(quantity);
    else if (strcmp(name, "memory") == 0)
        list->memory = quantity_units(quantity);
    else if (strcmp(name, "ephemeral-storage") == 0)
        list->ephemeral_storage = quantity_units(quantity);
    else if (strcmp(name, "pods") == 0 && ret_pods != NULL)
        *ret_pods = quantity_units(quantity);
    else {
        if (list->scalars == NULL)
            list->scalars = value_new_map();
        value_replace(&list->scalars,
                      value_set(list->scalars, name, value_new_int(quantity_units(quantity))));
    }
}

static void
list_of(const Value *pod, const char *which, ResourceList *ret_list)
{
    Amounts amounts = pod_amounts(pod, which);
    *ret_list = (ResourceList){0};
    for (guint i = 0; i < amounts.items->len; i++) {
        const Amount *amount = &g_array_index(amounts.items, Amount, i);
        list_put(ret_list, amount->name, amount->quantity, NULL);
    }
    g_array_unref(amounts.items);
}

void
pod_requests(const Value *pod, ResourceList *ret_list)
{
    list_of(pod, "requests", ret_list);
}

void
pod_limits(const Value *pod, ResourceList *ret_list)
{
    list_of(pod, "limits", ret_list);
}

void
resource_list_clear(ResourceList *list)
{
    value_unref(list->scalars);
    *list = (ResourceList){0};
}

void
resource_list_parse(const Value *map, ResourceList *ret_list, int64_t *ret_pods)
{
    *ret_list = (ResourceList){0};
    if (ret_pods != NULL)
        *ret_pods = 0;
    VALUE_MAP_FOREACH(name, value, map)
    {
        list_put(ret_list, name, quantity_of(value), ret_pods);
    }
}

/* ---- quality of service --------------------------------------------------------------------------------- */

static const char *const QOS_RESOURCES[] = {"cpu", "memory"};

/* Every container limits CPU and memory, and asks for as much. */
static bool
container_is_guaranteed(const Value *resources)
{
    for (size_t i = 0; i < G_N_ELEMENTS(QOS_RESOURCES); i++) {
        Quantity limit = quantity_of(value_get(value_get(resources, "limits"), QOS_RESOURCES[i]));
        const Value *request = value_get(value_get(resources, "requests"), QOS_RESOURCES[i]);
        if (quantity_is_zero(limit) ||
            (request != NULL && quantity_compare(quantity_of(request), limit) != 0))
            return false;
    }
    return true;
}

static bool
container_asks_nothing(const Value *resources)
{
    for (size_t i = 0; i < G_N_ELEMENTS(QOS_RESOURCES); i++)
        if (!quantity_is_zero(quantity_of(value_get(value_get(resources, "limits"), QOS_RESOURCES[i]))) ||
            !quantity_is_zero(quantity_of(value_get(value_get(resources, "requests"), QOS_RESOURCES[i]))))
            return false;
    return true;
}

const char *
pod_qos_class(const Value *pod)
{
    static const char *const LISTS[] = {"containers", "initContainers"};
    const Value *spec = value_get(pod, "spec");
    bool guaranteed = true, best_effort = true;
    const Value *whole = value_get(spec, "resources");
    if (value_size(whole) > 0) {
        guaranteed = container_is_guaranteed(whole);
        best_effort = container_asks_nothing(whole);
    } else {
        for (size_t i = 0; i < G_N_ELEMENTS(LISTS); i++) {
            VALUE_ARRAY_FOREACH(container, value_get(spec, LISTS[i]))
            {
                const Value *resources = value_get(container, "resources");
                guaranteed = guaranteed && container_is_guaranteed(resources);
                best_effort = best_effort && container_asks_nothing(resources);
            }
        }
    }
    return best_effort ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}
