/* Objects as rows of a table: finds the columns of a kind and fills them. Kinds without columns of their own have Name and
 * Created At, as the API server's default convertor gives. */
#include "core/api/columns_private.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/base/duration.h"
#include "core/base/timestamp.h"
#include "core/object/selector.h"

/* ---- cells ---- */

void
row_value(Row *row, const Value *value)
{
    value_builder_append(row->cells, value != NULL ? value_ref(value) : value_new_string(""));
}

void
row_value_or(Row *row, const Value *value, const char *otherwise)
{
    bool empty = value_is_null(value) || (value_is_string(value) && *value_text(value) == '\0');

    value_builder_append(row->cells, empty ? value_new_string(otherwise) : value_ref(value));
}

void
row_text(Row *row, const char *text)
{
    value_builder_append(row->cells, value_new_string(text));
}

void
row_take(Row *row, char *take)
{
    value_builder_append(row->cells, value_new_string_take(take));
}

void
row_int(Row *row, int64_t number)
{
    value_builder_append(row->cells, value_new_int(number));
}

void
row_bool(Row *row, bool flag)
{
    value_builder_append(row->cells, value_new_bool(flag));
}

void
row_name(Row *row, const Value *object)
{
    row_value(row, value_get(value_get(object, "metadata"), "name"));
}

/* Objects of one list often are of one age: the text is made once for a run of equal ones. */
void
row_since(Row *row, const Value *time)
{
    int64_t then, seconds;

    if (!timestamp_parse(value_string(time), &then)) {
        row_text(row, "<unknown>");
        return;
    }
    seconds = (row->now_ns - then) / DURATION_SECOND;
    if (row->age == NULL || row->age_seconds != seconds) {
        value_replace(&row->age, value_new_string_take(duration_human(row->now_ns - then)));
        row->age_seconds = seconds;
    }
    value_builder_append(row->cells, value_ref(row->age));
}

void
row_age(Row *row, const Value *object)
{
    row_since(row, value_get(value_get(object, "metadata"), "creationTimestamp"));
}

void
row_ratio(Row *row, int64_t of, int64_t all)
{
    value_builder_append(row->cells, value_new_stringf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, of, all));
}

static void
row_joined(Row *row, const Value *items, const char *key)
{
    if (value_size(items) == 1) {
        row_value(row, value_get(value_item(items, 0), key));
        return;
    }
    GString *text = g_string_new(NULL);

    VALUE_ARRAY_FOREACH (item, items) {
        g_string_append(text, text->len > 0 ? "," : "");
        g_string_append(text, value_text(value_get(item, key)));
    }
    row_take(row, g_string_free(text, FALSE));
}

void
row_containers(Row *row, const Value *pod_spec)
{
    const Value *containers = value_get(pod_spec, "containers");

    row_joined(row, containers, "name");
    row_joined(row, containers, "image");
}

void
row_labels(Row *row, const Value *pairs)
{
    GString *text = g_string_new(NULL);

    VALUE_MAP_FOREACH (key, value, pairs) {
        g_string_append(text, text->len > 0 ? "," : "");
        g_string_append_printf(text, "%s=%s", key, value_text(value));
    }
    if (text->len == 0)
        g_string_append(text, "<none>");
    row_take(row, g_string_free(text, FALSE));
}

void
row_label_selector(Row *row, const Value *label_selector)
{
    g_autoptr(Selector) selector = selector_from_object(label_selector, NULL);
    g_autofree char *text = selector != NULL ? selector_text(selector) : g_strdup("<error>");

    row_text(row, value_size(label_selector) == 0 || *text == '\0' ? "<none>" : text);
}

/* ---- kinds ---- */

static const Column default_columns[] = {
    COLUMN_NAME,
    {"Created At", "date", "Time at which the object was created", NULL, 0},
};

static void
default_fill(Row *row, const Value *object)
{
    row_name(row, object);
    row_value_or(row, value_get(value_get(object, "metadata"), "creationTimestamp"), "");
}

static const ColumnTable default_table = COLUMN_TABLE("", "", default_columns, default_fill);

