/* PATCH: json, merge and strategic patches of the stored object, then as an update. */
#include "core/object/patch.h"
#include "core/apiserver/private.h"

/* The real server says no more than this message; the cause is told beside it. */
Value *
patch_failed(const GError *error)
{
    Value *status = status_new(422, "Invalid",
                               "the server rejected our request due to an error in our request");

    value_edit(
        &status, "details.causes",
        value_new_f("[{reason: FieldValueInvalid, message: %s, field: patch}]", error->message));
    return status;
}

/* The patched object in the asked form, before decoding. */
static Value *
patch_apply(ApiCall *call, const Value *current, Value **ret_patched)
{
    const Value *patch = call->request->body;
    g_autoptr(GError) error = NULL;

    switch (call->request->patch_type) {
    case PATCH_JSON:
        *ret_patched = json_patch_apply(current, patch, &error);
        break;
    case PATCH_MERGE:
        *ret_patched = merge_patch_apply(current, patch);
        break;
    case PATCH_STRATEGIC:
        *ret_patched = schema_strategic_merge(call->kind->schema, current, patch, &error);
        break;
    default:
        return status_new(415, "UnsupportedMediaType",
                          "the server does not know this kind of patch");
    }
    return error == NULL ? NULL : patch_failed(error);
}

static Value *
patch_check_names(ApiCall *call, const Value *patched, const Value *current)
{
    if (strcmp(object_name(patched), object_name(current)) != 0)
        return status_bad_request(
            "the name of the object (%s) does not match the name on the URL (%s)",
            object_name(patched), object_name(current));
    if (strcmp(object_namespace(patched), object_namespace(current)) != 0)
        return status_bad_request(
            "the namespace of the object (%s) does not match the namespace on the URL (%s)",
            object_namespace(patched), object_namespace(current));
    return NULL;
}

void
call_patch(ApiCall *call)
{
    const Value *old = call_head(call);
    g_autoptr(Value) current = NULL, patched = NULL;
    Value *object = NULL, *refusal;

    if (call->request->patch_type == PATCH_APPLY) {
        call_apply(call);
        return;
    }
    if (old == NULL) {
        call_refuse(call, status_not_found(call->kind, call->request->name));
        return;
    }
    current = convert_from_stored(call->kind, call->resource, old);
    if ((refusal = patch_apply(call, current, &patched)) != NULL ||
        (refusal = patch_check_names(call, patched, current)) != NULL ||
        (refusal = call_decode(call, patched, &object)) != NULL) {
        call_refuse(call, refusal);
        return;
    }
    call_update_object(call, old, convert_to_stored(call->kind, call->resource, object));
}
