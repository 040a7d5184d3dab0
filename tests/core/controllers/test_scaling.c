/* The sums of scaling and of the rolling update, against the cases of Kubernetes' own tests (facts:
 * sizes before and after). */
#include <string.h>

#include "core/controllers/common/expectations.h"
#include "core/controllers/common/pod_control.h"
#include "core/controllers/deployment/rollout.h"
#include "tests/core/controllers/suites.h"

static Bench bench;

typedef struct Sizes {
    int new_, old, older; /* -1: there is no such set */
} Sizes;

static void
put_set(const char *name, const char *image, int size, int available, int64_t desired, int64_t most,
        const char *created)
{
    if (size < 0)
        return;
    Value *desired_text = value_new_stringf("%" G_GINT64_FORMAT, desired),
          *most_text = value_new_stringf("%" G_GINT64_FORMAT, most);
    bench_put(&bench, "apps", "replicasets",
              value_new_f(
                  "{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: %s, namespace: d, uid: "
                  "%s, labels: {app: web}, creationTimestamp: %s, "
                  "annotations: {'deployment.kubernetes.io/desired-replicas': %V, "
                  "'deployment.kubernetes.io/max-replicas': %V, "
                  "'deployment.kubernetes.io/revision': %s}, ownerReferences: [{apiVersion: "
                  "apps/v1, kind: Deployment, name: web, uid: web, controller: true}]}, "
                  "spec: {replicas: %i, selector: {matchLabels: {app: web}}, template: {metadata: "
                  "{labels: {app: web}}, spec: {containers: [{name: c, image: %s}]}}}, "
                  "status: {replicas: %i, availableReplicas: ?%i, observedGeneration: 1}}",
                  name, name, created, desired_text, most_text,
                  strcmp(name, "new") == 0   ? "3"
                  : strcmp(name, "old") == 0 ? "2"
                                             : "1",
                  (int64_t)size, image, (int64_t)size, (int64_t)available));
}

static int
size_of(const char *name)
{
    const Value *set = bench_get(&bench, "apps", "replicasets", name);
    return set != NULL ? (int)value_int_at(set, "spec.replicas") : -1;
}

static void
run_case(int64_t before, int64_t after, const char *surge, const char *unavailable, Sizes sizes,
         Sizes available, int64_t surge_before, bool paused)
{
    bench_open(&bench);
    int64_t most = before + surge_before;
    put_set("new", "v3", sizes.new_, available.new_, before, most, "2026-01-01T00:00:00Z");
    put_set("old", "v2", sizes.old, available.old, before, most, "2025-12-31T00:00:00Z");
    put_set("older", "v1", sizes.older, available.older, before, most, "2025-12-30T00:00:00Z");
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: d, uid: web, "
        "annotations: {'deployment.kubernetes.io/revision': '3'}}, spec: {replicas: "
        "%" G_GINT64_FORMAT
        ", paused: %s, strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: %s, "
        "maxUnavailable: %s}}, selector: {matchLabels: {app: web}}, "
        "template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: v3}]}}}}",
        after, paused ? "true" : "false", surge, unavailable);
    bench_put(&bench, "apps", "deployments", value_new_f(text));
    bench_start(&bench, value_new_f("{controllers: [deployment-controller]}"));
}

