/* Who makes room for whom. */
#include "tests/core/scheduler/suites.h"
#include "tests/core/scheduler/support.h"

#include <string.h>

static Value *
pod_of(const char *name, int priority, const char *cpu)
{
    Value *pod = test_pod(name, name, cpu, "64Mi");
    value_edit(&pod, "spec.priority", value_new_int(priority));
    return pod;
}

static Value *
started(Value *take, const char *time)
{
    value_edit(&take, "status.startTime", value_new_string(time));
    return take;
}

/* "node: victim victim", or the message. */
static char *
preempt_text(ClusterCache *cache, Value *take_pod)
{
    Cycle cycle;
    ScheduleResult result;
    Preemption preemption;
    g_autoptr(TestWorld) world = test_world_new(1);
    Profile *profile = profile_new("default-scheduler");
    PodInfo *pod = put_pod(cache, take_pod);
    GString *text = g_string_new(NULL);
    cycle_init(&cycle, cache, profile, pod);
    schedule_pod(&cycle, NULL, NULL, &result);
    ck_assert_uint_eq(result.feasible, 0);
    schedule_preempt(&cycle, test_world_ports(world, "s")->random, &result, &preemption);
    if (preemption.node != NULL)
        g_string_append_printf(text, "%s:", preemption.node->name);
    else
        g_string_append(text, preemption.message);
    for (guint i = 0; preemption.victims != NULL && i < preemption.victims->len; i++)
        g_string_append_printf(text, " %s",
                               strchr(((PodInfo *)preemption.victims->pdata[i])->key, '/') + 1);
    preemption_clear(&preemption);
    schedule_result_clear(&result);
    cycle_clear(&cycle);
    profile_free(profile);
    cluster_cache_remove_pod(cache, pod);
    cluster_cache_check(cache);
    return g_string_free(text, FALSE);
}

#define ck_preempt(cache, pod, expected)                                                           \
    do {                                                                                           \
        g_autofree char *found = preempt_text(cache, pod);                                         \
        ck_assert_str_eq(found, expected);                                                         \
    } while (0)

START_TEST(only_as_many_as_needed_go_and_the_least_important)
{
    g_autoptr(ClusterCache) cache = test_cache(1);
    put_pod_on(cache, pod_of("low", 1, "1"), "n0");
    put_pod_on(cache, pod_of("middle", 5, "1"), "n0");
    put_pod_on(cache, pod_of("high", 9, "2"), "n0");
    ck_preempt(cache, pod_of("p", 8, "1"), "n0: low");
    ck_preempt(cache, pod_of("p", 8, "2"), "n0: middle low");
    ck_preempt(cache, pod_of("p", 20, "4"), "n0: high middle low");
}
END_TEST

START_TEST(the_node_whose_victims_matter_least_is_taken)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_pod_on(cache, pod_of("a", 5, "4"), "n0");
    put_pod_on(cache, pod_of("b", 2, "4"), "n1");
    put_pod_on(cache, pod_of("c", 7, "4"), "n2");
    ck_preempt(cache, pod_of("p", 10, "3"), "n1: b");
}
END_TEST

START_TEST(fewer_victims_win_among_equals_then_the_younger)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_pod_on(cache, pod_of("a1", 2, "2"), "n0");
    put_pod_on(cache, pod_of("a2", 2, "2"), "n0");
    put_pod_on(cache, started(pod_of("b", 2, "4"), "2026-01-01T00:00:00Z"), "n1");
    put_pod_on(cache, started(pod_of("c", 2, "4"), "2026-01-01T01:00:00Z"), "n2");
    ck_preempt(cache, pod_of("p", 10, "4"), "n2: c");
}
END_TEST

