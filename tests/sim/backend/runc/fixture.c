#include "tests/sim/backend/runc/fixture.h"

#include <check.h>
#include <string.h>

#include "core/object/json.h"

#define PATIENCE_US (20 * G_USEC_PER_SEC)

static void
catch_up(void *context)
{
    Fixture *fixture = context;
    engine_run_until(fixture->engine, g_get_real_time() * NS_PER_US);
}

char *
fixture_machine(void)
{
    const char *argv[] = {"/bin/sh", "-c",
                          "{ cat /proc/mounts; ip route; ls -d /sys/class/net/*; find /sys/fs/cgroup -type d | sort; } | "
                          "grep -E 'timonel-runc|tmnl|172.31.213'", NULL};
    char *text = NULL;
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &text, NULL, NULL, NULL);
    return text;
}

Fixture *
fixture_new(void)
{
    Fixture *fixture = g_new0(Fixture, 1);
    GError *error = NULL;
    fixture->before = fixture_machine();
    fixture->directory = g_dir_make_tmp("timonel-runc-XXXXXX", NULL);
    fixture->engine = engine_new(&(EngineOptions){.seed = 1, .start_ns = g_get_real_time() * NS_PER_US});
    fixture->kubelet = engine_process_new(fixture->engine, &(EngineProcessOptions){.name = "kubelet", .host = "test"});
    g_autofree char *cluster = g_path_get_basename(fixture->directory);
    const RuncNodeOptions options = {.engine = fixture->engine, .cluster = cluster, .name = "worker-1",
                                     .ip = "172.31.213.7", .directory = fixture->directory,
                                     .kubelet_version = "v1.35.0", .catch_up = catch_up, .context = fixture};
    fixture->node = runc_node_new(&options, &error);
    ck_assert_msg(fixture->node != NULL, "%s", error != NULL ? error->message : "");
    runc_node_set_kubelet(fixture->node, fixture->kubelet);
    fixture->runtime = runc_node_runtime(fixture->node);
    fixture->host = runc_node_host(fixture->node);
    fixture->runtime->ops->update_runtime_config(fixture->runtime, "10.213.5.0/24");
    return fixture;
}

void
fixture_free(Fixture *fixture)
{
    engine_process_free(fixture->kubelet);
    runc_node_free(fixture->node);
    engine_drop_pending(fixture->engine);
    engine_free(fixture->engine);
    char *after = NULL;
    for (int i = 0; i < 100; i++) { /* the kernel lets go of a network namespace a little later */
        g_free(after);
        after = fixture_machine();
        if (strcmp(fixture->before, after) == 0)
            break;
        g_usleep(20000);
    }
    ck_assert_str_eq(fixture->before, after);
    ck_assert(!g_file_test(fixture->directory, G_FILE_TEST_EXISTS));
    g_free(after);
    g_free(fixture->before);
    g_free(fixture->directory);
    g_free(fixture->id);
    g_free(fixture->error);
    g_free(fixture->output);
    g_free(fixture);
}

static gboolean
tick(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

static void
turn(Fixture *fixture)
{
    catch_up(fixture);
    guint source = g_timeout_add(2, tick, NULL);
    g_main_context_iteration(NULL, TRUE);
    g_source_remove(source);
    catch_up(fixture);
}

void
fixture_wait(Fixture *fixture)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    while (!fixture->done && g_get_monotonic_time() < end)
        turn(fixture);
    ck_assert_msg(fixture->done, "nothing came within 20 s");
    fixture->done = false;
}

void
fixture_runtime_done(const char *id, const char *error, void *data)
{
    Fixture *fixture = data;
    fixture->done = true;
    g_free(fixture->id);
    g_free(fixture->error);
    fixture->id = g_strdup(id);
    fixture->error = g_strdup(error);
}

void
fixture_host_done(const char *error, void *data)
{
    fixture_runtime_done(NULL, error, data);
}

