/* A pod's life: bound, running, deleted. */
#include "tests/core/kubelet/fixture.h"
#include "tests/core/kubelet/suites.h"

START_TEST(a_node_registers_with_its_labels_conditions_and_lease)
{
    Fixture f;
    fixture_init(&f);
    const Value *node = fake_api_get(f.api, "", "nodes", NULL, "node-1");
    ck_assert_ptr_nonnull(node);
    ck_assert_str_eq(object_label(node, "kubernetes.io/hostname"), "node-1");
    ck_assert_str_eq(object_label(node, "kubernetes.io/arch"), "amd64");
    ck_assert(condition_is(value_at(node, "status.conditions"), "Ready", "True"));
    ck_assert(condition_is(value_at(node, "status.conditions"), "MemoryPressure", "False"));
    ck_assert_str_eq(value_text_at(node, "status.capacity.pods"), "110");
    const Value *lease = fake_api_get(f.api, "coordination.k8s.io", "leases", "kube-node-lease", "node-1");
    ck_assert_int_eq(value_int_at(lease, "spec.leaseDurationSeconds"), 40);
    ck_assert_str_eq(value_text_at(lease, "metadata.ownerReferences[0].uid"), object_uid(node));
    ck_assert_int_eq(fixture_events(&f, "NodeReady"), 1);
    g_autofree char *first = g_strdup(value_text_at(lease, "spec.renewTime"));
    fixture_run(&f, 11);
    lease = fake_api_get(f.api, "coordination.k8s.io", "leases", "kube-node-lease", "node-1");
    ck_assert_str_ne(value_text_at(lease, "spec.renewTime"), first);
    fixture_clear(&f);
}
END_TEST

