/* Replacing an object: PUT, and the part that PATCH and apply share (apiserver
 * pkg/registry/rest/update.go and registry/generic/registry/store.go). */
#include "core/api/validation.h"
#include "core/apiserver/private.h"

/* metadata fields that a client cannot change; what it sends is replaced by what is stored. */
static const char *const kept_metadata[] = {
    "uid",        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "generation", "selfLink",          "generateName"};

static Value *
update_keep_metadata(Value *take_metadata, const Value *old)
{
    ValueBuilder *builder = value_builder_new(take_metadata);

    for (size_t i = 0; i < G_N_ELEMENTS(kept_metadata); i++) {
        const Value *kept = value_get(old, kept_metadata[i]);

        if (kept == NULL)
            value_builder_remove(builder, kept_metadata[i]);
        else
            value_builder_set(builder, kept_metadata[i], value_ref(kept));
    }
    value_unref(take_metadata);
    return value_builder_end(builder);
}

static Value *
update_check_identity(ApiCall *call, const Value *old, const Value *object)
{
    const char *uid = object_uid(object);
    const char *version = value_text_at(object, "metadata.resourceVersion");

    if (*uid != '\0' && strcmp(uid, object_uid(old)) != 0) {
        g_autofree char *text =
            g_strdup_printf("Precondition failed: UID in precondition: %s, UID in object meta: %s",
                            uid, object_uid(old));

        return status_conflict(call->kind, object_name(old), text);
    }
    if (*version == '\0' && call->resource->strategy->conditional_update_only &&
        call->request->verb == API_VERB_UPDATE) {
        g_autoptr(FieldErrors) errors = field_errors_new();
        g_autoptr(Value) none = value_new_int(0);

        field_invalid(errors, "metadata.resourceVersion", none, "must be specified for an update");
        return status_invalid(call->kind, object_name(old), errors);
    }
    if (*version != '\0' && strcmp(version, value_text_at(old, "metadata.resourceVersion")) != 0)
        return status_conflict(call->kind, object_name(old), API_CONFLICT_TEXT);
    return NULL;
}

/* A status update takes the status (and little of the metadata) from the new object, all else from
 * the old. */
static Value *
update_status_only(const ApiResource *resource, const Value *old, const Value *object)
{
    Value *result = value_ref(old);
    const Value *status = value_get(object, "status");
    static const char *const taken[] = {"annotations", "finalizers", "managedFields", "labels"};

    if (status != NULL)
        value_edit(&result, "status", value_ref(status));
    else if (value_has(old, "status"))
        value_edit(&result, "status", value_new_map());
    for (size_t i = 0; i < G_N_ELEMENTS(taken) - (resource->strategy->labels_by_status ? 0 : 1);
         i++) {
        const Value *given = value_get(value_get(object, "metadata"), taken[i]);
        const Value *kept = value_get(value_get(old, "metadata"), taken[i]);
        g_autofree char *path = NULL;

        if (value_equal(given, kept))
            continue;
        path = g_strconcat("metadata.", taken[i], NULL);
        if (given == NULL)
            value_edit_remove(&result, path);
        else
            value_edit(&result, path, value_ref(given));
    }
    return result;
}

/* Everything but metadata and status, as one text-free comparison. */
static bool
update_same_spec(const Value *a, const Value *b)
{
    static const char *const aside[] = {"metadata", "status", "apiVersion", "kind"};
    g_autoptr(Value) x = value_ref(a), y = value_ref(b);

    if (value_has(a, "spec") && value_has(b, "spec"))
        return value_equal(value_get(a, "spec"), value_get(b, "spec"));
    for (size_t i = 0; i < G_N_ELEMENTS(aside); i++) {
        value_edit_remove(&x, aside[i]);
        value_edit_remove(&y, aside[i]);
    }
    return value_equal(x, y);
}

static void
update_generation(const ApiResource *resource, Value **object, const Value *old)
{
    if (resource->kind->has_generation && !update_same_spec(*object, old))
        value_edit(object, "metadata.generation", value_new_int(object_generation(old) + 1));
}

static void
update_main(ApiCall *call, Value **object, const Value *old)
{
    const ApiResource *resource = call->resource;

    if (resource->kind->has_status_subresource) {
        const Value *status = value_get(old, "status");

        if (status != NULL)
            value_edit(object, "status", value_ref(status));
        else
            value_edit_remove(object, "status");
    }
    if (resource->strategy->prepare_update != NULL)
        resource->strategy->prepare_update(call, object, old);
    update_generation(resource, object, old);
}

