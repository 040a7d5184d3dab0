/* The whole scheduler against an API server in memory. */
#include "core/base/pmap.h"
#include "core/scheduler/scheduler.h"
#include "tests/core/scheduler/suites.h"
#include "tests/core/scheduler/support.h"
#include "tests/support/fake_api.h"

#include <string.h>

typedef struct Fixture {
    TestWorld *world;
    FakeApi *api;
    Client *client;
    Scheduler *scheduler;
} Fixture;

static void
fixture_init(Fixture *fixture, const Value *config)
{
    fixture->world = test_world_new(1);
    const Ports *ports = test_world_ports(fixture->world, "control-plane");
    fixture->api = fake_api_new(test_world_ports(fixture->world, "api"), NULL);
    fixture->client =
        client_new(ports, NULL, fake_api_transport(fixture->api, "system:kube-scheduler"),
                   &(ClientOptions){0});
    fixture->scheduler = scheduler_new(ports, fixture->client, config);
}

static void
fixture_clear(Fixture *fixture)
{
    scheduler_free(fixture->scheduler);
    client_free(fixture->client);
    fake_api_free(fixture->api);
    test_world_free(fixture->world);
}

static void
add_pod(Fixture *fixture, Value *take)
{
    fake_api_put(fixture->api, "", "pods", take);
}

static const char *
node_of(Fixture *fixture, const char *pod)
{
    return value_text_at(fake_api_get(fixture->api, "", "pods", "default", pod), "spec.nodeName");
}

static const Value *
condition_of(Fixture *fixture, const char *pod, const char *type)
{
    const Value *object = fake_api_get(fixture->api, "", "pods", "default", pod);
    VALUE_ARRAY_FOREACH (condition, value_at(object, "status.conditions"))
        if (strcmp(value_text_at(condition, "type"), type) == 0)
            return condition;
    return NULL;
}

/* Is there an event with this reason and message about the pod? */
static bool
has_event(Fixture *fixture, const char *pod, const char *reason, const char *message)
{
    bool found = false;
    PMapIter iter = pmap_seek_prefix(fake_api_state(fixture->api, "", "events"), "");
    while (pmap_next(&iter))
        found |= strcmp(value_text_at(iter.value, "involvedObject.name"), pod) == 0 &&
                 strcmp(value_text_at(iter.value, "reason"), reason) == 0 &&
                 strcmp(value_text_at(iter.value, "message"), message) == 0;
    return found;
}

