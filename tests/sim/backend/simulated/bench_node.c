#include "tests/sim/backend/simulated/bench_node.h"

#include <check.h>
#include <string.h>

static EngineProcess *
start_kubelet(NodeBench *b)
{
    EngineProcess *kubelet = engine_process_new(b->engine, &(EngineProcessOptions){.name = "kubelet", .host = "n1"});
    simulated_net_attach(b->net, kubelet, NULL);
    simulated_node_set_kubelet(b->node, kubelet);
    return kubelet;
}

void
bench_setup(NodeBench *b)
{
    *b = (NodeBench){.engine = engine_new(&(EngineOptions){.seed = 11, .start_ns = 1767225600 * NS_PER_S})};
    b->net = simulated_net_new(b->engine);
    b->backend = simulated_backend_new(b->engine, b->net);
    b->node = simulated_node_new(b->backend, &(SimulatedNodeOptions){.name = "n1", .ip = "172.18.0.2"});
    simulated_node_set_pod_cidr(b->node, "10.244.1.0/24");
    b->runtime = simulated_node_runtime(b->node);
    b->host = simulated_node_host(b->node);
    b->kubelet = start_kubelet(b);
    b->out = g_string_new(NULL);
}

uint64_t
bench_teardown(NodeBench *b)
{
    engine_process_free(b->kubelet);
    uint64_t digest = engine_digest(b->engine);
    simulated_backend_free(b->backend);
    engine_drop_pending(b->engine);
    simulated_net_free(b->net);
    engine_free(b->engine);
    g_string_free(b->out, TRUE);
    return digest;
}

void
bench_run(NodeBench *b, int64_t ns)
{
    engine_run_until(b->engine, engine_now(b->engine) + ns);
}

void
bench_done(const char *id, const char *error, void *data)
{
    NodeBench *b = data;
    g_strlcpy(b->id, id != NULL ? id : "", sizeof b->id);
    if (error != NULL)
        g_string_append_printf(b->out, "error: %s ", error);
    else
        g_string_append(b->out, "ok ");
}

void
bench_run_sandbox(NodeBench *b, const char *pod_yaml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) pod = yaml_parse(pod_yaml, strlen(pod_yaml), &error);
    ck_assert_msg(pod != NULL, "%s", error != NULL ? error->message : "");
    PodSandboxConfig config = {.name = "web-1", .namespace_ = "default", .uid = "uid-1", .pod = pod,
                               .log_directory = "/var/log/pods/default_web-1_uid-1"};
    b->runtime->ops->run_pod_sandbox(b->runtime, &config, bench_done, b);
    bench_run(b, NS_PER_S);
    g_strlcpy(b->sandbox, b->id, sizeof b->sandbox);
}

static const char **
texts_of(const Value *array)
{
    const char **texts = g_new0(const char *, value_size(array) + 1);
    for (size_t i = 0; i < value_size(array); i++)
        texts[i] = value_text(value_item(array, i));
    return texts;
}

void
bench_run_container(NodeBench *b, const char *image, const char *definition)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) container = yaml_parse(definition, strlen(definition), &error);
    ck_assert_msg(container != NULL, "%s", error != NULL ? error->message : "");
    g_autofree const char **command = texts_of(value_get(container, "command"));
    g_autofree const char **args = texts_of(value_get(container, "args"));
    g_autofree const char **env = texts_of(value_get(container, "environment"));
    g_autofree const char *mount_path = NULL;
    g_autofree char *host_path = b->host->ops->volume_path(b->host, "uid-1", "kubernetes.io~empty-dir", "shared");
    RuntimeMount mounts[1] = {{.host_path = host_path, .container_path = value_string(value_get(container, "mount"))}};
    ContainerConfig config = {.name = "c", .image = image, .container = container, .command = command, .args = args,
                              .env = env, .mounts = mounts, .n_mounts = mounts[0].container_path != NULL,
                              .log_path = "c/0.log"};
    if (b->sandbox[0] == '\0')
        bench_run_sandbox(b, "{}");
    b->runtime->ops->pull_image(b->runtime, image, NULL, bench_done, b);
    bench_run(b, 60 * NS_PER_S);
    b->runtime->ops->create_container(b->runtime, b->sandbox, &config, bench_done, b);
    bench_run(b, 100 * NS_PER_MS);
    b->runtime->ops->start_container(b->runtime, b->id, bench_done, b);
}

ContainerStatus
bench_status(NodeBench *b)
{
    ContainerStatus status = {0};
    ck_assert(b->runtime->ops->container_status(b->runtime, b->id, &status));
    return status;
}

static bool
add_line(const LogLine *line, void *data)
{
    g_string_append_printf(data, "%.*s\n", (int)line->length, line->text);
    return true;
}

const char *
bench_log(NodeBench *b)
{
    g_string_truncate(b->out, 0);
    b->host->ops->read_log(b->host, "/var/log/pods/default_web-1_uid-1/c/0.log", add_line, b->out);
    return b->out->str;
}
