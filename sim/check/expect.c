#include "sim/check/expect.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/base/error.h"
#include "sim/check/expect_private.h"

void
expect_result_clear(ExpectResult *result)
{
    g_clear_pointer(&result->reason, g_free);
    g_clear_pointer(&result->subject, g_free);
}

static void G_GNUC_PRINTF(3, 4)
say(ExpectResult *result, bool met, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    result->met = met;
    g_free(result->reason);
    result->reason = g_strdup_vprintf(format, args);
    va_end(args);
}

static void
about(ExpectResult *result, const ApiKind *kind, const Value *object)
{
    g_free(result->subject);
    result->subject = object_subject(object, kind->kind);
}

/* ---- words ------------------------------------------------------------------------------------------------ */

/* "Pods in drones with app=web where status.phase is Running". */
static char *
describe(const ApiKind *kind, const Value *expect)
{
    GString *text = g_string_new(kind->kind);
    const char *namespace_ = value_string(value_get(expect, "namespace"));
    const char *name = value_string(value_get(expect, "name"));
    const char *labels = value_string(value_get(expect, "selector"));
    const Value *event = value_get(expect, "event");
    if (name != NULL)
        g_string_append_printf(text, " %s", name);
    if (kind->namespaced)
        g_string_append_printf(text, " in namespace %s", namespace_ != NULL ? namespace_ : "default");
    if (labels != NULL)
        g_string_append_printf(text, " with %s", labels);
    VALUE_MAP_FOREACH (path, wanted, value_get(expect, "where")) {
        g_autofree char *value = expect_scalar_text(wanted);
        g_string_append_printf(text, " where %s is %s", path, value);
    }
    VALUE_MAP_FOREACH (field, value, event)
        g_string_append_printf(text, " of %s \"%s\"", field, value_text(value));
    return g_string_free(text, FALSE);
}

/* ---- how many ---------------------------------------------------------------------------------------------- */

static void
check_count(const ApiKind *kind, const Value *expect, const GPtrArray *chosen, ExpectResult *result)
{
    g_autofree char *what = describe(kind, expect);
    int64_t found = chosen->len;
    bool of_number = !value_has(expect, "jsonpath");
    int64_t least = of_number ? value_int_at_or(expect, "atLeast", 0) : 0;
    int64_t most = of_number ? value_int_at_or(expect, "atMost", INT64_MAX) : INT64_MAX;
    if (value_has(expect, "count"))
        least = most = value_int_at(expect, "count");
    if (value_bool_at(expect, "absent"))
        most = 0;
    bool counted = value_has(expect, "count") || value_bool_at(expect, "absent") ||
                   (of_number && (value_has(expect, "atLeast") || value_has(expect, "atMost")));
    if (!counted)
        least = 1;
    if (chosen->len > 0)
        about(result, kind, chosen->pdata[0]);
    if (found >= least && found <= most)
        say(result, true, "%s: %" G_GINT64_FORMAT " found", what, found);
    else if (most == 0)
        say(result, false, "%s: expected none, found %" G_GINT64_FORMAT, what, found);
    else if (least == most)
        say(result, false, "%s: expected %" G_GINT64_FORMAT ", found %" G_GINT64_FORMAT, what, least, found);
    else
        say(result, false, "%s: expected at %s %" G_GINT64_FORMAT ", found %" G_GINT64_FORMAT, what,
            found < least ? "least" : "most", found < least ? least : most, found);
    if (chosen->len == 0 && value_string(value_get(expect, "name")) != NULL &&
        strpbrk(value_text_at(expect, "name"), "*?") == NULL && !value_has(expect, "event")) {
        const char *namespace_ = value_string(value_get(expect, "namespace"));
        g_free(result->subject);
        result->subject = kind->namespaced
                              ? g_strdup_printf("%s/%s/%s", kind->kind, namespace_ != NULL ? namespace_ : "default",
                                                value_text_at(expect, "name"))
                              : g_strdup_printf("%s/%s", kind->kind, value_text_at(expect, "name"));
    }
}

/* ---- of every one ---------------------------------------------------------------------------------------------- */

/* "Ready", "Ready=False", "Ready!=True". */
static void
check_condition(const ApiKind *kind, const char *wanted, const Value *object, ExpectResult *result)
{
    const char *equals = strchr(wanted, '=');
    bool negated = equals != NULL && equals > wanted && equals[-1] == '!';
    g_autofree char *type =
        equals == NULL ? g_strdup(wanted) : g_strndup(wanted, (gsize)(equals - wanted) - (negated ? 1 : 0));
    const char *status = equals != NULL ? equals + 1 : "True";
    const Value *condition = condition_find(value_at(object, "status.conditions"), type);
    const char *found = condition != NULL ? value_text_at(condition, "status") : "";
    bool met = (strcmp(found, status) == 0) != negated;
    g_autofree char *key = object_key(object);
    about(result, kind, object);
    if (condition == NULL)
        say(result, met, "%s %s has no condition %s yet, expected %s%s", kind->kind, key, type,
            negated ? "not " : "", status);
    else
        say(result, met, "%s %s: condition %s is %s (%s%s%s), expected %s%s", kind->kind, key, type, found,
            value_text_at(condition, "reason"), *value_text_at(condition, "message") != '\0' ? ": " : "",
            value_text_at(condition, "message"), negated ? "not " : "", status);
}

static bool
number_fits(const char *found, const Value *expect)
{
    char *end;
    double number = g_ascii_strtod(found, &end);
    if (!value_has(expect, "atLeast") && !value_has(expect, "atMost"))
        return true;
    if (*end != '\0')
        return false;
    if (*found == '\0')
        number = 0; /* Kubernetes leaves zeros out */
    return (!value_has(expect, "atLeast") || number >= value_double(value_get(expect, "atLeast"))) &&
           (!value_has(expect, "atMost") || number <= value_double(value_get(expect, "atMost")));
}

