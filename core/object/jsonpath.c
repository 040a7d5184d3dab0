/* Evaluation of JSONPath templates (client-go util/jsonpath/jsonpath.go). Results are lists of borrowed values:
 * out of the data, or constants of the template. */
#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/object/json.h"
#include "core/object/jsonpath_private.h"
#include "core/object/number.h"

typedef GPtrArray Results; /* const Value * */

static Results *eval_node(const PathNode *node, const Results *input, JsonPathMissing missing, GError **error);

static bool
results_add(Results *results, const Value *value, GError **error)
{
    if (results->len >= JSONPATH_RESULTS_MAX)
        return fail(error, TIMONEL_ERROR_LIMIT, "more than %d results", JSONPATH_RESULTS_MAX);
    g_ptr_array_add(results, (gpointer)value);
    return true;
}

static bool
results_join(Results *results, const Results *more, GError **error)
{
    for (guint i = 0; i < more->len; i++) {
        if (!results_add(results, more->pdata[i], error))
            return false;
    }
    return true;
}

static const Value *
entry_at(const Value *container, size_t index)
{
    return value_is_map(container) ? value_value_at(container, index) : value_item(container, index);
}

static const char *
go_type_name(const Value *value)
{
    static const char *const names[] = {"<nil>", "bool", "int64", "float64", "string", "[]interface {}",
                                        "map[string]interface {}"};

    return names[value_type(value)];
}

static Results *
eval_list(const PathNode *node, guint from, const Results *input, JsonPathMissing missing, GError **error)
{
    Results *current = g_ptr_array_new();

    for (guint i = 0; i < input->len; i++)
        g_ptr_array_add(current, input->pdata[i]);
    for (guint i = from; i < node->children->len; i++) {
        Results *next = eval_node(node->children->pdata[i], current, missing, error);
        g_ptr_array_unref(current);
        if (next == NULL)
            return NULL;
        current = next;
    }
    return current;
}

static bool
eval_field(const PathNode *node, const Results *input, JsonPathMissing missing, Results *results,
           GError **error)
{
    for (guint i = 0; i < input->len; i++) {
        const Value *found = value_get(input->pdata[i], node->text);
        if (found != NULL && !results_add(results, found, error))
            return false;
    }
    if (results->len == 0 && input->len > 0 && missing == JSONPATH_MISSING_KEYS_FAIL)
        return fail(error, TIMONEL_ERROR_NOT_FOUND, "%s is not found", node->text);
    return true;
}

/* The slice's bounds for an array of that size; *ret_to == *ret_from when there is nothing in it. */
static bool
slice_bounds(const PathNode *node, int64_t size, int64_t *ret_from, int64_t *ret_to, GError **error)
{
    int64_t from = node->bounds[0].known ? node->bounds[0].value : 0;
    int64_t to = node->bounds[1].known ? node->bounds[1].value : size;

    if (from < 0)
        from += size;
    if (to < 0 || (to == 0 && node->bounds[1].derived))
        to += size;
    *ret_from = from;
    *ret_to = to;
    if (from == to)
        return true;
    if (from >= size || from < 0)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "array index out of bounds: index %" G_GINT64_FORMAT ", length %" G_GINT64_FORMAT, from, size);
    if (to > size || to < 0)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "array index out of bounds: index %" G_GINT64_FORMAT ", length %" G_GINT64_FORMAT, to - 1,
                    size);
    if (from > to)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "starting index %" G_GINT64_FORMAT " is greater than ending index %" G_GINT64_FORMAT, from,
                    to);
    return true;
}

static bool
eval_array(const PathNode *node, const Results *input, Results *results, GError **error)
{
    int64_t step = node->bounds[2].known ? node->bounds[2].value : 1, from, to;

    for (guint i = 0; i < input->len; i++) {
        const Value *array = input->pdata[i];
        if (value_is_null(array))
            continue;
        if (!value_is_array(array))
            return fail(error, TIMONEL_ERROR_INVALID, "%s is not array or slice", go_type_name(array));
        if (!slice_bounds(node, (int64_t)value_size(array), &from, &to, error))
            return false;
        if (from == to)
            return true;
        if (step <= 0)
            return fail(error, TIMONEL_ERROR_INVALID, "step must be > 0");
        for (int64_t at = from; at < to; at += MIN(step, to - from)) {
            if (!results_add(results, value_item(array, (size_t)at), error))
                return false;
        }
    }
    return true;
}

static bool
eval_wildcard(const Results *input, Results *results, GError **error)
{
    for (guint i = 0; i < input->len; i++) {
        for (size_t j = 0; j < value_size(input->pdata[i]); j++) {
            if (!results_add(results, entry_at(input->pdata[i], j), error))
                return false;
        }
    }
    return true;
}

