#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/application.h"
#include "cli/clusters.h"
#include "cli/command.h"
#include "cli/kubeconfig.h"
#include "cli/state.h"
#include "cli/world_kubectl.h"
#include "core/base/error.h"
#include "core/object/yaml.h"
#include "sim/world/live.h"
#include "tui/tui.h"

#define PORT_DEFAULT 6443

typedef struct UpOptions {
    char *name, *cluster, *backend, *listen, *pace, *application;
    gboolean headless, ascii;
    int nodes;
    gint64 seed;
} UpOptions;

static void
up_options_clear(UpOptions *options)
{
    g_free(options->name);
    g_free(options->cluster);
    g_free(options->backend);
    g_free(options->listen);
    g_free(options->pace);
    g_free(options->application);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UpOptions, up_options_clear)

/* "ADDRESS:PORT", "ADDRESS" or ":PORT". */
static gboolean
parse_listen(const char *text, char **ret_address, guint16 *ret_port, GError **error)
{
    const char *colon = strrchr(text, ':');
    guint64 port = PORT_DEFAULT;
    if (colon != NULL && !g_ascii_string_to_unsigned(colon + 1, 10, 0, 65535, &port, NULL))
        return fail(error, TIMONEL_ERROR_INVALID,
                    _("--listen %s: the port must be a number from 0 to 65535"), text);
    *ret_address = colon == NULL ? g_strdup(text) : g_strndup(text, (gsize)(colon - text));
    if (**ret_address == '\0') {
        g_free(*ret_address);
        *ret_address = g_strdup("127.0.0.1");
    }
    *ret_port = (guint16)port;
    return TRUE;
}

/* The document that a stored cluster was made of, or the one asked for. */
static Value *
choose_document(const UpOptions *options, const ClusterState *state, GError **error)
{
    if (cluster_state_exists(state)) {
        if (options->cluster != NULL || options->nodes >= 0) {
            fail(error, TIMONEL_ERROR_EXISTS,
                 _("cluster \"%s\" exists already and keeps its nodes; remove it with `timonel "
                   "down --name %s --delete` to make another"),
                 state->name, state->name);
            return NULL;
        }
        return cluster_document_load(state->document, -1, error);
    }
    return cluster_document_load(options->cluster != NULL ? options->cluster : "default",
                                 options->nodes, error);
}

