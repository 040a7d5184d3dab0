#include "cli/kubectl/table.h"

#include <string.h>

#include "core/api/columns.h"
#include "core/api/meta.h"
#include "core/object/jsonpath.h"

#define TABLE_MIN_WIDTH 6
#define TABLE_PADDING 3

static void
append_cell(GString *text, const char *cell)
{
    for (const char *at = cell; *at != '\0'; at++)
        g_string_append_c(text, *at == '\t' || *at == '\n' ? ' ' : *at);
}

static void
append_value(GString *text, const Value *value)
{
    if (value_is_null(value)) {
        g_string_append(text, "<none>");
        return;
    }
    g_autoptr(GString) cell = g_string_new(NULL);
    jsonpath_append_value(cell, value);
    append_cell(text, cell->str);
}

static void
append_upper(GString *text, const char *word)
{
    g_autofree char *upper = g_ascii_strup(word, -1);
    append_cell(text, upper);
}

/* The last part of a label's key, in capitals: "topology.kubernetes.io/zone" -> "ZONE". */
static void
append_label_header(GString *text, const char *key)
{
    const char *slash = strrchr(key, '/');
    append_upper(text, slash != NULL ? slash + 1 : key);
}

static void
write_headers(GString *text, const Value *columns, const TableOptions *options)
{
    bool first = true;
    if (options->event != NULL)
        g_string_append(text, "EVENT\t");
    if (options->with_namespace)
        g_string_append(text, "NAMESPACE\t");
    VALUE_ARRAY_FOREACH (column, columns) {
        if (value_int(value_get(column, "priority")) != 0 && !options->wide)
            continue;
        if (!first)
            g_string_append_c(text, '\t');
        append_upper(text, value_text(value_get(column, "name")));
        first = false;
    }
    for (char **key = options->label_columns; key != NULL && *key != NULL; key++) {
        g_string_append_c(text, '\t');
        append_label_header(text, *key);
    }
    if (options->show_labels)
        g_string_append(text, "\tLABELS");
    g_string_append_c(text, '\n');
}

static void
append_labels(GString *text, const Value *labels)
{
    bool first = true;
    if (value_size(labels) == 0)
        g_string_append(text, "<none>");
    VALUE_MAP_FOREACH (key, label, labels) {
        g_string_append_printf(text, "%s%s=%s", first ? "" : ",", key, value_text(label));
        first = false;
    }
}

static void
write_row(GString *text, const ApiKind *kind, const Value *columns, const Value *row,
          const Value *object, const TableOptions *options)
{
    const Value *cells = value_get(row, "cells");
    bool first = true;
    if (options->event != NULL)
        g_string_append_printf(text, "%s\t", options->event);
    if (options->with_namespace) {
        append_cell(text, object_namespace(object));
        g_string_append_c(text, '\t');
    }
    for (size_t i = 0; i < value_size(cells); i++) {
        if (value_int(value_get(value_item(columns, i), "priority")) != 0 && !options->wide)
            continue;
        if (!first)
            g_string_append_c(text, '\t');
        if (first && options->with_kind) {
            g_autofree char *word = kube_kind_short(kind);
            g_string_append_printf(text, "%s/", word);
        }
        append_value(text, value_item(cells, i));
        first = false;
    }
    for (char **key = options->label_columns; key != NULL && *key != NULL; key++) {
        const char *label = object_label(object, *key);
        g_string_append_c(text, '\t');
        append_cell(text, label != NULL ? label : "");
    }
    if (options->show_labels) {
        g_string_append_c(text, '\t');
        append_labels(text, object_labels(object));
    }
    g_string_append_c(text, '\n');
}

/* The widest cell of each column so far, so that the rows of a watch stay below each other. */
static void
keep_shape(GPtrArray *shape, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        g_auto(GStrv) cells = g_strsplit(*line, "\t", -1);
        for (guint i = 0; cells[i] != NULL; i++) {
            if (i >= shape->len)
                g_ptr_array_add(shape, g_strdup(cells[i]));
            char **slot = (char **)&g_ptr_array_index(shape, i);
            if (g_utf8_strlen(cells[i], -1) > g_utf8_strlen(*slot, -1)) {
                g_free(*slot);
                *slot = g_strdup(cells[i]);
            }
        }
    }
}

static void
write_in_shape(GString *out, GPtrArray *shape, const char *text)
{
    g_autoptr(GString) with_shape = g_string_new(NULL), laid_out = g_string_new(NULL);
    keep_shape(shape, text);
    for (guint i = 0; i < shape->len; i++)
        g_string_append_printf(with_shape, "%s%s", i > 0 ? "\t" : "",
                               (const char *)g_ptr_array_index(shape, i));
    g_string_append_printf(with_shape, "\n%s", text);
    tabs_write(laid_out, with_shape->str, TABLE_MIN_WIDTH, TABLE_PADDING);
    const char *first_end = strchr(laid_out->str, '\n');
    g_string_append(out, first_end != NULL ? first_end + 1 : "");
}

