/* Where a component's log lines go. A Log is passed down like every other port; nothing logs on its own. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR } LogLevel;

typedef struct Log Log;

typedef struct {
    /* One line without its newline, already safe for a terminal. Never absent. */
    void (*write)(Log *log, LogLevel level, const char *line);
} LogOps;

/* The base of every sink: its first member. */
struct Log {
    const LogOps *ops;
    LogLevel level_min; /* what is below is not formatted at all */
};

/* Each accepts a NULL log: then nothing is logged. Longer lines than LOG_LINE_MAX are cut. */
void log_debug(Log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
void log_info(Log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
void log_warning(Log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);
void log_error(Log *log, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A line as Kubernetes' components print it (klog): "I0102 15:04:05.000000       1 source] message".
 * Time in nanoseconds since the epoch, shown in UTC. Owned. */
char *log_klog_line(LogLevel level, int64_t time_ns, int pid, const char *source, const char *message);
