/* Writes objects as Kubernetes' generated Go code does: fields by number, what is no pointer also
 * when it is empty. */
#include <math.h>
#include <string.h>

#include "core/api/protobuf_wire.h"
#include "core/api/schema_private.h"
#include "core/base/duration.h"
#include "core/base/timestamp.h"
#include "core/object/json.h"

#define NS_PER_SECOND INT64_C(1000000000)

static void put_object(GByteArray *out, const Schema *schema, const Value *object);

static GByteArray *
time_message(const Schema *schema, const Value *value)
{
    GByteArray *message = g_byte_array_new();
    int64_t ns;
    if (!timestamp_parse(value_string(value), &ns))
        return message;
    int64_t nanos = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
    wire_put_int(message, 1, (ns - nanos) / NS_PER_SECOND);
    wire_put_int(message, 2, schema->type == SCHEMA_MICRO_TIME ? nanos / 1000 * 1000 : 0);
    return message;
}

static GByteArray *
int_or_string_message(const Value *value)
{
    GByteArray *message = g_byte_array_new();
    wire_put_int(message, 1, value_is_string(value) ? 1 : 0);
    wire_put_int(message, 2, value_is_string(value) ? 0 : value_int(value));
    wire_put_string(message, 3, value_text(value));
    return message;
}

static GByteArray *
raw_message(const Value *value)
{
    GByteArray *message = g_byte_array_new();
    if (!value_is_null(value)) {
        g_autofree char *text = json_text(value);
        wire_put_string(message, 1, text);
    }
    return message;
}

static GByteArray *
one_string_message(const char *text)
{
    GByteArray *message = g_byte_array_new();
    wire_put_string(message, 1, text);
    return message;
}

static void put_value(GByteArray *out, int number, const Schema *schema, const Value *value);

/* A list inside a map is a message of its own ("ExtraValue": items = 1). */
static GByteArray *
items_message(const Schema *schema, const Value *value)
{
    GByteArray *message = g_byte_array_new();
    put_value(message, 1, schema, value);
    return message;
}

static void
put_map(GByteArray *out, int number, const Schema *schema, const Value *map)
{
    VALUE_MAP_FOREACH (key, value, map) {
        GByteArray *entry = g_byte_array_new();
        wire_put_string(entry, 1, key);
        if (schema->element->type == SCHEMA_ARRAY)
            wire_put_message(entry, 2, items_message(schema->element, value));
        else
            put_value(entry, 2, schema->element, value);
        wire_put_message(out, number, entry);
    }
}

static void
put_simple(GByteArray *out, int number, const Schema *schema, const Value *value)
{
    switch (schema->type) {
    case SCHEMA_STRING:
        wire_put_string(out, number, value_text(value));
        break;
    case SCHEMA_INT32:
    case SCHEMA_INT64:
        wire_put_int(out, number, value_int(value));
        break;
    case SCHEMA_BOOL:
        wire_put_int(out, number, value_bool(value));
        break;
    case SCHEMA_DOUBLE: {
        double d = value_double(value);
        uint64_t bits;
        memcpy(&bits, &d, sizeof bits);
        bits = GUINT64_TO_LE(bits);
        wire_put_tag(out, number, WIRE_FIXED64);
        g_byte_array_append(out, (const guint8 *)&bits, sizeof bits);
        break;
    }
    case SCHEMA_BYTES: {
        gsize length = 0;
        g_autofree guchar *bytes = g_base64_decode(value_text(value), &length);
        wire_put_bytes(out, number, bytes, length);
        break;
    }
    case SCHEMA_QUANTITY:
        wire_put_message(out, number,
                         one_string_message(value_is_null(value) ? "0" : value_text(value)));
        break;
    case SCHEMA_INT_OR_STRING:
        wire_put_message(out, number, int_or_string_message(value));
        break;
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME:
        wire_put_message(out, number, time_message(schema, value));
        break;
    case SCHEMA_DURATION: {
        int64_t ns = 0;
        GByteArray *message = g_byte_array_new();
        duration_parse(value_text(value), &ns, NULL);
        wire_put_int(message, 1, ns);
        wire_put_message(out, number, message);
        break;
    }
    default:
        wire_put_message(out, number, raw_message(value));
    }
}

static void
put_value(GByteArray *out, int number, const Schema *schema, const Value *value)
{
    if (schema->type == SCHEMA_MAP) {
        put_map(out, number, schema, value);
    } else if (schema->type == SCHEMA_ARRAY) {
        VALUE_ARRAY_FOREACH (item, value)
            put_value(out, number, schema->element, item);
    } else if (schema->type == SCHEMA_OBJECT) {
        GByteArray *message = g_byte_array_new();
        put_object(message, schema, value);
        wire_put_message(out, number, message);
    } else {
        put_simple(out, number, schema, value);
    }
}

/* The field with the smallest number above `after`, or NULL. */
static const SchemaField *
next_by_number(const Schema *schema, int after)
{
    const SchemaField *next = NULL;
    for (size_t i = 0; i < schema->n_fields; i++) {
        const SchemaField *field = &schema->fields[i];
        if (field->number > after && (!next || field->number < next->number))
            next = field;
    }
    return next;
}

static void
put_object(GByteArray *out, const Schema *schema, const Value *object)
{
    const SchemaField *field = next_by_number(schema, 0);
    for (; field; field = next_by_number(schema, field->number)) {
        const Value *value = field->inlined ? object : value_get(object, field->name);
        if (value_is_null(value) && field->pointer)
            continue;
        /* Raw JSON and bytes are slices in Go: absent when nil. */
        if (value_is_null(value) && field->schema->type == SCHEMA_BYTES)
            continue;
        put_value(out, field->number, field->schema, value);
    }
}

GByteArray *
schema_to_protobuf(const Schema *schema, const Value *object, GError **error)
{
    GByteArray *out = g_byte_array_new();
    put_object(out, schema, object);
    return out;
}
