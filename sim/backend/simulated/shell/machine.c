/* The control of a Shell: frames, flow, signals, input and jobs. See machine.h for the idea.
 *
 * Invariants: an event is pending exactly when the shell can go on by itself or waits for time; a shell that waits for
 * input, for its jobs or for an answer has none. A frame's io holds references. The root frame's end ends the shell. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

static void run_event(void *data);
static void end_shell(Shell *shell, int status);

/* ---- sinks and sources ---- */

Sink *
sink_new(SinkKind kind)
{
    Sink *sink = g_new0(Sink, 1);
    sink->refs = 1;
    sink->kind = kind;
    sink->stream = 1;
    sink->buffer = kind == SINK_CAPTURE ? g_string_new(NULL) : NULL;
    return sink;
}

Sink *
sink_ref(Sink *sink)
{
    sink->refs++;
    return sink;
}

void
sink_unref(Sink *sink)
{
    if (sink == NULL || --sink->refs > 0)
        return;
    if (sink->buffer != NULL)
        g_string_free(sink->buffer, TRUE);
    g_free(sink->path);
    g_free(sink);
}

Source *
source_new(const char *text, size_t length)
{
    Source *source = g_new0(Source, 1);
    source->refs = 1;
    source->buffer = g_string_new_len(text, (gssize)length);
    return source;
}

Source *
source_ref(Source *source)
{
    source->refs++;
    return source;
}

void
source_unref(Source *source)
{
    if (source == NULL || --source->refs > 0)
        return;
    g_string_free(source->buffer, TRUE);
    g_free(source);
}

static void
write_terminal(Shell *shell, int stream, const char *bytes, size_t length)
{
    if (!shell->tty) {
        shell->sink.output(stream, bytes, length, shell->data);
        return;
    }
    g_autoptr(GString) text = g_string_sized_new(length + 8);
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n')
            g_string_append_c(text, '\r');
        g_string_append_c(text, bytes[i]);
    }
    shell->sink.output(stream, text->str, text->len, shell->data);
}

void
sink_write(Shell *shell, Sink *sink, const char *bytes, size_t length)
{
    if (length == 0)
        return;
    switch (sink->kind) {
    case SINK_OUTPUT:
        write_terminal(shell, sink->stream, bytes, length);
        break;
    case SINK_CAPTURE:
        g_string_append_len(sink->buffer, bytes, (gssize)MIN(length, SHELL_TEXT_MAX - MIN(sink->buffer->len, SHELL_TEXT_MAX)));
        break;
    case SINK_FILE:
        /* The main process's own output by its device files. */
        if (strcmp(sink->path, "/dev/stdout") == 0 || strcmp(sink->path, "/dev/stderr") == 0 ||
            g_str_has_prefix(sink->path, "/proc/1/fd/"))
            container_log(shell->container, g_str_has_suffix(sink->path, "2") || g_str_has_suffix(sink->path, "err") ? 2 : 1,
                          bytes, length);
        else if (strcmp(sink->path, "/dev/null") != 0)
            container_write_file(shell->container, "/", sink->path, bytes, length, true);
        break;
    case SINK_NULL:
        break;
    }
}

static Io
io_copy(const Io *io)
{
    return (Io){source_ref(io->in), sink_ref(io->out), sink_ref(io->err)};
}

static void
io_clear(Io *io)
{
    source_unref(io->in);
    sink_unref(io->out);
    sink_unref(io->err);
    *io = (Io){0};
}

/* ---- variables ---- */

static void
variable_free(void *data)
{
    g_free(((Variable *)data)->value);
    g_free(data);
}

static int
compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

static Scope *
scope_new(void)
{
    Scope *scope = g_new0(Scope, 1);
    scope->variables = g_tree_new_full(compare_names, NULL, g_free, variable_free);
    scope->parameters = g_ptr_array_new_with_free_func(g_free);
    return scope;
}

