#include <stdio.h>

#include "cli/command.h"
#include "cli/state.h"

static int
ls_run(int argc, char **argv)
{
    extern const Command COMMAND_LS;
    int status;
    if (!command_parse(&COMMAND_LS, NULL, &argc, &argv, &status))
        return status;
    g_auto(GStrv) names = cluster_state_list();
    if (names[0] == NULL) {
        fprintf(stderr, "%s\n", _("There is no cluster yet: `timonel up --name NAME` makes one."));
        return EXIT_DONE;
    }
    printf("%-24s %-10s %s\n", "NAME", "STATUS", "KUBECONFIG");
    for (size_t i = 0; names[i] != NULL; i++) {
        g_autoptr(ClusterState) state = cluster_state_new(names[i], NULL);
        int pid = cluster_state_pid(state);
        printf("%-24s %-10s %s\n", names[i], pid != 0 ? "Running" : "Stopped", state->kubeconfig);
    }
    return EXIT_DONE;
}

const Command COMMAND_LS = {"ls", "", N_("Lists the clusters of this machine"), ls_run};
