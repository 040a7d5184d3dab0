#include "core/scheduler/matcher.h"

#include <stdlib.h>
#include <string.h>

typedef enum { OPERATOR_IN, OPERATOR_NOT_IN, OPERATOR_EXISTS, OPERATOR_DOES_NOT_EXIST } Operator;

typedef struct Requirement {
    Operator op;
    Symbol key;
    uint32_t n_values;
    Symbol *values;
} Requirement;

struct Matcher {
    int refs;
    bool nothing;
    GArray *requirements; /* of Requirement */
};

static int
label_compare(const void *a, const void *b)
{
    const Label *left = a, *right = b;
    return left->key < right->key ? -1 : left->key > right->key;
}

Labels *
labels_new(Symbols *symbols, const Value *map)
{
    size_t n = value_is_map(map) ? value_size(map) : 0;
    Labels *labels = g_malloc(sizeof *labels + n * sizeof labels->items[0]);
    labels->n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        labels->items[i].key = symbols_intern(symbols, value_key_at(map, i));
        labels->items[i].value = symbols_intern(symbols, value_text(value_value_at(map, i)));
    }
    qsort(labels->items, n, sizeof labels->items[0], label_compare);
    return labels;
}

/* The empty label value is a symbol of its own (the text "" interned), so 0 always means absent. */
Symbol
labels_get(const Labels *labels, Symbol key)
{
    for (uint32_t i = 0; i < labels->n && labels->items[i].key <= key; i++)
        if (labels->items[i].key == key)
            return labels->items[i].value;
    return 0;
}

static void
requirement_clear(void *data)
{
    Requirement *requirement = data;
    g_free(requirement->values);
}

Matcher *
matcher_new(Symbols *symbols, const Value *selector)
{
    Matcher *matcher = g_new0(Matcher, 1);
    matcher->refs = 1;
    matcher->nothing = !value_is_map(selector);
    matcher->requirements = g_array_new(FALSE, FALSE, sizeof(Requirement));
    g_array_set_clear_func(matcher->requirements, requirement_clear);
    matcher_add_selector(matcher, symbols, selector);
    return matcher;
}

Matcher *
matcher_ref(Matcher *matcher)
{
    matcher->refs++;
    return matcher;
}

void
matcher_unref(Matcher *matcher)
{
    if (matcher == NULL || --matcher->refs > 0)
        return;
    g_array_free(matcher->requirements, TRUE);
    g_free(matcher);
}

void
matcher_add_value(Matcher *matcher, Symbol key, Symbol value)
{
    Requirement requirement = {.op = OPERATOR_IN, .key = key, .n_values = 1};
    requirement.values = g_new(Symbol, 1);
    requirement.values[0] = value;
    g_array_append_val(matcher->requirements, requirement);
    matcher->nothing = false;
}

void
matcher_add_map(Matcher *matcher, Symbols *symbols, const Value *map)
{
    VALUE_MAP_FOREACH (key, value, map)
        matcher_add_value(matcher, symbols_intern(symbols, key),
                          symbols_intern(symbols, value_text(value)));
}

static Operator
operator_parse(const char *text)
{
    if (strcmp(text, "In") == 0)
        return OPERATOR_IN;
    if (strcmp(text, "NotIn") == 0)
        return OPERATOR_NOT_IN;
    return strcmp(text, "Exists") == 0 ? OPERATOR_EXISTS : OPERATOR_DOES_NOT_EXIST;
}

void
matcher_add_selector(Matcher *matcher, Symbols *symbols, const Value *selector)
{
    matcher_add_map(matcher, symbols, value_get(selector, "matchLabels"));
    VALUE_ARRAY_FOREACH (expression, value_get(selector, "matchExpressions")) {
        const Value *values = value_get(expression, "values");
        Requirement requirement = {.op = operator_parse(value_text_at(expression, "operator")),
                                   .key = symbols_intern(symbols, value_text_at(expression, "key")),
                                   .n_values = (uint32_t)value_size(values)};
        requirement.values = g_new(Symbol, MAX(requirement.n_values, 1));
        for (uint32_t i = 0; i < requirement.n_values; i++)
            requirement.values[i] = symbols_intern(symbols, value_text(value_item(values, i)));
        g_array_append_val(matcher->requirements, requirement);
    }
}

static bool
requirement_matches(const Requirement *requirement, Symbol value)
{
    if (requirement->op == OPERATOR_EXISTS)
        return value != 0;
    if (requirement->op == OPERATOR_DOES_NOT_EXIST)
        return value == 0;
    bool found = false;
    for (uint32_t i = 0; i < requirement->n_values && !found; i++)
        found = requirement->values[i] == value;
    return found == (requirement->op == OPERATOR_IN);
}

bool
matcher_matches(const Matcher *matcher, const Labels *labels)
{
    if (matcher->nothing)
        return false;
    for (guint i = 0; i < matcher->requirements->len; i++) {
        const Requirement *requirement = &g_array_index(matcher->requirements, Requirement, i);
        if (!requirement_matches(requirement, labels_get(labels, requirement->key)))
            return false;
    }
    return true;
}

bool
matcher_is_empty(const Matcher *matcher)
{
    return matcher->nothing || matcher->requirements->len == 0;
}

uint64_t
matcher_digest(const Matcher *matcher)
{
    uint64_t digest = matcher->nothing ? 7 : 11;
    for (guint i = 0; i < matcher->requirements->len; i++) {
        const Requirement *requirement = &g_array_index(matcher->requirements, Requirement, i);
        digest = digest_mix(digest, ((uint64_t)requirement->op << 32) | requirement->key);
        for (uint32_t v = 0; v < requirement->n_values; v++)
            digest = digest_mix(digest, requirement->values[v]);
    }
    return digest;
}
