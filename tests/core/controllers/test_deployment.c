#include <string.h>

#include "tests/core/controllers/suites.h"

static Bench bench;

#define CONTROLLERS "{controllers: [deployment-controller, replicaset-controller]}"

static void
put_deployment(int64_t replicas, const char *image, const char *strategy)
{
    g_autoptr(Value) rolling =
        value_new_f("{type: %s, rollingUpdate: ?%V}", strategy,
                    strcmp(strategy, "RollingUpdate") == 0
                        ? value_new_f("{maxSurge: '25%', maxUnavailable: '25%'}")
                        : NULL);
    bench_put(&bench, "apps", "deployments",
              value_new_f(
                  "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: d, "
                  "uid: web-uid, generation: 1}, "
                  "spec: {replicas: %i, progressDeadlineSeconds: 600, revisionHistoryLimit: 2, "
                  "strategy: %v, "
                  "selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, "
                  "spec: {containers: [{name: web, image: %s}]}}}}",
                  replicas, rolling, image));
    bench_settle(&bench);
}

static void
set_image(const char *image)
{
    fake_api_edit(bench.api, "apps", "deployments", "d", "web",
                  "spec.template.spec.containers[0].image", value_new_string(image));
    bench_settle(&bench);
}

static void
play_until_done(void)
{
    for (int i = 0; i < 12; i++)
        bench_play_kubelet(&bench);
}

static const Value *
deployment(void)
{
    return bench_get(&bench, "apps", "deployments", "web");
}

START_TEST(a_new_deployment_gets_a_replica_set_and_its_pods)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    put_deployment(3, "web:1", "RollingUpdate");
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 1);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 3);
    ck_assert_str_eq(object_annotation(deployment(), "deployment.kubernetes.io/revision"), "1");
    ck_assert_str_eq(condition_reason(deployment(), "Available"), "MinimumReplicasUnavailable");
    ck_assert_str_eq(condition_status(deployment(), "Progressing"), "True");
    play_until_done();
    ck_assert_int_eq(value_int_at(deployment(), "status.availableReplicas"), 3);
    ck_assert_str_eq(condition_reason(deployment(), "Available"), "MinimumReplicasAvailable");
    ck_assert_str_eq(condition_reason(deployment(), "Progressing"), "NewReplicaSetAvailable");
    ck_assert(bench_has_event(&bench, "ScalingReplicaSet", "Scaled up replica set web-"));
    ck_assert(bench_has_event(&bench, "SuccessfulCreate", "Created pod: web-"));
    ck_assert(test_texts_have(test_world_facts(bench.world),
                              "deployment-controller|create|Deployment/d/web"));
    g_autoptr(GPtrArray) sets = bench_list(&bench, "apps", "replicasets");
    ck_assert_str_eq(
        object_annotation(objects_item(sets, 0), "deployment.kubernetes.io/max-replicas"), "4");
    fake_api_forget_requests(bench.api);
    bench_run_s(&bench, 60);
    ck_assert_uint_eq(fake_api_count_requests(bench.api, "PUT"), 0);
    bench_close(&bench);
}
END_TEST

START_TEST(a_rolling_update_never_leaves_its_bounds)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    put_deployment(10, "web:1", "RollingUpdate");
    play_until_done();
    set_image("web:2");
    for (int step = 0; step < 30; step++) {
        g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
        int ready = 0, alive = 0;
        for (guint i = 0; i < pods->len; i++) {
            ready +=
                pod_is_ready(objects_item(pods, i)) && !object_is_deleting(objects_item(pods, i));
            alive += !object_is_deleting(objects_item(pods, i));
        }
        ck_assert_int_ge(ready, 8);
        ck_assert_int_le(alive, 13);
        bench_play_kubelet(&bench);
    }
    ck_assert_int_eq(value_int_at(deployment(), "status.updatedReplicas"), 10);
    ck_assert_int_eq(value_int_at(deployment(), "status.replicas"), 10);
    ck_assert_str_eq(object_annotation(deployment(), "deployment.kubernetes.io/revision"), "2");
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 2);
    bench_close(&bench);
}
END_TEST

START_TEST(a_rollback_takes_the_old_set_and_remembers_its_revision)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    put_deployment(2, "web:1", "RollingUpdate");
    play_until_done();
    set_image("web:2");
    play_until_done();
    set_image("web:1");
    play_until_done();
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 2);
    ck_assert_str_eq(object_annotation(deployment(), "deployment.kubernetes.io/revision"), "3");
    g_autoptr(GPtrArray) sets = bench_list(&bench, "apps", "replicasets");
    int with_history = 0;
    for (guint i = 0; i < sets->len; i++)
        with_history += object_annotation(objects_item(sets, i),
                                          "deployment.kubernetes.io/revision-history") != NULL;
    ck_assert_int_eq(with_history, 1);
    bench_close(&bench);
}
END_TEST

