/* A request's life: from the table of verbs to its answer. */
#include "core/apiserver/private.h"
#include "core/apiserver/subresources.h"

const char *
user_name(const ApiRequest *request)
{
    return request->user == NULL ? "system:anonymous" : request->user->name;
}

Value *
call_now(ApiServer *server)
{
    int64_t second = clock_now(server->ports.clock) / NS_PER_S;

    if (server->now_text == NULL || server->now_text_s != second) {
        value_replace(&server->now_text, value_new_string_take(timestamp_text(second * NS_PER_S)));
        server->now_text_s = second;
    }
    return value_ref(server->now_text);
}

char *
resource_key(const ApiKind *kind, const char *namespace_, const char *name)
{
    return kind->namespaced ? g_strconcat(namespace_ == NULL ? "" : namespace_, "/", name, NULL)
                            : g_strdup(name);
}

ApiResource *
server_resource_of(ApiServer *server, const ApiKind *kind)
{
    return kind == NULL ? NULL : g_hash_table_lookup(server->resources_by_kind, kind);
}

ApiResource *
server_resource(ApiServer *server, const char *group, const char *resource)
{
    return server_resource_of(server, api_types_by_resource(server->types, group, NULL, resource));
}

const Value *
server_head(ApiServer *server, const char *group, const char *resource, const char *namespace_,
            const char *name)
{
    ApiResource *stored = server_resource(server, group, resource);
    g_autofree char *key = NULL;
    const StoreItem *item;

    if (stored == NULL)
        return NULL;
    key = resource_key(stored->kind, namespace_, name);
    item = store_head(stored->bucket, key);
    return item == NULL ? NULL : item->value;
}

const Value *
call_head(const ApiCall *call)
{
    g_autofree char *key =
        resource_key(call->resource->kind, call->request->namespace_, call->request->name);
    const StoreItem *item = store_head(call->resource->bucket, key);

    return item == NULL ? NULL : item->value;
}

void
server_each(ApiServer *server, const char *group, const char *resource, const char *namespace_,
            ObjectFunc func, void *data)
{
    ApiResource *stored = server_resource(server, group, resource);
    g_autofree char *prefix = g_strconcat(namespace_ == NULL ? "" : namespace_, "/", NULL);
    g_autoptr(PMap) state = NULL;
    PMapIter iter;

    if (stored == NULL)
        return;
    state = pmap_ref(store_committed(stored->bucket));
    iter = namespace_ == NULL ? pmap_seek(state, NULL) : pmap_seek_prefix(state, prefix);
    while (pmap_next(&iter))
        if (!func(iter.value, data))
            return;
}

/* ---- answers
 * ------------------------------------------------------------------------------------------- */

void
call_free(ApiCall *call)
{
    value_unref(call->pending);
    api_request_free(call->request);
    value_unref(call->result);
    value_unref(call->extra);
    value_unref(call->managed);
    pmap_unref(call->state);
    if (call->warnings != NULL)
        g_ptr_array_unref(call->warnings);
    g_free(call);
}

