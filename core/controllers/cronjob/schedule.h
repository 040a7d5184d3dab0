/* Cron expressions as github.com/robfig/cron/v3's ParseStandard reads them: five fields (minute
 * hour day month weekday) with lists, ranges, steps and names, @yearly @monthly @weekly @daily
 * @midnight @hourly and "@every 1h30m". */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct CronSchedule {
    uint64_t minutes, hours, days, months, weekdays; /* bits */
    bool any_day, any_weekday;                       /* the field is * or ? */
    int64_t every_ns;                                /* @every; else 0 */
} CronSchedule;

bool cron_parse(const char *text, CronSchedule *ret_schedule, GError **error);
/* The first time after `after_ns` (UTC); 0 when there is none within five years. */
int64_t cron_next(const CronSchedule *schedule, int64_t after_ns);
