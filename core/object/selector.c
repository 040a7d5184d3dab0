/* A label selector is a list of requirements, sorted by key, all of which must hold. */
#include "core/object/selector.h"

#include <string.h>

#include "core/base/error.h"
#include "core/object/number.h"
#include "core/object/selector_private.h"

struct Selector {
    guint refs;
    bool nothing;
    GPtrArray *requirements; /* Requirement * */
};

/* ---- requirements ---- */

static const char *const operator_texts[] = {
    [SELECTOR_IN] = " in ",     [SELECTOR_NOT_IN] = " notin ", [SELECTOR_EQUALS] = "=",
    [SELECTOR_DOUBLE_EQUALS] = "==", [SELECTOR_NOT_EQUALS] = "!=", [SELECTOR_GREATER] = ">",
    [SELECTOR_LESS] = "<",      [SELECTOR_EXISTS] = "",        [SELECTOR_NOT_EXISTS] = "",
};

void
requirement_free(Requirement *requirement)
{
    if (requirement == NULL)
        return;
    g_free(requirement->key);
    g_ptr_array_unref(requirement->values);
    g_free(requirement);
}

static int
text_order(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

Requirement *
requirement_new(const char *key, SelectorOperator operator)
{
    Requirement *requirement = g_new(Requirement, 1);

    *requirement = (Requirement){g_strdup(key), operator, g_ptr_array_new_with_free_func(g_free)};
    return requirement;
}

/* Sorts the values and drops repeated ones. */
static void
requirement_settle(Requirement *requirement)
{
    GPtrArray *values = requirement->values;

    g_ptr_array_sort(values, text_order);
    for (guint i = 1; i < values->len;) {
        if (strcmp(values->pdata[i - 1], values->pdata[i]) == 0)
            g_ptr_array_remove_index(values, i);
        else
            i++;
    }
}

static const char *
requirement_wrong_count(const Requirement *requirement)
{
    guint count = requirement->values->len;

    switch (requirement->operator) {
    case SELECTOR_IN:
    case SELECTOR_NOT_IN:
        return count == 0 ? "for 'in', 'notin' operators, values set can't be empty" : NULL;
    case SELECTOR_EXISTS:
    case SELECTOR_NOT_EXISTS:
        return count != 0 ? "values set must be empty for exists and does not exist" : NULL;
    case SELECTOR_GREATER:
    case SELECTOR_LESS:
        return count != 1 ? "for 'Gt', 'Lt' operators, exactly one value is required" : NULL;
    default:
        return count != 1 ? "exact-match compatibility requires one single value" : NULL;
    }
}

bool
requirement_check(Requirement *requirement, GError **error)
{
    g_autofree char *key_problem = label_key_problem(requirement->key);
    int64_t number;

    if (key_problem != NULL)
        return fail(error, TIMONEL_ERROR_INVALID, "key: Invalid value: \"%s\": %s", requirement->key,
                    key_problem);
    const char *wrong = requirement_wrong_count(requirement);
    if (wrong != NULL) {
        g_autoptr(Value) list = value_new_array();
        for (guint i = 0; i < requirement->values->len; i++)
            value_replace(&list, value_append(list, value_new_string(requirement->values->pdata[i])));
        g_autofree char *shown = json_text(list);
        return fail(error, TIMONEL_ERROR_INVALID, "values: Invalid value: %s: %s", shown, wrong);
    }
    requirement_settle(requirement);
    for (guint i = 0; i < requirement->values->len; i++) {
        const char *value = requirement->values->pdata[i];
        bool compares = requirement->operator == SELECTOR_GREATER || requirement->operator == SELECTOR_LESS;
        if (compares && !number_parse_int(value, strlen(value), &number))
            return fail(error, TIMONEL_ERROR_INVALID,
                        "values[%u]: Invalid value: \"%s\": for 'Gt', 'Lt' operators, the value must be an "
                        "integer", i, value);
        g_autofree char *problem = label_value_problem(value);
        if (problem != NULL)
            return fail(error, TIMONEL_ERROR_INVALID, "values[%u][%s]: Invalid value: \"%s\": %s", i,
                        requirement->key, value, problem);
    }
    return true;
}

static bool
requirement_has_value(const Requirement *requirement, const char *value)
{
    for (guint i = 0; i < requirement->values->len; i++) {
        if (strcmp(requirement->values->pdata[i], value) == 0)
            return true;
    }
    return false;
}

static bool
requirement_compares(const Requirement *requirement, const char *value)
{
    const char *bound = requirement->values->pdata[0];
    int64_t left, right;

    if (!number_parse_int(value, strlen(value), &left) || !number_parse_int(bound, strlen(bound), &right))
        return false;
    return requirement->operator == SELECTOR_GREATER ? left > right : left < right;
}

static bool
requirement_matches(const Requirement *requirement, const Value *labels)
{
    const Value *label = value_get(labels, requirement->key);

    switch (requirement->operator) {
    case SELECTOR_IN:
    case SELECTOR_EQUALS:
    case SELECTOR_DOUBLE_EQUALS:
        return label != NULL && requirement_has_value(requirement, value_text(label));
    case SELECTOR_NOT_IN:
    case SELECTOR_NOT_EQUALS:
        return label == NULL || !requirement_has_value(requirement, value_text(label));
    case SELECTOR_EXISTS:
        return label != NULL;
    case SELECTOR_NOT_EXISTS:
        return label == NULL;
    case SELECTOR_GREATER:
    case SELECTOR_LESS:
        return label != NULL && requirement_compares(requirement, value_text(label));
    }
    return false;
}

static void
requirement_append(GString *out, const Requirement *requirement)
{
    bool list = requirement->operator == SELECTOR_IN || requirement->operator == SELECTOR_NOT_IN;

    if (requirement->operator == SELECTOR_NOT_EXISTS)
        g_string_append_c(out, '!');
    g_string_append(out, requirement->key);
    g_string_append(out, operator_texts[requirement->operator]);
    if (list)
        g_string_append_c(out, '(');
    for (guint i = 0; i < requirement->values->len; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? "," : "", (char *)requirement->values->pdata[i]);
    if (list)
        g_string_append_c(out, ')');
}

/* ---- selectors ---- */

Selector *
selector_new_everything(void)
{
    Selector *selector = g_new(Selector, 1);

    *selector = (Selector){
        .refs = 1,
        .requirements = g_ptr_array_new_with_free_func((GDestroyNotify)requirement_free),
    };
    return selector;
}

Selector *
selector_new_nothing(void)
{
    Selector *selector = selector_new_everything();

    selector->nothing = true;
    return selector;
}

Selector *
selector_ref(const Selector *selector)
{
    if (selector != NULL)
        ((Selector *)selector)->refs++;
    return (Selector *)selector;
}

void
selector_unref(Selector *selector)
{
    if (selector == NULL || --selector->refs > 0)
        return;
    g_ptr_array_unref(selector->requirements);
    g_free(selector);
}

void
selector_add(Selector *selector, Requirement *take)
{
    guint to = selector->requirements->len;

    while (to > 0 && strcmp(((Requirement *)selector->requirements->pdata[to - 1])->key, take->key) > 0)
        to--;
    g_ptr_array_insert(selector->requirements, (gint)to, take);
}

size_t
selector_size(const Selector *selector)
{
    return selector->requirements->len;
}

static bool
add_checked(Selector *selector, Requirement *take, GError **error)
{
    if (!requirement_check(take, error)) {
        requirement_free(take);
        return false;
    }
    selector_add(selector, take);
    return true;
}

static bool
add_expression(Selector *selector, const Value *expression, GError **error)
{
    static const struct {
        const char *name;
        SelectorOperator operator;
    } operators[] = {{"In", SELECTOR_IN},
                     {"NotIn", SELECTOR_NOT_IN},
                     {"Exists", SELECTOR_EXISTS},
                     {"DoesNotExist", SELECTOR_NOT_EXISTS}};
    const char *name = value_text_at(expression, "operator");

    for (size_t i = 0; i < G_N_ELEMENTS(operators); i++) {
        if (strcmp(operators[i].name, name) != 0)
            continue;
        Requirement *requirement =
            requirement_new(value_text_at(expression, "key"), operators[i].operator);
        VALUE_ARRAY_FOREACH (value, value_get(expression, "values"))
            g_ptr_array_add(requirement->values, g_strdup(value_text(value)));
        return add_checked(selector, requirement, error);
    }
    return fail(error, TIMONEL_ERROR_INVALID, "\"%s\" is not a valid label selector operator", name);
}

Selector *
selector_from_object(const Value *label_selector, GError **error)
{
    if (value_is_null(label_selector))
        return selector_new_nothing();
    g_autoptr(Selector) selector = selector_new_everything();
    VALUE_MAP_FOREACH (key, value, value_get(label_selector, "matchLabels")) {
        Requirement *requirement = requirement_new(key, SELECTOR_EQUALS);
        g_ptr_array_add(requirement->values, g_strdup(value_text(value)));
        if (!add_checked(selector, requirement, error))
            return NULL;
    }
    VALUE_ARRAY_FOREACH (expression, value_get(label_selector, "matchExpressions")) {
        if (!add_expression(selector, expression, error))
            return NULL;
    }
    return g_steal_pointer(&selector);
}

Selector *
selector_from_map(const Value *pairs)
{
    Selector *selector = selector_new_everything();

    VALUE_MAP_FOREACH (key, value, pairs) {
        Requirement *requirement = requirement_new(key, SELECTOR_EQUALS);
        g_ptr_array_add(requirement->values, g_strdup(value_text(value)));
        selector_add(selector, requirement);
    }
    return selector;
}

bool
selector_matches(const Selector *selector, const Value *labels)
{
    if (selector == NULL)
        return true;
    for (guint i = 0; i < selector->requirements->len; i++) {
        if (!requirement_matches(selector->requirements->pdata[i], labels))
            return false;
    }
    return !selector->nothing;
}

bool
selector_is_empty(const Selector *selector)
{
    return selector == NULL || (!selector->nothing && selector->requirements->len == 0);
}

const char *
selector_exact_value(const Selector *selector, const char *key)
{
    for (guint i = 0; selector != NULL && i < selector->requirements->len; i++) {
        const Requirement *requirement = selector->requirements->pdata[i];
        bool exact = requirement->operator == SELECTOR_EQUALS || requirement->operator == SELECTOR_IN ||
                     requirement->operator == SELECTOR_DOUBLE_EQUALS;
        if (strcmp(requirement->key, key) == 0 && exact && requirement->values->len == 1)
            return requirement->values->pdata[0];
    }
    return NULL;
}

char *
selector_text(const Selector *selector)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; selector != NULL && i < selector->requirements->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        requirement_append(out, selector->requirements->pdata[i]);
    }
    return g_string_free(out, FALSE);
}
