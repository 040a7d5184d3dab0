/* The v2 document in gnostic's protobuf (openapiv2/OpenAPIv2.proto), by tables: which JSON key is
 * which field. */
#include <string.h>

#include "core/api/openapi_private.h"
#include "core/api/protobuf_wire.h"
#include "core/object/json.h"

typedef enum {
    TEXT,
    TRUTH,
    TEXTS,   /* repeated string */
    WRAPPED, /* a message of one repeated string, number 1 */
    MESSAGE,
    BOXED,   /* a message whose field `inner` is the message */
    NAMED,   /* a message whose field `inner` repeats {1 name, 2 message} */
    ANY,     /* Any {2 yaml} */
    ANYS,    /* repeated Any */
    SPECIAL, /* repeated, by a function of its own: parameters */
} Form;

typedef struct Table Table;

typedef struct {
    const char *key;
    int number;
    Form form;
    const Table *table;
    int inner;
} Field;

struct Table {
    const Field *fields;
    int extensions; /* number of vendor_extension */
};

static const Table SCHEMA;
static const Field SCHEMA_FIELDS[] = {
    {"$ref", 1, TEXT, NULL, 0},
    {"format", 2, TEXT, NULL, 0},
    {"title", 3, TEXT, NULL, 0},
    {"description", 4, TEXT, NULL, 0},
    {"default", 5, ANY, NULL, 0},
    {"required", 19, TEXTS, NULL, 0},
    {"enum", 20, ANYS, NULL, 0},
    {"additionalProperties", 21, BOXED, &SCHEMA, 1},
    {"type", 22, WRAPPED, NULL, 0},
    {"items", 23, BOXED, &SCHEMA, 1},
    {"properties", 25, NAMED, &SCHEMA, 1},
    {NULL, 0, TEXT, NULL, 0},
};
static const Table SCHEMA = {SCHEMA_FIELDS, 31};

static const Field BODY_FIELDS[] = {
    {"description", 1, TEXT, NULL, 0}, {"name", 2, TEXT, NULL, 0},         {"in", 3, TEXT, NULL, 0},
    {"required", 4, TRUTH, NULL, 0},   {"schema", 5, MESSAGE, &SCHEMA, 0}, {NULL, 0, TEXT, NULL, 0},
};
static const Table BODY = {BODY_FIELDS, 6};

static const Field QUERY_FIELDS[] = {
    {"required", 1, TRUTH, NULL, 0},     {"in", 2, TEXT, NULL, 0},
    {"description", 3, TEXT, NULL, 0},   {"name", 4, TEXT, NULL, 0},
    {"type", 6, TEXT, NULL, 0},          {"format", 7, TEXT, NULL, 0},
    {"uniqueItems", 20, TRUTH, NULL, 0}, {NULL, 0, TEXT, NULL, 0},
};
static const Table QUERY = {QUERY_FIELDS, 23};

static const Field PATH_FIELDS[] = {
    {"required", 1, TRUTH, NULL, 0},     {"in", 2, TEXT, NULL, 0},
    {"description", 3, TEXT, NULL, 0},   {"name", 4, TEXT, NULL, 0},
    {"type", 5, TEXT, NULL, 0},          {"format", 6, TEXT, NULL, 0},
    {"uniqueItems", 19, TRUTH, NULL, 0}, {NULL, 0, TEXT, NULL, 0},
};
static const Table PATH = {PATH_FIELDS, 22};

static const Field RESPONSE_FIELDS[] = {
    {"description", 1, TEXT, NULL, 0},
    {"schema", 2, BOXED, &SCHEMA, 1},
    {NULL, 0, TEXT, NULL, 0},
};
static const Table RESPONSE = {RESPONSE_FIELDS, 5};

/* ResponseValue {1 response}: the box that each named response comes in. */
static const Table RESPONSE_BOX;

static const Field OPERATION_FIELDS[] = {
    {"tags", 1, TEXTS, NULL, 0},
    {"description", 3, TEXT, NULL, 0},
    {"operationId", 5, TEXT, NULL, 0},
    {"produces", 6, TEXTS, NULL, 0},
    {"consumes", 7, TEXTS, NULL, 0},
    {"parameters", 8, SPECIAL, NULL, 0},
    {"responses", 9, NAMED, &RESPONSE_BOX, 1},
    {NULL, 0, TEXT, NULL, 0},
};
static const Table OPERATION = {OPERATION_FIELDS, 13};

static const Field PATH_ITEM_FIELDS[] = {
    {"get", 2, MESSAGE, &OPERATION, 0},
    {"put", 3, MESSAGE, &OPERATION, 0},
    {"post", 4, MESSAGE, &OPERATION, 0},
    {"delete", 5, MESSAGE, &OPERATION, 0},
    {"patch", 8, MESSAGE, &OPERATION, 0},
    {"parameters", 9, SPECIAL, NULL, 0},
    {NULL, 0, TEXT, NULL, 0},
};
static const Table PATH_ITEM = {PATH_ITEM_FIELDS, 10};