void
table_write(Kube *kube, GString *out, const ApiKind *kind, const Value *const *objects, size_t n,
            const TableOptions *options)
{
    g_autoptr(ValueBuilder) items = value_builder_new_array();
    for (size_t i = 0; i < n; i++)
        value_builder_append(items, value_ref(objects[i]));
    g_autoptr(Value) list = value_new_f("{kind: %s, metadata: {}, items: %V}", kind->list_kind,
                                        value_builder_end(g_steal_pointer(&items)));
    g_autoptr(Value) table = api_table(kind, list, "None", kube_now(kube), true);
    g_autoptr(GString) text = g_string_new(NULL);
    const Value *columns = value_get(table, "columnDefinitions"), *rows = value_get(table, "rows");
    if (!options->no_headers)
        write_headers(text, columns, options);
    for (size_t i = 0; i < n; i++)
        write_row(text, kind, columns, value_item(rows, i), objects[i], options);
    if (options->shape != NULL)
        write_in_shape(out, options->shape, text->str);
    else
        tabs_write(out, text->str, TABLE_MIN_WIDTH, TABLE_PADDING);
}

void
table_write_object(Kube *kube, GString *out, const ApiKind *kind, const Value *object, bool wide)
{
    const TableOptions options = {.wide = wide};
    table_write(kube, out, kind, &object, 1, &options);
}

/* ---- custom columns ---- */

typedef struct CustomColumn {
    char *header;
    JsonPath *path;
} CustomColumn;

struct CustomColumns {
    GArray *columns; /* CustomColumn */
    bool headers;
};

static void
column_clear(void *data)
{
    CustomColumn *column = data;
    g_free(column->header);
    jsonpath_free(column->path);
}

static bool
add_column(Kube *kube, CustomColumns *columns, const char *header, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *relaxed = jsonpath_relax(text, &error);
    CustomColumn column = {.path = relaxed != NULL ? jsonpath_parse(relaxed, &error) : NULL};
    if (column.path == NULL) {
        kube_fail(kube, "%s", error->message);
        return false;
    }
    column.header = g_strdup(header);
    g_array_append_val(columns->columns, column);
    return true;
}

static bool
columns_from_spec(Kube *kube, CustomColumns *columns, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", KUBE_WORDS_MAX);
    for (char **part = parts; *part != NULL; part++) {
        const char *colon = strchr(*part, ':');
        if (colon == NULL) {
            kube_fail(kube,
                      "unexpected custom-columns spec: %s, expected <header>:<json-path-expr>",
                      *part);
            return false;
        }
        g_autofree char *header = g_strndup(*part, (gsize)(colon - *part));
        if (!add_column(kube, columns, header, colon + 1))
            return false;
    }
    return true;
}

/* A file holds headers in its first line and paths in its second. */
static bool
columns_from_file(Kube *kube, CustomColumns *columns, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
    g_autoptr(GPtrArray) headers = g_ptr_array_new(), paths = g_ptr_array_new();
    g_auto(GStrv) first = g_strsplit_set(lines[0] != NULL ? lines[0] : "", " \t\r", -1);
    g_auto(GStrv) second =
        g_strsplit_set(lines[0] != NULL && lines[1] != NULL ? lines[1] : "", " \t\r", -1);
    for (int i = 0; i < 2; i++)
        for (char **word = i == 0 ? first : second; *word != NULL; word++)
            if (**word != '\0')
                g_ptr_array_add(i == 0 ? headers : paths, *word);
    if (headers->len == 0 || headers->len != paths->len) {
        kube_fail(kube, "number of headers (%u) and field specifications (%u) don't match",
                  headers->len, paths->len);
        return false;
    }
    for (guint i = 0; i < headers->len; i++)
        if (!add_column(kube, columns, g_ptr_array_index(headers, i), g_ptr_array_index(paths, i)))
            return false;
    return true;
}

CustomColumns *
custom_columns_new(Kube *kube, const char *text, bool from_file, bool headers)
{
    CustomColumns *columns = g_new0(CustomColumns, 1);
    columns->columns = g_array_new(FALSE, TRUE, sizeof(CustomColumn));
    g_array_set_clear_func(columns->columns, column_clear);
    columns->headers = headers;
    if (from_file ? columns_from_file(kube, columns, text) : columns_from_spec(kube, columns, text))
        return columns;
    custom_columns_free(columns);
    return NULL;
}

void
custom_columns_free(CustomColumns *columns)
{
    if (columns == NULL)
        return;
    g_array_free(columns->columns, TRUE);
    g_free(columns);
}

static void
append_found(GString *text, const CustomColumn *column, const Value *object)
{
    g_autoptr(GPtrArray) found =
        jsonpath_find(column->path, object, JSONPATH_MISSING_KEYS_ARE_EMPTY, NULL);
    if (found == NULL || found->len == 0) {
        g_string_append(text, "<none>");
        return;
    }
    for (guint i = 0; i < found->len; i++) {
        g_string_append(text, i > 0 ? "," : "");
        append_value(text, g_ptr_array_index(found, i));
    }
}

void
custom_columns_write(CustomColumns *columns, GString *out, Value *const *objects, size_t n,
                     bool headers)
{
    g_autoptr(GString) text = g_string_new(NULL);
    guint n_columns = columns->columns->len;
    for (guint c = 0; headers && columns->headers && c < n_columns; c++)
        g_string_append_printf(text, "%s%c",
                               g_array_index(columns->columns, CustomColumn, c).header,
                               c + 1 < n_columns ? '\t' : '\n');
    for (size_t i = 0; i < n; i++) {
        for (guint c = 0; c < n_columns; c++) {
            append_found(text, &g_array_index(columns->columns, CustomColumn, c), objects[i]);
            g_string_append_c(text, c + 1 < n_columns ? '\t' : '\n');
        }
    }
    tabs_write(out, text->str, TABLE_MIN_WIDTH, TABLE_PADDING);
}
