/* Services: cluster addresses, IP families and node ports (k8s.io/kubernetes
 * pkg/registry/core/service). What a request takes is noted in call->extra, so that it can be given
 * back when the write does not happen. */
#include "core/apiserver/allocator.h"
#include "core/apiserver/private.h"

static const char *
service_type(const Value *service)
{
    const char *type = value_text_at(service, "spec.type");

    return *type == '\0' ? "ClusterIP" : type;
}

static bool
service_is_external(const Value *service)
{
    return strcmp(service_type(service), "ExternalName") == 0;
}

static bool
service_is_headless(const Value *service)
{
    return strcmp(value_text_at(service, "spec.clusterIP"), "None") == 0;
}

static bool
service_wants_node_ports(const Value *service)
{
    const char *type = service_type(service);

    if (strcmp(type, "LoadBalancer") == 0)
        return value_at(service, "spec.allocateLoadBalancerNodePorts") == NULL ||
               value_bool_at(service, "spec.allocateLoadBalancerNodePorts");
    return strcmp(type, "NodePort") == 0;
}

static void
service_set_families(Value **object)
{
    if (service_is_external(*object)) {
        static const char *const none[] = {"spec.ipFamilies", "spec.ipFamilyPolicy"};

        for (size_t i = 0; i < G_N_ELEMENTS(none); i++)
            if (value_at(*object, none[i]) != NULL)
                value_edit_remove(object, none[i]);
        return;
    }
    if (value_size(value_at(*object, "spec.ipFamilies")) == 0)
        value_edit(object, "spec.ipFamilies", value_new_f("[IPv4]"));
    if (value_at(*object, "spec.ipFamilyPolicy") == NULL)
        value_edit(object, "spec.ipFamilyPolicy", value_new_string("SingleStack"));
}

void
service_prepare_create(ApiCall *call, Value **object)
{
    const Value *ips = value_at(*object, "spec.clusterIPs");

    service_set_families(object);
    if (service_is_external(*object))
        return;
    if (*value_text_at(*object, "spec.clusterIP") == '\0' && value_size(ips) > 0)
        value_edit(object, "spec.clusterIP", value_ref(value_item(ips, 0)));
    else if (*value_text_at(*object, "spec.clusterIP") != '\0' && value_size(ips) == 0)
        value_edit(object, "spec.clusterIPs",
                   value_append(NULL, value_ref(value_at(*object, "spec.clusterIP"))));
}

/* A client that updates without these fields keeps what was given to it. */
void
service_prepare_update(ApiCall *call, Value **object, const Value *old)
{
    static const char *const kept[] = {"spec.clusterIP", "spec.clusterIPs", "spec.ipFamilies",
                                       "spec.ipFamilyPolicy", "spec.healthCheckNodePort"};

    if (service_is_external(*object)) {
        service_set_families(object);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kept) && !service_is_external(old); i++)
        if (value_at(*object, kept[i]) == NULL && value_at(old, kept[i]) != NULL)
            value_edit(object, kept[i], value_ref(value_at(old, kept[i])));
    service_set_families(object);
    if (!service_wants_node_ports(*object) || !service_wants_node_ports(old))
        return;
    for (size_t i = 0; i < value_size(value_at(*object, "spec.ports")); i++) {
        const Value *port = value_item(value_at(*object, "spec.ports"), i);
        g_autofree char *path = g_strdup_printf("spec.ports[%zu].nodePort", i);

        if (value_int_at(port, "nodePort") != 0)
            continue;
        VALUE_ARRAY_FOREACH (before, value_at(old, "spec.ports"))
            if (value_equal(value_get(before, "port"), value_get(port, "port")) &&
                strcmp(value_text_at(before, "protocol"), value_text_at(port, "protocol")) == 0 &&
                value_int_at(before, "nodePort") != 0) {
                value_edit(object, path, value_ref(value_get(before, "nodePort")));
                break;
            }
    }
}

/* ---- taking and giving back
 * --------------------------------------------------------------------------------------- */

static void
service_note(ApiCall *call, const char *list, Value *take)
{
    if (call->extra == NULL)
        call->extra = value_new_f("{ips: [], ports: []}");
    value_edit(&call->extra, list, value_append(value_get(call->extra, list), take));
}

