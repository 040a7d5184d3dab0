/* The client: builds requests, throttles them, and tries again where the API server asked for it by
 * Retry-After (client-go rest: at most 10 times). A call is in `waiting` (for its token), asleep
 * (Retry-After) or sent; all of them in `calls`. */
#include "core/client/client.h"

#include "core/client/bucket.h"

#include <string.h>

#define RETRIES_MAX 10
#define RETRY_AFTER_MAX_S 600

struct Client {
    const Ports *ports;
    const ApiTypes *types;
    Transport *transport;
    char *field_manager;
    TokenBucket bucket;
    GQueue calls;    /* Call: all */
    GQueue *waiting; /* Call: throttled, first come first served */
    TimerId timer;   /* when the first of them may go */
};

typedef struct Call {
    Client *client;
    GList link;
    ApiRequest *request;
    int64_t usable_ns;
    CauseId cause; /* under which it was asked: taken up again after waiting */
    int retries;
    TimerId sleep;
    ApiDone done;
    void *data;
} Call;

static void
call_free(Call *call)
{
    clock_cancel(call->client->ports->clock, &call->sleep);
    g_queue_unlink(&call->client->calls, &call->link);
    api_request_free(call->request);
    g_free(call);
}

static void call_done(ApiResponse *take_response, void *data);

static void
call_send(Call *call)
{
    Transport *transport = call->client->transport;
    transport->ops->call(transport, api_request_copy(call->request), call_done, call);
}

static void
call_wake(void *data)
{
    Call *call = data;
    call->sleep = 0;
    trace_adopt(call->client->ports->trace, call->cause);
    call_send(call);
}

static void
call_done(ApiResponse *take_response, void *data)
{
    Call *call = data;
    bool asks_again = take_response->retry_after_s > 0 &&
                      (take_response->code == 429 || take_response->code >= 500);
    if (asks_again && call->retries < RETRIES_MAX) {
        int64_t delay_s = MIN(take_response->retry_after_s, RETRY_AFTER_MAX_S);
        call->retries++;
        call->sleep =
            clock_timer_in(call->client->ports->clock, delay_s * NS_PER_S, call_wake, call);
        api_response_free(take_response);
        return;
    }
    ApiDone done = call->done;
    void *done_data = call->data;
    call_free(call);
    if (done != NULL)
        done(take_response, done_data);
    else
        api_response_free(take_response);
}

/* ---- throttling
 * ----------------------------------------------------------------------------------------- */

static void throttle_wake(void *data);

static void
throttle_arm(Client *client)
{
    Call *first = g_queue_peek_head(client->waiting);
    if (first != NULL && client->timer == 0)
        client->timer =
            clock_timer_at(client->ports->clock, first->usable_ns, throttle_wake, client);
}

static void
throttle_wake(void *data)
{
    Client *client = data;
    client->timer = 0;
    int64_t now = clock_now(client->ports->clock);
    Call *first;
    while ((first = g_queue_peek_head(client->waiting)) != NULL && first->usable_ns <= now) {
        g_queue_pop_head(client->waiting);
        trace_adopt(client->ports->trace, first->cause);
        call_send(first);
    }
    throttle_arm(client);
}

void
client_request(Client *client, ApiRequest *take, ApiDone done, void *data)
{
    Call *call = g_new0(Call, 1);
    call->client = client;
    call->link.data = call;
    call->request = take;
    call->done = done;
    call->data = data;
    g_queue_push_tail_link(&client->calls, &call->link);
    bool writes = (take->verb & (API_VERB_GET | API_VERB_LIST | API_VERB_WATCH)) == 0;
    if (writes && take->field_manager == NULL)
        take->field_manager = g_strdup(client->field_manager);
    int64_t now = clock_now(client->ports->clock);
    call->cause = trace_current(client->ports->trace);
    call->usable_ns = token_bucket_reserve(&client->bucket, now);
    if (call->usable_ns <= now && g_queue_is_empty(client->waiting)) {
        call_send(call);
        return;
    }
    g_queue_push_tail(client->waiting, call);
    throttle_arm(client);
}

void
client_forget(Client *client, const void *data)
{
    for (GList *link = client->calls.head; link != NULL; link = link->next) {
        Call *call = link->data;
        if (call->data == data)
            call->done = NULL;
    }
}

/* ---- requests
 * ------------------------------------------------------------------------------------------- */

/* The version in which the body speaks of this group: "autoscaling/v2" -> "v2"; NULL: the stored
 * one. */
