/* Strategic merge: a patch that knows which lists are keyed (apimachinery pkg/util/strategicpatch).
 *
 *   $patch: replace | delete            in a map; in a list of maps: an element that clears the
 * list, or names one to delete $retainKeys: [names]                in a map: all other keys of the
 * original go $deleteFromPrimitiveList/name       beside a list of scalars: those to take out
 *   $setElementOrder/name               beside a merged list: the order of the elements that the
 * patch's author knows */
#include "core/api/schema_merge.h"

#include <string.h>

#include "core/base/error.h"
#include "core/object/json.h"

static Value *merge_map(const Schema *schema, const Value *original, const Value *patch,
                        GError **error);

const SchemaField *
merge_child(const Schema *schema, const char *key, const Schema **ret_schema)
{
    *ret_schema = NULL;
    if (!schema)
        return NULL;
    if (schema->type == SCHEMA_MAP) {
        *ret_schema = schema->element;
        return NULL;
    }
    const SchemaField *field = schema->type == SCHEMA_OBJECT ? schema_field(schema, key) : NULL;
    *ret_schema = field ? field->schema : NULL;
    return field;
}

bool
merge_fail_key(GError **error, const Value *item, const char *key)
{
    g_autofree char *text = json_text(item);
    return fail(error, TIMONEL_ERROR_INVALID, "map: %s does not contain declared merge key: %s",
                text, key);
}

const Value *
merge_key_of(const Value *item, const char *key)
{
    return key ? value_get(item, key) : item;
}

size_t
merge_find(const Value *list, const char *key, const Value *wanted)
{
    for (size_t i = 0; i < value_size(list); i++)
        if (value_equal(merge_key_of(value_item(list, i), key), wanted))
            return i;
    return MERGE_NONE;
}

/* Without the nulls and directives that only mean something where there is an original. */
static Value *
plain(const Value *patch)
{
    Value *result = value_ref(patch);
    if (value_is_map(patch)) {
        VALUE_MAP_FOREACH (key, value, patch) {
            if (value_is_null(value) || key[0] == '$') {
                value_replace(&result, value_remove(result, key));
                continue;
            }
            g_autoptr(Value) clean = plain(value);
            if (clean != value)
                value_replace(&result, value_set(result, key, g_steal_pointer(&clean)));
        }
    } else if (value_is_array(patch)) {
        value_replace(&result, value_new_array());
        VALUE_ARRAY_FOREACH (item, patch)
            if (!value_has(item, "$patch"))
                value_replace(&result, value_append(result, plain(item)));
    }
    return result;
}

/* ---- lists
 * ------------------------------------------------------------------------------------------------
 */

/* Elements named by `order` in its order, the others where they stood: an other one comes before
 * the next named one when the original had it so. */
static Value *
arrange(const Value *merged, const Value *order, const Value *original, const char *key)
{
    g_autoptr(Value) named = value_new_array();
    g_autoptr(Value) others = value_new_array();
    VALUE_ARRAY_FOREACH (entry, order) {
        size_t at = merge_find(merged, key, merge_key_of(entry, key));
        if (at != MERGE_NONE && merge_find(named, key, merge_key_of(entry, key)) == MERGE_NONE)
            value_replace(&named, value_append(named, value_ref(value_item(merged, at))));
    }
    VALUE_ARRAY_FOREACH (item, merged)
        if (merge_find(order, key, merge_key_of(item, key)) == MERGE_NONE)
            value_replace(&others, value_append(others, value_ref(item)));
    g_autoptr(Value) result = value_new_array();
    size_t i = 0;
    size_t j = 0;
    while (i < value_size(others) || j < value_size(named)) {
        const Value *other = value_item(others, i);
        const Value *next = value_item(named, j);
        bool take_other = !next;
        if (other && next) {
            size_t left = merge_find(original, key, merge_key_of(other, key));
            size_t right = merge_find(original, key, merge_key_of(next, key));
            take_other = left != MERGE_NONE && right != MERGE_NONE && left < right;
        }
        value_replace(&result, value_append(result, value_ref(take_other ? other : next)));
        if (take_other)
            i++;
        else
            j++;
    }
    return g_steal_pointer(&result);
}

