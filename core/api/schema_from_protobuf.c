/* Reads the messages that Kubernetes' clients send, into the JSON form of the same object. What
 * Go's JSON encoder would leave out (empty and no pointer) is left out here too, since on the wire
 * it is written all the same. */
#include <string.h>

#include "core/api/protobuf_wire.h"
#include "core/api/schema_private.h"
#include "core/api/types.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/timestamp.h"
#include "core/object/json.h"
#include "core/object/quantity.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define SECONDS_MAX INT64_C(9223372035) /* what nanoseconds since 1970 can hold */

static bool read_object(ValueBuilder *builder, const Schema *schema, const uint8_t *bytes,
                        size_t length, unsigned depth, GError **error);

static Value *
string_value(const WireField *field, GError **error)
{
    const char *text = (const char *)field->bytes;
    if (!g_utf8_validate_len(text ? text : "", field->length, NULL)) {
        fail(error, TIMONEL_ERROR_INVALID, "proto: a string field contains invalid UTF-8 or a NUL");
        return NULL;
    }
    return value_new_string_len(text ? text : "", field->length);
}

/* The small messages of scalar types: numbers in [1..3], the last string. */
typedef struct {
    int64_t integers[4];
    WireField text;
    size_t seen;
} Parts;

static bool
read_parts(const WireField *field, Parts *parts, GError **error)
{
    GError *broken = NULL;
    WireReader reader = {field->bytes, field->bytes + field->length};
    WireField part;
    while (wire_next(&reader, &part, &broken)) {
        parts->seen++;
        if (part.type == WIRE_BYTES)
            parts->text = part;
        else if (part.number < 4)
            parts->integers[part.number] = (int64_t)part.integer;
    }
    if (broken)
        g_propagate_error(error, broken);
    return !broken;
}

static Value *
time_value(const Schema *schema, const Parts *parts)
{
    int64_t seconds = parts->integers[1];
    if (parts->seen == 0 || seconds > SECONDS_MAX || seconds < -SECONDS_MAX)
        return value_new_null();
    int64_t ns = seconds * NS_PER_SECOND + CLAMP(parts->integers[2], 0, NS_PER_SECOND - 1);
    return value_new_string_take(schema->type == SCHEMA_TIME ? timestamp_text(ns)
                                                             : timestamp_micro_text(ns));
}

static Value *
raw_value(const Parts *parts, GError **error)
{
    if (parts->text.length == 0)
        return value_new_null();
    return json_parse((const char *)parts->text.bytes, parts->text.length, error);
}

static Value *
quantity_value(const Parts *parts, GError **error)
{
    if (parts->text.length == 0)
        return value_new_string("0");
    g_autofree char *text = g_strndup((const char *)parts->text.bytes, parts->text.length);
    char *canonical = quantity_normalize(text, error);
    return canonical ? value_new_string_take(canonical) : NULL;
}

static Value *
message_value(const Schema *schema, const WireField *field, GError **error)
{
    Parts parts = {0};
    if (!read_parts(field, &parts, error))
        return NULL;
    switch (schema->type) {
    case SCHEMA_QUANTITY:
        return quantity_value(&parts, error);
    case SCHEMA_INT_OR_STRING:
        return parts.integers[1] == 1 ? string_value(&parts.text, error)
                                      : value_new_int((int32_t)parts.integers[2]);
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME:
        return time_value(schema, &parts);
    case SCHEMA_DURATION:
        return value_new_string_take(duration_format(parts.integers[1]));
    default:
        return raw_value(&parts, error);
    }
}

static Value *
varint_value(const Schema *schema, uint64_t integer, GError **error)
{
    switch (schema->type) {
    case SCHEMA_INT32:
        return value_new_int((int32_t)integer);
    case SCHEMA_INT64:
        return value_new_int((int64_t)integer);
    case SCHEMA_BOOL:
        return value_new_bool(integer != 0);
    case SCHEMA_DOUBLE: {
        double d;
        memcpy(&d, &integer, sizeof d);
        return value_new_double(d);
    }
    default:
        fail(error, TIMONEL_ERROR_INVALID, "proto: wrong wireType for a field");
        return NULL;
    }
}

static Value *
bytes_value(const WireField *field)
{
    char *text = field->length ? g_base64_encode(field->bytes, field->length) : g_strdup("");
    return value_new_string_take(text);
}

