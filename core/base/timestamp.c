/* RFC 3339 by days since the epoch (proleptic Gregorian calendar, eras of 400 years). */
#include "core/base/timestamp.h"

#define SECOND_NS ((int64_t)1000000000)
#define DAY_S ((int64_t)86400)

typedef struct {
    int64_t year;
    unsigned month, day, hour, minute, second, nano;
} Civil;

static Civil
civil_of(int64_t ns)
{
    int64_t seconds = ns / SECOND_NS, nano = ns % SECOND_NS;
    if (nano < 0) {
        nano += SECOND_NS;
        seconds--;
    }
    int64_t days = seconds / DAY_S, rest = seconds % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    days += 719468; /* days from 0000-03-01, where an era begins */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */
    Civil civil = {.year = year_of_era + era * 400 + (month >= 10 ? 1 : 0),
                   .month = (unsigned)(month < 10 ? month + 3 : month - 9),
                   .day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1),
                   .hour = (unsigned)(rest / 3600),
                   .minute = (unsigned)(rest % 3600 / 60),
                   .second = (unsigned)(rest % 60),
                   .nano = (unsigned)nano};
    return civil;
}

static int64_t
days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2 ? 1 : 0;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

char *
timestamp_text(int64_t ns)
{
    Civil c = civil_of(ns);
    return g_strdup_printf("%04" G_GINT64_FORMAT "-%02u-%02uT%02u:%02u:%02uZ", c.year, c.month,
                           c.day, c.hour, c.minute, c.second);
}

char *
timestamp_micro_text(int64_t ns)
{
    Civil c = civil_of(ns);
    return g_strdup_printf("%04" G_GINT64_FORMAT "-%02u-%02uT%02u:%02u:%02u.%06uZ", c.year, c.month,
                           c.day, c.hour, c.minute, c.second, c.nano / 1000);
}

char *
timestamp_nano_text(int64_t ns)
{
    Civil c = civil_of(ns);
    return g_strdup_printf("%04" G_GINT64_FORMAT "-%02u-%02uT%02u:%02u:%02u.%09uZ", c.year, c.month,
                           c.day, c.hour, c.minute, c.second, c.nano);
}

/* `count` digits at *text, which moves on; -1 when there are not so many. */
static int
digits(const char **text, unsigned count)
{
    int number = 0;
    for (unsigned i = 0; i < count; i++, (*text)++) {
        if (!g_ascii_isdigit(**text))
            return -1;
        number = number * 10 + (**text - '0');
    }
    return number;
}

static bool
expect(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static bool
parse_fraction(const char **text, int64_t *ret_nano)
{
    int64_t nano = 0;
    unsigned n = 0;
    while (g_ascii_isdigit(**text)) {
        if (n < 9)
            nano = nano * 10 + (**text - '0');
        n++;
        (*text)++;
    }
    if (n == 0)
        return false;
    for (; n < 9; n++)
        nano *= 10;
    *ret_nano = nano;
    return true;
}

static bool
parse_zone(const char **text, int64_t *ret_offset_s)
{
    *ret_offset_s = 0;
    if (**text == 'Z' || **text == 'z') {
        (*text)++;
        return **text == '\0';
    }
    int sign = **text == '+' ? 1 : **text == '-' ? -1 : 0;
    if (sign == 0)
        return false;
    (*text)++;
    int hour = digits(text, 2);
    if (hour < 0 || hour > 23 || !expect(text, ':'))
        return false;
    int minute = digits(text, 2);
    if (minute < 0 || minute > 59)
        return false;
    *ret_offset_s = sign * (hour * 3600 + minute * 60);
    return **text == '\0';
}

static unsigned
month_days(int year, int month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

bool
timestamp_parse(const char *text, int64_t *ret_ns)
{
    if (text == NULL)
        return false;
    int year = digits(&text, 4);
    if (year < 1 || !expect(&text, '-'))
        return false;
    int month = digits(&text, 2);
    if (month < 1 || month > 12 || !expect(&text, '-'))
        return false;
    int day = digits(&text, 2);
    if (day < 1 || day > (int)month_days(year, month) || (*text != 'T' && *text != 't'))
        return false;
    text++;
    int hour = digits(&text, 2);
    if (hour < 0 || hour > 23 || !expect(&text, ':'))
        return false;
    int minute = digits(&text, 2);
    if (minute < 0 || minute > 59 || !expect(&text, ':'))
        return false;
    int second = digits(&text, 2);
    if (second < 0 || second > 59)
        return false;
    int64_t nano = 0, offset;
    if (*text == '.') {
        text++;
        if (!parse_fraction(&text, &nano))
            return false;
    }
    if (!parse_zone(&text, &offset))
        return false;
    int64_t seconds = days_of(year, (unsigned)month, (unsigned)day) * DAY_S + hour * 3600 +
                      minute * 60 + second - offset;
    if (seconds > G_MAXINT64 / SECOND_NS - 1 || seconds < G_MININT64 / SECOND_NS + 1)
        return false; /* beyond what nanoseconds can say: years 1678 to 2262 */
    *ret_ns = seconds * SECOND_NS + nano;
    return true;
}

int64_t
timestamp_of(const char *text)
{
    int64_t ns = 0;
    timestamp_parse(text, &ns);
    return ns;
}
