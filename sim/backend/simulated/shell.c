#include "sim/backend/simulated/shell.h"
struct Shell { int unused; };
bool shell_knows(const struct SimulatedContainer *container, const char *word) { return false; }
Shell *shell_new(struct SimulatedContainer *container, const char *const *argv, ShellInput input, const ShellSink *sink, void *data) { return 0; }
void shell_free(Shell *shell) { }
void shell_input(Shell *shell, const char *bytes, size_t length) { }
bool shell_signal(Shell *shell, int signal) { return false; }
