/* The columns of every kind without columns of its own: Name and Created At. */
#include "core/api/columns.h"

#include <string.h>

#include "core/api/meta.h"

static Value *
table_object(const Value *object, const char *include_object)
{
    if (include_object != NULL && strcmp(include_object, "None") == 0)
        return value_new_null();
    if (include_object != NULL && strcmp(include_object, "Object") == 0)
        return value_ref(object);
    return value_new_f("{kind: PartialObjectMetadata, apiVersion: 'meta.k8s.io/v1', metadata: %v}",
                       value_get(object, "metadata"));
}

static Value *
table_row(const Value *object, const char *include_object)
{
    return value_new_f("{cells: [%s, %v], object: %V}", object_name(object), value_at(object, "metadata.creationTimestamp"),
                       table_object(object, include_object));
}

Value *
api_table(const ApiKind *kind, const Value *list_or_object, const char *include_object, int64_t now_ns, bool with_headers)
{
    const Value *items = value_get(list_or_object, "items"), *metadata = value_get(list_or_object, "metadata");
    ValueBuilder *rows = value_builder_new_array();
    Value *columns = NULL;

    if (items == NULL)
        value_builder_append(rows, table_row(list_or_object, include_object));
    VALUE_ARRAY_FOREACH (item, items)
        value_builder_append(rows, table_row(item, include_object));
    if (with_headers)
        columns = value_new_f("[{name: Name, type: string, format: name, description: 'The name of the object', priority: 0}, "
                              "{name: 'Created At', type: date, format: '', description: 'When it was created', priority: "
                              "0}]");
    return value_new_f("{kind: Table, apiVersion: 'meta.k8s.io/v1', metadata: {resourceVersion: ?%v, continue: ?%v, "
                       "remainingItemCount: ?%v}, columnDefinitions: %V, rows: %V}",
                       value_get(metadata, "resourceVersion"), value_get(metadata, "continue"),
                       value_get(metadata, "remainingItemCount"), columns, value_builder_end(rows));
}
