/* Operations walk down to the container that their pointer's last step names, change it there, and build the
 * changed containers anew on the way back up. */
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/object/json.h"
#include "core/object/number.h"
#include "core/object/patch.h"

typedef enum { CHANGE_ADD, CHANGE_REMOVE, CHANGE_REPLACE } Change;

typedef struct {
    Change change;
    const char *operation; /* its name, for messages */
    const char *pointer;   /* as it was given */
    const Value *value;    /* of add and replace */
    const char *missing;   /* how the message for a missing parent goes on */
} Edit;

/* What one patch has used up of its bounds. */
typedef struct {
    size_t copied; /* bytes */
    size_t visits;
} Budget;

typedef struct {
    Value **document;
    const Value *operation;
    const char *path; /* NULL: not given */
    const char *from;
    Budget *budget;
} Operation;

/* ---- pointers ---- */

/* The unescaped steps of "/a/b"; NULL unless it starts with a slash. */
static char **
pointer_split(const char *pointer)
{
    if (*pointer != '/')
        return NULL;
    char **steps = g_strsplit(pointer + 1, "/", -1);
    if (*steps == NULL) { /* "/" names the key "" */
        g_strfreev(steps);
        steps = g_new0(char *, 2);
        steps[0] = g_strdup("");
    }
    for (char **step = steps; *step != NULL; step++) {
        char *to = *step;
        for (const char *from = *step; *from != '\0'; from++) {
            bool escaped = *from == '~' && (from[1] == '0' || from[1] == '1');
            *to++ = !escaped ? *from : *++from == '0' ? '~' : '/';
        }
        *to = '\0';
    }
    return steps;
}

static bool
invalid_index(GError **error, int64_t index)
{
    return fail(error, TIMONEL_ERROR_INVALID,
                "Unable to access invalid index: %" G_GINT64_FORMAT ": invalid index referenced", index);
}

/* The index that a step names in an array of `size` places; negative ones count from the end. */
static bool
step_index(const char *step, size_t size, size_t *ret_index, GError **error)
{
    int64_t index;

    if (!number_parse_int(step, strlen(step), &index)) {
        g_autofree char *quoted = text_quote(step);
        return fail(error, TIMONEL_ERROR_INVALID,
                    "value was not a proper array index: '%s': strconv.Atoi: parsing %s: invalid syntax", step,
                    quoted);
    }
    if (index >= (int64_t)size || index < -(int64_t)size)
        return invalid_index(error, index);
    *ret_index = (size_t)(index < 0 ? index + (int64_t)size : index);
    return true;
}

static const Value *
step_down(const Value *value, const char *step)
{
    size_t index;

    if (value_is_array(value))
        return step_index(step, value_size(value), &index, NULL) ? value_item(value, index) : NULL;
    return value_get(value, step);
}

static const Value *
pointer_find(const Value *document, char **steps)
{
    for (; *steps != NULL && document != NULL; steps++)
        document = step_down(document, *steps);
    return document;
}

/* ---- edits ---- */

/* A new array with the value put in before an index. */
static Value *
array_insert(const Value *array, size_t index, const Value *value)
{
    g_autoptr(ValueBuilder) builder = value_builder_new_array();

    for (size_t i = 0; i < value_size(array); i++) {
        if (i == index)
            value_builder_append(builder, value_ref(value));
        value_builder_append(builder, value_ref(value_item(array, i)));
    }
    if (index >= value_size(array))
        value_builder_append(builder, value_ref(value));
    return value_builder_end(g_steal_pointer(&builder));
}

static Value *
edit_array(const Value *array, const char *step, const Edit *edit, GError **error)
{
    size_t size = value_size(array), index;

    if (edit->change == CHANGE_ADD) {
        if (strcmp(step, "-") == 0)
            return value_append(array, value_ref(edit->value));
        return step_index(step, size + 1, &index, error) ? array_insert(array, index, edit->value) : NULL;
    }
    if (!step_index(step, size, &index, error)) {
        if (edit->change == CHANGE_REPLACE) {
            g_clear_error(error);
            fail(error, TIMONEL_ERROR_INVALID,
                 "replace operation does not apply: doc is missing key: %s: missing value", edit->pointer);
        }
        return NULL;
    }
    return edit->change == CHANGE_REMOVE ? value_remove_item(array, index)
                                         : value_set_item(array, index, value_ref(edit->value));
}

