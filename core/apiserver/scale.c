/* The scale subresource: autoscaling/v1 Scale as a view of a workload's replicas. */
#include "core/apiserver/subresources.h"
#include "core/object/patch.h"
#include "core/object/selector.h"

static Value *
scale_of(const Value *object)
{
    const Value *selector = value_at(object, "spec.selector");
    bool is_map = strcmp(object_kind(object), "ReplicationController") == 0;
    g_autoptr(Selector) parsed =
        is_map ? selector_from_map(selector) : selector_from_object(selector, NULL);
    g_autofree char *text = parsed == NULL ? g_strdup("") : selector_text(parsed);

    return value_new_f(
        "{kind: Scale, apiVersion: 'autoscaling/v1', metadata: {name: %s, namespace: %s, uid: %s, "
        "resourceVersion: %s, creationTimestamp: %v}, spec: {replicas: ?%i}, status: {replicas: "
        "%i, "
        "selector: %s}}",
        object_name(object), object_namespace(object), object_uid(object),
        value_text_at(object, "metadata.resourceVersion"),
        value_at(object, "metadata.creationTimestamp"), value_int_at_or(object, "spec.replicas", 1),
        value_int_at(object, "status.replicas"), text);
}

static Value *
scale_shape(ApiCall *call, Value *take)
{
    Value *scale = scale_of(take);

    value_unref(take);
    return scale;
}

static Value *
scale_wanted(ApiCall *call, const Value *old, Value **ret_scale)
{
    const Value *body = call->request->body;
    g_autoptr(Value) current = scale_of(old);
    g_autoptr(GError) error = NULL;

    if (call->request->verb == API_VERB_UPDATE)
        *ret_scale = value_ref(body);
    else if (call->request->patch_type == PATCH_JSON)
        *ret_scale = json_patch_apply(current, body, &error);
    else
        *ret_scale = merge_patch_apply(current, body);
    if (*ret_scale == NULL)
        return patch_failed(error);
    if (*object_kind(*ret_scale) != '\0' && strcmp(object_kind(*ret_scale), "Scale") != 0)
        return status_bad_request("expected a Scale, got a %s", object_kind(*ret_scale));
    return NULL;
}

static Value *
scale_check(ApiCall *call, const Value *old, const Value *scale)
{
    const Value *replicas = value_at(scale, "spec.replicas");
    const char *version = value_text_at(scale, "metadata.resourceVersion");
    g_autoptr(FieldErrors) errors = field_errors_new();

    if (*version != '\0' && strcmp(version, value_text_at(old, "metadata.resourceVersion")) != 0)
        return status_conflict(call->kind, object_name(old), API_CONFLICT_TEXT);
    if (replicas != NULL && value_type(replicas) != VALUE_INT)
        return status_bad_request(
            "json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32");
    if (value_int(replicas) < 0) {
        field_invalid(errors, "spec.replicas", replicas, "must be greater than or equal to 0");
        return status_invalid(api_types_by_kind(call->server->types, "autoscaling", "v1", "Scale"),
                              object_name(old), errors);
    }
    return NULL;
}

void
call_scale(ApiCall *call)
{
    const Value *old = call_head(call);
    g_autoptr(Value) scale = NULL;
    Value *refusal, *object;

    if (old == NULL) {
        call_refuse(call, status_not_found(call->kind, call->request->name));
        return;
    }
    if (call->request->verb == API_VERB_GET) {
        call_answer(call, 200, scale_of(old));
        return;
    }
    if ((refusal = scale_wanted(call, old, &scale)) != NULL ||
        (refusal = scale_check(call, old, scale)) != NULL) {
        call_refuse(call, refusal);
        return;
    }
    object = value_ref(old);
    value_edit(&object, "spec.replicas", value_new_int(value_int_at(scale, "spec.replicas")));
    call->shape = scale_shape;
    call->verb = "scale";
    call_update_object(call, old, object);
}
