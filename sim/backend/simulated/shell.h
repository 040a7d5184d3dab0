/* A small POSIX shell with the small programs that tutorials use, run as events in virtual time. One Shell is one process
 * tree in a container: its main process, or an exec. Every step costs processor time of the model; loops without sleep
 * advance by virtual time, so that no script can hold the engine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct Shell Shell;
struct SimulatedContainer;

typedef struct ShellSink {
    void (*output)(int stream, const char *bytes, size_t length, void *data);
    /* Not called when the shell is freed or killed. The shell may be freed in it. */
    void (*ended)(int exit_code, void *data);
} ShellSink;

typedef enum { SHELL_INPUT_NONE, SHELL_INPUT_OPEN, SHELL_INPUT_TTY } ShellInput;

/* Whether a command can be run by a Shell in this container: a shell, a small program or the image's own. */
bool shell_knows(const struct SimulatedContainer *container, const char *word);
/* Runs argv (["sh", "-c", "..."], ["cat", "/x"]) from the next event on. */
Shell *shell_new(struct SimulatedContainer *container, const char *const *argv, ShellInput input, const ShellSink *sink,
                 void *data);
void shell_free(Shell *shell);
/* Standard input; length 0 ends it. */
void shell_input(Shell *shell, const char *bytes, size_t length);
/* A signal as process 1 of its namespace gets it: true when a trap takes it; false: it is ignored (as the kernel
 * does for process 1) and only SIGKILL helps. */
bool shell_signal(Shell *shell, int signal);