static void
check_field(const ApiKind *kind, const Value *expect, const Value *object, ExpectResult *result)
{
    static const char *const SAID[] = {"equals", "notEquals", "oneOf", "contains", "atLeast", "atMost"};
    const char *path = value_text_at(expect, "jsonpath");
    g_autofree char *found = expect_field_text(path, object);
    g_autoptr(Value) one_of = value_new_f("{oneOf: ?%v}", value_get(expect, "oneOf"));
    const char *contains = value_string(value_get(expect, "contains"));
    bool met = (!value_has(expect, "equals") || expect_text_fits(found, value_get(expect, "equals"))) &&
               (!value_has(expect, "notEquals") || !expect_text_fits(found, value_get(expect, "notEquals"))) &&
               (!value_has(expect, "oneOf") || expect_text_fits(found, one_of)) &&
               (contains == NULL || strstr(found, contains) != NULL) && number_fits(found, expect);
    GString *wanted = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(SAID); i++) {
        if (!value_has(expect, SAID[i]))
            continue;
        g_autofree char *text = expect_scalar_text(value_get(expect, SAID[i]));
        g_string_append_printf(wanted, "%s%s \"%s\"", wanted->len > 0 ? ", " : "", SAID[i], text);
    }
    if (wanted->len == 0)
        met = *found != '\0';
    g_autofree char *key = object_key(object);
    about(result, kind, object);
    say(result, met, "%s %s: %s is \"%s\", expected %s", kind->kind, key, path, found,
        wanted->len > 0 ? wanted->str : "something");
    g_string_free(wanted, TRUE);
}

static void
check_one(World *world, const Value *expect, ExpectResult *result)
{
    const ApiKind *kind = expect_kind(world_types(world), expect);
    g_autoptr(GPtrArray) chosen = expect_choose(world, expect);
    const char *condition = value_string(value_get(expect, "condition"));
    check_count(kind, expect, chosen, result);
    for (guint i = 0; i < chosen->len && result->met && condition != NULL; i++)
        check_condition(kind, condition, chosen->pdata[i], result);
    for (guint i = 0; i < chosen->len && result->met && value_has(expect, "jsonpath"); i++)
        check_field(kind, expect, chosen->pdata[i], result);
}

/* ---- joined -------------------------------------------------------------------------------------------------------- */

static void
check_any(World *world, const Value *any, ExpectResult *result)
{
    GString *reasons = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (one, any) {
        expect_check(world, one, result);
        if (result->met)
            break;
        g_string_append_printf(reasons, "%s%s", reasons->len > 0 ? "; and " : "", result->reason);
    }
    if (!result->met)
        say(result, false, "%s", reasons->str);
    g_string_free(reasons, TRUE);
}

void
expect_check(World *world, const Value *expect, ExpectResult *ret_result)
{
    expect_result_clear(ret_result);
    ret_result->met = true;
    if (value_has(expect, "any")) {
        check_any(world, value_get(expect, "any"), ret_result);
    } else if (value_has(expect, "all")) {
        VALUE_ARRAY_FOREACH (one, value_get(expect, "all")) {
            expect_check(world, one, ret_result);
            if (!ret_result->met)
                break;
        }
    } else if (value_has(expect, "not")) {
        expect_check(world, value_get(expect, "not"), ret_result);
        g_autofree char *reason = g_strdup(ret_result->reason);
        say(ret_result, !ret_result->met, "not expected: %s", reason);
    } else {
        check_one(world, expect, ret_result);
    }
}

/* ---- is it well formed? ------------------------------------------------------------------------------------------------ */

static bool
fields_are_known(const Value *expect, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"all",     "any",      "not",    "kind",      "namespace", "name",
                                        "selector", "where",    "exists", "absent",    "count",     "atLeast",
                                        "atMost",  "condition", "event",  "jsonpath",  "equals",    "notEquals",
                                        "oneOf",   "contains", NULL};
    VALUE_MAP_FOREACH (key, item, expect)
        if (!g_strv_contains(KNOWN, key)) {
            g_autofree char *names = g_strjoinv(", ", (char **)KNOWN);
            return fail(error, TIMONEL_ERROR_INVALID, "%s.%s: unknown field; known are %s", path, key, names);
        }
    return true;
}

static bool
validate(const Value *expect, const ApiTypes *types, const char *path, unsigned depth, GError **error)
{
    static const char *const JOINS[] = {"all", "any"};
    if (!value_is_map(expect) || depth > EXPECT_DEPTH_MAX)
        return fail(error, TIMONEL_ERROR_INVALID, "%s: must be a map%s", path,
                    depth > EXPECT_DEPTH_MAX ? ", and less deeply nested" : "");
    if (!fields_are_known(expect, path, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(JOINS); i++) {
        size_t number = 0;
        VALUE_ARRAY_FOREACH (one, value_get(expect, JOINS[i])) {
            g_autofree char *below = g_strdup_printf("%s.%s[%zu]", path, JOINS[i], number++);
            if (!validate(one, types, below, depth + 1, error))
                return false;
        }
        if (number > 0)
            return true;
        if (value_has(expect, JOINS[i]))
            return fail(error, TIMONEL_ERROR_INVALID, "%s.%s: must be a list with something in it", path, JOINS[i]);
    }
    if (value_has(expect, "not")) {
        g_autofree char *below = g_strdup_printf("%s.not", path);
        return validate(value_get(expect, "not"), types, below, depth + 1, error);
    }
    return expect_choose_validate(expect, types, path, error);
}

bool
expect_validate(const Value *expect, const ApiTypes *types, const char *path, GError **error)
{
    return validate(expect, types, path, 0, error);
}
