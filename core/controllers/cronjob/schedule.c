#include "core/controllers/cronjob/schedule.h"

#include <string.h>

#include "core/base/duration.h"
#include "core/base/error.h"

#define SECOND_NS INT64_C(1000000000)
#define YEARS_AHEAD 5

typedef struct Field {
    const char *name;
    int low, high;
    const char *const *names; /* of low, low + 1, ...; NULL: none */
} Field;

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const Field fields[] = {
    {"minute", 0, 59, NULL},          {"hour", 0, 23, NULL},
    {"day of month", 1, 31, NULL},    {"month", 1, 12, month_names},
    {"day of week", 0, 6, day_names},
};

/* ---- civil time
 * -------------------------------------------------------------------------------------- */

typedef struct Civil {
    int64_t year;
    int month, day, hour, minute, weekday;
} Civil;

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counting years from March.
 */
static int64_t
days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int
days_in_month(int64_t year, int month)
{
    return (int)(days_of(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
                 days_of(year, month, 1));
}

static int
weekday_of(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7);
}

static Civil
civil_of(int64_t ns)
{
    int64_t seconds = ns / SECOND_NS, days = seconds / 86400, rest = seconds % 86400;
    Civil civil = {.year = 1970,
                   .month = 1,
                   .hour = (int)(rest / 3600),
                   .minute = (int)(rest / 60 % 60),
                   .weekday = weekday_of(days)};
    civil.year += days / 366;
    while (days_of(civil.year + 1, 1, 1) <= days)
        civil.year++;
    while (civil.month < 12 && days_of(civil.year, civil.month + 1, 1) <= days)
        civil.month++;
    civil.day = (int)(days - days_of(civil.year, civil.month, 1)) + 1;
    return civil;
}

/* ---- parsing
 * ----------------------------------------------------------------------------------------- */

static bool
parse_number(const Field *field, const char *text, int *ret_number, GError **error)
{
    for (int i = 0; field->names != NULL && field->names[i] != NULL; i++)
        if (g_ascii_strcasecmp(text, field->names[i]) == 0) {
            *ret_number = field->low + i;
            return true;
        }
    char *end = NULL;
    int64_t number = g_ascii_strtoll(text, &end, 10);
    if (end == text || *end != '\0' || number < 0 || number > 1000)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "failed to parse int from %s: strconv.Atoi: parsing \"%s\": invalid syntax",
                    text, text);
    *ret_number = (int)number;
    return true;
}

static bool
parse_range(const Field *field, const char *text, uint64_t *bits, bool *ret_any, GError **error)
{
    g_auto(GStrv) stepped = g_strsplit(text, "/", -1);
    g_auto(GStrv) ends = g_strsplit(stepped[0] != NULL ? stepped[0] : "", "-", -1);
    guint n_ends = g_strv_length(ends), n_stepped = g_strv_length(stepped);
    int low = field->low, high = field->high, step = 1;
    if (n_ends == 0 || n_ends > 2)
        return fail(error, TIMONEL_ERROR_INVALID, "%s hyphens: %s",
                    n_ends == 0 ? "missing" : "too many", text);
    bool star = strcmp(ends[0], "*") == 0 || strcmp(ends[0], "?") == 0;
    if (!star) {
        if (!parse_number(field, ends[0], &low, error))
            return false;
        high = low;
        if (n_ends == 2 && !parse_number(field, ends[1], &high, error))
            return false;
    }
    if (n_stepped > 2)
        return fail(error, TIMONEL_ERROR_INVALID, "too many slashes: %s", text);
    if (n_stepped == 2) {
        if (!parse_number(field, stepped[1], &step, error))
            return false;
        if (!star && n_ends == 1)
            high = field->high;
        if (step > 1)
            star = false;
    }
    if (low < field->low)
        return fail(error, TIMONEL_ERROR_INVALID, "beginning of range (%d) below minimum (%d): %s",
                    low, field->low, text);
    if (high > field->high)
        return fail(error, TIMONEL_ERROR_INVALID, "end of range (%d) above maximum (%d): %s", high,
                    field->high, text);
    if (low > high)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "beginning of range (%d) beyond end of range (%d): %s", low, high, text);
    if (step == 0)
        return fail(error, TIMONEL_ERROR_INVALID, "step of range should be a positive number: %s",
                    text);
    for (int i = low; i <= high; i += step)
        *bits |= UINT64_C(1) << i;
    *ret_any |= star;
    return true;
}

