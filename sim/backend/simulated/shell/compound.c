/* Frames, and how compound commands step. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

/* ---- frames ---- */

void
net_wait_free(NetWait *wait)
{
    g_free(wait->body);
    g_free(wait->server);
    if (wait->ips != NULL)
        g_ptr_array_unref(wait->ips);
    g_free(wait);
}

void
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
        net_wait_free(frame->wait);
    else if (frame->wait != NULL)
        frame->wait->shell = NULL; /* whoever answers frees it */
    scope_free(frame->outer_scope);
    g_free(frame->scratch);
    g_free(frame);
}

Frame *
frame_top(const Shell *shell)
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
    Frame *parent = frame_top(shell), *frame = g_new0(Frame, 1);
    frame->node = node;
    frame->io = io_copy(io);
    frame->checked = parent != NULL && parent->checked;
    g_ptr_array_add(shell->frames, frame);
    return true;
}

void
frame_push_child(Shell *shell, Frame *frame, guint child, bool checked)
{
    if (shell_push(shell, frame->node->children->pdata[child], NULL, &frame->io))
        frame_top(shell)->checked |= checked;
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
void
frame_pop(Shell *shell)
{
    Frame *frame = frame_top(shell);
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

void
frame_finish(Shell *shell, int status)
{
    Frame *frame = frame_top(shell);
    shell->status = status;
    bool fails = status != 0 && shell->errexit && !frame->checked && frame->node->kind == NODE_SIMPLE;
    if (fails && shell->unwind == UNWIND_NONE)
        shell->unwind = UNWIND_EXIT;
    frame_pop(shell);
}

/* ---- compound commands ---- */

static void
step_sequence(Shell *shell, Frame *frame)
{
    if (frame->index == 0 && frame->node->children->len == 0)
        shell->status = frame->node->kind == NODE_SEQUENCE ? 0 : shell->status;
    if (frame->index < frame->node->children->len)
        frame_push_child(shell, frame, frame->index++, false);
    else
        frame_pop(shell);
}

static void
step_and_or(Shell *shell, Frame *frame)
{
    if (frame->index == 0)
        frame_push_child(shell, frame, frame->index++, true);
    else if (frame->index == 1 && (shell->status == 0) == (frame->node->kind == NODE_AND))
        frame_push_child(shell, frame, frame->index++, false);
    else
        frame_pop(shell);
}

static void
step_pipe(Shell *shell, Frame *frame)
{
    guint count = frame->node->children->len;
    if (frame->index == count) {
        frame_pop(shell);
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
        shell_enter_subshell(shell, frame_top(shell));
    source_unref(from);
    frame->index++;
}

static void
step_if(Shell *shell, Frame *frame)
{
    guint count = frame->node->children->len;
    if (frame->step == 1 && shell->status == 0) {
        frame->step = 2;
        frame_push_child(shell, frame, frame->index + 1, false);
    } else if (frame->step == 2) {
        frame_pop(shell);
    } else {
        frame->index += frame->step == 1 ? 2 : 0;
        bool otherwise = frame->index + 1 == count;
        if (frame->index >= count) {
            shell->status = 0;
            frame_pop(shell);
            return;
        }
        frame->step = otherwise ? 2 : 1;
        frame_push_child(shell, frame, frame->index, !otherwise);
    }
}

static void
step_while(Shell *shell, Frame *frame)
{
    bool wanted = frame->node->kind == NODE_WHILE;
    if (frame->step == 0) {
        frame->step = 1;
        frame_push_child(shell, frame, 0, true);
    } else if (frame->step == 1 && (shell->status == 0) == wanted) {
        frame->step = 2;
        frame_push_child(shell, frame, 1, false);
    } else if (frame->step == 1) {
        shell->status = frame->state;
        frame_pop(shell);
    } else {
        frame->state = shell->status;
        frame->step = 0;
    }
}

static void
step_for(Shell *shell, Frame *frame)
{
    if (frame->fields == NULL) {
        if (!frame_captures_are_ready(shell, frame))
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
        frame_pop(shell);
        return;
    }
    shell_set(shell, frame->node->name, frame->fields->pdata[frame->index++], false);
    frame_push_child(shell, frame, 0, false);
}

static void
step_case(Shell *shell, Frame *frame)
{
    if (frame->step == 1) {
        frame_pop(shell);
        return;
    }
    if (!frame_captures_are_ready(shell, frame))
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
            frame_push_child(shell, frame, i, false);
    }
    g_free(expansion.error);
}

/* A group or subshell: its redirections hold for all that is in it. */
static void
step_group(Shell *shell, Frame *frame)
{
    if (frame->step == 1) {
        frame_pop(shell);
        return;
    }
    frame->step = 1;
    if (frame->node->kind == NODE_SUBSHELL && !frame->subshell)
        shell_enter_subshell(shell, frame);
    frame_push_child(shell, frame, 0, false);
}

/* Redirections of compound commands; false: one failed. */
static bool
frame_redirect_all(Shell *shell, Frame *frame)
{
    if (!frame_captures_are_ready(shell, frame))
        return false;
    Expansion expansion = {.shell = shell, .captures = frame->captures};
    bool ok = true;
    for (guint i = 0; ok && i < frame->node->redirects->len; i++)
        ok = frame_redirect(shell, frame, frame->node->redirects->pdata[i], &expansion);
    g_free(expansion.error);
    frame->redirected = true;
    if (!ok)
        frame_finish(shell, 1);
    return ok;
}

/* One step of the top frame; false: the shell waits. */
bool
shell_step(Shell *shell)
{
    Frame *frame = frame_top(shell);
    const ShellNode *node = frame->node;
    if (node->kind != NODE_SIMPLE && node->redirects != NULL && !frame->redirected) {
        frame_redirect_all(shell, frame);
        return true;
    }
    switch (node->kind) {
    case NODE_SIMPLE:
        return shell_step_simple(shell, frame);
    case NODE_SEQUENCE:
        step_sequence(shell, frame);
        break;
    case NODE_AND:
    case NODE_OR:
        step_and_or(shell, frame);
        break;
    case NODE_NOT:
        if (frame->index == 0) {
            frame_push_child(shell, frame, frame->index++, true);
        } else {
            shell->status = shell->status == 0;
            frame_pop(shell);
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
        frame_pop(shell);
        break;
    case NODE_FUNCTION:
        g_hash_table_insert(shell->functions, g_strdup(node->name), (void *)node);
        shell->status = 0;
        frame_pop(shell);
        break;
    }
    return true;
}
