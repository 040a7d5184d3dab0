/* The control plane breaks and comes back: what a person would see. */
#include <string.h>

#include "core/api/node.h"
#include "core/api/pod.h"
#include "tests/sim/world/fixture.h"

static World *
world_of_nodes(int workers, int control_planes, uint64_t seed)
{
    g_autoptr(Value) cluster = value_new_f(
        "{apiVersion: 'sim.timonel.dev/v1', kind: Cluster, metadata: {name: t},"
        " spec: {controlPlane: {count: %i}, nodeGroups: [{name: worker, count: %i}]}}",
        (int64_t)control_planes, (int64_t)workers);
    const WorldOptions options = {.cluster = cluster, .seed = seed};
    World *world = world_new(&options, NULL);
    ck_assert_ptr_nonnull(world);
    ck_assert(world_boot(world));
    world_run_for(world, 30 * NS_PER_S);
    return world;
}

static int
post_pod(World *world, const char *name)
{
    ApiRequest *request = api_request_new(API_VERB_CREATE, "", "pods", "default", NULL);
    request->body = value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {containers: ["
                                "{name: web, image: 'nginx:1.27'}]}}", name);
    g_autoptr(ApiResponse) response = world_call(world, request);
    return response->code;
}

static void
break_it(World *world, Value *take_spec)
{
    g_autoptr(Value) spec = take_spec;
    g_autoptr(GError) error = NULL;
    ck_assert_msg(world_fault(world, spec, "test", &error), "%s", error != NULL ? error->message : "");
}

static const char *
phase_of(World *world, const char *name)
{
    return pod_phase(world_peek(world, "", "pods", "default", name));
}

START_TEST(a_dead_scheduler_schedules_nothing_until_its_kubelet_restarted_it)
{
    g_autoptr(World) world = world_of_nodes(1, 1, 1);
    for (int i = 0; i < 2; i++) { /* the second restart has to wait: back-off */
        break_it(world, value_new_f("{type: process-crash, target: {process: kube-scheduler}}"));
        world_run_for(world, (i == 0 ? 5 : 1) * NS_PER_S);
    }
    ck_assert_int_eq(post_pod(world, "web"), 201);
    world_run_for(world, 2 * NS_PER_S);
    ck_assert_str_eq(pod_node_name(world_peek(world, "", "pods", "default", "web")), "");
    world_run_for(world, 120 * NS_PER_S);
    ck_assert_str_eq(phase_of(world, "web"), "Running");
    const Value *scheduler =
        world_peek(world, "", "pods", "kube-system", "kube-scheduler-control-plane-1");
    ck_assert_int_gt(pod_restart_count(scheduler), 0);
}
END_TEST

START_TEST(the_api_answers_again_after_a_crash_of_the_api_server_or_of_etcd)
{
    static const char *const PROCESSES[] = {"kube-apiserver", "etcd"};
    g_autoptr(World) world = world_of_nodes(1, 1, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(PROCESSES); i++) {
        ck_assert_int_eq(post_pod(world, i == 0 ? "before" : "between"), 201);
        break_it(world, value_new_f("{type: process-crash, target: {process: %s}}", PROCESSES[i]));
        world_run_for(world, NS_PER_MS);
        ck_assert_ptr_null(world_api_server(world));
        ck_assert_int_eq(post_pod(world, "refused"), 503);
        world_run_for(world, 90 * NS_PER_S);
        ck_assert_ptr_nonnull(world_api_server(world));
        ck_assert_str_eq(phase_of(world, "before"), "Running");
        ck_assert_ptr_null(world_peek(world, "", "pods", "default", "refused"));
    }
    ck_assert_int_eq(post_pod(world, "after"), 201);
    world_run_for(world, 60 * NS_PER_S);
    ck_assert_str_eq(phase_of(world, "after"), "Running");
}
END_TEST

START_TEST(a_node_without_power_is_not_ready_and_comes_back)
{
    g_autoptr(World) world = world_of_nodes(2, 1, 1);
    g_autoptr(Value) spec = value_new_f("{type: node-power-off, target: {node: worker-1}}");
    break_it(world, value_ref(spec));
    world_run_for(world, 70 * NS_PER_S);
    ck_assert_str_eq(node_ready_status(world_peek(world, "", "nodes", NULL, "worker-1")), "Unknown");
    ck_assert(node_is_ready(world_peek(world, "", "nodes", NULL, "worker-2")));
    ck_assert(world_fault_stop(world, spec, "test", NULL));
    world_run_for(world, 60 * NS_PER_S);
    ck_assert(node_is_ready(world_peek(world, "", "nodes", NULL, "worker-1")));
}
END_TEST

START_TEST(with_three_control_planes_another_scheduler_takes_over)
{
    g_autoptr(World) world = world_of_nodes(1, 3, 1);
    g_autofree char *holder = NULL;
    const Value *lease =
        world_peek(world, "coordination.k8s.io", "leases", "kube-system", "kube-scheduler");
    holder = g_strdup(value_text_at(lease, "spec.holderIdentity"));
    ck_assert_str_ne(holder, "");
    g_autofree char *node = g_strndup(holder, strcspn(holder, "_"));
    break_it(world, value_new_f("{type: process-pause, target: {node: %s, process: kube-scheduler}}", node));
    world_run_for(world, 40 * NS_PER_S);
    lease = world_peek(world, "coordination.k8s.io", "leases", "kube-system", "kube-scheduler");
    ck_assert_str_ne(value_text_at(lease, "spec.holderIdentity"), holder);
    ck_assert_int_eq(post_pod(world, "web"), 201);
    world_run_for(world, 60 * NS_PER_S);
    ck_assert_str_eq(phase_of(world, "web"), "Running");
}
END_TEST

START_TEST(one_seed_gives_one_trace_and_another_seed_another)
{
    uint64_t digests[3];
    for (int i = 0; i < 3; i++) {
        g_autoptr(World) world = world_of_nodes(3, 1, i < 2 ? 7 : 8);
        ck_assert_int_eq(post_pod(world, "web"), 201);
        world_run_for(world, 60 * NS_PER_S);
        digests[i] = engine_digest(world_engine(world));
    }
    ck_assert_uint_eq(digests[0], digests[1]);
    ck_assert_uint_ne(digests[0], digests[2]);
}
END_TEST

START_TEST(a_pod_in_a_namespace_just_made_waits_for_its_service_account)
{
    g_autoptr(World) world = world_of_nodes(1, 1, 1);
    ApiRequest *space = api_request_new(API_VERB_CREATE, "", "namespaces", NULL, NULL);
    space->body = value_new_f("{apiVersion: v1, kind: Namespace, metadata: {name: fresh}}");
    g_autoptr(ApiResponse) made = world_call(world, space);
    ck_assert_int_eq(made->code, 201);
    ApiRequest *pod = api_request_new(API_VERB_CREATE, "", "pods", "fresh", NULL);
    pod->body = value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: ["
                            "{name: web, image: 'nginx:1.27'}]}}");
    g_autoptr(ApiResponse) response = world_call(world, pod);
    ck_assert_int_eq(response->code, 201);
    /* One that does not come: refused at last. */
    ApiRequest *stranger = api_request_new(API_VERB_CREATE, "", "pods", "fresh", NULL);
    stranger->body = value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: two}, spec: {serviceAccountName: nobody,"
                                 " containers: [{name: web, image: nginx}]}}");
    g_autoptr(ApiResponse) refused = world_call(world, stranger);
    ck_assert_int_eq(refused->code, 403);
}
END_TEST