static void
release_ip(ApiServer *server, const char *ip)
{
    uint32_t index = 0;

    if (ip_allocator_index(server->addresses, ip, &index))
        bits_release(&server->addresses->bits, index);
}

static void
release_port(ApiServer *server, int64_t port)
{
    if (port >= server->node_ports->min && port <= server->node_ports->max)
        bits_release(&server->node_ports->bits, (uint32_t)(port - server->node_ports->min));
}

static void
service_rollback(ApiCall *call)
{
    VALUE_ARRAY_FOREACH (ip, value_get(call->extra, "ips"))
        release_ip(call->server, value_text(ip));
    VALUE_ARRAY_FOREACH (port, value_get(call->extra, "ports"))
        release_port(call->server, value_int(port));
}

static Value *
service_invalid(ApiCall *call, const Value *object, const char *field, const Value *value,
                const char *text)
{
    g_autoptr(FieldErrors) errors = field_errors_new();

    field_invalid(errors, field, value, text);
    return status_invalid(call->kind, object_name(object), errors);
}

static Value *
allocate_ip(ApiCall *call, Value **object)
{
    struct IpAllocator *addresses = call->server->addresses;
    g_autoptr(Value) given = value_ref(value_at(*object, "spec.clusterIP"));
    g_autofree char *ip = NULL;
    uint32_t index = 0;

    if (*value_text(given) != '\0') {
        if (!ip_allocator_index(addresses, value_text(given), &index)) {
            g_autofree char *text = g_strdup_printf(
                "failed to allocate IP %s: the provided IP (%s) is not in the valid range. "
                "The range of valid IPs is %s",
                value_text(given), value_text(given), addresses->cidr);

            return service_invalid(call, *object, "spec.clusterIPs",
                                   value_at(*object, "spec.clusterIPs"), text);
        }
        if (!bits_take(&addresses->bits, index)) {
            g_autofree char *text = g_strdup_printf(
                "failed to allocate IP %s: provided IP is already allocated", value_text(given));

            return service_invalid(call, *object, "spec.clusterIPs",
                                   value_at(*object, "spec.clusterIPs"), text);
        }
        service_note(call, "ips", value_ref(given));
        return NULL;
    }
    ip = ip_allocator_next(addresses, call->server->ports.random);
    if (ip == NULL)
        return status_internal("failed to allocate a serviceIP: range is full");
    service_note(call, "ips", value_new_string(ip));
    value_edit(object, "spec.clusterIP", value_new_string(ip));
    value_edit(object, "spec.clusterIPs", value_new_f("[%s]", ip));
    return NULL;
}

/* Ports of one number and different protocols share a node port. */
static int64_t
shared_node_port(const Value *object, size_t index)
{
    const Value *ports = value_at(object, "spec.ports");
    const Value *port = value_item(ports, index);

    for (size_t i = 0; i < index; i++) {
        const Value *other = value_item(ports, i);

        if (value_int_at(other, "port") == value_int_at(port, "port") &&
            strcmp(value_text_at(other, "protocol"), value_text_at(port, "protocol")) != 0)
            return value_int_at(other, "nodePort");
    }
    return 0;
}

static Value *
take_given_port(ApiCall *call, const Value *object, size_t index, int64_t wanted)
{
    struct PortAllocator *ports = call->server->node_ports;
    g_autofree char *field = g_strdup_printf("spec.ports[%zu].nodePort", index);
    g_autoptr(Value) value = value_new_int(wanted);

    if (wanted < ports->min || wanted > ports->max) {
        g_autofree char *text = g_strdup_printf(
            "provided port is not in the valid range. The range of valid ports is %d-%d",
            ports->min, ports->max);

        return service_invalid(call, object, field, value, text);
    }
    if (!bits_take(&ports->bits, (uint32_t)(wanted - ports->min)))
        return service_invalid(call, object, field, value, "provided port is already allocated");
    service_note(call, "ports", value_new_int(wanted));
    return NULL;
}

static bool
has_node_port(const Value *service, int64_t port)
{
    VALUE_ARRAY_FOREACH (item, value_at(service, "spec.ports"))
        if (value_int_at(item, "nodePort") == port)
            return true;
    return false;
}

