/* The runc back end on this very machine: needs root, runc and busybox; skipped with the reason otherwise. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/backend/runc/fixture.h"

#define SKIPPED 77 /* meson's */

START_TEST(a_container_writes_its_log_and_tells_its_exit_code)
{
    Fixture *fixture = fixture_new();
    g_autofree char *sandbox = fixture_sandbox(fixture, NULL);
    g_autofree char *id =
        fixture_container(fixture, sandbox, "{}", "echo $COLOUR on $(hostname); echo oops >&2; printf rest; exit 7");
    ContainerStatus status = fixture_exited(fixture, id);
    ck_assert_int_eq(status.exit_code, 7);
    ck_assert_str_eq(status.reason, "Error");
    g_autofree char *log = fixture_log(fixture, id);
    ck_assert_ptr_nonnull(strstr(log, "stdout F blue on web\n"));
    ck_assert_ptr_nonnull(strstr(log, "stderr F oops\n"));
    ck_assert_ptr_nonnull(strstr(log, "stdout P rest\n"));
    fixture_free(fixture);
}
END_TEST

START_TEST(commands_run_in_a_running_container)
{
    Fixture *fixture = fixture_new();
    g_autofree char *sandbox = fixture_sandbox(fixture, NULL);
    g_autofree char *id = fixture_container(fixture, sandbox, "{}", "trap 'exit 3' TERM; while :; do sleep 0.05; done");
    fixture_exec(fixture, id, "cat /etc/resolv.conf; echo err >&2; exit 5", 0);
    ck_assert_int_eq(fixture->exit_code, 5);
    ck_assert_ptr_nonnull(strstr(fixture->output, "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cl"));
    ck_assert_ptr_nonnull(strstr(fixture->output, "err\n"));
    fixture_exec(fixture, id, "sleep 60", 200 * NS_PER_MS);
    ck_assert(fixture->timed_out);
    ContainerStats stats;
    ck_assert(fixture->runtime->ops->container_stats(fixture->runtime, id, &stats));
    ck_assert_uint_gt(stats.cpu_usage_ns, 0);
    ck_assert_uint_gt(stats.memory_working_set, 0);
    fixture->runtime->ops->stop_container(fixture->runtime, id, 10 * NS_PER_S, fixture_runtime_done, fixture);
    fixture_wait(fixture);
    ck_assert_int_eq(fixture_status(fixture, id).exit_code, 3);
    fixture_free(fixture);
}
END_TEST

START_TEST(who_does_not_heed_the_stop_signal_is_killed_after_the_grace)
{
    Fixture *fixture = fixture_new();
    g_autofree char *sandbox = fixture_sandbox(fixture, NULL);
    g_autofree char *id = fixture_container(fixture, sandbox, "{}", "trap '' TERM; while :; do sleep 0.1; done");
    fixture->runtime->ops->stop_container(fixture->runtime, id, 300 * NS_PER_MS, fixture_runtime_done, fixture);
    fixture_wait(fixture);
    ContainerStatus status = fixture_status(fixture, id);
    ck_assert_int_eq(status.exit_code, 137);
    ck_assert_int_ge(status.finished_at - status.started_at, 300 * NS_PER_MS);
    fixture_free(fixture);
}
END_TEST

START_TEST(a_container_over_its_memory_limit_is_oom_killed)
{
    Fixture *fixture = fixture_new();
    g_autofree char *sandbox = fixture_sandbox(fixture, NULL);
    g_autofree char *id = fixture_container(fixture, sandbox, "{\"resources\": {\"limits\": {\"memory\": \"16Mi\"}}}",
                                            "exec tail /dev/zero");
    ContainerStatus status = fixture_exited(fixture, id);
    ck_assert_int_eq(status.exit_code, 137);
    ck_assert_str_eq(status.reason, "OOMKilled");
    fixture_free(fixture);
}
END_TEST

START_TEST(security_settings_hold_in_the_container)
{
    Fixture *fixture = fixture_new();
    g_autofree char *sandbox = fixture_sandbox(fixture, "{\"securityContext\": {\"fsGroup\": 2000}}");
    g_autofree char *id = fixture_container(
        fixture, sandbox,
        "{\"securityContext\": {\"runAsUser\": 1000, \"runAsGroup\": 3000, \"readOnlyRootFilesystem\": true, "
        "\"allowPrivilegeEscalation\": false, \"capabilities\": {\"drop\": [\"ALL\"]}}}",
        "id -u; id -g; id -G; touch /x; grep -E 'CapBnd|NoNewPrivs' /proc/self/status");
    fixture_exited(fixture, id);
    g_autofree char *log = fixture_log(fixture, id);
    ck_assert_ptr_nonnull(strstr(log, "stdout F 1000\nstdout F 3000\nstdout F 3000 2000\n"));
    ck_assert_ptr_nonnull(strstr(log, "Read-only file system"));
    ck_assert_ptr_nonnull(strstr(log, "CapBnd:\t0000000000000000"));
    ck_assert_ptr_nonnull(strstr(log, "NoNewPrivs:\t1"));
    fixture_free(fixture);
}
END_TEST

