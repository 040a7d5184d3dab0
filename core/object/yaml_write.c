/* The block style of go-yaml v2's emitter without line folding, which is what kubectl -o yaml prints: two spaces
 * of indent, sequences not indented below their key, the simplest quoting that reads back as the same text. */
#include <string.h>

#include "core/object/number.h"
#include "core/object/yaml.h"

#define SIMPLE_KEY_MAX 128

/* ---- what a text allows ---- */

typedef struct {
    bool plain, single, block;
} Styles;

typedef struct {
    bool indicators;       /* something that means something else in block context */
    bool special;          /* needs escapes */
    bool leading, trailing; /* space or break at an end */
    bool trailing_space;
    bool space_break, break_space; /* one right after the other */
    bool breaks;
} Traits;

static bool
char_is_printable(gunichar c)
{
    if (c == '\n')
        return true;
    return (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0xd7ff) ||
           (c >= 0xe000 && c <= 0xfffd && c != 0xfeff);
}

static inline bool
char_is_break(gunichar c)
{
    return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static bool
starts_with_indicator(const char *text, size_t len)
{
    if (strchr("#,[]{}&*!|>'\"%@`", *text) != NULL)
        return true;
    if (*text == '?' || *text == ':' || *text == '-')
        return len == 1 || strchr(" \t\n\r", text[1]) != NULL;
    return false;
}

static void
traits_of_char(Traits *traits, gunichar c, gunichar before, gunichar after, bool is_first)
{
    bool is_space = c == ' ', is_break = char_is_break(c);
    bool after_blank = after == 0 || after == ' ' || after == '\t' || char_is_break(after);

    if (!is_first && c == ':' && after_blank)
        traits->indicators = true;
    if (!is_first && c == '#' && (before == ' ' || before == '\t' || char_is_break(before)))
        traits->indicators = true;
    if (!char_is_printable(c))
        traits->special = true;
    if (is_break)
        traits->breaks = true;
    if ((is_space || is_break) && is_first)
        traits->leading = true;
    if ((is_space || is_break) && after == 0)
        traits->trailing = true;
    if (is_space && after == 0)
        traits->trailing_space = true;
    if (is_break && before == ' ')
        traits->space_break = true;
    if (is_space && char_is_break(before) && !is_first)
        traits->break_space = true;
}

static Styles
styles_allowed(const char *text, size_t len)
{
    Traits traits = {0};
    gunichar before = 0;

    if (len == 0)
        return (Styles){.single = true};
    traits.indicators = g_str_has_prefix(text, "---") || g_str_has_prefix(text, "...") ||
                        starts_with_indicator(text, len);
    for (const char *at = text; at < text + len;) {
        const char *next = g_utf8_next_char(at);
        gunichar c = g_utf8_get_char(at);
        gunichar after = next < text + len ? g_utf8_get_char(next) : 0;
        traits_of_char(&traits, c, before, after, at == text);
        if (c == 0)
            traits.special = true;
        before = c;
        at = next;
    }
    bool escapes = traits.space_break || traits.special;
    return (Styles){
        .plain = !traits.leading && !traits.trailing && !traits.break_space && !escapes &&
                 !traits.breaks && !traits.indicators,
        .single = !traits.break_space && !escapes && !traits.breaks,
        .block = !traits.trailing_space && !escapes,
    };
}

/* ---- scalars ---- */

static void
append_indent(GString *out, int indent)
{
    for (int i = 0; i < indent; i++)
        g_string_append_c(out, ' ');
}

static void
append_single_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            g_string_append_c(out, '\'');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '\'');
}

static void
append_double_quoted(GString *out, const char *text, size_t len)
{
    static const char codes[] = "\a\b\t\n\v\f\r\x1b\"\\", letters[] = "abtnvfre\"\\";

    g_string_append_c(out, '"');
    for (const char *at = text; at < text + len; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        const char *code = c > 0 && c < 0x80 ? strchr(codes, (int)c) : NULL;
        if (c == 0)
            g_string_append(out, "\\0");
        else if (code != NULL)
            g_string_append_printf(out, "\\%c", letters[code - codes]);
        else if (c == 0x85 || c == 0x2028 || c == 0x2029)
            g_string_append_printf(out, "\\%c", c == 0x85 ? 'N' : c == 0x2028 ? 'L' : 'P');
        else if (char_is_printable(c))
            g_string_append_unichar(out, c);
        else if (c < 0x100)
            g_string_append_printf(out, "\\x%02X", c);
        else
            g_string_append_printf(out, c < 0x10000 ? "\\u%04X" : "\\U%08X", c);
    }
    g_string_append_c(out, '"');
}