static gboolean
copy_variable(gpointer key, gpointer value, gpointer data)
{
    Variable *copy = g_memdup2(value, sizeof *copy);
    copy->value = g_strdup(copy->value);
    g_tree_insert(data, g_strdup(key), copy);
    return FALSE;
}

Scope *
scope_copy(const Scope *scope)
{
    Scope *copy = scope_new();
    copy->directory = g_strdup(scope->directory);
    g_tree_foreach(scope->variables, copy_variable, copy->variables);
    for (guint i = 0; i < scope->parameters->len; i++)
        g_ptr_array_add(copy->parameters, g_strdup(scope->parameters->pdata[i]));
    return copy;
}

void
scope_free(Scope *scope)
{
    if (scope == NULL)
        return;
    g_tree_unref(scope->variables);
    g_ptr_array_unref(scope->parameters);
    g_free(scope->directory);
    g_free(scope);
}

const char *
shell_get(const Shell *shell, const char *name)
{
    const Variable *variable = g_tree_lookup(shell->scope->variables, name);
    return variable != NULL ? variable->value : NULL;
}

bool
shell_set(Shell *shell, const char *name, const char *value, bool export)
{
    Variable *variable = g_tree_lookup(shell->scope->variables, name);
    if (strlen(value) > SHELL_TEXT_MAX ||
        (variable == NULL && g_tree_nnodes(shell->scope->variables) >= SHELL_VARIABLES_MAX))
        return false;
    if (variable == NULL) {
        variable = g_new0(Variable, 1);
        g_tree_insert(shell->scope->variables, g_strdup(name), variable);
    }
    char *copy = g_strdup(value);
    g_free(variable->value);
    variable->value = copy;
    variable->exported = variable->exported || export;
    return true;
}

void
shell_unset(Shell *shell, const char *name)
{
    g_tree_remove(shell->scope->variables, name);
}

/* ---- frames ---- */

static void
wait_unref(NetWait *wait)
{
    g_free(wait->body);
    g_free(wait->server);
    if (wait->ips != NULL)
        g_ptr_array_unref(wait->ips);
    g_free(wait);
}

static void
frame_free(void *data)
{
    Frame *frame = data;
    io_clear(&frame->io);
    sink_unref(frame->capture);
    if (frame->scripts != NULL)
        g_ptr_array_unref(frame->scripts);
    if (frame->captures != NULL)
        g_ptr_array_unref(frame->captures);
    if (frame->fields != NULL)
        g_ptr_array_unref(frame->fields);
    if (frame->outer_values != NULL)
        g_ptr_array_unref(frame->outer_values);
    if (frame->outer_parameters != NULL)
        g_ptr_array_unref(frame->outer_parameters);
    if (frame->wait != NULL && frame->wait->answered)
        wait_unref(frame->wait);
    else if (frame->wait != NULL)
        frame->wait->shell = NULL; /* whoever answers frees it */
    scope_free(frame->outer_scope);
    g_free(frame->scratch);
    g_free(frame);
}

static Frame *
top_frame(const Shell *shell)
{
    return shell->frames->len > 0 ? shell->frames->pdata[shell->frames->len - 1] : NULL;
}

bool
shell_push(Shell *shell, const ShellNode *node, ShellNode *own, const Io *io)
{
    if (own != NULL)
        g_ptr_array_add(shell->nodes, own); /* functions may point into it */
    if (shell->frames->len >= SHELL_FRAMES_MAX || shell->nodes->len > SHELL_NODES_MAX) {
        static const char text[] = "sh: nested too deeply\n";
        sink_write(shell, io->err, text, sizeof text - 1);
        shell->unwind = UNWIND_EXIT;
        shell->status = 2;
        return false;
    }
    Frame *parent = top_frame(shell), *frame = g_new0(Frame, 1);
    frame->node = node;
    frame->io = io_copy(io);
    frame->checked = parent != NULL && parent->checked;
    g_ptr_array_add(shell->frames, frame);
    return true;
}