START_TEST(a_program_that_is_not_there_fails_the_start)
{
    Fixture *fixture = fixture_new();
    g_autofree char *sandbox = fixture_sandbox(fixture, NULL);
    fixture_create(fixture, sandbox, "{}", NULL, NULL, 0);
    g_autofree char *id = g_strdup(fixture->id);
    fixture_start(fixture, id);
    ck_assert_ptr_nonnull(strstr(fixture->error, "no such file or directory"));
    ContainerStatus status = fixture_status(fixture, id);
    ck_assert_int_eq(status.state, CONTAINER_EXITED);
    ck_assert_int_eq(status.exit_code, 128);
    ck_assert_str_eq(status.reason, "StartError");
    g_autofree char *log = fixture_log(fixture, id);
    ck_assert_str_eq(log, "");
    fixture_free(fixture);
}
END_TEST

START_TEST(only_images_that_are_here_can_be_pulled)
{
    Fixture *fixture = fixture_new();
    ck_assert_ptr_nonnull(fixture->runtime->ops->image_present(fixture->runtime, "docker.io/library/busybox:1.36"));
    ck_assert_ptr_null(fixture->runtime->ops->image_present(fixture->runtime, "nginx"));
    fixture->runtime->ops->pull_image(fixture->runtime, "nginx", NULL, fixture_runtime_done, fixture);
    fixture_wait(fixture);
    ck_assert_ptr_nonnull(strstr(fixture->error, "failed to pull and unpack image \"docker.io/library/nginx:latest\""));
    fixture_free(fixture);
}
END_TEST

static void
probe_done(const ProbeReply *reply, void *data)
{
    Fixture *fixture = data;
    fixture_runtime_done(reply->body, reply->error, fixture);
    fixture->http_status = reply->http_status;
}

static void
probe(Fixture *fixture, const char *address, uint16_t port)
{
    const HostProbe request = {.kind = HOST_PROBE_HTTP, .address = address, .port = port, .path = "/index.html",
                               .timeout_ns = NS_PER_S};
    fixture->host->ops->probe(fixture->host, &request, probe_done, fixture);
    fixture_wait(fixture);
}

static char *
sandbox_ip(Fixture *fixture, const char *id)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(PodSandboxStatus));
    fixture->runtime->ops->list_pod_sandboxes(fixture->runtime, NULL, all);
    for (guint i = 0; i < all->len; i++)
        if (strcmp(g_array_index(all, PodSandboxStatus, i).id, id) == 0)
            return g_strdup(g_array_index(all, PodSandboxStatus, i).ip);
    return NULL;
}

START_TEST(pods_reach_each_other_and_the_node_probes_them)
{
    Fixture *fixture = fixture_new();
    g_autofree char *server = fixture_sandbox(fixture, NULL), *client = fixture_sandbox(fixture, NULL);
    g_autofree char *ip = sandbox_ip(fixture, server);
    ck_assert(g_str_has_prefix(ip, "10.213.5."));
    g_autofree char *web = fixture_container(fixture, server, "{}", "mkdir /www; echo hello > /www/index.html; "
                                                                    "exec httpd -f -p 8080 -h /www");
    g_autofree char *script = g_strdup_printf("until wget -qO- http://%s:8080/; do sleep 0.1; done", ip);
    g_autofree char *other = fixture_container(fixture, client, "{}", script);
    ck_assert_int_eq(fixture_exited(fixture, other).exit_code, 0);
    g_autofree char *log = fixture_log(fixture, other);
    ck_assert_ptr_nonnull(strstr(log, "stdout F hello\n"));
    probe(fixture, ip, 8080);
    ck_assert_int_eq(fixture->http_status, 200);
    ck_assert_str_eq(fixture->id, "hello\n");
    probe(fixture, ip, 81);
    ck_assert_ptr_nonnull(strstr(fixture->error, "connect: connection refused"));
    fixture_free(fixture);
}
END_TEST

