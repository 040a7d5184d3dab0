#include "tests/cli/kubectl/bench.h"

#include <string.h>

#include "core/object/yaml.h"

static bool
wait_for(bool (*done)(void *data), void *data, void *env_data)
{
    Bench *bench = env_data;
    return test_world_run_until_true(bench->world, done, data, bench->patience_ns);
}

static void
write_text(int stream, const char *text, size_t length, void *env_data)
{
    Bench *bench = env_data;
    g_string_append_len(stream == 1 ? bench->out : bench->err, text, (gssize)length);
}

static char *
read_file(const char *path, size_t *ret_length, GError **error, void *env_data)
{
    Bench *bench = env_data;
    if (bench->file_name == NULL || strcmp(path, bench->file_name) != 0) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT, "%s: no such file", path);
        return NULL;
    }
    *ret_length = strlen(bench->file_text);
    return g_strdup(bench->file_text);
}

Bench *
bench_new(void)
{
    Bench *bench = g_new0(Bench, 1);
    bench->world = test_world_new(1);
    bench->types = api_types_new();
    const Ports *ports = test_world_ports(bench->world, "person");
    bench->api = fake_api_new(test_world_ports(bench->world, "api"), bench->types);
    bench->out = g_string_new(NULL);
    bench->err = g_string_new(NULL);
    bench->patience_ns = 600 * NS_PER_S;
    bench->env = (KubectlEnv){
        .transport = fake_api_transport(bench->api, "kubernetes-admin"),
        .ports = ports,
        .types = bench->types,
        .wait = wait_for,
        .write = write_text,
        .read_file = read_file,
        .data = bench,
    };
    return bench;
}

void
bench_free(Bench *bench)
{
    bench->env.transport->ops->free(bench->env.transport);
    fake_api_free(bench->api);
    test_world_free(bench->world);
    api_types_free(bench->types);
    g_string_free(bench->out, TRUE);
    g_string_free(bench->err, TRUE);
    g_free(bench);
}

void
bench_put(Bench *bench, const char *group, const char *resource, const char *yaml)
{
    g_autoptr(GError) error = NULL;
    Value *object = yaml_parse(yaml, strlen(yaml), &error);
    ck_assert_msg(object != NULL, "%s", error != NULL ? error->message : "");
    fake_api_put(bench->api, group, resource, object);
}

int
bench_run(Bench *bench, const char *line)
{
    g_string_truncate(bench->out, 0);
    g_string_truncate(bench->err, 0);
    return kubectl_run_line(&bench->env, line);
}