START_TEST(old_sets_beyond_the_history_limit_are_deleted)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    put_deployment(1, "web:1", "RollingUpdate");
    play_until_done();
    const char *const images[] = {"web:2", "web:3", "web:4", "web:5"};
    for (size_t i = 0; i < G_N_ELEMENTS(images); i++) {
        set_image(images[i]);
        play_until_done();
    }
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 3);
    bench_close(&bench);
}
END_TEST

START_TEST(recreate_waits_until_every_old_pod_is_gone)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    put_deployment(3, "web:1", "Recreate");
    play_until_done();
    set_image("web:2");
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 1);
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    for (guint i = 0; i < pods->len; i++)
        ck_assert(object_is_deleting(objects_item(pods, i)));
    play_until_done();
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 2);
    ck_assert_int_eq(value_int_at(deployment(), "status.updatedReplicas"), 3);
    bench_close(&bench);
}
END_TEST

START_TEST(a_rollout_that_stands_still_exceeds_its_deadline)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    put_deployment(2, "web:1", "RollingUpdate");
    bench_run_s(&bench, 500);
    ck_assert_str_eq(condition_status(deployment(), "Progressing"), "True");
    bench_run_s(&bench, 200);
    ck_assert_str_eq(condition_reason(deployment(), "Progressing"), "ProgressDeadlineExceeded");
    ck_assert_str_eq(condition_status(deployment(), "Progressing"), "False");
    bench_close(&bench);
}
END_TEST

START_TEST(a_paused_deployment_scales_but_does_not_roll_out)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    put_deployment(2, "web:1", "RollingUpdate");
    play_until_done();
    fake_api_edit(bench.api, "apps", "deployments", "d", "web", "spec.paused",
                  value_new_bool(true));
    set_image("web:2");
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 1);
    ck_assert_str_eq(condition_reason(deployment(), "Progressing"), "DeploymentPaused");
    fake_api_edit(bench.api, "apps", "deployments", "d", "web", "spec.replicas", value_new_int(5));
    bench_settle(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 5);
    fake_api_edit(bench.api, "apps", "deployments", "d", "web", "spec.paused",
                  value_new_bool(false));
    play_until_done();
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 2);
    bench_close(&bench);
}
END_TEST

START_TEST(a_taken_name_counts_a_collision_and_takes_another)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [deployment-controller]}"));
    fake_api_fail(bench.api, "POST replicasets", 409, "AlreadyExists", "exists", 1);
    fake_api_fail(bench.api, "GET replicasets", 500, "InternalError", "no", 1);
    put_deployment(1, "web:1", "RollingUpdate");
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 1);
    bench_close(&bench);
}
END_TEST

START_TEST(a_refused_replica_set_is_told_in_condition_and_event_and_tried_again)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    fake_api_fail(bench.api, "POST replicasets", 403, "Forbidden", "quota says no", 3);
    put_deployment(1, "web:1", "RollingUpdate");
    ck_assert(bench_has_event(&bench, "ReplicaSetCreateError",
                              "Failed to create new replica set \"web-"));
    bench_run_s(&bench, 5);
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "replicasets"), 1);
    bench_close(&bench);
}
END_TEST

START_TEST(conflicts_and_lost_watches_do_no_harm)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f(CONTROLLERS));
    fake_api_fail(bench.api, "PUT", 409, "Conflict", "changed", 7);
    fake_api_fail(bench.api, "POST pods", 500, "InternalError", "oops", 2);
    put_deployment(4, "web:1", "RollingUpdate");
    fake_api_break_watches(bench.api);
    bench_run_s(&bench, 20);
    play_until_done();
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 4);
    ck_assert_int_eq(value_int_at(deployment(), "status.availableReplicas"), 4);
    bench_close(&bench);
}
END_TEST

TCase *
deployment_suite(void)
{
    return test_case("deployment", a_new_deployment_gets_a_replica_set_and_its_pods,
                     a_rolling_update_never_leaves_its_bounds,
                     a_rollback_takes_the_old_set_and_remembers_its_revision,
                     old_sets_beyond_the_history_limit_are_deleted,
                     recreate_waits_until_every_old_pod_is_gone,
                     a_rollout_that_stands_still_exceeds_its_deadline,
                     a_paused_deployment_scales_but_does_not_roll_out,
                     a_taken_name_counts_a_collision_and_takes_another,
                     a_refused_replica_set_is_told_in_condition_and_event_and_tried_again,
                     conflicts_and_lost_watches_do_no_harm);
}