START_TEST(an_idle_node_writes_its_status_every_five_minutes_only)
{
    Fixture f;
    fixture_init(&f);
    fixture_run(&f, 60);
    fake_api_forget_requests(f.api);
    fixture_run(&f, 600);
    ck_assert_int_eq((int)fake_api_count_requests(f.api, "PATCH nodes/status"), 2);
    size_t leases = fake_api_count_requests(f.api, "PUT leases");
    ck_assert_int_ge((int)leases, 57);
    ck_assert_int_le((int)leases, 60);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_pod_is_run_and_costs_few_status_writes)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Ready", "status"), "True");
    ck_assert_str_eq(fixture_condition(&f, "web-1", "PodReadyToStartContainers", "status"), "True");
    ck_assert_str_eq(fixture_text(&f, "web-1", "status.hostIP"), "192.168.0.10");
    ck_assert_ptr_nonnull(strstr(fixture_text(&f, "web-1", "status.podIP"), "10.244.0."));
    ck_assert_str_eq(fixture_text(&f, "web-1", "status.qosClass"), "BestEffort");
    ck_assert_int_eq(fixture_int(&f, "web-1", "status.observedGeneration"), 1);
    ck_assert(value_bool_at(fixture_pod(&f, "web-1"), "status.containerStatuses[0].ready"));
    ck_assert_ptr_nonnull(strstr(fixture_text(&f, "web-1", "status.containerStatuses[0].containerID"), "containerd://"));
    ck_assert_int_le((int)fake_api_count_requests(f.api, "PATCH pods/status"), 3);
    ck_assert_int_eq(fixture_events(&f, "Started"), 1);
    ck_assert(fixture_event_says(&f, "Pulled", "Container image \"nginx\" already present on machine"));
    fake_api_forget_requests(f.api);
    fixture_run(&f, 300);
    ck_assert_int_eq((int)fake_api_count_requests(f.api, "PATCH pods/status"), 0);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_deleted_pod_is_stopped_reported_and_deleted)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fixture_delete_pod(&f, "web-1", 30);
    fixture_run(&f, 3);
    ck_assert_ptr_null(fixture_pod(&f, "web-1"));
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "stop web-1/web 30"), 1);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "remove-sandbox web-1"), 1);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "remove-dirs"), 1);
    ck_assert(fixture_event_says(&f, "Killing", "Stopping container web"));
    ck_assert_int_eq((int)kubelet_pod_count(f.kubelet), 0);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_container_that_ignores_the_signal_is_killed_at_the_end_of_the_grace_period)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fake_runtime_set_stop_time(f.runtime, "web", 1000 * NS_PER_S);
    fixture_delete_pod(&f, "web-1", 30);
    fixture_run(&f, 29);
    ck_assert_ptr_nonnull(fixture_pod(&f, "web-1"));
    fixture_run(&f, 3);
    ck_assert_ptr_null(fixture_pod(&f, "web-1"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_pod_removed_by_force_is_stopped_within_a_second)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fixture_delete_pod(&f, "web-1", 0);
    fake_api_remove(f.api, "", "pods", "default", "web-1");
    fixture_run(&f, 3);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "stop web-1/web 1"), 1);
    ck_assert_int_eq((int)kubelet_pod_count(f.kubelet), 0);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_shorter_second_deletion_shortens_the_wait)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fake_runtime_set_stop_time(f.runtime, "web", 1000 * NS_PER_S);
    fixture_delete_pod(&f, "web-1", 300);
    fixture_run(&f, 5);
    fixture_delete_pod(&f, "web-1", 5);
    fixture_run(&f, 8);
    ck_assert_ptr_null(fixture_pod(&f, "web-1"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_restarted_kubelet_adopts_what_runs_and_takes_down_what_nobody_wants)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_add_web(&f, "web-2");
    fixture_run(&f, 5);
    size_t started = fake_runtime_count(f.runtime, "start ");
    fixture_stop(&f);
    fake_api_remove(f.api, "", "pods", "default", "web-2");
    fixture_start(&f);
    fixture_run(&f, 5);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "start "), (int)started);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "web"));
    ck_assert(!fake_runtime_is_running(f.runtime, "web-2", "web"));
    ck_assert_str_eq(fixture_condition(&f, "web-1", "Ready", "status"), "True");
    ck_assert_int_eq((int)kubelet_pod_count(f.kubelet), 1);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_pod_that_does_not_fit_is_rejected)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "big",
                    "containers: [{name: web, image: nginx, resources: {requests: {cpu: \"5\"}}}]");
    fixture_run(&f, 3);
    ck_assert_str_eq(fixture_phase(&f, "big"), "Failed");
    ck_assert_str_eq(fixture_text(&f, "big", "status.reason"), "OutOfcpu");
    ck_assert_str_eq(fixture_text(&f, "big", "status.message"),
                     "Pod was rejected: Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000");
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "sandbox"), 0);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_pod_past_its_deadline_fails)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "slow", "activeDeadlineSeconds: 20, containers: [{name: web, image: nginx}]");
    fixture_run(&f, 15);
    ck_assert_str_eq(fixture_phase(&f, "slow"), "Running");
    fixture_run(&f, 10);
    ck_assert_str_eq(fixture_phase(&f, "slow"), "Failed");
    ck_assert_str_eq(fixture_text(&f, "slow", "status.reason"), "DeadlineExceeded");
    ck_assert(!fake_runtime_is_running(f.runtime, "slow", "web"));
    fixture_clear(&f);
}
END_TEST

START_TEST(a_dead_sandbox_is_replaced)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    fake_runtime_kill_sandbox(f.runtime, "web-1");
    fixture_run(&f, 30);
    ck_assert_int_eq(fixture_events(&f, "SandboxChanged"), 1);
    ck_assert(fake_runtime_is_running(f.runtime, "web-1", "web"));
    ck_assert_int_eq(fixture_int(&f, "web-1", "status.containerStatuses[0].restartCount"), 1);
    fixture_clear(&f);
}
END_TEST