static bool
parse_field(const Field *field, const char *text, uint64_t *ret_bits, bool *ret_any, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    uint64_t bits = 0;
    bool any = false;
    for (char **part = parts; *part != NULL; part++)
        if (!parse_range(field, *part, &bits, &any, error))
            return false;
    *ret_bits = bits;
    *ret_any = any;
    return true;
}

static const char *
expand(const char *text)
{
    static const char *const words[][2] = {{"@yearly", "0 0 1 1 *"},  {"@annually", "0 0 1 1 *"},
                                           {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
                                           {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                                           {"@hourly", "0 * * * *"}};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(text, words[i][0]) == 0)
            return words[i][1];
    return text;
}

bool
cron_parse(const char *text, CronSchedule *ret_schedule, GError **error)
{
    CronSchedule schedule = {0};
    if (g_str_has_prefix(text, "@every ")) {
        if (!duration_parse(text + strlen("@every "), &schedule.every_ns, error))
            return false;
        schedule.every_ns = MAX(schedule.every_ns / SECOND_NS, 1) * SECOND_NS;
        *ret_schedule = schedule;
        return true;
    }
    const char *expanded = expand(text);
    if (*expanded == '@')
        return fail(error, TIMONEL_ERROR_INVALID, "unrecognized descriptor: %s", text);
    g_auto(GStrv) raw = g_strsplit_set(expanded, " \t", -1);
    const char *parts[8];
    guint n = 0;
    for (char **part = raw; *part != NULL && n < G_N_ELEMENTS(parts); part++)
        if (**part != '\0')
            parts[n++] = *part;
    if (n != 5)
        return fail(error, TIMONEL_ERROR_INVALID, "expected exactly 5 fields, found %u: [%s]", n,
                    expanded);
    uint64_t *bits[] = {&schedule.minutes, &schedule.hours, &schedule.days, &schedule.months,
                        &schedule.weekdays};
    bool any[5];
    for (guint i = 0; i < 5; i++)
        if (!parse_field(&fields[i], parts[i], bits[i], &any[i], error))
            return false;
    schedule.any_day = any[2];
    schedule.any_weekday = any[4];
    *ret_schedule = schedule;
    return true;
}

/* ---- the next time
 * ----------------------------------------------------------------------------------- */

static bool
has_bit(uint64_t bits, int bit)
{
    return (bits >> bit & 1) != 0;
}

/* When both day fields are restricted either suffices. */
static bool
day_matches(const CronSchedule *schedule, int day, int weekday)
{
    bool by_day = has_bit(schedule->days, day), by_weekday = has_bit(schedule->weekdays, weekday);
    return schedule->any_day || schedule->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* The first matching minute of a day, from `minute` (of the day) on; -1 when there is none. */
static int
minute_from(const CronSchedule *schedule, int minute)
{
    for (int hour = minute / 60; hour < 24; hour++) {
        if (!has_bit(schedule->hours, hour))
            continue;
        for (int i = hour == minute / 60 ? minute % 60 : 0; i < 60; i++)
            if (has_bit(schedule->minutes, i))
                return hour * 60 + i;
    }
    return -1;
}

int64_t
cron_next(const CronSchedule *schedule, int64_t after_ns)
{
    if (schedule->every_ns > 0)
        return (after_ns / SECOND_NS) * SECOND_NS + schedule->every_ns;
    int64_t start = (after_ns / (60 * SECOND_NS) + 1) * 60 * SECOND_NS;
    Civil civil = civil_of(start);
    int minute = civil.hour * 60 + civil.minute;
    for (int64_t year = civil.year; year <= civil.year + YEARS_AHEAD; year++)
        for (int month = year == civil.year ? civil.month : 1; month <= 12; month++) {
            bool first_month = year == civil.year && month == civil.month;
            if (!has_bit(schedule->months, month))
                continue;
            for (int day = first_month ? civil.day : 1; day <= days_in_month(year, month); day++) {
                int64_t days = days_of(year, month, day);
                bool first_day = first_month && day == civil.day;
                int found = day_matches(schedule, day, weekday_of(days))
                                ? minute_from(schedule, first_day ? minute : 0)
                                : -1;
                if (found >= 0)
                    return (days * 86400 + found * 60) * SECOND_NS;
            }
        }
    return 0;
}
