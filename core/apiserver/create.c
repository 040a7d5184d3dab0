/* Creating: metadata, strategy, admission, validation, allocation, and the write (apiserver
 * pkg/registry/rest/create.go). */
#include "core/api/validation.h"
#include "core/apiserver/private.h"

#define GENERATE_NAME_ATTEMPTS 8 /* as apiserver's maxNameGenerationCreateAttempts */
#define GENERATE_NAME_BASE_MAX 58
#define GENERATE_NAME_SUFFIX 5

/* A free name of the prefix; after some attempts whatever came last, and the write says that it
 * exists. */
static void
create_generate_name(ApiCall *call, Value **object)
{
    const char *base = value_text_at(*object, "metadata.generateName");

    for (int i = 0; i < GENERATE_NAME_ATTEMPTS; i++) {
        g_autofree char *suffix = random_suffix(call->server->ports.random, GENERATE_NAME_SUFFIX);
        g_autofree char *name = g_strdup_printf("%.*s%s", GENERATE_NAME_BASE_MAX, base, suffix);
        g_autofree char *key = resource_key(call->resource->kind, object_namespace(*object), name);

        if (store_head(call->resource->bucket, key) != NULL && i < GENERATE_NAME_ATTEMPTS - 1)
            continue;
        value_edit(object, "metadata.name", value_new_string(name));
        return;
    }
}

static Value *
create_scope(ApiCall *call, Value **object)
{
    const char *namespace_ = call->request->namespace_;
    const char *given = object_namespace(*object);

    if (!call->resource->kind->namespaced) {
        if (*given != '\0')
            value_edit_remove(object, "metadata.namespace");
        return NULL;
    }
    if (namespace_ == NULL)
        return status_bad_request("an empty namespace may not be set during creation");
    if (*given != '\0' && strcmp(given, namespace_) != 0)
        return status_bad_request("the namespace of the provided object does not match the "
                                  "namespace sent on the request");
    if (*given == '\0')
        value_edit(object, "metadata.namespace", value_new_string(namespace_));
    return NULL;
}

Value *
metadata_prepare_create(ApiCall *call, Value **object)
{
    static const char *const cleared[] = {
        "metadata.deletionTimestamp", "metadata.deletionGracePeriodSeconds", "metadata.selfLink"};
    const Value *metadata = value_get(*object, "metadata");
    Value *refusal;

    if (metadata != NULL && !value_is_map(metadata))
        return status_bad_request("metadata must be an object");
    if (*value_text_at(*object, "metadata.resourceVersion") != '\0')
        return status_new(500, "", "resourceVersion should not be set on objects to be created");
    if ((refusal = create_scope(call, object)) != NULL)
        return refusal;
    for (size_t i = 0; i < G_N_ELEMENTS(cleared); i++)
        if (value_at(*object, cleared[i]) != NULL)
            value_edit_remove(object, cleared[i]);
    if (value_get(metadata, "resourceVersion") != NULL)
        value_edit_remove(object, "metadata.resourceVersion");
    if (*object_name(*object) == '\0' && *value_text_at(*object, "metadata.generateName") != '\0')
        create_generate_name(call, object);
    value_edit(object, "metadata.uid",
               value_new_string_take(random_uuid(call->server->ports.random)));
    value_edit(object, "metadata.creationTimestamp", call_now(call->server));
    if (call->resource->kind->has_generation)
        value_edit(object, "metadata.generation", value_new_int(1));
    else if (value_at(*object, "metadata.generation") != NULL)
        value_edit_remove(object, "metadata.generation");
    return NULL;
}

static void
create_prepare_status(const ApiResource *resource, Value **object)
{
    const Strategy *strategy = resource->strategy;

    if (strategy->keeps_status)
        return;
    if (strategy->initial_status != NULL)
        value_edit(object, "status", value_new_f(strategy->initial_status));
    else if (resource->kind->has_status_subresource)
        value_edit(object, "status", value_new_map());
}

