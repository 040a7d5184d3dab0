/* Durations in nanoseconds, written as Go and kubectl write them. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define DURATION_MICROSECOND INT64_C(1000)
#define DURATION_MILLISECOND INT64_C(1000000)
#define DURATION_SECOND INT64_C(1000000000)
#define DURATION_MINUTE (60 * DURATION_SECOND)
#define DURATION_HOUR (60 * DURATION_MINUTE)

/* Ages as kubectl prints them: "45s", "3m20s", "5h", "2d3h", "<invalid>" (apimachinery util/duration:
 * HumanDuration, and ShortHumanDuration with one unit only). Owned. */
char *duration_human(int64_t ns);
char *duration_human_short(int64_t ns);

/* Go's time.Duration: "1h30m", "1.5s", "300ms"; "0" needs no unit. Messages as Go's ParseDuration. */
bool duration_parse(const char *text, int64_t *ret_ns, GError **error);
/* Go's Duration.String: "1h30m0s", "1.5s", "300ms", "0s". Owned. */
char *duration_format(int64_t ns);
