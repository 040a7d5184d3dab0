/* Texts as Go prints them. */
#include "core/kubelet/format.h"

#include "core/api/meta.h"
#include "core/port/clock.h"

char *
format_time(int64_t ns)
{
    if (ns == 0)
        return NULL;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ns / NS_PER_S);
    return time == NULL ? NULL : g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
}

Value *
format_time_value(int64_t ns)
{
    char *text = format_time(ns);
    return text == NULL ? value_new_null() : value_new_string_take(text);
}

int64_t
format_time_parse(const char *text)
{
    if (text == NULL)
        return 0;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    if (time == NULL)
        return 0;
    return g_date_time_to_unix(time) * NS_PER_S + g_date_time_get_microsecond(time) * NS_PER_US;
}

/* Digits of a fraction without trailing zeros: (234000000, 9) gives ".234". */
static void
append_fraction(GString *text, int64_t fraction, int digits)
{
    if (fraction == 0)
        return;
    g_autofree char *all = g_strdup_printf(".%0*" G_GINT64_FORMAT, digits, fraction);
    size_t length = strlen(all);
    while (all[length - 1] == '0')
        length--;
    g_string_append_len(text, all, (gssize)length);
}

char *
format_duration(int64_t ns)
{
    if (ns == 0)
        return g_strdup("0s");
    GString *text = g_string_new(ns < 0 ? "-" : "");
    int64_t left = ns < 0 ? -ns : ns;
    if (left < NS_PER_S) {
        int64_t unit = left < NS_PER_US ? 1 : left < NS_PER_MS ? NS_PER_US : NS_PER_MS;
        g_string_append_printf(text, "%" G_GINT64_FORMAT, left / unit);
        append_fraction(text, left % unit, unit == NS_PER_MS ? 6 : 3);
        g_string_append(text, unit == 1 ? "ns" : unit == NS_PER_US ? "µs" : "ms");
        return g_string_free(text, FALSE);
    }
    int64_t seconds = left / NS_PER_S;
    if (seconds >= 3600)
        g_string_append_printf(text, "%" G_GINT64_FORMAT "h", seconds / 3600);
    if (seconds >= 60)
        g_string_append_printf(text, "%" G_GINT64_FORMAT "m", seconds / 60 % 60);
    g_string_append_printf(text, "%" G_GINT64_FORMAT, seconds % 60);
    append_fraction(text, left % NS_PER_S, 9);
    g_string_append_c(text, 's');
    return g_string_free(text, FALSE);
}

char *
format_pod(const Value *pod)
{
    return g_strdup_printf("%s_%s(%s)", object_name(pod), object_namespace(pod), object_uid(pod));
}

char *
format_list(const GPtrArray *strings)
{
    GString *text = g_string_new("[");
    for (guint i = 0; i < strings->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", (const char *)strings->pdata[i]);
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}
