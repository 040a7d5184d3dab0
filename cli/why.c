/* timonel why: asks a running cluster for the chain of causes that made an object what it is. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/https_get.h"
#include "cli/state.h"
#include "core/api/types.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/object/yaml.h"

#define WHY_PATH "/timonel/why?subject="

/* "pod/web-1" -> "Pod/default/web-1", "node/worker-1" -> "Node/worker-1". Owned; NULL with an error. */
static char *
subject_of(const char *word, const char *namespace_, GError **error)
{
    g_autoptr(ApiTypes) types = api_types_new();
    const char *slash = strchr(word, '/');
    if (slash == NULL || slash == word || slash[1] == '\0') {
        fail(error, TIMONEL_ERROR_INVALID, _("\"%s\": expected KIND/NAME, such as pod/web-1"), word);
        return NULL;
    }
    g_autofree char *kind_word = g_strndup(word, (gsize)(slash - word));
    const ApiKind *kind = api_types_lookup(types, kind_word);
    if (kind != NULL)
        return kind->namespaced ? g_strdup_printf("%s/%s/%s", kind->kind, namespace_, slash + 1)
                                : g_strdup_printf("%s/%s", kind->kind, slash + 1);
    g_auto(GStrv) near = api_types_near(types, kind_word, 3);
    g_autofree char *names = g_strjoinv(", ", near);
    fail(error, TIMONEL_ERROR_INVALID, _("no kind is called \"%s\"; near it are: %s"), kind_word, names);
    return NULL;
}

/* The cluster of that name, or the only one that runs. */
static ClusterState *
find_cluster(const char *name, GError **error)
{
    g_autoptr(ClusterState) found = NULL;
    if (name != NULL)
        found = cluster_state_new(name, error);
    g_auto(GStrv) names = name == NULL ? cluster_state_list() : NULL;
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        g_autoptr(ClusterState) state = cluster_state_new(names[i], NULL);
        if (state == NULL || cluster_state_pid(state) == 0)
            continue;
        if (found != NULL) {
            fail(error, TIMONEL_ERROR_INVALID,
                 _("several clusters run (%s and %s): say which with --name"), found->name, names[i]);
            return NULL;
        }
        found = g_steal_pointer(&state);
    }
    if (found != NULL && cluster_state_pid(found) != 0)
        return g_steal_pointer(&found);
    if (error != NULL && *error == NULL)
        fail(error, TIMONEL_ERROR_NOT_FOUND,
             name != NULL ? _("cluster \"%s\" does not run; `timonel up --name %s` starts it")
                          : _("no cluster runs; `timonel up` starts one"), name, name);
    return NULL;
}

static bool
ask(const ClusterState *state, const char *subject, int *ret_status, char **ret_text, GError **error)
{
    g_autofree char *config = NULL;
    if (!g_file_get_contents(state->kubeconfig, &config, NULL, error))
        return false;
    g_autoptr(Value) kubeconfig = yaml_parse(config, strlen(config), error);
    g_autofree char *escaped = g_uri_escape_string(subject, "/", FALSE);
    g_autofree char *path = g_strconcat(WHY_PATH, escaped, NULL);
    *ret_text = kubeconfig != NULL ? https_get(kubeconfig, path, ret_status, error) : NULL;
    return *ret_text != NULL;
}

static int
why_run(int argc, char **argv)
{
    extern const Command COMMAND_WHY;
    g_autofree char *name = NULL, *namespace_ = NULL, *text = NULL;
    g_autoptr(GError) error = NULL;
    int status, code = 0;
    const GOptionEntry entries[] = {
        {"name", 0, 0, G_OPTION_ARG_STRING, &name, N_("The cluster, when several run"), "NAME"},
        {"namespace", 'n', 0, G_OPTION_ARG_STRING, &namespace_, N_("The object's namespace; by default default"), "NAMESPACE"},
        {NULL}};
    if (!command_parse(&COMMAND_WHY, entries, &argc, &argv, &status))
        return status;
    if (argc != 2)
        return command_usage(&COMMAND_WHY, _("why what? Say KIND/NAME, such as pod/web-1"));
    g_autofree char *subject = subject_of(argv[1], namespace_ != NULL ? namespace_ : "default", &error);
    if (subject == NULL)
        return command_usage(&COMMAND_WHY, "%s", error->message);
    g_autoptr(ClusterState) state = find_cluster(name, &error);
    if (state == NULL || !ask(state, subject, &code, &text, &error))
        return command_failed(&COMMAND_WHY, error);
    if (code == 404)
        fail(&error, TIMONEL_ERROR_NOT_FOUND, _("nothing is known of %s"), subject);
    else if (code != 200)
        fail(&error, TIMONEL_ERROR_UNAVAILABLE, _("the cluster answered %d: %s"), code, text);
    if (error != NULL)
        return command_failed(&COMMAND_WHY, error);
    g_autofree char *safe = text_sanitize(text, strlen(text), TEXT_LINES);
    fputs(safe, stdout);
    return EXIT_DONE;
}

const Command COMMAND_WHY = {"why", "[--name NAME] [-n NAMESPACE] KIND/NAME",
                             N_("Says what made an object what it is, newest first"), why_run};
