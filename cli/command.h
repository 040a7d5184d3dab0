/* The commands that a person types: one file a command, one line in the table of commands.c. */
#pragma once

#include <glib.h>
#include <glib/gi18n.h>

/* Exit statuses, as docs say: 0 done, 1 it failed, 2 the command line is wrong, 3 an expectation of a scenario or lesson
 * was not met. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_UNMET = 3 };

typedef struct Command {
    const char *name;
    const char *arguments; /* "[--name N] FILE", for the usage line */
    const char *summary;   /* one line, translatable (N_) */
    /* argv[0] is the command's own name. Returns an exit status. */
    int (*run)(int argc, char **argv);
} Command;

/* Ends with a NULL name. */
extern const Command *const COMMANDS[];
const Command *command_find(const char *name);

/* Prints "timonel NAME: message" to standard error (sanitized) and returns EXIT_FAILED. */
int command_failed(const Command *command, const GError *error);
/* The same for a wrong command line, with the usage line: EXIT_USAGE. */
int command_usage(const Command *command, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Parses options by GLib (entries end with {NULL}); --help prints and ends. On success what remains in argv are the
 * arguments. False: *ret_status is the exit status. */
gboolean command_parse(const Command *command, const GOptionEntry *entries, int *argc, char ***argv, int *ret_status);
/* A message in the person's language: for worlds, scenarios and lessons, which do not know gettext. No data. */
const char *command_translate(const char *message_id, void *data);
