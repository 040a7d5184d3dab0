/* DaemonSets and StatefulSets. */
#include <string.h>

#include "tests/core/controllers/suites.h"

static Bench bench;

static void
put_node(const char *name, const char *taints)
{
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: v1, kind: Node, metadata: {name: %%s, labels: {'kubernetes.io/hostname': "
        "%%s}}, "
        "spec: {taints: %s}, status: {conditions: [{type: Ready, status: 'True'}]}}",
        taints);
    bench_put(&bench, "", "nodes", value_new_f(text, name, name));
}

static void
put_daemon_set(const char *rolling)
{
    g_autofree char *text =
        g_strdup_printf("{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: log, namespace: "
                        "d, uid: log-uid, generation: 1}, spec: {selector: "
                        "{matchLabels: {app: log}}, revisionHistoryLimit: 10, updateStrategy: "
                        "{type: RollingUpdate, rollingUpdate: %s}, "
                        "template: {metadata: {labels: {app: log}}, spec: {containers: [{name: "
                        "log, image: 'log:1'}]}}}}",
                        rolling);
    bench_put(&bench, "apps", "daemonsets", value_new_f(text));
    bench_settle(&bench);
}

/* Binds every pod to the node that its affinity names, and makes it ready. */
static void
play_scheduler(void)
{
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    for (guint i = 0; i < pods->len; i++) {
        const char *node = value_text_at(
            objects_item(pods, i),
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
            "nodeSelectorTerms[0].matchFields[0].values[0]");
        if (*pod_node_name(objects_item(pods, i)) == '\0' && *node != '\0')
            fake_api_edit(bench.api, "", "pods", "d", object_name(objects_item(pods, i)),
                          "spec.nodeName", value_new_string(node));
    }
    bench_play_kubelet(&bench);
}

START_TEST(a_daemon_set_runs_on_every_eligible_node_and_follows_nodes)
{
    bench_open(&bench);
    put_node("n1", "[]");
    put_node("n2", "[{key: node.kubernetes.io/not-ready, effect: NoExecute}]");
    put_node("n3", "[{key: dedicated, value: gpu, effect: NoSchedule}]");
    bench_start(&bench, value_new_f("{controllers: [daemonset-controller]}"));
    put_daemon_set("{maxUnavailable: 1}");
    play_scheduler();
    const Value *set = bench_get(&bench, "apps", "daemonsets", "log");
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 2);
    ck_assert_int_eq(value_int_at(set, "status.desiredNumberScheduled"), 2);
    ck_assert_int_eq(value_int_at(set, "status.numberReady"), 2);
    ck_assert_uint_eq(fake_api_count(bench.api, "apps", "controllerrevisions"), 1);
    put_node("n4", "[]");
    bench_settle(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 3);
    put_node("n1", "[{key: gone, effect: NoExecute}]");
    bench_settle(&bench);
    play_scheduler();
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 2);
    bench_close(&bench);
}
END_TEST

static void
update_daemon_set(const char *rolling, int most_missing, int most_pods)
{
    bench_open(&bench);
    const char *const nodes[] = {"n1", "n2", "n3", "n4"};
    for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++)
        put_node(nodes[i], "[]");
    bench_start(&bench, value_new_f("{controllers: [daemonset-controller]}"));
    put_daemon_set(rolling);
    play_scheduler();
    play_scheduler();
    fake_api_edit(bench.api, "apps", "daemonsets", "d", "log",
                  "spec.template.spec.containers[0].image", value_new_string("log:2"));
    for (int step = 0; step < 16; step++) {
        bench_settle(&bench);
        g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
        int ready = 0, alive = 0;
        for (guint i = 0; i < pods->len; i++) {
            ready +=
                pod_is_ready(objects_item(pods, i)) && !object_is_deleting(objects_item(pods, i));
            alive += !object_is_deleting(objects_item(pods, i));
        }
        ck_assert_int_ge(ready, 4 - most_missing);
        ck_assert_int_le(alive, most_pods);
        play_scheduler();
    }
    const Value *set = bench_get(&bench, "apps", "daemonsets", "log");
    ck_assert_int_eq(value_int_at(set, "status.updatedNumberScheduled"), 4);
    ck_assert_int_eq(value_int_at(set, "status.numberAvailable"), 4);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 4);
    bench_close(&bench);
}

