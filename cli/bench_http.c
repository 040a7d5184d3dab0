/* The REST face over TLS on loopback: a live cluster in this process, a load client in a child
 * process. */
#include "cli/bench.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench_client.h"
#include "core/base/error.h"
#include "sim/world/live.h"

#define PODS_DEFAULT 5000
#define CONNECTIONS_DEFAULT 32
#define SECONDS_DEFAULT 3
#define LISTS 20
#define TABLE "application/json;as=Table;v=v1;g=meta.k8s.io"

/* What the child finds out, through a pipe. */
typedef struct Found {
    double gets_per_second, list_ms, list_mb;
    int ok;
} Found;

static Found
measure(const BenchOptions *options, guint16 port, const char *token)
{
    Found found = {0};
    int connections = options->connections != 0 ? options->connections : CONNECTIONS_DEFAULT;
    double seconds = options->seconds != 0 ? options->seconds : SECONDS_DEFAULT;
    BenchClient *client = bench_client_new(port, connections, token);
    int64_t gets = 0;
    if (client == NULL)
        return found;
    BenchTimer timer = bench_timer_start();
    while (bench_timer_wall(&timer) < seconds) {
        if (!bench_client_round(client, "/api/v1/namespaces/default/pods/pod-1", NULL))
            return found;
        gets += connections;
    }
    found.gets_per_second = (double)gets / bench_timer_wall(&timer);
    bench_client_free(client);
    client = bench_client_new(port, 1, token);
    if (client == NULL || !bench_client_round(client, "/api/v1/pods?limit=500000", TABLE))
        return found;
    timer = bench_timer_start();
    for (int i = 0; i < LISTS; i++)
        if (!bench_client_round(client, "/api/v1/pods", TABLE))
            return found;
    found.list_ms = bench_timer_wall(&timer) * 1000 / LISTS;
    found.list_mb = (double)bench_client_body_size(client) / 1048576;
    found.ok = 1;
    bench_client_free(client);
    return found;
}

static bool
make_pods(Live *live, int pods, GError **error)
{
    World *world = live_world(live);
    for (int i = 0; i < pods; i++) {
        g_autofree char *name = g_strdup_printf("pod-%d", i);
        ApiRequest *request = api_request_new(API_VERB_CREATE, "", "pods", "default", NULL);
        request->body = value_new_f(
            "{apiVersion: v1, kind: Pod, metadata: {name: %s, labels: {app: web}},"
            " spec: {schedulerName: nobody, containers: [{name: web, image: 'nginx:1.27',"
            " resources: {requests: {cpu: 100m, memory: 64Mi}}}]}}",
            name);
        ApiResponse *response = world_call(world, request);
        bool made = response->code == 201;
        if (!made)
            fail(error, TIMONEL_ERROR_UNAVAILABLE, "%s",
                 value_text_at(response->object, "message"));
        api_response_free(response);
        if (!made)
            return false;
    }
    return true;
}

static void
child_ended(GPid pid, gint status, gpointer data)
{
    g_main_loop_quit(data);
}

static bool
serve_and_measure(const BenchOptions *options, Live *live, const char *token, Found *ret_found,
                  GError **error)
{
    int ends[2];
    if (pipe(ends) != 0)
        return fail(error, TIMONEL_ERROR_IO, "pipe: %s", g_strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        Found found = measure(options, live_port(live), token);
        ssize_t written = write(ends[1], &found, sizeof found);
        _exit(written == sizeof found ? 0 : 1);
    }
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_child_watch_add(child, child_ended, loop);
    live_set_factor(live, PACE_LIFE);
    g_main_loop_run(loop);
    close(ends[1]);
    ssize_t n = read(ends[0], ret_found, sizeof *ret_found);
    close(ends[0]);
    if (n != sizeof *ret_found || !ret_found->ok)
        return fail(error, TIMONEL_ERROR_UNAVAILABLE, "the load client met an error");
    return true;
}

static bool
run_in(const BenchOptions *options, const char *directory, GError **error)
{
    static const char *const NAMES[] = {"127.0.0.1", "localhost", NULL};
    int pods = options->pods != 0 ? options->pods : PODS_DEFAULT;
    int connections = options->connections != 0 ? options->connections : CONNECTIONS_DEFAULT;
    g_autofree char *keys = g_build_filename(directory, "pki", NULL);
    g_autoptr(Pki) pki = pki_open(keys, NAMES, error);
    g_autoptr(Value) document =
        value_new_f("{apiVersion: 'sim.timonel.dev/v1', kind: Cluster, metadata: {name: bench},"
                    " spec: {controlPlane: {count: 1}, nodeGroups: []}}");
    if (pki == NULL)
        return false;
    g_autoptr(Live) live =
        live_new(&(LiveOptions){.cluster = document, .pki = pki, .address = "127.0.0.1"}, error);
    if (live == NULL)
        return false;
    world_run_for(live_world(live), 60 * NS_PER_S);
    if (!make_pods(live, pods, error))
        return false;
    BenchTimer timer = bench_timer_start();
    Found found = {0};
    if (!serve_and_measure(options, live, pki->token, &found, error))
        return false;
    double cpu = bench_timer_cpu(&timer);
    bench_report("http.get_pod", found.gets_per_second, "requests/s",
                 value_new_f("{connections: %i, pods: %i}", (int64_t)connections, (int64_t)pods),
                 "https", "memory", cpu);
    bench_report(
        "http.list_table", found.list_ms, "ms",
        value_new_f("{connections: 1, pods: %i, megabytes: %d}", (int64_t)pods, found.list_mb),
        "https", "memory", cpu);
    return true;
}

static void
remove_directory(const char *directory)
{
    g_autofree char *keys = g_build_filename(directory, "pki", NULL);
    g_autoptr(GDir) dir = g_dir_open(keys, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(keys, name, NULL);
        g_remove(path);
    }
    g_rmdir(keys);
    g_rmdir(directory);
}

bool
bench_http(const BenchOptions *options, const char *what, GError **error)
{
    g_autofree char *directory = g_dir_make_tmp("timonel-bench-XXXXXX", error);
    if (directory == NULL)
        return false;
    bool done = run_in(options, directory, error);
    remove_directory(directory);
    return done;
}
