#include "core/controllers/endpoint/pods.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"

static const Value *
service_selector(const Value *service)
{
    return service_has_pods(service) ? value_at(service, "spec.selector") : NULL;
}

static void
index_service(const Value *service, GPtrArray *ret_strings)
{
    membership_index(service, service_selector(service), ret_strings);
}

Membership *
service_membership_new(ControllerContext *context, MembershipChanged changed, void *data)
{
    return membership_new(context_informer(context, "", "services"), "selector", index_service,
                          context_pods(context), service_selector, changed, data);
}

bool
service_has_pods(const Value *service)
{
    return value_size(value_at(service, "spec.selector")) > 0 &&
           strcmp(value_text_at(service, "spec.type"), "ExternalName") != 0;
}

bool
pod_endpoint_changed(const Value *old, const Value *new_)
{
    if (old == NULL || new_ == NULL)
        return true;
    return object_is_deleting(old) != object_is_deleting(new_) ||
           pod_is_ready(old) != pod_is_ready(new_) ||
           pod_is_terminal(old) != pod_is_terminal(new_) ||
           !value_equal(value_at(old, "status.podIPs"), value_at(new_, "status.podIPs")) ||
           strcmp(pod_ip(old), pod_ip(new_)) != 0 ||
           strcmp(pod_node_name(old), pod_node_name(new_)) != 0 ||
           !value_equal(object_labels(old), object_labels(new_));
}

bool
pod_belongs_in_endpoints(const Value *pod, bool include_terminating)
{
    return !pod_is_terminal(pod) && *pod_ip(pod) != '\0' &&
           (include_terminating || !object_is_deleting(pod));
}

static int64_t
find_named_port(const Value *containers, const char *name, const char *protocol)
{
    VALUE_ARRAY_FOREACH (container, containers)
        VALUE_ARRAY_FOREACH (port, value_get(container, "ports")) {
            const char *of = value_text(value_get(port, "protocol"));
            if (strcmp(value_text(value_get(port, "name")), name) == 0 &&
                strcmp(*of != '\0' ? of : "TCP", protocol) == 0)
                return value_int(value_get(port, "containerPort"));
        }
    return 0;
}

int64_t
service_target_port(const Value *service_port, const Value *pod)
{
    const Value *target = value_get(service_port, "targetPort");
    if (target == NULL)
        return value_int(value_get(service_port, "port"));
    const char *name = value_string(target);
    if (name == NULL)
        return value_int(target);
    const char *protocol = value_text(value_get(service_port, "protocol"));
    if (*protocol == '\0')
        protocol = "TCP";
    int64_t port = find_named_port(value_at(pod, "spec.containers"), name, protocol);
    return port != 0 ? port : find_named_port(value_at(pod, "spec.initContainers"), name, protocol);
}

bool
service_is_headless(const Value *service)
{
    return strcmp(value_text_at(service, "spec.clusterIP"), "None") == 0;
}

int64_t
service_gather_delay(const Membership *membership, const char *service_key)
{
    size_t count = membership_count(membership, service_key);
    return count > 100 ? (int64_t)count * NS_PER_MS : 0;
}
