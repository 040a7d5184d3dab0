/* Elastic tab stops, as Go's text/tabwriter lays cells out. */
#include <string.h>

#include "cli/kubectl/kube.h"

typedef struct Tabs {
    GString *out;
    GPtrArray *lines; /* char **: cells; all but the last are ended by a tab */
    GArray *widths;   /* of the columns left of the one looked at */
    unsigned min_width, padding;
} Tabs;

static size_t
n_cells(const Tabs *tabs, size_t line)
{
    return g_strv_length(g_ptr_array_index(tabs->lines, line));
}

static const char *
cell(const Tabs *tabs, size_t line, size_t column)
{
    return ((char **)g_ptr_array_index(tabs->lines, line))[column];
}

static size_t
text_width(const char *text)
{
    return g_utf8_validate(text, -1, NULL) ? (size_t)g_utf8_strlen(text, -1) : strlen(text);
}

static void
write_lines(Tabs *tabs, size_t from, size_t to)
{
    for (size_t line = from; line < to; line++) {
        size_t n = n_cells(tabs, line);
        for (size_t i = 0; i < n; i++) {
            const char *text = cell(tabs, line, i);
            g_string_append(tabs->out, text);
            if (i + 1 == n || i >= tabs->widths->len)
                continue;
            size_t width = g_array_index(tabs->widths, size_t, i), used = text_width(text);
            for (; used < width; used++)
                g_string_append_c(tabs->out, ' ');
        }
        g_string_append_c(tabs->out, '\n');
    }
}

/* Lays out the lines whose columns left of `column` have their widths. Recursion is as deep as
 * there are columns. */
static void
format_block(Tabs *tabs, size_t from, size_t to, size_t column)
{
    size_t start = from;
    for (size_t line = from; line < to; line++) {
        if (column + 1 >= n_cells(tabs, line))
            continue;
        write_lines(tabs, start, line);
        size_t width = tabs->min_width, end = line;
        for (; end < to && column + 1 < n_cells(tabs, end); end++)
            width = MAX(width, text_width(cell(tabs, end, column)) + tabs->padding);
        g_array_append_val(tabs->widths, width);
        format_block(tabs, line, end, column + 1);
        g_array_set_size(tabs->widths, (guint)column);
        start = end;
        line = end - 1;
    }
    write_lines(tabs, start, to);
}

void
tabs_write(GString *out, const char *text, unsigned min_width, unsigned padding)
{
    Tabs tabs = {.out = out, .min_width = min_width, .padding = padding};
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    size_t n = g_strv_length(lines);
    if (n > 0 && *lines[n - 1] == '\0')
        n--;
    tabs.lines = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    tabs.widths = g_array_new(FALSE, FALSE, sizeof(size_t));
    for (size_t i = 0; i < n; i++) {
        char **cells = g_strsplit(lines[i], "\t", -1);
        if (cells[0] == NULL) {
            g_strfreev(cells);
            cells = g_new0(char *, 2);
            cells[0] = g_strdup("");
        }
        g_ptr_array_add(tabs.lines, cells);
    }
    format_block(&tabs, 0, n, 0);
    g_ptr_array_free(tabs.lines, TRUE);
    g_array_free(tabs.widths, TRUE);
}