/* The value and all below it that have entries, each before its own. The data's nesting bounds the recursion. */
static bool
eval_recursive(const Value *value, Results *results, GError **error)
{
    if (value_size(value) == 0)
        return true;
    if (!results_add(results, value, error))
        return false;
    for (size_t i = 0; i < value_size(value); i++) {
        if (!eval_recursive(entry_at(value, i), results, error))
            return false;
    }
    return true;
}

/* ---- filters ---- */

static bool
compare(const Value *left, const Value *right, const char *operator, bool *ret_passes, GError **error)
{
    ValueType type = value_type(left);
    bool comparable = type != VALUE_NULL && type < VALUE_ARRAY;
    bool orders = *operator == '<' || *operator == '>';
    int order = value_compare(left, right);

    if (!comparable || value_type(right) == VALUE_NULL || value_type(right) >= VALUE_ARRAY ||
        (orders && type == VALUE_BOOL))
        return fail(error, TIMONEL_ERROR_INVALID, "invalid type for comparison");
    if (type != value_type(right))
        return fail(error, TIMONEL_ERROR_INVALID, "incompatible types for comparison");
    if (strcmp(operator, "==") == 0)
        *ret_passes = order == 0;
    else if (strcmp(operator, "!=") == 0)
        *ret_passes = order != 0;
    else if (strcmp(operator, "<") == 0)
        *ret_passes = order < 0;
    else if (strcmp(operator, ">") == 0)
        *ret_passes = order > 0;
    else if (strcmp(operator, "<=") == 0)
        *ret_passes = order <= 0;
    else if (strcmp(operator, ">=") == 0)
        *ret_passes = order >= 0;
    else
        return fail(error, TIMONEL_ERROR_INVALID, "unrecognized filter operator %s", operator);
    return true;
}

static bool
filter_passes(const PathNode *node, const Value *item, JsonPathMissing missing, bool *ret_passes,
              GError **error)
{
    g_autoptr(GPtrArray) input = g_ptr_array_new();

    g_ptr_array_add(input, (gpointer)item);
    *ret_passes = false;
    if (node->text == NULL) { /* does it exist? */
        g_autoptr(GPtrArray) found = eval_node(node->children->pdata[0], input, missing, NULL);
        *ret_passes = found != NULL && found->len > 0;
        return true;
    }
    g_autoptr(GPtrArray) left = eval_node(node->children->pdata[0], input, missing, error);
    if (left == NULL)
        return false;
    if (left->len == 0)
        return true;
    g_autoptr(GPtrArray) right = eval_node(node->children->pdata[1], input, missing, error);
    if (right == NULL)
        return false;
    if (left->len > 1 || right->len > 1)
        return fail(error, TIMONEL_ERROR_INVALID, "can only compare one element at a time");
    return right->len == 0 || compare(left->pdata[0], right->pdata[0], node->text, ret_passes, error);
}

static bool
eval_filter(const PathNode *node, const Results *input, JsonPathMissing missing, Results *results,
            GError **error)
{
    for (guint i = 0; i < input->len; i++) {
        const Value *array = input->pdata[i];
        if (!value_is_array(array)) {
            g_autofree char *text = json_text(array);
            return fail(error, TIMONEL_ERROR_INVALID, "%.200s is not array or slice and cannot be filtered",
                        text);
        }
        VALUE_ARRAY_FOREACH (item, array) {
            bool passes;
            if (!filter_passes(node, item, missing, &passes, error) ||
                (passes && !results_add(results, item, error)))
                return false;
        }
    }
    return true;
}

/* ---- nodes ---- */

static bool
eval_union(const PathNode *node, const Results *input, JsonPathMissing missing, Results *results,
           GError **error)
{
    for (guint i = 0; i < node->children->len; i++) {
        g_autoptr(GPtrArray) part = eval_node(node->children->pdata[i], input, missing, error);
        if (part == NULL || !results_join(results, part, error))
            return false;
    }
    return true;
}

static Results *
eval_node(const PathNode *node, const Results *input, JsonPathMissing missing, GError **error)
{
    g_autoptr(GPtrArray) results = g_ptr_array_new();
    bool ok = true;

    switch (node->type) {
    case NODE_LIST:
        return eval_list(node, 0, input, missing, error);
    case NODE_TEXT:
        ok = results_add(results, node->value, error);
        break;
    case NODE_CONSTANT:
        for (guint i = 0; i < input->len && ok; i++)
            ok = results_add(results, node->value, error);
        break;
    case NODE_FIELD:
        ok = eval_field(node, input, missing, results, error);
        break;
    case NODE_ARRAY:
        ok = eval_array(node, input, results, error);
        break;
    case NODE_FILTER:
        ok = eval_filter(node, input, missing, results, error);
        break;
    case NODE_WILDCARD:
        ok = eval_wildcard(input, results, error);
        break;
    case NODE_RECURSIVE:
        for (guint i = 0; i < input->len && ok; i++)
            ok = eval_recursive(input->pdata[i], results, error);
        break;
    case NODE_UNION:
        ok = eval_union(node, input, missing, results, error);
        break;
    case NODE_IDENTIFIER:
        ok = fail(error, TIMONEL_ERROR_INVALID, "unrecognized identifier %s", node->text);
        break;
    }
    return ok ? g_steal_pointer(&results) : NULL;
}