START_TEST(a_fault_of_an_unknown_type_or_target_is_refused_with_what_there_is)
{
    g_autoptr(World) world = world_of_nodes(1, 1, 1);
    g_autoptr(Value) unknown = value_new_f("{type: meteor}");
    g_autoptr(Value) nowhere = value_new_f("{type: node-power-off, target: {node: worker-9}}");
    g_autoptr(Value) untargeted = value_new_f("{type: node-power-off}");
    g_autoptr(GError) first = NULL, second = NULL, third = NULL;
    ck_assert(!world_fault(world, unknown, "test", &first));
    ck_assert_ptr_nonnull(strstr(first->message, "node-power-off"));
    ck_assert(!world_fault(world, nowhere, "test", &second));
    ck_assert_ptr_nonnull(strstr(second->message, "worker-1"));
    ck_assert(!world_fault(world, untargeted, "test", &third));
    ck_assert_ptr_nonnull(strstr(third->message, "spec.target.node"));
}
END_TEST

TCase *
failures_case(void)
{
    TCase *tcase = test_case("failures", a_dead_scheduler_schedules_nothing_until_its_kubelet_restarted_it,
                             the_api_answers_again_after_a_crash_of_the_api_server_or_of_etcd,
                             a_node_without_power_is_not_ready_and_comes_back,
                             with_three_control_planes_another_scheduler_takes_over,
                             one_seed_gives_one_trace_and_another_seed_another,
                             a_pod_in_a_namespace_just_made_waits_for_its_service_account,
                             a_fault_of_an_unknown_type_or_target_is_refused_with_what_there_is);
    tcase_set_timeout(tcase, 60);
    return tcase;
}