START_TEST(scaling_in_a_rollout_is_proportional)
{
    static const struct {
        int64_t before, after, surge_before;
        const char *surge;
        Sizes sizes, expected;
    } cases[] = {
        {10, 12, 0, "0", {10, -1, -1}, {12, -1, -1}}, {10, 5, 0, "0", {10, -1, -1}, {5, -1, -1}},
        {5, 10, 0, "0", {2, 3, -1}, {4, 6, -1}},      {5, 3, 0, "0", {2, 3, -1}, {1, 2, -1}},
        {9, 4, 0, "0", {8, 1, -1}, {4, 0, -1}},       {7, 10, 0, "0", {2, 3, 2}, {3, 4, 3}},
        {13, 8, 0, "0", {2, 8, 3}, {1, 5, 2}},        {3, 4, 0, "0", {1, 1, 1}, {2, 1, 1}},
        {3, 2, 0, "0", {1, 1, 1}, {1, 1, 0}},         {6, 0, 0, "0", {3, 2, 1}, {0, 0, 0}},
        {10, 20, 2, "2", {6, 6, -1}, {11, 11, -1}},   {10, 50, 3, "6", {5, 8, -1}, {22, 34, -1}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        run_case(cases[i].before, cases[i].after, cases[i].surge, "1", cases[i].sizes,
                 (Sizes){0, 0, 0}, cases[i].surge_before, true);
        ck_assert_msg(
            size_of("new") == cases[i].expected.new_ && size_of("old") == cases[i].expected.old &&
                size_of("older") == cases[i].expected.older,
            "case %zu: got %d %d %d", i, size_of("new"), size_of("old"), size_of("older"));
        bench_close(&bench);
    }
}
END_TEST

START_TEST(a_rolling_update_takes_one_step_within_its_bounds)
{
    static const struct {
        const char *surge, *unavailable;
        Sizes sizes, available, expected;
    } cases[] = {
        {"2", "0", {0, 10, -1}, {0, 10, 0}, {2, 10, -1}}, /* the new one grows by the surge */
        {"2", "0", {0, 5, -1}, {0, 5, 0}, {7, 5, -1}},
        {"2", "0", {2, 10, -1}, {0, 10, 0}, {2, 10, -1}}, /* and waits */
        {"0",
         "2",
         {0, 10, -1},
         {0, 10, 0},
         {0, 8, -1}}, /* the old one shrinks by what may be missing */
        {"0", "2", {0, 10, -1}, {0, 8, 0}, {0, 8, -1}}, /* what is broken goes first */
        {"0", "2", {0, 10, -1}, {0, 9, 0}, {0, 8, -1}},
        {"0",
         "2",
         {2, 8, -1},
         {0, 8, 0},
         {2, 8, -1}}, /* new ones that are not available hold it up */
        {"0", "2", {2, 8, -1}, {2, 8, 0}, {2, 6, -1}},
        {"0", "2", {2, 4, 4}, {2, 4, 4}, {2, 4, 2}}, /* the oldest first */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t surge = g_ascii_strtoll(cases[i].surge, NULL, 10);
        run_case(10, 10, cases[i].surge, cases[i].unavailable, cases[i].sizes, cases[i].available,
                 surge, false);
        ck_assert_msg(
            size_of("new") >= cases[i].expected.new_ && size_of("old") == cases[i].expected.old &&
                size_of("older") == cases[i].expected.older,
            "case %zu: got %d %d %d", i, size_of("new"), size_of("old"), size_of("older"));
        bench_close(&bench);
    }
}
END_TEST

START_TEST(fenceposts_never_both_are_zero)
{
    static const struct {
        const char *surge, *unavailable;
        int64_t desired, expected_surge, expected_unavailable;
    } cases[] = {
        {"0%", "0%", 0, 0, 1},     {"39%", "39%", 10, 4, 3}, {"oops", "39%", 10, 0, 3},
        {"55%", "urg", 10, 6, 0},  {"25%", "25%", 1, 1, 0},  {"0", "10%", 5, 0, 1},
        {"100%", "100%", 3, 3, 3},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Value) surge = value_new_string(cases[i].surge),
                         unavailable = value_new_string(cases[i].unavailable);
        if (strcmp(cases[i].surge, "0") == 0)
            value_replace(&surge, value_new_int(0));
        int64_t got_surge, got_unavailable;
        resolve_fenceposts(surge, unavailable, cases[i].desired, &got_surge, &got_unavailable);
        ck_assert_int_eq(got_surge, cases[i].expected_surge);
        ck_assert_int_eq(got_unavailable, cases[i].expected_unavailable);
    }
}
END_TEST

