#include "core/object/patch.h"

Value *
merge_patch_apply(const Value *document, const Value *patch)
{
    if (!value_is_map(patch))
        return patch != NULL ? value_ref(patch) : value_new_null();
    Value *result = value_is_map(document) ? value_ref(document) : value_new_map();
    VALUE_MAP_FOREACH (key, change, patch) {
        if (value_is_null(change))
            value_replace(&result, value_remove(result, key));
        else
            value_replace(&result,
                          value_set(result, key, merge_patch_apply(value_get(result, key), change)));
    }
    return result;
}

Value *
merge_patch_create(const Value *from, const Value *to)
{
    if (!value_is_map(from) || !value_is_map(to))
        return to != NULL ? value_ref(to) : value_new_null();
    g_autoptr(ValueBuilder) patch = value_builder_new(NULL);
    VALUE_MAP_FOREACH (key, value, to) {
        const Value *old = value_get(from, key);
        if (old == NULL || !value_equal(old, value))
            value_builder_set(patch, key, merge_patch_create(old, value));
    }
    VALUE_MAP_FOREACH (key, value, from) {
        if (!value_has(to, key))
            value_builder_set(patch, key, value_new_null());
    }
    return value_builder_end(g_steal_pointer(&patch));
}

typedef enum { KEEP_DELETIONS, KEEP_CHANGES } Keep;

/* The half of a merge patch that deletes, or the half that does not. */
static Value *
patch_filter(const Value *patch, Keep keep)
{
    g_autoptr(ValueBuilder) kept = value_builder_new(NULL);

    VALUE_MAP_FOREACH (key, value, patch) {
        if (value_is_null(value)) {
            if (keep == KEEP_DELETIONS)
                value_builder_set(kept, key, value_new_null());
        } else if (value_is_map(value) && value_size(value) > 0) {
            Value *inner = patch_filter(value, keep);
            if (value_size(inner) > 0)
                value_builder_set(kept, key, inner);
            else
                value_unref(inner);
        } else if (keep == KEEP_CHANGES) {
            value_builder_set(kept, key, value_ref(value));
        }
    }
    return value_builder_end(g_steal_pointer(&kept));
}

/* Both patches in one, the second over the first; nulls stay. */
static Value *
patch_join(const Value *first, const Value *second)
{
    Value *joined = value_ref(first);

    VALUE_MAP_FOREACH (key, value, second) {
        const Value *old = value_get(joined, key);
        Value *both = value_is_map(old) && value_is_map(value) ? patch_join(old, value) : value_ref(value);
        value_replace(&joined, value_set(joined, key, both));
    }
    return joined;
}

Value *
merge_patch_create_three_way(const Value *original, const Value *modified, const Value *current)
{
    g_autoptr(Value) empty = value_new_map();
    g_autoptr(Value) all_changes = merge_patch_create(current != NULL ? current : empty, modified);
    g_autoptr(Value) all_deletions = merge_patch_create(original != NULL ? original : empty, modified);
    g_autoptr(Value) changes = patch_filter(all_changes, KEEP_CHANGES);
    g_autoptr(Value) deletions = patch_filter(all_deletions, KEEP_DELETIONS);

    return patch_join(deletions, changes);
}
