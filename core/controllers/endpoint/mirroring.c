#include "core/controllers/endpoint/mirroring.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/expectations.h"
#include "core/controllers/common/util.h"
#include "core/controllers/endpoint/slice.h"

#define LABEL_SERVICE "kubernetes.io/service-name"
#define LABEL_MANAGED_BY "endpointslice.kubernetes.io/managed-by"
#define LABEL_SKIP "endpointslice.kubernetes.io/skip-mirror"
#define ANNOTATION_LEADER "control-plane.alpha.kubernetes.io/leader"
#define MANAGER "endpointslicemirroring-controller.k8s.io"
#define PER_SUBSET_MAX 1000

typedef struct MirroringController {
    Controller base;
    Informer *services, *endpoints, *slices;
    Expectations *expectations;
} MirroringController;

typedef struct MirrorGroup {
    const char *type; /* "IPv4", "IPv6" */
    Value *ports;
    GPtrArray *wanted;   /* endpoints: references */
    GPtrArray *existing; /* slices: borrowed slots */
} MirrorGroup;

static void
group_clear(gpointer data)
{
    MirrorGroup *group = data;
    value_unref(group->ports);
    g_ptr_array_unref(group->wanted);
    g_ptr_array_unref(group->existing);
}

static MirrorGroup *
group_ensure(GArray *groups, const char *type, const Value *ports)
{
    for (guint i = 0; i < groups->len; i++) {
        MirrorGroup *group = &g_array_index(groups, MirrorGroup, i);
        if (strcmp(group->type, type) == 0 && values_equal_semantically(group->ports, ports))
            return group;
    }
    MirrorGroup group = {type, ports != NULL ? value_ref(ports) : value_new_array(), objects_new(),
                         g_ptr_array_new()};
    g_array_append_val(groups, group);
    return &g_array_index(groups, MirrorGroup, groups->len - 1);
}

static void
add_addresses(GArray *groups, const Value *ports, const Value *addresses, bool ready, size_t *count)
{
    VALUE_ARRAY_FOREACH (address, addresses) {
        if (++*count > PER_SUBSET_MAX)
            return;
        const char *ip = value_text(value_get(address, "ip"));
        const char *type = strchr(ip, ':') != NULL ? "IPv6" : "IPv4";
        g_ptr_array_add(
            group_ensure(groups, type, ports)->wanted,
            value_new_f("{addresses: [%s], conditions: {ready: %b}, hostname: ?%v, nodeName: ?%v, "
                        "targetRef: ?%v}",
                        ip, ready, value_get(address, "hostname"), value_get(address, "nodeName"),
                        value_get(address, "targetRef")));
    }
}

/* Slices' ports have a name and a protocol, be they empty in the Endpoints. */
static Value *
slice_ports(const Value *ports)
{
    g_autoptr(ValueBuilder) result = value_builder_new_array();
    VALUE_ARRAY_FOREACH (port, ports) {
        const char *protocol = value_text(value_get(port, "protocol"));
        value_builder_append(
            result,
            value_new_f("{name: %s, port: ?%v, protocol: %s, appProtocol: ?%v}",
                        value_text(value_get(port, "name")), value_get(port, "port"),
                        *protocol != '\0' ? protocol : "TCP", value_get(port, "appProtocol")));
    }
    return value_builder_end(g_steal_pointer(&result));
}

static bool
must_mirror(const MirroringController *controller, const char *key, const Value *endpoints)
{
    const Value *service = informer_get(controller->services, key);
    const char *skip = object_label(endpoints, LABEL_SKIP);
    return endpoints != NULL && service != NULL &&
           value_size(value_at(service, "spec.selector")) == 0 &&
           (skip == NULL || strcmp(skip, "true") != 0) &&
           object_annotation(endpoints, ANNOTATION_LEADER) == NULL;
}

/* ---- writing
 * ----------------------------------------------------------------------------------------- */

typedef struct Creation {
    MirroringController *controller;
    char *key;
} Creation;

static void
creation_free(gpointer data)
{
    g_free(((Creation *)data)->key);
    g_free(data);
}

static char *
on_created(const ApiResponse *response, void *data)
{
    const Creation *creation = data;
    if (api_response_ok(response))
        return NULL;
    expectations_creation_observed(creation->controller->expectations, creation->key);
    return response_is_namespace_terminating(response) ? NULL : g_strdup(response_error(response));
}

