/* How the API says no: Status objects, and the field errors that an "Invalid" one lists. */
#include "core/api/status.h"

#include <string.h>

#define MESSAGE_VALUE_MAX 1024 /* bytes of a found value that a message repeats */

/* ---- field errors
 * ------------------------------------------------------------------------------------ */

struct FieldErrors {
    GPtrArray *items; /* FieldError */
};

static void
field_error_free(void *data)
{
    FieldError *error = data;
    g_free(error->field);
    g_free(error->detail);
    g_free(error);
}

FieldErrors *
field_errors_new(void)
{
    FieldErrors *errors = g_new0(FieldErrors, 1);
    errors->items = g_ptr_array_new_with_free_func(field_error_free);
    return errors;
}

void
field_errors_free(FieldErrors *errors)
{
    if (errors == NULL)
        return;
    g_ptr_array_unref(errors->items);
    g_free(errors);
}

size_t
field_errors_count(const FieldErrors *errors)
{
    return errors != NULL ? errors->items->len : 0;
}

const FieldError *
field_errors_item(const FieldErrors *errors, size_t index)
{
    g_assert(index < errors->items->len);
    return errors->items->pdata[index];
}

/* As Go's %q. */
static void
append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *p = text; *p != '\0'; p++) {
        switch (*p) {
        case '"':
            g_string_append(out, "\\\"");
            break;
        case '\\':
            g_string_append(out, "\\\\");
            break;
        case '\n':
            g_string_append(out, "\\n");
            break;
        case '\r':
            g_string_append(out, "\\r");
            break;
        case '\t':
            g_string_append(out, "\\t");
            break;
        default:
            if ((unsigned char)*p < 0x20 || *p == 0x7f)
                g_string_append_printf(out, "\\x%02x", (unsigned)*p);
            else
                g_string_append_c(out, *p);
        }
    }
    g_string_append_c(out, '"');
}

static void
append_found(GString *out, const Value *value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    bool first = true;
    if (out->len > MESSAGE_VALUE_MAX) {
        g_string_append(out, "...");
        return;
    }
    switch (value_type(value)) {
    case VALUE_NULL:
        g_string_append(out, "null");
        break;
    case VALUE_BOOL:
        g_string_append(out, value_bool(value) ? "true" : "false");
        break;
    case VALUE_INT:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, value_int(value));
        break;
    case VALUE_DOUBLE:
        g_string_append(out, g_ascii_formatd(buffer, sizeof buffer, "%g", value_double(value)));
        break;
    case VALUE_STRING:
        append_quoted(out, value_string(value));
        break;
    case VALUE_ARRAY:
        g_string_append_c(out, '[');
        VALUE_ARRAY_FOREACH (item, value) {
            g_string_append(out, first ? "" : ",");
            append_found(out, item);
            first = false;
        }
        g_string_append_c(out, ']');
        break;
    case VALUE_MAP:
        g_string_append_c(out, '{');
        VALUE_MAP_FOREACH (key, item, value) {
            g_string_append(out, first ? "" : ",");
            append_quoted(out, key);
            g_string_append_c(out, ':');
            append_found(out, item);
            first = false;
        }
        g_string_append_c(out, '}');
        break;
    }
}

static void
field_error_add(FieldErrors *errors, const char *type, const char *title, const char *field,
                const Value *value, const char *detail)
{
    GString *text = g_string_new(title);
    if (value != NULL) {
        g_string_append(text, ": ");
        append_found(text, value);
    }
    if (detail != NULL && detail[0] != '\0')
        g_string_append_printf(text, ": %s", detail);
    FieldError *error = g_new0(FieldError, 1);
    error->type = type;
    error->field = g_strdup(field);
    error->detail = g_string_free(text, FALSE);
    g_ptr_array_add(errors->items, error);
}

void
field_required(FieldErrors *errors, const char *field, const char *detail)
{
    field_error_add(errors, FIELD_REQUIRED, "Required value", field, NULL, detail);
}

void
field_invalid(FieldErrors *errors, const char *field, const Value *value, const char *detail)
{
    field_error_add(errors, FIELD_INVALID, "Invalid value", field, value, detail);
}

void
field_duplicate(FieldErrors *errors, const char *field, const Value *value)
{
    field_error_add(errors, FIELD_DUPLICATE, "Duplicate value", field, value, NULL);
}

void
field_not_found(FieldErrors *errors, const char *field, const Value *value)
{
    field_error_add(errors, FIELD_NOT_FOUND, "Not found", field, value, NULL);
}