START_TEST(disruption_budgets_are_spared)
{
    g_autoptr(ClusterCache) cache = test_cache(2);
    g_autoptr(Value) budget = value_new_f(
        "{metadata: {name: b, namespace: default}, spec: {selector: {matchLabels: {app: "
        "kept}}}, status: {disruptionsAllowed: 0}}");
    cluster_cache_put(cache, TABLE_DISRUPTION_BUDGETS, "default/b", budget);
    put_pod_on(cache, pod_of("kept", 1, "4"), "n0");
    put_pod_on(cache, pod_of("other", 5, "4"), "n1");
    ck_preempt(cache, pod_of("p", 10, "4"), "n1: other"); /* though it is more important */
    g_autoptr(Value) loose = value_set_at(budget, "status.disruptionsAllowed", value_new_int(1));
    cluster_cache_put(cache, TABLE_DISRUPTION_BUDGETS, "default/b", loose);
    ck_preempt(cache, pod_of("p", 10, "4"), "n0: kept");
}
END_TEST

START_TEST(the_message_says_why_nobody_goes)
{
    g_autoptr(ClusterCache) cache = test_cache(3);
    put_node(cache, with(test_node("n1"), "spec.taints", "[{key: k, effect: NoSchedule}]"));
    put_pod_on(cache, pod_of("a", 5, "4"), "n0");
    put_pod_on(cache, pod_of("b", 5, "4"), "n2");
    ck_preempt(cache, pod_of("p", 5, "1"),
               "preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
               "2 No preemption victims found for incoming pod.");
    ck_preempt(cache, with(pod_of("p", 9, "1"), "spec.preemptionPolicy", "Never"),
               "preemption: not eligible due to preemptionPolicy=Never.");
    ck_preempt(cache, pod_of("p", 9, "100"),
               "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.");
}
END_TEST

START_TEST(a_pod_whose_victims_are_still_going_waits)
{
    g_autoptr(ClusterCache) cache = test_cache(1);
    Value *victim =
        with(pod_of("a", 1, "4"), "metadata.deletionTimestamp", "'2026-01-01T00:00:00Z'");
    victim = with(victim, "status.conditions",
                  "[{type: DisruptionTarget, status: 'True', reason: PreemptionByScheduler}]");
    put_pod_on(cache, victim, "n0");
    PodInfo *pod = put_pod(cache, pod_of("p", 9, "1"));
    cluster_cache_nominate(cache, pod, "n0");
    ck_preempt(cache, pod_of("p", 9, "1"),
               "preemption: not eligible due to a terminating pod on the nominated node.");
}
END_TEST

START_TEST(room_made_for_a_nominated_pod_is_not_for_others)
{
    g_autoptr(ClusterCache) cache = test_cache(1);
    PodInfo *nominated = put_pod(cache, pod_of("first", 9, "3"));
    cluster_cache_nominate(cache, nominated, "n0");
    g_autofree char *same = filter_text(cache, pod_of("second", 9, "2"), "n0");
    g_autofree char *higher = filter_text(cache, pod_of("third", 10, "2"), "n0");
    ck_assert_str_eq(same, "Insufficient cpu");
    ck_assert_str_eq(higher, "");
    cluster_cache_check(cache);
}
END_TEST

START_TEST(anti_affinity_is_cured_by_taking_the_other_pod)
{
    g_autoptr(ClusterCache) cache = test_cache(1);
    put_pod_on(cache, pod_of("rival", 1, "1"), "n0");
    put_pod_on(cache, pod_of("bystander", 1, "1"), "n0");
    ck_preempt(
        cache,
        with(pod_of("p", 9, "1"), "spec.affinity",
             "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
             "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: rival}}}]}}"),
        "n0: rival");
}
END_TEST

TCase *
preemption_suite(void)
{
    return test_case("preemption", only_as_many_as_needed_go_and_the_least_important,
                     the_node_whose_victims_matter_least_is_taken,
                     fewer_victims_win_among_equals_then_the_younger, disruption_budgets_are_spared,
                     the_message_says_why_nobody_goes, a_pod_whose_victims_are_still_going_waits,
                     room_made_for_a_nominated_pod_is_not_for_others,
                     anti_affinity_is_cured_by_taking_the_other_pod);
}