static void
push_child(Shell *shell, Frame *frame, guint child, bool checked)
{
    if (shell_push(shell, frame->node->children->pdata[child], NULL, &frame->io))
        top_frame(shell)->checked |= checked;
}

void
shell_enter_subshell(Shell *shell, Frame *frame)
{
    frame->subshell = true;
    frame->outer_scope = shell->scope;
    shell->scope = scope_copy(frame->outer_scope);
}

static void
restore_values(Shell *shell, Frame *frame)
{
    for (guint i = 0; frame->outer_values != NULL && i + 1 < frame->outer_values->len; i += 2) {
        const char *name = frame->outer_values->pdata[i], *value = frame->outer_values->pdata[i + 1];
        if (value != NULL)
            shell_set(shell, name, value, false);
        else
            shell_unset(shell, name);
    }
}

/* Ends the top frame with the shell's status. */
static void
pop_frame(Shell *shell)
{
    Frame *frame = top_frame(shell);
    restore_values(shell, frame);
    if (frame->outer_scope != NULL) {
        scope_free(shell->scope);
        shell->scope = g_steal_pointer(&frame->outer_scope);
    }
    if (frame->outer_parameters != NULL) {
        g_ptr_array_unref(shell->scope->parameters);
        shell->scope->parameters = g_steal_pointer(&frame->outer_parameters);
    }
    if (frame->subshell && shell->unwind == UNWIND_EXIT)
        shell->unwind = UNWIND_NONE;
    g_ptr_array_set_size(shell->frames, (gint)shell->frames->len - 1);
}

static void
finish(Shell *shell, int status)
{
    Frame *frame = top_frame(shell);
    shell->status = status;
    bool fails = status != 0 && shell->errexit && !frame->checked && frame->node->kind == NODE_SIMPLE;
    if (fails && shell->unwind == UNWIND_NONE)
        shell->unwind = UNWIND_EXIT;
    pop_frame(shell);
}

/* ---- redirections ---- */

static bool
complain(Shell *shell, Frame *frame, const char *path, const char *what)
{
    g_autofree char *text = g_strdup_printf("%s: can't open '%s': %s\n", shell->name, path, what);
    sink_write(shell, frame->io.err, text, strlen(text));
    return false;
}

static bool
redirect_out(Shell *shell, Frame *frame, const ShellRedirect *redirect, const char *word)
{
    Sink **place = redirect->fd == 2 ? &frame->io.err : &frame->io.out;
    g_autofree char *clean = file_path_normalise(shell->scope->directory, word);
    if (clean == NULL)
        return complain(shell, frame, word, "File name too long");
    g_autofree char *path = g_strconcat("/", clean, NULL);
    if (!g_str_has_prefix(path, "/dev/") && !g_str_has_prefix(path, "/proc/1/fd/")) {
        FileStatus status = container_write_file(shell->container, "/", path, "", 0, redirect->kind == REDIRECT_APPEND);
        if (status != FILE_OK)
            return complain(shell, frame, word, file_status_text(status));
    }
    sink_unref(*place);
    *place = sink_new(SINK_FILE);
    (*place)->path = g_steal_pointer(&path);
    return true;
}

