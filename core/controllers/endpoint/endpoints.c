#include "core/controllers/endpoint/endpoints.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/endpoint/pods.h"

#define CAPACITY_MAX 1000
#define ANNOTATION_OVER_CAPACITY "endpoints.kubernetes.io/over-capacity"
#define LABEL_HEADLESS "service.kubernetes.io/headless"
#define LABEL_MANAGED_BY "endpoints.kubernetes.io/managed-by"

typedef struct EndpointsController {
    Controller base;
    Informer *services, *endpoints;
    Membership *membership;
} EndpointsController;

typedef struct Subset {
    Value *ports;
    ValueBuilder *ready, *not_ready;
} Subset;

static Subset *
subset_ensure(GArray *subsets, const Value *ports)
{
    for (guint i = 0; i < subsets->len; i++)
        if (value_equal(g_array_index(subsets, Subset, i).ports, ports))
            return &g_array_index(subsets, Subset, i);
    Subset subset = {value_ref(ports), value_builder_new_array(), value_builder_new_array()};
    g_array_append_val(subsets, subset);
    return &g_array_index(subsets, Subset, subsets->len - 1);
}

static Value *
endpoint_ports(const Value *service, const Value *pod)
{
    g_autoptr(ValueBuilder) ports = value_builder_new_array();
    VALUE_ARRAY_FOREACH (port, value_at(service, "spec.ports")) {
        int64_t number = service_target_port(port, pod);
        const char *name = value_text(value_get(port, "name")),
                   *protocol = value_text(value_get(port, "protocol"));
        if (number != 0)
            value_builder_append(
                ports,
                value_new_f("{name: ?%s, port: %i, protocol: %s, appProtocol: ?%v}",
                            *name != '\0' ? name : NULL, number,
                            *protocol != '\0' ? protocol : "TCP", value_get(port, "appProtocol")));
    }
    return value_builder_end(g_steal_pointer(&ports));
}

static gint
compare_ip(gconstpointer a, gconstpointer b)
{
    const Value *x = *(const Value *const *)a, *y = *(const Value *const *)b;
    int order = strcmp(pod_ip(x), pod_ip(y));
    return order != 0 ? order : strcmp(object_uid(x), object_uid(y));
}

static void
add_pod(GArray *subsets, const Value *service, const Value *pod)
{
    g_autoptr(Value) ports = endpoint_ports(service, pod);
    if (value_size(ports) == 0 && !service_is_headless(service))
        return;
    const char *hostname = strcmp(value_text_at(pod, "spec.subdomain"), object_name(service)) == 0
                               ? value_string_at(pod, "spec.hostname")
                               : NULL;
    Value *address =
        value_new_f("{ip: %s, hostname: ?%s, nodeName: ?%s, targetRef: {kind: Pod, namespace: %s, "
                    "name: %s, uid: %s}}",
                    pod_ip(pod), hostname, *pod_node_name(pod) != '\0' ? pod_node_name(pod) : NULL,
                    object_namespace(pod), object_name(pod), object_uid(pod));
    Subset *subset = subset_ensure(subsets, ports);
    bool ready = pod_is_ready(pod) || value_bool_at(service, "spec.publishNotReadyAddresses");
    value_builder_append(ready ? subset->ready : subset->not_ready, address);
}

static Value *
subsets_of(const Value *service, GPtrArray *pods, bool *ret_truncated)
{
    g_autoptr(GArray) subsets = g_array_new(FALSE, TRUE, sizeof(Subset));
    g_autoptr(ValueBuilder) result = value_builder_new_array();
    bool publish = value_bool_at(service, "spec.publishNotReadyAddresses");
    guint added = 0;
    g_ptr_array_sort(pods, compare_ip);
    *ret_truncated = false;
    for (guint i = 0; i < pods->len; i++) {
        if (!pod_belongs_in_endpoints(objects_item(pods, i), publish))
            continue;
        *ret_truncated |= added == CAPACITY_MAX;
        if (added < CAPACITY_MAX)
            add_pod(subsets, service, objects_item(pods, i));
        added += added < CAPACITY_MAX;
    }
    for (guint i = 0; i < subsets->len; i++) {
        Subset *subset = &g_array_index(subsets, Subset, i);
        g_autoptr(Value) ready = value_builder_end(subset->ready),
                         not_ready = value_builder_end(subset->not_ready);
        value_builder_append(result,
                             value_new_f("{addresses: ?%v, notReadyAddresses: ?%v, ports: ?%v}",
                                         value_size(ready) > 0 ? ready : NULL,
                                         value_size(not_ready) > 0 ? not_ready : NULL,
                                         value_size(subset->ports) > 0 ? subset->ports : NULL));
        value_unref(subset->ports);
    }
    return value_builder_end(g_steal_pointer(&result));
}

