/* Which nodes are looked at, which one is taken, and what is said when none fits. */
#include "tests/core/scheduler/suites.h"
#include "tests/core/scheduler/support.h"

#include <string.h>

START_TEST(large_clusters_are_sampled)
{
    static const struct {
        int32_t percentage, nodes, expected;
    } cases[] = {{0, 10, 10},    {0, 100, 100},  {0, 150, 100},    {0, 1000, 420},
                 {0, 5000, 500}, {0, 6000, 300}, {40, 5000, 2000}, {100, 5000, 5000}};
    Profile *profile = profile_new("x");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        profile->percentage_of_nodes_to_score = cases[i].percentage;
        ck_assert_int_eq(nodes_to_find(profile, cases[i].nodes), cases[i].expected);
    }
    profile_free(profile);
}
END_TEST

START_TEST(nodes_are_listed_zone_by_zone_in_turn)
{
    g_autoptr(ClusterCache) cache = cluster_cache_new();
    static const char *const nodes[][2] = {{"a1", "a"}, {"a2", "a"}, {"a3", "a"},
                                           {"b1", "b"}, {"c1", "c"}, {"c2", "c"}};
    for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++) {
        Value *node = test_node(nodes[i][0]);
        value_edit(&node, "metadata.labels['topology.kubernetes.io/zone']",
                   value_new_string(nodes[i][1]));
        put_node(cache, node);
    }
    g_autoptr(GString) text = g_string_new(NULL);
    const GPtrArray *order = cluster_cache_order(cache);
    for (guint i = 0; i < order->len; i++)
        g_string_append_printf(text, "%s ", ((NodeInfo *)order->pdata[i])->name);
    ck_assert_str_eq(text->str, "a1 b1 c1 a2 c2 a3 ");
}
END_TEST

/* Which nodes 40 pods get, as one text. */
static char *
place_pods(uint64_t seed, uint32_t *ret_next)
{
    g_autoptr(TestWorld) world = test_world_new(seed);
    g_autoptr(ClusterCache) cache = test_cache(150);
    Profile *profile = profile_new("default-scheduler");
    GString *text = g_string_new(NULL);
    *ret_next = 0;
    for (int i = 0; i < 40; i++) {
        Cycle cycle;
        ScheduleResult result;
        g_autofree char *name = g_strdup_printf("p%d", i);
        PodInfo *pod = put_pod(cache, test_pod(name, "web", "100m", "64Mi"));
        cycle_init(&cycle, cache, profile, pod);
        schedule_pod(&cycle, test_world_ports(world, "s")->random, ret_next, &result);
        ck_assert_uint_eq(result.feasible, 100);
        g_string_append_printf(text, "%s ", result.node->name);
        cluster_cache_assume(cache, pod, result.node);
        schedule_result_clear(&result);
        cycle_clear(&cycle);
    }
    profile_free(profile);
    cluster_cache_check(cache);
    return g_string_free(text, FALSE);
}

START_TEST(the_same_seed_gives_the_same_placement_and_the_start_goes_round)
{
    uint32_t next;
    g_autofree char *first = place_pods(7, &next), *second = place_pods(7, &next),
                    *third = place_pods(8, &next);
    ck_assert_str_eq(first, second);
    ck_assert_str_ne(first, third);
    ck_assert_uint_eq(next, 40 * 100 % 150);
}
END_TEST

#define ck_failure(cache, pod, expected)                                                           \
    do {                                                                                           \
        g_autofree char *found = failure_text(cache, pod);                                         \
        ck_assert_str_eq(found, expected);                                                         \
    } while (0)

START_TEST(failures_count_reasons_in_the_order_of_their_texts)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_node(cache, with(test_node("n0"), "spec.taints", "[{key: k, effect: NoSchedule}]"));
    ck_failure(cache, test_pod("p", "web", "5", "32Gi"),
               "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 "
               "Insufficient memory.");
    ck_failure(cache,
               with(test_pod("p", "web", NULL, NULL), "spec.volumes",
                    "[{name: v, persistentVolumeClaim: {claimName: x}}]"),
               "0/3 nodes are available: persistentvolumeclaim \"x\" not found.");
    g_autoptr(ClusterCache) empty = cluster_cache_new();
    ck_failure(empty, test_pod("p", "web", NULL, NULL), "no nodes available to schedule pods");
}
END_TEST

START_TEST(a_pod_for_one_named_node_looks_at_that_alone)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    static const char named[] =
        "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
        "[{matchFields: [{key: 'metadata.name', operator: In, values: [n1]}]}]}}}";
    ck_failure(cache, with(test_pod("p", "web", "1", NULL), "spec.affinity", named), "");
    ck_failure(cache, with(test_pod("p", "web", "9", NULL), "spec.affinity", named),
               "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) "
               "[NodeAffinity].");
}
END_TEST