START_TEST(a_pod_is_bound_and_told)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    add_pod(&fixture, test_pod("web", "web", "100m", "64Mi"));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "web"), "n1");
    ck_assert(has_event(&fixture, "web", "Scheduled", "Successfully assigned default/web to n1"));
    ck_assert(
        test_texts_have(test_world_facts(fixture.world), "chose node n1 for pod default/web"));
    g_autoptr(Value) why = scheduler_explain(fixture.scheduler, "default/web");
    ck_assert_str_eq(value_text_at(why, "node"), "n1");
    ck_assert(value_bool_at(why, "nodes[0].selected"));
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_pod_that_fits_nowhere_says_why_and_is_bound_when_it_fits)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    add_pod(&fixture, with(test_pod("win", "win", NULL, NULL), "spec.nodeSelector",
                           "{'kubernetes.io/os': windows}"));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    static const char message[] =
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new "
        "claims to deallocate, "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    ck_assert(has_event(&fixture, "win", "FailedScheduling", message));
    const Value *condition = condition_of(&fixture, "win", "PodScheduled");
    ck_assert_str_eq(value_text_at(condition, "status"), "False");
    ck_assert_str_eq(value_text_at(condition, "reason"), "Unschedulable");
    ck_assert_str_eq(value_text_at(condition, "message"), message);
    g_autoptr(Value) why = scheduler_explain(fixture.scheduler, "default/win");
    ck_assert_str_eq(value_text_at(why, "message"), message);
    ck_assert_str_eq(value_text_at(why, "nodes[0].filters[-1].plugin"), "NodeAffinity");
    fake_api_put(fixture.api, "", "nodes",
                 with(test_node("w1"), "metadata.labels['kubernetes.io/os']", "windows"));
    test_world_run_for(fixture.world, 5 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "win"), "w1");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(without_nodes_it_says_so)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    add_pod(&fixture, test_pod("web", "web", NULL, NULL));
    test_world_run_for(fixture.world, 500 * NS_PER_MS);
    ck_assert_str_eq(value_text_at(condition_of(&fixture, "web", "PodScheduled"), "message"),
                     "no nodes available to schedule pods");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(pods_of_another_scheduler_are_left_alone)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    add_pod(&fixture, with(test_pod("web", "web", NULL, NULL), "spec.schedulerName", "mine"));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "web"), "");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(gates_hold_a_pod_until_they_are_gone)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    add_pod(&fixture, with(test_pod("web", "web", NULL, NULL), "spec.schedulingGates",
                           "[{name: example.com/wait}]"));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "web"), "");
    ck_assert_str_eq(value_text_at(condition_of(&fixture, "web", "PodScheduled"), "reason"),
                     "SchedulingGated");
    fake_api_edit(fixture.api, "", "pods", "default", "web", "spec.schedulingGates",
                  value_new_array());
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "web"), "n1");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_refused_binding_is_tried_again)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    fake_api_fail(fixture.api, "POST pods/binding", 500, "InternalError", "disk is on fire", 1);
    add_pod(&fixture, test_pod("web", "web", "3", NULL));
    test_world_run_for(fixture.world, 500 * NS_PER_MS);
    ck_assert_str_eq(node_of(&fixture, "web"), "");
    ck_assert(
        has_event(&fixture, "web", "FailedScheduling",
                  "binding rejected: running Bind plugin \"DefaultBinder\": disk is on fire"));
    ck_assert_str_eq(value_text_at(condition_of(&fixture, "web", "PodScheduled"), "reason"),
                     "SchedulerError");
    test_world_run_for(fixture.world, 3 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "web"), "n1");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(cycles_do_not_wait_for_bindings_and_count_assumed_pods)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    fake_api_put(fixture.api, "", "nodes", test_node("n2"));
    test_world_run_for(fixture.world, NS_PER_S);
    add_pod(&fixture, test_pod("a", "web", "3", NULL));
    add_pod(&fixture, test_pod("b", "web", "3", NULL));
    add_pod(&fixture, test_pod("c", "web", "3", NULL));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_ne(node_of(&fixture, "a"), "");
    ck_assert_str_ne(node_of(&fixture, "b"), "");
    ck_assert_str_ne(node_of(&fixture, "a"), node_of(&fixture, "b"));
    ck_assert_str_eq(node_of(&fixture, "c"), "");
    fake_api_remove(fixture.api, "", "pods", "default", "a");
    test_world_run_for(fixture.world, 5 * NS_PER_S);
    ck_assert_str_ne(node_of(&fixture, "c"), "");
    g_autoptr(Value) status = scheduler_status(fixture.scheduler);
    ck_assert_int_eq(value_int_at(status, "binding"), 0);
    ck_assert_int_eq(value_int_at(status, "scheduled"), 3);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_more_important_pod_preempts)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    add_pod(&fixture, test_pod("low", "web", "3", NULL));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "low"), "n1");
    add_pod(&fixture, with(test_pod("high", "web", "3", NULL), "spec.priority", "1000"));
    test_world_run_for(fixture.world, 500 * NS_PER_MS);
    ck_assert(has_event(&fixture, "low", "Preempted", "Preempted by pod high on node n1"));
    const Value *low = fake_api_get(fixture.api, "", "pods", "default", "low");
    if (low != NULL) { /* it is on its way out: its kubelet ends it */
        ck_assert_str_eq(value_text_at(condition_of(&fixture, "low", "DisruptionTarget"), "reason"),
                         "PreemptionByScheduler");
        ck_assert_str_eq(value_text_at(fake_api_get(fixture.api, "", "pods", "default", "high"),
                                       "status.nominatedNodeName"),
                         "n1");
        ck_assert_str_eq(node_of(&fixture, "high"), "");
        fake_api_remove(fixture.api, "", "pods", "default", "low");
    }
    test_world_run_for(fixture.world, 3 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "high"), "n1");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_deletion_that_only_begins_wakes_nobody_who_needs_room)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    add_pod(&fixture, with(test_pod("old", "web", "4", NULL), "spec.nodeName", "n1"));
    test_world_run_for(fixture.world, NS_PER_S);
    add_pod(&fixture, test_pod("new", "web", "4", NULL));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    fake_api_edit(fixture.api, "", "pods", "default", "old", "metadata.deletionTimestamp",
                  value_new_string("2026-01-01T00:00:10Z"));
    test_world_run_for(fixture.world, 5 * NS_PER_S);
    g_autoptr(Value) waiting = scheduler_status(fixture.scheduler);
    ck_assert_int_eq(value_int_at(waiting, "failed"), 1);
    fake_api_remove(fixture.api, "", "pods", "default", "old");
    test_world_run_for(fixture.world, 5 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "new"), "n1");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_static_volume_is_reserved_for_the_claim)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    fake_api_put(
        fixture.api, "storage.k8s.io", "storageclasses",
        value_new_f("{metadata: {name: local}, provisioner: 'kubernetes.io/no-provisioner', "
                    "volumeBindingMode: WaitForFirstConsumer}"));
    fake_api_put(
        fixture.api, "", "persistentvolumes",
        value_new_f("{metadata: {name: pv}, spec: {storageClassName: local, accessModes: "
                    "[ReadWriteOnce], capacity: {storage: 5Gi}}, status: {phase: Available}}"));
    for (int i = 0; i < 2; i++) {
        fake_api_put(
            fixture.api, "", "persistentvolumeclaims",
            value_new_f("{metadata: {name: %s, namespace: default}, spec: {storageClassName: "
                        "local, accessModes: [ReadWriteOnce], resources: {requests: {storage: "
                        "1Gi}}}}",
                        i == 0 ? "a" : "b"));
        add_pod(&fixture, with(test_pod(i == 0 ? "pa" : "pb", "db", NULL, NULL), "spec.volumes",
                               i == 0 ? "[{name: v, persistentVolumeClaim: {claimName: a}}]"
                                      : "[{name: v, persistentVolumeClaim: {claimName: b}}]"));
    }
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    const Value *volume = fake_api_get(fixture.api, "", "persistentvolumes", NULL, "pv");
    ck_assert_str_eq(value_text_at(volume, "spec.claimRef.name"), "a");
    ck_assert_str_eq(
        value_text_at(volume, "metadata.annotations['pv.kubernetes.io/bound-by-controller']"),
        "yes");
    ck_assert_str_eq(
        value_text_at(condition_of(&fixture, "pb", "PodScheduled"), "message"),
        "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to "
        "bind. no new claims to deallocate, preemption: 0/1 nodes are available: 1 "
        "Preemption is not helpful for scheduling.");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(many_pods_are_bound_each_once_and_no_node_is_overcommitted)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    for (int i = 0; i < 20; i++) {
        g_autofree char *name = g_strdup_printf("n%02d", i);
        fake_api_put(fixture.api, "", "nodes", test_node(name));
    }
    for (int i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("p%03d", i);
        add_pod(&fixture, test_pod(name, "web", "1", NULL));
    }
    test_world_run_for(fixture.world, 5 * NS_PER_S);
    int counts[20] = {0}, bound = 0;
    for (int i = 0; i < 100; i++) {
        g_autofree char *name = g_strdup_printf("p%03d", i);
        const char *node = node_of(&fixture, name);
        bound += *node != '\0';
        if (*node != '\0')
            counts[atoi(node + 1)]++;
    }
    ck_assert_int_eq(bound, 80);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(counts[i], 4);
    ck_assert_uint_eq(fake_api_count_requests(fixture.api, "POST pods/binding"), 80);
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_scheduler_that_starts_again_counts_what_is_there)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    test_world_run_for(fixture.world, NS_PER_S);
    add_pod(&fixture, test_pod("a", "web", "3", NULL));
    test_world_run_for(fixture.world, 1500 * NS_PER_US); /* its binding is under way */
    scheduler_free(fixture.scheduler);
    test_world_run_for(fixture.world, NS_PER_S);
    fixture.scheduler =
        scheduler_new(test_world_ports(fixture.world, "control-plane"), fixture.client, NULL);
    add_pod(&fixture, test_pod("b", "web", "3", NULL));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "a"), "n1");
    ck_assert_str_eq(node_of(&fixture, "b"), "");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(a_waiting_claim_is_given_its_node_and_waited_for)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    fake_api_put(
        fixture.api, "storage.k8s.io", "storageclasses",
        value_new_f(
            "{metadata: {name: fast}, provisioner: csi, volumeBindingMode: WaitForFirstConsumer}"));
    fake_api_put(fixture.api, "", "persistentvolumeclaims",
                 value_new_f("{metadata: {name: data, namespace: default}, spec: "
                             "{storageClassName: fast, accessModes: "
                             "[ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}"));
    add_pod(&fixture, with(test_pod("db", "db", NULL, NULL), "spec.volumes",
                           "[{name: v, persistentVolumeClaim: {claimName: data}}]"));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    const Value *claim = fake_api_get(fixture.api, "", "persistentvolumeclaims", "default", "data");
    ck_assert_str_eq(
        value_text_at(claim, "metadata.annotations['volume.kubernetes.io/selected-node']"), "n1");
    ck_assert_str_eq(node_of(&fixture, "db"), "");
    fake_api_put(fixture.api, "", "persistentvolumes",
                 value_new_f("{metadata: {name: pv}, spec: {}}"));
    fake_api_edit(fixture.api, "", "persistentvolumeclaims", "default", "data", "spec.volumeName",
                  value_new_string("pv"));
    fake_api_edit(fixture.api, "", "persistentvolumeclaims", "default", "data",
                  "metadata.annotations['pv.kubernetes.io/bind-completed']",
                  value_new_string("yes"));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "db"), "n1");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(evaluating_shows_every_node_and_changes_nothing)
{
    Fixture fixture;
    fixture_init(&fixture, NULL);
    for (int i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("n%d", i);
        fake_api_put(fixture.api, "", "nodes", test_node(name));
    }
    add_pod(&fixture, test_pod("web", "web", "100m", "64Mi"));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    g_autoptr(Value) table = scheduler_evaluate(
        fixture.scheduler, fake_api_get(fixture.api, "", "pods", "default", "web"));
    ck_assert_int_eq(value_int_at(table, "feasibleNodes"), 3);
    ck_assert_uint_eq(value_size(value_get(table, "nodes")), 3);
    ck_assert_str_eq(value_text_at(table, "nodes[0].scores[0].plugin"), "TaintToleration");
    ck_assert_int_eq(value_int_at(table, "nodes[0].scores[0].weighted"), 300);
    g_autoptr(Value) stranger = test_pod("other", "web", "100", NULL);
    g_autoptr(Value) none = scheduler_evaluate(fixture.scheduler, stranger);
    ck_assert_str_eq(value_text_at(none, "message"),
                     "0/3 nodes are available: 3 Insufficient cpu.");
    fixture_clear(&fixture);
}
END_TEST

