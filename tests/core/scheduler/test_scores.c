/* Each plug-in's score, in the integers of the real one. */
#include "core/scheduler/plugins/plugins.h"
#include "tests/core/scheduler/suites.h"
#include "tests/core/scheduler/support.h"

START_TEST(least_allocated_scores_what_stays_free)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    put_pod_on(cache, test_pod("a", "web", "1", "4Gi"), "n1");
    g_autoptr(Value) pod = test_pod("p", "web", "1", "4Gi");
    /* n0: (4000-1000)*100/4000 = 75 cpu, 75 memory; n1: 50 and 50 */
    ck_assert_int_eq(score_of(cache, pod, "NodeResourcesFit", "n0", false), 75);
    ck_assert_int_eq(score_of(cache, pod, "NodeResourcesFit", "n1", false), 50);
    /* without requests 100m and 200Mi count: (3900*100/4000 = 97 + 98) / 2 */
    g_autoptr(Value) none = test_pod("q", "web", NULL, NULL);
    ck_assert_int_eq(score_of(cache, none, "NodeResourcesFit", "n0", false), 97);
}
END_TEST

START_TEST(balanced_allocation_scores_one_minus_the_deviation)
{
    g_autoptr(ClusterCache) cache = test_cache(1);
    g_autoptr(Value) even = test_pod("p", "web", "2", "8Gi");
    g_autoptr(Value) uneven = test_pod("p", "web", "3", "4Gi");
    g_autoptr(Value) none = test_pod("p", "web", NULL, NULL);
    ck_assert_int_eq(score_of(cache, even, "NodeResourcesBalancedAllocation", "n0", false), 100);
    ck_assert_int_eq(score_of(cache, uneven, "NodeResourcesBalancedAllocation", "n0", false), 75);
    ck_assert_int_eq(score_of(cache, none, "NodeResourcesBalancedAllocation", "n0", false), -1);
}
END_TEST

START_TEST(taints_preferred_against_cost_points)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    put_node(cache,
             with(test_node("n1"), "spec.taints",
                  "[{key: a, effect: PreferNoSchedule}, {key: b, effect: PreferNoSchedule}]"));
    g_autoptr(Value) pod = test_pod("p", "web", NULL, NULL);
    ck_assert_int_eq(score_of(cache, pod, "TaintToleration", "n0", false), 100);
    ck_assert_int_eq(score_of(cache, pod, "TaintToleration", "n1", true), 2);
    ck_assert_int_eq(score_of(cache, pod, "TaintToleration", "n1", false), 0);
}
END_TEST

START_TEST(preferred_node_affinity_adds_weights)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    g_autoptr(Value) pod = with(test_pod("p", "web", NULL, NULL), "spec.affinity",
                                "{nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: ["
                                "{weight: 30, preference: {matchExpressions: [{key: "
                                "'topology.kubernetes.io/zone', operator: In, values: [z0, z1]}]}},"
                                "{weight: 10, preference: {matchExpressions: [{key: "
                                "'topology.kubernetes.io/zone', operator: In, values: [z1]}]}}]}}");
    ck_assert_int_eq(score_of(cache, pod, "NodeAffinity", "n0", true), 30);
    ck_assert_int_eq(score_of(cache, pod, "NodeAffinity", "n0", false), 75);
    ck_assert_int_eq(score_of(cache, pod, "NodeAffinity", "n1", false), 100);
    ck_assert_int_eq(score_of(cache, pod, "NodeAffinity", "n2", false), 0);
}
END_TEST

START_TEST(images_that_are_there_score_by_size_and_spread)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    put_node(cache, with(test_node("n0"), "status.images",
                         "[{names: ['app:1'], sizeBytes: 524288000}]")); /* 500 MiB */
    g_autoptr(Value) pod = test_pod("p", "web", NULL, NULL);
    /* on 1 of 2 nodes: 250 MiB; 100 * (250 - 23) / (1000 - 23) = 23 */
    ck_assert_int_eq(score_of(cache, pod, "ImageLocality", "n0", false), 23);
    ck_assert_int_eq(score_of(cache, pod, "ImageLocality", "n1", false), 0);
    g_autoptr(Value) other =
        with(test_pod("p", "web", NULL, NULL), "spec.containers[0].image", "other");
    ck_assert_int_eq(score_of(cache, other, "ImageLocality", "n0", false), -1);
}
END_TEST