START_TEST(volumes_are_published_and_shared)
{
    Fixture *fixture = fixture_new();
    const HostOps *ops = fixture->host->ops;
    g_autofree char *sandbox = fixture_sandbox(fixture, NULL);
    for (int i = 1; i <= 2; i++) {
        g_autoptr(Value) contents = value_new_f("{'a.conf': %s}", i == 1 ? "old" : "new");
        ops->publish_volume(fixture->host, "uid-1", "kubernetes.io~configmap", "config", contents, NULL,
                            fixture_host_done, fixture);
        fixture_wait(fixture);
        ck_assert_msg(fixture->error == NULL, "%s", fixture->error);
    }
    ops->make_empty_dir(fixture->host, "uid-1", "memory", "Memory", 1 << 20, NULL, fixture_host_done, fixture);
    fixture_wait(fixture);
    ck_assert_msg(fixture->error == NULL, "%s", fixture->error);
    g_autofree char *config = ops->volume_path(fixture->host, "uid-1", "kubernetes.io~configmap", "config");
    g_autofree char *memory = ops->volume_path(fixture->host, "uid-1", "kubernetes.io~empty-dir", "memory");
    const RuntimeMount mounts[] = {{.host_path = config, .container_path = "/config", .readonly = true},
                                   {.host_path = memory, .container_path = "/memory"}};
    fixture_create(fixture, sandbox, "{}",
                   "cat /config/a.conf; echo x > /config/b; dd if=/dev/zero of=/memory/big bs=1M count=2; "
                   "echo -n done > /dev/termination-log",
                   mounts, 2);
    g_autofree char *id = g_strdup(fixture->id);
    fixture_start(fixture, id);
    ContainerStatus status = fixture_exited(fixture, id);
    ck_assert_str_eq(status.message, "done");
    g_autofree char *log = fixture_log(fixture, id);
    ck_assert_ptr_nonnull(strstr(log, "stdout P new\n"));
    ck_assert_ptr_nonnull(strstr(log, "Read-only file system"));
    ck_assert_ptr_nonnull(strstr(log, "No space left on device"));
    fixture_free(fixture);
}
END_TEST

START_TEST(a_removed_pod_leaves_nothing)
{
    Fixture *fixture = fixture_new();
    g_autofree char *before = fixture_machine();
    g_autofree char *sandbox = fixture_sandbox(fixture, NULL);
    g_autofree char *id = fixture_container(fixture, sandbox, "{}", "sleep 1000");
    const RuntimeOps *ops = fixture->runtime->ops;
    ops->stop_pod_sandbox(fixture->runtime, sandbox, fixture_runtime_done, fixture);
    fixture_wait(fixture);
    ck_assert_int_eq(fixture_exited(fixture, id).exit_code, 137);
    ops->remove_container(fixture->runtime, id, fixture_runtime_done, fixture);
    fixture_wait(fixture);
    ops->remove_pod_sandbox(fixture->runtime, sandbox, fixture_runtime_done, fixture);
    fixture_wait(fixture);
    ck_assert_msg(fixture->error == NULL, "%s", fixture->error);
    g_autofree char *after = fixture_machine();
    ck_assert_ptr_null(strstr(after, sandbox));
    ck_assert_ptr_null(strstr(after, id));
    fixture_free(fixture);
}
END_TEST

int
main(void)
{
    g_autofree char *missing = runc_node_missing();
    if (missing != NULL) {
        fprintf(stderr, "skipped: %s\n", missing);
        return SKIPPED;
    }
    Suite *suite = suite_create("sim/backend/runc");
    TCase *node = tcase_create("node");
    tcase_set_timeout(node, 60);
    tcase_add_test(node, a_container_writes_its_log_and_tells_its_exit_code);
    tcase_add_test(node, commands_run_in_a_running_container);
    tcase_add_test(node, who_does_not_heed_the_stop_signal_is_killed_after_the_grace);
    tcase_add_test(node, a_container_over_its_memory_limit_is_oom_killed);
    tcase_add_test(node, security_settings_hold_in_the_container);
    tcase_add_test(node, a_program_that_is_not_there_fails_the_start);
    tcase_add_test(node, only_images_that_are_here_can_be_pulled);
    tcase_add_test(node, pods_reach_each_other_and_the_node_probes_them);
    tcase_add_test(node, volumes_are_published_and_shared);
    tcase_add_test(node, a_removed_pod_leaves_nothing);
    suite_add_tcase(suite, node);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