START_TEST(the_configuration_names_profiles_and_weights)
{
    Fixture fixture;
    g_autoptr(Value) config = value_new_f(
        "{profiles: [{schedulerName: packer, plugins: {score: {disabled: [{name: "
        "ImageLocality}]}}, pluginConfig: "
        "[{name: NodeResourcesFit, args: {scoringStrategy: {type: MostAllocated}}}]}]}");
    fixture_init(&fixture, config);
    fake_api_put(fixture.api, "", "nodes", test_node("n1"));
    fake_api_put(fixture.api, "", "nodes", test_node("n2"));
    Value *there = with(test_pod("there", "db", "2", "8Gi"), "spec.nodeName", "n2");
    add_pod(&fixture, there);
    test_world_run_for(fixture.world, NS_PER_S);
    add_pod(&fixture, with(test_pod("web", "web", "1", "4Gi"), "spec.schedulerName", "packer"));
    test_world_run_for(fixture.world, 2 * NS_PER_S);
    ck_assert_str_eq(node_of(&fixture, "web"), "n2");
    fixture_clear(&fixture);
}
END_TEST

TCase *
scheduler_suite(void)
{
    return test_case(
        "scheduler", a_pod_is_bound_and_told,
        a_pod_that_fits_nowhere_says_why_and_is_bound_when_it_fits, without_nodes_it_says_so,
        pods_of_another_scheduler_are_left_alone, gates_hold_a_pod_until_they_are_gone,
        a_refused_binding_is_tried_again, cycles_do_not_wait_for_bindings_and_count_assumed_pods,
        a_more_important_pod_preempts, a_deletion_that_only_begins_wakes_nobody_who_needs_room,
        a_static_volume_is_reserved_for_the_claim,
        many_pods_are_bound_each_once_and_no_node_is_overcommitted,
        a_scheduler_that_starts_again_counts_what_is_there,
        a_waiting_claim_is_given_its_node_and_waited_for,
        evaluating_shows_every_node_and_changes_nothing,
        the_configuration_names_profiles_and_weights);
}
