#include "core/object/json.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/object/number.h"
#include "core/object/value_assembler.h"

typedef struct {
    ValueAssembler *assembler;
    const char *refusal; /* why a callback stopped the parser */
    size_t consumed;     /* bytes up to the end or the error */
} JsonParser;

static int
refuse(JsonParser *parser, const char *why)
{
    parser->refusal = why;
    return 0;
}

static int
on_null(void *data)
{
    value_assembler_add(((JsonParser *)data)->assembler, value_new_null());
    return 1;
}

static int
on_bool(void *data, int b)
{
    value_assembler_add(((JsonParser *)data)->assembler, value_new_bool(b != 0));
    return 1;
}

static int
on_number(void *data, const char *text, size_t len)
{
    JsonParser *parser = data;
    int64_t i;
    double d;

    if (number_parse_int(text, len, &i))
        value_assembler_add(parser->assembler, value_new_int(i));
    else if (number_parse_double(text, len, &d))
        value_assembler_add(parser->assembler, value_new_double(d));
    else
        return refuse(parser, "number out of range");
    return 1;
}

static int
on_string(void *data, const unsigned char *text, size_t len)
{
    value_assembler_add(((JsonParser *)data)->assembler,
                        value_new_string_len((const char *)text, len));
    return 1;
}

static int
on_key(void *data, const unsigned char *key, size_t len)
{
    JsonParser *parser = data;

    if (memchr(key, '\0', len) != NULL)
        return refuse(parser, "an object key holds a zero byte");
    value_assembler_key(parser->assembler, (const char *)key, len);
    return 1;
}

static int
begin(JsonParser *parser, ValueType type)
{
    if (value_assembler_depth(parser->assembler) >= VALUE_DEPTH_MAX)
        return refuse(parser, "exceeded max depth of " G_STRINGIFY(VALUE_DEPTH_MAX));
    value_assembler_begin(parser->assembler, type);
    return 1;
}

static int
on_map(void *data)
{
    return begin(data, VALUE_MAP);
}

static int
on_array(void *data)
{
    return begin(data, VALUE_ARRAY);
}

static int
on_end(void *data)
{
    value_assembler_end(((JsonParser *)data)->assembler);
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_end,
};

/* Line and column (from 1, in bytes) of an offset. */
static void
text_position(const char *text, size_t offset, size_t *ret_line, size_t *ret_column)
{
    size_t line = 1, start = 0;

    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    *ret_line = line;
    *ret_column = offset - start + 1;
}

static void
set_error(const JsonParser *parser, yajl_handle handle, const char *text, size_t len, GError **error)
{
    size_t offset = parser->consumed, line, column;
    unsigned char *raw = yajl_get_error(handle, 0, NULL, 0);
    g_autofree char *message = g_strdup((const char *)raw);

    yajl_free_error(handle, raw);
    g_strstrip(message);
    const char *why = parser->refusal != NULL ? parser->refusal : message;
    if (g_str_has_prefix(why, "parse error: "))
        why += strlen("parse error: ");
    else if (g_str_has_prefix(why, "lexical error: "))
        why += strlen("lexical error: ");
    if (offset == len && parser->refusal == NULL)
        why = "unexpected end of JSON input";
    text_position(text, offset, &line, &column);
    fail(error, TIMONEL_ERROR_INVALID, "line %zu, column %zu: %s", line, column, why);
}

static Value *
parse(const char *text, size_t len, GPtrArray *duplicates, GError **error)
{
    g_autoptr(ValueAssembler) assembler = value_assembler_new();
    JsonParser parser = {.assembler = assembler};

    value_assembler_note_duplicates(assembler, duplicates);
    yajl_handle handle = yajl_alloc(&callbacks, NULL, &parser);
    yajl_status status = yajl_parse(handle, (const unsigned char *)text, len);
    parser.consumed = MIN(yajl_get_bytes_consumed(handle), len);
    if (status == yajl_status_ok) {
        /* a line's end finishes a number and breaks a text that lacks its quote: yajl_complete_parse alone
         * lets half a token behind the document pass */
        parser.consumed = len;
        status = yajl_parse(handle, (const unsigned char *)"\n", 1);
    }
    if (status == yajl_status_ok)
        status = yajl_complete_parse(handle);
    if (status != yajl_status_ok)
        set_error(&parser, handle, text, len, error);
    yajl_free(handle);
    return status == yajl_status_ok ? value_assembler_steal(assembler) : NULL;
}

Value *
json_parse(const char *text, size_t len, GError **error)
{
    return parse(text, len, NULL, error);
}

Value *
json_parse_strict(const char *text, size_t len, GPtrArray **ret_duplicates, GError **error)
{
    g_autoptr(GPtrArray) duplicates = g_ptr_array_new_with_free_func(g_free);
    Value *value = parse(text, len, duplicates, error);

    if (value != NULL)
        *ret_duplicates = g_steal_pointer(&duplicates);
    return value;
}