static Value *
create_validate(ApiCall *call, const Value *object)
{
    g_autoptr(FieldErrors) errors = field_errors_new();

    api_validate(call->resource->kind, object, NULL, NULL, errors);
    return field_errors_count(errors) == 0
               ? NULL
               : status_invalid(call->kind, object_name(object), errors);
}

/* All that happens between decoding and the write. */
static Value *
create_steps(ApiCall *call, Value **object)
{
    const Strategy *strategy = call->resource->strategy;
    Value *refusal;

    if ((refusal = metadata_prepare_create(call, object)) != NULL)
        return refusal;
    if ((refusal = admission_mutate(call, object, NULL)) != NULL)
        return refusal;
    create_prepare_status(call->resource, object);
    if (strategy->prepare_create != NULL)
        strategy->prepare_create(call, object);
    managed_fields_update(call, object, NULL);
    if ((refusal = create_validate(call, *object)) != NULL)
        return refusal;
    if ((refusal = admission_validate(call, *object, NULL)) != NULL)
        return refusal;
    g_autofree char *key =
        resource_key(call->resource->kind, object_namespace(*object), object_name(*object));

    if (store_head(call->resource->bucket, key) != NULL)
        return status_already_exists(call->kind, object_name(*object));
    return strategy->allocate == NULL ? NULL : strategy->allocate(call, object, NULL);
}

/* ---- a new namespace's service account ----
 *
 * A pod may be created before the controller has made its namespace's account "default". The real admission step looks
 * again for it, ten times (plugin/pkg/admission/serviceaccount: getServiceAccount); so does this, without blocking. */

#define ACCOUNT_ATTEMPTS 10
#define ACCOUNT_RETRY_NS (100 * NS_PER_MS)

static void
create_again(void *data)
{
    ApiCall *call = data;
    call->retry = 0;
    if (call_return(call))
        call_create_object(call, g_steal_pointer(&call->pending));
}

static bool
create_lacks_account(const ApiCall *call, const Value *object)
{
    const char *name = value_text_at(object, "spec.serviceAccountName");
    const char *namespace_ = call->request->namespace_;

    if (strcmp(call->resource->kind->resource, "pods") != 0 || *call->resource->kind->group != '\0' ||
        namespace_ == NULL || (*name != '\0' && strcmp(name, "default") != 0) ||
        object_annotation(object, "kubernetes.io/config.mirror") != NULL)
        return false;
    return server_head(call->server, "", "namespaces", NULL, namespace_) != NULL &&
           server_head(call->server, "", "serviceaccounts", namespace_, "default") == NULL;
}

/* Takes the object when the call has to wait. */
static bool
create_waits(ApiCall *call, Value *object)
{
    const Ports *ports = &call->server->ports;
    if (call->attempts >= ACCOUNT_ATTEMPTS || !create_lacks_account(call, object))
        return false;
    call->attempts++;
    call->pending = object;
    call_leave(call);
    call->retry = clock_timer_in(ports->clock, random_jitter(ports->random, ACCOUNT_RETRY_NS, 1.0),
                                 create_again, call);
    return true;
}

void
create_forget_waiting(ApiServer *server)
{
    for (GList *link = server->in_flight.head, *next; link != NULL; link = next) {
        ApiCall *call = link->data;
        next = link->next;
        if (call->retry == 0)
            continue;
        clock_cancel(server->ports.clock, &call->retry);
        g_queue_unlink(&server->in_flight, link);
        call->server = NULL;
        call_free(call);
    }
}

void
call_create_object(ApiCall *call, Value *take)
{
    Value *object = take;
    Value *refusal;

    if (create_waits(call, object))
        return;
    call->is_create = true;
    refusal = create_steps(call, &object);
    if (refusal != NULL) {
        value_unref(object);
        call_refuse(call, refusal);
        return;
    }
    call_put(call, 201, object);
}

void
call_create(ApiCall *call)
{
    Value *object = NULL;
    Value *refusal = call_decode(call, call->request->body, &object);

    if (refusal != NULL) {
        call_refuse(call, refusal);
        return;
    }
    call_create_object(call, convert_to_stored(call->kind, call->resource, object));
}