static Value *
allocate_ports(ApiCall *call, Value **object, const Value *old)
{
    struct PortAllocator *ports = call->server->node_ports;
    Value *refusal;

    for (size_t i = 0; i < value_size(value_at(*object, "spec.ports")); i++) {
        int64_t wanted = value_int_at(value_item(value_at(*object, "spec.ports"), i), "nodePort");
        int64_t shared = shared_node_port(*object, i);
        g_autofree char *path = g_strdup_printf("spec.ports[%zu].nodePort", i);
        uint32_t index = 0;

        if (wanted != 0 && (wanted == shared || has_node_port(old, wanted)))
            continue;
        if (wanted != 0) {
            if ((refusal = take_given_port(call, *object, i, wanted)) != NULL)
                return refusal;
            continue;
        }
        if (shared == 0) {
            if (!bits_take_random(&ports->bits, call->server->ports.random, 0, &index))
                return status_internal("failed to allocate a nodePort: range is full");
            shared = ports->min + (int64_t)index;
            service_note(call, "ports", value_new_int(shared));
        }
        value_edit(object, path, value_new_int(shared));
    }
    return NULL;
}

/* What the old one held and the new one does not. */
static void
release_left(ApiServer *server, const Value *old, const Value *object)
{
    if (!service_is_external(old) && service_is_external(object))
        release_ip(server, value_text_at(old, "spec.clusterIP"));
    VALUE_ARRAY_FOREACH (port, value_at(old, "spec.ports"))
        if (!has_node_port(object, value_int_at(port, "nodePort")))
            release_port(server, value_int_at(port, "nodePort"));
}

static void
drop_node_ports(Value **object)
{
    for (size_t i = 0; i < value_size(value_at(*object, "spec.ports")); i++) {
        g_autofree char *path = g_strdup_printf("spec.ports[%zu].nodePort", i);

        if (value_at(*object, path) != NULL)
            value_edit_remove(object, path);
    }
}

Value *
service_allocate(ApiCall *call, Value **object, const Value *old)
{
    Value *refusal = NULL;

    if (call->sub != NULL)
        return NULL;
    call->rollback = service_rollback;
    if (service_is_external(*object)) {
        if (value_at(*object, "spec.clusterIP") != NULL)
            value_edit_remove(object, "spec.clusterIP");
        if (value_at(*object, "spec.clusterIPs") != NULL)
            value_edit_remove(object, "spec.clusterIPs");
    } else if (!service_is_headless(*object) && (old == NULL || service_is_external(old))) {
        refusal = allocate_ip(call, object);
    }
    if (refusal == NULL && service_wants_node_ports(*object))
        refusal = allocate_ports(call, object, old);
    else if (refusal == NULL && old != NULL && service_wants_node_ports(old))
        drop_node_ports(object);
    if (refusal == NULL && old != NULL && !call->request->dry_run)
        release_left(call->server, old, *object);
    return refusal;
}

void
service_released(ApiServer *server, const Value *object)
{
    release_ip(server, value_text_at(object, "spec.clusterIP"));
    VALUE_ARRAY_FOREACH (port, value_at(object, "spec.ports"))
        release_port(server, value_int_at(port, "nodePort"));
}

static bool
service_adopt(const Value *object, void *data)
{
    ApiServer *server = data;
    uint32_t index = 0;

    if (ip_allocator_index(server->addresses, value_text_at(object, "spec.clusterIP"), &index))
        bits_take(&server->addresses->bits, index);
    VALUE_ARRAY_FOREACH (item, value_at(object, "spec.ports")) {
        int64_t port = value_int_at(item, "nodePort");

        if (port >= server->node_ports->min && port <= server->node_ports->max)
            bits_take(&server->node_ports->bits, (uint32_t)(port - server->node_ports->min));
    }
    return true;
}

/* Another server of the same store may have written it: then these bits are news here. */
static void
service_written(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    if (event->type == STORE_DELETED)
        service_released(data, event->value);
    else
        service_adopt(event->value, data);
}

void
service_adopt_all(ApiServer *server)
{
    server_each(server, "", "services", NULL, service_adopt, server);
    store_listen(server_resource(server, "", "services")->bucket, service_written, server);
}

void
service_adopt_end(ApiServer *server)
{
    store_unlisten(server_resource(server, "", "services")->bucket, service_written, server);
}
