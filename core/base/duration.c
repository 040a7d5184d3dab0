#include "core/base/duration.h"

#include <string.h>

#include "core/base/error.h"
#include "core/base/text.h"

/* ---- ages ---- */

static char *
two_units(int64_t big, char big_unit, int64_t small, char small_unit)
{
    if (small == 0)
        return g_strdup_printf("%" G_GINT64_FORMAT "%c", big, big_unit);
    return g_strdup_printf("%" G_GINT64_FORMAT "%c%" G_GINT64_FORMAT "%c", big, big_unit, small,
                           small_unit);
}

char *
duration_human(int64_t ns)
{
    int64_t seconds = ns / DURATION_SECOND, minutes = seconds / 60, hours = minutes / 60,
            days = hours / 24;

    if (seconds < -1)
        return g_strdup("<invalid>");
    if (seconds < 0)
        return g_strdup("0s");
    if (seconds < 120)
        return two_units(seconds, 's', 0, 0);
    if (minutes < 10)
        return two_units(minutes, 'm', seconds % 60, 's');
    if (minutes < 180)
        return two_units(minutes, 'm', 0, 0);
    if (hours < 8)
        return two_units(hours, 'h', minutes % 60, 'm');
    if (hours < 48)
        return two_units(hours, 'h', 0, 0);
    if (hours < 192)
        return two_units(days, 'd', hours % 24, 'h');
    if (days < 730)
        return two_units(days, 'd', 0, 0);
    if (days < 365 * 8)
        return two_units(days / 365, 'y', days % 365, 'd');
    return two_units(days / 365, 'y', 0, 0);
}

char *
duration_human_short(int64_t ns)
{
    int64_t seconds = ns / DURATION_SECOND, hours = seconds / 3600;

    if (seconds < -1)
        return g_strdup("<invalid>");
    if (seconds < 0)
        return g_strdup("0s");
    if (seconds < 60)
        return two_units(seconds, 's', 0, 0);
    if (seconds < 3600)
        return two_units(seconds / 60, 'm', 0, 0);
    if (hours < 24)
        return two_units(hours, 'h', 0, 0);
    if (hours < 24 * 365)
        return two_units(hours / 24, 'd', 0, 0);
    return two_units(hours / 24 / 365, 'y', 0, 0);
}

/* ---- Go's durations ---- */

typedef struct {
    const char *name;
    int64_t ns;
} DurationUnit;

static const DurationUnit units[] = {
    {"ns", 1},
    {"us", DURATION_MICROSECOND},
    {"\xc2\xb5s", DURATION_MICROSECOND},
    {"\xce\xbcs", DURATION_MICROSECOND},
    {"ms", DURATION_MILLISECOND},
    {"s", DURATION_SECOND},
    {"m", DURATION_MINUTE},
    {"h", DURATION_HOUR},
};

static const DurationUnit *
unit_find(const char *name, size_t len)
{
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0)
            return &units[i];
    }
    return NULL;
}

/* Adds amount * unit to *total (of the absolute value); false on overflow. */
static bool
duration_add(uint64_t *total, uint64_t whole, uint64_t fraction, uint64_t fraction_scale, int64_t unit)
{
    uint64_t part;

    if (__builtin_mul_overflow(whole, (uint64_t)unit, &part))
        return false;
    __extension__ unsigned __int128 small = (unsigned __int128)fraction * (uint64_t)unit;
    part += (uint64_t)(small / fraction_scale);
    return !__builtin_add_overflow(*total, part, total) && *total <= (uint64_t)INT64_MAX + 1;
}

/* One number with its unit, from *at on. Returns NULL, or what was wrong. */
static const char *
duration_read_part(const char **at, uint64_t *total, char **ret_unit)
{
    uint64_t whole = 0, fraction = 0, scale = 1;
    const char *from = *at;
    bool digits = false;

    for (; g_ascii_isdigit(*from); from++, digits = true) {
        if (whole > (UINT64_MAX >> 1) / 10)
            return "invalid duration";
        whole = whole * 10 + (uint64_t)(*from - '0');
    }
    if (*from == '.') {
        for (from++; g_ascii_isdigit(*from); from++, digits = true) {
            if (scale > INT64_MAX / 10)
                continue; /* finer than any unit */
            fraction = fraction * 10 + (uint64_t)(*from - '0');
            scale *= 10;
        }
    }
    if (!digits)
        return "invalid duration";
    size_t len = strcspn(from, ".0123456789");
    if (len == 0)
        return "missing unit in duration";
    const DurationUnit *unit = unit_find(from, len);
    if (unit == NULL) {
        *ret_unit = g_strndup(from, len);
        return "unknown unit";
    }
    *at = from + len;
    return duration_add(total, whole, fraction, scale, unit->ns) ? NULL : "invalid duration";
}

bool
duration_parse(const char *text, int64_t *ret_ns, GError **error)
{
    const char *at = text;
    bool negative = *at == '-';
    uint64_t total = 0;
    g_autofree char *unit = NULL;
    g_autofree char *quoted = text_quote(text);

    if (*at == '-' || *at == '+')
        at++;
    if (strcmp(at, "0") == 0) {
        *ret_ns = 0;
        return true;
    }
    const char *wrong = *at == '\0' ? "invalid duration" : NULL;
    while (wrong == NULL && *at != '\0')
        wrong = duration_read_part(&at, &total, &unit);
    if (wrong == NULL && !negative && total > INT64_MAX)
        wrong = "invalid duration";
    if (unit != NULL) {
        g_autofree char *quoted_unit = text_quote(unit);
        return fail(error, TIMONEL_ERROR_INVALID, "time: unknown unit %s in duration %s", quoted_unit,
                    quoted);
    }
    if (wrong != NULL)
        return fail(error, TIMONEL_ERROR_INVALID, "time: %s %s", wrong, quoted);
    *ret_ns = negative ? (int64_t)(0 - total) : (int64_t)total;
    return true;
}

/* n / scale with up to `places` decimals, trailing zeros dropped. */
static void
append_decimal(GString *out, uint64_t n, uint64_t scale, int places)
{
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, n / scale);
    if (n % scale == 0)
        return;
    g_string_append_printf(out, ".%0*" G_GUINT64_FORMAT, places, n % scale);
    while (out->str[out->len - 1] == '0')
        g_string_truncate(out, out->len - 1);
}

char *
duration_format(int64_t ns)
{
    GString *out = g_string_new(ns < 0 ? "-" : "");
    uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    if (n == 0) {
        g_string_append(out, "0s");
    } else if (n < DURATION_MICROSECOND) {
        g_string_append_printf(out, "%" G_GUINT64_FORMAT "ns", n);
    } else if (n < DURATION_MILLISECOND) {
        append_decimal(out, n, DURATION_MICROSECOND, 3);
        g_string_append(out, "\xc2\xb5s");
    } else if (n < DURATION_SECOND) {
        append_decimal(out, n, DURATION_MILLISECOND, 6);
        g_string_append(out, "ms");
    } else {
        if (n >= DURATION_HOUR)
            g_string_append_printf(out, "%" G_GUINT64_FORMAT "h", n / DURATION_HOUR);
        if (n >= DURATION_MINUTE)
            g_string_append_printf(out, "%" G_GUINT64_FORMAT "m", n / DURATION_MINUTE % 60);
        append_decimal(out, n % DURATION_MINUTE, DURATION_SECOND, 9);
        g_string_append_c(out, 's');
    }
    return g_string_free(out, FALSE);
}