START_TEST(a_daemon_set_is_updated_within_max_unavailable)
{
    update_daemon_set("{maxUnavailable: 1}", 1, 4);
    update_daemon_set("{maxUnavailable: '50%'}", 2, 4);
}
END_TEST

START_TEST(a_daemon_set_is_updated_by_surge_without_a_gap)
{
    update_daemon_set("{maxUnavailable: 0, maxSurge: 2}", 0, 6);
}
END_TEST

START_TEST(a_failed_daemon_pod_is_replaced)
{
    bench_open(&bench);
    put_node("n1", "[]");
    bench_start(&bench, value_new_f("{controllers: [daemonset-controller]}"));
    put_daemon_set("{maxUnavailable: 1}");
    play_scheduler();
    g_autoptr(GPtrArray) pods = bench_list(&bench, "", "pods");
    const char *name = object_name(objects_item(pods, 0));
    fake_api_edit(bench.api, "", "pods", "d", name, "status.phase", value_new_string("Failed"));
    bench_settle(&bench);
    ck_assert(bench_has_event(&bench, "FailedDaemonPod", "Found failed daemon pod d/log-"));
    play_scheduler();
    play_scheduler();
    g_autoptr(GPtrArray) later = bench_list(&bench, "", "pods");
    ck_assert_uint_eq(later->len, 1);
    ck_assert_str_ne(object_name(objects_item(later, 0)), name);
    bench_close(&bench);
}
END_TEST

/* ---- StatefulSets
 * ------------------------------------------------------------------------------------ */

static void
put_stateful_set(int64_t replicas, const char *policy, const char *rolling, const char *more)
{
    g_autofree char *text = g_strdup_printf(
        "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: d, uid: db-uid, "
        "generation: 1}, spec: {replicas: %%i, serviceName: db, "
        "podManagementPolicy: %%s, selector: {matchLabels: {app: db}}, revisionHistoryLimit: 10, "
        "updateStrategy: {type: RollingUpdate, rollingUpdate: %s}, "
        "%s template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: "
        "'db:1'}]}}, "
        "volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: "
        "1Gi}}}}]}}",
        rolling, more);
    bench_put(&bench, "apps", "statefulsets", value_new_f(text, replicas, policy));
    bench_settle(&bench);
}

static const Value *
pod(const char *name)
{
    return bench_get(&bench, "", "pods", name);
}

START_TEST(an_ordered_stateful_set_waits_for_each_pod)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [statefulset-controller]}"));
    put_stateful_set(3, "OrderedReady", "{partition: 0}", "");
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 1);
    ck_assert_ptr_nonnull(pod("db-0"));
    ck_assert_ptr_nonnull(bench_get(&bench, "", "persistentvolumeclaims", "data-db-0"));
    ck_assert_str_eq(object_label(pod("db-0"), "statefulset.kubernetes.io/pod-name"), "db-0");
    ck_assert_str_eq(value_text_at(pod("db-0"), "spec.volumes[0].persistentVolumeClaim.claimName"),
                     "data-db-0");
    bench_play_kubelet(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 2);
    bench_play_kubelet(&bench);
    bench_play_kubelet(&bench);
    const Value *set = bench_get(&bench, "apps", "statefulsets", "db");
    ck_assert_int_eq(value_int_at(set, "status.readyReplicas"), 3);
    ck_assert_str_eq(value_text_at(set, "status.currentRevision"),
                     value_text_at(set, "status.updateRevision"));
    ck_assert(bench_has_event(&bench, "SuccessfulCreate",
                              "create Claim data-db-0 Pod db-0 in StatefulSet db success"));
    fake_api_edit(bench.api, "apps", "statefulsets", "d", "db", "spec.replicas", value_new_int(1));
    bench_settle(&bench);
    ck_assert(object_is_deleting(pod("db-2")));
    ck_assert(!object_is_deleting(pod("db-1")));
    bench_play_kubelet(&bench);
    bench_play_kubelet(&bench);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 1);
    ck_assert_uint_eq(fake_api_count(bench.api, "", "persistentvolumeclaims"), 3);
    bench_close(&bench);
}
END_TEST

