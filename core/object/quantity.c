/* Follows apimachinery's pkg/api/resource: quantity.go, suffix.go. */
#include "core/object/quantity.h"

#include <string.h>

#include "core/base/error.h"
#include "core/object/number.h"

#define NANO_MAX ((QuantityNano)(~(Wide)0 >> 1))
#define BINARY_MAX ((QuantityNano)INT64_MAX * 1000000000)

__extension__ typedef unsigned __int128 Wide;

static const char *const decimal_suffixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
static const char *const binary_suffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

/* ---- parsing ---- */

/* The parts of a quantity's text. Leading zeros of the whole part are left out. */
typedef struct {
    bool negative;
    const char *whole, *fraction, *suffix;
    size_t whole_len, fraction_len, suffix_len;
} Parts;

static bool
split_parts(const char *text, Parts *ret_parts)
{
    const char *at = text;
    Parts parts = {.negative = *at == '-'};

    at += *at == '-' || *at == '+';
    at += strspn(at, "0");
    parts.whole = at;
    parts.whole_len = strspn(at, "0123456789");
    at += parts.whole_len;
    if (*at == '.') {
        parts.fraction = ++at;
        parts.fraction_len = strspn(at, "0123456789");
        at += parts.fraction_len;
    }
    parts.suffix = at;
    at += strspn(at, "eEinumkKMGTP");
    at += *at == '-' || *at == '+';
    at += strspn(at, "0123456789");
    parts.suffix_len = (size_t)(at - parts.suffix);
    *ret_parts = parts;
    return *at == '\0' && *text != '\0';
}

/* The suffix's format and exponent: of 2 for binary ones, else of 10. */
static bool
read_suffix(const char *suffix, size_t len, QuantityFormat *ret_format, int64_t *ret_exponent)
{
    for (int i = 0; i < (int)G_N_ELEMENTS(decimal_suffixes); i++) {
        if (strlen(decimal_suffixes[i]) == len && memcmp(decimal_suffixes[i], suffix, len) == 0) {
            *ret_format = QUANTITY_DECIMAL_SI;
            *ret_exponent = i * 3 - 9;
            return true;
        }
    }
    for (int i = 1; i < (int)G_N_ELEMENTS(binary_suffixes); i++) {
        if (strlen(binary_suffixes[i]) == len && memcmp(binary_suffixes[i], suffix, len) == 0) {
            *ret_format = QUANTITY_BINARY_SI;
            *ret_exponent = i * 10;
            return true;
        }
    }
    *ret_format = QUANTITY_DECIMAL_EXPONENT;
    return len > 1 && (*suffix == 'e' || *suffix == 'E') &&
           number_parse_int(suffix + 1, len - 1, ret_exponent);
}

/* Appends digits to *mantissa; those that do not fit any more only leave a trace in *ret_rest. */
static bool
read_digits(const char *digits, size_t len, Wide *mantissa, size_t *ret_used, bool *ret_rest)
{
    size_t i = 0;

    for (; i < len; i++) {
        Wide digit = (Wide)(digits[i] - '0'), next;
        if (__builtin_mul_overflow(*mantissa, (Wide)10, &next) ||
            __builtin_add_overflow(next, digit, &next))
            break;
        *mantissa = next;
    }
    *ret_used = i;
    *ret_rest = strspn(digits + i, "0") < len - i;
    return i == len;
}

/* mantissa * 10^power, rounded up; false when it does not fit. */
static bool
scale_ten(Wide mantissa, int64_t power, bool rest, Wide *ret_scaled)
{
    for (; power > 0 && mantissa != 0; power--) {
        if (__builtin_mul_overflow(mantissa, (Wide)10, &mantissa))
            return false;
    }
    for (; power < 0 && mantissa != 0; power++) {
        rest |= mantissa % 10 != 0;
        mantissa /= 10;
    }
    *ret_scaled = mantissa + (rest ? 1 : 0);
    return *ret_scaled <= (Wide)NANO_MAX;
}

