/* Simple values: what Go's decoder accepts for each type, and the form in which the API writes them
 * again. */
#include <math.h>
#include <string.h>

#include "core/api/schema_private.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/timestamp.h"
#include "core/object/quantity.h"

#define TIME_LAYOUT "2006-01-02T15:04:05Z07:00"
#define MICRO_TIME_LAYOUT "2006-01-02T15:04:05.000000Z07:00"

bool
schema_field_omits(const SchemaField *field, const Value *value)
{
    if (value_is_null(value))
        return true;
    if (field->pointer || field->required)
        return false;
    switch (value_type(value)) {
    case VALUE_BOOL:
        return !value_bool(value) && field->schema->type == SCHEMA_BOOL;
    case VALUE_INT:
    case VALUE_DOUBLE:
        return value_double(value) == 0 && field->schema->type != SCHEMA_INT_OR_STRING;
    case VALUE_STRING:
        return value_string_len(value) == 0 && field->schema->type != SCHEMA_QUANTITY;
    case VALUE_ARRAY:
    case VALUE_MAP:
        return value_size(value) == 0 &&
               (field->schema->type == SCHEMA_ARRAY || field->schema->type == SCHEMA_MAP);
    case VALUE_NULL:
        break;
    }
    return true;
}

Value *
schema_zero(const Schema *schema)
{
    switch (schema->type) {
    case SCHEMA_STRING:
    case SCHEMA_BYTES:
        return value_new_string("");
    case SCHEMA_QUANTITY:
        return value_new_string("0");
    case SCHEMA_DURATION:
        return value_new_string("0s");
    case SCHEMA_INT32:
    case SCHEMA_INT64:
    case SCHEMA_INT_OR_STRING:
        return value_new_int(0);
    case SCHEMA_DOUBLE:
        return value_new_double(0);
    case SCHEMA_BOOL:
        return value_new_bool(false);
    case SCHEMA_OBJECT:
    case SCHEMA_MAP:
        return value_new_map();
    case SCHEMA_ARRAY:
        return value_new_array();
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME:
    case SCHEMA_FIELDS_V1:
    case SCHEMA_RAW:
        break;
    }
    return value_new_null();
}

char *
schema_go_type(const Schema *schema)
{
    switch (schema->type) {
    case SCHEMA_STRING:
    case SCHEMA_BYTES:
        return g_strdup(schema->type == SCHEMA_STRING ? "string" : "[]uint8");
    case SCHEMA_INT32:
        return g_strdup("int32");
    case SCHEMA_INT64:
        return g_strdup("int64");
    case SCHEMA_BOOL:
        return g_strdup("bool");
    case SCHEMA_DOUBLE:
        return g_strdup("float64");
    case SCHEMA_OBJECT:
        return g_strdup_printf("v1.%s", schema->name);
    case SCHEMA_MAP:
    case SCHEMA_ARRAY: {
        g_autofree char *element = schema_go_type(schema->element);
        return g_strconcat(schema->type == SCHEMA_MAP ? "map[string]" : "[]", element, NULL);
    }
    case SCHEMA_QUANTITY:
        return g_strdup("resource.Quantity");
    case SCHEMA_INT_OR_STRING:
        return g_strdup("intstr.IntOrString");
    case SCHEMA_TIME:
        return g_strdup("v1.Time");
    case SCHEMA_MICRO_TIME:
        return g_strdup("v1.MicroTime");
    case SCHEMA_DURATION:
        return g_strdup("v1.Duration");
    case SCHEMA_FIELDS_V1:
        return g_strdup("v1.FieldsV1");
    case SCHEMA_RAW:
        break;
    }
    return g_strdup("runtime.RawExtension");
}

static const char *
json_word(const Value *value)
{
    switch (value_type(value)) {
    case VALUE_BOOL:
        return "bool";
    case VALUE_INT:
    case VALUE_DOUBLE:
        return "number";
    case VALUE_STRING:
        return "string";
    case VALUE_ARRAY:
        return "array";
    case VALUE_MAP:
        return "object";
    case VALUE_NULL:
        break;
    }
    return "null";
}

/* Types with an UnmarshalJSON of their own decode a bare string first; Go then knows no field name.
 */
static Value *
not_a_string(const Value *value, const char *go_type, GError **error)
{
    fail(error, TIMONEL_ERROR_INVALID, "json: cannot unmarshal %s into Go value of type %s",
         json_word(value), go_type);
    return NULL;
}

