/* The EndpointSlice controller: Service -> pods behind it -> slices by address type and set of
 * ports. A created slice gets its name from the server, so the next sync waits until the cache
 * shows it (expectations; the real one's tracker). */
#include "core/controllers/endpoint/slice.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/expectations.h"
#include "core/controllers/common/util.h"
#include "core/controllers/endpoint/pods.h"

#define LABEL_SERVICE "kubernetes.io/service-name"
#define LABEL_MANAGED_BY "endpointslice.kubernetes.io/managed-by"
#define LABEL_HEADLESS "service.kubernetes.io/headless"
#define MANAGER "endpointslice-controller.k8s.io"

typedef struct SliceController {
    Controller base;
    Informer *services, *slices, *nodes;
    Membership *membership;
    Expectations *expectations;
} SliceController;

/* ---- what is wanted
 * ---------------------------------------------------------------------------------- */

static Value *
slice_labels(const Value *service)
{
    g_autoptr(ValueBuilder) labels = value_builder_new(object_labels(service));
    value_builder_remove(labels, LABEL_HEADLESS);
    if (service_is_headless(service))
        value_builder_set(labels, LABEL_HEADLESS, value_new_string(""));
    value_builder_set(labels, LABEL_SERVICE, value_new_string(object_name(service)));
    value_builder_set(labels, LABEL_MANAGED_BY, value_new_string(MANAGER));
    return value_builder_end(g_steal_pointer(&labels));
}

static Value *
pod_addresses(const Value *pod, const char *type)
{
    bool v6 = strcmp(type, "IPv6") == 0;
    g_autoptr(ValueBuilder) addresses = value_builder_new_array();
    const Value *ips = value_at(pod, "status.podIPs");
    VALUE_ARRAY_FOREACH (ip, ips) {
        const char *text = value_text(value_get(ip, "ip"));
        if (*text != '\0' && (strchr(text, ':') != NULL) == v6)
            value_builder_append(addresses, value_new_string(text));
    }
    if (value_size(ips) == 0 && (strchr(pod_ip(pod), ':') != NULL) == v6)
        value_builder_append(addresses, value_new_string(pod_ip(pod)));
    return value_builder_end(g_steal_pointer(&addresses));
}

static Value *
endpoint_new(const SliceController *controller, const Value *service, const Value *pod,
             Value *take_addresses)
{
    bool serving = pod_is_ready(pod), terminating = object_is_deleting(pod);
    bool ready =
        value_bool_at(service, "spec.publishNotReadyAddresses") || (serving && !terminating);
    const char *node_name = pod_node_name(pod);
    const Value *node = *node_name != '\0' ? informer_get(controller->nodes, node_name) : NULL;
    const char *hostname = value_string_at(pod, "spec.hostname"),
               *subdomain = value_text_at(pod, "spec.subdomain");
    if (strcmp(subdomain, object_name(service)) != 0)
        hostname = NULL;
    return value_new_f("{addresses: %V, conditions: {ready: %b, serving: %b, terminating: %b}, "
                       "hostname: ?%s, nodeName: ?%s, "
                       "zone: ?%s, targetRef: {kind: Pod, namespace: %s, name: %s, uid: %s}}",
                       take_addresses, ready, serving, terminating, hostname,
                       *node_name != '\0' ? node_name : NULL,
                       object_label(node, "topology.kubernetes.io/zone"), object_namespace(pod),
                       object_name(pod), object_uid(pod));
}

static Value *
endpoint_ports(const Value *service, const Value *pod)
{
    g_autoptr(ValueBuilder) ports = value_builder_new_array();
    VALUE_ARRAY_FOREACH (port, value_at(service, "spec.ports")) {
        int64_t number = service_target_port(port, pod);
        if (number == 0)
            continue;
        const char *protocol = value_text(value_get(port, "protocol"));
        value_builder_append(ports,
                             value_new_f("{name: %s, port: %i, protocol: %s, appProtocol: ?%v}",
                                         value_text(value_get(port, "name")), number,
                                         *protocol != '\0' ? protocol : "TCP",
                                         value_get(port, "appProtocol")));
    }
    return value_builder_end(g_steal_pointer(&ports));
}

