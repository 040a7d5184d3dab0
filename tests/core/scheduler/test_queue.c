/* Where pods wait, and what wakes them. */
#include "core/scheduler/queue.h"
#include "tests/core/scheduler/suites.h"
#include "tests/core/scheduler/support.h"

#include <string.h>

typedef struct Fixture {
    TestWorld *world;
    ClusterCache *cache;
    SchedulingQueue *queue;
    int n_ready;
} Fixture;

static void
on_ready(void *data)
{
    ((Fixture *)data)->n_ready++;
}

static void
fixture_init(Fixture *fixture)
{
    fixture->world = test_world_new(1);
    fixture->cache = test_cache(1);
    fixture->n_ready = 0;
    fixture->queue = scheduling_queue_new(test_world_ports(fixture->world, "s"), fixture->cache,
                                          NULL, on_ready, fixture);
}

static void
fixture_clear(Fixture *fixture)
{
    scheduling_queue_check(fixture->queue);
    scheduling_queue_free(fixture->queue);
    cluster_cache_free(fixture->cache);
    test_world_free(fixture->world);
}

static PodInfo *
queue_pod(Fixture *fixture, Value *take)
{
    PodInfo *pod = put_pod(fixture->cache, take);
    scheduling_queue_add(fixture->queue, pod, 0);
    return pod;
}

#define ck_pop(fixture, expected)                                                                  \
    do {                                                                                           \
        const PodInfo *popped = scheduling_queue_pop((fixture)->queue);                            \
        ck_assert_str_eq(popped != NULL ? popped->key : "", expected);                             \
    } while (0)

/* Pods in flight are in no place that the queue could free. */
static void
give_back(Fixture *fixture)
{
    GHashTableIter iter;
    gpointer pod;
    g_hash_table_iter_init(&iter, fixture->cache->pods);
    while (g_hash_table_iter_next(&iter, NULL, &pod))
        scheduling_queue_remove(fixture->queue, pod);
}

