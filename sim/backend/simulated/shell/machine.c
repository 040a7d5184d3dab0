/* The control of a Shell: running, signals, input and jobs. See machine.h for the idea.
 *
 * Invariants: an event is pending exactly when the shell can go on by itself or waits for time; a shell that waits for
 * input, for its jobs or for an answer has none. A frame's io holds references. The root frame's end ends the shell. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

static void run_event(void *data);

/* ---- unwinding, traps, running ---- */

static void
unwind_one(Shell *shell)
{
    Frame *frame = frame_top(shell);
    bool loop = frame->node->kind == NODE_WHILE || frame->node->kind == NODE_UNTIL || frame->node->kind == NODE_FOR;
    if (shell->unwind == UNWIND_CONTINUE && loop && shell->unwind_count <= 1) {
        shell->unwind = UNWIND_NONE;
        frame->step = 0;
        return;
    }
    bool ends_here = (shell->unwind == UNWIND_BREAK && loop && shell->unwind_count <= 1) ||
                     (shell->unwind == UNWIND_RETURN && frame->function);
    if (loop && (shell->unwind == UNWIND_BREAK || shell->unwind == UNWIND_CONTINUE))
        shell->unwind_count--;
    frame_pop(shell);
    if (ends_here)
        shell->unwind = UNWIND_NONE;
}

static bool
start_trap(Shell *shell)
{
    for (int i = 1; i < SHELL_TRAPS; i++) {
        if ((shell->pending_traps & (1u << i)) == 0 || shell->traps[i] == NULL)
            continue;
        shell->pending_traps &= ~(1u << i);
        g_autofree char *error = NULL;
        ShellNode *script = shell_parse(shell->traps[i], &error);
        if (script != NULL)
            shell_push(shell, script, script, &shell->io);
        return script != NULL;
    }
    return false;
}

static void
show_prompt(Shell *shell)
{
    if (!shell->tty)
        return;
    g_autofree char *prompt = g_strdup_printf("%s # ", shell->scope->directory);
    shell_write_terminal(shell, 1, prompt, strlen(prompt));
}

/* The next line of an interactive shell. False: it waits, or is over. */
static bool
read_command(Shell *shell)
{
    Source *source = shell->input;
    const char *start = source->buffer->str + source->position, *newline = strchr(start, '\n');
    if (newline == NULL && source->open) {
        shell->waits_for_input = true;
        return false;
    }
    if (newline == NULL && *start == '\0') {
        shell_end(shell, shell->status);
        return false;
    }
    g_autofree char *line = newline != NULL ? g_strndup(start, (size_t)(newline - start)) : g_strdup(start), *error = NULL;
    source->position += strlen(line) + (newline != NULL);
    ShellNode *script = shell_parse(line, &error);
    if (script == NULL) {
        g_autofree char *text = g_strdup_printf("sh: %s\n", error);
        sink_write(shell, shell->io.err, text, strlen(text));
        shell->status = 2;
        show_prompt(shell);
        return true;
    }
    shell_push(shell, script, script, &shell->io);
    return true;
}

static bool
run_step(Shell *shell)
{
    if (shell->unwind != UNWIND_NONE && shell->frames->len > 0) {
        unwind_one(shell);
        return true;
    }
    if (shell->pending_traps != 0 && !shell->in_trap && shell->unwind == UNWIND_NONE && start_trap(shell))
        return true;
    if (shell->frames->len > 0) {
        bool goes_on = shell_step(shell);
        if (shell->frames->len == 0 && shell->interactive && shell->unwind == UNWIND_NONE)
            show_prompt(shell);
        return goes_on;
    }
    if (shell->interactive && shell->unwind != UNWIND_EXIT) {
        shell->unwind = UNWIND_NONE;
        return read_command(shell);
    }
    if (shell->traps[0] != NULL) {
        g_autofree char *text = g_steal_pointer(&shell->traps[0]), *error = NULL;
        ShellNode *script = shell_parse(text, &error);
        shell->unwind = UNWIND_NONE;
        if (script != NULL && shell_push(shell, script, script, &shell->io))
            return true;
    }
    shell_end(shell, shell->status);
    return false;
}

