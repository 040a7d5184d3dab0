/* Timonel: a Kubernetes that fits in one C program. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/language.h"

int
main(int argc, char **argv)
{
    language_init();
    signal(SIGPIPE, SIG_IGN);

    const char *program = strrchr(argv[0], '/');
    program = program != NULL ? program + 1 : argv[0];
    if (strcmp(program, "kubectl") == 0 && command_find("kubectl") != NULL)
        return command_find("kubectl")->run(argc, argv);
    if (argc < 2)
        return command_find("help")->run(1, argv);
    if (strcmp(argv[1], "--version") == 0)
        return command_find("version")->run(1, argv);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return command_find("help")->run(1, argv);
    const Command *command = command_find(argv[1]);
    if (command == NULL) {
        fprintf(stderr, _("timonel: no command is called \"%s\"; `timonel help` lists them\n"),
                argv[1]);
        return EXIT_USAGE;
    }
    return command->run(argc - 1, argv + 1);
}
