/* Each plug-in's verdict and its words. */
#include "tests/core/scheduler/suites.h"
#include "tests/core/scheduler/support.h"

#define ck_filter(cache, pod, node, expected)                                                      \
    do {                                                                                           \
        g_autofree char *found = filter_text(cache, pod, node);                                    \
        ck_assert_str_eq(found, expected);                                                         \
    } while (0)

static Value *
pod_base(void)
{
    return test_pod("p", "web", "100m", "64Mi");
}

START_TEST(a_plain_pod_fits_a_plain_node)
{
    g_autoptr(ClusterCache) cache = test_cache(1);
    ck_filter(cache, pod_base(), "n0", "");
    cluster_cache_check(cache);
}
END_TEST

START_TEST(nodes_say_why_they_refuse)
{
    static const struct {
        const char *node_path, *node_value, *pod_path, *pod_value, *expected;
    } cases[] = {
        {"spec.unschedulable", "true", NULL, NULL, "!node(s) were unschedulable"},
        {"spec.unschedulable", "true", "spec.tolerations",
         "[{key: 'node.kubernetes.io/unschedulable', operator: Exists, effect: NoSchedule}]", ""},
        {"spec.taints", "[{key: a, value: b, effect: NoSchedule}]", NULL, NULL,
         "!node(s) had untolerated taint(s)"},
        {"spec.taints", "[{key: a, value: b, effect: NoExecute}]", "spec.tolerations",
         "[{operator: Exists}]", ""},
        {"spec.taints", "[{key: a, value: b, effect: PreferNoSchedule}]", NULL, NULL, ""},
        {NULL, NULL, "spec.nodeSelector", "{disk: ssd}",
         "!node(s) didn't match Pod's node affinity/selector"},
        {"metadata.labels.disk", "ssd", "spec.nodeSelector", "{disk: ssd}", ""},
        {NULL, NULL, "spec.nodeSelector", "{'kubernetes.io/os': windows}",
         "!node(s) didn't match Pod's node affinity/selector"},
        {"metadata.labels['kubernetes.io/os']", "windows", "spec.nodeSelector",
         "{'kubernetes.io/os': windows}", ""},
        {"status.allocatable.cpu", "50m", NULL, NULL, "!Insufficient cpu"},
        {"status.allocatable", "{cpu: 10m, memory: 1Mi, pods: '1'}", NULL, NULL,
         "!Insufficient cpu; Insufficient memory"},
        {"status.allocatable.pods", "'0'", NULL, NULL, "Too many pods"},
        {NULL, NULL, "spec.containers[0].resources.requests", "{'example.com/gpu': '1'}",
         "!Insufficient example.com/gpu"},
        {"status.allocatable['example.com/gpu']", "'2'", "spec.containers[0].resources.requests",
         "{'example.com/gpu': '1'}", ""},
        {NULL, NULL, "spec.affinity",
         "{podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
         "'kubernetes.io/hostname', "
         "labelSelector: {matchLabels: {app: db}}}]}}",
         "!node(s) didn't match pod affinity rules"},
        {NULL, NULL, "spec.affinity",
         "{podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
         "'kubernetes.io/hostname', "
         "labelSelector: {matchLabels: {app: web}}}]}}",
         ""},
        {NULL, NULL, "spec.topologySpreadConstraints",
         "[{maxSkew: 1, topologyKey: rack, whenUnsatisfiable: DoNotSchedule, labelSelector: "
         "{matchLabels: {app: web}}}]",
         "!node(s) didn't match pod topology spread constraints (missing required label)"},
        {NULL, NULL, "spec.volumes", "[{name: v, persistentVolumeClaim: {claimName: data}}]",
         "!persistentvolumeclaim \"data\" not found"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(ClusterCache) cache = cluster_cache_new();
        Value *node = test_node("n0"), *pod = pod_base();
        put_node(cache, cases[i].node_path != NULL
                            ? with(node, cases[i].node_path, cases[i].node_value)
                            : node);
        ck_filter(cache,
                  cases[i].pod_path != NULL ? with(pod, cases[i].pod_path, cases[i].pod_value)
                                            : pod,
                  "n0", cases[i].expected);
    }
}
END_TEST

START_TEST(requests_of_pods_there_count_and_preemption_may_help)
{
    g_autoptr(ClusterCache) cache = test_cache(1);
    PodInfo *there = put_pod_on(cache, test_pod("a", "web", "3950m", "1Gi"), "n0");
    ck_filter(cache, pod_base(), "n0", "Insufficient cpu");
    cluster_cache_check(cache);
    cluster_cache_remove_pod(cache, there);
    ck_filter(cache, pod_base(), "n0", "");
}
END_TEST

START_TEST(host_ports_clash_by_protocol_and_address)
{
    static const struct {
        const char *ports, *expected;
    } cases[] = {
        {"[{hostPort: 80}]", "node(s) didn't have free ports for the requested pod ports"},
        {"[{hostPort: 80, protocol: UDP}]", ""},
        {"[{hostPort: 80, hostIP: '127.0.0.1'}]",
         "node(s) didn't have free ports for the requested pod ports"},
        {"[{hostPort: 81}]", ""},
    };
    g_autoptr(ClusterCache) cache = test_cache(1);
    put_pod_on(
        cache,
        with(test_pod("a", "web", NULL, NULL), "spec.containers[0].ports", "[{hostPort: 80}]"),
        "n0");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        ck_filter(cache, with(pod_base(), "spec.containers[0].ports", cases[i].ports), "n0",
                  cases[i].expected);
}
END_TEST

#define ANTI_HOST                                                                                  \
    "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "           \
    "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: web}}}]}}"
#define ANTI_ZONE                                                                                  \
    "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "           \
    "'topology.kubernetes.io/zone', labelSelector: {matchLabels: {app: web}}}]}}"

START_TEST(anti_affinity_works_in_both_directions_and_by_domain)
{
    g_autoptr(ClusterCache) cache = test_cache(4); /* n0 and n3 share zone z0 */
    put_pod_on(cache, with(test_pod("a", "web", NULL, NULL), "spec.affinity", ANTI_ZONE), "n0");
    ck_filter(cache, with(pod_base(), "spec.affinity", ANTI_HOST), "n0",
              "node(s) didn't match pod anti-affinity rules");
    ck_filter(cache, pod_base(), "n3", "node(s) didn't satisfy existing pods anti-affinity rules");
    ck_filter(cache, pod_base(), "n1", "");
    ck_filter(cache, test_pod("other", "db", NULL, NULL), "n3", "");
    cluster_cache_check(cache);
}
END_TEST

START_TEST(affinity_terms_stay_within_their_namespaces)
{
    g_autoptr(ClusterCache) cache = test_cache(1);
    Value *there = with(test_pod("a", "db", NULL, NULL), "metadata.namespace", "prod");
    put_pod_on(cache, there, "n0");
    static const char near[] =
        "{podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
        "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: db}}%s}]}}";
    static const struct {
        const char *more, *expected;
    } cases[] = {
        {"", "!node(s) didn't match pod affinity rules"},
        {", namespaces: [prod]", ""},
        {", namespaceSelector: {}", ""},
        {", namespaceSelector: {matchLabels: {tier: back}}", ""},
        {", namespaceSelector: {matchLabels: {tier: front}}",
         "!node(s) didn't match pod affinity rules"},
    };
    g_autoptr(Value) prod = value_new_f("{metadata: {name: prod, labels: {tier: back}}}");
    cluster_cache_put(cache, TABLE_NAMESPACES, "prod", prod);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *affinity = g_strdup_printf(near, cases[i].more);
        ck_filter(cache, with(pod_base(), "spec.affinity", affinity), "n0", cases[i].expected);
    }
    g_autoptr(Value) relabelled = value_new_f("{metadata: {name: prod, labels: {tier: front}}}");
    cluster_cache_put(cache, TABLE_NAMESPACES, "prod", relabelled);
    g_autofree char *affinity = g_strdup_printf(near, cases[3].more);
    ck_filter(cache, with(pod_base(), "spec.affinity", affinity), "n0", cases[0].expected);
}
END_TEST