static void
run_event(void *data)
{
    Shell *shell = data;
    SimulatedContainer *container = shell->container;
    shell->event = 0;
    shell->waits_for_input = shell->waits_for_jobs = false;
    while (shell->finished->len > 0) {
        shell_free(shell->finished->pdata[shell->finished->len - 1]);
        g_ptr_array_set_size(shell->finished, (gint)shell->finished->len - 1);
    }
    bool goes_on = true;
    shell->running = true;
    for (int steps = 0; goes_on && steps < SHELL_STEPS_PER_EVENT; steps++) {
        container->cpu_extra_ns += SHELL_STEP_NS;
        goes_on = run_step(shell) && !shell->doomed && !shell->ended;
    }
    shell->running = false;
    if (shell->doomed)
        shell_free(shell);
    else if (goes_on)
        shell_schedule(shell, SHELL_STEPS_PER_EVENT * SHELL_STEP_NS);
}

Engine *
shell_engine(const Shell *shell)
{
    return container_node(shell->container)->backend->engine;
}

void
shell_schedule(Shell *shell, int64_t delay_ns)
{
    engine_cancel_slot(shell_engine(shell), &shell->event);
    shell->event = engine_in(shell_engine(shell), NULL, delay_ns, run_event, shell);
}

/* ---- jobs ---- */

static void
job_output(int stream, const char *bytes, size_t length, void *data)
{
    Shell *parent = ((Shell *)data)->parent;
    parent->sink.output(stream, bytes, length, parent->data);
}

/* A job is freed by its parent's next event, since this is its own. */
static void
job_ended(int exit_code, void *data)
{
    Shell *job = data, *parent = job->parent;
    g_ptr_array_remove(parent->jobs, job);
    g_ptr_array_add(parent->finished, job);
    parent->status = parent->waits_for_jobs ? exit_code : parent->status;
    if (parent->waits_for_jobs && parent->event == 0)
        shell_schedule(parent, 0);
}

static Shell *
shell_alloc(SimulatedContainer *container)
{
    Shell *shell = g_new0(Shell, 1);
    shell->container = container;
    shell->frames = g_ptr_array_new_with_free_func(frame_free);
    shell->nodes = g_ptr_array_new_with_free_func(shell_node_free);
    shell->functions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    shell->jobs = g_ptr_array_new();
    shell->finished = g_ptr_array_new();
    shell->line = g_string_new(NULL);
    return shell;
}

bool
shell_start_job(Shell *shell, const ShellNode *node, const Io *io)
{
    if (shell->jobs->len >= SHELL_JOBS_MAX || shell->parent != NULL)
        return false;
    Shell *job = shell_alloc(shell->container);
    job->parent = shell;
    job->sink = (ShellSink){.output = job_output, .ended = job_ended};
    job->data = job;
    job->scope = scope_copy(shell->scope);
    job->name = g_strdup(shell->name);
    job->input = source_new("", 0);
    job->io = (Io){source_new("", 0), sink_ref(io->out), sink_ref(io->err)};
    job->job_number = shell->last_job = ++shell->job_number + 1;
    GHashTableIter iter;
    gpointer name, function;
    g_hash_table_iter_init(&iter, shell->functions);
    while (g_hash_table_iter_next(&iter, &name, &function)) /* into another table: order does not matter */
        g_hash_table_insert(job->functions, g_strdup(name), function);
    shell_push(job, node, NULL, &job->io);
    g_ptr_array_add(shell->jobs, job);
    shell_schedule(job, SHELL_STEP_NS);
    return true;
}

void
shell_kill_job(Shell *shell, Shell *job)
{
    engine_cancel_slot(shell_engine(job), &job->event);
    shell_end(job, 143);
}

/* ---- life ---- */

void
shell_end(Shell *shell, int status)
{
    if (shell->ended)
        return;
    shell->ended = true;
    engine_cancel_slot(shell_engine(shell), &shell->event);
    shell->sink.ended(status & 255, shell->data); /* it may be freed now */
}

