#include "core/apiserver/field_sets.h"

#include <string.h>

#include "core/object/json.h"

typedef enum { KIND_LEAF, KIND_FIELDS, KIND_MAP_LIST, KIND_SET_LIST } ShapeKind;

static ShapeKind
shape_kind(Shape shape, const Value *value)
{
    if (shape.schema == NULL)
        return KIND_LEAF;
    if (value_is_map(value) && shape.schema->type == SCHEMA_OBJECT && !shape.schema->map_atomic)
        return KIND_FIELDS;
    if (value_is_map(value) && shape.schema->type == SCHEMA_MAP && !shape.schema->map_atomic)
        return KIND_FIELDS;
    if (value_is_array(value) && shape.schema->type == SCHEMA_ARRAY && shape.field != NULL) {
        if (shape.field->list_type == SCHEMA_LIST_MAP)
            return KIND_MAP_LIST;
        if (shape.field->list_type == SCHEMA_LIST_SET)
            return KIND_SET_LIST;
    }
    return KIND_LEAF;
}

static Shape
shape_child(Shape shape, const char *key)
{
    const SchemaField *field;

    if (shape.schema->type != SCHEMA_OBJECT)
        return (Shape){shape.schema->element, NULL};
    field = schema_field(shape.schema, key);
    return (Shape){field == NULL ? NULL : field->schema, field};
}

/* "k:{"name":"c"}"; keys that an item leaves out have their defaults. */
static char *
item_key(Shape list, const Value *item)
{
    g_autoptr(Value) keys = value_new_map();
    g_autofree char *json = NULL;

    if (list.field->list_type == SCHEMA_LIST_SET) {
        json = json_text(item);
        return g_strconcat("v:", json, NULL);
    }
    for (const char *const *name = list.field->list_map_keys; name != NULL && *name != NULL;
         name++) {
        const SchemaField *field = schema_field(list.schema->element, *name);
        const Value *value = value_get(item, *name);

        if (value == NULL && field != NULL)
            value = field->default_value;
        if (value != NULL)
            value_replace(&keys, value_set(keys, *name, value_ref(value)));
    }
    json = json_text(keys);
    return g_strconcat("k:", json, NULL);
}

static const Value *
item_find(Shape list, const Value *array, const char *key)
{
    VALUE_ARRAY_FOREACH (item, array) {
        g_autofree char *its_key = item_key(list, item);

        if (strcmp(its_key, key) == 0)
            return item;
    }
    return NULL;
}

static void
set_add(Value **set, const char *key, Value *take)
{
    if (*set == NULL)
        *set = value_new_map();
    value_replace(set, value_set(*set, key, take));
}

static Value *
leaf(void)
{
    return value_new_map();
}

/* ---- making sets
 * --------------------------------------------------------------------------------------------------------
 */

static Value *
changed_fields(Shape shape, const Value *old, const Value *value)
{
    Value *set = NULL;

    VALUE_MAP_FOREACH (key, child, value) {
        g_autofree char *name = g_strconcat("f:", key, NULL);
        Value *part = field_set_changed(shape_child(shape, key), value_get(old, key), child);

        if (part != NULL)
            set_add(&set, name, part);
    }
    if (old == NULL && set == NULL)
        return leaf();
    if (old == NULL && shape.schema->type == SCHEMA_MAP)
        set_add(&set, ".", leaf());
    return set;
}

static Value *
changed_items(Shape shape, const Value *old, const Value *value)
{
    Value *set = NULL;
    Shape element = {shape.schema->element, NULL};

    VALUE_ARRAY_FOREACH (item, value) {
        g_autofree char *key = item_key(shape, item);
        const Value *before = item_find(shape, old, key);
        Value *part;

        if (shape.field->list_type == SCHEMA_LIST_SET) {
            if (before == NULL)
                set_add(&set, key, leaf());
            continue;
        }
        part = field_set_changed(element, before, item);
        if (part != NULL && before == NULL)
            set_add(&part, ".", leaf());
        if (part != NULL)
            set_add(&set, key, part);
    }
    return set == NULL && old == NULL ? leaf() : set;
}

Value *
field_set_changed(Shape shape, const Value *old, const Value *value)
{
    if (value == NULL || (old != NULL && value_equal(old, value)))
        return NULL;
    switch (shape_kind(shape, value)) {
    case KIND_FIELDS:
        return changed_fields(shape, value_is_map(old) ? old : NULL, value);
    case KIND_MAP_LIST:
    case KIND_SET_LIST:
        return changed_items(shape, value_is_array(old) ? old : NULL, value);
    default:
        return leaf();
    }
}

Value *
field_set_of(Shape shape, const Value *value)
{
    return field_set_changed(shape, NULL, value);
}

Value *
field_set_union(const Value *a, const Value *b)
{
    Value *set;

    if (a == NULL || b == NULL)
        return a == NULL ? (b == NULL ? NULL : value_ref(b)) : value_ref(a);
    set = value_ref(a);
    VALUE_MAP_FOREACH (key, part, b)
        set_add(&set, key, field_set_union(value_get(a, key), part));
    return set;
}

Value *
field_set_subtract(const Value *a, const Value *b)
{
    Value *set = NULL;

    if (a == NULL || b == NULL)
        return a == NULL ? NULL : value_ref(a);
    if (value_size(b) == 0)
        return NULL;
    if (value_size(a) == 0)
        return value_ref(a);
    VALUE_MAP_FOREACH (key, part, a) {
        Value *rest = field_set_subtract(part, value_get(b, key));

        if (rest != NULL)
            set_add(&set, key, rest);
    }
    return set;
}