static bool
apply_redirect(Shell *shell, Frame *frame, const ShellRedirect *redirect, Expansion *expansion)
{
    bool raw = redirect->kind == REDIRECT_TEXT_RAW;
    bool text_kind = raw || redirect->kind == REDIRECT_TEXT;
    g_autofree char *word = raw ? g_strdup(redirect->word) : expand_text(expansion, redirect->word, text_kind);
    const char *text;
    size_t length;
    if (text_kind) {
        source_unref(frame->io.in);
        frame->io.in = source_new(word, strlen(word));
        return true;
    }
    if (redirect->kind == REDIRECT_DUP) {
        Sink *from = strcmp(word, "2") == 0 ? frame->io.err : frame->io.out, **to = redirect->fd == 2 ? &frame->io.err
                                                                                                     : &frame->io.out;
        sink_ref(from);
        sink_unref(*to);
        *to = from;
        return true;
    }
    if (redirect->kind != REDIRECT_IN)
        return redirect_out(shell, frame, redirect, word);
    g_autofree char *clean = file_path_normalise(shell->scope->directory, word);
    FileStatus status = clean == NULL ? FILE_NONE : strcmp(clean, "dev/null") == 0 ? FILE_OK : FILE_NONE;
    text = "";
    length = 0;
    if (clean != NULL && status != FILE_OK) {
        g_autofree char *path = g_strconcat("/", clean, NULL);
        status = container_read_file(shell->container, path, &text, &length);
    }
    if (status != FILE_OK)
        return complain(shell, frame, word, file_status_text(status));
    source_unref(frame->io.in);
    frame->io.in = source_new(text, length);
    return true;
}

/* ---- simple commands ---- */

static bool
is_assignment(const char *word)
{
    size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return length > 0 && !g_ascii_isdigit(*word) && word[length] == '=';
}

static void
collect_scripts(Frame *frame)
{
    const ShellNode *node = frame->node;
    frame->scripts = g_ptr_array_new_with_free_func(g_free);
    frame->captures = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < node->words->len; i++)
        expand_scan(node->words->pdata[i], frame->scripts);
    for (guint i = 0; node->redirects != NULL && i < node->redirects->len; i++) {
        const ShellRedirect *redirect = node->redirects->pdata[i];
        if (redirect->kind != REDIRECT_TEXT_RAW)
            expand_scan(redirect->word, frame->scripts);
    }
}

static void
take_capture(Shell *shell, Frame *frame)
{
    GString *output = frame->capture->buffer;
    while (output->len > 0 && output->str[output->len - 1] == '\n')
        g_string_truncate(output, output->len - 1);
    g_ptr_array_add(frame->captures, g_strdup(output->str));
    g_clear_pointer(&frame->capture, sink_unref);
}

/* Runs the command substitutions of a frame, one a step. True: all are there. */
static bool
captures_are_ready(Shell *shell, Frame *frame)
{
    if (frame->scripts == NULL)
        collect_scripts(frame);
    if (frame->capture != NULL)
        take_capture(shell, frame);
    guint next = frame->captures->len;
    if (next == frame->scripts->len)
        return true;
    g_autofree char *error = NULL;
    frame->capture = sink_new(SINK_CAPTURE);
    ShellNode *script = shell_parse(frame->scripts->pdata[next], &error);
    if (script == NULL) {
        g_autofree char *text = g_strdup_printf("%s: %s\n", shell->name, error);
        sink_write(shell, frame->io.err, text, strlen(text));
        shell->status = 2;
        return captures_are_ready(shell, frame);
    }
    Io io = {frame->io.in, frame->capture, frame->io.err};
    if (shell_push(shell, script, script, &io))
        shell_enter_subshell(shell, top_frame(shell));
    return false;
}

static void
assign(Shell *shell, Expansion *expansion, const char *word, Frame *temporary)
{
    const char *equals = strchr(word, '=');
    g_autofree char *name = g_strndup(word, (size_t)(equals - word));
    g_autofree char *value = expand_text(expansion, equals + 1, false);
    if (temporary != NULL) {
        if (temporary->outer_values == NULL)
            temporary->outer_values = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(temporary->outer_values, g_strdup(name));
        g_ptr_array_add(temporary->outer_values, g_strdup(shell_get(shell, name)));
    }
    shell_set(shell, name, value, temporary != NULL);
}