/* The patch's elements must stand in its order list, in that order. */
static bool
check_order(const Value *patch, const Value *order, const char *key, GError **error)
{
    size_t at = 0;
    if (!value_is_array(order))
        return fail(error, TIMONEL_ERROR_INVALID, "invalid patch format of setElementOrder list");
    if (value_size(order) == 0)
        return true;
    VALUE_ARRAY_FOREACH (item, patch) {
        if (value_has(item, "$patch"))
            continue;
        if (key && !value_has(item, key))
            return merge_fail_key(error, item, key);
        while (at < value_size(order) &&
               !value_equal(merge_key_of(value_item(order, at), key), merge_key_of(item, key)))
            at++;
        if (at == value_size(order)) {
            g_autofree char *list = json_text(patch);
            g_autofree char *wanted = json_text(order);
            return fail(error, TIMONEL_ERROR_INVALID,
                        "The order in patch list:\n%s\n doesn't match $setElementOrder list:\n%s\n",
                        list, wanted);
        }
        at++;
    }
    return true;
}

/* Carries out the elements with a $patch. Returns the original without the deleted, and the rest of
 * the patch. */
static bool
apply_special(const Value *original, const Value *patch, const char *key, Value **ret_original,
              Value **ret_patch, GError **error)
{
    g_autoptr(Value) kept = value_ref(original);
    g_autoptr(Value) rest = value_new_array();
    bool replace = false;
    VALUE_ARRAY_FOREACH (item, patch) {
        if (!value_is_map(item))
            return fail(error, TIMONEL_ERROR_INVALID,
                        "expected a map, but received another type in a list merged by %s", key);
        const char *directive = value_text(value_get(item, "$patch"));
        if (!value_has(item, "$patch")) {
            value_replace(&rest, value_append(rest, value_ref(item)));
        } else if (strcmp(directive, "replace") == 0) {
            replace = true;
        } else if (strcmp(directive, "delete") == 0) {
            if (!value_has(item, key))
                return merge_fail_key(error, item, key);
            for (size_t at; (at = merge_find(kept, key, value_get(item, key))) != MERGE_NONE;)
                value_replace(&kept, value_remove_item(kept, at));
        } else if (strcmp(directive, "merge") == 0) {
            return fail(error, TIMONEL_ERROR_INVALID,
                        "merging lists cannot yet be specified in the patch");
        } else {
            g_autofree char *text = json_text(item);
            return fail(error, TIMONEL_ERROR_INVALID, "unknown patch type: %s in map: %s",
                        directive, text);
        }
    }
    *ret_original = replace ? value_new_array() : g_steal_pointer(&kept);
    *ret_patch = g_steal_pointer(&rest);
    return true;
}

static Value *
merge_maps_list(const Schema *element, const char *key, const Value *original, const Value *patch,
                GError **error)
{
    g_autoptr(Value) result = value_ref(original);
    VALUE_ARRAY_FOREACH (item, patch) {
        const Value *wanted = value_get(item, key);
        if (!wanted) {
            merge_fail_key(error, item, key);
            return NULL;
        }
        size_t at = merge_find(result, key, wanted);
        Value *merged = at == MERGE_NONE ? plain(item)
                                         : merge_map(element, value_item(result, at), item, error);
        if (!merged)
            return NULL;
        value_replace(&result, at == MERGE_NONE ? value_append(result, merged)
                                                : value_set_item(result, at, merged));
    }
    return g_steal_pointer(&result);
}

static Value *
merge_scalars_list(const Value *original, const Value *patch)
{
    g_autoptr(Value) result = value_new_array();
    const Value *lists[] = {original, patch};
    for (int i = 0; i < 2; i++)
        VALUE_ARRAY_FOREACH (item, lists[i])
            if (merge_find(result, NULL, item) == MERGE_NONE)
                value_replace(&result, value_append(result, value_ref(item)));
    return g_steal_pointer(&result);
}

/* `order` may be NULL: then the patch itself is the order. */
static Value *
merge_list(const SchemaField *field, const Value *original, const Value *patch, const Value *order,
           GError **error)
{
    const char *key = field->patch_merge_key;
    g_autoptr(Value) kept = NULL;
    g_autoptr(Value) rest = NULL;
    g_autoptr(Value) merged = NULL;
    if (order && !check_order(patch, order, key, error))
        return NULL;
    if (!key) {
        merged = merge_scalars_list(original, patch);
        return arrange(merged, order ? order : patch, original, NULL);
    }
    if (!apply_special(original, patch, key, &kept, &rest, error))
        return NULL;
    merged = merge_maps_list(field->schema->element, key, kept, rest, error);
    return merged ? arrange(merged, order ? order : rest, original, key) : NULL;
}

/* ---- maps
 * -------------------------------------------------------------------------------------------------
 */