/* The endpoints with one set of ports; sets are few (one, unless named ports differ between pods).
 */
typedef struct PortGroup {
    Value *ports;
    GPtrArray *wanted;   /* references */
    GPtrArray *existing; /* borrowed slots */
} PortGroup;

static void
port_group_clear(gpointer data)
{
    PortGroup *group = data;
    value_unref(group->ports);
    g_ptr_array_unref(group->wanted);
    g_ptr_array_unref(group->existing);
}

static PortGroup *
port_group(GArray *groups, const Value *ports)
{
    for (guint i = 0; i < groups->len; i++)
        if (values_equal_semantically(g_array_index(groups, PortGroup, i).ports, ports))
            return &g_array_index(groups, PortGroup, i);
    PortGroup group = {ports != NULL ? value_ref(ports) : value_new_array(), objects_new(),
                       g_ptr_array_new()};
    g_array_append_val(groups, group);
    return &g_array_index(groups, PortGroup, groups->len - 1);
}

/* ---- writing
 * ----------------------------------------------------------------------------------------- */

typedef struct SliceCreation {
    SliceController *controller;
    char *key;
} SliceCreation;

static void
creation_free(gpointer data)
{
    SliceCreation *creation = data;
    g_free(creation->key);
    g_free(creation);
}

static char *
on_created(const ApiResponse *response, void *data)
{
    const SliceCreation *creation = data;
    if (api_response_ok(response))
        return NULL;
    expectations_creation_observed(creation->controller->expectations, creation->key);
    return response_is_namespace_terminating(response) ? NULL : g_strdup(response_error(response));
}