/* ---- ReplicaSets
 * ------------------------------------------------------------------------------------- */

static Value *
candidate(const char *name, const char *more)
{
    g_autofree char *text = g_strdup_printf(
        "{metadata: {name: %s, uid: %s, creationTimestamp: '2026-01-01T00:00:00Z'}, spec: "
        "{nodeName: n1}, status: {phase: Running, "
        "conditions: [{type: Ready, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z'}]}}",
        name, name);
    Value *pod = value_new_f(text);
    g_autoptr(Value) changes = value_new_f(more);
    VALUE_MAP_FOREACH (path, value, changes)
        value_edit(&pod, path, value_ref(value));
    return pod;
}

START_TEST(the_pods_that_matter_least_are_deleted_first)
{
    static const char *const order[][2] = {
        {"unassigned", "{'spec.nodeName': ''}"},
        {"pending", "{'status.phase': Pending}"},
        {"unknown", "{'status.phase': Unknown}"},
        {"unready", "{'status.conditions': []}"},
        {"cheap",
         "{'metadata.annotations': {'controller.kubernetes.io/pod-deletion-cost': '-10'}}"},
        {"lately", "{'status.conditions[0].lastTransitionTime': '2026-01-01T11:00:00Z'}"},
        {"restarts", "{'status.containerStatuses': [{restartCount: 3}]}"},
        {"young", "{'metadata.creationTimestamp': '2026-01-01T11:50:00Z'}"},
        {"plain", "{}"},
        {"precious",
         "{'metadata.annotations': {'controller.kubernetes.io/pod-deletion-cost': '10'}}"},
    };
    g_autoptr(GPtrArray) pods = objects_new();
    for (size_t i = G_N_ELEMENTS(order); i > 0; i--)
        g_ptr_array_add(pods, candidate(order[i - 1][0], order[i - 1][1]));
    pods_sort_for_deletion(pods, NULL, NULL, TEST_WORLD_START + 12 * 3600 * NS_PER_S);
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        ck_assert_str_eq(object_name(objects_item(pods, (guint)i)), order[i][0]);
}
END_TEST

static void
put_replica_set(int64_t replicas)
{
    bench_put(&bench, "apps", "replicasets",
              value_new_f("{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: rs, namespace: "
                          "d, uid: rs, generation: 1}, spec: {replicas: %i, selector: "
                          "{matchLabels: {app: web}}, template: {metadata: {labels: {app: web, "
                          "tier: front}}, spec: {containers: []}}}}",
                          replicas));
    bench_settle(&bench);
}

START_TEST(a_set_adopts_matching_orphans_and_releases_strangers)
{
    bench_open(&bench);
    bench_put(&bench, "", "pods",
              value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: orphan, namespace: d, uid: "
                          "o1, labels: {app: web}}, spec: {}, status: {phase: Running}}"));
    bench_start(&bench, value_new_f("{controllers: [replicaset-controller]}"));
    put_replica_set(2);
    ck_assert(object_is_controlled_by(bench_get(&bench, "", "pods", "orphan"), "rs"));
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 2);
    const Value *set = bench_get(&bench, "apps", "replicasets", "rs");
    ck_assert_int_eq(value_int_at(set, "status.replicas"), 2);
    ck_assert_int_eq(value_int_at(set, "status.fullyLabeledReplicas"), 1);
    fake_api_edit(bench.api, "", "pods", "d", "orphan", "metadata.labels",
                  value_new_f("{app: other}"));
    bench_settle(&bench);
    ck_assert(!object_is_controlled_by(bench_get(&bench, "", "pods", "orphan"), "rs"));
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 3);
    bench_close(&bench);
}
END_TEST

START_TEST(slow_start_stops_at_the_first_refusal_and_tells_it)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [replicaset-controller]}"));
    fake_api_fail(bench.api, "POST pods", 403, "Forbidden", "exceeded quota", 1000);
    put_replica_set(100);
    const Value *set = bench_get(&bench, "apps", "replicasets", "rs");
    ck_assert_str_eq(condition_reason(set, "ReplicaFailure"), "FailedCreate");
    ck_assert_uint_le(fake_api_count_requests(bench.api, "POST pods"), 30);
    ck_assert(bench_has_event(&bench, "FailedCreate", "exceeded quota"));
    bench_close(&bench);
}
END_TEST