static Value *
edit_map(const Value *map, const char *step, const Edit *edit, GError **error)
{
    if (edit->change != CHANGE_ADD && !value_has(map, step)) {
        if (edit->change == CHANGE_REPLACE)
            fail(error, TIMONEL_ERROR_INVALID,
                 "replace operation does not apply: doc is missing key: %s: missing value", edit->pointer);
        else
            fail(error, TIMONEL_ERROR_INVALID, "Unable to remove nonexistent key: %s: missing value", step);
        return NULL;
    }
    return edit->change == CHANGE_REMOVE ? value_remove(map, step)
                                         : value_set(map, step, value_ref(edit->value));
}

static Value *
missing_parent(const Edit *edit, GError **error)
{
    fail(error, TIMONEL_ERROR_INVALID, "%s operation does not apply: doc is missing %s%s%s%s: missing value",
         edit->operation, edit->missing, g_str_has_suffix(edit->missing, "\"") ? "" : " ", edit->pointer,
         g_str_has_suffix(edit->missing, "\"") ? "\"" : "");
    return NULL;
}

/* The node with the edit made below it. Recursion ends where the document does. */
static Value *
edit_below(const Value *node, char **steps, const Edit *edit, GError **error)
{
    if (steps[1] == NULL) {
        if (value_is_array(node))
            return edit_array(node, steps[0], edit, error);
        if (value_is_map(node))
            return edit_map(node, steps[0], edit, error);
        return missing_parent(edit, error);
    }
    const Value *child = step_down(node, steps[0]);
    if (child == NULL)
        return missing_parent(edit, error);
    Value *changed = edit_below(child, steps + 1, edit, error);
    if (changed == NULL)
        return NULL;
    size_t index = 0;
    if (!value_is_array(node))
        return value_set(node, steps[0], changed);
    step_index(steps[0], value_size(node), &index, NULL);
    return value_set_item(node, index, changed);
}

/* Whether the value nests at most `left` deep, as far as the patch's budget of visits reaches. */
static bool
depth_is_bounded(const Value *value, int left, size_t *visits)
{
    if (value_type(value) < VALUE_ARRAY)
        return true;
    if (left <= 0)
        return false;
    for (size_t i = 0; i < value_size(value); i++) {
        const Value *child = value_is_map(value) ? value_value_at(value, i) : value_item(value, i);
        if (++*visits > JSON_PATCH_VISITS_MAX || !depth_is_bounded(child, left - 1, visits))
            return false;
    }
    return true;
}

static bool
edit_document(const Operation *op, const Edit *edit, GError **error)
{
    g_auto(GStrv) steps = pointer_split(edit->pointer);
    int depth = steps != NULL ? (int)MIN(g_strv_length(steps), VALUE_DEPTH_MAX) : 0;
    Value **document = op->document;

    if (!depth_is_bounded(edit->value, VALUE_DEPTH_MAX - depth, &op->budget->visits))
        return fail(error, TIMONEL_ERROR_LIMIT, "exceeded max depth of %d", VALUE_DEPTH_MAX);
    GError *why = NULL;
    Value *changed = steps == NULL ? missing_parent(edit, &why) : edit_below(*document, steps, edit, &why);

    if (changed != NULL) {
        value_replace(document, changed);
        return true;
    }
    if (strstr(why->message, "does not apply") == NULL)
        g_prefix_error(&why, "error in %s for path: '%s': ", edit->operation, edit->pointer);
    g_propagate_error(error, why);
    return false;
}

/* ---- operations ---- */

static bool
op_missing(GError **error, const char *operation, const char *field)
{
    return fail(error, TIMONEL_ERROR_INVALID, "%s operation failed to decode %s: missing value", operation,
                field);
}

static bool
op_add(const Operation *op, GError **error)
{
    const Value *value = value_get(op->operation, "value");
    Edit edit = {CHANGE_ADD, "add", op->path, value, "path: \""};

    if (value == NULL)
        return fail(error, TIMONEL_ERROR_INVALID, "error in add for path: '%s': operation, missing value "
                                                  "field: missing value", op->path);
    return edit_document(op, &edit, error);
}

static bool
op_remove(const Operation *op, GError **error)
{
    Edit edit = {CHANGE_REMOVE, "remove", op->path, NULL, "path: \""};

    return edit_document(op, &edit, error);
}

