#include "core/base/log.h"

#include <stdarg.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"

static void
log_line(Log *log, LogLevel level, const char *format, va_list args) G_GNUC_PRINTF(3, 0);

static void
log_line(Log *log, LogLevel level, const char *format, va_list args)
{
    if (log == NULL || level < log->level_min)
        return;
    g_autofree char *raw = g_strdup_vprintf(format, args);
    g_autofree char *line = text_sanitize(raw, MIN(strlen(raw), LOG_LINE_MAX), TEXT_ONE_LINE);
    log->ops->write(log, level, line);
}

#define LOG_FUNCTION(name, level)                                                                  \
    void name(Log *log, const char *format, ...)                                                   \
    {                                                                                              \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, format);                                                                    \
        log_line(log, level, format, args);                                                        \
        va_end(args);                                                                              \
    }

LOG_FUNCTION(log_debug, LOG_DEBUG)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_warning, LOG_WARNING)
LOG_FUNCTION(log_error, LOG_ERROR)

char *
log_klog_line(LogLevel level, int64_t time_ns, int pid, const char *source, const char *message)
{
    int64_t seconds = time_ns / 1000000000, ns = time_ns % 1000000000;

    if (ns < 0) {
        seconds--;
        ns += 1000000000;
    }
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    if (time == NULL)
        time = g_date_time_new_from_unix_utc(0);
    return g_strdup_printf("%c%02d%02d %02d:%02d:%02d.%06d %7d %s] %s", "IIWE"[level],
                           g_date_time_get_month(time), g_date_time_get_day_of_month(time),
                           g_date_time_get_hour(time), g_date_time_get_minute(time),
                           g_date_time_get_second(time), (int)(ns / 1000), pid, source, message);
}