START_TEST(higher_priority_comes_first_then_who_waited_longer)
{
    Fixture fixture;
    fixture_init(&fixture);
    queue_pod(&fixture, test_pod("a", "web", NULL, NULL));
    queue_pod(&fixture, test_pod("b", "web", NULL, NULL));
    queue_pod(&fixture, with(test_pod("c", "web", NULL, NULL), "spec.priority", "100"));
    ck_pop(&fixture, "default/c");
    ck_pop(&fixture, "default/a");
    ck_pop(&fixture, "default/b");
    ck_pop(&fixture, "");
    give_back(&fixture);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_gated_pod_waits_for_its_gates_alone)
{
    Fixture fixture;
    fixture_init(&fixture);
    PodInfo *pod = queue_pod(
        &fixture, with(test_pod("a", "web", NULL, NULL), "spec.schedulingGates", "[{name: g}]"));
    ck_assert_int_eq(fixture.n_ready, 0);
    scheduling_queue_event(fixture.queue, &(ClusterEvent){.kinds = EVENT_NODE_ADD});
    ck_pop(&fixture, "");
    g_autoptr(Value) old = value_ref(pod->pod);
    put_pod(fixture.cache, test_pod("a", "web", NULL, NULL));
    scheduling_queue_update(fixture.queue, pod, EVENT_GATES | EVENT_SELF, old, 0);
    ck_pop(&fixture, "default/a");
    give_back(&fixture);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_rejected_pod_wakes_for_events_that_may_cure_it)
{
    Fixture fixture;
    fixture_init(&fixture);
    PodInfo *pod = queue_pod(
        &fixture, with(test_pod("a", "web", "8", NULL), "spec.nodeSelector", "{disk: ssd}"));
    PodInfo *running = put_pod_on(fixture.cache, test_pod("r", "web", NULL, NULL), "n0");
    ck_pop(&fixture, "default/a");
    scheduling_queue_add_unschedulable(fixture.queue, pod, 1u << PLUGIN_NODE_AFFINITY);
    scheduling_queue_event(fixture.queue,
                           &(ClusterEvent){.kinds = EVENT_POD_DELETE, .pod = running});
    ck_assert_uint_eq(scheduling_queue_count(fixture.queue, QUEUED_UNSCHEDULABLE), 1);
    g_autoptr(Value) plain = test_node("n1");
    NodeInfo *node = cluster_cache_set_node(fixture.cache, plain);
    scheduling_queue_event(fixture.queue,
                           &(ClusterEvent){.kinds = EVENT_NODE_ADD, .node = node, .new_ = plain});
    ck_assert_uint_eq(scheduling_queue_count(fixture.queue, QUEUED_UNSCHEDULABLE), 1);
    g_autoptr(Value) ssd = with(test_node("n1"), "metadata.labels.disk", "ssd");
    node = cluster_cache_set_node(fixture.cache, ssd);
    scheduling_queue_event(
        fixture.queue,
        &(ClusterEvent){.kinds = EVENT_NODE_LABEL, .node = node, .old = plain, .new_ = ssd});
    ck_assert_uint_eq(scheduling_queue_count(fixture.queue, QUEUED_BACKOFF), 1);
    ck_pop(&fixture, "default/a"); /* nothing else waits: it need not back off */
    give_back(&fixture);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(errors_back_off_one_second_doubling_to_ten)
{
    Fixture fixture;
    fixture_init(&fixture);
    PodInfo *pod = queue_pod(&fixture, test_pod("a", "web", NULL, NULL));
    static const int seconds[] = {1, 2, 4, 8, 10, 10};
    for (size_t i = 0; i < G_N_ELEMENTS(seconds); i++) {
        ck_pop(&fixture, "default/a");
        scheduling_queue_add_error(fixture.queue, pod);
        test_world_run_for(fixture.world, seconds[i] * NS_PER_S - NS_PER_MS);
        ck_pop(&fixture, "");
        test_world_run_for(fixture.world, NS_PER_MS);
        scheduling_queue_check(fixture.queue);
    }
    ck_pop(&fixture, "default/a");
    give_back(&fixture);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(after_five_minutes_a_pod_is_tried_anyway)
{
    Fixture fixture;
    fixture_init(&fixture);
    PodInfo *pod = queue_pod(&fixture, test_pod("a", "web", NULL, NULL));
    ck_pop(&fixture, "default/a");
    scheduling_queue_add_unschedulable(fixture.queue, pod, 1u << PLUGIN_NODE_AFFINITY);
    test_world_run_for(fixture.world, 299 * NS_PER_S);
    ck_pop(&fixture, "");
    test_world_run_for(fixture.world, 32 * NS_PER_S);
    ck_pop(&fixture, "default/a");
    give_back(&fixture);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(hints_look_at_who_goes)
{
    static const struct {
        int plugin;
        const char *path, *value, *gone_path, *gone_value;
        bool wakes;
    } cases[] = {
        {PLUGIN_NODE_RESOURCES_FIT, NULL, NULL, NULL, NULL, true},
        {PLUGIN_NODE_PORTS, "spec.containers[0].ports", "[{hostPort: 80}]",
         "spec.containers[0].ports", "[{hostPort: 80}]", true},
        {PLUGIN_NODE_PORTS, "spec.containers[0].ports", "[{hostPort: 80}]",
         "spec.containers[0].ports", "[{hostPort: 81}]", false},
        {PLUGIN_INTER_POD_AFFINITY, "spec.affinity",
         "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: h, "
         "labelSelector: "
         "{matchLabels: {app: gone}}}]}}",
         NULL, NULL, true},
        {PLUGIN_INTER_POD_AFFINITY, "spec.affinity",
         "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: h, "
         "labelSelector: "
         "{matchLabels: {app: other}}}]}}",
         NULL, NULL, false},
        {PLUGIN_POD_TOPOLOGY_SPREAD, "spec.topologySpreadConstraints",
         "[{maxSkew: 1, topologyKey: h, whenUnsatisfiable: DoNotSchedule, labelSelector: "
         "{matchLabels: {app: gone}}}]",
         NULL, NULL, true},
        {PLUGIN_POD_TOPOLOGY_SPREAD, "spec.topologySpreadConstraints",
         "[{maxSkew: 1, topologyKey: h, whenUnsatisfiable: DoNotSchedule, labelSelector: "
         "{matchLabels: {app: web}}}]",
         NULL, NULL, false},
        {PLUGIN_TAINT_TOLERATION, NULL, NULL, NULL, NULL, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture fixture;
        fixture_init(&fixture);
        Value *waiting = test_pod("a", "web", NULL, NULL),
              *going = test_pod("g", "gone", NULL, NULL);
        if (cases[i].path != NULL)
            waiting = with(waiting, cases[i].path, cases[i].value);
        if (cases[i].gone_path != NULL)
            going = with(going, cases[i].gone_path, cases[i].gone_value);
        PodInfo *pod = queue_pod(&fixture, waiting), *gone = put_pod_on(fixture.cache, going, "n0");
        ck_pop(&fixture, "default/a");
        scheduling_queue_add_unschedulable(fixture.queue, pod, 1u << cases[i].plugin);
        scheduling_queue_event(fixture.queue,
                               &(ClusterEvent){.kinds = EVENT_POD_DELETE, .pod = gone});
        ck_assert_msg((scheduling_queue_count(fixture.queue, QUEUED_UNSCHEDULABLE) == 0) ==
                          cases[i].wakes,
                      "case %zu", i);
        give_back(&fixture);
        fixture_clear(&fixture);
    }
}
END_TEST

TCase *
queue_suite(void)
{
    return test_case("queue", higher_priority_comes_first_then_who_waited_longer,
                     a_gated_pod_waits_for_its_gates_alone,
                     a_rejected_pod_wakes_for_events_that_may_cure_it,
                     errors_back_off_one_second_doubling_to_ten,
                     after_five_minutes_a_pod_is_tried_anyway, hints_look_at_who_goes);
}
