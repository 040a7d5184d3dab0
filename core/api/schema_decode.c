/* Decoding: from any JSON to what Go's structs would hold and write again. */
#include <string.h>

#include "core/api/schema_private.h"
#include "core/base/error.h"
#include "core/base/limits.h"

/* Where the decoder is, from the innermost outwards; texts are made only when something is wrong.
 */
typedef struct Frame {
    const struct Frame *parent;
    const char *name; /* a field or a map key; NULL: an index */
    size_t index;
    const Schema *owner; /* the object whose field this is; NULL for keys and indexes */
} Frame;

typedef struct {
    GPtrArray *unknown; /* may be NULL */
} Decoder;

static Value *decode(Decoder *decoder, const Schema *schema, const Value *value, const Frame *frame,
                     GError **error);

/* "spec.containers[0].image", as strict decoding names a place. */
static void
append_path(GString *text, const Frame *frame)
{
    if (!frame)
        return;
    append_path(text, frame->parent);
    if (frame->name)
        g_string_append_printf(text, "%s%s", text->len ? "." : "", frame->name);
    else
        g_string_append_printf(text, "[%zu]", frame->index);
}

/* "spec.containers.image", as Go's type errors name it: struct fields only. */
static void
append_go_path(GString *text, const Frame *frame)
{
    if (!frame)
        return;
    append_go_path(text, frame->parent);
    if (frame->owner)
        g_string_append_printf(text, "%s%s", text->len ? "." : "", frame->name);
}

static void
append_json_word(GString *text, const Schema *schema, const Value *value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    switch (value_type(value)) {
    case VALUE_BOOL:
        g_string_append(text, "bool");
        break;
    case VALUE_INT:
        g_string_append(text, "number");
        if (schema->type == SCHEMA_INT32)
            g_string_append_printf(text, " %" G_GINT64_FORMAT, value_int(value));
        break;
    case VALUE_DOUBLE:
        g_string_append(text, "number");
        if (schema->type == SCHEMA_INT32 || schema->type == SCHEMA_INT64)
            g_string_append_printf(
                text, " %s", g_ascii_formatd(number, sizeof number, "%.15g", value_double(value)));
        break;
    case VALUE_ARRAY:
        g_string_append(text, "array");
        break;
    case VALUE_MAP:
        g_string_append(text, "object");
        break;
    default:
        g_string_append(text, "string");
    }
}

static Value *
wrong_type(const Schema *schema, const Value *value, const Frame *frame, GError **error)
{
    g_autoptr(GString) text = g_string_new("json: cannot unmarshal ");
    append_json_word(text, schema, value);
    const Frame *field = frame;
    while (field && !field->owner)
        field = field->parent;
    if (field) {
        g_autoptr(GString) path = g_string_new(NULL);
        append_go_path(path, field);
        g_string_append_printf(text, " into Go struct field %s.%s", field->owner->name, path->str);
    } else {
        g_string_append(text, " into Go value");
    }
    g_autofree char *type = schema_go_type(schema);
    fail(error, TIMONEL_ERROR_INVALID, "%s of type %s", text->str, type);
    return NULL;
}

static void
report_unknown(Decoder *decoder, const Frame *frame)
{
    if (!decoder->unknown)
        return;
    g_autoptr(GString) path = g_string_new(NULL);
    append_path(path, frame);
    g_ptr_array_add(decoder->unknown, g_strdup_printf("unknown field \"%s\"", path->str));
}

/* Holds the object and, once something differs, its edited copy. */
typedef struct {
    const Value *before;
    ValueBuilder *after;
} Edit;

static ValueBuilder *
edit_open(Edit *edit)
{
    if (!edit->after)
        edit->after = value_builder_new(edit->before);
    return edit->after;
}

static Value *
edit_end(Edit *edit)
{
    return edit->after ? value_builder_end(g_steal_pointer(&edit->after)) : value_ref(edit->before);
}

