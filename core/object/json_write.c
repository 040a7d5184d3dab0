#include <string.h>

#include "core/object/json.h"
#include "core/object/number.h"

/* ---- strings ---- */

/* Bytes that cannot stand for themselves: controls, quote, backslash, <, >, & and all beyond ASCII. */
static inline bool
byte_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static void
append_ascii(GString *out, unsigned char c)
{
    static const char codes[] = "\b\f\n\r\t", letters[] = "bfnrt";
    const char *code = c != 0 ? strchr(codes, c) : NULL;

    if (c == '"' || c == '\\')
        g_string_append_printf(out, "\\%c", c);
    else if (code != NULL)
        g_string_append_printf(out, "\\%c", letters[code - codes]);
    else
        g_string_append_printf(out, "\\u%04x", c);
}

/* One character beyond ASCII at text[i]; returns its length in bytes. */
static size_t
append_wide(GString *out, const char *text, size_t left)
{
    gunichar c = g_utf8_get_char_validated(text, (gssize)left);

    if (c == (gunichar)-1 || c == (gunichar)-2) {
        g_string_append(out, "\\ufffd");
        return 1;
    }
    size_t len = (size_t)(g_utf8_next_char(text) - text);
    if (c == 0x2028 || c == 0x2029)
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_len(out, text, (gssize)len);
    return len;
}

void
json_write_string(GString *out, const char *text, size_t len)
{
    size_t start = 0, i = 0;

    g_string_append_c(out, '"');
    while (i < len) {
        if (byte_is_plain((unsigned char)text[i])) {
            i++;
            continue;
        }
        g_string_append_len(out, text + start, (gssize)(i - start));
        if ((unsigned char)text[i] < 0x80)
            append_ascii(out, (unsigned char)text[i++]);
        else
            i += append_wide(out, text + i, len - i);
        start = i;
    }
    g_string_append_len(out, text + start, (gssize)(i - start));
    g_string_append_c(out, '"');
}

/* ---- values ---- */

static void
append_int(GString *out, int64_t i)
{
    char digits[24], *at = digits + sizeof(digits);
    uint64_t rest = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (i < 0)
        *--at = '-';
    g_string_append_len(out, at, digits + sizeof(digits) - at);
}

/* indent < 0: compact */
static void
append_break(GString *out, int indent)
{
    if (indent < 0)
        return;
    g_string_append_c(out, '\n');
    for (int i = 0; i < indent; i++)
        g_string_append(out, "    ");
}

static void write_value(GString *out, const Value *value, int indent);

static void
write_container(GString *out, const Value *value, int indent)
{
    bool is_map = value_is_map(value);
    size_t size = value_size(value);
    int inner = indent < 0 ? -1 : indent + 1;

    g_string_append_c(out, is_map ? '{' : '[');
    for (size_t i = 0; i < size; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_break(out, inner);
        if (is_map) {
            const char *key = value_key_at(value, i);
            json_write_string(out, key, strlen(key));
            g_string_append_len(out, ": ", indent < 0 ? 1 : 2);
        }
        write_value(out, is_map ? value_value_at(value, i) : value_item(value, i), inner);
    }
    if (size > 0)
        append_break(out, indent);
    g_string_append_c(out, is_map ? '}' : ']');
}

static void
write_value(GString *out, const Value *value, int indent)
{
    switch (value_type(value)) {
    case VALUE_NULL:
        g_string_append(out, "null");
        return;
    case VALUE_BOOL:
        g_string_append(out, value_bool(value) ? "true" : "false");
        return;
    case VALUE_INT:
        append_int(out, value_int(value));
        return;
    case VALUE_DOUBLE:
        number_append_json(out, value_double(value));
        return;
    case VALUE_STRING:
        json_write_string(out, value_text(value), value_string_len(value));
        return;
    case VALUE_ARRAY:
    case VALUE_MAP:
        write_container(out, value, indent);
        return;
    }
}

void
json_write(GString *out, const Value *value)
{
    write_value(out, value, -1);
}

void
json_write_pretty(GString *out, const Value *value)
{
    write_value(out, value, 0);
}

char *
json_text(const Value *value)
{
    GString *out = g_string_new(NULL);

    json_write(out, value);
    return g_string_free(out, FALSE);
}