static bool
retain_keys(ValueBuilder *builder, const Value *original, const Value *patch, GError **error)
{
    const Value *keys = value_get(patch, "$retainKeys");
    if (!keys)
        return true;
    bool good = value_is_array(keys);
    VALUE_MAP_FOREACH (key, value, patch) {
        g_autoptr(Value) name = value_new_string(key);
        good = good && (key[0] == '$' || value_is_null(value) ||
                        merge_find(keys, NULL, name) != MERGE_NONE);
    }
    if (!good)
        return fail(error, TIMONEL_ERROR_INVALID, "invalid patch format of retainKeys");
    for (size_t i = 0; i < value_size(original); i++) {
        g_autoptr(Value) name = value_new_string(value_key_at(original, i));
        if (merge_find(keys, NULL, name) == MERGE_NONE)
            value_builder_remove(builder, value_key_at(original, i));
    }
    return true;
}

static void
delete_from_primitives(ValueBuilder *builder, const char *name, const Value *doomed)
{
    g_autoptr(Value) list = value_ref(value_get(value_builder_peek(builder), name));
    if (!value_is_array(list))
        return;
    g_autoptr(Value) result = value_new_array();
    VALUE_ARRAY_FOREACH (item, list)
        if (merge_find(doomed, NULL, item) == MERGE_NONE)
            value_replace(&result, value_append(result, value_ref(item)));
    value_builder_set(builder, name, g_steal_pointer(&result));
}

/* The patch orders a list that it does not otherwise touch. */
static bool
reorder(const Schema *schema, ValueBuilder *builder, const char *name, const Value *order,
        GError **error)
{
    const Schema *child;
    const SchemaField *field = merge_child(schema, name, &child);
    if (!value_is_array(order))
        return fail(error, TIMONEL_ERROR_INVALID, "invalid patch format of setElementOrder list");
    g_autoptr(Value) list = value_ref(value_get(value_builder_peek(builder), name));
    if (field && value_is_array(list))
        value_builder_set(builder, name, arrange(list, order, list, field->patch_merge_key));
    return true;
}

static Value *
merge_value(const Schema *schema, const char *key, const Value *original, const Value *patch,
            const Value *order, GError **error)
{
    const Schema *child;
    const SchemaField *field = merge_child(schema, key, &child);
    if (value_is_map(patch) && value_is_map(original) && !(field && field->patch_replace))
        return merge_map(child, original, patch, error);
    if (value_is_array(patch) && field && field->patch_merge) {
        g_autoptr(Value) nothing = value_new_array();
        return merge_list(field, value_is_array(original) ? original : nothing, patch, order,
                          error);
    }
    return plain(patch);
}

static bool
merge_key(const Schema *schema, ValueBuilder *builder, const Value *patch, const char *key,
          const Value *value, GError **error)
{
    static const char DELETE[] = "$deleteFromPrimitiveList/";
    static const char ORDER[] = "$setElementOrder/";
    if (g_str_has_prefix(key, DELETE)) {
        delete_from_primitives(builder, key + strlen(DELETE), value);
        return true;
    }
    if (g_str_has_prefix(key, ORDER)) {
        const char *name = key + strlen(ORDER);
        return !value_is_null(value_get(patch, name)) ||
               reorder(schema, builder, name, value, error);
    }
    if (key[0] == '$')
        return true;
    if (value_is_null(value)) {
        value_builder_remove(builder, key);
        return true;
    }
    g_autofree char *order = g_strconcat(ORDER, key, NULL);
    g_autoptr(Value) original = value_ref(value_get(value_builder_peek(builder), key));
    Value *merged = merge_value(schema, key, original, value, value_get(patch, order), error);
    if (merged)
        value_builder_set(builder, key, merged);
    return merged != NULL;
}

static Value *
merge_map(const Schema *schema, const Value *original, const Value *patch, GError **error)
{
    const Value *directive = value_get(patch, "$patch");
    if (directive && strcmp(value_text(directive), "replace") == 0)
        return plain(patch);
    if (directive && strcmp(value_text(directive), "delete") == 0)
        return value_new_map();
    if (directive) {
        g_autofree char *text = json_text(patch);
        fail(error, TIMONEL_ERROR_INVALID, "unknown patch type: %s in map: %s",
             value_text(directive), text);
        return NULL;
    }
    g_autoptr(ValueBuilder) builder = value_builder_new(original);
    if (!retain_keys(builder, original, patch, error))
        return NULL;
    VALUE_MAP_FOREACH (key, value, patch)
        if (!merge_key(schema, builder, patch, key, value, error))
            return NULL;
    return value_builder_end(g_steal_pointer(&builder));
}

Value *
schema_strategic_merge(const Schema *schema, const Value *original, const Value *patch,
                       GError **error)
{
    g_assert(schema != NULL);
    if (!value_is_map(patch)) {
        fail(error, TIMONEL_ERROR_INVALID, "invalid JSON document");
        return NULL;
    }
    g_autoptr(Value) nothing = value_new_map();
    return merge_map(schema, value_is_map(original) ? original : nothing, patch, error);
}
