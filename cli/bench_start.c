/* How long `timonel up --headless` takes from exec to an API server that says ok, in an empty
 * directory, and what it holds in memory afterwards. */
#include "cli/bench.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/bench_client.h"
#include "core/base/error.h"
#include "core/object/yaml.h"

#define IDLE_US 2000000

/* "ready", then the kubeconfig's path. Owned, or NULL. */
static char *
await_ready(int fd)
{
    g_autofree char *path = NULL;
    FILE *out = fdopen(fd, "r");
    char line[4096];
    if (out != NULL && fgets(line, sizeof line, out) != NULL && strcmp(line, "ready\n") == 0 &&
        fgets(line, sizeof line, out) != NULL)
        path = g_strndup(line, strcspn(line, "\n"));
    if (out != NULL)
        fclose(out);
    return g_steal_pointer(&path);
}

/* The port and the token of a kubeconfig. */
static bool
read_kubeconfig(const char *path, guint16 *ret_port, char **ret_token)
{
    g_autofree char *text = NULL;
    if (path == NULL || !g_file_get_contents(path, &text, NULL, NULL))
        return false;
    g_autoptr(Value) config = yaml_parse(text, strlen(text), NULL);
    const char *server = value_string_at(config, "clusters[0].cluster.server");
    const char *colon = server != NULL ? strrchr(server, ':') : NULL;
    if (colon == NULL)
        return false;
    *ret_port = (guint16)g_ascii_strtoull(colon + 1, NULL, 10);
    *ret_token = g_strdup(value_string_at(config, "users[1].user.token"));
    return *ret_token != NULL;
}

static bool
ask_readyz(const char *kubeconfig)
{
    g_autofree char *token = NULL;
    guint16 port = 0;
    if (!read_kubeconfig(kubeconfig, &port, &token))
        return false;
    BenchClient *client = bench_client_new(port, 1, token);
    bool ok = client != NULL && bench_client_round(client, "/readyz", "*/*");
    bench_client_free(client);
    return ok;
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        if (g_file_test(below, G_FILE_TEST_IS_DIR) && !g_file_test(below, G_FILE_TEST_IS_SYMLINK))
            remove_tree(below);
        else
            g_remove(below);
    }
    g_rmdir(path);
}

static bool
run_in(char *directory, GError **error)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", error);
    if (program == NULL)
        return false;
    const char *const argv[] = {program, "up",       "--headless",  "--name",
                                "bench", "--listen", "127.0.0.1:0", NULL};
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "XDG_DATA_HOME", directory, TRUE);
    GPid pid;
    int out;
    BenchTimer timer = bench_timer_start();
    if (!g_spawn_async_with_pipes(NULL, (char **)argv, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                  NULL, &pid, NULL, &out, NULL, error))
        return false;
    g_autofree char *kubeconfig = await_ready(out);
    bool ok = ask_readyz(kubeconfig);
    double seconds = bench_timer_wall(&timer);
    g_usleep(IDLE_US);
    double resident = bench_rss_mb(pid);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    if (!ok)
        return fail(error, TIMONEL_ERROR_UNAVAILABLE, "the cluster did not come up");
    bench_report("start.readyz", seconds, "s", value_new_f("{nodes: 4}"), "https", "sqlite", 0);
    bench_report("start.rss_idle", resident, "MB", value_new_f("{nodes: 4}"), "https", "sqlite", 0);
    return true;
}

bool
bench_start(const BenchOptions *options, const char *what, GError **error)
{
    g_autofree char *directory = g_dir_make_tmp("timonel-bench-XXXXXX", error);
    if (directory == NULL)
        return false;
    bool done = run_in(directory, error);
    remove_tree(directory);
    return done;
}
