/* Instants as the API writes them: RFC 3339 in UTC. Nanoseconds since the Unix epoch (so years 1678
 * to 2262). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

char *timestamp_text(int64_t ns);       /* metav1.Time: "2026-01-02T03:04:05Z"; caller frees */
char *timestamp_micro_text(int64_t ns); /* metav1.MicroTime: "2026-01-02T03:04:05.000006Z" */
char *timestamp_nano_text(int64_t ns);  /* container logs: "2026-01-02T03:04:05.000000006Z" */

/* Reads any of them, also with an offset such as "+02:00". False (and *ret_ns left alone) for
 * anything else, NULL too. */
bool timestamp_parse(const char *text, int64_t *ret_ns);
/* 0 when it does not parse. */
int64_t timestamp_of(const char *text);