Value *
field_set_intersect(const Value *a, const Value *b)
{
    Value *set = NULL;

    if (a == NULL || b == NULL)
        return NULL;
    if (value_size(a) == 0)
        return value_ref(a);
    VALUE_MAP_FOREACH (key, part, a) {
        Value *both = field_set_intersect(part, value_get(b, key));

        if (both != NULL)
            set_add(&set, key, both);
    }
    return set;
}

/* ---- merging
 * ----------------------------------------------------------------------------------------------------------------
 */

static Value *
merge_items(Shape shape, const Value *live, const Value *config)
{
    ValueBuilder *builder = value_builder_new_array();
    Shape element = {shape.schema->element, NULL};

    VALUE_ARRAY_FOREACH (item, live) {
        g_autofree char *key = item_key(shape, item);
        const Value *wanted = item_find(shape, config, key);

        value_builder_append(builder,
                             wanted == NULL ? value_ref(item) : field_merge(element, item, wanted));
    }
    VALUE_ARRAY_FOREACH (item, config) {
        g_autofree char *key = item_key(shape, item);

        if (item_find(shape, live, key) == NULL)
            value_builder_append(builder, value_ref(item));
    }
    return value_builder_end(builder);
}

Value *
field_merge(Shape shape, const Value *live, const Value *config)
{
    Value *merged;

    if (live == NULL || value_type(live) != value_type(config))
        return value_ref(config);
    switch (shape_kind(shape, config)) {
    case KIND_FIELDS:
        merged = value_ref(live);
        VALUE_MAP_FOREACH (key, child, config)
            value_replace(&merged, value_set(merged, key,
                                             field_merge(shape_child(shape, key),
                                                         value_get(live, key), child)));
        return merged;
    case KIND_MAP_LIST:
    case KIND_SET_LIST:
        return merge_items(shape, live, config);
    default:
        return value_ref(config);
    }
}

static Value *
remove_items(Shape shape, const Value *array, const Value *set)
{
    ValueBuilder *builder = value_builder_new_array();
    Shape element = {shape.schema->element, NULL};

    VALUE_ARRAY_FOREACH (item, array) {
        g_autofree char *key = item_key(shape, item);
        const Value *part = value_get(set, key);

        if (part == NULL)
            value_builder_append(builder, value_ref(item));
        else if (value_size(part) > 0 && !value_has(part, "."))
            value_builder_append(builder, field_remove(element, item, part));
    }
    return value_builder_end(builder);
}

Value *
field_remove(Shape shape, const Value *value, const Value *set)
{
    Value *rest;

    switch (shape_kind(shape, value)) {
    case KIND_FIELDS:
        break;
    case KIND_MAP_LIST:
    case KIND_SET_LIST:
        return remove_items(shape, value, set);
    default:
        return value_ref(value);
    }
    rest = value_ref(value);
    VALUE_MAP_FOREACH (key, part, set) {
        const char *name = g_str_has_prefix(key, "f:") ? key + 2 : NULL;
        const Value *child = name == NULL ? NULL : value_get(value, name);
        Value *left;

        if (child == NULL)
            continue;
        left = value_size(part) == 0 ? NULL : field_remove(shape_child(shape, name), child, part);
        if (left == NULL ||
            (value_size(left) == 0 && (value_is_map(left) || value_is_array(left)))) {
            value_unref(left);
            value_replace(&rest, value_remove(rest, name));
        } else {
            value_replace(&rest, value_set(rest, name, left));
        }
    }
    return rest;
}

/* ---- conflicts
 * ------------------------------------------------------------------------------------------------------------------
 */

/* "[name="c",protocol="TCP"]" or "[="x"]" */
static char *
item_path(const char *path, const char *key)
{
    g_autoptr(Value) keys = json_parse(key + 2, strlen(key + 2), NULL);
    GString *text = g_string_new(path);
    bool first = true;

    if (*key == 'v') {
        g_string_append_printf(text, "[=%s]", key + 2);
        return g_string_free(text, FALSE);
    }
    g_string_append_c(text, '[');
    VALUE_MAP_FOREACH (name, value, keys) {
        g_autofree char *json = json_text(value);

        g_string_append_printf(text, "%s%s=%s", first ? "" : ",", name, json);
        first = false;
    }
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

void
field_conflicts(Shape shape, const Value *set, const Value *live, const Value *config,
                const char *path, GPtrArray *paths)
{
    ShapeKind kind = shape_kind(shape, config);
    Shape element = {shape.schema == NULL ? NULL : shape.schema->element, NULL};

    if (value_size(set) == 0) {
        if (!value_equal(live, config))
            g_ptr_array_add(paths, g_strdup(path));
        return;
    }
    VALUE_MAP_FOREACH (key, part, set) {
        g_autofree char *child_path = NULL;

        if (strcmp(key, ".") == 0)
            continue;
        if (g_str_has_prefix(key, "f:") && kind == KIND_FIELDS) {
            child_path = g_strconcat(path, ".", key + 2, NULL);
            field_conflicts(shape_child(shape, key + 2), part, value_get(live, key + 2),
                            value_get(config, key + 2), child_path, paths);
        } else if (kind == KIND_MAP_LIST || kind == KIND_SET_LIST) {
            child_path = item_path(path, key);
            field_conflicts(element, part, item_find(shape, live, key),
                            item_find(shape, config, key), child_path, paths);
        }
    }
}
