/* Asking the API from outside: straight to the API server, without the simulated network, so that a paused world can still
 * be read in the frozen instant. What changes something is an input and is recorded. */
#include "core/api/status.h"
#include "sim/world/world_private.h"

typedef struct OutsideTransport {
    Transport base;
    World *world;
    ApiUser *user;
    GQueue calls;   /* of OutsideCall */
    GQueue watches; /* of TransportWatch */
} OutsideTransport;

typedef struct OutsideCall {
    World *world;
    OutsideTransport *transport; /* NULL once that was freed: nobody hears the answer */
    GList link;                  /* in the transport's calls */
    GList world_link;            /* in the world's */
    ApiResponse *response;
    EventId event;
    ApiDone done;
    void *data;
} OutsideCall;

struct TransportWatch {
    OutsideTransport *transport;
    GList link;
    ApiServerWatch *watch;
    ApiWatchFunc func;
    void *data;
    bool opening, ended;
};

static OutsideTransport *
outside_transport(Transport *transport)
{
    return (OutsideTransport *)transport;
}

/* ---- calls --------------------------------------------------------------------------------------------------- */

static void
call_free(OutsideCall *call)
{
    g_queue_unlink(&call->world->outside_calls, &call->world_link);
    if (call->transport != NULL)
        g_queue_unlink(&call->transport->calls, &call->link);
    engine_cancel_slot(call->world->engine, &call->event);
    api_response_free(call->response);
    g_free(call);
}

static void
call_deliver(void *data)
{
    OutsideCall *call = data;
    call->event = 0;
    ApiResponse *response = g_steal_pointer(&call->response);
    ApiDone done = call->transport != NULL ? call->done : NULL;
    void *done_data = call->data;
    call_free(call);
    if (done != NULL)
        done(response, done_data);
    else
        api_response_free(response);
}

/* The API server may answer within the call: the asker hears it in an event of its own. */
static void
call_answered(ApiResponse *response, void *data)
{
    OutsideCall *call = data;
    call->response = response;
    call->event = engine_at(call->world->engine, call->world->outside, world_now(call->world),
                            call_deliver, call);
}

static bool
changes_something(const ApiRequest *request)
{
    return (request->verb & (API_VERB_CREATE | API_VERB_UPDATE | API_VERB_PATCH | API_VERB_DELETE |
                             API_VERB_DELETECOLLECTION)) != 0 &&
           !request->dry_run;
}

void
world_record_request(World *world, const ApiRequest *request)
{
    if (changes_something(request))
        world_record(world, "request", request_to_value(request));
}

/* What follows was caused by somebody outside. */
static void
note_input(World *world, const ApiRequest *request)
{
    if (!changes_something(request))
        return;
    const bool namespaced = request->namespace_ != NULL;
    g_autofree char *subject = g_strdup_printf(
        "%s/%s%s%s", request->resource != NULL ? request->resource : "",
        namespaced ? request->namespace_ : "", namespaced ? "/" : "",
        request->name != NULL ? request->name : "");
    trace_record(engine_trace_port(world_trace(world)),
                 &(Fact){.kind = FACT_INPUT,
                         .actor = request->user != NULL ? request->user->name : "somebody",
                         .verb = api_verb_name(request->verb),
                         .subject = subject});
}

static void
transport_call(Transport *base, ApiRequest *request, ApiDone done, void *data)
{
    OutsideTransport *transport = outside_transport(base);
    World *world = transport->world;
    if (request->user == NULL)
        request->user = api_user_ref(transport->user);
    OutsideCall *call = g_new0(OutsideCall, 1);
    call->world = world;
    call->transport = transport;
    call->done = done;
    call->data = data;
    call->link.data = call->world_link.data = call;
    g_queue_push_tail_link(&transport->calls, &call->link);
    g_queue_push_tail_link(&world->outside_calls, &call->world_link);
    ApiServer *server = world_api_server(world);
    if (server == NULL) {
        const Topology *topology = cluster_topology(world->cluster);
        api_request_free(request);
        call_answered(api_response_new(503, status_unavailable(
                          "The connection to the server %s:6443 was refused - did you specify "
                          "the right host or port?", topology_item(topology, 0)->ip)),
                      call);
        return;
    }
    note_input(world, request);
    world_record_request(world, request);
    api_server_handle(server, request, call_answered, call);
}

