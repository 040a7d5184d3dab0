/* Field selectors (apimachinery's pkg/fields). */
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/object/selector.h"

struct FieldSelector {
    guint refs;
    GArray *terms; /* FieldTerm with owned texts */
};

static void
term_clear(gpointer data)
{
    FieldTerm *term = data;

    g_free((char *)term->field);
    g_free((char *)term->value);
}

FieldSelector *
field_selector_ref(const FieldSelector *selector)
{
    if (selector != NULL)
        ((FieldSelector *)selector)->refs++;
    return (FieldSelector *)selector;
}

void
field_selector_unref(FieldSelector *selector)
{
    if (selector == NULL || --selector->refs > 0)
        return;
    g_array_unref(selector->terms);
    g_free(selector);
}

static int
term_order(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The parts between commas that no backslash escapes, sorted. */
static GPtrArray *
split_terms(const char *text)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    const char *start = text;

    for (const char *at = text;; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
            continue;
        }
        if (*at != ',' && *at != '\0')
            continue;
        if (at > start)
            g_ptr_array_add(parts, g_strndup(start, (size_t)(at - start)));
        if (*at == '\0')
            break;
        start = at + 1;
    }
    g_ptr_array_sort(parts, term_order);
    return parts;
}

static char *
unescape_value(const char *text, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (*text == '\\') {
            if (text[1] == '\0' || strchr("\\,=", text[1]) == NULL) {
                int len = text[1] == '\0' ? 1 : 1 + (int)(g_utf8_next_char(text + 1) - (text + 1));
                fail(error, TIMONEL_ERROR_INVALID,
                     "invalid field selector: invalid escape sequence: %.*s", len, text);
                return NULL;
            }
            text++;
        } else if (*text == ',' || *text == '=') {
            fail(error, TIMONEL_ERROR_INVALID,
                 "invalid field selector: unescaped character in value: %d", *text);
            return NULL;
        }
        g_string_append_c(out, *text);
    }
    return g_strdup(out->str);
}

static bool
parse_term(FieldSelector *selector, const char *whole, const char *part, GError **error)
{
    const char *at = part;

    while (*at != '\0' && *at != '=' && !(*at == '!' && at[1] == '='))
        at++;
    if (*at == '\0')
        return fail(error, TIMONEL_ERROR_INVALID, "invalid selector: '%s'; can't understand '%s'", whole,
                    part);
    size_t operator_len = *at == '!' || at[1] == '=' ? 2 : 1;
    char *value = unescape_value(at + operator_len, error);
    if (value == NULL)
        return false;
    FieldTerm term = {g_strndup(part, (size_t)(at - part)), value, *at == '!'};
    g_array_append_val(selector->terms, term);
    return true;
}

FieldSelector *
field_selector_parse(const char *text, GError **error)
{
    if (strlen(text) > SELECTOR_TEXT_MAX) {
        fail(error, TIMONEL_ERROR_LIMIT, "a selector of more than %u bytes", SELECTOR_TEXT_MAX);
        return NULL;
    }
    g_autoptr(FieldSelector) selector = g_new0(FieldSelector, 1);
    g_autoptr(GPtrArray) parts = split_terms(text);
    selector->refs = 1;
    selector->terms = g_array_new(FALSE, FALSE, sizeof(FieldTerm));
    g_array_set_clear_func(selector->terms, term_clear);
    for (guint i = 0; i < parts->len; i++) {
        if (!parse_term(selector, text, parts->pdata[i], error))
            return NULL;
    }
    return g_steal_pointer(&selector);
}

size_t
field_selector_size(const FieldSelector *selector)
{
    return selector == NULL ? 0 : selector->terms->len;
}

const FieldTerm *
field_selector_term(const FieldSelector *selector, size_t index)
{
    return index < field_selector_size(selector) ? &g_array_index(selector->terms, FieldTerm, index) : NULL;
}

bool
field_selector_matches(const FieldSelector *selector, FieldGetter getter, gconstpointer data)
{
    for (size_t i = 0; i < field_selector_size(selector); i++) {
        const FieldTerm *term = field_selector_term(selector, i);
        const char *value = getter(term->field, data);
        if ((strcmp(value != NULL ? value : "", term->value) == 0) == term->negated)
            return false;
    }
    return true;
}

/* Steps by plain names only: the field comes from outside, so it is no path for value_at. */
static const char *
string_field(const char *field, gconstpointer data)
{
    g_auto(GStrv) names = g_strsplit(field, ".", -1);
    const Value *value = data;

    for (char **name = names; *name != NULL; name++)
        value = value_get(value, *name);
    return value_string(value);
}

bool
field_selector_matches_value(const FieldSelector *selector, const Value *object)
{
    return field_selector_matches(selector, string_field, object);
}

const char *
field_selector_exact_value(const FieldSelector *selector, const char *field)
{
    for (size_t i = 0; i < field_selector_size(selector); i++) {
        const FieldTerm *term = field_selector_term(selector, i);
        if (!term->negated && strcmp(term->field, field) == 0)
            return term->value;
    }
    return NULL;
}

char *
field_selector_text(const FieldSelector *selector)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < field_selector_size(selector); i++) {
        const FieldTerm *term = field_selector_term(selector, i);
        g_string_append_printf(out, "%s%s%s", i > 0 ? "," : "", term->field, term->negated ? "!=" : "=");
        for (const char *at = term->value; *at != '\0'; at++) {
            if (strchr("\\,=", *at) != NULL)
                g_string_append_c(out, '\\');
            g_string_append_c(out, *at);
        }
    }
    return g_string_free(out, FALSE);
}