static void
append_literal(GString *out, const char *text, size_t len, int indent)
{
    g_string_append_c(out, '|');
    if (*text == ' ' || *text == '\n')
        g_string_append_c(out, '2');
    if (text[len - 1] != '\n')
        g_string_append_c(out, '-');
    else if (len == 1 || text[len - 2] == '\n')
        g_string_append_c(out, '+');
    g_string_append_c(out, '\n');
    for (const char *line = text; line < text + len;) {
        const char *end = memchr(line, '\n', (size_t)(text + len - line));
        size_t size = (size_t)((end != NULL ? end : text + len) - line);
        if (size > 0)
            append_indent(out, indent);
        g_string_append_len(out, line, (gssize)size);
        if (end != NULL)
            g_string_append_c(out, '\n');
        line += size + 1;
    }
}

/* Returns whether the text already ended its line (a literal with a last newline). */
static bool
append_string(GString *out, const char *raw, size_t raw_len, int indent, bool is_key)
{
    g_autofree char *valid = g_utf8_validate_len(raw, raw_len, NULL) || memchr(raw, 0, raw_len) != NULL
                                 ? NULL
                                 : g_utf8_make_valid(raw, (gssize)raw_len);
    const char *text = valid != NULL ? valid : raw;
    size_t len = valid != NULL ? strlen(valid) : raw_len;
    Styles styles = styles_allowed(text, len);

    if (memchr(text, '\n', len) != NULL) {
        if (styles.block && !is_key) {
            append_literal(out, text, len, indent);
            return text[len - 1] == '\n';
        }
        append_double_quoted(out, text, len);
    } else if (!yaml_plain_is_string(text, len)) {
        append_double_quoted(out, text, len);
    } else if (styles.plain) {
        g_string_append_len(out, text, (gssize)len);
    } else if (styles.single) {
        append_single_quoted(out, text);
    } else {
        append_double_quoted(out, text, len);
    }
    return false;
}

/* ---- values ---- */

static void write_node(GString *out, const Value *value, int indent, int parent_indent);

static void
write_scalar(GString *out, const Value *value, int parent_indent)
{
    bool ended = false;

    switch (value_type(value)) {
    case VALUE_BOOL:
        g_string_append(out, value_bool(value) ? "true" : "false");
        break;
    case VALUE_INT:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value_int(value));
        break;
    case VALUE_DOUBLE:
        number_append_yaml(out, value_double(value));
        break;
    case VALUE_STRING:
        ended = append_string(out, value_text(value), value_string_len(value), parent_indent + 2, false);
        break;
    case VALUE_ARRAY:
        g_string_append(out, "[]");
        break;
    case VALUE_MAP:
        g_string_append(out, "{}");
        break;
    default:
        g_string_append(out, "null");
    }
    if (!ended)
        g_string_append_c(out, '\n');
}

/* A map's entries; the first stands where the cursor is, the rest on lines of their own. */
static void
write_map(GString *out, const Value *map, int indent)
{
    for (size_t i = 0; i < value_size(map); i++) {
        const char *key = value_key_at(map, i);
        size_t len = strlen(key);
        const Value *value = value_value_at(map, i);
        if (i > 0)
            append_indent(out, indent);
        if (len > SIMPLE_KEY_MAX) {
            g_string_append(out, "? ");
            append_string(out, key, len, indent + 2, true);
            g_string_append_c(out, '\n');
            append_indent(out, indent);
        } else {
            append_string(out, key, len, indent + 2, true);
        }
        g_string_append_c(out, ':');
        if (value_size(value) == 0) {
            g_string_append_c(out, ' ');
            write_scalar(out, value, indent);
            continue;
        }
        int inner = value_is_map(value) ? indent + 2 : indent;
        g_string_append_c(out, '\n');
        append_indent(out, inner);
        write_node(out, value, inner, indent);
    }
}

static void
write_node(GString *out, const Value *value, int indent, int parent_indent)
{
    if (value_size(value) == 0) {
        write_scalar(out, value, parent_indent);
        return;
    }
    if (value_is_map(value)) {
        write_map(out, value, indent);
        return;
    }
    for (size_t i = 0; i < value_size(value); i++) {
        if (i > 0)
            append_indent(out, indent);
        g_string_append(out, "- ");
        write_node(out, value_item(value, i), indent + 2, indent);
    }
}

void
yaml_write(GString *out, const Value *value)
{
    write_node(out, value, 0, 0);
}

char *
yaml_text(const Value *value)
{
    GString *out = g_string_new(NULL);

    yaml_write(out, value);
    return g_string_free(out, FALSE);
}