START_TEST(preferred_pod_affinity_counts_pods_of_the_domain_in_both_directions)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    static const char prefers[] =
        "{podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 5, "
        "podAffinityTerm: {topologyKey: "
        "'topology.kubernetes.io/zone', labelSelector: {matchLabels: {app: web}}}}]}}";
    static const char shuns[] =
        "{podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 7, "
        "podAffinityTerm: {topologyKey: "
        "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: web}}}}]}}";
    put_pod_on(cache, test_pod("a", "web", NULL, NULL), "n0");
    put_pod_on(cache, test_pod("b", "web", NULL, NULL), "n0");
    put_pod_on(cache, with(test_pod("c", "db", NULL, NULL), "spec.affinity", shuns), "n2");
    g_autoptr(Value) pod = with(test_pod("p", "web", NULL, NULL), "spec.affinity", prefers);
    ck_assert_int_eq(score_of(cache, pod, "InterPodAffinity", "n0", true), 10);
    ck_assert_int_eq(score_of(cache, pod, "InterPodAffinity", "n1", true), 0);
    ck_assert_int_eq(score_of(cache, pod, "InterPodAffinity", "n2", true), -7);
    ck_assert_int_eq(score_of(cache, pod, "InterPodAffinity", "n0", false), 100);
    ck_assert_int_eq(score_of(cache, pod, "InterPodAffinity", "n1", false), 41); /* 100 * 7 / 17 */
    ck_assert_int_eq(score_of(cache, pod, "InterPodAffinity", "n2", false), 0);
    g_autoptr(Value) stranger = test_pod("q", "cache", NULL, NULL);
    ck_assert_int_eq(score_of(cache, stranger, "InterPodAffinity", "n0", false), -1);
}
END_TEST

START_TEST(required_affinity_of_pods_there_attracts_with_weight_one)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    put_pod_on(cache,
               with(test_pod("a", "db", NULL, NULL), "spec.affinity",
                    "{podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
                    "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: web}}}]}}"),
               "n1");
    g_autoptr(Value) pod = test_pod("p", "web", NULL, NULL);
    ck_assert_int_eq(score_of(cache, pod, "InterPodAffinity", "n1", true), 1);
    ck_assert_int_eq(score_of(cache, pod, "InterPodAffinity", "n0", true), 0);
}
END_TEST

START_TEST(soft_spreading_scores_domains_with_fewer_pods_higher)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_pod_on(cache, test_pod("a", "web", NULL, NULL), "n0");
    put_pod_on(cache, test_pod("b", "web", NULL, NULL), "n0");
    put_pod_on(cache, test_pod("c", "web", NULL, NULL), "n1");
    g_autoptr(Value) pod = with(test_pod("p", "web", NULL, NULL), "spec.topologySpreadConstraints",
                                "[{maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', "
                                "whenUnsatisfiable: ScheduleAnyway, "
                                "labelSelector: {matchLabels: {app: web}}}]");
    /* weight ln(3+2) = 1.609: 2 pods 3.22 -> 3, 1 pod 1.61 -> 2, none 0 */
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n0", true), 3);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n1", true), 2);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n2", true), 0);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n0", false), 0);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n1", false), 33);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n2", false), 100);
}
END_TEST

START_TEST(pods_of_a_service_spread_by_default)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_pod_on(cache, test_pod("a", "web", NULL, NULL), "n0");
    g_autoptr(Value) pod = test_pod("p", "web", NULL, NULL);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n0", false), -1);
    g_autoptr(Value) service =
        value_new_f("{metadata: {name: web, namespace: default}, spec: {selector: {app: web}}}");
    cluster_cache_put(cache, TABLE_SERVICES, "default/web", service);
    /* hostname: 1 * ln 5 + 2; zone: 1 * ln 5 + 4; together 9.2 -> 9, the others 6 */
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n0", true), 9);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n1", true), 6);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n1", false), 100);
    ck_assert_int_eq(score_of(cache, pod, "PodTopologySpread", "n0", false), 66);
}
END_TEST

START_TEST(pods_of_a_replica_set_spread_by_its_selector)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    g_autoptr(Value) set = value_new_f(
        "{metadata: {name: rs, namespace: default}, spec: {selector: {matchLabels: {app: web}}}}");
    cluster_cache_put(cache, TABLE_REPLICA_SETS, "default/rs", set);
    static const char owner[] =
        "[{apiVersion: 'apps/v1', kind: ReplicaSet, name: rs, uid: u, controller: true}]";
    put_pod_on(cache, with(test_pod("a", "web", NULL, NULL), "metadata.ownerReferences", owner),
               "n0");
    g_autoptr(Value) pod =
        with(test_pod("p", "web", NULL, NULL), "metadata.ownerReferences", owner);
    ck_assert_int_gt(score_of(cache, pod, "PodTopologySpread", "n1", false),
                     score_of(cache, pod, "PodTopologySpread", "n0", false));
}
END_TEST

START_TEST(the_logarithm_is_exact_to_the_last_digits)
{
    static const struct {
        int n;
        double expected;
    } cases[] = {{1, 0.0},
                 {2, 0.6931471805599453},
                 {3, 1.0986122886681098},
                 {5, 1.6094379124341003},
                 {100, 4.605170185988092},
                 {5002, 8.517593111437565}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        ck_assert_double_eq_tol(natural_log(cases[i].n), cases[i].expected, 4e-15);
}
END_TEST

TCase *
scores_suite(void)
{
    return test_case(
        "scores", least_allocated_scores_what_stays_free,
        balanced_allocation_scores_one_minus_the_deviation, taints_preferred_against_cost_points,
        preferred_node_affinity_adds_weights, images_that_are_there_score_by_size_and_spread,
        preferred_pod_affinity_counts_pods_of_the_domain_in_both_directions,
        required_affinity_of_pods_there_attracts_with_weight_one,
        soft_spreading_scores_domains_with_fewer_pods_higher, pods_of_a_service_spread_by_default,
        pods_of_a_replica_set_spread_by_its_selector, the_logarithm_is_exact_to_the_last_digits);
}
