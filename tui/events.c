#include "tui/events.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/base/duration.h"
#include "core/base/pmap.h"
#include "core/base/timestamp.h"

static int64_t
event_time(const Value *event)
{
    static const char *const FIELDS[] = {"series.lastObservedTime", "lastTimestamp", "eventTime",
                                         "metadata.creationTimestamp"};
    for (size_t i = 0; i < G_N_ELEMENTS(FIELDS); i++) {
        int64_t time;
        if (timestamp_parse(value_string_at(event, FIELDS[i]), &time))
            return time;
    }
    return 0;
}

/* Newest first; of one second, in the order of their names. */
static int
compare_events(const void *a, const void *b)
{
    const Value *left = *(const Value *const *)a, *right = *(const Value *const *)b;
    int64_t first = event_time(left), second = event_time(right);
    if (first != second)
        return first > second ? -1 : 1;
    return strcmp(value_text_at(right, "metadata.name"), value_text_at(left, "metadata.name"));
}

static bool
is_about(const Value *event, const char *kind, const char *namespace_, const char *name)
{
    const Value *object = value_get(event, "involvedObject");
    return strcmp(value_text(value_get(object, "name")), name) == 0 &&
           strcmp(value_text(value_get(object, "kind")), kind) == 0 &&
           (*namespace_ == '\0' ||
            strcmp(value_text(value_get(object, "namespace")), namespace_) == 0);
}

void
events_add_lines(Lines *lines, World *world, const char *kind, const char *namespace_,
                 const char *name, guint max, int width)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    PMap *events = world_objects(world, "", "events");
    g_autofree char *prefix = g_strdup_printf("%s/", *namespace_ != '\0' ? namespace_ : "default");
    PMapIter iter = {0};
    if (events != NULL)
        iter = pmap_seek_prefix(events, prefix);
    while (events != NULL && pmap_next(&iter))
        if (is_about(iter.value, kind, namespace_, name))
            g_ptr_array_add(found, iter.value);
    g_ptr_array_sort(found, compare_events);
    for (guint i = 0; i < found->len && i < max; i++) {
        const Value *event = found->pdata[i];
        g_autofree char *age = duration_human(world_now(world) - event_time(event));
        const char *message = value_text_at(event, "message");
        if (*message == '\0')
            message = value_text_at(event, "note");
        int64_t count = value_int_at_or(event, "series.count", value_int_at_or(event, "count", 1));
        g_autofree char *times =
            count > 1 ? g_strdup_printf(" (x%" G_GINT64_FORMAT ")", count) : g_strdup("");
        bool warning = strcmp(value_text_at(event, "type"), "Warning") == 0;
        g_autofree char *text = g_strdup_printf("%-5s %s%s%s: %s", age, warning ? "! " : "",
                                                value_text_at(event, "reason"), times, message);
        if (width > 0)
            lines_add_folded(lines, warning ? STYLE_BUSY : STYLE_NORMAL, text, width, 6);
        else
            lines_add(lines, warning ? STYLE_BUSY : STYLE_NORMAL, text);
    }
}
