/* The API server's end of core/client/wire.h: takes requests from port/net and sends answers and watch events back.
 *
 * Everything waits in lists of the endpoint, so that an API server that dies drops what it owes: the callers see their
 * connections reset. */
#include "core/api/status.h"
#include "core/client/wire.h"
#include "core/cluster/private.h"

struct ApiEndpoint {
    Cluster *cluster;
    const Ports *ports;
    ApiServer *server;
    NetServer *listener;
    GQueue calls;   /* of EndpointCall that the server has not answered */
    GQueue watches; /* of EndpointWatch */
};

typedef struct EndpointCall {
    ApiEndpoint *endpoint; /* NULL once that is gone */
    GList link;
    NetReply *reply;
} EndpointCall;

typedef struct EndpointWatch {
    ApiEndpoint *endpoint;
    GList link;
    NetStream *stream;
    ApiServerWatch *watch;
    bool opening; /* api_server_watch has not returned yet */
    bool ended;
} EndpointWatch;

/* ---- calls --------------------------------------------------------------------------------------------------- */

static void
call_done(ApiResponse *response, void *data)
{
    EndpointCall *call = data;
    ApiEndpoint *endpoint = call->endpoint;
    if (endpoint == NULL) {
        api_response_free(response);
    } else {
        g_queue_unlink(&endpoint->calls, &call->link);
        endpoint->ports->net->ops->reply(endpoint->ports->net, call->reply,
                                         wire_response(response));
    }
    g_free(call);
}

static void
endpoint_call(NetServer *server, NetMessage message, NetReply *reply, const char *from, void *data)
{
    ApiEndpoint *endpoint = data;
    EndpointCall *call = g_new0(EndpointCall, 1);
    call->endpoint = endpoint;
    call->reply = reply;
    call->link.data = call;
    g_queue_push_tail_link(&endpoint->calls, &call->link);
    ApiRequest *request = message.body;
    if (!cluster_etcd_is_running(endpoint->cluster)) {
        api_request_free(request);
        call_done(api_response_new(500, status_internal("etcdserver: request timed out")), call);
        return;
    }
    api_server_handle(endpoint->server, request, call_done, call);
}

/* ---- watches -------------------------------------------------------------------------------------------------- */

static void
watch_free(EndpointWatch *watch)
{
    g_queue_unlink(&watch->endpoint->watches, &watch->link);
    g_free(watch);
}

static void
watch_event(const WatchEvent *event, void *data)
{
    EndpointWatch *watch = data;
    Net *net = watch->endpoint->ports->net;
    if (event == NULL) {
        watch->ended = true;
        watch->watch = NULL;
        net->ops->close(net, watch->stream);
        if (!watch->opening)
            watch_free(watch);
        return;
    }
    WatchBatch *batch = watch_batch_new(1);
    batch->events[0] = *event;
    batch->events[0].object = value_ref(event->object);
    batch->events[0].state = event->state != NULL ? pmap_ref(event->state) : NULL;
    net->ops->send(net, watch->stream, wire_batch(batch));
}

/* The client went away. */
static void
watch_received(NetStream *stream, NetStatus status, NetMessage message, void *data)
{
    EndpointWatch *watch = data;
    if (status == NET_OK) {
        if (message.free_body != NULL)
            message.free_body(message.body);
        return;
    }
    if (watch->watch != NULL)
        api_server_unwatch(watch->watch);
    watch_free(watch);
}

static void
endpoint_open(NetServer *server, NetMessage message, NetStream *stream, const char *from,
              void *data)
{
    ApiEndpoint *endpoint = data;
    Net *net = endpoint->ports->net;
    ApiRequest *request = message.body;
    if (!cluster_etcd_is_running(endpoint->cluster)) {
        api_request_free(request);
        net->ops->close(net, stream);
        return;
    }
    EndpointWatch *watch = g_new0(EndpointWatch, 1);
    watch->endpoint = endpoint;
    watch->stream = stream;
    watch->link.data = watch;
    g_queue_push_tail_link(&endpoint->watches, &watch->link);
    net->ops->receive(net, stream, watch_received, watch);
    watch->opening = true;
    ApiServerWatch *opened = api_server_watch(endpoint->server, request, watch_event, watch);
    watch->opening = false;
    if (watch->ended)
        watch_free(watch);
    else
        watch->watch = opened;
}

static const NetServerHandler HANDLER = {.call = endpoint_call, .open = endpoint_open};

ApiEndpoint *
api_endpoint_new(Cluster *cluster, const Ports *ports, ApiServer *server)
{
    ApiEndpoint *endpoint = g_new0(ApiEndpoint, 1);
    endpoint->cluster = cluster;
    endpoint->ports = ports;
    endpoint->server = server;
    endpoint->listener = ports->net->ops->listen(ports->net, API_SERVER_PORT, &HANDLER, endpoint);
    return endpoint;
}

void
api_endpoint_free(ApiEndpoint *endpoint)
{
    for (GList *item = endpoint->calls.head; item != NULL; item = item->next)
        ((EndpointCall *)item->data)->endpoint = NULL;
    while (!g_queue_is_empty(&endpoint->watches)) {
        EndpointWatch *watch = g_queue_peek_head(&endpoint->watches);
        if (watch->watch != NULL)
            api_server_unwatch(watch->watch);
        watch_free(watch);
    }
    g_free(endpoint);
}