#define SPREAD_ZONE                                                                                \
    "[{maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: DoNotSchedule, " \
    "labelSelector: {matchLabels: {app: web}}}]"

START_TEST(hard_spreading_keeps_the_skew)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_pod_on(cache, test_pod("a", "web", NULL, NULL), "n0");
    ck_filter(cache, with(pod_base(), "spec.topologySpreadConstraints", SPREAD_ZONE), "n0",
              "node(s) didn't match pod topology spread constraints");
    ck_filter(cache, with(pod_base(), "spec.topologySpreadConstraints", SPREAD_ZONE), "n1", "");
    /* a pod that is going does not count */
    put_pod_on(cache,
               with(test_pod("a", "web", NULL, NULL), "metadata.deletionTimestamp",
                    "'2026-01-01T00:00:00Z'"),
               "n0");
    ck_filter(cache, with(pod_base(), "spec.topologySpreadConstraints", SPREAD_ZONE), "n0", "");
    cluster_cache_check(cache);
}
END_TEST

START_TEST(spreading_counts_only_domains_the_node_affinity_allows)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_pod_on(cache, test_pod("a", "web", NULL, NULL), "n0");
    Value *pod = with(pod_base(), "spec.topologySpreadConstraints", SPREAD_ZONE);
    pod = with(pod, "spec.nodeSelector", "{'topology.kubernetes.io/zone': z0}");
    ck_filter(cache, pod, "n0", ""); /* z0 is the only domain: the minimum is its own */
}
END_TEST

