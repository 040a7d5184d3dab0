#include "tests/core/proxy/cluster.h"

static void
unref(void *value)
{
    value_unref(value);
}

static const PMapType type = {.unref = unref};

void
cluster_put(PMap **map, Value *take)
{
    g_autofree char *key = g_strdup_printf("%s/%s", value_text_at(take, "metadata.namespace"),
                                           value_text_at(take, "metadata.name"));
    pmap_put(map, key, take);
}

static Value *
service(int n, const char *service_type, int node_port)
{
    return value_new_f(
        "{apiVersion: v1, kind: Service, metadata: {name: %V, namespace: %V}, spec: {type: %s, "
        "clusterIP: %V, ports: [{name: p80, port: 80, protocol: TCP, nodePort: ?%i}]}}",
        value_new_stringf("svc%d", n), value_new_stringf("ns%d", n), service_type,
        value_new_stringf("172.30.0.%d", 40 + n), (int64_t)node_port);
}

Value *
slice_new(const char *namespace_, const char *service_name, const char *ip, const char *node)
{
    return value_new_f("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: "
                       "%V, namespace: %s, "
                       "labels: {'kubernetes.io/service-name': %s}}, addressType: IPv4, "
                       "ports: [{name: p80, port: 80, protocol: TCP}], "
                       "endpoints: [{addresses: [%s], conditions: {ready: true}, nodeName: ?%s}]}",
                       value_new_stringf("%s-%s", service_name, ip), namespace_, service_name, ip,
                       node);
}

Cluster
cluster_new(void)
{
    Cluster cluster = {.services = pmap_new(&type), .slices = pmap_new(&type)};
    PMap **services = &cluster.services, **slices = &cluster.slices;
    cluster_put(services, service(1, "ClusterIP", 0));
    Value *balanced = service(2, "LoadBalancer", 3001);
    value_edit(&balanced, "spec.externalTrafficPolicy", value_new_string("Local"));
    value_edit(&balanced, "spec.externalIPs", value_new_f("[192.168.99.22]"));
    value_edit(&balanced, "spec.healthCheckNodePort", value_new_int(30000));
    value_edit(&balanced, "status.loadBalancer.ingress", value_new_f("[{ip: 1.2.3.4}]"));
    cluster_put(services, balanced);
    cluster_put(services, service(3, "NodePort", 3003));
    Value *external = service(4, "ClusterIP", 0);
    value_edit(&external, "spec.externalIPs", value_new_f("[192.168.99.33]"));
    cluster_put(services, external);
    Value *guarded = service(5, "LoadBalancer", 3002);
    value_edit(&guarded, "spec.loadBalancerSourceRanges", value_new_f("[' 203.0.113.0/25']"));
    value_edit(&guarded, "spec.sessionAffinity", value_new_string("ClientIP"));
    value_edit(&guarded, "status.loadBalancer.ingress",
               value_new_f("[{ip: 5.6.7.8}, {ip: 5.6.7.9, ipMode: Proxy}]"));
    cluster_put(services, guarded);
    cluster_put(services, service(6, "ClusterIP", 0));
    Value *headless = service(7, "ClusterIP", 0);
    value_edit(&headless, "spec.clusterIP", value_new_string("None"));
    cluster_put(services, headless);
    Value *named = service(8, "ExternalName", 0);
    cluster_put(services, named);
    Value *others = service(9, "ClusterIP", 0);
    value_edit(&others, "metadata.labels['service.kubernetes.io/service-proxy-name']",
               value_new_string("x"));
    cluster_put(services, others);
    cluster_put(slices, slice_new("ns1", "svc1", "10.180.0.1", "node-2"));
    cluster_put(slices, slice_new("ns2", "svc2", "10.180.0.2", "node-2"));
    cluster_put(slices, slice_new("ns3", "svc3", "10.180.0.3", "node-2"));
    cluster_put(slices, slice_new("ns4", "svc4", "10.180.0.5", "node-1"));
    cluster_put(slices, slice_new("ns4", "svc4", "10.180.0.4", "node-2"));
    cluster_put(slices, slice_new("ns5", "svc5", "10.180.0.3", NULL));
    return cluster;
}

void
cluster_clear(Cluster *cluster)
{
    pmap_unref(cluster->services);
    pmap_unref(cluster->slices);
}

ProxyRules *
cluster_rules(const Cluster *cluster, const char *node)
{
    g_autoptr(ProxyTable) table = proxy_table_new(cluster->services, cluster->slices, NULL);
    return proxy_rules_new(
        table, &(ProxyNode){.name = node,
                            .zone = "zone-a",
                            .addresses = (const char *const[]){"192.168.0.2", "fd00::2", NULL},
                            .pod_cidrs = (const char *const[]){"10.0.0.0/24", NULL},
                            .cluster_cidrs = (const char *const[]){"10.0.0.0/8", NULL}});
}
