#include <stdlib.h>

#include "core/api/meta.h"
#include "core/controllers/job/view.h"

#define INDEXES_MAX 1000000 /* that one text may name: more than any Job has */

void
index_set_init(IndexSet *set)
{
    set->members = g_array_new(FALSE, FALSE, sizeof(int64_t));
}

void
index_set_clear(IndexSet *set)
{
    if (set->members != NULL)
        g_array_free(set->members, TRUE);
    set->members = NULL;
}

static guint
position(const IndexSet *set, int64_t index)
{
    guint low = 0, high = set->members->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(set->members, int64_t, middle) < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
index_set_has(const IndexSet *set, int64_t index)
{
    guint at = position(set, index);
    return at < set->members->len && g_array_index(set->members, int64_t, at) == index;
}

void
index_set_add(IndexSet *set, int64_t index)
{
    guint at = position(set, index);
    if (at == set->members->len || g_array_index(set->members, int64_t, at) != index)
        g_array_insert_val(set->members, at, index);
}

void
index_set_parse(IndexSet *set, const char *text, int64_t bound)
{
    while (*text != '\0' && set->members->len < INDEXES_MAX) {
        char *end = NULL;
        int64_t first = g_ascii_strtoll(text, &end, 10), last = first;
        if (end == text)
            return;
        if (*end == '-')
            last = g_ascii_strtoll(end + 1, &end, 10);
        for (int64_t i = first; i <= last && i < bound && set->members->len < INDEXES_MAX; i++)
            index_set_add(set, i);
        text = *end == ',' ? end + 1 : end;
        if (*end != ',' && *end != '\0')
            return;
    }
}

char *
index_set_format(const IndexSet *set)
{
    GString *text = g_string_new(NULL);
    guint i = 0;
    while (i < set->members->len) {
        guint j = i;
        int64_t first = g_array_index(set->members, int64_t, i);
        while (j + 1 < set->members->len &&
               g_array_index(set->members, int64_t, j + 1) == first + (int64_t)(j + 1 - i))
            j++;
        int64_t last = g_array_index(set->members, int64_t, j);
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT, i > 0 ? "," : "", first);
        if (last > first)
            g_string_append_printf(text, "%s%" G_GINT64_FORMAT, last > first + 1 ? "-" : ",", last);
        i = j + 1;
    }
    return g_string_free(text, FALSE);
}

int64_t
pod_completion_index(const Value *pod)
{
    const char *text = object_annotation(pod, LABEL_COMPLETION_INDEX);
    char *end = NULL;
    int64_t index = text != NULL ? g_ascii_strtoll(text, &end, 10) : -1;
    return text != NULL && end != text && *end == '\0' && index >= 0 ? index : -1;
}