static Value *
edit_abort(Edit *edit)
{
    value_builder_free(edit->after);
    return NULL;
}

static Value *
decode_object(Decoder *decoder, const Schema *schema, const Value *object, const Frame *parent,
              GError **error)
{
    Edit edit = {object, NULL};
    VALUE_MAP_FOREACH (key, value, object) {
        Frame frame = {parent, key, 0, schema};
        const SchemaField *field = schema_field(schema, key);
        if (!field) {
            if (schema->preserve_unknown)
                continue;
            report_unknown(decoder, &frame);
            value_builder_remove(edit_open(&edit), key);
            continue;
        }
        if (schema_field_omits(field, value)) {
            /* A wrong type is an error also where the value is empty. */
            g_autoptr(Value) checked = value_is_null(value)
                                           ? value_ref(value)
                                           : decode(decoder, field->schema, value, &frame, error);
            if (!checked)
                return edit_abort(&edit);
            value_builder_remove(edit_open(&edit), key);
            continue;
        }
        Value *decoded = decode(decoder, field->schema, value, &frame, error);
        if (!decoded)
            return edit_abort(&edit);
        if (decoded == value)
            value_unref(decoded);
        else
            value_builder_set(edit_open(&edit), key, decoded);
    }
    return edit_end(&edit);
}

static Value *
decode_map(Decoder *decoder, const Schema *schema, const Value *map, const Frame *parent,
           GError **error)
{
    Edit edit = {map, NULL};
    VALUE_MAP_FOREACH (key, value, map) {
        Frame frame = {parent, key, 0, NULL};
        Value *decoded = value_is_null(value)
                             ? schema_zero(schema->element)
                             : decode(decoder, schema->element, value, &frame, error);
        if (!decoded)
            return edit_abort(&edit);
        if (decoded == value)
            value_unref(decoded);
        else
            value_builder_set(edit_open(&edit), key, decoded);
    }
    return edit_end(&edit);
}

static Value *
decode_array(Decoder *decoder, const Schema *schema, const Value *array, const Frame *parent,
             GError **error)
{
    g_autoptr(Value) result = value_ref(array);
    for (size_t i = 0; i < value_size(array); i++) {
        const Value *item = value_item(array, i);
        Frame frame = {parent, NULL, i, NULL};
        Value *decoded = value_is_null(item)
                             ? schema_zero(schema->element)
                             : decode(decoder, schema->element, item, &frame, error);
        if (!decoded)
            return NULL;
        if (decoded == item)
            value_unref(decoded);
        else
            value_replace(&result, value_set_item(result, i, decoded));
    }
    return g_steal_pointer(&result);
}

static Value *
decode(Decoder *decoder, const Schema *schema, const Value *value, const Frame *frame,
       GError **error)
{
    bool mismatch = false;
    switch (schema->type) {
    case SCHEMA_OBJECT:
        if (value_is_map(value))
            return decode_object(decoder, schema, value, frame, error);
        break;
    case SCHEMA_MAP:
        if (value_is_map(value))
            return decode_map(decoder, schema, value, frame, error);
        break;
    case SCHEMA_ARRAY:
        if (value_is_array(value))
            return decode_array(decoder, schema, value, frame, error);
        break;
    default: {
        Value *scalar = schema_scalar(schema, value, &mismatch, error);
        if (!mismatch)
            return scalar;
    }
    }
    return wrong_type(schema, value, frame, error);
}

Value *
schema_decode(const Schema *schema, const Value *object, GPtrArray **ret_unknown, GError **error)
{
    g_autoptr(GPtrArray) unknown = ret_unknown ? g_ptr_array_new_with_free_func(g_free) : NULL;
    Decoder decoder = {unknown};
    Value *result = decode(&decoder, schema, object, NULL, error);
    if (result && ret_unknown)
        *ret_unknown = g_steal_pointer(&unknown);
    return result;
}