/* Works out words and redirections. False: the command is over (finish was called). */
static bool
prepare_simple(Shell *shell, Frame *frame)
{
    const ShellNode *node = frame->node;
    Expansion expansion = {.shell = shell, .captures = frame->captures};
    guint first = 0;
    while (first < node->words->len && is_assignment(node->words->pdata[first]))
        first++;
    bool bare = first == node->words->len;
    int status = bare && frame->scripts->len == 0 ? 0 : shell->status;
    for (guint i = 0; i < first; i++)
        assign(shell, &expansion, node->words->pdata[i], bare ? NULL : frame);
    frame->fields = g_ptr_array_new_null_terminated(8, g_free, TRUE);
    for (guint i = first; i < node->words->len; i++)
        expand_word(&expansion, node->words->pdata[i], frame->fields);
    bool ok = expansion.error == NULL;
    for (guint i = 0; ok && node->redirects != NULL && i < node->redirects->len; i++)
        ok = apply_redirect(shell, frame, node->redirects->pdata[i], &expansion);
    if (expansion.error != NULL) {
        g_autofree char *text = g_strdup_printf("%s: %s\n", shell->name, expansion.error);
        sink_write(shell, frame->io.err, text, strlen(text));
        g_free(expansion.error);
        shell->unwind = UNWIND_EXIT;
    }
    if (!ok || frame->fields->len == 0) {
        finish(shell, !ok ? 1 : bare ? status : 0);
        return false;
    }
    if (shell->trace) {
        g_autofree char *joined = g_strjoinv(" ", (char **)frame->fields->pdata);
        g_autofree char *text = g_strdup_printf("+ %s\n", joined);
        sink_write(shell, frame->io.err, text, strlen(text));
    }
    return true;
}

static void
call_function(Shell *shell, Frame *frame, const ShellNode *function)
{
    GPtrArray *parameters = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 1; i < frame->fields->len; i++)
        g_ptr_array_add(parameters, g_strdup(frame->fields->pdata[i]));
    frame->outer_parameters = shell->scope->parameters;
    shell->scope->parameters = parameters;
    frame->function = true;
    frame->step = 3;
    shell_push(shell, function->children->pdata[0], NULL, &frame->io);
}

/* Wakes the shell at the deadline, if nothing does before. */
static void
limit_wait(Shell *shell, int64_t deadline)
{
    Engine *engine = shell_engine(shell);
    if (shell->event == 0)
        shell_schedule(shell, deadline - engine_now(engine));
}

/* False: the shell waits, or is over. */
static bool
run_tool(Shell *shell, Frame *frame)
{
    char **argv = (char **)frame->fields->pdata;
    const char *name = argv[0];
    const Tool *tool = shell_find_tool(strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name);
    ToolCall call = {.shell = shell, .frame = frame, .argc = (int)frame->fields->len, .argv = argv};
    int status = 127;
    bool late = frame->deadline > 0 && engine_now(shell_engine(shell)) >= frame->deadline;
    if (late)
        status = 124;
    else if (tool == NULL || !shell_knows(shell->container, name))
        tool_fail(&call, 127, "%s: %s: not found", shell->name, name);
    else
        status = tool->run(&call);
    if (status == TOOL_WAITS && frame->deadline > 0)
        limit_wait(shell, frame->deadline);
    if (status == TOOL_WAITS)
        return false;
    if (shell->ended || top_frame(shell) != frame || frame->step != 2)
        return !shell->ended;
    if (shell->exec && !shell->interactive)
        shell->unwind = UNWIND_EXIT;
    finish(shell, status);
    return true;
}

static bool
step_simple(Shell *shell, Frame *frame)
{
    switch (frame->step) {
    case 0:
        if (captures_are_ready(shell, frame))
            frame->step = 1;
        return true;
    case 1:
        if (!prepare_simple(shell, frame))
            return true;
        frame->step = 2;
        return true;
    case 2: {
        const ShellNode *function = g_hash_table_lookup(shell->functions, frame->fields->pdata[0]);
        if (function == NULL)
            return run_tool(shell, frame);
        call_function(shell, frame, function);
        return true;
    }
    default: /* what it pushed has ended */
        if (shell->exec)
            shell->unwind = UNWIND_EXIT;
        finish(shell, shell->status);
        return true;
    }
}