void
call_warn(ApiCall *call, const char *format, ...)
{
    va_list arguments;

    if (call->warnings == NULL)
        call->warnings = g_ptr_array_new_with_free_func(g_free);
    va_start(arguments, format);
    g_ptr_array_add(call->warnings, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void
call_answer(ApiCall *call, int code, Value *take_object)
{
    ApiResponse *response = api_response_new(code, take_object);
    ApiServerDone done = call->done;
    void *data = call->data;

    if (call->warnings != NULL && call->warnings->len > 0) {
        g_ptr_array_add(call->warnings, NULL);
        response->warnings = (char **)g_ptr_array_free(g_steal_pointer(&call->warnings), FALSE);
    }
    if (code >= 400)
        response->retry_after_s = value_int_at(take_object, "details.retryAfterSeconds");
    response->state = g_steal_pointer(&call->state);
    metrics_count(call->server->metrics, call->request, code);
    call_free(call);
    done(response, data);
}

void
call_refuse(ApiCall *call, Value *take_status)
{
    if (call->rollback != NULL)
        call->rollback(call);
    call_answer(call, status_code(take_status), take_status);
}

void
call_leave(ApiCall *call)
{
    call->in_flight.data = call;
    g_queue_push_tail_link(&call->server->in_flight, &call->in_flight);
}

bool
call_return(ApiCall *call)
{
    if (call->server == NULL) {
        call_free(call);
        return false;
    }
    g_queue_unlink(&call->server->in_flight, &call->in_flight);
    return true;
}

static void
call_stored(int64_t revision, const GError *error, void *data)
{
    ApiCall *call = data;
    Value *object;

    if (!call_return(call))
        return;
    if (error != NULL) {
        call_refuse(call, status_internal("the store failed: %s", error->message));
        return;
    }
    object = convert_from_stored(call->kind, call->resource, call->result);
    if (call->shape != NULL)
        object = call->shape(call, object);
    call_answer(call, call->code, object);
}

static void
call_store_op(ApiCall *call, StoreOp *op)
{
    const GError *failure = store_failure(call->server->store);

    call_leave(call);
    if (store_txn(call->server->store, op, 1, call_stored, call, NULL) != 0)
        return;
    call_return(call);
    if (failure != NULL)
        call_refuse(call, status_internal("the store failed: %s", failure->message));
    else if (op->expected == 0)
        call_refuse(call, status_already_exists(call->kind, op->key));
    else
        call_refuse(call, status_conflict(call->kind, call->request->name, API_CONFLICT_TEXT));
}

void
call_put(ApiCall *call, int code, Value *take)
{
    g_autofree char *key =
        resource_key(call->resource->kind, object_namespace(take), object_name(take));
    const StoreItem *item = store_head(call->resource->bucket, key);

    if (call->request->dry_run) {
        Value *object = convert_from_stored(call->kind, call->resource, take);

        value_unref(take);
        if (call->rollback != NULL)
            call->rollback(call);
        call_answer(call, code, call->shape == NULL ? object : call->shape(call, object));
        return;
    }
    StoreOp op = {.bucket = call->resource->bucket,
                  .key = key,
                  .value = take,
                  .expected = item == NULL ? 0 : item->mod_revision,
                  .ttl_ns = resource_ttl(call->resource),
                  .data = &call->source};

    call->code = code;
    call_store_op(call, &op);
}

void
call_remove(ApiCall *call, Value *take_last)
{
    g_autofree char *key =
        resource_key(call->resource->kind, object_namespace(take_last), object_name(take_last));

    if (call->request->dry_run) {
        call->result = take_last;
        call->code = 200;
        call_leave(call);
        call_stored(0, NULL, call);
        return;
    }
    StoreOp op = {.bucket = call->resource->bucket,
                  .key = key,
                  .value = take_last,
                  .remove = true,
                  .expected = STORE_ANY,
                  .data = &call->source};

    call->code = 200;
    if (call->resource->strategy->released != NULL)
        call->resource->strategy->released(call->server, take_last);
    call_store_op(call, &op);
}

int64_t
resource_ttl(const ApiResource *resource)
{
    if (strcmp(resource->kind->resource, "events") != 0)
        return 0;
    return resource->server->options.event_ttl_ns;
}

/* ---- writes of the server itself
 * ------------------------------------------------------------------------- */

void
server_replace(ApiResource *resource, const Value *old, Value *take)
{
    g_autofree char *key = object_key(old);
    StoreOp op = {.bucket = resource->bucket,
                  .key = key,
                  .value = take,
                  .expected = object_resource_version(old),
                  .ttl_ns = resource_ttl(resource),
                  .data = &resource->server->source};

    store_txn(resource->server->store, &op, 1, NULL, NULL, NULL);
}

/* ---- the table of verbs
 * ----------------------------------------------------------------------------------- */

static Value *
call_find(ApiCall *call)
{
    const ApiRequest *request = call->request;

    call->kind = api_types_by_resource(call->server->types, request->group, request->version,
                                       request->resource);
    call->resource = server_resource_of(call->server, call->kind);
    if (call->kind == NULL)
        return status_new(404, "NotFound", "the server could not find the requested resource");
    if (request->subresource != NULL) {
        call->sub = api_kind_subresource(call->kind, request->subresource);
        if (call->sub == NULL)
            return status_new(404, "NotFound", "the server could not find the requested resource");
    }
    if (((call->sub != NULL ? call->sub->verbs : call->kind->verbs) & request->verb) == 0)
        return status_method_not_supported(call->kind, api_verb_name(request->verb));
    if (request->name == NULL &&
        (request->verb & (API_VERB_GET | API_VERB_UPDATE | API_VERB_PATCH | API_VERB_DELETE)))
        return status_bad_request("name must be provided");
    return authorize(call->server, request, call->kind);
}

static void
call_dispatch(ApiCall *call)
{
    if (review_handles(call->kind)) {
        call_review(call);
        return;
    }
    if (call->resource == NULL) {
        if (strcmp(call->kind->kind, "Binding") == 0)
            call_bindings(call);
        else
            call_answer(call, 200,
                        value_new_f("{kind: %s, apiVersion: %s, metadata: {}, items: []}",
                                    call->kind->list_kind, api_kind_api_version(call->kind)));
        return;
    }
    if (call->sub != NULL && strcmp(call->sub->name, "status") != 0) {
        call_subresource(call);
        return;
    }
    switch (call->request->verb) {
    case API_VERB_GET:
        call_get(call);
        return;
    case API_VERB_LIST:
        call_list(call);
        return;
    case API_VERB_CREATE:
        call_create(call);
        return;
    case API_VERB_UPDATE:
        call_update(call);
        return;
    case API_VERB_PATCH:
        call_patch(call);
        return;
    case API_VERB_DELETE:
        call_delete(call);
        return;
    case API_VERB_DELETECOLLECTION:
        call_delete_collection(call);
        return;
    default:
        call_refuse(call,
                    status_method_not_supported(call->kind, api_verb_name(call->request->verb)));
    }
}

void
api_server_handle(ApiServer *server, ApiRequest *take, ApiServerDone done, void *data)
{
    ApiCall *call = g_new0(ApiCall, 1);
    Value *refusal;

    call->server = server;
    call->source = (WriteSource){server, call};
    call->request = take;
    call->done = done;
    call->data = data;
    refusal = call_find(call);
    if (refusal != NULL)
        call_refuse(call, refusal);
    else
        call_dispatch(call);
}
