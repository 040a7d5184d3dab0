/* What is there from the start: the system's namespaces, the kubernetes Service with its endpoint,
 * and the two priority classes of the system. Made as the API server's own requests, so that they
 * pass the same rules. */
#include "core/apiserver/private.h"

static void
bootstrap_done(ApiResponse *take_response, void *data)
{
    api_response_free(take_response);
}

static ApiUser *
bootstrap_user(void)
{
    static const char *const groups[] = {"system:masters", "system:authenticated", NULL};

    return api_user_new("system:apiserver", groups);
}

/* Creates it unless it is there. */
static void
bootstrap_create(ApiServer *server, const char *group, const char *resource, Value *take)
{
    const char *namespace_ = object_namespace(take);
    ApiRequest *request;

    namespace_ = *namespace_ == '\0' ? NULL : namespace_;
    if (server_resource(server, group, resource) == NULL ||
        server_head(server, group, resource, namespace_, object_name(take)) != NULL) {
        value_unref(take);
        return;
    }
    request = api_request_new(API_VERB_CREATE, group, resource, namespace_, NULL);
    request->body = take;
    request->trusted_body = true;
    request->user = bootstrap_user();
    request->user_agent = g_strdup("kube-apiserver");
    api_server_handle(server, request, bootstrap_done, NULL);
}

static void
bootstrap_service(ApiServer *server)
{
    g_autofree char *address = ipv4_text(server->addresses->base + 1);
    const char *host = server->options.advertise_address;

    bootstrap_create(
        server, "", "services",
        value_new_f(
            "{kind: Service, apiVersion: v1, metadata: {name: kubernetes, namespace: default, "
            "labels: "
            "{component: apiserver, provider: kubernetes}}, spec: {type: ClusterIP, clusterIP: %s, "
            "sessionAffinity: None, ports: [{name: https, protocol: TCP, port: 443, targetPort: "
            "%i}]}}",
            address, (int64_t)server->options.advertise_port));
    if (host == NULL)
        return;
    bootstrap_create(
        server, "", "endpoints",
        value_new_f(
            "{kind: Endpoints, apiVersion: v1, metadata: {name: kubernetes, namespace: default, "
            "labels: {'endpointslice.kubernetes.io/skip-mirror': 'true'}}, subsets: [{addresses: "
            "[{ip: %s}], ports: [{name: https, port: %i, protocol: TCP}]}]}",
            host, (int64_t)server->options.advertise_port));
    bootstrap_create(
        server, "discovery.k8s.io", "endpointslices",
        value_new_f(
            "{kind: EndpointSlice, apiVersion: 'discovery.k8s.io/v1', metadata: {name: kubernetes, "
            "namespace: default, labels: {'kubernetes.io/service-name': kubernetes}}, addressType: "
            "IPv4, endpoints: [{addresses: [%s], conditions: {ready: true}}], ports: [{name: "
            "https, "
            "port: %i, protocol: TCP}]}",
            host, (int64_t)server->options.advertise_port));
}

void
bootstrap_objects(ApiServer *server)
{
    static const char *const namespaces[] = {"default", "kube-system", "kube-public",
                                             "kube-node-lease"};

    for (size_t i = 0; i < G_N_ELEMENTS(namespaces); i++)
        bootstrap_create(
            server, "", "namespaces",
            value_new_f("{kind: Namespace, apiVersion: v1, metadata: {name: %s}}", namespaces[i]));
    bootstrap_create(
        server, "scheduling.k8s.io", "priorityclasses",
        value_new_f("{kind: PriorityClass, apiVersion: 'scheduling.k8s.io/v1', metadata: {name: "
                    "'system-node-critical'}, value: 2000001000, description: 'Used for system "
                    "critical pods "
                    "that must not be moved from their current node.'}"));
    bootstrap_create(
        server, "scheduling.k8s.io", "priorityclasses",
        value_new_f(
            "{kind: PriorityClass, apiVersion: 'scheduling.k8s.io/v1', metadata: {name: "
            "'system-cluster-critical'}, value: 2000000000, description: 'Used for system critical "
            "pods that must run in the cluster, but can be moved to another node if necessary.'}"));
    bootstrap_service(server);
}