static char *
body_version(const Value *body, const char *group)
{
    const char *api_version = value_string(value_get(body, "apiVersion"));
    if (api_version == NULL)
        return NULL;
    const char *slash = strchr(api_version, '/');
    size_t group_length = slash != NULL ? (size_t)(slash - api_version) : 0;
    if (strlen(group) != group_length || strncmp(group, api_version, group_length) != 0)
        return NULL;
    return g_strdup(slash != NULL ? slash + 1 : api_version);
}

void
client_get(Client *client, const char *group, const char *resource, const char *namespace_,
           const char *name, ApiDone done, void *data)
{
    client_request(client, api_request_new(API_VERB_GET, group, resource, namespace_, name), done,
                   data);
}

void
client_list(Client *client, const char *group, const char *resource, const char *namespace_,
            const char *label_selector, const char *field_selector, ApiDone done, void *data)
{
    ApiRequest *request = api_request_new(API_VERB_LIST, group, resource, namespace_, NULL);
    request->list.label_selector = g_strdup(label_selector);
    request->list.field_selector = g_strdup(field_selector);
    client_request(client, request, done, data);
}

void
client_create(Client *client, const char *group, const char *resource, const char *namespace_,
              Value *take, ApiDone done, void *data)
{
    ApiRequest *request = api_request_new(API_VERB_CREATE, group, resource, namespace_, NULL);
    request->version = body_version(take, group);
    request->body = take;
    client_request(client, request, done, data);
}

void
client_update(Client *client, const char *group, const char *resource, const char *subresource,
              Value *take, ApiDone done, void *data)
{
    const Value *metadata = value_get(take, "metadata");
    ApiRequest *request = api_request_new(API_VERB_UPDATE, group, resource,
                                          value_string(value_get(metadata, "namespace")),
                                          value_string(value_get(metadata, "name")));
    request->subresource = g_strdup(subresource);
    request->version = body_version(take, group);
    request->body = take;
    client_request(client, request, done, data);
}

void
client_patch(Client *client, const char *group, const char *resource, const char *namespace_,
             const char *name, const char *subresource, PatchType type, Value *take, ApiDone done,
             void *data)
{
    ApiRequest *request = api_request_new(API_VERB_PATCH, group, resource, namespace_, name);
    request->subresource = g_strdup(subresource);
    request->patch_type = type;
    request->body = take;
    client_request(client, request, done, data);
}

void
client_delete(Client *client, const char *group, const char *resource, const char *namespace_,
              const char *name, Value *take_options, ApiDone done, void *data)
{
    ApiRequest *request = api_request_new(API_VERB_DELETE, group, resource, namespace_, name);
    request->body = take_options;
    client_request(client, request, done, data);
}

void
client_create_subresource(Client *client, const char *group, const char *resource,
                          const char *namespace_, const char *name, const char *subresource,
                          Value *take, ApiDone done, void *data)
{
    ApiRequest *request = api_request_new(API_VERB_CREATE, group, resource, namespace_, name);
    request->subresource = g_strdup(subresource);
    request->body = take;
    client_request(client, request, done, data);
}

TransportWatch *
client_watch(Client *client, ApiRequest *take, ApiWatchFunc func, void *data)
{
    return client->transport->ops->watch(client->transport, take, func, data);
}

void
client_unwatch(Client *client, TransportWatch *watch)
{
    client->transport->ops->unwatch(client->transport, watch);
}

/* ---- the client
 * ------------------------------------------------------------------------------------------- */

Client *
client_new(const Ports *ports, const ApiTypes *types, Transport *take, const ClientOptions *options)
{
    Client *client = g_new0(Client, 1);
    client->ports = ports;
    client->types = types;
    client->transport = take;
    client->field_manager = g_strdup(options != NULL ? options->field_manager : NULL);
    client->waiting = g_queue_new();
    token_bucket_init(&client->bucket, options != NULL ? options->qps : 0,
                      options != NULL ? options->burst : 0);
    return client;
}

void
client_free(Client *client)
{
    if (client == NULL)
        return;
    clock_cancel(client->ports->clock, &client->timer);
    client->transport->ops->free(client->transport);
    while (!g_queue_is_empty(&client->calls))
        call_free(g_queue_peek_head(&client->calls));
    g_queue_free(client->waiting);
    g_free(client->field_manager);
    g_free(client);
}

const ApiTypes *
client_types(const Client *client)
{
    return client->types;
}

Transport *
client_transport(Client *client)
{
    return client->transport;
}
