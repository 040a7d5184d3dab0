/* Texts as Go prints them. */
#include "core/kubelet/format.h"

#include "core/api/meta.h"
#include "core/base/duration.h"
#include "core/base/timestamp.h"

Value *
format_time_value(int64_t ns)
{
    return ns == 0 ? value_new_null() : value_new_string_take(timestamp_text(ns));
}

int64_t
format_time_parse(const char *text)
{
    return text == NULL ? 0 : timestamp_of(text);
}

char *
format_duration(int64_t ns)
{
    return duration_format(ns);
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
