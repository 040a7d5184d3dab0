/* Kinds without a describer of their own: every field, with titles made of the fields' names. */
#include <string.h>

#include "cli/kubectl/describe.h"
#include "core/api/meta.h"

#define DEPTH_MAX 32

/* "podSelector" -> "Pod Selector". */
static char *
title_of(const char *name)
{
    g_autoptr(GString) title = g_string_new(NULL);
    for (const char *at = name; *at != '\0'; at++) {
        bool upper = g_ascii_isupper(*at);
        bool starts = upper && at > name && (!g_ascii_isupper(at[-1]) || g_ascii_islower(at[1]));
        if (starts)
            g_string_append_c(title, ' ');
        g_string_append_c(title, at == name ? g_ascii_toupper(*at) : *at);
    }
    return g_strdup(title->str);
}

static void fields(Describing *d, int level, const Value *map);

static void
items(Describing *d, int level, const Value *array)
{
    VALUE_ARRAY_FOREACH (item, array) {
        if (value_is_map(item) && level < DEPTH_MAX) {
            fields(d, level, item);
        } else {
            g_autofree char *text = describe_text(item);
            describe_line(d, level, "%s", text);
        }
    }
}

static void
fields(Describing *d, int level, const Value *map)
{
    VALUE_MAP_FOREACH (name, value, map) {
        bool skipped = level == 1 &&
                       (strcmp(name, "name") == 0 || strcmp(name, "namespace") == 0 ||
                        strcmp(name, "labels") == 0 || strcmp(name, "annotations") == 0 ||
                        strcmp(name, "managedFields") == 0) &&
                       map == value_get(d->object, "metadata");
        if (skipped)
            continue;
        g_autofree char *title = title_of(name);
        bool nested = (value_is_map(value) || value_is_array(value)) && level < DEPTH_MAX;
        g_autofree char *text = nested ? NULL : describe_text(value);
        if (nested)
            describe_line(d, level, "%s:", title);
        else
            describe_line(d, level, "%s:\t%s", title, text);
        if (nested && value_is_map(value))
            fields(d, level + 1, value);
        else if (nested)
            items(d, level + 1, value);
    }
}

void
describe_unknown(Describing *d, const Value *object)
{
    describe_name(d, object, true);
    describe_map(d, "Labels", object_labels(object));
    describe_annotations(d, "Annotations", object_annotations(object));
    describe_line(d, 0, "API Version:\t%s", object_api_version(object));
    describe_line(d, 0, "Kind:\t%s", object_kind(object));
    VALUE_MAP_FOREACH (name, value, object) {
        if (strcmp(name, "apiVersion") == 0 || strcmp(name, "kind") == 0)
            continue;
        g_autofree char *title = title_of(name);
        g_autofree char *text =
            value_is_map(value) || value_is_array(value) ? NULL : describe_text(value);
        if (text != NULL) {
            describe_line(d, 0, "%s:\t%s", title, text);
            continue;
        }
        describe_line(d, 0, "%s:", title);
        if (value_is_map(value))
            fields(d, 1, value);
        else
            items(d, 1, value);
    }
}
