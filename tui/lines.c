#include "tui/lines.h"

#include <glib/gi18n.h>
#include <string.h>

static void
line_free(void *data)
{
    Line *line = data;
    g_free(line->text);
    g_free(line);
}

Lines *
lines_new(void)
{
    return g_ptr_array_new_with_free_func(line_free);
}

static void
add_take(Lines *lines, int style, char *take)
{
    if (lines->len > LINES_MAX) {
        g_free(take);
        return;
    }
    Line *line = g_new(Line, 1);
    line->style = style;
    line->text = take;
    if (!g_utf8_validate(take, -1, NULL)) {
        line->text = g_utf8_make_valid(take, -1);
        g_free(take);
    }
    if (lines->len == LINES_MAX) {
        g_free(line->text);
        line->text = g_strdup(_("(the rest is not shown)"));
    }
    g_ptr_array_add(lines, line);
}

void
lines_add(Lines *lines, int style, const char *text)
{
    add_take(lines, style, g_strdup(text));
}

void
lines_addf(Lines *lines, int style, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_take(lines, style, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static char *
expand_tabs(const char *text, size_t length)
{
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r' && i + 1 == length)
            continue;
        if (text[i] != '\t')
            g_string_append_c(out, text[i]);
        else
            do
                g_string_append_c(out, ' ');
            while (g_utf8_strlen(out->str, (gssize)out->len) % 8 != 0);
    }
    return g_string_free(out, FALSE);
}

void
lines_add_text(Lines *lines, int style, const char *text)
{
    while (*text != '\0') {
        const char *end = strchrnul(text, '\n');
        add_take(lines, style, expand_tabs(text, (size_t)(end - text)));
        text = *end == '\0' ? end : end + 1;
    }
}

void
lines_add_folded(Lines *lines, int style, const char *text, int width, int indent)
{
    bool first = true;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    const char *at = valid;
    do {
        int room = MAX(first ? width : width - indent, 8);
        size_t length = text_fold(at, room);
        g_autofree char *part = g_strchomp(g_strndup(at, length));
        lines_addf(lines, style, "%*s%s", first ? 0 : indent, "", part);
        at += length;
        while (*at == '\n' || *at == ' ')
            at++;
        first = false;
    } while (*at != '\0');
}

/* The text behind its first `columns` columns. */
static const char *
skip_columns(const char *text, int columns)
{
    while (columns > 0 && *text != '\0') {
        text = g_utf8_next_char(text);
        columns--;
    }
    return text;
}

void
lines_render(const Lines *lines, CellGrid *grid, Rect rect, guint first, int shift)
{
    for (int y = 0; y < rect.height; y++) {
        const Line *line = lines_item(lines, first + (guint)y);
        if (line != NULL)
            grid_put(grid, rect.x, rect.y + y, rect.width, line->style,
                     skip_columns(line->text, shift));
    }
}