/* One value of a type that is neither list nor map. */
static Value *
single_value(const Schema *schema, const WireField *field, unsigned depth, GError **error)
{
    if (field->type != WIRE_BYTES)
        return varint_value(schema, field->integer, error);
    switch (schema->type) {
    case SCHEMA_STRING:
        return string_value(field, error);
    case SCHEMA_BYTES:
        return bytes_value(field);
    case SCHEMA_OBJECT: {
        g_autoptr(ValueBuilder) builder = value_builder_new(NULL);
        if (!read_object(builder, schema, field->bytes, field->length, depth + 1, error))
            return NULL;
        return value_builder_end(g_steal_pointer(&builder));
    }
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_BOOL:
    case SCHEMA_DOUBLE:
        fail(error, TIMONEL_ERROR_INVALID, "proto: wrong wireType for a field");
        return NULL;
    default:
        return message_value(schema, field, error);
    }
}

/* Appends one element, or all of a packed list of integers. */
static bool
append_items(ValueBuilder *array, const Schema *element, const WireField *field, unsigned depth,
             GError **error)
{
    bool integer = element->type == SCHEMA_INT32 || element->type == SCHEMA_INT64 ||
                   element->type == SCHEMA_BOOL;
    if (!integer || field->type != WIRE_BYTES) {
        Value *item = single_value(element, field, depth, error);
        if (item)
            value_builder_append(array, item);
        return item != NULL;
    }
    WireReader reader = {field->bytes, field->bytes + field->length};
    while (reader.at < reader.end) {
        uint64_t value;
        if (!wire_read_varint(&reader, &value))
            return fail(error, TIMONEL_ERROR_INVALID, "unexpected EOF");
        value_builder_append(array, varint_value(element, value, NULL));
    }
    return true;
}

/* {repeated T items = 1}: a list inside a map. */
static Value *
items_value(const Schema *schema, const WireField *field, unsigned depth, GError **error)
{
    g_autoptr(ValueBuilder) array = value_builder_new_array();
    GError *broken = NULL;
    WireReader reader = {field->bytes, field->bytes + field->length};
    WireField item;
    while (!broken && wire_next(&reader, &item, &broken))
        if (item.number == 1)
            append_items(array, schema->element, &item, depth, &broken);
    if (broken) {
        g_propagate_error(error, broken);
        return NULL;
    }
    return value_builder_end(g_steal_pointer(&array));
}

static bool
set_map_entry(ValueBuilder *map, const Schema *schema, const WireField *field, unsigned depth,
              GError **error)
{
    g_autoptr(Value) key = NULL;
    g_autoptr(Value) value = NULL;
    GError *broken = NULL;
    WireReader reader = {field->bytes, field->bytes + field->length};
    WireField part;
    while (!broken && wire_next(&reader, &part, &broken)) {
        if (part.number == 1 && part.type == WIRE_BYTES)
            value_replace(&key, string_value(&part, &broken));
        else if (part.number == 2 && schema->element->type == SCHEMA_ARRAY)
            value_replace(&value, items_value(schema->element, &part, depth, &broken));
        else if (part.number == 2)
            value_replace(&value, single_value(schema->element, &part, depth, &broken));
    }
    if (broken) {
        g_propagate_error(error, broken);
        return false;
    }
    value_builder_set(map, value_text(key),
                      value ? g_steal_pointer(&value) : schema_zero(schema->element));
    return true;
}

/* What has been read of one field so far. */
typedef struct {
    ValueBuilder *builder; /* of a list or map */
    Value *value;
} Slot;

static void
slots_free(Slot *slots, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        value_builder_free(slots[i].builder);
        value_unref(slots[i].value);
    }
    g_free(slots);
}

static bool
read_field(Slot *slot, ValueBuilder *object, const SchemaField *field, const WireField *wire,
           unsigned depth, GError **error)
{
    const Schema *schema = field->schema;
    if (wire->type != WIRE_BYTES && (schema->type == SCHEMA_MAP || schema->type == SCHEMA_OBJECT))
        return fail(error, TIMONEL_ERROR_INVALID, "proto: wrong wireType for field %s",
                    field->name);
    if (field->inlined)
        return read_object(object, schema, wire->bytes, wire->length, depth + 1, error);
    if (schema->type == SCHEMA_ARRAY) {
        if (!slot->builder)
            slot->builder = value_builder_new_array();
        return append_items(slot->builder, schema->element, wire, depth, error);
    }
    if (schema->type == SCHEMA_MAP) {
        if (!slot->builder)
            slot->builder = value_builder_new(NULL);
        return set_map_entry(slot->builder, schema, wire, depth, error);
    }
    Value *value = single_value(schema, wire, depth, error);
    if (value)
        value_replace(&slot->value, value);
    return value != NULL;
}

