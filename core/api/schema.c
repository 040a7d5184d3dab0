/* Looking up fields, and filling in the defaults that the schema itself says. Decoding is in
 * schema_decode.c. */
#include "core/api/schema.h"

#include <string.h>

static const SchemaField *
own_field(const Schema *schema, const char *json_name)
{
    size_t low = 0;
    size_t high = schema->n_fields;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(json_name, schema->fields[middle].name);
        if (order == 0)
            return &schema->fields[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const SchemaField *
schema_field(const Schema *schema, const char *json_name)
{
    const SchemaField *field = own_field(schema, json_name);
    if (field && !field->inlined)
        return field;
    for (size_t i = 0; i < schema->n_fields; i++) {
        if (!schema->fields[i].inlined)
            continue;
        field = schema_field(schema->fields[i].schema, json_name);
        if (field)
            return field;
    }
    return NULL;
}

/* What a Go struct holds, and its JSON shows, without being told: a nested struct that is no
 * pointer, and a number or truth that must be there. NULL when the field stays absent. */
static Value *
implied(const SchemaField *field)
{
    if (field->default_value)
        return value_ref(field->default_value);
    if (field->pointer)
        return NULL;
    switch (field->schema->type) {
    case SCHEMA_OBJECT:
        return value_new_map();
    case SCHEMA_INT32:
    case SCHEMA_INT64:
        return field->required ? value_new_int(0) : NULL;
    case SCHEMA_BOOL:
        return field->required ? value_new_bool(false) : NULL;
    default:
        return NULL;
    }
}

static void default_fields(const Schema *schema, Value **object);

static void
default_value(const Schema *schema, Value **slot)
{
    if (schema->type == SCHEMA_OBJECT) {
        if (value_is_map(*slot))
            default_fields(schema, slot);
    } else if (schema->type == SCHEMA_ARRAY && schema->element->type == SCHEMA_OBJECT) {
        for (size_t i = 0; i < value_size(*slot); i++) {
            g_autoptr(Value) item = schema_default(schema->element, value_item(*slot, i));
            if (item != value_item(*slot, i))
                value_replace(slot, value_set_item(*slot, i, g_steal_pointer(&item)));
        }
    } else if (schema->type == SCHEMA_MAP && schema->element->type == SCHEMA_OBJECT) {
        g_autoptr(Value) before = value_ref(*slot);
        VALUE_MAP_FOREACH (key, entry, before) {
            g_autoptr(Value) item = schema_default(schema->element, entry);
            if (item != entry)
                value_replace(slot, value_set(*slot, key, g_steal_pointer(&item)));
        }
    }
}

static void
default_fields(const Schema *schema, Value **object)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        const SchemaField *field = &schema->fields[i];
        if (field->inlined) {
            default_fields(field->schema, object);
            continue;
        }
        const Value *now = value_get(*object, field->name);
        /* Go's default functions fill in what is empty; only behind a pointer may "" and 0 be
         * meant. */
        bool empty = value_is_null(now) ||
                     (!field->pointer && field->default_value && value_is_string(now) &&
                      value_string_len(now) == 0) ||
                     (!field->pointer && field->default_value && value_type(now) == VALUE_INT &&
                      value_int(now) == 0);
        g_autoptr(Value) value = empty ? implied(field) : value_ref(now);
        if (!value)
            continue;
        if (field->schema->type >= SCHEMA_OBJECT)
            default_value(field->schema, &value);
        if (value != now)
            value_replace(object, value_set(*object, field->name, g_steal_pointer(&value)));
    }
}

Value *
schema_default(const Schema *schema, const Value *object)
{
    Value *result = value_ref(object);
    default_value(schema, &result);
    return result;
}
