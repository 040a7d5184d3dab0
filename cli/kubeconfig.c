#include "cli/kubeconfig.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/state.h"
#include "core/base/error.h"
#include "core/object/yaml.h"

static Value *
base64_of(const char *text)
{
    return value_new_string_take(g_base64_encode((const guchar *)text, strlen(text)));
}

Value *
kubeconfig_new(const char *name, const Pki *pki, const char *server)
{
    g_autofree char *token_context = g_strdup_printf("%s-token", name);
    g_autofree char *admin = g_strdup_printf("%s-admin", name);
    return value_new_f(
        "{apiVersion: v1, kind: Config, preferences: {}, current-context: %s,"
        " clusters: [{name: %s, cluster: {server: %s, certificate-authority-data: %V}}],"
        " users: [{name: %s, user: {client-certificate-data: %V, client-key-data: %V}},"
        "         {name: %s, user: {token: %s}}],"
        " contexts: [{name: %s, context: {cluster: %s, user: %s}},"
        "            {name: %s, context: {cluster: %s, user: %s}}]}",
        name, name, server, base64_of(pki->ca_cert), admin, base64_of(pki->admin_cert),
        base64_of(pki->admin_key), token_context, pki->token, name, name, admin, token_context,
        name, token_context);
}

static int
kubeconfig_run(int argc, char **argv)
{
    extern const Command COMMAND_KUBECONFIG;
    g_autofree char *name = NULL;
    g_autoptr(GError) error = NULL;
    int status;
    const GOptionEntry entries[] = {
        {"name", 'n', 0, G_OPTION_ARG_STRING, &name, N_("The cluster"), "NAME"}, {NULL}};
    if (!command_parse(&COMMAND_KUBECONFIG, entries, &argc, &argv, &status))
        return status;
    if (name == NULL)
        return command_usage(&COMMAND_KUBECONFIG, _("which cluster? `timonel ls` lists them"));
    g_autoptr(ClusterState) state = cluster_state_new(name, &error);
    if (state == NULL)
        return command_failed(&COMMAND_KUBECONFIG, error);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(state->kubeconfig, &text, NULL, NULL)) {
        fail(&error, TIMONEL_ERROR_NOT_FOUND,
             _("there is no cluster called \"%s\"; `timonel ls` lists them"), name);
        return command_failed(&COMMAND_KUBECONFIG, error);
    }
    fputs(text, stdout);
    return EXIT_DONE;
}

const Command COMMAND_KUBECONFIG = {"kubeconfig", "--name NAME",
                                    N_("Prints the kubeconfig of a cluster"), kubeconfig_run};
