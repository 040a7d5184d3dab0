#include <string.h>

#include "tests/sim/backend/simulated/bench_node.h"
#include "tests/sim/backend/simulated/suites.h"

START_TEST(a_pull_takes_time_and_a_missing_tag_is_refused)
{
    NodeBench b;
    bench_setup(&b);
    ck_assert_ptr_null(b.runtime->ops->image_present(b.runtime, "nginx:1.27"));
    b.runtime->ops->pull_image(b.runtime, "nginx:1.27", NULL, bench_done, &b);
    bench_run(&b, NS_PER_S);
    ck_assert_str_eq(b.out->str, "");
    bench_run(&b, 3 * NS_PER_S);
    ck_assert_str_eq(b.out->str, "ok ");
    ck_assert_ptr_nonnull(strstr(b.runtime->ops->image_present(b.runtime, "docker.io/library/nginx:1.27"), "@sha256:"));
    b.runtime->ops->pull_image(b.runtime, "nginx:nope", NULL, bench_done, &b);
    bench_run(&b, 3 * NS_PER_S);
    ck_assert_ptr_nonnull(strstr(b.out->str, "error: failed to pull and unpack image"));
    g_autoptr(Value) list = b.runtime->ops->list_images(b.runtime);
    ck_assert_uint_eq(value_size(list), 1);
    bench_teardown(&b);
}
END_TEST

static void
on_probe(const ProbeReply *reply, void *data)
{
    NodeBench *b = data;
    g_string_append_printf(b->out, "[%d %s]", reply->http_status, reply->error != NULL ? reply->error : "-");
}

static void
probe(NodeBench *b, uint16_t port, const char *path)
{
    HostProbe what = {.kind = path != NULL ? HOST_PROBE_HTTP : HOST_PROBE_TCP, .address = "10.244.1.2", .port = port,
                      .path = path, .timeout_ns = NS_PER_S};
    g_string_truncate(b->out, 0);
    b->host->ops->probe(b->host, &what, on_probe, b);
    bench_run(b, 2 * NS_PER_S);
}

START_TEST(a_server_answers_probes_once_it_listens_and_stops_by_its_signal)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "nginx:1.27", "{ports: [{containerPort: 80}]}");
    HostProbe what = {.kind = HOST_PROBE_TCP, .address = "10.244.1.2", .port = 80, .timeout_ns = NS_PER_S};
    g_string_truncate(b.out, 0);
    b.host->ops->probe(b.host, &what, on_probe, &b);
    bench_run(&b, 2 * NS_PER_S);
    ck_assert_str_eq(b.out->str, "[0 dial tcp 10.244.1.2:80: connect: connection refused]ok ");
    probe(&b, 80, "/");
    ck_assert_str_eq(b.out->str, "[200 -]");
    probe(&b, 80, "/missing");
    ck_assert_str_eq(b.out->str, "[404 -]");
    probe(&b, 81, "/");
    ck_assert_str_eq(b.out->str, "[0 Get \"http://10.244.1.2:81/\": dial tcp 10.244.1.2:81: connect: connection refused]");
    ck_assert_ptr_nonnull(strstr(bench_log(&b), "172.18.0.2 - - [01/Jan/2026:00:01:"));
    ck_assert_uint_eq(engine_pending(b.engine), 0); /* idle: no timers */
    char id[128];
    g_strlcpy(id, b.id, sizeof id);
    g_string_truncate(b.out, 0);
    b.runtime->ops->stop_container(b.runtime, id, 30 * NS_PER_S, bench_done, &b);
    bench_run(&b, NS_PER_S);
    ck_assert_str_eq(b.out->str, "ok ");
    ContainerStatus status = bench_status(&b);
    ck_assert_int_eq(status.state, CONTAINER_EXITED);
    ck_assert_int_eq(status.exit_code, 0);
    ck_assert_str_eq(status.reason, "Completed");
    bench_teardown(&b);
}
END_TEST

static void
on_change(const char *pod_uid, const char *container_id, void *data)
{
    NodeBench *b = data;
    g_string_append_printf(b->out, "changed %s ", pod_uid);
}

START_TEST(a_program_that_ends_is_announced)
{
    static const RuntimeListener listener = {.container_changed = on_change};
    NodeBench b;
    bench_setup(&b);
    b.runtime->ops->set_listener(b.runtime, &listener, &b);
    bench_run_container(&b, "hello-world", "{}");
    bench_run(&b, NS_PER_S);
    ck_assert_ptr_nonnull(strstr(b.out->str, "changed uid-1"));
    ck_assert_ptr_nonnull(strstr(bench_log(&b), "Hello from Docker!"));
    ck_assert_str_eq(bench_status(&b).reason, "Completed");
    bench_teardown(&b);
}
END_TEST

START_TEST(too_little_memory_ends_in_an_oom_kill)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "polinux/stress",
                        "{command: [stress], args: [--vm, '1', --vm-bytes, 250M], resources: {limits: {memory: 100Mi}}}");
    bench_run(&b, NS_PER_S);
    ContainerStatus status = bench_status(&b);
    ck_assert_int_eq(status.exit_code, 137);
    ck_assert_str_eq(status.reason, "OOMKilled");
    bench_teardown(&b);
}
END_TEST