char *
fixture_sandbox(Fixture *fixture, const char *spec)
{
    g_autofree char *uid = g_strdup_printf("uid-%u", ++fixture->numbers);
    g_autofree char *text = g_strdup_printf("{\"metadata\": {\"name\": \"web\"}, \"spec\": %s}", spec != NULL ? spec : "{}");
    g_autoptr(Value) pod = json_parse(text, strlen(text), NULL);
    ck_assert_ptr_nonnull(pod);
    g_autofree char *logs = g_strdup_printf("/var/log/pods/default_web_%s", uid);
    g_autofree char *cgroup = g_strdup_printf("/kubepods/burstable/pod%s", uid);
    const char *servers[] = {"10.96.0.10", NULL}, *searches[] = {"default.svc.cluster.local", "svc.cluster.local", NULL};
    const PodSandboxConfig config = {.name = "web", .namespace_ = "default", .uid = uid, .pod = pod,
                                     .log_directory = logs, .cgroup_parent = cgroup, .hostname = "web",
                                     .dns_servers = servers, .dns_searches = searches};
    fixture->runtime->ops->run_pod_sandbox(fixture->runtime, &config, fixture_runtime_done, fixture);
    fixture_wait(fixture);
    ck_assert_msg(fixture->error == NULL, "%s", fixture->error);
    return g_strdup(fixture->id);
}

void
fixture_create(Fixture *fixture, const char *sandbox, const char *container, const char *script,
               const RuntimeMount *mounts, size_t n_mounts)
{
    g_autofree char *name = g_strdup_printf("c%u", ++fixture->numbers), *log = g_strdup_printf("%s/0.log", name);
    g_autoptr(Value) definition = json_parse(container, strlen(container), NULL);
    ck_assert_ptr_nonnull(definition);
    const char *command[] = {"sh", "-c", script, NULL}, *missing[] = {"/no/such/program", NULL};
    const char *env[] = {"COLOUR=blue", NULL};
    const ContainerConfig config = {.name = name, .image = "busybox:1.36", .container = definition,
                                    .command = script != NULL ? command : missing, .env = env, .log_path = log,
                                    .mounts = mounts, .n_mounts = n_mounts};
    fixture->runtime->ops->create_container(fixture->runtime, sandbox, &config, fixture_runtime_done, fixture);
    fixture_wait(fixture);
}

void
fixture_start(Fixture *fixture, const char *id)
{
    g_autofree char *copy = g_strdup(id);
    fixture->runtime->ops->start_container(fixture->runtime, copy, fixture_runtime_done, fixture);
    fixture_wait(fixture);
}

char *
fixture_container(Fixture *fixture, const char *sandbox, const char *container, const char *script)
{
    fixture_create(fixture, sandbox, container, script, NULL, 0);
    ck_assert_msg(fixture->error == NULL, "%s", fixture->error);
    char *id = g_strdup(fixture->id);
    fixture_start(fixture, id);
    ck_assert_msg(fixture->error == NULL, "%s", fixture->error);
    return id;
}

ContainerStatus
fixture_status(Fixture *fixture, const char *id)
{
    ContainerStatus status;
    ck_assert(fixture->runtime->ops->container_status(fixture->runtime, id, &status));
    return status;
}

ContainerStatus
fixture_exited(Fixture *fixture, const char *id)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    while (fixture_status(fixture, id).state != CONTAINER_EXITED && g_get_monotonic_time() < end)
        turn(fixture);
    ContainerStatus status = fixture_status(fixture, id);
    ck_assert_int_eq(status.state, CONTAINER_EXITED);
    return status;
}

static void
exec_done(const ExecResult *result, void *data)
{
    Fixture *fixture = data;
    fixture_runtime_done(NULL, result->error, fixture);
    g_free(fixture->output);
    fixture->output = g_strdup(result->output);
    fixture->exit_code = result->exit_code;
    fixture->timed_out = result->timed_out;
}

void
fixture_exec(Fixture *fixture, const char *id, const char *script, int64_t timeout_ns)
{
    const char *command[] = {"sh", "-c", script, NULL};
    fixture->runtime->ops->exec_sync(fixture->runtime, id, command, timeout_ns, exec_done, fixture);
    fixture_wait(fixture);
}

static bool
add_line(const LogLine *line, void *data)
{
    g_string_append_printf(data, "%s %s %.*s\n", line->stream == 1 ? "stdout" : "stderr", line->partial ? "P" : "F",
                           (int)line->length, line->text);
    return true;
}

char *
fixture_log(Fixture *fixture, const char *id)
{
    ContainerStatus status = fixture_status(fixture, id);
    g_autofree char *path =
        g_strdup_printf("/var/log/pods/default_web_%s/%s/0.log", status.pod_uid, status.name);
    GString *text = g_string_new(NULL);
    ck_assert(fixture->host->ops->read_log(fixture->host, path, add_line, text));
    return g_string_free(text, FALSE);
}
