/* Logs, exec, attach and port-forward for those who ask from outside (world_transport): through the API server's way to the
 * kubelets. One TransportStream:
 *
 *   opened -> refused --(event)--> ended, freed
 *          -> session --(the kubelet's end, event)--> ended, freed          or at any time: closed by its owner, freed
 */
#include "core/api/status.h"
#include "sim/world/world_private.h"

struct TransportStream {
    World *world;
    Transport *transport; /* whose it is */
    GList link;           /* in the world's streams */
    KubeletSession *session; /* NULL: refused or over */
    EventId event;        /* tells the end */
    Value *status;        /* of the end */
    ApiStreamHandler handler;
    void *data;
};

static void
stream_free(TransportStream *stream)
{
    g_queue_unlink(&stream->world->outside_streams, &stream->link);
    engine_cancel_slot(stream->world->engine, &stream->event);
    value_unref(stream->status);
    g_free(stream);
}

static void
tell_end(void *data)
{
    TransportStream *stream = data;
    const ApiStreamHandler handler = stream->handler;
    void *handler_data = stream->data;
    g_autoptr(Value) status = g_steal_pointer(&stream->status);
    stream->event = 0;
    stream_free(stream);
    handler.ended(status, handler_data);
}

/* In an event of its own: the session may end because its API server is being taken down. */
static void
stream_ends(TransportStream *stream, Value *take_status)
{
    stream->session = NULL;
    stream->status = take_status;
    stream->event = engine_at(stream->world->engine, stream->world->outside,
                              world_now(stream->world), tell_end, stream);
}

static void
on_received(int channel, const void *bytes, size_t length, void *data)
{
    TransportStream *stream = data;
    stream->handler.received(channel, bytes, length, stream->data);
}

static void
on_ended(const Value *status, void *data)
{
    stream_ends(data, value_ref(status));
}

static void
note_input(World *world, const ApiRequest *request)
{
    g_autofree char *subject = g_strdup_printf("pods/%s/%s", request->namespace_, request->name);
    trace_record(engine_trace_port(world_trace(world)),
                 &(Fact){.kind = FACT_INPUT,
                         .actor = request->user->name,
                         .verb = request->subresource,
                         .subject = subject});
}

/* The session, or NULL with a Status. */
static KubeletSession *
open_session(World *world, const ApiRequest *request, TransportStream *stream, Value **ret_refusal)
{
    static const ApiStreamHandler HANDLER = {.received = on_received, .ended = on_ended};
    KubeletDialer *dialer =
        world_api_server(world) != NULL ? cluster_kubelet_dialer(world->cluster) : NULL;
    if (dialer == NULL) {
        *ret_refusal = status_unavailable("the API server is not running");
        return NULL;
    }
    if (request->name == NULL || request->namespace_ == NULL || request->subresource == NULL ||
        g_strcmp0(request->resource, "pods") != 0) {
        *ret_refusal = status_bad_request("a stream needs a pod's name and its subresource");
        return NULL;
    }
    const ApiTypes *types = world_types(world);
    const Value *pod = world_peek(world, "", "pods", request->namespace_, request->name);
    if (pod == NULL) {
        *ret_refusal =
            status_not_found(api_types_by_resource(types, "", NULL, "pods"), request->name);
        return NULL;
    }
    const char *node_name = value_text_at(pod, "spec.nodeName");
    const Value *node =
        *node_name != '\0' ? world_peek(world, "", "nodes", NULL, node_name) : NULL;
    if (g_strcmp0(request->subresource, "log") != 0)
        note_input(world, request);
    return kubelet_dialer_open(dialer, node, pod, request, &HANDLER, stream, ret_refusal);
}

TransportStream *
world_stream_open(World *world, Transport *transport, ApiRequest *take,
                  const ApiStreamHandler *handler, void *data)
{
    g_autoptr(ApiRequest) request = take;
    TransportStream *stream = g_new0(TransportStream, 1);
    Value *refusal = NULL;
    stream->world = world;
    stream->transport = transport;
    stream->handler = *handler;
    stream->data = data;
    stream->link.data = stream;
    g_queue_push_tail_link(&world->outside_streams, &stream->link);
    stream->session = open_session(world, request, stream, &refusal);
    if (stream->session == NULL)
        stream_ends(stream, refusal);
    return stream;
}

void
world_stream_send(TransportStream *stream, int channel, const void *bytes, size_t length)
{
    if (stream->session != NULL)
        kubelet_session_send(stream->session, channel, bytes, length);
}

void
world_stream_close(TransportStream *stream)
{
    if (stream->session != NULL)
        kubelet_session_close(stream->session);
    stream_free(stream);
}

void
world_streams_close(World *world, Transport *transport)
{
    GList *next;
    for (GList *item = world->outside_streams.head; item != NULL; item = next) {
        TransportStream *stream = item->data;
        next = item->next;
        if (transport == NULL || stream->transport == transport)
            world_stream_close(stream);
    }
}
