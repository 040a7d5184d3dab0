/* Deleting (apiserver pkg/registry/rest/delete.go and registry/generic/registry/store.go):
 *
 *   stored --grace period--> terminating --grace over (kubelet deletes with 0)--> gone
 *   stored --finalizers--> terminating --the last finalizer removed (update.c)--> gone
 *   stored --neither--> gone */
#include "core/api/pod.h"
#include "core/apiserver/private.h"

#define FINALIZER_ORPHAN "orphan"
#define FINALIZER_FOREGROUND "foregroundDeletion"

static Value *
delete_check_preconditions(ApiCall *call, const Value *old, const Value *options)
{
    const char *uid = value_string_at(options, "preconditions.uid");
    const char *version = value_string_at(options, "preconditions.resourceVersion");
    g_autofree char *text = NULL;

    if (uid != NULL && strcmp(uid, object_uid(old)) != 0)
        text = g_strdup_printf("the UID in the precondition (%s) does not match the UID in record "
                               "(%s). The object might have "
                               "been deleted and then recreated",
                               uid, object_uid(old));
    else if (version != NULL &&
             strcmp(version, value_text_at(old, "metadata.resourceVersion")) != 0)
        text = g_strdup_printf("the ResourceVersion in the precondition (%s) does not match the "
                               "ResourceVersion in record "
                               "(%s). The object might have been modified",
                               version, value_text_at(old, "metadata.resourceVersion"));
    return text == NULL ? NULL : status_conflict(call->kind, object_name(old), text);
}

static Value *
delete_check_options(const Value *options)
{
    const char *policy = value_string_at(options, "propagationPolicy");

    if (policy != NULL && value_has(options, "orphanDependents"))
        return status_new(
            422, "Invalid",
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"%s\": "
            "orphanDependents and deletionPropagation cannot be both set",
            policy);
    if (policy != NULL && strcmp(policy, "Foreground") != 0 && strcmp(policy, "Background") != 0 &&
        strcmp(policy, "Orphan") != 0)
        return status_new(422, "Invalid",
                          "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: "
                          "Unsupported value: \"%s\": "
                          "supported values: \"Background\", \"Foreground\", \"Orphan\"",
                          policy);
    return NULL;
}

/* The finalizers that the garbage collector acts on, as the propagation policy wants them. */
static void
delete_set_propagation(Value **object, const Value *options)
{
    const char *policy = value_string_at(options, "propagationPolicy");
    const Value *old = value_at(*object, "metadata.finalizers");
    bool orphan, foreground;
    ValueBuilder *builder;
    Value *finalizers;

    if (policy == NULL && value_has(options, "orphanDependents"))
        policy = value_bool(value_get(options, "orphanDependents")) ? "Orphan" : "Background";
    orphan = policy == NULL ? object_has_finalizer(*object, FINALIZER_ORPHAN)
                            : strcmp(policy, "Orphan") == 0;
    foreground = policy == NULL ? object_has_finalizer(*object, FINALIZER_FOREGROUND)
                                : strcmp(policy, "Foreground") == 0;
    builder = value_builder_new_array();
    VALUE_ARRAY_FOREACH (finalizer, old) {
        const char *text = value_text(finalizer);

        if (strcmp(text, FINALIZER_ORPHAN) != 0 && strcmp(text, FINALIZER_FOREGROUND) != 0)
            value_builder_append(builder, value_ref(finalizer));
    }
    if (orphan)
        value_builder_append(builder, value_new_string(FINALIZER_ORPHAN));
    if (foreground)
        value_builder_append(builder, value_new_string(FINALIZER_FOREGROUND));
    finalizers = value_builder_end(builder);
    if (value_size(finalizers) > 0)
        value_edit(object, "metadata.finalizers", finalizers);
    else {
        value_unref(finalizers);
        if (old != NULL)
            value_edit_remove(object, "metadata.finalizers");
    }
}