START_TEST(fewer_domains_than_min_domains_make_the_minimum_zero)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    put_pod_on(cache, test_pod("a", "web", NULL, NULL), "n0");
    put_pod_on(cache, test_pod("b", "web", NULL, NULL), "n1");
    Value *pod = with(pod_base(), "spec.topologySpreadConstraints", SPREAD_ZONE);
    ck_filter(cache, value_ref(pod), "n0", "");
    ck_filter(cache, with(pod, "spec.topologySpreadConstraints[0].minDomains", "3"), "n0",
              "node(s) didn't match pod topology spread constraints");
}
END_TEST

START_TEST(changed_node_labels_move_its_pods_counts)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_pod_on(cache, test_pod("a", "web", NULL, NULL), "n0");
    ck_filter(cache, with(pod_base(), "spec.topologySpreadConstraints", SPREAD_ZONE), "n1", "");
    put_node(cache, with(test_node("n0"), "metadata.labels['topology.kubernetes.io/zone']", "z1"));
    put_node(cache, with(test_node("n3"), "metadata.labels['topology.kubernetes.io/zone']", "z0"));
    ck_filter(cache, with(pod_base(), "spec.topologySpreadConstraints", SPREAD_ZONE), "n1",
              "node(s) didn't match pod topology spread constraints");
    cluster_cache_remove_node(cache, "n0");
    ck_filter(cache, with(pod_base(), "spec.topologySpreadConstraints", SPREAD_ZONE), "n1", "");
    put_node(cache, test_node("n0"));
    cluster_cache_check(cache);
}
END_TEST

static void
put_claim(ClusterCache *cache, const char *key, const char *template_)
{
    g_autoptr(Value) claim = value_new_f(template_);
    cluster_cache_put(cache, TABLE_CLAIMS, key, claim);
}

START_TEST(claims_bind_the_pod_to_where_their_volumes_are)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    static const char volumes[] = "[{name: v, persistentVolumeClaim: {claimName: data}}]";
    put_claim(cache, "default/data", "{metadata: {name: data, namespace: default}, spec: {}}");
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n0",
              "!pod has unbound immediate PersistentVolumeClaims");
    put_claim(cache, "default/data",
              "{metadata: {name: data, namespace: default, annotations: "
              "{'pv.kubernetes.io/bind-completed': yes}}, spec: {volumeName: pv}}");
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n0",
              "!node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
    g_autoptr(Value) volume =
        value_new_f("{metadata: {name: pv}, spec: {nodeAffinity: {required: {nodeSelectorTerms: "
                    "[{matchExpressions: "
                    "[{key: 'kubernetes.io/hostname', operator: In, values: [n1]}]}]}}}}");
    cluster_cache_put(cache, TABLE_VOLUMES, "pv", volume);
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n0",
              "!node(s) didn't match PersistentVolume's node affinity");
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n1", "");
}
END_TEST

