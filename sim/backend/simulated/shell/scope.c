/* What a Shell reads and writes, and its variables. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

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

void
shell_write_terminal(Shell *shell, int stream, const char *bytes, size_t length)
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
        shell_write_terminal(shell, sink->stream, bytes, length);
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

Io
io_copy(const Io *io)
{
    return (Io){source_ref(io->in), sink_ref(io->out), sink_ref(io->err)};
}

void
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

Scope *
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
