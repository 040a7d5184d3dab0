#include "cli/command.h"

#include <stdio.h>

static int
help_run(int argc, char **argv)
{
    if (argc > 1) {
        const Command *command = command_find(argv[1]);
        extern const Command COMMAND_HELP;
        if (command == NULL)
            return command_usage(&COMMAND_HELP, _("no command is called \"%s\""), argv[1]);
        printf("timonel %s %s\n  %s\n", command->name, command->arguments, _(command->summary));
        return EXIT_DONE;
    }
    printf("%s\n\n", _("Timonel: a Kubernetes to see, to break, to repair and to run."));
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        printf("  %-12s %s\n", COMMANDS[i]->name, _(COMMANDS[i]->summary));
    printf("\n%s\n", _("`timonel COMMAND --help` says more of each."));
    return EXIT_DONE;
}

const Command COMMAND_HELP = {"help", "[COMMAND]", N_("Lists the commands"), help_run};