static void
delete_mark(ApiCall *call, Value **object, int64_t grace)
{
    int64_t now = clock_now(call->server->ports.clock);

    if (!object_is_deleting(*object) && object_generation(*object) > 0)
        value_edit(object, "metadata.generation", value_new_int(object_generation(*object) + 1));
    value_edit(object, "metadata.deletionTimestamp",
               value_new_string_take(timestamp_text(now + grace * NS_PER_S)));
    value_edit(object, "metadata.deletionGracePeriodSeconds", value_new_int(grace));
}

/* What a graceful delete leaves to do. */
typedef enum { GRACE_NONE, GRACE_SET, GRACE_PENDING } Grace;

static Grace
delete_grace(ApiCall *call, const ApiResource *resource, Value **object, const Value *options)
{
    const Value *asked = value_get(options, "gracePeriodSeconds");
    int64_t seconds, left = value_int_at(*object, "metadata.deletionGracePeriodSeconds");

    if (resource->strategy->grace == NULL)
        return GRACE_NONE;
    if (object_is_deleting(*object)) {
        int64_t end = timestamp_of(value_text_at(*object, "metadata.deletionTimestamp"));

        if (left == 0)
            return GRACE_NONE;
        if (asked == NULL || value_int(asked) >= left)
            return GRACE_PENDING;
        seconds = value_int(asked);
        value_edit(object, "metadata.deletionTimestamp",
                   value_new_string_take(timestamp_text(end - (left - seconds) * NS_PER_S)));
        value_edit(object, "metadata.deletionGracePeriodSeconds", value_new_int(seconds));
        return seconds == 0 ? GRACE_NONE : GRACE_SET;
    }
    seconds = resource->strategy->grace(*object, options);
    if (seconds == 0)
        return GRACE_NONE;
    delete_mark(call, object, seconds);
    return GRACE_SET;
}

static void
delete_mark_namespace(Value **object)
{
    value_edit(object, "status.phase", value_new_string("Terminating"));
}

Value *
delete_plan(ApiCall *call, ApiResource *resource, const Value *old, const Value *options,
            Value **ret_object, bool *ret_gone)
{
    Value *refusal = delete_check_options(options);
    Value *object;
    bool is_namespace = strcmp(resource->kind->resource, "namespaces") == 0;
    Grace grace;

    if (refusal != NULL || (refusal = delete_check_preconditions(call, old, options)) != NULL ||
        (refusal = admission_validate_delete(call, resource, old)) != NULL)
        return refusal;
    object = value_ref(old);
    delete_set_propagation(&object, options);
    grace = delete_grace(call, resource, &object, options);
    *ret_gone = false;
    if (grace == GRACE_NONE) {
        bool waits = value_size(value_at(object, "metadata.finalizers")) > 0 ||
                     (is_namespace && value_size(value_at(object, "spec.finalizers")) > 0);

        if (waits && (!object_is_deleting(object) ||
                      value_int_at(object, "metadata.deletionGracePeriodSeconds") != 0))
            delete_mark(call, &object, 0);
        if (waits && is_namespace)
            delete_mark_namespace(&object);
        *ret_gone = !waits;
    }
    if (*ret_gone && resource->strategy->grace != NULL)
        value_edit(&object, "metadata.deletionGracePeriodSeconds", value_new_int(0));
    if (*ret_gone && resource->strategy->grace != NULL && !object_is_deleting(object))
        value_edit(&object, "metadata.deletionTimestamp", call_now(call->server));
    *ret_object = object;
    return NULL;
}

/* ---- the verbs
 * --------------------------------------------------------------------------------------------------
 */

static Value *
delete_shape_status(ApiCall *call, Value *take)
{
    Value *status = status_success(call->kind, object_name(take), object_uid(take));

    value_unref(take);
    return status;
}

static void
delete_pending(int64_t revision, const GError *error, void *data)
{
    ApiCall *call = data;
    Value *object;

    if (!call_return(call))
        return;
    object = convert_from_stored(call->kind, call->resource, call->result);
    call->code = 200;
    if (call->shape != NULL)
        object = call->shape(call, object);
    call_answer(call, call->code, object);
}

