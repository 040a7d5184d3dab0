/* `timonel kubectl`: the library against a server over HTTP, on this machine's terminal and files.
 */
#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/kubeconfig_file.h"
#include "cli/kubectl/kubectl.h"
#include "cli/kubectl/machine.h"
#include "cli/state.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/object/yaml.h"
#include "sim/backend/host/http_client.h"

typedef struct Session {
    bool interrupted;
    bool sanitize[3]; /* is this stream a terminal? */
    char *config_path;
    Transport *transport;
} Session;

/* ---- the environment of the library ---- */

static bool
wait_for(bool (*done)(void *data), void *data, void *env_data)
{
    Session *session = env_data;
    while (!session->interrupted && !done(data))
        g_main_context_iteration(NULL, TRUE);
    return done(data);
}

/* Escape sequences in what a server says must not reach a terminal. */
static void
write_text(int stream, const char *text, size_t length, void *env_data)
{
    const Session *session = env_data;
    FILE *file = stream == 2 ? stderr : stdout;
    if (session->sanitize[stream]) {
        g_autofree char *safe = text_sanitize(text, length, TEXT_LINES);
        fputs(safe, file);
    } else {
        fwrite(text, 1, length, file);
    }
    fflush(file);
}

static char *
read_input(size_t *ret_length, GError **error)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    guint8 buffer[65536];
    ssize_t n;
    while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0 &&
           all->len <= YAML_DOCUMENT_SIZE_MAX)
        g_byte_array_append(all, buffer, (guint)n);
    if (n < 0) {
        fail(error, TIMONEL_ERROR_IO, "standard input: %s", g_strerror(errno));
        return NULL;
    }
    *ret_length = all->len;
    g_byte_array_append(all, (const guint8 *)"", 1);
    return (char *)g_byte_array_free(g_steal_pointer(&all), FALSE);
}

static char *
read_file(const char *path, size_t *ret_length, GError **error, void *env_data)
{
    char *text;
    gsize length;
    if (strcmp(path, "-") == 0)
        return read_input(ret_length, error);
    if (g_str_has_prefix(path, "https://") || g_str_has_prefix(path, "http://")) {
        const HttpTransportOptions options = {.server = path};
        Transport *transport = http_transport_new(&options, error);
        text = transport != NULL ? http_transport_get_raw(transport, "", error) : NULL;
        if (transport != NULL)
            transport->ops->free(transport);
        *ret_length = text != NULL ? strlen(text) : 0;
        return text;
    }
    if (!g_file_get_contents(path, &text, &length, error))
        return NULL;
    *ret_length = length;
    return text;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_files(GPtrArray *found, const char *folder, int depth)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir != NULL && depth < VALUE_DEPTH_MAX && found->len < YAML_DOCUMENTS_MAX &&
           (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            add_files(found, path, depth + 1);
        else if (g_str_has_suffix(name, ".yaml") || g_str_has_suffix(name, ".yml") ||
                 g_str_has_suffix(name, ".json"))
            g_ptr_array_add(found, g_steal_pointer(&path));
    }
}

static char **
list_folder(const char *path, void *env_data)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return NULL;
    GPtrArray *found = g_ptr_array_new();
    add_files(found, path, 0);
    if (found->len > 0)
        qsort(found->pdata, found->len, sizeof(void *), compare_texts);
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_free(found, FALSE);
}

static char *
edit_text(const char *text, const char *suffix, GError **error, void *env_data)
{
    const char *editor =
        g_getenv("KUBE_EDITOR") != NULL ? g_getenv("KUBE_EDITOR") : g_getenv("EDITOR");
    g_autofree char *name = g_strdup_printf("kubectl-edit-XXXXXX%s", suffix), *path = NULL,
                    *edited = NULL;
    g_auto(GStrv) words = NULL;
    int fd, status;
    if (!g_shell_parse_argv(editor != NULL && *editor != '\0' ? editor : "vi", NULL, &words, error))
        return NULL;
    if ((fd = g_file_open_tmp(name, &path, error)) < 0)
        return NULL;
    close(fd);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    for (char **word = words; *word != NULL; word++)
        g_ptr_array_add(argv, *word);
    g_ptr_array_add(argv, path);
    g_ptr_array_add(argv, NULL);
    bool ok = g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error) &&
              g_spawn_sync(NULL, (char **)argv->pdata, NULL,
                           G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL,
                           NULL, &status, error) &&
              g_spawn_check_wait_status(status, error) &&
              g_file_get_contents(path, &edited, NULL, error);
    unlink(path);
    return ok ? g_steal_pointer(&edited) : NULL;
}