static Value *
time_scalar(const Schema *schema, const Value *value, GError **error)
{
    if (!value_is_string(value))
        return not_a_string(value, "string", error);
    const char *text = value_string(value);
    bool micro = schema->type == SCHEMA_MICRO_TIME;
    int64_t ns;
    if (!timestamp_parse(text, &ns)) {
        /* Go says where its layout first failed; texts that fail are nearly always no dates at all.
         */
        fail(error, TIMONEL_ERROR_INVALID,
             "parsing time \"%s\" as \"%s\": cannot parse \"%s\" as \"2006\"", text,
             micro ? MICRO_TIME_LAYOUT : TIME_LAYOUT, text);
        return NULL;
    }
    g_autofree char *canonical = micro ? timestamp_micro_text(ns) : timestamp_text(ns);
    return strcmp(canonical, text) == 0 ? value_ref(value)
                                        : value_new_string_take(g_steal_pointer(&canonical));
}

static Value *
quantity_scalar(const Value *value, GError **error)
{
    g_autofree char *text = NULL;
    if (value_is_string(value))
        text = g_strstrip(g_strdup(value_string(value)));
    else if (value_type(value) == VALUE_INT)
        text = g_strdup_printf("%" G_GINT64_FORMAT, value_int(value));
    else if (value_type(value) == VALUE_DOUBLE) {
        char buffer[G_ASCII_DTOSTR_BUF_SIZE];
        text = g_strdup(g_ascii_formatd(buffer, sizeof buffer, "%.15g", value_double(value)));
    } else {
        text = g_strdup("");
    }
    g_autofree char *canonical = quantity_normalize(text, error);
    if (!canonical)
        return NULL;
    if (value_is_string(value) && strcmp(canonical, value_string(value)) == 0)
        return value_ref(value);
    return value_new_string_take(g_steal_pointer(&canonical));
}

static Value *
duration_scalar(const Value *value, GError **error)
{
    if (!value_is_string(value))
        return not_a_string(value, "string", error);
    int64_t ns;
    if (!duration_parse(value_string(value), &ns, error))
        return NULL;
    return value_new_string_take(duration_format(ns));
}

/* Base64 as Go's StdEncoding reads it: the alphabet, padding at the end only, line ends ignored. */
static Value *
bytes_scalar(const Value *value, GError **error)
{
    const char *text = value_string(value);
    size_t letters = 0;
    size_t padding = 0;
    size_t at = 0;
    for (; text[at]; at++) {
        if (text[at] == '\n' || text[at] == '\r')
            continue;
        bool letter = g_ascii_isalnum(text[at]) || text[at] == '+' || text[at] == '/';
        if ((!letter && text[at] != '=') || (letter && padding) || (!letter && letters % 4 < 2))
            break;
        letters += letter;
        padding += !letter;
        if (padding > 2)
            break;
    }
    if (text[at] || (letters + padding) % 4 != 0) {
        /* Go blames the bad byte, the end when padding is missing there, or else the start of the
         * unfinished group. */
        size_t blamed = text[at] || padding ? at : at - letters % 4;
        fail(error, TIMONEL_ERROR_INVALID, "illegal base64 data at input byte %zu", blamed);
        return NULL;
    }
    return value_ref(value);
}

Value *
schema_scalar(const Schema *schema, const Value *value, bool *ret_mismatch, GError **error)
{
    ValueType type = value_type(value);
    bool fits = true;
    switch (schema->type) {
    case SCHEMA_STRING:
        fits = type == VALUE_STRING;
        break;
    case SCHEMA_INT32:
        fits =
            type == VALUE_INT && value_int(value) >= G_MININT32 && value_int(value) <= G_MAXINT32;
        break;
    case SCHEMA_INT64:
        fits = type == VALUE_INT;
        break;
    case SCHEMA_BOOL:
        fits = type == VALUE_BOOL;
        break;
    case SCHEMA_DOUBLE:
        fits = type == VALUE_INT || type == VALUE_DOUBLE;
        break;
    case SCHEMA_BYTES:
        if (type == VALUE_STRING)
            return bytes_scalar(value, error);
        fits = false;
        break;
    case SCHEMA_INT_OR_STRING:
        if (type != VALUE_STRING &&
            (type != VALUE_INT || value_int(value) != (int32_t)value_int(value)))
            return not_a_string(value, "int32", error);
        break;
    case SCHEMA_QUANTITY:
        return quantity_scalar(value, error);
    case SCHEMA_TIME:
    case SCHEMA_MICRO_TIME:
        return time_scalar(schema, value, error);
    case SCHEMA_DURATION:
        return duration_scalar(value, error);
    default:
        break;
    }
    *ret_mismatch = !fits;
    return fits ? value_ref(value) : NULL;
}