static Value *
update_prepare(ApiCall *call, Value **object, const Value *old)
{
    const Value *metadata = value_get(*object, "metadata");
    Value *kept = update_keep_metadata(value_ref(metadata), value_get(old, "metadata"));

    if (*value_text_at(old, "metadata.namespace") != '\0' && !value_has(kept, "namespace"))
        value_replace(&kept,
                      value_set(kept, "namespace", value_ref(value_at(old, "metadata.namespace"))));
    value_replace(&kept, value_set(kept, "resourceVersion",
                                   value_ref(value_at(old, "metadata.resourceVersion"))));
    value_edit(object, "metadata", kept);
    if (call->sub == NULL) {
        update_main(call, object, old);
    } else if (strcmp(call->sub->name, "status") == 0) {
        value_replace(object, update_status_only(call->resource, old, *object));
        if (call->resource->strategy->prepare_status != NULL)
            call->resource->strategy->prepare_status(call, object, old);
    } else {
        update_generation(call->resource, object, old);
    }
    return NULL;
}

static Value *
update_validate(ApiCall *call, const Value *object, const Value *old)
{
    g_autoptr(FieldErrors) errors = NULL;

    if (call->request->trusted_body && call->sub != NULL)
        return NULL; /* our own components' status writes */
    errors = field_errors_new();
    api_validate(call->resource->kind, object, old, call->request->subresource, errors);
    return field_errors_count(errors) == 0 ? NULL
                                           : status_invalid(call->kind, object_name(old), errors);
}

static Value *
update_steps(ApiCall *call, Value **object, const Value *old)
{
    const Strategy *strategy = call->resource->strategy;
    Value *refusal;

    if ((refusal = update_check_identity(call, old, *object)) != NULL)
        return refusal;
    if ((refusal = update_prepare(call, object, old)) != NULL)
        return refusal;
    if (call->sub == NULL && (refusal = admission_mutate(call, object, old)) != NULL)
        return refusal;
    managed_fields_update(call, object, old);
    if ((refusal = update_validate(call, *object, old)) != NULL)
        return refusal;
    if ((refusal = admission_validate(call, *object, old)) != NULL)
        return refusal;
    if (call->sub == NULL && strategy->allocate != NULL)
        return strategy->allocate(call, object, old);
    return NULL;
}

static void
update_unchanged(int64_t revision, const GError *error, void *data)
{
    ApiCall *call = data;
    Value *object;

    if (!call_return(call))
        return;
    object = convert_from_stored(call->kind, call->resource, call->result);
    if (call->shape != NULL)
        object = call->shape(call, object);
    call_answer(call, 200, object);
}

/* Nothing keeps it any more: no finalizers, no grace period, a deletion under way. */
static bool
update_ends_deletion(const ApiResource *resource, const Value *object)
{
    if (!object_is_deleting(object) || value_size(value_at(object, "metadata.finalizers")) > 0)
        return false;
    if (value_int_at(object, "metadata.deletionGracePeriodSeconds") > 0)
        return false;
    return strcmp(resource->kind->resource, "namespaces") != 0 ||
           value_size(value_at(object, "spec.finalizers")) == 0;
}

void
call_update_object(ApiCall *call, const Value *old, Value *take)
{
    g_autoptr(Value) kept = value_ref(old);
    Value *object = take;
    Value *refusal = update_steps(call, &object, kept);

    if (refusal != NULL) {
        value_unref(object);
        call_refuse(call, refusal);
        return;
    }
    if (value_equal(object, kept) || managed_fields_only(object, kept)) {
        value_unref(object);
        call->result = value_ref(kept);
        if (call->rollback != NULL)
            call->rollback(call);
        call_leave(call);
        store_when_durable(call->server->store,
                           call->request->dry_run ? 0 : object_resource_version(kept),
                           update_unchanged, call);
        return;
    }
    if (update_ends_deletion(call->resource, object))
        call_remove(call, object);
    else
        call_put(call, 200, object);
}

void
call_update(ApiCall *call)
{
    const Value *old = call_head(call);
    Value *object = NULL;
    Value *refusal = call_decode(call, call->request->body, &object);

    if (refusal != NULL) {
        call_refuse(call, refusal);
        return;
    }
    object = convert_to_stored(call->kind, call->resource, object);
    if (*object_name(object) == '\0')
        value_edit(&object, "metadata.name", value_new_string(call->request->name));
    if (strcmp(object_name(object), call->request->name) != 0)
        refusal = status_bad_request(
            "the name of the object (%s) does not match the name on the URL (%s)",
            object_name(object), call->request->name);
    else if (call->request->namespace_ != NULL && *object_namespace(object) != '\0' &&
             strcmp(object_namespace(object), call->request->namespace_) != 0)
        refusal = status_bad_request(
            "the namespace of the object (%s) does not match the namespace on the URL (%s)",
            object_namespace(object), call->request->namespace_);
    else if (old == NULL && (call->sub != NULL || !call->resource->strategy->create_on_update))
        refusal = status_not_found(call->kind, call->request->name);
    if (refusal != NULL) {
        value_unref(object);
        call_refuse(call, refusal);
    } else if (old == NULL) {
        call_create_object(call, object);
    } else {
        call_update_object(call, old, object);
    }
}