static Value *
labels_of(const Value *service)
{
    g_autoptr(ValueBuilder) labels = value_builder_new(object_labels(service));
    value_builder_set(labels, LABEL_MANAGED_BY, value_new_string("endpoint-controller"));
    value_builder_remove(labels, LABEL_HEADLESS);
    if (service_is_headless(service))
        value_builder_set(labels, LABEL_HEADLESS, value_new_string(""));
    return value_builder_end(g_steal_pointer(&labels));
}

static char *
on_written(const ApiResponse *response, void *data)
{
    return api_response_ok(response) || response_is_namespace_terminating(response) ||
                   response_is(response, "NotFound")
               ? NULL
               : g_strdup(response_error(response));
}

static void
sync_service(const char *key, Sync *sync, void *data)
{
    EndpointsController *controller = data;
    const Value *cached = informer_get(controller->services, key),
                *known = informer_get(controller->endpoints, key);
    const char *namespace_, *name;
    sync_split_key(sync, &namespace_, &name);
    if (cached == NULL) {
        if (known != NULL && object_label(known, LABEL_MANAGED_BY) != NULL)
            client_delete(controller->base.client, "", "endpoints", namespace_, name, NULL,
                          sync_call, sync_begin_tolerating(sync, "NotFound"));
        return;
    }
    if (!service_has_pods(cached))
        return;
    g_autoptr(Value) service = value_ref(cached);
    g_autoptr(GPtrArray) pods = membership_pods(controller->membership, key, service);
    bool truncated;
    g_autoptr(Value) subsets = subsets_of(service, pods, &truncated), labels = labels_of(service);
    bool same_mark = (object_annotation(known, ANNOTATION_OVER_CAPACITY) != NULL) == truncated;
    if (known != NULL && same_mark &&
        values_equal_semantically(value_get(known, "subsets"), subsets) &&
        values_equal_semantically(object_labels(known), labels))
        return;
    Value *written =
        known != NULL
            ? value_ref(known)
            : value_new_f("{apiVersion: v1, kind: Endpoints, metadata: {name: %s, namespace: %s}}",
                          name, namespace_);
    value_edit(&written, "metadata.labels", g_steal_pointer(&labels));
    if (value_size(subsets) > 0)
        value_edit(&written, "subsets", g_steal_pointer(&subsets));
    else
        value_edit_remove(&written, "subsets");
    if (truncated)
        value_edit(&written, "metadata.annotations['" ANNOTATION_OVER_CAPACITY "']",
                   value_new_string("truncated"));
    else
        value_edit_remove(&written, "metadata.annotations['" ANNOTATION_OVER_CAPACITY "']");
    if (known != NULL)
        client_update(controller->base.client, "", "endpoints", NULL, written, sync_call,
                      sync_begin_checked(sync, on_written, NULL, NULL));
    else
        client_create(controller->base.client, "", "endpoints", namespace_, written, sync_call,
                      sync_begin_checked(sync, on_written, NULL, NULL));
}

static void
pod_changed(const char *service_key, const Value *service, const Value *old, const Value *new_,
            uint64_t cause, void *data)
{
    EndpointsController *controller = data;
    if (!pod_endpoint_changed(old, new_))
        return;
    int64_t delay = service_gather_delay(controller->membership, service_key);
    if (delay > 0)
        work_queue_add_after(controller->base.queue, service_key, delay);
    else
        controller_enqueue(&controller->base, service_key, cause);
}

static void
endpoints_changed(const char *key, const Value *old, const Value *new_, uint64_t cause,
                  bool initial, void *data)
{
    EndpointsController *controller = data;
    if (new_ == NULL || old == NULL ||
        !value_equal(value_get(old, "subsets"), value_get(new_, "subsets")))
        controller_enqueue(&controller->base, key, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = endpoints_changed};
    EndpointsController *controller = g_new0(EndpointsController, 1);
    controller_init(&controller->base, context, &endpoints_controller_class, "endpoint-controller",
                    5, sync_service);
    controller->services = context_informer(context, "", "services");
    controller->endpoints = context_informer(context, "", "endpoints");
    controller->membership = service_membership_new(context, pod_changed, controller);
    controller_watch(&controller->base, controller->services);
    informer_add_handler(controller->endpoints, &handler, controller);
    return &controller->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    membership_free(((EndpointsController *)base)->membership);
    g_free(base);
}

const ControllerClass endpoints_controller_class = {"endpoints-controller", start, NULL, stop};