START_TEST(waiting_claims_need_a_volume_or_a_provisioner)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    static const char volumes[] = "[{name: v, persistentVolumeClaim: {claimName: data}}]";
    g_autoptr(Value) local =
        value_new_f("{metadata: {name: local}, provisioner: 'kubernetes.io/no-provisioner', "
                    "volumeBindingMode: WaitForFirstConsumer}");
    cluster_cache_put(cache, TABLE_STORAGE_CLASSES, "local", local);
    put_claim(cache, "default/data",
              "{metadata: {name: data, namespace: default}, spec: {storageClassName: local, "
              "accessModes: [ReadWriteOnce], resources: {requests: {storage: 5Gi}}}}");
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n0",
              "!node(s) didn't find available persistent volumes to bind");
    g_autoptr(Value) small =
        value_new_f("{metadata: {name: small}, spec: {storageClassName: local, accessModes: "
                    "[ReadWriteOnce], capacity: {storage: 1Gi}}, status: {phase: Available}}");
    cluster_cache_put(cache, TABLE_VOLUMES, "small", small);
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n0",
              "!node(s) didn't find available persistent volumes to bind");
    g_autoptr(Value) large = value_set_at(small, "spec.capacity.storage", value_new_string("10Gi"));
    cluster_cache_put(cache, TABLE_VOLUMES, "large", large);
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n0", "");
    cluster_cache_put(cache, TABLE_VOLUMES, "large", NULL);
    g_autoptr(Value) provisioned =
        value_set_at(local, "provisioner", value_new_string("csi.example.com"));
    cluster_cache_put(cache, TABLE_STORAGE_CLASSES, "local", provisioned);
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n0", "");
}
END_TEST

START_TEST(a_claim_of_one_pod_refuses_a_second)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    static const char volumes[] = "[{name: v, persistentVolumeClaim: {claimName: data}}]";
    put_claim(cache, "default/data",
              "{metadata: {name: data, namespace: default}, spec: {volumeName: pv, accessModes: "
              "[ReadWriteOncePod]}, "
              "status: {phase: Bound}}");
    g_autoptr(Value) volume = value_new_f("{metadata: {name: pv}, spec: {}}");
    cluster_cache_put(cache, TABLE_VOLUMES, "pv", volume);
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n1", "");
    put_pod_on(cache, with(test_pod("a", "web", NULL, NULL), "spec.volumes", volumes), "n0");
    ck_filter(cache, with(pod_base(), "spec.volumes", volumes), "n1",
              "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod "
              "access mode");
}
END_TEST

static void
put_csi_claim(ClusterCache *cache, const char *name)
{
    g_autofree char *key = g_strconcat("default/", name, NULL);
    g_autoptr(Value) claim = value_new_f("{metadata: {name: %s, namespace: default}, spec: "
                                         "{volumeName: %s}, status: {phase: Bound}}",
                                         name, name);
    g_autoptr(Value) volume =
        value_new_f("{metadata: {name: %s, labels: {'topology.kubernetes.io/zone': z0__z1}}, spec: "
                    "{csi: {driver: d, "
                    "volumeHandle: %s}}}",
                    name, name);
    cluster_cache_put(cache, TABLE_CLAIMS, key, claim);
    cluster_cache_put(cache, TABLE_VOLUMES, name, volume);
}

START_TEST(volumes_are_counted_and_keep_to_their_zones)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    g_autoptr(Value) csi = value_new_f("{spec: {drivers: [{name: d, allocatable: {count: 1}}]}}");
    cluster_cache_put(cache, TABLE_CSI_NODES, "n0", csi);
    put_csi_claim(cache, "a");
    put_csi_claim(cache, "b");
    static const char a[] = "[{name: v, persistentVolumeClaim: {claimName: a}}]";
    static const char b[] = "[{name: v, persistentVolumeClaim: {claimName: b}}]";
    put_pod_on(cache, with(test_pod("x", "web", NULL, NULL), "spec.volumes", a), "n0");
    ck_filter(cache, with(pod_base(), "spec.volumes", a), "n0", ""); /* the same volume */
    ck_filter(cache, with(pod_base(), "spec.volumes", b), "n0", "node(s) exceed max volume count");
    ck_filter(cache, with(pod_base(), "spec.volumes", b), "n1", "");
    ck_filter(cache, with(pod_base(), "spec.volumes", b), "n2",
              "!node(s) had no available volume zone");
}
END_TEST

TCase *
filters_suite(void)
{
    return test_case(
        "filters", a_plain_pod_fits_a_plain_node, nodes_say_why_they_refuse,
        requests_of_pods_there_count_and_preemption_may_help,
        host_ports_clash_by_protocol_and_address,
        anti_affinity_works_in_both_directions_and_by_domain,
        affinity_terms_stay_within_their_namespaces, hard_spreading_keeps_the_skew,
        spreading_counts_only_domains_the_node_affinity_allows,
        fewer_domains_than_min_domains_make_the_minimum_zero,
        changed_node_labels_move_its_pods_counts, claims_bind_the_pod_to_where_their_volumes_are,
        waiting_claims_need_a_volume_or_a_provisioner, a_claim_of_one_pod_refuses_a_second,
        volumes_are_counted_and_keep_to_their_zones);
}
