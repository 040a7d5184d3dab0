/* The patch that `apply` sends: what differs between live and wanted, and deletion of what the last
 * writer had and the wanted has no more. What only the live object has (defaults, other writers) is
 * left alone. */
#include <string.h>

#include "core/api/schema_merge.h"
#include "core/base/error.h"

static Value *diff_map(const Schema *schema, bool retain_keys, const Value *original,
                       const Value *modified, const Value *current, GError **error);

static bool
is_empty(const Value *value)
{
    return value_size(value) == 0;
}

static Value *
sorted(const Value *list)
{
    g_autoptr(Value) result = value_new_array();
    VALUE_ARRAY_FOREACH (item, list) {
        size_t at = 0;
        while (at < value_size(result) && value_compare(value_item(result, at), item) < 0)
            at++;
        /* Insertion: append, then shift the tail by one. */
        value_replace(&result, value_append(result, value_ref(item)));
        for (size_t i = value_size(result) - 1; i > at; i--) {
            g_autoptr(Value) earlier = value_ref(value_item(result, i - 1));
            value_replace(&result, value_set_item(result, i, g_steal_pointer(&earlier)));
        }
        value_replace(&result, value_set_item(result, at, value_ref(item)));
    }
    return g_steal_pointer(&result);
}

static bool
same_order(const Value *a, const Value *b, const char *key)
{
    if (value_size(a) != value_size(b))
        return false;
    for (size_t i = 0; i < value_size(a); i++)
        if (!value_equal(merge_key_of(value_item(a, i), key), merge_key_of(value_item(b, i), key)))
            return false;
    return true;
}

static void
set_directive(ValueBuilder *patch, const char *directive, const char *name, Value *take)
{
    g_autofree char *key = g_strdup_printf("$%s/%s", directive, name);
    value_builder_set(patch, key, take);
}

/* The elements of `from` that `list` does not have. */
static Value *
missing_in(const Value *from, const Value *list)
{
    Value *result = value_new_array();
    VALUE_ARRAY_FOREACH (item, from)
        if (merge_find(list, NULL, item) == MERGE_NONE &&
            merge_find(result, NULL, item) == MERGE_NONE)
            value_replace(&result, value_append(result, value_ref(item)));
    return result;
}

static void
diff_scalars(ValueBuilder *patch, const char *name, const Value *original, const Value *modified,
             const Value *current)
{
    g_autoptr(Value) added = missing_in(modified, current);
    g_autoptr(Value) gone = missing_in(original, modified);
    bool changed = !is_empty(current) && !value_equal(current, modified);
    if (!is_empty(gone))
        set_directive(patch, "deleteFromPrimitiveList", name, sorted(gone));
    if (!is_empty(gone) || changed)
        set_directive(patch, "setElementOrder", name, value_ref(modified));
    if (!is_empty(added))
        value_builder_set(patch, name, g_steal_pointer(&added));
}

/* One wanted element against the live one. Appends to *list what the patch must say of it. */
static bool
diff_element(const SchemaField *field, const Value *original, const Value *wanted,
             const Value *current, Value **list, GError **error)
{
    const char *key = field->patch_merge_key;
    const Value *id = value_get(wanted, key);
    if (!id)
        return merge_fail_key(error, wanted, key);
    size_t live = merge_find(current, key, id);
    size_t before = merge_find(original, key, id);
    if (live == MERGE_NONE) {
        value_replace(list, value_append(*list, value_ref(wanted)));
        return true;
    }
    g_autoptr(Value) change = diff_map(field->schema->element, field->patch_retain_keys,
                                       before == MERGE_NONE ? NULL : value_item(original, before),
                                       wanted, value_item(current, live), error);
    if (!change)
        return false;
    if (!is_empty(change)) {
        value_replace(&change, value_set(change, key, value_ref(id)));
        value_replace(list, value_append(*list, g_steal_pointer(&change)));
    }
    return true;
}