static gboolean
write_kubeconfig(const ClusterState *state, const Pki *pki, const char *address, guint16 port,
                 GError **error)
{
    g_autofree char *server = g_strdup_printf("https://%s:%u", address, port);
    g_autoptr(Value) config =
        kubeconfig_new(state->name != NULL ? state->name : "timonel", pki, server);
    g_autofree char *text = yaml_text(config);
    return g_file_set_contents_full(state->kubeconfig, text, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

static gboolean
write_document(const ClusterState *state, const Value *document, GError **error)
{
    g_autofree char *text = yaml_text(document);
    return g_file_set_contents_full(state->document, text, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

typedef struct Session {
    UpOptions *options;
    ClusterState *state;
    Pki *pki;
    Value *document;
    Live *live;
    char *address;
    GMainLoop *loop;
} Session;

static void
session_clear(Session *session)
{
    live_free(session->live);
    value_unref(session->document);
    pki_free(session->pki);
    cluster_state_free(session->state);
    g_free(session->address);
    g_clear_pointer(&session->loop, g_main_loop_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

/* Starts serving; when no port was asked for and the usual one is taken, any free one will do. */
static gboolean
session_serve(Session *session, guint16 port, GError **error)
{
    const UpOptions *options = session->options;
    g_autoptr(GError) first = NULL;
    for (int attempt = 0; attempt < 2; attempt++) {
        const LiveOptions live = {.cluster = session->document,
                                  .seed = (uint64_t)options->seed,
                                  .at_machine_time = true,
                                  .store_path =
                                      options->name != NULL ? session->state->store : NULL,
                                  .pki = session->pki,
                                  .translate = command_translate,
                                  .address = session->address,
                                  .port = attempt == 0 ? port : 0};
        session->live = live_new(&live, attempt == 0 ? &first : error);
        bool taken = session->live == NULL && attempt == 0 && options->listen == NULL &&
                     g_error_matches(first, TIMONEL_ERROR, TIMONEL_ERROR_EXISTS);
        if (session->live != NULL || !taken)
            break;
    }
    if (session->live == NULL && error != NULL && *error == NULL)
        g_propagate_error(error, g_steal_pointer(&first));
    return session->live != NULL;
}

static gboolean
set_pace(Session *session, GError **error)
{
    const char *pace = session->options->pace != NULL ? session->options->pace : "1";
    if (live_set_pace(session->live, pace, error))
        return TRUE;
    g_prefix_error(error, "--pace %s: ", pace);
    return FALSE;
}

static gboolean
session_start(Session *session, GError **error)
{
    const UpOptions *options = session->options;
    guint16 port = PORT_DEFAULT;
    session->state = cluster_state_new(options->name, error);
    if (session->state == NULL ||
        (session->document = choose_document(options, session->state, error)) == NULL ||
        !parse_listen(options->listen != NULL ? options->listen : "127.0.0.1", &session->address,
                      &port, error) ||
        !cluster_state_lock(session->state, error))
        return FALSE;
    const char *const names[] = {session->address, "127.0.0.1", "localhost", "kubernetes",
                                 "kubernetes.default", NULL};
    session->pki = pki_open(session->state->pki, names, error);
    return session->pki != NULL && session_serve(session, port, error) &&
           write_kubeconfig(session->state, session->pki, session->address,
                            live_port(session->live), error) &&
           write_document(session->state, session->document, error) &&
           set_pace(session, error);
}

static gboolean
quit(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_CONTINUE;
}

static int
run_headless(Session *session)
{
    session->loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGINT, quit, session->loop);
    g_unix_signal_add(SIGTERM, quit, session->loop);
    g_unix_signal_add(SIGHUP, quit, session->loop);
    printf("ready\n%s\n", session->state->kubeconfig);
    fflush(stdout);
    g_main_loop_run(session->loop);
    return EXIT_DONE;
}

static int
dashboard_kubectl(Live *live, const char *line, const TuiOutput *output, void *data)
{
    const WorldKubectl kubectl = {.live = live,
                                  .write = output->write,
                                  .cancelled = output->cancelled,
                                  .data = output->data};
    return world_kubectl_line(&kubectl, line);
}

static char **
dashboard_complete(Live *live, const char *line, void *data)
{
    const WorldKubectl kubectl = {.live = live};
    return world_kubectl_complete(&kubectl, line);
}

/* Leaving the dashboard stops the cluster, or lets it go on in this process until a signal. */
static int
run_dashboard(Session *session, GError **error)
{
    const char *no_colour = g_getenv("NO_COLOR");
    const TuiOptions options = {
        .cluster_name = session->state->name != NULL ? session->state->name : "timonel",
        .kubeconfig = session->state->kubeconfig,
        .colour = no_colour == NULL || *no_colour == '\0',
        .ascii = session->options->ascii,
        .can_keep = true,
        .kubectl = dashboard_kubectl,
        .complete = dashboard_complete,
    };
    int outcome = tui_run(session->live, &options, error);
    if (outcome == TUI_FAILED)
        return EXIT_FAILED;
    return outcome == TUI_KEEP ? run_headless(session) : EXIT_DONE;
}

/* What is to be applied, or NULL. The images of the sample application exist in the simulation only. */
static const char *
application_name(const UpOptions *options)
{
    const bool is_real = g_strcmp0(options->backend, "runc") == 0;
    const char *name = options->application;
    if (name == NULL)
        return options->name == NULL && !options->headless && !is_real ? "drone-tracker" : NULL;
    return strcmp(name, "none") != 0 ? name : NULL;
}

/* Nobody looks: tell what happens in lines, as fast as it goes, and end once the application is available. */
static int
run_plain(Session *session, GError **error)
{
    live_pause(session->live);
    return application_watch_plain(session->live, error) ? EXIT_DONE : EXIT_FAILED;
}

static int
up_run(int argc, char **argv)
{
    extern const Command COMMAND_UP;
    g_auto(UpOptions) options = {.nodes = -1};
    g_autoptr(GError) error = NULL;
    int status;
    const GOptionEntry entries[] = {
        {"name", 'n', 0, G_OPTION_ARG_STRING, &options.name,
         N_("A name: its state is kept on disk"), "NAME"},
        {"cluster", 'c', 0, G_OPTION_ARG_STRING, &options.cluster,
         N_("A cluster file, or a built-in one: default, windows"), "FILE"},
        {"backend", 0, 0, G_OPTION_ARG_STRING, &options.backend,
         N_("simulated, or runc: real containers on this machine"), "NAME"},
        {"nodes", 0, 0, G_OPTION_ARG_INT, &options.nodes, N_("How many worker nodes"), "K"},
        {"headless", 0, 0, G_OPTION_ARG_NONE, &options.headless,
         N_("Serve only, without a dashboard, until a signal"), NULL},
        {"ascii", 0, 0, G_OPTION_ARG_NONE, &options.ascii,
         N_("Draw the dashboard with ASCII characters only"), NULL},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &options.listen,
         N_("Where the API listens; by default 127.0.0.1:6443, or any free port"), "ADDRESS:PORT"},
        {"pace", 0, 0, G_OPTION_ARG_STRING, &options.pace,
         N_("max, or a factor of life's pace; by default 1"), "PACE"},
        {"app", 0, 0, G_OPTION_ARG_STRING, &options.application,
         N_("What to apply: a file, a built-in application or none; by default drone-tracker for "
            "a cluster without a name"),
         "NAME"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options.seed, N_("Seed of all that is random"), "N"},
        {NULL}};
    if (!command_parse(&COMMAND_UP, entries, &argc, &argv, &status))
        return status;
    if (argc > 1)
        return command_usage(&COMMAND_UP, _("unexpected argument \"%s\""), argv[1]);
    if (options.backend != NULL && strcmp(options.backend, "runc") != 0 &&
        strcmp(options.backend, "simulated") != 0)
        return command_usage(&COMMAND_UP, _("--backend %s: expected simulated or runc"),
                             options.backend);
    if (g_strcmp0(options.backend, "runc") == 0 && options.cluster == NULL)
        options.cluster = g_strdup("real");
    g_auto(Session) session = {.options = &options};
    if (!session_start(&session, &error))
        return command_failed(&COMMAND_UP, error);
    const char *application = application_name(&options);
    if (application != NULL && !application_apply(session.live, application, &error))
        return command_failed(&COMMAND_UP, error);
    const bool looked_at = isatty(STDOUT_FILENO);
    if (options.headless || (!looked_at && application == NULL))
        return run_headless(&session);
    printf("export KUBECONFIG=%s\n", session.state->kubeconfig);
    fflush(stdout);
    status = looked_at ? run_dashboard(&session, &error) : run_plain(&session, &error);
    return error != NULL ? command_failed(&COMMAND_UP, error) : status;
}

const Command COMMAND_UP = {"up", "[--name NAME] [--headless] [--nodes K] ...",
                            N_("Starts a cluster"), up_run};
