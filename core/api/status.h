/* Status objects: how the API says no (apimachinery pkg/api/errors/errors.go). Each returns an owned Status. */
#pragma once

#include "core/api/types.h"
#include "core/object/value.h"

/* field.Error of apimachinery pkg/util/validation/field. */
typedef struct FieldError {
    const char *type;  /* FIELD_* below: the cause's reason */
    char *field;       /* "spec.containers[0].name" */
    char *detail;      /* the message after the field: `Required value`, `Invalid value: "x": must ...` */
} FieldError;

#define FIELD_REQUIRED "FieldValueRequired"
#define FIELD_INVALID "FieldValueInvalid"
#define FIELD_DUPLICATE "FieldValueDuplicate"
#define FIELD_NOT_FOUND "FieldValueNotFound"
#define FIELD_NOT_SUPPORTED "FieldValueNotSupported"
#define FIELD_FORBIDDEN "FieldValueForbidden"
#define FIELD_TOO_LONG "FieldValueTooLong"
#define FIELD_TOO_MANY "FieldValueTooMany"
#define FIELD_INTERNAL "InternalError"
#define FIELD_TYPE_INVALID "FieldValueTypeInvalid"

typedef struct FieldErrors FieldErrors; /* a list */
FieldErrors *field_errors_new(void);
void field_errors_free(FieldErrors *errors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldErrors, field_errors_free)
size_t field_errors_count(const FieldErrors *errors);
const FieldError *field_errors_item(const FieldErrors *errors, size_t index);
/* `value` is what was found (printed as Go's %v / quoted strings do), NULL for none. */
void field_required(FieldErrors *errors, const char *field, const char *detail);
void field_invalid(FieldErrors *errors, const char *field, const Value *value, const char *detail);
void field_duplicate(FieldErrors *errors, const char *field, const Value *value);
void field_not_found(FieldErrors *errors, const char *field, const Value *value);
void field_not_supported(FieldErrors *errors, const char *field, const Value *value, const char *const *valid);
void field_forbidden(FieldErrors *errors, const char *field, const char *detail);
void field_too_long(FieldErrors *errors, const char *field, size_t max);
void field_too_many(FieldErrors *errors, const char *field, size_t actual, size_t max);

Value *status_success(const ApiKind *kind, const char *name, const char *uid);
Value *status_new(int code, const char *reason, const char *format, ...) G_GNUC_PRINTF(3, 4);
Value *status_not_found(const ApiKind *kind, const char *name);
Value *status_already_exists(const ApiKind *kind, const char *name);
Value *status_conflict(const ApiKind *kind, const char *name, const char *message);
Value *status_invalid(const ApiKind *kind, const char *name, const FieldErrors *errors);
Value *status_forbidden(const ApiKind *kind, const char *name, const char *message);
Value *status_bad_request(const char *format, ...) G_GNUC_PRINTF(1, 2);
Value *status_method_not_supported(const ApiKind *kind, const char *action);
Value *status_expired(const char *message);
Value *status_too_many_requests(const char *message, int64_t retry_after_s);
Value *status_timeout(const char *message);
Value *status_internal(const char *format, ...) G_GNUC_PRINTF(1, 2);
Value *status_unavailable(const char *format, ...) G_GNUC_PRINTF(1, 2);
Value *status_unauthorized(const char *message);
/* accepted: the media types that would do, "application/json, application/yaml". */
Value *status_unsupported_media_type(const char *accepted);

int status_code(const Value *status);
const char *status_reason(const Value *status);  /* "NotFound", ... "" when none */
const char *status_message(const Value *status);
bool status_is(const Value *object);             /* is this a Status object? */