static bool
diff_maps_list(ValueBuilder *patch, const SchemaField *field, const Value *original,
               const Value *modified, const Value *current, GError **error)
{
    const char *key = field->patch_merge_key;
    g_autoptr(Value) list = value_new_array();
    g_autoptr(Value) gone = value_new_array();
    VALUE_ARRAY_FOREACH (wanted, modified)
        if (!diff_element(field, original, wanted, current, &list, error))
            return false;
    VALUE_ARRAY_FOREACH (item, original)
        if (merge_find(modified, key, value_get(item, key)) == MERGE_NONE)
            value_replace(&gone, value_append(gone, value_ref(merge_key_of(item, key))));
    value_replace(&gone, sorted(gone));
    VALUE_ARRAY_FOREACH (id, gone)
        value_replace(&list,
                      value_append(list, value_new_f("{'$patch': delete, %s: %v}", key, id)));
    bool changed = !is_empty(list) || (!is_empty(current) && !same_order(current, modified, key));
    if (changed && (!is_empty(current) || !is_empty(original))) {
        g_autoptr(Value) order = value_new_array();
        VALUE_ARRAY_FOREACH (item, modified)
            value_replace(&order,
                          value_append(order, value_new_f("{%s: %v}", key, value_get(item, key))));
        set_directive(patch, "setElementOrder", field->name, g_steal_pointer(&order));
    }
    if (!is_empty(list))
        value_builder_set(patch, field->name, g_steal_pointer(&list));
    return true;
}

static bool
diff_key(const Schema *schema, ValueBuilder *patch, const char *key, const Value *original,
         const Value *wanted, const Value *live, GError **error)
{
    const Schema *child;
    const SchemaField *field = merge_child(schema, key, &child);
    if (value_is_map(wanted) && value_is_map(live) && !(field && field->patch_replace)) {
        g_autoptr(Value) change =
            diff_map(child, field && field->patch_retain_keys,
                     value_is_map(original) ? original : NULL, wanted, live, error);
        if (change && !is_empty(change))
            value_builder_set(patch, key, value_ref(change));
        return change != NULL;
    }
    if (value_is_array(wanted) && value_is_array(live) && field && field->patch_merge) {
        const Value *before = value_is_array(original) ? original : NULL;
        if (field->patch_merge_key)
            return diff_maps_list(patch, field, before, wanted, live, error);
        diff_scalars(patch, key, before, wanted, live);
        return true;
    }
    if (!live || !value_equal(wanted, live))
        value_builder_set(patch, key, value_ref(wanted));
    return true;
}

/* $retainKeys: all keys that may stay, when the patch says anything or the live object has more. */
static void
add_retain_keys(ValueBuilder *patch, const Value *original, const Value *modified,
                const Value *current)
{
    bool needed = !is_empty(value_builder_peek(patch));
    const Value *others[] = {original, current};
    for (int i = 0; i < 2; i++)
        VALUE_MAP_FOREACH (key, value, others[i])
            needed = needed || (!value_is_null(value) && !value_has(modified, key));
    g_autoptr(Value) keys = value_new_array();
    VALUE_MAP_FOREACH (key, value, modified)
        if (!value_is_null(value))
            value_replace(&keys, value_append(keys, value_new_string(key)));
    if (needed && !is_empty(keys))
        value_builder_set(patch, "$retainKeys", g_steal_pointer(&keys));
}

static Value *
diff_map(const Schema *schema, bool retain_keys, const Value *original, const Value *modified,
         const Value *current, GError **error)
{
    g_autoptr(ValueBuilder) patch = value_builder_new(NULL);
    VALUE_MAP_FOREACH (key, wanted, modified)
        if (!diff_key(schema, patch, key, value_get(original, key), wanted, value_get(current, key),
                      error))
            return NULL;
    for (size_t i = 0; i < value_size(original); i++)
        if (!value_has(modified, value_key_at(original, i)))
            value_builder_set(patch, value_key_at(original, i), value_new_null());
    if (retain_keys)
        add_retain_keys(patch, original, modified, current);
    return value_builder_end(g_steal_pointer(&patch));
}

Value *
schema_strategic_three_way(const Schema *schema, const Value *original, const Value *modified,
                           const Value *current, GError **error)
{
    g_assert(schema != NULL);
    if (!value_is_map(modified) || !value_is_map(current)) {
        fail(error, TIMONEL_ERROR_INVALID, "invalid JSON document");
        return NULL;
    }
    return diff_map(schema, false, value_is_map(original) ? original : NULL, modified, current,
                    error);
}
