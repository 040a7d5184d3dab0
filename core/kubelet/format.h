/* Texts as Go prints them: times, durations, names of pods. All results are owned by the caller. */
#pragma once

#include "core/object/value.h"

/* "2026-01-31T12:00:00Z"; null for 0. */
Value *format_time_value(int64_t ns);
/* ns since the epoch; 0 when it is not an RFC 3339 time. */
int64_t format_time_parse(const char *text);
/* time.Duration's String: "1.234s", "10s", "2m40s", "350ms". */
char *format_duration(int64_t ns);
/* Kubelet's format.Pod: "web-1_default(uid)". */
char *format_pod(const Value *pod);
/* Go's %v of a slice of strings: "[a b]". Takes a GPtrArray of borrowed strings. */
char *format_list(const GPtrArray *strings);
