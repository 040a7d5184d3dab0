/* Whatever write fails, and however often the watches break: in the end the state is what was asked
 * for. */
#include <string.h>

#include "tests/core/controllers/suites.h"

static Bench bench;

static const char *const prefixes[] = {"POST",
                                       "PUT",
                                       "PATCH",
                                       "DELETE",
                                       "GET",
                                       "LIST",
                                       "POST pods",
                                       "PUT statefulsets",
                                       "PUT jobs/status",
                                       "PATCH pods",
                                       "DELETE pods"};

static void
play(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        bench_play_kubelet(&bench);
        if (i == 2)
            fake_api_break_watches(bench.api);
        if (i == 4)
            fake_api_compact(bench.api);
    }
}

static void
put_all(void)
{
    bench_put(
        &bench, "apps", "deployments",
        value_new_f(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: d, uid: web, "
            "generation: 1}, spec: {replicas: 5, strategy: {type: RollingUpdate, rollingUpdate: "
            "{maxSurge: 1, maxUnavailable: 1}}, selector: {matchLabels: {app: web}}, template: "
            "{metadata: {labels: {app: web}}, spec: {containers: [{name: c, image: one}]}}}}"));
    bench_put(
        &bench, "apps", "statefulsets",
        value_new_f(
            "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: d, uid: db, "
            "generation: 1}, spec: {replicas: 3, podManagementPolicy: OrderedReady, selector: "
            "{matchLabels: {app: db}}, updateStrategy: {type: RollingUpdate}, template: {metadata: "
            "{labels: {app: db}}, spec: {containers: [{name: c, image: one}]}}, "
            "volumeClaimTemplates: [{metadata: {name: data}}]}}"));
    bench_put(
        &bench, "batch", "jobs",
        value_new_f(
            "{apiVersion: batch/v1, kind: Job, metadata: {name: work, namespace: d, uid: work}, "
            "spec: "
            "{completions: 4, parallelism: 4, backoffLimit: 3, selector: {matchLabels: {job: "
            "work}}, "
            "template: {metadata: {labels: {job: work}}, spec: {restartPolicy: Never, containers: "
            "[{name: c, image: one}]}}}}"));
}

static void
end_job_pods(void)
{
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    for (guint i = 0; i < pods->len; i++)
        if (object_label(objects_item(pods, i), "job") != NULL)
            fake_api_edit(bench.api, "", "pods", "d", object_name(objects_item(pods, i)),
                          "status.phase", value_new_string("Succeeded"));
}

START_TEST(any_failing_write_is_made_good)
{
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        bench_open(&bench);
        bench_start(&bench,
                    value_new_f("{controllers: [deployment-controller, replicaset-controller, "
                                "statefulset-controller, job-controller]}"));
        fake_api_fail(bench.api, prefixes[i], 500, "InternalError", "no luck", 6);
        put_all();
        bench_run_s(&bench, 10);
        play(12);
        end_job_pods();
        bench_run_s(&bench, 10);
        fake_api_fail(bench.api, prefixes[i], 409, "Conflict", "changed", 6);
        fake_api_edit(bench.api, "apps", "deployments", "d", "web",
                      "spec.template.spec.containers[0].image", value_new_string("two"));
        fake_api_edit(bench.api, "apps", "statefulsets", "d", "db",
                      "spec.template.spec.containers[0].image", value_new_string("two"));
        play(25);
        const Value *web = bench_get(&bench, "apps", "deployments", "web");
        const Value *db = bench_get(&bench, "apps", "statefulsets", "db");
        const Value *job = bench_get(&bench, "batch", "jobs", "work");
        ck_assert_msg(value_int_at(web, "status.updatedReplicas") == 5 &&
                          value_int_at(web, "status.replicas") == 5,
                      "%s: Deployment", prefixes[i]);
        ck_assert_msg(value_int_at(db, "status.updatedReplicas") == 3 &&
                          value_int_at(db, "status.readyReplicas") == 3,
                      "%s: StatefulSet", prefixes[i]);
        ck_assert_msg(strcmp(condition_status(job, "Complete"), "True") == 0 &&
                          value_int_at(job, "status.succeeded") == 4,
                      "%s: Job", prefixes[i]);
        bench_close(&bench);
    }
}
END_TEST

/* Two managers with leader election: the second works when the first is gone. */
START_TEST(only_the_leader_works_and_a_lost_lease_is_told)
{
    bench_open(&bench);
    bench.manager = NULL;
    g_autoptr(Value) config =
        value_new_f("{leaderElect: true, identity: a, controllers: [serviceaccount-controller]}");
    bench_put(
        &bench, "", "namespaces",
        value_new_f(
            "{apiVersion: v1, kind: Namespace, metadata: {name: d}, status: {phase: Active}}"));
    bench.manager = controller_manager_new(bench.ports, bench.client, config);
    bench_run_s(&bench, 20);
    ck_assert_ptr_nonnull(bench_get(&bench, "", "serviceaccounts", "default"));
    ck_assert(!controller_manager_has_lost(bench.manager));
    fake_api_set_down(bench.api, true);
    bench_run_s(&bench, 30);
    ck_assert(controller_manager_has_lost(bench.manager));
    bench_close(&bench);
}
END_TEST

START_TEST(controllers_are_named_or_left_out)
{
    bench_open(&bench);
    bench_put(
        &bench, "", "namespaces",
        value_new_f(
            "{apiVersion: v1, kind: Namespace, metadata: {name: d}, status: {phase: Active}}"));
    bench_start(&bench,
                value_new_f("{controllers: ['*', '-serviceaccount-controller'], rootCA: PEM}"));
    ck_assert_uint_eq(fake_api_count(bench.api, "", "serviceaccounts"), 0);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "configmaps"), 1);
    bench_close(&bench);
}
END_TEST

TCase *
failures_suite(void)
{
    return test_case("failures", any_failing_write_is_made_good,
                     only_the_leader_works_and_a_lost_lease_is_told,
                     controllers_are_named_or_left_out);
}