void
field_not_supported(FieldErrors *errors, const char *field, const Value *value,
                    const char *const *valid)
{
    g_autoptr(GString) detail = g_string_new(NULL);
    for (size_t i = 0; valid != NULL && valid[i] != NULL; i++) {
        g_string_append(detail, i == 0 ? "supported values: " : ", ");
        append_quoted(detail, valid[i]);
    }
    field_error_add(errors, FIELD_NOT_SUPPORTED, "Unsupported value", field, value, detail->str);
}

void
field_forbidden(FieldErrors *errors, const char *field, const char *detail)
{
    field_error_add(errors, FIELD_FORBIDDEN, "Forbidden", field, NULL, detail);
}

void
field_too_long(FieldErrors *errors, const char *field, size_t max)
{
    g_autofree char *detail =
        g_strdup_printf("may not be more than %zu byte%s", max, max == 1 ? "" : "s");
    field_error_add(errors, FIELD_TOO_LONG, "Too long", field, NULL, detail);
}

void
field_too_many(FieldErrors *errors, const char *field, size_t actual, size_t max)
{
    g_autoptr(Value) found = value_new_int((int64_t)actual);
    g_autofree char *detail =
        g_strdup_printf("must have at most %zu item%s", max, max == 1 ? "" : "s");
    field_error_add(errors, FIELD_TOO_MANY, "Too many", field, found, detail);
}

/* ---- statuses
 * ---------------------------------------------------------------------------------------- */

static Value *
status_make(int code, const char *reason, const char *message, Value *take_details)
{
    return value_new_f("{kind: Status, apiVersion: v1, metadata: {}, status: Failure, "
                       "message: %s, reason: ?%s, details: ?%V, code: %i}",
                       message, reason, take_details, (int64_t)code);
}

static const char *
empty_as_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static Value *
details_of(const ApiKind *kind, const char *name)
{
    if (kind == NULL)
        return NULL;
    return value_new_f("{name: ?%s, group: ?%s, kind: %s}", empty_as_null(name),
                       empty_as_null(kind->group), kind->resource);
}

/* "deployments.apps": schema.GroupResource.String(). */
static char *
qualified(const ApiKind *kind, const char *word)
{
    if (kind == NULL)
        return g_strdup("resource");
    return kind->group[0] != '\0' ? g_strconcat(word, ".", kind->group, NULL) : g_strdup(word);
}

static char *
named(const ApiKind *kind, const char *name)
{
    GString *out = g_string_new(NULL);
    g_autofree char *resource = qualified(kind, kind != NULL ? kind->resource : NULL);
    g_string_append_printf(out, "%s ", resource);
    append_quoted(out, name != NULL ? name : "");
    return g_string_free(out, FALSE);
}

Value *
status_success(const ApiKind *kind, const char *name, const char *uid)
{
    Value *details = details_of(kind, name);
    if (details != NULL && empty_as_null(uid) != NULL)
        value_edit(&details, "uid", value_new_string(uid));
    return value_new_f("{kind: Status, apiVersion: v1, metadata: {}, status: Success, "
                       "details: ?%V}",
                       details);
}

Value *
status_new(int code, const char *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    return status_make(code, reason, message, NULL);
}

Value *
status_not_found(const ApiKind *kind, const char *name)
{
    g_autofree char *what = named(kind, name);
    g_autofree char *message = g_strconcat(what, " not found", NULL);
    return status_make(404, "NotFound", message, details_of(kind, name));
}

Value *
status_already_exists(const ApiKind *kind, const char *name)
{
    g_autofree char *what = named(kind, name);
    g_autofree char *message = g_strconcat(what, " already exists", NULL);
    return status_make(409, "AlreadyExists", message, details_of(kind, name));
}

Value *
status_conflict(const ApiKind *kind, const char *name, const char *message)
{
    g_autofree char *what = named(kind, name);
    g_autofree char *text =
        g_strdup_printf("Operation cannot be fulfilled on %s: %s", what, message);
    return status_make(409, "Conflict", text, details_of(kind, name));
}

/* ErrorList.ToAggregate: equal texts once; more than one in brackets. */
static char *
aggregate_text(const FieldErrors *errors)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < field_errors_count(errors); i++) {
        const FieldError *error = field_errors_item(errors, i);
        char *text = g_strdup_printf("%s: %s", error->field, error->detail);
        if (g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
            g_free(text);
        else
            g_ptr_array_add(texts, text);
    }
    unsigned n = texts->len;
    g_ptr_array_add(texts, NULL);
    g_autofree char *joined = g_strjoinv(", ", (char **)texts->pdata);
    return n > 1 ? g_strdup_printf("[%s]", joined) : g_steal_pointer(&joined);
}