START_TEST(an_unknown_command_cannot_start)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "nginx", "{command: [no-such-thing]}");
    bench_run(&b, NS_PER_S);
    ck_assert_ptr_nonnull(strstr(b.out->str, "exec: \"no-such-thing\": executable file not found in $PATH"));
    ck_assert_str_eq(bench_status(&b).reason, "StartError");
    ck_assert_int_eq(bench_status(&b).exit_code, 128);
    bench_teardown(&b);
}
END_TEST

START_TEST(pods_get_addresses_from_the_cidr_until_there_are_none)
{
    NodeBench b;
    bench_setup(&b);
    simulated_node_set_pod_cidr(b.node, "10.244.7.0/30");
    bench_run_sandbox(&b, "{}");
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(PodSandboxStatus));
    b.runtime->ops->list_pod_sandboxes(b.runtime, "uid-1", list);
    ck_assert_str_eq(g_array_index(list, PodSandboxStatus, 0).ip, "10.244.7.2");
    g_string_truncate(b.out, 0);
    char first[128];
    g_strlcpy(first, b.sandbox, sizeof first);
    bench_run_sandbox(&b, "{}");
    ck_assert_ptr_nonnull(strstr(b.out->str, "no IP addresses available in range set: 10.244.7.1-10.244.7.2"));
    bench_run_sandbox(&b, "{spec: {hostNetwork: true}}");
    b.runtime->ops->stop_pod_sandbox(b.runtime, first, bench_done, &b);
    b.runtime->ops->remove_pod_sandbox(b.runtime, first, bench_done, &b);
    g_string_truncate(b.out, 0);
    bench_run_sandbox(&b, "{}");
    ck_assert_ptr_null(strstr(b.out->str, "error"));
    bench_teardown(&b);
}
END_TEST

START_TEST(power_loss_ends_everything_and_the_disk_stays)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "redis:7.4", "{}");
    bench_run(&b, NS_PER_S);
    ck_assert_uint_eq(simulated_node_running_containers(b.node), 1);
    simulated_node_power_off(b.node);
    engine_process_kill(b.kubelet, ENGINE_DEATH_POWER_LOSS);
    bench_run(&b, NS_PER_S);
    simulated_node_power_on(b.node);
    ck_assert_uint_eq(simulated_node_running_containers(b.node), 0);
    ck_assert_int_eq(bench_status(&b).exit_code, 255);
    ck_assert_ptr_nonnull(b.runtime->ops->image_present(b.runtime, "redis:7.4"));
    ck_assert_ptr_nonnull(strstr(bench_log(&b), "Ready to accept connections"));
    bench_teardown(&b);
}
END_TEST

typedef struct Factory {
    int started, stopped;
    EngineProcess *process;
} Factory;

static void *
start_component(const char *process, EngineProcess *proc, const char *node, const Value *container, void *data)
{
    Factory *factory = data;
    factory->started++;
    factory->process = proc;
    log_info(engine_process_ports(proc)->log, "%s on %s", process, node);
    return factory;
}

static void
stop_component(void *handle, void *data)
{
    ((Factory *)data)->stopped++;
}

START_TEST(a_component_lives_and_dies_with_its_container)
{
    static const SimulatedProcessFactory ops = {.start = start_component, .stop = stop_component};
    Factory factory = {0};
    NodeBench b;
    bench_setup(&b);
    simulated_backend_set_process_factory(b.backend, &ops, &factory);
    bench_run_sandbox(&b, "{spec: {hostNetwork: true}}");
    bench_run_container(&b, "registry.k8s.io/kube-scheduler:v1.35.0", "{command: [kube-scheduler, --leader-elect=true]}");
    bench_run(&b, NS_PER_S);
    ck_assert_int_eq(factory.started, 1);
    ck_assert_ptr_eq(simulated_node_find_process(b.node, "kube-scheduler"), factory.process);
    ck_assert_ptr_nonnull(strstr(bench_log(&b), "kube-scheduler on n1"));
    engine_process_kill(factory.process, ENGINE_DEATH_KILLED); /* the fault */
    bench_run(&b, NS_PER_S);
    ck_assert_int_eq(factory.stopped, 1);
    ck_assert_int_eq(bench_status(&b).exit_code, 137);
    bench_teardown(&b);
}
END_TEST

static uint64_t
whole_run(void)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "nginx", "{}");
    bench_run(&b, NS_PER_S);
    probe(&b, 80, "/");
    return bench_teardown(&b);
}

START_TEST(the_same_seed_gives_the_same_digest)
{
    ck_assert_uint_eq(whole_run(), whole_run());
}
END_TEST

TCase *
runtime_case(void)
{
    return test_case("runtime", a_pull_takes_time_and_a_missing_tag_is_refused,
                     a_server_answers_probes_once_it_listens_and_stops_by_its_signal, a_program_that_ends_is_announced,
                     too_little_memory_ends_in_an_oom_kill, an_unknown_command_cannot_start,
                     pods_get_addresses_from_the_cidr_until_there_are_none,
                     power_loss_ends_everything_and_the_disk_stays, a_component_lives_and_dies_with_its_container,
                     the_same_seed_gives_the_same_digest);
}