static void
create_slice(SliceController *controller, Sync *sync, const Value *service, const Value *labels,
             const char *type, const Value *ports, const Value *endpoints)
{
    Value *owner = owner_reference_new(service, "v1", "Service");
    Value *prefix = value_new_stringf("%s-", object_name(service));
    Value *slice = value_new_f(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {generateName: %V, "
        "namespace: %s, "
        "labels: %v, ownerReferences: [%V]}, addressType: %s, endpoints: %v, ports: %v}",
        prefix, object_namespace(service), labels, owner, type, endpoints, ports);
    SliceCreation *creation = g_new(SliceCreation, 1);
    *creation = (SliceCreation){controller, g_strdup(sync_key(sync))};
    client_create(controller->base.client, "discovery.k8s.io", "endpointslices",
                  object_namespace(service), slice, sync_call,
                  sync_begin_checked(sync, on_created, creation, creation_free));
}

/* A set of ports that is wanted no more gives its slices to one that is new, before anything is
 * deleted. */
static const Value *
take_removable(GPtrArray *removable, const char *type)
{
    for (guint i = 0; i < removable->len; i++)
        if (strcmp(value_text(value_get(objects_item(removable, i), "addressType")), type) == 0)
            return g_ptr_array_steal_index(removable, i);
    return NULL;
}

static void
write_plan(SliceController *controller, Sync *sync, const Value *service, const Value *labels,
           const char *type, const Value *ports, const SlicePlan *plan, GPtrArray *removable,
           size_t *created)
{
    for (guint i = 0; i < plan->update->len; i++)
        client_update(controller->base.client, "discovery.k8s.io", "endpointslices", NULL,
                      value_ref(objects_item(plan->update, i)), sync_call, sync_begin(sync));
    for (guint i = 0; i < plan->create->len; i++) {
        const Value *endpoints = objects_item(plan->create, i);
        g_autoptr(Value) reused = (Value *)take_removable(removable, type);
        if (reused != NULL) {
            value_edit(&reused, "endpoints", value_ref(endpoints));
            value_edit(&reused, "ports", value_ref(ports));
            value_edit(&reused, "metadata.labels", value_ref(labels));
            client_update(controller->base.client, "discovery.k8s.io", "endpointslices", NULL,
                          g_steal_pointer(&reused), sync_call, sync_begin(sync));
        } else if (!object_is_deleting(service)) {
            ++*created;
            create_slice(controller, sync, service, labels, type, ports, endpoints);
        }
    }
}

/* No pod: one empty slice remains or is made, which says so. */
static void
reconcile_none(SliceController *controller, Sync *sync, const Value *service, const Value *labels,
               const char *type, GArray *groups, GPtrArray *removable, size_t *created)
{
    g_autoptr(Value) none = value_new_array();
    bool kept = false;
    for (guint i = 0; i < groups->len; i++) {
        const GPtrArray *slices = g_array_index(groups, PortGroup, i).existing;
        for (guint j = 0; j < slices->len; j++) {
            const Value *slice = objects_item(slices, j);
            bool fits = value_size(value_get(slice, "endpoints")) == 0 &&
                        value_size(value_get(slice, "ports")) == 0 &&
                        values_equal_semantically(labels, object_labels(slice));
            if (fits && !kept)
                kept = true;
            else
                objects_add(removable, slice);
        }
    }
    if (kept)
        return;
    SlicePlan plan;
    slice_plan_init(&plan);
    objects_add(plan.create, none);
    write_plan(controller, sync, service, labels, type, none, &plan, removable, created);
    slice_plan_clear(&plan);
}

static void
collect_groups(const SliceController *controller, const Value *service, const char *type,
               const GPtrArray *pods, GArray *groups)
{
    for (guint i = 0; i < pods->len; i++) {
        const Value *pod = objects_item(pods, i);
        g_autoptr(Value) addresses = pod_addresses(pod, type);
        if (!pod_belongs_in_endpoints(pod, true) || value_size(addresses) == 0)
            continue;
        g_autoptr(Value) ports = endpoint_ports(service, pod);
        g_ptr_array_add(port_group(groups, ports)->wanted,
                        endpoint_new(controller, service, pod, g_steal_pointer(&addresses)));
    }
}

static void
reconcile_type(SliceController *controller, Sync *sync, const Value *service, const char *type,
               const GPtrArray *pods, const GPtrArray *existing, GPtrArray *removable,
               size_t *created)
{
    g_autoptr(GArray) groups = g_array_new(FALSE, TRUE, sizeof(PortGroup));
    g_array_set_clear_func(groups, port_group_clear);
    g_autoptr(Value) labels = slice_labels(service);
    collect_groups(controller, service, type, pods, groups);
    guint n_wanted = groups->len;
    for (guint i = 0; i < existing->len; i++) {
        const Value *slice = objects_item(existing, i);
        if (strcmp(value_text(value_get(slice, "addressType")), type) == 0)
            g_ptr_array_add(port_group(groups, value_get(slice, "ports"))->existing,
                            (gpointer)slice);
    }
    if (n_wanted == 0) {
        reconcile_none(controller, sync, service, labels, type, groups, removable, created);
        return;
    }
    for (guint i = n_wanted; i < groups->len; i++) { /* ports that nobody has any more */
        const GPtrArray *slices = g_array_index(groups, PortGroup, i).existing;
        for (guint j = 0; j < slices->len; j++)
            objects_add(removable, objects_item(slices, j));
    }
    for (guint i = 0; i < n_wanted; i++) {
        PortGroup *group = &g_array_index(groups, PortGroup, i);
        SlicePlan plan;
        slice_plan_init(&plan);
        slice_plan_add(&plan, group->existing, group->wanted, labels);
        for (guint j = 0; j < plan.remove->len; j++)
            objects_add(removable, objects_item(plan.remove, j));
        write_plan(controller, sync, service, labels, type, group->ports, &plan, removable,
                   created);
        slice_plan_clear(&plan);
    }
}

/* ---- sync
 * -------------------------------------------------------------------------------------------- */

static GPtrArray *
slices_of(const SliceController *controller, const char *service_key)
{
    return objects_copy(informer_indexed(controller->slices, "service", service_key));
}

static void
delete_slices(SliceController *controller, Sync *sync, const GPtrArray *slices)
{
    for (guint i = 0; i < slices->len; i++)
        client_delete(controller->base.client, "discovery.k8s.io", "endpointslices",
                      object_namespace(objects_item(slices, i)),
                      object_name(objects_item(slices, i)), NULL, sync_call,
                      sync_begin_tolerating(sync, "NotFound"));
}

static void
sync_service(const char *key, Sync *sync, void *data)
{
    SliceController *controller = data;
    const Value *cached = informer_get(controller->services, key);
    if (cached == NULL) {
        expectations_delete(controller->expectations, key); /* the slices are garbage collected */
        return;
    }
    if (!service_has_pods(cached))
        return;
    if (!expectations_satisfied(controller->expectations, key, controller_now(&controller->base))) {
        sync_again_after(sync, EXPECTATIONS_TIMEOUT_NS);
        return;
    }
    g_autoptr(Value) service = value_ref(cached);
    g_autoptr(GPtrArray) all = slices_of(controller, key),
                         pods = membership_pods(controller->membership, key, service);
    g_autoptr(GPtrArray) existing = objects_new(), removable = objects_new();
    const Value *families = value_at(service, "spec.ipFamilies");
    g_autoptr(Value) otherwise = value_new_f("[IPv4]");
    if (value_size(families) == 0)
        families = otherwise;
    for (guint i = 0; i < all->len; i++) {
        const Value *slice = objects_item(all, i);
        bool supported = false;
        VALUE_ARRAY_FOREACH (family, families)
            supported |= value_equal(family, value_get(slice, "addressType"));
        objects_add(supported && object_is_controlled_by(slice, object_uid(service)) ? existing
                                                                                     : removable,
                    slice);
    }
    delete_slices(controller, sync, removable);
    g_ptr_array_set_size(removable, 0);
    size_t created = 0;
    VALUE_ARRAY_FOREACH (family, families)
        reconcile_type(controller, sync, service, value_text(family), pods, existing, removable,
                       &created);
    delete_slices(controller, sync, removable);
    if (created > 0)
        expectations_set(controller->expectations, key, (int64_t)created, NULL,
                         controller_now(&controller->base));
}

/* ---- who is woken
 * ------------------------------------------------------------------------------------ */

static void
index_slice(const Value *slice, GPtrArray *ret_strings)
{
    const char *manager = object_label(slice, LABEL_MANAGED_BY),
               *service = object_label(slice, LABEL_SERVICE);
    if (manager != NULL && service != NULL && strcmp(manager, MANAGER) == 0)
        g_ptr_array_add(ret_strings, g_strdup_printf("%s/%s", object_namespace(slice), service));
}

static void
slice_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
              void *data)
{
    SliceController *controller = data;
    g_autoptr(GPtrArray) services = g_ptr_array_new_with_free_func(g_free);
    index_slice(new_ != NULL ? new_ : old, services);
    if (services->len == 0)
        return;
    const char *service = g_ptr_array_index(services, 0);
    if (old == NULL && !initial)
        expectations_creation_observed(controller->expectations, service);
    /* Our own writes come back too; what others did to a slice must be put right. */
    if (new_ == NULL || old == NULL ||
        !value_equal(value_get(old, "endpoints"), value_get(new_, "endpoints")) ||
        !value_equal(object_labels(old), object_labels(new_)))
        controller_enqueue(&controller->base, service, cause);
}

