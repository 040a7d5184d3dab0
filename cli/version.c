#include "cli/command.h"

#include <stdio.h>

#include "core/apiserver/apiserver.h"

static int
version_run(int argc, char **argv)
{
    printf("timonel %s (Kubernetes %s)\n", TIMONEL_VERSION, API_SERVER_GIT_VERSION);
    return EXIT_DONE;
}

const Command COMMAND_VERSION = {"version", "", N_("Prints the version"), version_run};