static char *
get_raw(const char *path, GError **error, void *env_data)
{
    return http_transport_get_raw(((Session *)env_data)->transport, path, error);
}

static bool
save_config(const Value *changed, GError **error, void *env_data)
{
    const Session *session = env_data;
    g_autofree char *text = yaml_text(changed), *folder = g_path_get_dirname(session->config_path);
    if (g_mkdir_with_parents(folder, 0700) != 0)
        return fail(error, TIMONEL_ERROR_IO, "%s: %s", folder, g_strerror(errno));
    return g_file_set_contents_full(session->config_path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT,
                                    0600, error);
}

/* ---- which server ---- */

/* A global flag's value, before the library reads the line; NULL when not given. */
static const char *
early_flag(int argc, char **argv, const char *name, char shorthand)
{
    const char *found = NULL;
    size_t length = strlen(name);
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i];
        bool is_short = shorthand != 0 && word[0] == '-' && word[1] == shorthand;
        if (g_str_has_prefix(word, "--") && strncmp(word + 2, name, length) == 0 &&
            word[2 + length] == '=')
            found = word + 3 + length;
        else if (g_str_has_prefix(word, "--") && strcmp(word + 2, name) == 0 && i + 1 < argc)
            found = argv[++i];
        else if (is_short && word[2] == '\0' && i + 1 < argc)
            found = argv[++i];
        else if (is_short && word[2] != '\0')
            found = word + (word[2] == '=' ? 3 : 2);
    }
    return found;
}

/* The kubeconfig of the one cluster that runs here, or of the one called `name`; NULL: none. Owned.
 */
static char *
own_cluster(const char *name, GError **error)
{
    g_auto(GStrv) names = cluster_state_list();
    g_autofree char *found = NULL;
    unsigned running = 0;
    for (char **each = names; each != NULL && *each != NULL; each++) {
        g_autoptr(ClusterState) state = cluster_state_new(*each, NULL);
        if (state == NULL || (name != NULL && strcmp(*each, name) != 0) ||
            cluster_state_pid(state) == 0)
            continue;
        running++;
        g_free(found);
        found = g_strdup(state->kubeconfig);
    }
    if (running > 1) {
        fail(error, TIMONEL_ERROR_INVALID,
             _("several clusters are running; say which with --name, `timonel ls` lists them"));
        return NULL;
    }
    if (running == 0 && name != NULL)
        fail(error, TIMONEL_ERROR_NOT_FOUND,
             _("no cluster called \"%s\" is running; `timonel ls` lists them"), name);
    return g_steal_pointer(&found);
}

static gboolean
interrupt(gpointer data)
{
    ((Session *)data)->interrupted = true;
    return G_SOURCE_CONTINUE;
}

/* Takes "--name N" (ours, not kubectl's) from before the command's word. */
static char *
take_name(int *argc, char **argv)
{
    if (*argc < 3 || strcmp(argv[1], "--name") != 0)
        return NULL;
    char *name = argv[2];
    memmove(argv + 1, argv + 3, sizeof *argv * (size_t)(*argc - 2));
    *argc -= 2;
    return name;
}