static void
create_slice(MirroringController *controller, Sync *sync, const Value *endpoints,
             const Value *labels, const MirrorGroup *group, const Value *list)
{
    Value *prefix = value_new_stringf("%s-", object_name(endpoints));
    Value *owner = owner_reference_new(endpoints, "v1", "Endpoints");
    Value *slice = value_new_f(
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {generateName: %V, "
        "namespace: %s, labels: %v, ownerReferences: [%V]}, addressType: %s, endpoints: %v, "
        "ports: %v}",
        prefix, object_namespace(endpoints), labels, owner, group->type, list, group->ports);
    Creation *creation = g_new(Creation, 1);
    *creation = (Creation){controller, g_strdup(sync_key(sync))};
    client_create(controller->base.client, "discovery.k8s.io", "endpointslices",
                  object_namespace(endpoints), slice, sync_call,
                  sync_begin_checked(sync, on_created, creation, creation_free));
}

static void
delete_slice(MirroringController *controller, Sync *sync, const Value *slice)
{
    client_delete(controller->base.client, "discovery.k8s.io", "endpointslices",
                  object_namespace(slice), object_name(slice), NULL, sync_call,
                  sync_begin_tolerating(sync, "NotFound"));
}

static size_t
write_group(MirroringController *controller, Sync *sync, const Value *endpoints,
            const Value *labels, const MirrorGroup *group)
{
    SlicePlan plan;
    slice_plan_init(&plan);
    slice_plan_add(&plan, group->existing, group->wanted, labels);
    for (guint i = 0; i < plan.update->len; i++)
        client_update(controller->base.client, "discovery.k8s.io", "endpointslices", NULL,
                      value_ref(objects_item(plan.update, i)), sync_call, sync_begin(sync));
    for (guint i = 0; i < plan.create->len; i++)
        create_slice(controller, sync, endpoints, labels, group, objects_item(plan.create, i));
    for (guint i = 0; i < plan.remove->len; i++)
        delete_slice(controller, sync, objects_item(plan.remove, i));
    size_t created = plan.create->len;
    slice_plan_clear(&plan);
    return created;
}

static void
mirror(MirroringController *controller, Sync *sync, const char *key, const Value *endpoints,
       const GPtrArray *slices)
{
    g_autoptr(GArray) groups = g_array_new(FALSE, TRUE, sizeof(MirrorGroup));
    g_array_set_clear_func(groups, group_clear);
    VALUE_ARRAY_FOREACH (subset, value_get(endpoints, "subsets")) {
        g_autoptr(Value) ports = slice_ports(value_get(subset, "ports"));
        size_t count = 0;
        add_addresses(groups, ports, value_get(subset, "addresses"), true, &count);
        add_addresses(groups, ports, value_get(subset, "notReadyAddresses"), false, &count);
    }
    for (guint i = 0; i < slices->len; i++) {
        const Value *slice = objects_item(slices, i);
        const char *type = value_text(value_get(slice, "addressType"));
        g_ptr_array_add(group_ensure(groups, type, value_get(slice, "ports"))->existing,
                        (gpointer)slice);
    }
    g_autoptr(ValueBuilder) builder = value_builder_new(object_labels(endpoints));
    value_builder_set(builder, LABEL_SERVICE, value_new_string(object_name(endpoints)));
    value_builder_set(builder, LABEL_MANAGED_BY, value_new_string(MANAGER));
    value_builder_remove(builder, LABEL_SKIP);
    g_autoptr(Value) labels = value_builder_end(g_steal_pointer(&builder));
    size_t created = 0;
    for (guint i = 0; i < groups->len; i++)
        created += write_group(controller, sync, endpoints, labels,
                               &g_array_index(groups, MirrorGroup, i));
    if (created > 0)
        expectations_set(controller->expectations, key, (int64_t)created, NULL,
                         controller_now(&controller->base));
}

static void
sync_endpoints(const char *key, Sync *sync, void *data)
{
    MirroringController *controller = data;
    if (!expectations_satisfied(controller->expectations, key, controller_now(&controller->base))) {
        sync_again_after(sync, EXPECTATIONS_TIMEOUT_NS);
        return;
    }
    const Value *cached = informer_get(controller->endpoints, key);
    g_autoptr(Value) endpoints = cached != NULL ? value_ref(cached) : NULL;
    g_autoptr(GPtrArray) slices = objects_copy(informer_indexed(controller->slices, "mirror", key));
    if (must_mirror(controller, key, endpoints)) {
        mirror(controller, sync, key, endpoints, slices);
        return;
    }
    for (guint i = 0; i < slices->len; i++)
        delete_slice(controller, sync, objects_item(slices, i));
}

/* ---- who is woken
 * ------------------------------------------------------------------------------------ */

static void
index_slice(const Value *slice, GPtrArray *ret_strings)
{
    const char *manager = object_label(slice, LABEL_MANAGED_BY);
    const char *service = object_label(slice, LABEL_SERVICE);
    if (manager != NULL && service != NULL && strcmp(manager, MANAGER) == 0)
        g_ptr_array_add(ret_strings, g_strdup_printf("%s/%s", object_namespace(slice), service));
}

static void
slice_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
              void *data)
{
    MirroringController *controller = data;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    index_slice(new_ != NULL ? new_ : old, keys);
    if (keys->len == 0)
        return;
    if (old == NULL && !initial)
        expectations_creation_observed(controller->expectations, g_ptr_array_index(keys, 0));
    controller_enqueue(&controller->base, g_ptr_array_index(keys, 0), cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = slice_changed};
    MirroringController *controller = g_new0(MirroringController, 1);
    controller_init(&controller->base, context, &endpoint_slice_mirroring_controller_class,
                    "endpoint-slice-mirroring-controller", 5, sync_endpoints);
    controller->expectations = expectations_new();
    controller->services = context_informer(context, "", "services");
    controller->endpoints = context_informer(context, "", "endpoints");
    controller->slices = context_indexed_informer(context, "discovery.k8s.io", "endpointslices",
                                                  "mirror", index_slice);
    controller_watch(&controller->base, controller->services);
    controller_watch(&controller->base, controller->endpoints);
    informer_add_handler(controller->slices, &handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    expectations_free(((MirroringController *)base)->expectations);
    g_free(base);
}

const ControllerClass endpoint_slice_mirroring_controller_class = {
    "endpointslice-mirroring-controller", start, NULL, stop};