Value *
status_invalid(const ApiKind *kind, const char *name, const FieldErrors *errors)
{
    ValueBuilder *causes = value_builder_new_array();
    for (size_t i = 0; i < field_errors_count(errors); i++) {
        const FieldError *error = field_errors_item(errors, i);
        value_builder_append(causes, value_new_f("{reason: %s, message: %s, field: %s}",
                                                 error->type, error->detail, error->field));
    }
    GString *message = g_string_new(NULL);
    g_autofree char *kind_text = qualified(kind, kind != NULL ? kind->kind : NULL);
    g_autofree char *errors_text = aggregate_text(errors);
    g_string_append_printf(message, "%s ", kind_text);
    append_quoted(message, name != NULL ? name : "");
    g_string_append_printf(message, " is invalid: %s", errors_text);
    Value *details =
        value_new_f("{name: ?%s, group: ?%s, kind: ?%s, causes: %V}", empty_as_null(name),
                    kind != NULL ? empty_as_null(kind->group) : NULL,
                    kind != NULL ? kind->kind : NULL, value_builder_end(causes));
    Value *status = status_make(422, "Invalid", message->str, details);
    g_string_free(message, TRUE);
    return status;
}

Value *
status_forbidden(const ApiKind *kind, const char *name, const char *message)
{
    g_autofree char *text = NULL;
    if (kind == NULL) {
        text = g_strdup_printf("forbidden: %s", message);
    } else if (empty_as_null(name) == NULL) {
        g_autofree char *resource = qualified(kind, kind->resource);
        text = g_strdup_printf("%s is forbidden: %s", resource, message);
    } else {
        g_autofree char *what = named(kind, name);
        text = g_strdup_printf("%s is forbidden: %s", what, message);
    }
    Value *details = kind != NULL ? details_of(kind, name) : value_new_map();
    return status_make(403, "Forbidden", text, details);
}

Value *
status_bad_request(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    return status_make(400, "BadRequest", message, NULL);
}

Value *
status_method_not_supported(const ApiKind *kind, const char *action)
{
    g_autofree char *resource = qualified(kind, kind != NULL ? kind->resource : NULL);
    g_autofree char *message =
        g_strdup_printf("%s is not supported on resources of kind \"%s\"", action, resource);
    return status_make(405, "MethodNotAllowed", message, details_of(kind, NULL));
}

Value *
status_expired(const char *message)
{
    return status_make(410, "Expired", message, NULL);
}

Value *
status_too_many_requests(const char *message, int64_t retry_after_s)
{
    return status_make(429, "TooManyRequests", message,
                       value_new_f("{retryAfterSeconds: ?%i}", retry_after_s));
}

Value *
status_timeout(const char *message)
{
    g_autofree char *text = g_strdup_printf("Timeout: %s", message);
    return status_make(504, "Timeout", text, value_new_map());
}

Value *
status_internal(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *cause = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *message = g_strdup_printf("Internal error occurred: %s", cause);
    return status_make(500, "InternalError", message,
                       value_new_f("{causes: [{message: %s}]}", cause));
}

Value *
status_unavailable(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    return status_make(503, "ServiceUnavailable", message, NULL);
}

Value *
status_unauthorized(const char *message)
{
    const char *text = empty_as_null(message);
    return status_make(401, "Unauthorized", text != NULL ? text : "Unauthorized", NULL);
}

Value *
status_unsupported_media_type(const char *accepted)
{
    g_autofree char *message = g_strdup_printf("the body of the request was in an unknown format - "
                                               "accepted media types include: %s",
                                               accepted);
    return status_make(415, "UnsupportedMediaType", message, NULL);
}

/* ---- reading
 * ----------------------------------------------------------------------------------------- */

int
status_code(const Value *status)
{
    int64_t code = value_int(value_get(status, "code"));
    if (code > 0 && code < 1000)
        return (int)code;
    return g_str_equal(value_text(value_get(status, "status")), "Success") ? 200 : 500;
}

const char *
status_reason(const Value *status)
{
    return value_text(value_get(status, "reason"));
}

const char *
status_message(const Value *status)
{
    return value_text(value_get(status, "message"));
}

bool
status_is(const Value *object)
{
    return g_str_equal(value_text(value_get(object, "kind")), "Status") &&
           g_str_equal(value_text(value_get(object, "apiVersion")), "v1");
}