START_TEST(a_windows_pod_goes_to_the_windows_node)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    Value *pod = with(test_pod("billing", "billing", NULL, NULL), "spec.nodeSelector",
                      "{'kubernetes.io/os': windows}");
    ck_failure(cache, value_ref(pod),
               "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.");
    put_node(cache, with(test_node("win"), "metadata.labels['kubernetes.io/os']", "windows"));
    ck_failure(cache, pod, "");
}
END_TEST

static const char SPREAD[] =
    "[{maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: DoNotSchedule, "
    "labelSelector: {matchLabels: {app: web}}}, {maxSkew: 2, topologyKey: "
    "'kubernetes.io/hostname', "
    "nodeTaintsPolicy: Honor, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: "
    "{app: db}}}]";
static const char AFFINITY[] =
    "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
    "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: db}}}], "
    "preferredDuringSchedulingIgnoredDuringExecution: [{weight: 3, podAffinityTerm: {topologyKey: "
    "'topology.kubernetes.io/zone', namespaceSelector: {matchLabels: {tier: back}}, labelSelector: "
    "{matchExpressions: [{key: app, operator: In, values: [web, db]}]}}}]}, podAffinity: "
    "{preferredDuringSchedulingIgnoredDuringExecution: [{weight: 2, podAffinityTerm: {topologyKey: "
    "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: web}}}}]}}";

static void
change_node(ClusterCache *cache, Random *random, const char *name)
{
    Value *node = test_node(name);
    if (random_below(random, 2) != 0)
        node = with(node, "metadata.labels['topology.kubernetes.io/zone']", "z0");
    if (random_below(random, 4) == 0)
        node = with(node, "spec.taints", "[{key: k, effect: NoSchedule}]");
    put_node(cache, node);
}

static Value *
random_pod(Random *random, const char *name)
{
    Value *pod = test_pod(name, random_below(random, 2) != 0 ? "web" : "db", "10m", "1Mi");
    if (random_below(random, 2) != 0)
        pod = with(pod, "spec.topologySpreadConstraints", SPREAD);
    if (random_below(random, 2) != 0)
        pod = with(pod, "spec.affinity", AFFINITY);
    if (random_below(random, 4) == 0)
        pod = with(pod, "metadata.deletionTimestamp", "'2026-01-01T00:00:00Z'");
    return pod;
}

static void
change_something(ClusterCache *cache, Random *random)
{
    g_autofree char *name = g_strdup_printf("p%d", (int)random_below(random, 40));
    g_autofree char *node = g_strdup_printf("n%d", (int)random_below(random, 10));
    g_autofree char *key = g_strconcat("default/", name, NULL);
    PodInfo *pod = cluster_cache_find_pod(cache, key);
    g_autoptr(Value) space = value_new_f("{metadata: {name: default, labels: {tier: %s}}}",
                                         random_below(random, 2) != 0 ? "back" : "front");
    uint64_t what = random_below(random, 16);
    if (what < 10)
        put_pod_on(cache, random_pod(random, name), node);
    else if (what < 12 && pod != NULL)
        cluster_cache_remove_pod(cache, pod);
    else if (what == 12)
        cluster_cache_put(cache, TABLE_NAMESPACES, "default", space);
    else if (what < 15)
        change_node(cache, random, node);
    else
        cluster_cache_remove_node(cache, node);
}

/* Counts kept incrementally must be those counted anew, whatever happens. */
START_TEST(counts_survive_two_thousand_random_changes)
{
    g_autoptr(TestWorld) world = test_world_new(3);
    Random *random = test_world_ports(world, "s")->random;
    g_autoptr(ClusterCache) cache = test_cache(8);
    for (int i = 0; i < 2000; i++) {
        change_something(cache, random);
        if (i % 20 != 0)
            continue;
        g_autoptr(Value) probe = random_pod(random, "probe");
        g_autofree char *text = failure_text(cache, value_ref(probe));
        if (cluster_cache_order(cache)->len > 0)
            score_of(cache, probe, "InterPodAffinity", "n0", true);
        cluster_cache_check(cache);
    }
}
END_TEST

TCase *
algorithm_suite(void)
{
    return test_case("algorithm", large_clusters_are_sampled, nodes_are_listed_zone_by_zone_in_turn,
                     the_same_seed_gives_the_same_placement_and_the_start_goes_round,
                     failures_count_reasons_in_the_order_of_their_texts,
                     a_pod_for_one_named_node_looks_at_that_alone,
                     a_windows_pod_goes_to_the_windows_node,
                     counts_survive_two_thousand_random_changes);
}
