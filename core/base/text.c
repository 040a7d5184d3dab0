#include "core/base/text.h"

#include <string.h>

static bool
char_is_safe(gunichar c, TextShape shape)
{
    if (c == '\n' || c == '\t')
        return shape == TEXT_LINES;
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return false;
    /* direction marks, line and paragraph separators, byte order mark, tags */
    if ((c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f))
        return false;
    return c != 0xfeff && !(c >= 0xfff9 && c <= 0xfffb) && !(c >= 0xe0000 && c <= 0xe007f);
}

/* The character at `at`; *ret_len its bytes. An invalid byte gives (gunichar)-1 and length 1. */
static gunichar
char_read(const char *at, size_t left, size_t *ret_len)
{
    gunichar c = *at == '\0' ? 0 : g_utf8_get_char_validated(at, (gssize)left);

    *ret_len = 1;
    if (c == (gunichar)-1 || c == (gunichar)-2)
        return (gunichar)-1;
    *ret_len = (size_t)(g_utf8_next_char(at) - at);
    return c;
}

bool
text_is_safe(const char *text, size_t len, TextShape shape)
{
    size_t step;

    for (size_t i = 0; i < len; i += step) {
        gunichar c = char_read(text + i, len - i, &step);
        if (c == (gunichar)-1 || !char_is_safe(c, shape))
            return false;
    }
    return true;
}

static void
append_escaped(GString *out, gunichar c)
{
    if (c == '\n')
        g_string_append(out, "\\n");
    else if (c == '\t')
        g_string_append(out, "\\t");
    else if (c == '\r')
        g_string_append(out, "\\r");
    else if (c < 0x100)
        g_string_append_printf(out, "\\x%02x", c);
    else
        g_string_append_printf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

char *
text_sanitize(const char *text, size_t len, TextShape shape)
{
    GString *out = g_string_sized_new(len + 16);
    size_t step;

    for (size_t i = 0; i < len; i += step) {
        gunichar c = char_read(text + i, len - i, &step);
        if (c == (gunichar)-1)
            append_escaped(out, (unsigned char)text[i]);
        else if (char_is_safe(c, shape))
            g_string_append_len(out, text + i, (gssize)step);
        else
            append_escaped(out, c);
    }
    return g_string_free(out, FALSE);
}

char *
text_sha256(const void *bytes, size_t len)
{
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes, len);
}

char *
text_base64(const void *bytes, size_t len)
{
    return g_base64_encode(bytes, len);
}

uint8_t *
text_base64_decode(const char *text, size_t *ret_len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text), data = strspn(text, alphabet);

    if (len % 4 != 0 || len - data > 2 || strspn(text + data, "=") != len - data)
        return NULL;
    gsize size = 0;
    guchar *bytes = g_base64_decode(text, &size);
    bytes = g_realloc(bytes, size + 1);
    bytes[size] = '\0';
    *ret_len = size;
    return bytes;
}

char *
text_quote(const char *text)
{
    static const char plain[] = "abfnrtv", codes[] = "\a\b\f\n\r\t\v";
    GString *out = g_string_new("\"");
    size_t len = strlen(text), step;

    for (size_t i = 0; i < len; i += step) {
        gunichar c = char_read(text + i, len - i, &step);
        const char *code = c != 0 && c < 0x20 ? strchr(codes, (int)c) : NULL;
        if (c == (gunichar)-1)
            g_string_append_printf(out, "\\x%02x", (unsigned char)text[i]);
        else if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char)c);
        else if (code != NULL)
            g_string_append_printf(out, "\\%c", plain[code - codes]);
        else if (c < 0x20 || c == 0x7f)
            g_string_append_printf(out, "\\x%02x", c);
        else if (g_unichar_isprint(c) && (c < 0x80 || !g_unichar_isspace(c)))
            g_string_append_len(out, text + i, (gssize)step);
        else
            g_string_append_printf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

char **
text_split_list(const char *text, char separator)
{
    char separators[2] = {separator, '\0'};
    g_auto(GStrv) parts = g_strsplit(text, separators, -1);
    GPtrArray *list = g_ptr_array_new();

    for (char **part = parts; *part != NULL; part++) {
        g_strstrip(*part);
        if (**part != '\0')
            g_ptr_array_add(list, g_strdup(*part));
    }
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, FALSE);
}