static bool
op_replace(const Operation *op, GError **error)
{
    g_autoptr(Value) null = value_new_null();
    const Value *value = value_get(op->operation, "value");
    Edit edit = {CHANGE_REPLACE, "replace", op->path, value != NULL ? value : null, "path:"};

    return edit_document(op, &edit, error);
}

/* The value that "from" names; NULL with error. */
static Value *
find_from(const Operation *op, const char *operation, GError **error)
{
    if (op->from == NULL) {
        op_missing(error, operation, "from");
        return NULL;
    }
    g_auto(GStrv) steps = pointer_split(op->from);
    const Value *value = steps != NULL ? pointer_find(*op->document, steps) : NULL;
    if (value == NULL) {
        fail(error, TIMONEL_ERROR_INVALID,
             "%s operation does not apply: doc is missing from path: %s: missing value", operation, op->from);
        return NULL;
    }
    return value_ref(value);
}

static bool
op_move(const Operation *op, GError **error)
{
    g_autoptr(Value) value = find_from(op, "move", error);
    Edit away = {CHANGE_REMOVE, "move", op->from, NULL, "from path:"};
    Edit here = {CHANGE_ADD, "move", op->path, value, "destination path:"};

    return value != NULL && edit_document(op, &away, error) &&
           edit_document(op, &here, error);
}

static bool
op_copy(const Operation *op, GError **error)
{
    g_autoptr(Value) value = find_from(op, "copy", error);
    Edit here = {CHANGE_ADD, "copy", op->path, value, "destination path:"};

    if (value == NULL)
        return false;
    g_autofree char *text = json_text(value);
    op->budget->copied += strlen(text);
    if (op->budget->copied > JSON_PATCH_COPY_BYTES_MAX)
        return fail(error, TIMONEL_ERROR_LIMIT,
                    "Unable to complete the copy, the accumulated size increase of copy is %zu, exceeding the "
                    "limit %u", op->budget->copied, JSON_PATCH_COPY_BYTES_MAX);
    return edit_document(op, &here, error);
}

static bool
op_test(const Operation *op, GError **error)
{
    g_auto(GStrv) steps = pointer_split(op->path);
    const Value *found = steps != NULL ? pointer_find(*op->document, steps) : NULL;

    if (*op->path == '\0')
        found = *op->document;
    else if (steps == NULL)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "test operation does not apply: is missing path: %s: missing value", op->path);
    const Value *wanted = value_get(op->operation, "value");
    if (value_is_null(found) ? value_is_null(wanted) : value_equal(found, wanted))
        return true;
    return fail(error, TIMONEL_ERROR_CONFLICT, "testing value %s failed: test failed", op->path);
}

static const struct {
    const char *name;
    bool (*apply)(const Operation *op, GError **error);
} operations[] = {
    {"add", op_add},   {"remove", op_remove}, {"replace", op_replace},
    {"move", op_move}, {"copy", op_copy},     {"test", op_test},
};

static bool
apply_one(Value **document, const Value *operation, Budget *budget, GError **error)
{
    const char *name = value_text_at(operation, "op");
    Operation op = {document, operation, value_string_at(operation, "path"),
                    value_string_at(operation, "from"), budget};

    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++) {
        if (strcmp(operations[i].name, name) != 0)
            continue;
        return op.path != NULL ? operations[i].apply(&op, error) : op_missing(error, name, "path");
    }
    g_autofree char *safe = text_sanitize(name, strlen(name), TEXT_ONE_LINE);
    return fail(error, TIMONEL_ERROR_INVALID, "Unexpected kind: %s", *safe != '\0' ? safe : "unknown");
}

Value *
json_patch_apply(const Value *document, const Value *patch, GError **error)
{
    g_autoptr(Value) result = value_ref(document);
    Budget budget = {0};

    if (!value_is_array(patch)) {
        fail(error, TIMONEL_ERROR_INVALID, "json: cannot unmarshal into Go value of type jsonpatch.Patch: a "
                                           "JSON patch is a list of operations");
        return NULL;
    }
    if (value_size(patch) > JSON_PATCH_OPERATIONS_MAX) {
        fail(error, TIMONEL_ERROR_LIMIT, "The allowed maximum operations in a JSON patch is %d, got %zu",
             JSON_PATCH_OPERATIONS_MAX, value_size(patch));
        return NULL;
    }
    VALUE_ARRAY_FOREACH (operation, patch) {
        if (!apply_one(&result, operation, &budget, error))
            return NULL;
    }
    return g_steal_pointer(&result);
}