/* ---- compound commands ---- */

static void
step_sequence(Shell *shell, Frame *frame)
{
    if (frame->index == 0 && frame->node->children->len == 0)
        shell->status = frame->node->kind == NODE_SEQUENCE ? 0 : shell->status;
    if (frame->index < frame->node->children->len)
        push_child(shell, frame, frame->index++, false);
    else
        pop_frame(shell);
}

static void
step_and_or(Shell *shell, Frame *frame)
{
    if (frame->index == 0)
        push_child(shell, frame, frame->index++, true);
    else if (frame->index == 1 && (shell->status == 0) == (frame->node->kind == NODE_AND))
        push_child(shell, frame, frame->index++, false);
    else
        pop_frame(shell);
}

static void
step_pipe(Shell *shell, Frame *frame)
{
    guint count = frame->node->children->len;
    if (frame->index == count) {
        pop_frame(shell);
        return;
    }
    Io io = frame->io;
    Source *from = NULL;
    if (frame->capture != NULL) {
        io.in = from = source_new(frame->capture->buffer->str, frame->capture->buffer->len);
        g_clear_pointer(&frame->capture, sink_unref);
    }
    if (frame->index + 1 < count)
        io.out = frame->capture = sink_new(SINK_CAPTURE);
    if (shell_push(shell, frame->node->children->pdata[frame->index], NULL, &io))
        shell_enter_subshell(shell, top_frame(shell));
    source_unref(from);
    frame->index++;
}

static void
step_if(Shell *shell, Frame *frame)
{
    guint count = frame->node->children->len;
    if (frame->step == 1 && shell->status == 0) {
        frame->step = 2;
        push_child(shell, frame, frame->index + 1, false);
    } else if (frame->step == 2) {
        pop_frame(shell);
    } else {
        frame->index += frame->step == 1 ? 2 : 0;
        bool otherwise = frame->index + 1 == count;
        if (frame->index >= count) {
            shell->status = 0;
            pop_frame(shell);
            return;
        }
        frame->step = otherwise ? 2 : 1;
        push_child(shell, frame, frame->index, !otherwise);
    }
}

static void
step_while(Shell *shell, Frame *frame)
{
    bool wanted = frame->node->kind == NODE_WHILE;
    if (frame->step == 0) {
        frame->step = 1;
        push_child(shell, frame, 0, true);
    } else if (frame->step == 1 && (shell->status == 0) == wanted) {
        frame->step = 2;
        push_child(shell, frame, 1, false);
    } else if (frame->step == 1) {
        shell->status = frame->state;
        pop_frame(shell);
    } else {
        frame->state = shell->status;
        frame->step = 0;
    }
}

static void
step_for(Shell *shell, Frame *frame)
{
    if (frame->fields == NULL) {
        if (!captures_are_ready(shell, frame))
            return;
        Expansion expansion = {.shell = shell, .captures = frame->captures};
        frame->fields = g_ptr_array_new_null_terminated(8, g_free, TRUE);
        for (guint i = 0; i < frame->node->words->len; i++)
            expand_word(&expansion, frame->node->words->pdata[i], frame->fields);
        for (guint i = 0; !frame->node->has_words && i < shell->scope->parameters->len; i++)
            g_ptr_array_add(frame->fields, g_strdup(shell->scope->parameters->pdata[i]));
        g_free(expansion.error);
        shell->status = 0;
    }
    if (frame->index == frame->fields->len) {
        pop_frame(shell);
        return;
    }
    shell_set(shell, frame->node->name, frame->fields->pdata[frame->index++], false);
    push_child(shell, frame, 0, false);
}

