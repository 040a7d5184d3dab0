#include "core/object/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The shortest decimal digits that read back as d (> 0, finite), and the exponent of the first of them. */
static int
shortest_digits(double d, char *ret_digits, int *ret_exponent)
{
    char text[40];

    for (int precision = 0; precision < 17; precision++) {
        char format[8];
        g_snprintf(format, sizeof(format), "%%.%de", precision);
        g_ascii_formatd(text, sizeof(text), format, d);
        if (g_ascii_strtod(text, NULL) == d)
            break;
    }
    int count = 0;
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (g_ascii_isdigit(*at))
            ret_digits[count++] = *at;
    }
    *ret_exponent = (int)strtol(at + 1, NULL, 10);
    while (count > 1 && ret_digits[count - 1] == '0')
        count--;
    ret_digits[count] = '\0';
    return count;
}

static void
append_plain(GString *out, const char *digits, int count, int exponent)
{
    if (exponent < 0) {
        g_string_append(out, "0.");
        for (int i = -1; i > exponent; i--)
            g_string_append_c(out, '0');
        g_string_append(out, digits);
        return;
    }
    for (int i = 0; i <= exponent || i < count; i++) {
        if (i == exponent + 1)
            g_string_append_c(out, '.');
        g_string_append_c(out, i < count ? digits[i] : '0');
    }
}

static void
append_scientific(GString *out, const char *digits, int count, int exponent, int exponent_digits)
{
    g_string_append_c(out, digits[0]);
    if (count > 1)
        g_string_append_printf(out, ".%s", digits + 1);
    g_string_append_printf(out, "e%c%0*d", exponent < 0 ? '-' : '+', exponent_digits, abs(exponent));
}

void
number_append_json(GString *out, double d)
{
    char digits[40];
    int exponent;

    if (!isfinite(d)) {
        g_string_append(out, "null");
        return;
    }
    if (d < 0)
        g_string_append_c(out, '-');
    d = fabs(d);
    if (d == 0) {
        g_string_append_c(out, '0');
        return;
    }
    int count = shortest_digits(d, digits, &exponent);
    if (d < 1e-6 || d >= 1e21)
        append_scientific(out, digits, count, exponent, exponent < 0 ? 1 : 2);
    else
        append_plain(out, digits, count, exponent);
}

void
number_append_yaml(GString *out, double d)
{
    char digits[40];
    int exponent;

    if (isnan(d)) {
        g_string_append(out, ".nan");
        return;
    }
    if (d < 0)
        g_string_append_c(out, '-');
    d = fabs(d);
    if (isinf(d)) {
        g_string_append(out, ".inf");
        return;
    }
    if (d == 0) {
        g_string_append_c(out, '0');
        return;
    }
    int count = shortest_digits(d, digits, &exponent);
    if (exponent < -4 || exponent >= 6)
        append_scientific(out, digits, count, exponent, 2);
    else
        append_plain(out, digits, count, exponent);
}

bool
number_parse_int(const char *text, size_t len, int64_t *ret_i)
{
    size_t at = len > 0 && (text[0] == '-' || text[0] == '+');
    bool negative = at == 1 && text[0] == '-';
    int64_t total = 0;

    if (at == len)
        return false;
    for (; at < len; at++) {
        int digit = text[at] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(total, 10, &total) ||
            __builtin_sub_overflow(total, digit, &total))
            return false;
    }
    /* counted downwards, where one more number fits */
    if (!negative && total == INT64_MIN)
        return false;
    *ret_i = negative ? total : -total;
    return true;
}

bool
number_parse_double(const char *text, size_t len, double *ret_d)
{
    char small[64];
    g_autofree char *large = NULL;
    const char *copy = small;
    char *end;

    if (len < sizeof(small)) {
        memcpy(small, text, len);
        small[len] = '\0';
    } else {
        copy = large = g_strndup(text, len);
    }
    if (len == 0 || strspn(copy, "+-.0123456789eE") != len || g_ascii_isspace(*copy))
        return false;
    errno = 0;
    double d = g_ascii_strtod(copy, &end);
    if (*end != '\0' || end == copy || isinf(d))
        return false;
    *ret_d = d;
    return true;
}