void
shell_free(Shell *shell)
{
    if (shell == NULL)
        return;
    if (shell->running) { /* in its own event */
        shell->doomed = shell->ended = true;
        return;
    }
    engine_cancel_slot(shell_engine(shell), &shell->event);
    for (guint i = 0; i < shell->jobs->len; i++)
        shell_free(shell->jobs->pdata[i]);
    for (guint i = 0; i < shell->finished->len; i++)
        shell_free(shell->finished->pdata[i]);
    g_ptr_array_unref(shell->frames);
    g_ptr_array_unref(shell->jobs);
    g_ptr_array_unref(shell->finished);
    g_hash_table_unref(shell->functions);
    g_ptr_array_unref(shell->nodes);
    scope_free(shell->scope);
    source_unref(shell->input);
    io_clear(&shell->io);
    for (int i = 0; i < SHELL_TRAPS; i++)
        g_free(shell->traps[i]);
    g_string_free(shell->line, TRUE);
    g_free(shell->name);
    g_free(shell);
}

static void
set_default(Shell *shell, const char *name, const char *value)
{
    if (shell_get(shell, name) == NULL)
        shell_set(shell, name, value, true);
}

static void
start_scope(Shell *shell)
{
    const SimulatedContainer *container = shell->container;
    const char *directory = container->working_dir != NULL ? container->working_dir : container->model->working_dir;
    shell->scope = scope_new();
    shell->scope->directory = g_strdup(directory != NULL ? directory : "/");
    for (size_t i = 0; i < value_size(container->model->env); i++)
        shell_set(shell, value_key_at(container->model->env, i), value_text(value_value_at(container->model->env, i)), true);
    for (const char *const *entry = container->env; *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        g_autofree char *name = equals != NULL ? g_strndup(*entry, (size_t)(equals - *entry)) : NULL;
        if (name != NULL)
            shell_set(shell, name, equals + 1, true);
    }
    set_default(shell, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    set_default(shell, "HOME", "/root");
    set_default(shell, "HOSTNAME", container->sandbox->hostname);
}

/* The script of argv: of `sh -c TEXT`, of `sh FILE`, or argv itself as one command. NULL: an interactive shell. */
static char *
find_script(Shell *shell, const char *const *argv)
{
    const char *base = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
    bool is_shell = strcmp(base, "sh") == 0 || strcmp(base, "bash") == 0 || strcmp(base, "ash") == 0 || strcmp(base, "dash") == 0;
    if (!is_shell) {
        GString *script = g_string_new(NULL);
        for (; *argv != NULL; argv++) {
            g_autofree char *quoted = g_shell_quote(*argv);
            g_string_append_printf(script, "%s ", quoted);
        }
        shell->single = true;
        return g_string_free(script, FALSE);
    }
    bool command = false;
    for (argv++; *argv != NULL && ((*argv)[0] == '-' || (*argv)[0] == '+'); argv++) {
        shell->errexit = shell->errexit || ((*argv)[1] != '-' && strchr(*argv, 'e') != NULL);
        shell->trace = shell->trace || ((*argv)[1] != '-' && strchr(*argv, 'x') != NULL);
        command = command || ((*argv)[1] != '-' && strchr(*argv, 'c') != NULL);
    }
    if (*argv == NULL)
        return NULL;
    const char *first = *argv++, *text = first;
    size_t length = strlen(first);
    if (command && *argv != NULL) {
        g_free(shell->name);
        shell->name = g_strdup(*argv++);
    }
    for (; *argv != NULL; argv++)
        g_ptr_array_add(shell->scope->parameters, g_strdup(*argv));
    g_autofree char *clean = command ? NULL : file_path_normalise(shell->scope->directory, first);
    g_autofree char *path = g_strconcat("/", clean != NULL ? clean : "", NULL);
    if (!command && container_read_file(shell->container, path, &text, &length) != FILE_OK)
        return g_strdup_printf("echo \"sh: can't open '%s': No such file or directory\" >&2; exit 2", first);
    return g_strndup(text, length);
}

static bool
is_one_command(const ShellNode *node)
{
    while (node->kind == NODE_SEQUENCE && node->children->len == 1)
        node = node->children->pdata[0];
    return node->kind == NODE_SIMPLE;
}

Shell *
shell_new(SimulatedContainer *container, const char *const *argv, ShellInput input, const ShellSink *sink, void *data)
{
    Shell *shell = shell_alloc(container);
    shell->sink = *sink;
    shell->data = data;
    shell->name = g_strdup("sh");
    shell->tty = input == SHELL_INPUT_TTY;
    start_scope(shell);
    shell->input = source_new("", 0);
    shell->input->open = input != SHELL_INPUT_NONE;
    shell->io = (Io){source_ref(shell->input), sink_new(SINK_OUTPUT), sink_new(SINK_OUTPUT)};
    shell->io.err->stream = 2;
    g_autofree char *text = find_script(shell, argv), *error = NULL;
    ShellNode *script = text != NULL ? shell_parse(text, &error) : NULL;
    if (script != NULL) {
        shell->single = shell->single || is_one_command(script);
        shell_push(shell, script, script, &shell->io);
    } else if (text != NULL) {
        g_autofree char *message = g_strdup_printf("sh: %s\n", error);
        sink_write(shell, shell->io.err, message, strlen(message));
        shell->status = 2;
    } else {
        shell->interactive = true;
        show_prompt(shell);
    }
    shell_schedule(shell, NS_PER_MS);
    return shell;
}

/* ---- input and signals ---- */

static void
wake(Shell *shell)
{
    if (shell->waits_for_input && shell->event == 0)
        shell_schedule(shell, SHELL_STEP_NS);
}

static void
type_byte(Shell *shell, char c)
{
    if (c == '\r' || c == '\n') {
        shell_write_terminal(shell, 1, "\n", 1);
        g_string_append_c(shell->line, '\n');
        g_string_append_len(shell->input->buffer, shell->line->str, (gssize)shell->line->len);
        g_string_truncate(shell->line, 0);
    } else if (c == 0x04) {
        shell->input->open = shell->input->open && shell->line->len > 0;
    } else if (c == 0x7f || c == '\b') {
        if (shell->line->len > 0) {
            g_string_truncate(shell->line, shell->line->len - 1);
            shell->sink.output(1, "\b \b", 3, shell->data);
        }
    } else if (c == 0x03) {
        g_string_truncate(shell->line, 0);
        shell_write_terminal(shell, 1, "^C\n", 3);
        shell->unwind = UNWIND_BREAK;
        shell->unwind_count = SHELL_FRAMES_MAX;
        shell->status = 130;
        shell_schedule(shell, SHELL_STEP_NS);
    } else if (shell->line->len < SHELL_TEXT_MAX) {
        g_string_append_c(shell->line, c);
        shell->sink.output(1, &c, 1, shell->data);
    }
}

void
shell_input(Shell *shell, const char *bytes, size_t length)
{
    if (length == 0)
        shell->input->open = false;
    if (shell->tty)
        for (size_t i = 0; i < length; i++)
            type_byte(shell, bytes[i]);
    else if (shell->input->buffer->len - shell->input->position + length <= 16 * SHELL_TEXT_MAX)
        g_string_append_len(shell->input->buffer, bytes, (gssize)length);
    wake(shell);
}

int
shell_find_signal(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"EXIT", 0}, {"HUP", 1}, {"INT", 2}, {"QUIT", 3}, {"KILL", 9}, {"USR1", 10}, {"USR2", 12}, {"TERM", 15}};
    if (g_str_has_prefix(name, "SIG"))
        name += 3;
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        if (g_ascii_strcasecmp(signals[i].name, name) == 0)
            return signals[i].number;
    return g_ascii_isdigit(*name) && g_ascii_strtoull(name, NULL, 10) < SHELL_TRAPS ? (int)g_ascii_strtoull(name, NULL, 10)
                                                                                   : -1;
}

static void
program_was_stopped(void *data)
{
    Shell *shell = data;
    shell->event = 0;
    shell_end(shell, 0);
}

bool
shell_signal(Shell *shell, int signal)
{
    if (signal > 0 && signal < SHELL_TRAPS && shell->traps[signal] != NULL) {
        shell->pending_traps |= 1u << signal;
        if (shell->waits_for_jobs || shell->waits_for_input)
            shell_schedule(shell, SHELL_STEP_NS);
        return true;
    }
    bool own_program = shell->container->program_running && (shell->single || shell->exec);
    if (own_program) {
        engine_cancel_slot(shell_engine(shell), &shell->event);
        shell->event = engine_in(shell_engine(shell), NULL, shell->container->model->stop_ns, program_was_stopped, shell);
    }
    return own_program;
}
