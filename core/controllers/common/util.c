#include "core/controllers/common/util.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/request.h"
#include "core/api/status.h"
#include "core/base/timestamp.h"

int64_t
int_or_percent(const Value *value, int64_t total, Rounding rounding, int64_t otherwise)
{
    if (value == NULL || value_is_null(value))
        return otherwise;
    const char *text = value_string(value);
    if (text == NULL)
        return value_int(value);
    char *end = NULL;
    int64_t percent = g_ascii_strtoll(text, &end, 10);
    if (end == text || strcmp(end, "%") != 0)
        return otherwise;
    return (percent * total + (rounding == ROUND_UP ? 99 : 0)) / 100;
}

static bool
expression_matches(const Value *expression, const Value *labels)
{
    const char *operator_ = value_text(value_get(expression, "operator"));
    const char *label = value_string(value_get(labels, value_text(value_get(expression, "key"))));
    if (strcmp(operator_, "Exists") == 0)
        return label != NULL;
    if (strcmp(operator_, "DoesNotExist") == 0)
        return label == NULL;
    bool found = false;
    if (label != NULL)
        VALUE_ARRAY_FOREACH (item, value_get(expression, "values"))
            found |= strcmp(value_text(item), label) == 0;
    return strcmp(operator_, "In") == 0 ? found : strcmp(operator_, "NotIn") == 0 && !found;
}

bool
labels_contain(const Value *labels, const Value *wanted)
{
    for (size_t i = 0; i < value_size(wanted); i++) {
        const char *label = value_string(value_get(labels, value_key_at(wanted, i)));
        if (label == NULL || strcmp(label, value_text(value_value_at(wanted, i))) != 0)
            return false;
    }
    return true;
}

bool
label_selector_matches(const Value *label_selector, const Value *labels)
{
    if (value_is_map(label_selector) && value_is_string(value_value_at(label_selector, 0)))
        return labels_contain(labels, label_selector);
    if (!value_is_map(label_selector) ||
        !labels_contain(labels, value_get(label_selector, "matchLabels")))
        return false;
    const Value *expressions = value_get(label_selector, "matchExpressions");
    for (size_t i = 0; i < value_size(expressions); i++)
        if (!expression_matches(value_item(expressions, i), labels))
            return false;
    return true;
}

bool
label_selector_is_empty(const Value *label_selector)
{
    return !value_is_string(value_value_at(label_selector, 0)) &&
           value_size(value_get(label_selector, "matchLabels")) == 0 &&
           value_size(value_get(label_selector, "matchExpressions")) == 0;
}

/* ---- time
 * -------------------------------------------------------------------------------------------- */

Value *
time_value(int64_t ns)
{
    return value_new_string_take(timestamp_text(ns));
}

int64_t
time_of(const Value *value)
{
    return timestamp_of(value_string(value));
}

int64_t
time_at(const Value *value, const char *path)
{
    return time_of(value_at(value, path));
}

/* ---- conditions
 * -------------------------------------------------------------------------------------- */

Value *
conditions_remove(const Value *conditions, const char *type)
{
    for (size_t i = 0; i < value_size(conditions); i++)
        if (strcmp(value_text(value_get(value_item(conditions, i), "type")), type) == 0)
            return value_remove_item(conditions, i);
    return conditions != NULL ? value_ref(conditions) : value_new_array();
}

Value *
conditions_put(const Value *conditions, Value *take)
{
    const char *type = value_text(value_get(take, "type"));
    const Value *old = condition_find(conditions, type);
    if (old != NULL && value_equal(value_get(old, "status"), value_get(take, "status"))) {
        if (value_equal(value_get(old, "reason"), value_get(take, "reason"))) {
            value_unref(take);
            return value_ref(conditions);
        }
        if (value_has(old, "lastTransitionTime"))
            value_edit(&take, "lastTransitionTime",
                       value_ref(value_get(old, "lastTransitionTime")));
    }
    g_autoptr(Value) others = conditions_remove(conditions, value_text(value_get(take, "type")));
    return value_append(others, take);
}

Value *
condition_new(const char *type, const char *status, const char *reason, const char *message,
              int64_t now)
{
    Value *time = time_value(now);
    return value_new_f("{type: %s, status: %s, reason: ?%s, message: ?%s, lastTransitionTime: %V}",
                       type, status, reason, message, time);
}

/* ---- values and objects
 * ------------------------------------------------------------------------------ */

static bool
is_nothing(const Value *value)
{
    return value_is_null(value) ||
           ((value_is_map(value) || value_is_array(value)) && value_size(value) == 0);
}

static bool
maps_equal(const Value *a, const Value *b)
{
    for (size_t i = 0; i < value_size(a); i++)
        if (!values_equal_semantically(value_value_at(a, i), value_get(b, value_key_at(a, i))))
            return false;
    for (size_t i = 0; i < value_size(b); i++)
        if (!value_has(a, value_key_at(b, i)) && !is_nothing(value_value_at(b, i)))
            return false;
    return true;
}

bool
values_equal_semantically(const Value *a, const Value *b)
{
    if (a == b || value_equal(a, b))
        return true;
    if (is_nothing(a) || is_nothing(b))
        return is_nothing(a) && is_nothing(b);
    if (value_is_map(a) && value_is_map(b))
        return maps_equal(a, b);
    if (!value_is_array(a) || !value_is_array(b) || value_size(a) != value_size(b))
        return false;
    for (size_t i = 0; i < value_size(a); i++)
        if (!values_equal_semantically(value_item(a, i), value_item(b, i)))
            return false;
    return true;
}

int
object_compare_age(const Value *a, const Value *b)
{
    int64_t time_a = object_creation_time(a), time_b = object_creation_time(b);
    if (time_a != time_b)
        return time_a < time_b ? -1 : 1;
    return strcmp(object_name(a), object_name(b));
}

static gint
compare_slots(gconstpointer a, gconstpointer b)
{
    return object_compare_age(*(const Value *const *)a, *(const Value *const *)b);
}

void
objects_sort_by_age(GPtrArray *objects)
{
    g_ptr_array_sort(objects, compare_slots);
}

static void
unref_object(gpointer object)
{
    value_unref(object);
}

GPtrArray *
objects_new(void)
{
    return g_ptr_array_new_with_free_func(unref_object);
}

void
objects_add(GPtrArray *objects, const Value *object)
{
    g_ptr_array_add(objects, value_ref(object));
}

GPtrArray *
objects_copy(const GPtrArray *objects)
{
    GPtrArray *copy = objects_new();
    for (guint i = 0; i < objects->len; i++)
        objects_add(copy, objects_item(objects, i));
    return copy;
}

/* ---- answers
 * ----------------------------------------------------------------------------------------- */

const char *
response_error(const ApiResponse *response)
{
    return status_message(response->object);
}

bool
response_is(const ApiResponse *response, const char *reason)
{
    return !api_response_ok(response) && strcmp(status_reason(response->object), reason) == 0;
}

bool
response_is_namespace_terminating(const ApiResponse *response)
{
    if (api_response_ok(response))
        return false;
    VALUE_ARRAY_FOREACH (cause, value_at(response->object, "details.causes"))
        if (strcmp(value_text(value_get(cause, "reason")), "NamespaceTerminating") == 0)
            return true;
    return false;
}

char *
api_version_group(const char *api_version)
{
    const char *slash = strchr(api_version, '/');
    return slash != NULL ? g_strndup(api_version, (gsize)(slash - api_version)) : g_strdup("");
}