static const ColumnTable *
column_table_find(const ApiKind *kind)
{
    const ColumnTable *const groups[] = {column_tables_pod,  column_tables_workload, column_tables_network,
                                         column_tables_core, column_tables_storage,  column_tables_sim};

    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        for (const ColumnTable *table = groups[i]; table->kind != NULL; table++)
            if (strcmp(table->kind, kind->kind) == 0 && strcmp(table->group, kind->group) == 0)
                return table;
    return &default_table;
}

static Value *
column_definitions(const ColumnTable *table)
{
    ValueBuilder *columns = value_builder_new_array();

    for (size_t i = 0; i < table->n_columns; i++) {
        const Column *column = &table->columns[i];

        value_builder_append(columns, value_new_f("{name: %s, type: %s, format: %s, description: %s, priority: %i}",
                                                  column->name, column->type,
                                                  column->format != NULL ? column->format : "", column->description,
                                                  (int64_t)column->priority));
    }
    return value_builder_end(columns);
}

/* ---- the table ---- */

typedef enum { INCLUDE_NONE, INCLUDE_METADATA, INCLUDE_OBJECT } IncludeObject;

/* What all rows of a table have in common. */
typedef struct TableWriter {
    const ColumnTable *table;
    IncludeObject include;
    Row row;
    Value *partial; /* a PartialObjectMetadata without metadata */
    Value *empty;   /* a row without content */
} TableWriter;

static Value *
table_row(TableWriter *writer, const Value *object)
{
    Value *shown;

    writer->row.cells = value_builder_new_array();
    writer->table->fill(&writer->row, object);
    if (writer->include == INCLUDE_NONE)
        shown = value_new_null();
    else if (writer->include == INCLUDE_OBJECT)
        shown = value_ref(object);
    else if (value_get(object, "metadata") != NULL)
        shown = value_set(writer->partial, "metadata", value_ref(value_get(object, "metadata")));
    else
        shown = value_ref(writer->partial);

    ValueBuilder *result = value_builder_new(writer->empty);
    value_builder_set(result, "cells", value_builder_end(g_steal_pointer(&writer->row.cells)));
    value_builder_set(result, "object", shown);
    if (writer->row.conditions != NULL)
        value_builder_set(result, "conditions", g_steal_pointer(&writer->row.conditions));
    return value_builder_end(result);
}

static IncludeObject
include_parse(const char *include_object)
{
    if (include_object != NULL && strcmp(include_object, "None") == 0)
        return INCLUDE_NONE;
    if (include_object != NULL && strcmp(include_object, "Object") == 0)
        return INCLUDE_OBJECT;
    return INCLUDE_METADATA;
}

Value *
api_table(const ApiKind *kind, const Value *list_or_object, const char *include_object, int64_t now_ns, bool with_headers)
{
    const Value *items = value_get(list_or_object, "items"), *metadata = value_get(list_or_object, "metadata");
    bool is_list = items != NULL || strcmp(object_kind(list_or_object), kind->list_kind) == 0;
    TableWriter writer = {.table = column_table_find(kind), .include = include_parse(include_object)};
    ValueBuilder *rows = value_builder_new_array();

    writer.row.now_ns = now_ns;
    writer.partial = value_new_f("{kind: PartialObjectMetadata, apiVersion: 'meta.k8s.io/v1', metadata: {}}");
    writer.empty = value_new_f("{cells: null, object: null}");
    if (!is_list)
        value_builder_append(rows, table_row(&writer, list_or_object));
    VALUE_ARRAY_FOREACH (item, items)
        value_builder_append(rows, table_row(&writer, item));
    value_unref(writer.partial);
    value_unref(writer.empty);
    value_unref(writer.row.age);
    return value_new_f("{kind: Table, apiVersion: 'meta.k8s.io/v1', metadata: {resourceVersion: ?%v, continue: ?%v, "
                       "remainingItemCount: ?%v}, columnDefinitions: %V, rows: %V}",
                       value_get(metadata, "resourceVersion"), value_get(metadata, "continue"),
                       value_get(metadata, "remainingItemCount"),
                       with_headers ? column_definitions(writer.table) : NULL, value_builder_end(rows));
}