/* ---- templates ---- */

/* What each part of a template yields goes to one of these. */
typedef struct {
    GString *out;   /* printed, or ... */
    Results *found; /* ... collected */
    JsonPathMissing missing;
    int depth;
} Sink;

/* The keyword that an action starts with, or "". */
static const char *
action_keyword(const PathNode *action)
{
    if (action->type != NODE_LIST || action->children->len == 0)
        return "";
    const PathNode *first = action->children->pdata[0];
    return first->type == NODE_IDENTIFIER ? first->text : "";
}

/* The index of the {end} that belongs to the {range} at `from`; the number of parts when there is none. */
static guint
range_end(const GPtrArray *parts, guint from)
{
    int open = 0;

    for (guint i = from; i < parts->len; i++) {
        const char *keyword = action_keyword(parts->pdata[i]);
        open += strcmp(keyword, "range") == 0 ? 1 : strcmp(keyword, "end") == 0 ? -1 : 0;
        if (open == 0)
            return i;
    }
    return parts->len;
}

static bool
sink_take(Sink *sink, const Results *results, GError **error)
{
    if (sink->found != NULL)
        return results_join(sink->found, results, error);
    for (guint i = 0; i < results->len; i++) {
        if (i > 0)
            g_string_append_c(sink->out, ' ');
        jsonpath_append_value(sink->out, results->pdata[i]);
    }
    return true;
}

static bool run_parts(const GPtrArray *parts, guint from, guint to, const Value *data, Sink *sink,
                      GError **error);

static bool
run_range(const GPtrArray *parts, guint at, guint end, const Results *input, Sink *sink, GError **error)
{
    g_autoptr(GPtrArray) items = eval_list(parts->pdata[at], 1, input, sink->missing, error);

    if (items == NULL)
        return false;
    if (sink->depth >= JSONPATH_DEPTH_MAX)
        return fail(error, TIMONEL_ERROR_LIMIT, "ranges nested more than %d deep", JSONPATH_DEPTH_MAX);
    sink->depth++;
    for (guint i = 0; i < items->len; i++) {
        if (!run_parts(parts, at + 1, end, items->pdata[i], sink, error))
            return false;
    }
    sink->depth--;
    return true;
}

static bool
run_parts(const GPtrArray *parts, guint from, guint to, const Value *data, Sink *sink, GError **error)
{
    g_autoptr(GPtrArray) input = g_ptr_array_new();

    g_ptr_array_add(input, (gpointer)data);
    for (guint i = from; i < to; i++) {
        const char *keyword = action_keyword(parts->pdata[i]);
        if (strcmp(keyword, "end") == 0)
            return fail(error, TIMONEL_ERROR_INVALID, "not in range, nothing to end");
        if (strcmp(keyword, "range") == 0) {
            guint end = MIN(range_end(parts, i), to);
            if (!run_range(parts, i, end, input, sink, error))
                return false;
            i = end;
            continue;
        }
        g_autoptr(GPtrArray) results = eval_node(parts->pdata[i], input, sink->missing, error);
        if (results == NULL || !sink_take(sink, results, error))
            return false;
    }
    return true;
}

bool
jsonpath_print(const JsonPath *path, const Value *data, JsonPathMissing missing, GString *out, GError **error)
{
    Sink sink = {.out = out, .missing = missing};
    const GPtrArray *parts = path->root->children;

    return run_parts(parts, 0, parts->len, data, &sink, error);
}

GPtrArray *
jsonpath_find(const JsonPath *path, const Value *data, JsonPathMissing missing, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    Sink sink = {.found = found, .missing = missing};
    const GPtrArray *parts = path->root->children;

    return run_parts(parts, 0, parts->len, data, &sink, error) ? g_steal_pointer(&found) : NULL;
}

void
jsonpath_append_value(GString *out, const Value *value)
{
    double d = value_double(value);

    if (value_is_string(value))
        g_string_append_len(out, value_text(value), (gssize)value_string_len(value));
    else if (value_type(value) == VALUE_DOUBLE && d != 0 && fabs(d) < 1e-4)
        number_append_yaml(out, d);
    else
        json_write(out, value);
}