static void
pod_changed(const char *service_key, const Value *service, const Value *old, const Value *new_,
            uint64_t cause, void *data)
{
    SliceController *controller = data;
    if (!pod_endpoint_changed(old, new_))
        return;
    int64_t delay = service_gather_delay(controller->membership, service_key);
    if (delay > 0)
        work_queue_add_after(controller->base.queue, service_key, delay);
    else
        controller_enqueue(&controller->base, service_key, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = slice_changed};
    SliceController *controller = g_new0(SliceController, 1);
    controller_init(&controller->base, context, &endpoint_slice_controller_class,
                    "endpoint-slice-controller", 5, sync_service);
    controller->expectations = expectations_new();
    controller->services = context_informer(context, "", "services");
    controller->slices = context_indexed_informer(context, "discovery.k8s.io", "endpointslices",
                                                  "service", index_slice);
    controller->nodes = context_informer(context, "", "nodes");
    controller->membership = service_membership_new(context, pod_changed, controller);
    controller_watch(&controller->base, controller->services);
    informer_add_handler(controller->slices, &handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    SliceController *controller = (SliceController *)base;
    controller_clear(base);
    membership_free(controller->membership);
    expectations_free(controller->expectations);
    g_free(controller);
}

const ControllerClass endpoint_slice_controller_class = {"endpointslice-controller", start, NULL,
                                                         stop};