/* ---- watches ---------------------------------------------------------------------------------------------------- */

static void
watch_free(TransportWatch *watch)
{
    g_queue_unlink(&watch->transport->watches, &watch->link);
    g_free(watch);
}

static void
watch_event(const WatchEvent *event, void *data)
{
    TransportWatch *watch = data;
    if (event != NULL) {
        watch->func(event, watch->data);
        return;
    }
    watch->ended = true;
    watch->watch = NULL;
    if (!watch->opening) {
        watch->func(NULL, watch->data);
        watch_free(watch);
    }
}

static TransportWatch *
transport_watch(Transport *base, ApiRequest *request, ApiWatchFunc func, void *data)
{
    OutsideTransport *transport = outside_transport(base);
    if (request->user == NULL)
        request->user = api_user_ref(transport->user);
    TransportWatch *watch = g_new0(TransportWatch, 1);
    watch->transport = transport;
    watch->func = func;
    watch->data = data;
    watch->link.data = watch;
    g_queue_push_tail_link(&transport->watches, &watch->link);
    ApiServer *server = world_api_server(transport->world);
    watch->opening = true;
    ApiServerWatch *opened = NULL;
    if (server != NULL)
        opened = api_server_watch(server, request, watch_event, watch);
    else
        api_request_free(request);
    watch->opening = false;
    if (opened == NULL || watch->ended) {
        func(NULL, data);
        watch_free(watch);
        return NULL;
    }
    watch->watch = opened;
    return watch;
}

static void
transport_unwatch(Transport *base, TransportWatch *watch)
{
    if (watch->watch != NULL)
        api_server_unwatch(watch->watch);
    watch_free(watch);
}

static TransportStream *
transport_connect(Transport *base, ApiRequest *request, const ApiStreamHandler *handler,
                  void *data)
{
    OutsideTransport *transport = outside_transport(base);
    if (request->user == NULL)
        request->user = api_user_ref(transport->user);
    return world_stream_open(transport->world, base, request, handler, data);
}

static void
transport_free(Transport *base)
{
    OutsideTransport *transport = outside_transport(base);
    world_streams_close(transport->world, base);
    while (!g_queue_is_empty(&transport->watches))
        transport_unwatch(base, g_queue_peek_head(&transport->watches));
    while (!g_queue_is_empty(&transport->calls)) {
        OutsideCall *call = g_queue_peek_head(&transport->calls);
        g_queue_unlink(&transport->calls, &call->link);
        call->transport = NULL;
    }
    api_user_unref(transport->user);
    g_free(transport);
}

static const TransportOps TRANSPORT_OPS = {
    .call = transport_call,
    .watch = transport_watch,
    .unwatch = transport_unwatch,
    .connect = transport_connect,
    .send = world_stream_send,
    .disconnect = world_stream_close,
    .free = transport_free,
};

Transport *
world_transport(World *world, const char *user, const char *const *groups)
{
    static const char *const MASTERS[] = {"system:masters", "system:authenticated", NULL};
    OutsideTransport *transport = g_new0(OutsideTransport, 1);
    transport->base.ops = &TRANSPORT_OPS;
    transport->world = world;
    transport->user = user != NULL ? api_user_new(user, groups)
                                   : api_user_new("kubernetes-admin", MASTERS);
    return &transport->base;
}

void
world_outside_clear(World *world)
{
    world_streams_close(world, NULL);
    while (!g_queue_is_empty(&world->outside_calls))
        call_free(g_queue_peek_head(&world->outside_calls));
}

/* ---- one call, waited for ------------------------------------------------------------------------------------------ */

#define CALL_TIMEOUT_NS (60 * NS_PER_S)

static void
keep_answer(ApiResponse *response, void *data)
{
    *(ApiResponse **)data = response;
}

static bool
is_answered(World *world, void *data)
{
    return *(ApiResponse **)data != NULL;
}

ApiResponse *
world_call(World *world, ApiRequest *take)
{
    ApiResponse *response = NULL;
    Transport *transport = world_transport(world, NULL, NULL);
    transport->ops->call(transport, take, keep_answer, &response);
    world_settle(world);
    world_run_until_true(world, CALL_TIMEOUT_NS, is_answered, &response);
    transport->ops->free(transport);
    if (response == NULL)
        response = api_response_new(504, status_timeout("the API server did not answer"));
    return response;
}
