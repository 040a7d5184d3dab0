/* The types of plain scalars: YAML 1.1's as go-yaml v2 reads them (its resolve.go). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/object/number.h"
#include "core/object/yaml.h"

typedef enum { WORD_TRUE, WORD_FALSE, WORD_NULL, WORD_NAN, WORD_INF, WORD_MINUS_INF } Word;

static const struct {
    const char *text;
    Word word;
} words[] = {
    {"y", WORD_TRUE},       {"Y", WORD_TRUE},       {"yes", WORD_TRUE},    {"Yes", WORD_TRUE},
    {"YES", WORD_TRUE},     {"true", WORD_TRUE},    {"True", WORD_TRUE},   {"TRUE", WORD_TRUE},
    {"on", WORD_TRUE},      {"On", WORD_TRUE},      {"ON", WORD_TRUE},     {"n", WORD_FALSE},
    {"N", WORD_FALSE},      {"no", WORD_FALSE},     {"No", WORD_FALSE},    {"NO", WORD_FALSE},
    {"false", WORD_FALSE},  {"False", WORD_FALSE},  {"FALSE", WORD_FALSE}, {"off", WORD_FALSE},
    {"Off", WORD_FALSE},    {"OFF", WORD_FALSE},    {"", WORD_NULL},       {"~", WORD_NULL},
    {"null", WORD_NULL},    {"Null", WORD_NULL},    {"NULL", WORD_NULL},   {".nan", WORD_NAN},
    {".NaN", WORD_NAN},     {".NAN", WORD_NAN},     {".inf", WORD_INF},    {".Inf", WORD_INF},
    {".INF", WORD_INF},     {"+.inf", WORD_INF},    {"+.Inf", WORD_INF},   {"+.INF", WORD_INF},
    {"-.inf", WORD_MINUS_INF}, {"-.Inf", WORD_MINUS_INF}, {"-.INF", WORD_MINUS_INF},
};

static Value *
word_value(Word word)
{
    switch (word) {
    case WORD_TRUE:
        return value_new_bool(true);
    case WORD_FALSE:
        return value_new_bool(false);
    case WORD_NULL:
        return value_new_null();
    case WORD_NAN:
        return value_new_double((double)NAN);
    case WORD_INF:
        return value_new_double((double)INFINITY);
    case WORD_MINUS_INF:
        return value_new_double(-(double)INFINITY);
    }
    return NULL;
}

/* An integer with Go's prefixes: 0x, 0o, 0b, and a leading 0 for octal. Beyond int64 up to uint64 a double. */
static Value *
integer_value(const char *text)
{
    bool negative = *text == '-';
    const char *digits = text + (*text == '-' || *text == '+');
    guint64 base = 10, total = 0;

    if (*digits == '0' && digits[1] != '\0') {
        char mark = g_ascii_tolower(digits[1]);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        digits += mark == 'x' || mark == 'o' || mark == 'b' ? 2 : 1;
    }
    if (*digits == '\0')
        return NULL;
    for (; *digits != '\0'; digits++) {
        int digit = g_ascii_xdigit_value(*digits);
        if (digit < 0 || (guint64)digit >= base || __builtin_mul_overflow(total, base, &total) ||
            __builtin_add_overflow(total, (guint64)digit, &total))
            return NULL;
    }
    if (negative)
        return total > (guint64)INT64_MAX + 1 ? NULL : value_new_int((int64_t)(0 - total));
    return total > INT64_MAX ? value_new_double((double)total) : value_new_int((int64_t)total);
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool
is_float(const char *at)
{
    at += *at == '-' || *at == '+';
    size_t whole = strspn(at, "0123456789"), fraction = 0;
    at += whole;
    if (*at == '.') {
        fraction = strspn(at + 1, "0123456789");
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '-' || *at == '+';
        size_t digits = strspn(at, "0123456789");
        if (digits == 0)
            return false;
        at += digits;
    }
    return *at == '\0';
}

static Value *
number_value(const char *text, size_t len)
{
    g_autofree char *plain = g_malloc(len + 1);
    size_t size = 0;
    double d;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '_' || text[0] == '.')
            plain[size++] = text[i];
    }
    plain[size] = '\0';
    Value *integer = *text == '.' ? NULL : integer_value(plain);
    if (integer != NULL)
        return integer;
    return is_float(plain) && number_parse_double(plain, size, &d) ? value_new_double(d) : NULL;
}

static Value *
resolve(const char *text, size_t len)
{
    char first = len > 0 ? *text : '\0';

    if (len < 6) {
        for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
            if (strlen(words[i].text) == len && memcmp(words[i].text, text, len) == 0)
                return word_value(words[i].word);
        }
    }
    if (g_ascii_isdigit(first) || first == '+' || first == '-' || first == '.')
        return number_value(text, len);
    return NULL;
}

Value *
yaml_resolve_plain(const char *text, size_t len)
{
    Value *value = resolve(text, len);

    return value != NULL ? value : value_new_string_len(text, len);
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? : other readers take it for a base 60 number. */
static bool
is_base60(const char *at)
{
    at += *at == '-' || *at == '+';
    if (!g_ascii_isdigit(*at))
        return false;
    at += strspn(at, "0123456789_");
    if (*at != ':')
        return false;
    while (*at == ':') {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits == 0 || digits > 2 || (digits == 2 && at[1] > '5'))
            return false;
        at += 1 + digits;
    }
    if (*at == '.')
        at += 1 + strspn(at + 1, "0123456789_");
    return *at == '\0';
}

/* YYYY-M-D, alone or before a time: a reader that knows timestamps would take it for one. */
static bool
is_timestamp(const char *text)
{
    int year = 0, month = 0, day = 0, hour, minute, used = 0;
    int fields = sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used);

    if (fields < 3 || strspn(text, "0123456789") != 4 || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    const char *rest = text + used;
    if (*rest == '\0')
        return true;
    if (*rest != 'T' && *rest != 't' && *rest != ' ')
        return false;
    int seconds_at = 0;
    if (sscanf(rest + 1, "%2d:%2d:%n", &hour, &minute, &seconds_at) < 2 || seconds_at == 0)
        return false;
    const char *seconds = rest + 1 + seconds_at;
    size_t digits = strspn(seconds, "0123456789");
    if (digits == 0 || digits > 2)
        return false;
    seconds += digits;
    if (*seconds == '.')
        seconds += 1 + strspn(seconds + 1, "0123456789");
    if (*rest == ' ')
        return *seconds == '\0';
    if (*seconds == 'Z')
        return seconds[1] == '\0';
    return (*seconds == '+' || *seconds == '-') && strlen(seconds) == 6 && seconds[3] == ':';
}

bool
yaml_plain_is_string(const char *text, size_t len)
{
    g_autoptr(Value) value = resolve(text, len);

    if (value != NULL || (len == 2 && memcmp(text, "<<", 2) == 0))
        return false;
    return !is_base60(text) && !is_timestamp(text);
}
