/* From what a client sent to an object we can work with: kind and version as expected, known fields
 * only, defaults filled in. */
#include "core/api/defaults.h"
#include "core/apiserver/private.h"

static Value *
decode_check_kind(const ApiKind *kind, const Value *body)
{
    const char *version = object_api_version(body), *name = object_kind(body);
    const char *want = api_kind_api_version(kind);

    if (*version != '\0' && strcmp(version, want) != 0)
        return status_bad_request(
            "the API version in the data (%s) does not match the expected API version (%s)",
            version, want);
    if (*name != '\0' && strcmp(name, kind->kind) != 0)
        return status_bad_request(
            "%s in version \"%s\" cannot be handled as a %s: converting (%s.%s) to (%s): unknown "
            "conversion",
            name, kind->version, kind->kind, kind->version, name, kind->kind);
    return NULL;
}

/* A text per unknown or repeated field: an error or warnings, as the request wants it. */
Value *
decode_judge_unknown(ApiCall *call, GPtrArray *unknown)
{
    const ApiRequest *request = call->request;
    GPtrArray *lists[] = {request->unknown_fields, unknown};
    g_autoptr(GString) all = g_string_new(NULL);

    if (request->field_validation == FIELD_VALIDATION_IGNORE)
        return NULL;
    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++)
        for (guint i = 0; lists[l] != NULL && i < lists[l]->len; i++) {
            const char *text = g_ptr_array_index(lists[l], i);

            if (request->field_validation == FIELD_VALIDATION_WARN)
                call_warn(call, "%s", text);
            g_string_append_printf(all, "%s%s", all->len == 0 ? "" : ", ", text);
        }
    if (all->len == 0 || request->field_validation == FIELD_VALIDATION_WARN)
        return NULL;
    if (request->verb == API_VERB_PATCH) {
        g_autoptr(FieldErrors) errors = field_errors_new();
        g_autofree char *text = g_strdup_printf("strict decoding error: %s", all->str);

        field_invalid(errors, "patch", request->body, text);
        return status_invalid(call->kind, request->name, errors);
    }
    return status_bad_request(
        "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
        call->kind->kind, call->kind->version, call->kind->kind, all->str);
}

static Value *
decode_set_kind(const ApiKind *kind, Value *take)
{
    if (*object_kind(take) == '\0')
        value_edit(&take, "kind", value_new_string(kind->kind));
    if (*object_api_version(take) == '\0')
        value_edit(&take, "apiVersion", value_new_string(api_kind_api_version(kind)));
    return take;
}

Value *
call_decode(ApiCall *call, const Value *body, Value **ret_object)
{
    const ApiKind *kind = call->kind;
    g_autoptr(GPtrArray) unknown = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) object = NULL;
    Value *refusal;

    if (!value_is_map(body))
        return status_bad_request("the request's body must be an object of kind %s", kind->kind);
    if ((refusal = decode_check_kind(kind, body)) != NULL)
        return refusal;
    if (call->request->trusted_body) {
        object = value_ref(body);
    } else {
        object = schema_decode(kind->schema, body, &unknown, &error);
        if (object == NULL)
            return status_bad_request("%s in version \"%s\" cannot be handled as a %s: %s",
                                      kind->kind, kind->version, kind->kind, error->message);
        if ((refusal = decode_judge_unknown(call, unknown)) != NULL)
            return refusal;
    }
    object = decode_set_kind(kind, g_steal_pointer(&object));
    if (call->request->trusted_body && call->sub != NULL)
        *ret_object = g_steal_pointer(&object); /* a part of an object that has its defaults */
    else
        *ret_object = api_default(call->server->types, kind, object);
    return NULL;
}