/* The target; a cluster of ours when there is no kubeconfig that names a server. */
static KubeconfigTarget *
choose_target(int argc, char **argv, const char *name, Value **ret_config, char **ret_path,
              GError **error)
{
    g_autofree char *own = NULL;
    KubeconfigOverrides overrides = {
        .file = early_flag(argc, argv, "kubeconfig", 0),
        .context = early_flag(argc, argv, "context", 0),
        .cluster = early_flag(argc, argv, "cluster", 0),
        .user = early_flag(argc, argv, "user", 0),
        .server = early_flag(argc, argv, "server", 's'),
        .token = early_flag(argc, argv, "token", 0),
        .ca_file = early_flag(argc, argv, "certificate-authority", 0),
        .cert_file = early_flag(argc, argv, "client-certificate", 0),
        .key_file = early_flag(argc, argv, "client-key", 0),
    };
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        overrides.insecure = overrides.insecure ||
                             strcmp(argv[i], "--insecure-skip-tls-verify") == 0 ||
                             strcmp(argv[i], "--insecure-skip-tls-verify=true") == 0;
    if (name != NULL && (own = own_cluster(name, error)) == NULL)
        return NULL;
    *ret_config = kubeconfig_load(own != NULL ? own : overrides.file, ret_path, error);
    if (*ret_config == NULL)
        return NULL;
    bool empty = value_size(value_get(*ret_config, "clusters")) == 0 && overrides.server == NULL;
    if (empty && overrides.file == NULL && name == NULL) {
        g_autoptr(GError) several = NULL;
        own = own_cluster(NULL, &several);
        if (several != NULL) {
            g_propagate_error(error, g_steal_pointer(&several));
            return NULL;
        }
        if (own != NULL) {
            value_replace(ret_config, NULL);
            g_clear_pointer(ret_path, g_free);
            *ret_config = kubeconfig_load(own, ret_path, error);
            if (*ret_config == NULL)
                return NULL;
        }
    }
    return kubeconfig_target(*ret_config, &overrides, error);
}

static int
run_session(Session *session, const KubeconfigTarget *target, const Value *config, int argc,
            char **argv, GError **error)
{
    g_autoptr(ApiTypes) types = api_types_new();
    g_autoptr(MachinePorts) ports = machine_ports_new();
    const char *server = target->server != NULL ? target->server : "http://localhost:8080";
    const HttpTransportOptions options = {
        .server = server,
        .ca_pem = target->ca_pem,
        .client_cert_pem = target->cert_pem,
        .client_key_pem = target->key_pem,
        .token = target->token,
        .as_user = early_flag(argc, argv, "as", 0),
        .insecure = target->insecure,
        .types = types,
    };
    session->transport = http_transport_new(&options, error);
    if (session->transport == NULL)
        return 1;
    const KubectlEnv env = {
        .transport = session->transport,
        .ports = machine_ports(ports),
        .types = types,
        .namespace_ = target->namespace_,
        .wait = wait_for,
        .write = write_text,
        .read_file = read_file,
        .list_folder = list_folder,
        .edit = isatty(STDIN_FILENO) || g_getenv("KUBE_EDITOR") != NULL ? edit_text : NULL,
        .get_raw = get_raw,
        .kubeconfig = config,
        .save_kubeconfig = save_config,
        .server = server,
        .data = session,
    };
    guint signal = g_unix_signal_add(SIGINT, interrupt, session);
    int status = kubectl_run(&env, argc, argv);
    g_source_remove(signal);
    session->transport->ops->free(session->transport);
    return session->interrupted && status == 0 ? 130 : status;
}

static int
kubectl_command_run(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) config = NULL;
    Session session = {.sanitize = {false, isatty(STDOUT_FILENO), isatty(STDERR_FILENO)}};
    const char *name = take_name(&argc, argv);
    g_autoptr(KubeconfigTarget) target =
        choose_target(argc, argv, name, &config, &session.config_path, &error);
    int status = target != NULL ? run_session(&session, target, config, argc, argv, &error) : 1;
    g_free(session.config_path);
    if (error == NULL)
        return status;
    g_autofree char *safe = text_sanitize(error->message, strlen(error->message), TEXT_LINES);
    fprintf(stderr, "error: %s\n", safe);
    return 1;
}

extern const Command COMMAND_KUBECTL;

const Command COMMAND_KUBECTL = {"kubectl", "[--name N] COMMAND ...",
                                 N_("Talks to a cluster's API, as kubectl does"),
                                 kubectl_command_run};