static const Field INFO_FIELDS[] = {
    {"title", 1, TEXT, NULL, 0},
    {"version", 2, TEXT, NULL, 0},
    {NULL, 0, TEXT, NULL, 0},
};
static const Table INFO = {INFO_FIELDS, 7};

static const Field DOCUMENT_FIELDS[] = {
    {"swagger", 1, TEXT, NULL, 0},      {"info", 2, MESSAGE, &INFO, 0},
    {"paths", 8, NAMED, &PATH_ITEM, 2}, {"definitions", 9, NAMED, &SCHEMA, 1},
    {NULL, 0, TEXT, NULL, 0},
};
static const Table DOCUMENT = {DOCUMENT_FIELDS, 16};

static GByteArray *message(const Table *table, const Value *value);

/* JSON is YAML. */
static void
put_any(GByteArray *out, int number, const Value *value)
{
    g_autofree char *text = json_text(value);
    GByteArray *any = g_byte_array_new();
    wire_put_string(any, 2, text);
    wire_put_message(out, number, any);
}

static GByteArray *
box(int number, GByteArray *take)
{
    GByteArray *outer = g_byte_array_new();
    wire_put_message(outer, number, take);
    return outer;
}

/* ParametersItem {1 Parameter {1 body | 2 NonBody {3 query | 4 path}}} */
static void
put_parameters(GByteArray *out, int number, const Value *list)
{
    VALUE_ARRAY_FOREACH (item, list) {
        const char *in = value_text(value_get(item, "in"));
        GByteArray *parameter = NULL;
        if (strcmp(in, "body") == 0)
            parameter = box(1, message(&BODY, item));
        else if (strcmp(in, "path") == 0)
            parameter = box(2, box(4, message(&PATH, item)));
        else
            parameter = box(2, box(3, message(&QUERY, item)));
        wire_put_message(out, number, box(1, parameter));
    }
}

static GByteArray *
named_message(const Field *field, const Value *map)
{
    GByteArray *out = g_byte_array_new();
    VALUE_MAP_FOREACH (key, value, map) {
        GByteArray *entry = g_byte_array_new();
        wire_put_string(entry, 1, key);
        wire_put_message(entry, 2,
                         field->table == &RESPONSE_BOX ? box(1, message(&RESPONSE, value))
                                                       : message(field->table, value));
        wire_put_message(out, field->inner, entry);
    }
    return out;
}

static void
put_texts(GByteArray *out, int number, const Value *value)
{
    if (value_is_string(value))
        wire_put_string(out, number, value_string(value));
    VALUE_ARRAY_FOREACH (item, value)
        wire_put_string(out, number, value_text(item));
}

static void
put_field(GByteArray *out, const Field *field, const Value *value)
{
    switch (field->form) {
    case TEXT:
        wire_put_string(out, field->number, value_text(value));
        break;
    case TRUTH:
        wire_put_int(out, field->number, value_bool(value));
        break;
    case TEXTS:
        put_texts(out, field->number, value);
        break;
    case WRAPPED: {
        GByteArray *inner = g_byte_array_new();
        put_texts(inner, 1, value);
        wire_put_message(out, field->number, inner);
        break;
    }
    case MESSAGE:
        wire_put_message(out, field->number, message(field->table, value));
        break;
    case BOXED:
        wire_put_message(out, field->number, box(field->inner, message(field->table, value)));
        break;
    case NAMED:
        wire_put_message(out, field->number, named_message(field, value));
        break;
    case ANY:
        put_any(out, field->number, value);
        break;
    case ANYS:
        VALUE_ARRAY_FOREACH (item, value)
            put_any(out, field->number, item);
        break;
    case SPECIAL:
        put_parameters(out, field->number, value);
        break;
    }
}

static GByteArray *
message(const Table *table, const Value *value)
{
    GByteArray *out = g_byte_array_new();
    for (const Field *field = table->fields; field->key; field++) {
        const Value *part = value_get(value, field->key);
        if (part)
            put_field(out, field, part);
    }
    VALUE_MAP_FOREACH (key, part, value) {
        if (!g_str_has_prefix(key, "x-"))
            continue;
        GByteArray *named = g_byte_array_new();
        wire_put_string(named, 1, key);
        put_any(named, 2, part);
        wire_put_message(out, table->extensions, named);
    }
    return out;
}

GByteArray *
api_openapi_v2_protobuf(const ApiTypes *types)
{
    g_autoptr(Value) document = api_openapi_v2(types);
    return message(&DOCUMENT, document);
}