static bool
parts_nano(const Parts *parts, QuantityFormat format, int64_t exponent, Wide *ret_nano)
{
    Wide mantissa = 0;
    size_t used, fraction_used = 0;
    bool rest = false, binary = format == QUANTITY_BINARY_SI, fits = true;

    if (!read_digits(parts->whole, parts->whole_len, &mantissa, &used, &rest))
        return false;
    if (parts->fraction_len > 0)
        read_digits(parts->fraction, parts->fraction_len, &mantissa, &fraction_used, &rest);
    if (mantissa == 0 && !rest) {
        *ret_nano = 0;
        return true;
    }
    for (int64_t i = 0; binary && i < exponent && fits; i++)
        fits = !__builtin_mul_overflow(mantissa, (Wide)2, &mantissa);
    int64_t power = 9 - (int64_t)fraction_used;
    if (!binary)
        power += CLAMP(exponent, -100000, 100000);
    if (!fits || !scale_ten(mantissa, power, rest, ret_nano)) {
        *ret_nano = (Wide)BINARY_MAX;
        return binary;
    }
    if (binary && *ret_nano > (Wide)BINARY_MAX)
        *ret_nano = (Wide)BINARY_MAX;
    return true;
}

bool
quantity_parse(const char *text, Quantity *ret_quantity, GError **error)
{
    Parts parts;
    QuantityFormat format;
    int64_t exponent = 0;
    Wide nano;

    if (!split_parts(text, &parts))
        return fail(error, TIMONEL_ERROR_INVALID,
                    "quantities must match the regular expression "
                    "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    if (!read_suffix(parts.suffix, parts.suffix_len, &format, &exponent))
        return fail(error, TIMONEL_ERROR_INVALID, "unable to parse quantity's suffix");
    if (!parts_nano(&parts, format, exponent, &nano))
        return fail(error, TIMONEL_ERROR_INVALID, "unable to parse numeric part of quantity");
    if (format == QUANTITY_BINARY_SI && nano > 0 && nano < 1000000000)
        format = QUANTITY_DECIMAL_SI;
    *ret_quantity = (Quantity){parts.negative ? -(QuantityNano)nano : (QuantityNano)nano, format};
    return true;
}

bool
quantity_parse_value(const Value *value, Quantity *ret_quantity, GError **error)
{
    switch (value_type(value)) {
    case VALUE_STRING: {
        g_autofree char *text = g_strstrip(g_strdup(value_text(value)));
        return quantity_parse(text, ret_quantity, error);
    }
    case VALUE_INT:
        *ret_quantity = quantity_from_int(value_int(value), QUANTITY_DECIMAL_SI);
        return true;
    case VALUE_DOUBLE: {
        g_autoptr(GString) text = g_string_new(NULL);
        number_append_json(text, value_double(value));
        return quantity_parse(text->str, ret_quantity, error);
    }
    default:
        return quantity_parse("", ret_quantity, error);
    }
}

Quantity
quantity_of(const Value *value)
{
    Quantity quantity = {0};

    quantity_parse_value(value, &quantity, NULL);
    return quantity;
}

Quantity
quantity_from_int(int64_t units, QuantityFormat format)
{
    return (Quantity){(QuantityNano)units * 1000000000, format};
}

Quantity
quantity_from_milli(int64_t milli, QuantityFormat format)
{
    return (Quantity){(QuantityNano)milli * 1000000, format};
}

/* ---- writing ---- */

static void
append_wide(GString *out, Wide n, bool negative)
{
    char digits[48], *at = digits + sizeof(digits);

    do {
        *--at = (char)('0' + (int)(n % 10));
        n /= 10;
    } while (n > 0);
    if (negative)
        *--at = '-';
    g_string_append_len(out, at, digits + sizeof(digits) - at);
}

/* Binary suffixes need a whole number of at least 1024: else digits would be lost. */
static bool
fits_binary(Wide nano)
{
    return nano % 1000000000 == 0 && nano / 1000000000 >= 1024;
}

char *
quantity_text(Quantity quantity)
{
    bool negative = quantity.nano < 0;
    Wide n = negative ? -(Wide)quantity.nano : (Wide)quantity.nano;
    GString *out = g_string_new(NULL);
    int step = 0;

    if (n == 0) {
        g_string_append_c(out, '0');
    } else if (quantity.format == QUANTITY_BINARY_SI && fits_binary(n)) {
        for (n /= 1000000000; n % 1024 == 0 && step < 6; step++)
            n /= 1024;
        append_wide(out, n, negative);
        g_string_append(out, binary_suffixes[step]);
    } else {
        bool exponent = quantity.format == QUANTITY_DECIMAL_EXPONENT;
        for (; n % 1000 == 0 && (exponent || step < 9); step++)
            n /= 1000;
        append_wide(out, n, negative);
        if (!exponent)
            g_string_append(out, decimal_suffixes[step]);
        else if (step != 3)
            g_string_append_printf(out, "e%d", step * 3 - 9);
    }
    return g_string_free(out, FALSE);
}

Value *
quantity_value_new(Quantity quantity)
{
    return value_new_string_take(quantity_text(quantity));
}

/* Whether ParseQuantity keeps the text as the number's written form. */
static bool
text_is_kept(const Parts *parts, QuantityFormat format, int64_t exponent, Quantity quantity)
{
    size_t digits = MAX(parts->whole_len, 1) + parts->fraction_len;

    if (quantity.nano == 0)
        return false;
    if (format == QUANTITY_BINARY_SI) {
        int64_t mantissa;
        return parts->fraction_len == 0 && (int64_t)digits + exponent * 3 / 10 <= 14 &&
               number_parse_int(parts->whole, parts->whole_len, &mantissa) && (mantissa & 7) != 0;
    }
    int64_t scale = exponent - (int64_t)parts->fraction_len;
    if (digits > 18 || scale < -9 || scale % 3 != 0 || parts->whole_len == 0)
        return false;
    g_autofree char *shifted =
        g_strdup_printf("%.*s%.*s", (int)parts->whole_len, parts->whole, (int)parts->fraction_len,
                        parts->fraction != NULL ? parts->fraction : "");
    return !g_str_has_suffix(shifted, "000");
}

char *
quantity_normalize(const char *text, GError **error)
{
    Quantity quantity;
    Parts parts;
    QuantityFormat format;
    int64_t exponent = 0;

    if (!quantity_parse(text, &quantity, error))
        return NULL;
    split_parts(text, &parts);
    read_suffix(parts.suffix, parts.suffix_len, &format, &exponent);
    return text_is_kept(&parts, format, exponent, quantity) ? g_strdup(text) : quantity_text(quantity);
}

/* ---- arithmetic ---- */

int
quantity_compare(Quantity a, Quantity b)
{
    return a.nano < b.nano ? -1 : a.nano > b.nano;
}

bool
quantity_is_zero(Quantity quantity)
{
    return quantity.nano == 0;
}

int
quantity_sign(Quantity quantity)
{
    return quantity.nano < 0 ? -1 : quantity.nano > 0;
}

Quantity
quantity_add(Quantity a, Quantity b)
{
    Quantity sum = {.format = a.nano == 0 ? b.format : a.format};

    if (__builtin_add_overflow(a.nano, b.nano, &sum.nano) || sum.nano < -NANO_MAX)
        sum.nano = b.nano > 0 ? NANO_MAX : -NANO_MAX;
    return sum;
}

Quantity
quantity_sub(Quantity a, Quantity b)
{
    return quantity_add(a, quantity_negate(b));
}

Quantity
quantity_negate(Quantity quantity)
{
    return (Quantity){-quantity.nano, quantity.format};
}

int64_t
quantity_scaled(Quantity quantity, int scale)
{
    QuantityNano divisor = 1;

    g_assert(scale >= -9 && scale <= 18);
    for (int i = -9; i < scale; i++)
        divisor *= 10;
    QuantityNano scaled = quantity.nano / divisor;
    if (quantity.nano % divisor != 0)
        scaled += quantity.nano > 0 ? 1 : -1;
    return (int64_t)CLAMP(scaled, (QuantityNano)INT64_MIN, (QuantityNano)INT64_MAX);
}

int64_t
quantity_units(Quantity quantity)
{
    return quantity_scaled(quantity, 0);
}

int64_t
quantity_milli(Quantity quantity)
{
    return quantity_scaled(quantity, -3);
}

double
quantity_double(Quantity quantity)
{
    return (double)quantity.nano / 1e9;
}