static bool
read_fields(Slot *slots, ValueBuilder *object, const Schema *schema, WireReader *reader,
            unsigned depth, GError **error)
{
    GError *broken = NULL;
    WireField wire;
    while (!broken && wire_next(reader, &wire, &broken)) {
        for (size_t i = 0; i < schema->n_fields; i++) {
            if (schema->fields[i].number != wire.number)
                continue;
            read_field(&slots[i], object, &schema->fields[i], &wire, depth, &broken);
            break;
        }
    }
    if (broken)
        g_propagate_error(error, broken);
    return !broken;
}

static bool
read_object(ValueBuilder *builder, const Schema *schema, const uint8_t *bytes, size_t length,
            unsigned depth, GError **error)
{
    if (depth > VALUE_DEPTH_MAX)
        return fail(error, TIMONEL_ERROR_LIMIT, "proto: messages are nested more than %d deep",
                    VALUE_DEPTH_MAX);
    Slot *slots = g_new0(Slot, schema->n_fields + 1);
    WireReader reader = {bytes, bytes + length};
    bool good = read_fields(slots, builder, schema, &reader, depth, error);
    for (size_t i = 0; good && i < schema->n_fields; i++) {
        const SchemaField *field = &schema->fields[i];
        if (slots[i].builder)
            value_replace(&slots[i].value, value_builder_end(g_steal_pointer(&slots[i].builder)));
        if (!field->inlined && !schema_field_omits(field, slots[i].value))
            value_builder_set(builder, field->name, g_steal_pointer(&slots[i].value));
    }
    slots_free(slots, schema->n_fields);
    return good;
}

Value *
schema_from_protobuf(const Schema *schema, const uint8_t *bytes, size_t length, GError **error)
{
    g_autoptr(ValueBuilder) builder = value_builder_new(NULL);
    if (!read_object(builder, schema, bytes, length, 0, error))
        return NULL;
    return value_builder_end(g_steal_pointer(&builder));
}

/* ---- the envelope
 * ----------------------------------------------------------------------------------------- */

static const uint8_t MAGIC[4] = {'k', '8', 's', 0};

static char *
wire_text(const WireField *field)
{
    return g_strndup((const char *)field->bytes, field->length);
}

static bool
read_envelope(const uint8_t *bytes, size_t length, char **ret_api_version, char **ret_kind,
              WireField *ret_raw, GError **error)
{
    GError *broken = NULL;
    WireReader reader = {bytes, bytes + length};
    WireField field;
    while (!broken && wire_next(&reader, &field, &broken)) {
        if (field.number == 2 && field.type == WIRE_BYTES)
            *ret_raw = field;
        if (field.number != 1 || field.type != WIRE_BYTES)
            continue;
        WireReader meta = {field.bytes, field.bytes + field.length};
        WireField part;
        while (wire_next(&meta, &part, &broken)) {
            if (part.type != WIRE_BYTES || part.number > 2)
                continue;
            char **slot = part.number == 1 ? ret_api_version : ret_kind;
            g_free(*slot);
            *slot = wire_text(&part);
        }
    }
    if (broken)
        g_propagate_error(error, broken);
    return !broken;
}

Value *
api_from_protobuf(const ApiTypes *types, const uint8_t *bytes, size_t length, GError **error)
{
    if (length < sizeof MAGIC || memcmp(bytes, MAGIC, sizeof MAGIC) != 0) {
        fail(error, TIMONEL_ERROR_INVALID,
             "provided data does not appear to be a protobuf message, expected prefix [107 56 115 "
             "0]");
        return NULL;
    }
    g_autofree char *api_version = NULL;
    g_autofree char *kind = NULL;
    WireField raw = {0};
    if (!read_envelope(bytes + sizeof MAGIC, length - sizeof MAGIC, &api_version, &kind, &raw,
                       error))
        return NULL;
    const Schema *schema = api_types_schema(types, api_version, kind);
    if (!schema) {
        fail(error, TIMONEL_ERROR_NOT_FOUND, "no kind \"%s\" is registered for version \"%s\"",
             kind ? kind : "", api_version ? api_version : "");
        return NULL;
    }
    static const uint8_t NOTHING[1];
    g_autoptr(Value) object =
        schema_from_protobuf(schema, raw.bytes ? raw.bytes : NOTHING, raw.length, error);
    if (!object)
        return NULL;
    value_replace(&object, value_set(object, "apiVersion", value_new_string(api_version)));
    value_replace(&object, value_set(object, "kind", value_new_string(kind)));
    return g_steal_pointer(&object);
}
