/* Simple commands: command substitutions, words, redirections, then a function or a tool. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

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

bool
frame_redirect(Shell *shell, Frame *frame, const ShellRedirect *redirect, Expansion *expansion)
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
bool
frame_captures_are_ready(Shell *shell, Frame *frame)
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
        return frame_captures_are_ready(shell, frame);
    }
    Io io = {frame->io.in, frame->capture, frame->io.err};
    if (shell_push(shell, script, script, &io))
        shell_enter_subshell(shell, frame_top(shell));
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
        ok = frame_redirect(shell, frame, node->redirects->pdata[i], &expansion);
    if (expansion.error != NULL) {
        g_autofree char *text = g_strdup_printf("%s: %s\n", shell->name, expansion.error);
        sink_write(shell, frame->io.err, text, strlen(text));
        g_free(expansion.error);
        shell->unwind = UNWIND_EXIT;
    }
    if (!ok || frame->fields->len == 0) {
        frame_finish(shell, !ok ? 1 : bare ? status : 0);
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
    if (shell->ended || frame_top(shell) != frame || frame->step != 2)
        return !shell->ended;
    if (shell->exec && !shell->interactive)
        shell->unwind = UNWIND_EXIT;
    frame_finish(shell, status);
    return true;
}

bool
shell_step_simple(Shell *shell, Frame *frame)
{
    switch (frame->step) {
    case 0:
        if (frame_captures_are_ready(shell, frame))
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
        frame_finish(shell, shell->status);
        return true;
    }
}