START_TEST(a_set_of_many_makes_exactly_as_many_whatever_fails_on_the_way)
{
    for (unsigned n = 1; n <= 8; n++) {
        bench_open(&bench);
        bench_start(&bench, value_new_f("{controllers: [replicaset-controller]}"));
        put_replica_set(0);
        fake_api_fail(bench.api, "POST pods", 500, "InternalError", "no luck", n);
        fake_api_fail(bench.api, "PUT replicasets/status", 409, "Conflict", "changed", n);
        fake_api_edit(bench.api, "apps", "replicasets", "d", "rs", "spec.replicas",
                      value_new_int(120));
        bench_run_s(&bench, 30);
        ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 120);
        bench_play_kubelet(&bench);
        bench_run_s(&bench, 5);
        ck_assert_int_eq(
            value_int_at(bench_get(&bench, "apps", "replicasets", "rs"), "status.readyReplicas"),
            120);
        fake_api_edit(bench.api, "apps", "replicasets", "d", "rs", "spec.replicas",
                      value_new_int(20));
        bench_run_s(&bench, 5);
        bench_play_kubelet(&bench);
        bench_run_s(&bench, 5);
        ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 20);
        ck_assert_int_eq(
            value_int_at(bench_get(&bench, "apps", "replicasets", "rs"), "status.replicas"), 20);
        bench_close(&bench);
    }
}
END_TEST

START_TEST(a_replication_controller_works_like_a_set)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [replicationcontroller-controller]}"));
    bench_put(&bench, "", "replicationcontrollers",
              value_new_f("{apiVersion: v1, kind: ReplicationController, metadata: {name: rc, "
                          "namespace: d, uid: rc}, spec: {replicas: 2, selector: {app: web}, "
                          "template: {metadata: {labels: {app: web}}, spec: {containers: []}}}}"));
    bench_settle(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 2);
    ck_assert_int_eq(
        value_int_at(bench_get(&bench, "", "replicationcontrollers", "rc"), "status.replicas"), 2);
    bench_close(&bench);
}
END_TEST

START_TEST(expectations_are_met_by_what_is_seen_or_by_time)
{
    g_autoptr(Expectations) expectations = expectations_new();
    g_autoptr(GPtrArray) uids = g_ptr_array_new();
    g_ptr_array_add(uids, (gpointer) "u1");
    ck_assert(expectations_satisfied(expectations, "k", 0));
    expectations_set(expectations, "k", 2, uids, 0);
    expectations_creation_observed(expectations, "k");
    expectations_lower(expectations, "k", 1);
    ck_assert(!expectations_satisfied(expectations, "k", 0));
    expectations_deletion_observed(expectations, "k", "other");
    ck_assert(!expectations_satisfied(expectations, "k", 0));
    ck_assert(expectations_satisfied(expectations, "k", EXPECTATIONS_TIMEOUT_NS + 1));
    expectations_deletion_observed(expectations, "k", "u1");
    ck_assert(expectations_satisfied(expectations, "k", 0));
}
END_TEST

TCase *
scaling_suite(void)
{
    return test_case("scaling", scaling_in_a_rollout_is_proportional,
                     a_rolling_update_takes_one_step_within_its_bounds,
                     fenceposts_never_both_are_zero, the_pods_that_matter_least_are_deleted_first,
                     a_set_adopts_matching_orphans_and_releases_strangers,
                     slow_start_stops_at_the_first_refusal_and_tells_it,
                     a_set_of_many_makes_exactly_as_many_whatever_fails_on_the_way,
                     a_replication_controller_works_like_a_set,
                     expectations_are_met_by_what_is_seen_or_by_time);
}