static void
step_case(Shell *shell, Frame *frame)
{
    if (frame->step == 1) {
        pop_frame(shell);
        return;
    }
    if (!captures_are_ready(shell, frame))
        return;
    Expansion expansion = {.shell = shell, .captures = frame->captures};
    g_autofree char *subject = expand_text(&expansion, frame->node->words->pdata[0], false);
    frame->step = 1;
    shell->status = 0;
    bool found = false;
    for (guint i = 0; !found && i < frame->node->children->len; i++) {
        g_auto(GStrv) patterns = g_strsplit(frame->node->words->pdata[i + 1], "\n", -1);
        for (char **pattern = patterns; !found && *pattern != NULL; pattern++) {
            g_autofree char *plain = expand_text(&expansion, *pattern, false);
            found = shell_match(plain, subject);
        }
        if (found)
            push_child(shell, frame, i, false);
    }
    g_free(expansion.error);
}

/* A group or subshell: its redirections hold for all that is in it. */
static void
step_group(Shell *shell, Frame *frame)
{
    if (frame->step == 1) {
        pop_frame(shell);
        return;
    }
    frame->step = 1;
    if (frame->node->kind == NODE_SUBSHELL && !frame->subshell)
        shell_enter_subshell(shell, frame);
    push_child(shell, frame, 0, false);
}

/* Redirections of compound commands; false: one failed. */
static bool
redirect_compound(Shell *shell, Frame *frame)
{
    if (!captures_are_ready(shell, frame))
        return false;
    Expansion expansion = {.shell = shell, .captures = frame->captures};
    bool ok = true;
    for (guint i = 0; ok && i < frame->node->redirects->len; i++)
        ok = apply_redirect(shell, frame, frame->node->redirects->pdata[i], &expansion);
    g_free(expansion.error);
    frame->redirected = true;
    if (!ok)
        finish(shell, 1);
    return ok;
}

/* One step of the top frame; false: the shell waits. */
static bool
step(Shell *shell)
{
    Frame *frame = top_frame(shell);
    const ShellNode *node = frame->node;
    if (node->kind != NODE_SIMPLE && node->redirects != NULL && !frame->redirected) {
        redirect_compound(shell, frame);
        return true;
    }
    switch (node->kind) {
    case NODE_SIMPLE:
        return step_simple(shell, frame);
    case NODE_SEQUENCE:
        step_sequence(shell, frame);
        break;
    case NODE_AND:
    case NODE_OR:
        step_and_or(shell, frame);
        break;
    case NODE_NOT:
        if (frame->index == 0) {
            push_child(shell, frame, frame->index++, true);
        } else {
            shell->status = shell->status == 0;
            pop_frame(shell);
        }
        break;
    case NODE_PIPE:
        step_pipe(shell, frame);
        break;
    case NODE_IF:
        step_if(shell, frame);
        break;
    case NODE_WHILE:
    case NODE_UNTIL:
        step_while(shell, frame);
        break;
    case NODE_FOR:
        step_for(shell, frame);
        break;
    case NODE_CASE:
        step_case(shell, frame);
        break;
    case NODE_GROUP:
    case NODE_SUBSHELL:
        step_group(shell, frame);
        break;
    case NODE_BACKGROUND:
        shell->status = shell_start_job(shell, node->children->pdata[0], &frame->io) ? 0 : 1;
        pop_frame(shell);
        break;
    case NODE_FUNCTION:
        g_hash_table_insert(shell->functions, g_strdup(node->name), (void *)node);
        shell->status = 0;
        pop_frame(shell);
        break;
    }
    return true;
}

/* ---- unwinding, traps, running ---- */

static void
unwind_one(Shell *shell)
{
    Frame *frame = top_frame(shell);
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
    pop_frame(shell);
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
    write_terminal(shell, 1, prompt, strlen(prompt));
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
        end_shell(shell, shell->status);
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
        bool goes_on = step(shell);
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
    end_shell(shell, shell->status);
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
    end_shell(job, 143);
}

/* ---- life ---- */

static void
end_shell(Shell *shell, int status)
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
        write_terminal(shell, 1, "\n", 1);
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
        write_terminal(shell, 1, "^C\n", 3);
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
    end_shell(shell, 0);
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