START_TEST(a_parallel_stateful_set_starts_all_at_once)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [statefulset-controller]}"));
    put_stateful_set(4, "Parallel", "{partition: 0}", "ordinals: {start: 5},");
    ck_assert_uint_eq(fake_api_count(bench.api, "", "pods"), 4);
    ck_assert_ptr_nonnull(pod("db-5"));
    ck_assert_ptr_nonnull(pod("db-8"));
    bench_close(&bench);
}
END_TEST

START_TEST(an_update_goes_from_the_highest_ordinal_down_to_the_partition)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [statefulset-controller]}"));
    put_stateful_set(3, "OrderedReady", "{partition: 1}", "");
    for (int i = 0; i < 4; i++)
        bench_play_kubelet(&bench);
    fake_api_edit(bench.api, "apps", "statefulsets", "d", "db",
                  "spec.template.spec.containers[0].image", value_new_string("db:2"));
    bench_settle(&bench);
    ck_assert(object_is_deleting(pod("db-2")));
    ck_assert(!object_is_deleting(pod("db-1")));
    for (int i = 0; i < 8; i++)
        bench_play_kubelet(&bench);
    ck_assert_str_eq(value_text_at(pod("db-2"), "spec.containers[0].image"), "db:2");
    ck_assert_str_eq(value_text_at(pod("db-1"), "spec.containers[0].image"), "db:2");
    ck_assert_str_eq(value_text_at(pod("db-0"), "spec.containers[0].image"), "db:1");
    fake_api_edit(bench.api, "apps", "statefulsets", "d", "db",
                  "spec.updateStrategy.rollingUpdate.partition", value_new_int(0));
    for (int i = 0; i < 4; i++)
        bench_play_kubelet(&bench);
    ck_assert_str_eq(value_text_at(pod("db-0"), "spec.containers[0].image"), "db:2");
    const Value *set = bench_get(&bench, "apps", "statefulsets", "db");
    ck_assert_str_eq(value_text_at(set, "status.currentRevision"),
                     value_text_at(set, "status.updateRevision"));
    bench_close(&bench);
}
END_TEST

START_TEST(claims_follow_the_retention_policy)
{
    bench_open(&bench);
    bench_start(&bench, value_new_f("{controllers: [statefulset-controller]}"));
    put_stateful_set(
        2, "Parallel", "{partition: 0}",
        "persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Delete},");
    bench_play_kubelet(&bench);
    ck_assert_str_eq(value_text_at(bench_get(&bench, "", "persistentvolumeclaims", "data-db-1"),
                                   "metadata.ownerReferences[0].kind"),
                     "StatefulSet");
    fake_api_edit(bench.api, "apps", "statefulsets", "d", "db", "spec.replicas", value_new_int(1));
    bench_settle(&bench);
    ck_assert_str_eq(value_text_at(bench_get(&bench, "", "persistentvolumeclaims", "data-db-1"),
                                   "metadata.ownerReferences[0].kind"),
                     "Pod");
    bench_close(&bench);
}
END_TEST

TCase *
sets_suite(void)
{
    return test_case("sets", a_daemon_set_runs_on_every_eligible_node_and_follows_nodes,
                     a_daemon_set_is_updated_within_max_unavailable,
                     a_daemon_set_is_updated_by_surge_without_a_gap,
                     a_failed_daemon_pod_is_replaced, an_ordered_stateful_set_waits_for_each_pod,
                     a_parallel_stateful_set_starts_all_at_once,
                     an_update_goes_from_the_highest_ordinal_down_to_the_partition,
                     claims_follow_the_retention_policy);
}
