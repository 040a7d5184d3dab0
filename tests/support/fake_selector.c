/* Selectors and merge patches, as little as the fake API needs. */
#include <string.h>

#include "tests/support/fake_private.h"

static bool
set_has(const char *set, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(set, "(), ", -1);
    for (char **word = words; *word != NULL; word++)
        if ((*word)[0] != '\0' && text != NULL && strcmp(*word, text) == 0)
            return true;
    return false;
}

static bool
requirement_holds(const char *requirement, const Value *labels)
{
    g_autofree char *text = g_strstrip(g_strdup(requirement));
    char *at;
    if (text[0] == '!')
        return !value_has(labels, text + 1);
    if ((at = strstr(text, " notin ")) != NULL) {
        *at = '\0';
        return !set_has(at + 7, value_string(value_get(labels, text)));
    }
    if ((at = strstr(text, " in ")) != NULL) {
        *at = '\0';
        return set_has(at + 4, value_string(value_get(labels, text)));
    }
    if ((at = strchr(text, '=')) == NULL)
        return value_has(labels, text);
    const char *wanted = at[1] == '=' ? at + 2 : at + 1;
    bool differs = at > text && at[-1] == '!';
    at[differs ? -1 : 0] = '\0';
    const char *found = value_string(value_get(labels, text));
    return (found != NULL && strcmp(found, wanted) == 0) != differs;
}

static bool
labels_match(const Value *labels, const char *selector)
{
    g_autoptr(GString) part = g_string_new(NULL);
    int depth = 0;
    bool matches = true;
    for (const char *p = selector;; p++) {
        depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
        if ((*p == ',' && depth == 0) || *p == '\0') {
            if (part->len > 0 && !requirement_holds(part->str, labels))
                matches = false;
            g_string_truncate(part, 0);
        } else {
            g_string_append_c(part, *p);
        }
        if (*p == '\0')
            return matches;
    }
}

static bool
fields_match(const Value *object, const char *selector)
{
    g_auto(GStrv) parts = g_strsplit(selector, ",", -1);
    for (char **part = parts; *part != NULL; part++) {
        char *at = strchr(*part, '=');
        if (at == NULL)
            continue;
        const char *wanted = at[1] == '=' ? at + 2 : at + 1;
        bool differs = at > *part && at[-1] == '!';
        at[differs ? -1 : 0] = '\0';
        if ((strcmp(value_text_at(object, *part), wanted) == 0) == differs)
            return false;
    }
    return true;
}

bool
fake_matches(const Value *object, const char *label_selector, const char *field_selector)
{
    return (label_selector == NULL || labels_match(value_at(object, "metadata.labels"), label_selector)) &&
           (field_selector == NULL || fields_match(object, field_selector));
}

/* RFC 7386. */
Value *
fake_merge(const Value *target, const Value *patch)
{
    if (!value_is_map(patch))
        return value_ref(patch);
    ValueBuilder *result = value_builder_new(value_is_map(target) ? target : NULL);
    VALUE_MAP_FOREACH (key, item, patch) {
        if (value_is_null(item))
            value_builder_remove(result, key);
        else
            value_builder_set(result, key, fake_merge(value_get(target, key), item));
    }
    return value_builder_end(result);
}