START_TEST(a_node_is_not_ready_until_it_has_a_pod_network)
{
    Fixture f;
    fixture_init_idle(&f);
    fake_runtime_wait_for_cidr(f.runtime);
    fixture_start(&f);
    const Value *node = fake_api_get(f.api, "", "nodes", NULL, "node-1");
    const Value *ready = condition_find(value_at(node, "status.conditions"), "Ready");
    ck_assert_str_eq(value_text(value_get(ready, "reason")), "KubeletNotReady");
    ck_assert_str_eq(value_text(value_get(ready, "message")),
                     "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network "
                     "plugin returns error: cni plugin not initialized");
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "sandbox"), 0);
    fake_api_edit(f.api, "", "nodes", NULL, "node-1", "spec.podCIDR", value_new_string("10.244.0.0/24"));
    fixture_run(&f, 5);
    node = fake_api_get(f.api, "", "nodes", NULL, "node-1");
    ck_assert(condition_is(value_at(node, "status.conditions"), "Ready", "True"));
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "pod-cidr 10.244.0.0/24"), 1);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    fixture_clear(&f);
}
END_TEST

START_TEST(a_restarted_kubelet_leaves_what_has_ended_as_it_was)
{
    Fixture f;
    fixture_init(&f);
    fixture_add_pod(&f, "big", "containers: [{name: web, image: nginx, resources: {requests: {cpu: \"5\"}}}]");
    fixture_add_web(&f, "web-1");
    fixture_run(&f, 5);
    ck_assert_str_eq(fixture_text(&f, "big", "status.reason"), "OutOfcpu");
    fixture_stop(&f);
    fake_api_forget_requests(f.api);
    fixture_start(&f);
    fixture_run(&f, 10);
    ck_assert_str_eq(fixture_text(&f, "big", "status.reason"), "OutOfcpu");
    ck_assert_int_eq((int)fake_api_count_requests(f.api, "PATCH pods/status default/big"), 0);
    ck_assert_str_eq(fixture_phase(&f, "web-1"), "Running");
    fixture_clear(&f);
}
END_TEST

START_TEST(a_static_pod_that_changes_is_replaced_after_the_old_one_is_down)
{
    Fixture f;
    fixture_init_idle(&f);
    fake_host_set_static(f.runtime, value_new_f("[{apiVersion: v1, kind: Pod, metadata: {name: etcd, namespace: kube-system}, "
                                                "spec: {containers: [{name: etcd, image: nginx}]}}]"));
    fixture_start(&f);
    fixture_run(&f, 5);
    fake_runtime_set_stop_time(f.runtime, "etcd", 4 * NS_PER_S);
    fake_host_set_static(f.runtime, value_new_f("[{apiVersion: v1, kind: Pod, metadata: {name: etcd, namespace: kube-system}, "
                                                "spec: {containers: [{name: etcd, image: nginx, args: [more]}]}}]"));
    fixture_run(&f, 2);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "start "), 1);
    fixture_run(&f, 10);
    ck_assert_int_eq((int)fake_runtime_count(f.runtime, "start "), 2);
    ck_assert(fake_runtime_is_running(f.runtime, "etcd-node-1", "etcd"));
    const Value *mirror = fake_api_get(f.api, "", "pods", "kube-system", "etcd-node-1");
    ck_assert_str_eq(value_text_at(mirror, "spec.containers[0].args[0]"), "more");
    ck_assert_str_eq(value_text_at(mirror, "status.phase"), "Running");
    ck_assert_int_eq((int)kubelet_pod_count(f.kubelet), 1);
    fixture_clear(&f);
}
END_TEST

TCase *
life_case(void)
{
    return test_case("life", a_node_registers_with_its_labels_conditions_and_lease,
                     an_idle_node_writes_its_status_every_five_minutes_only, a_pod_is_run_and_costs_few_status_writes,
                     a_deleted_pod_is_stopped_reported_and_deleted,
                     a_container_that_ignores_the_signal_is_killed_at_the_end_of_the_grace_period,
                     a_pod_removed_by_force_is_stopped_within_a_second, a_shorter_second_deletion_shortens_the_wait,
                     a_restarted_kubelet_adopts_what_runs_and_takes_down_what_nobody_wants,
                     a_pod_that_does_not_fit_is_rejected, a_pod_past_its_deadline_fails, a_dead_sandbox_is_replaced, a_node_is_not_ready_until_it_has_a_pod_network,
                     a_restarted_kubelet_leaves_what_has_ended_as_it_was,
                     a_static_pod_that_changes_is_replaced_after_the_old_one_is_down);
}
