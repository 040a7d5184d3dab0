#include <signal.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/state.h"
#include "core/base/error.h"

#define STOP_SECONDS 30

/* Asks the process to end and waits until it let go of the cluster. */
static gboolean
stop(const ClusterState *state, GError **error)
{
    int pid = cluster_state_pid(state);
    if (pid == 0)
        return TRUE;
    if (kill(pid, SIGTERM) != 0)
        return fail(error, TIMONEL_ERROR_PERMISSION,
                    _("process %d, which runs the cluster, cannot be asked to stop"), pid);
    for (int i = 0; i < STOP_SECONDS * 50; i++) {
        if (cluster_state_pid(state) == 0)
            return TRUE;
        g_usleep(20000);
    }
    return fail(error, TIMONEL_ERROR_UNAVAILABLE,
                _("process %d did not stop within %d seconds"), pid, STOP_SECONDS);
}

static int
down_run(int argc, char **argv)
{
    extern const Command COMMAND_DOWN;
    g_autofree char *name = NULL;
    gboolean delete = FALSE;
    g_autoptr(GError) error = NULL;
    int status;
    const GOptionEntry entries[] = {
        {"name", 'n', 0, G_OPTION_ARG_STRING, &name, N_("The cluster"), "NAME"},
        {"delete", 0, 0, G_OPTION_ARG_NONE, &delete, N_("Remove all that it stored, too"), NULL},
        {NULL}};
    if (!command_parse(&COMMAND_DOWN, entries, &argc, &argv, &status))
        return status;
    if (name == NULL)
        return command_usage(&COMMAND_DOWN, _("which cluster? `timonel ls` lists them"));
    g_autoptr(ClusterState) state = cluster_state_new(name, &error);
    if (state != NULL && !cluster_state_exists(state))
        fail(&error, TIMONEL_ERROR_NOT_FOUND,
             _("there is no cluster called \"%s\"; `timonel ls` lists them"), name);
    if (error != NULL || !stop(state, &error) ||
        (delete && !cluster_state_delete(state, &error)))
        return command_failed(&COMMAND_DOWN, error);
    return EXIT_DONE;
}

const Command COMMAND_DOWN = {"down", "--name NAME [--delete]",
                              N_("Stops a cluster, and removes it with --delete"), down_run};