void
call_delete_object(ApiCall *call, const Value *options)
{
    const Value *old = call_head(call);
    Value *object = NULL;
    bool gone = false;
    Value *refusal;

    if (old == NULL) {
        call_refuse(call, status_not_found(call->kind, call->request->name));
        return;
    }
    if (value_size(value_get(options, "dryRun")) > 0)
        call->request->dry_run = true;
    if ((refusal = delete_plan(call, call->resource, old, options, &object, &gone)) != NULL) {
        call_refuse(call, refusal);
        return;
    }
    if (gone) {
        if (!call->resource->strategy->returns_deleted && call->shape == NULL)
            call->shape = delete_shape_status;
        call_remove(call, object);
    } else if (value_equal(object, old)) {
        call->result = object;
        call_leave(call);
        store_when_durable(call->server->store, object_resource_version(object), delete_pending,
                           call);
    } else {
        call_put(call, 200, object);
    }
}

void
call_delete(ApiCall *call)
{
    const Value *body = call->request->body;

    if (body != NULL && !value_is_null(body) && !value_is_map(body)) {
        call_refuse(call, status_bad_request("the request's body must be DeleteOptions"));
        return;
    }
    call_delete_object(call, body);
}

/* ---- deletecollection: a delete for each, one answer when all are durable
 * --------------------------------------------- */

typedef struct CollectionDelete {
    ApiCall *call;
    ValueBuilder *items;
    Value *failure;
    unsigned waiting;
} CollectionDelete;

static void
collection_done(CollectionDelete *collection)
{
    ApiCall *call = collection->call;
    Value *items;

    if (--collection->waiting > 0)
        return;
    items = value_builder_end(collection->items);
    if (collection->failure != NULL) {
        value_unref(items);
        call_refuse(call, collection->failure);
    } else {
        call_answer(
            call, 200,
            value_new_f("{kind: %s, apiVersion: %s, metadata: {resourceVersion: %V}, items: %V}",
                        call->kind->list_kind, api_kind_api_version(call->kind),
                        value_new_stringf("%" G_GINT64_FORMAT, store_revision(call->server->store)),
                        items));
    }
    g_free(collection);
}

static void
collection_one_done(ApiResponse *take_response, void *data)
{
    CollectionDelete *collection = data;

    if (!api_response_ok(take_response) && take_response->code != 404 &&
        collection->failure == NULL)
        collection->failure = value_ref(take_response->object);
    api_response_free(take_response);
    collection_done(collection);
}

static void
collection_delete(CollectionDelete *collection, const Value *object)
{
    const ApiRequest *outer = collection->call->request;
    ApiRequest *inner = api_request_new(
        API_VERB_DELETE, outer->group, outer->resource,
        outer->namespace_ == NULL && *object_namespace(object) == '\0' ? NULL
                                                                       : object_namespace(object),
        object_name(object));

    g_free(inner->version);
    inner->version = g_strdup(outer->version);
    inner->body = outer->body == NULL ? NULL : value_ref(outer->body);
    inner->dry_run = outer->dry_run;
    inner->user = outer->user == NULL ? NULL : api_user_ref(outer->user);
    inner->user_agent = g_strdup(outer->user_agent);
    collection->waiting++;
    value_builder_append(
        collection->items,
        convert_from_stored(collection->call->kind, collection->call->resource, object));
    api_server_handle(collection->call->server, inner, collection_one_done, collection);
}

void
call_delete_collection(ApiCall *call)
{
    g_autoptr(Filter) filter = NULL;
    g_autoptr(PMap) state = pmap_ref(store_committed(call->resource->bucket));
    g_autofree char *prefix = call->request->namespace_ == NULL
                                  ? g_strdup("")
                                  : g_strconcat(call->request->namespace_, "/", NULL);
    PMapIter iter = pmap_seek_prefix(state, prefix);
    CollectionDelete *collection;
    Value *refusal = filter_new(call->kind, &call->request->list, &filter);

    if (refusal != NULL) {
        call_refuse(call, refusal);
        return;
    }
    collection = g_new0(CollectionDelete, 1);
    collection->call = call;
    collection->items = value_builder_new_array();
    collection->waiting = 1;
    while (pmap_next(&iter))
        if (filter_matches(filter, iter.value))
            collection_delete(collection, iter.value);
    collection_done(collection);
}
