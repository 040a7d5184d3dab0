#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"

extern const Command COMMAND_UP, COMMAND_LEARN, COMMAND_RUN, COMMAND_WHY, COMMAND_KUBECTL, COMMAND_LS,
    COMMAND_DOWN, COMMAND_KUBECONFIG, COMMAND_BENCH, COMMAND_VERSION, COMMAND_HELP;

const Command *const COMMANDS[] = {
    &COMMAND_UP,   &COMMAND_LEARN,      &COMMAND_RUN,   &COMMAND_WHY,     &COMMAND_KUBECTL, &COMMAND_LS,
    &COMMAND_DOWN, &COMMAND_KUBECONFIG, &COMMAND_BENCH, &COMMAND_VERSION, &COMMAND_HELP,    NULL,
};

const Command *
command_find(const char *name)
{
    for (size_t i = 0; COMMANDS[i] != NULL; i++)
        if (strcmp(COMMANDS[i]->name, name) == 0)
            return COMMANDS[i];
    return NULL;
}

int
command_failed(const Command *command, const GError *error)
{
    g_autofree char *safe = text_sanitize(error->message, strlen(error->message), TEXT_LINES);
    fprintf(stderr, "timonel %s: %s\n", command->name, safe);
    return EXIT_FAILED;
}

int
command_usage(const Command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_sanitize(message, strlen(message), TEXT_LINES);
    fprintf(stderr, "timonel %s: %s\n", command->name, safe);
    fprintf(stderr, _("Usage: timonel %s %s\n"), command->name, command->arguments);
    return EXIT_USAGE;
}

gboolean
command_parse(const Command *command, const GOptionEntry *entries, int *argc, char ***argv,
              int *ret_status)
{
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
    g_autofree char *program = g_strdup_printf("timonel %s", command->name);
    g_autoptr(GError) error = NULL;
    g_set_prgname(program);
    g_option_context_set_summary(context, _(command->summary));
    g_option_context_set_translation_domain(context, "timonel");
    if (entries != NULL)
        g_option_context_add_main_entries(context, entries, "timonel");
    g_option_context_set_help_enabled(context, FALSE);
    for (int i = 1; i < *argc && strcmp((*argv)[i], "--") != 0; i++) {
        if (strcmp((*argv)[i], "--help") == 0 || strcmp((*argv)[i], "-h") == 0) {
            g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
            fputs(help, stdout);
            *ret_status = EXIT_DONE;
            return FALSE;
        }
    }
    if (g_option_context_parse(context, argc, argv, &error))
        return TRUE;
    *ret_status = command_usage(command, "%s", error->message);
    return FALSE;
}

const char *
command_translate(const char *message_id, void *data)
{
    return _(message_id);
}
