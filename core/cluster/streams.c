#include "core/cluster/streams_private.h"

Streams *
streams_new(const Ports *ports, ApiServer *server, KubeletDialer *dialer)
{
    Streams *streams = g_new0(Streams, 1);
    streams->ports = ports;
    streams->server = server;
    streams->dialer = dialer;
    return streams;
}

void
streams_free(Streams *streams)
{
    if (streams == NULL)
        return;
    while (!g_queue_is_empty(&streams->connections)) {
        StreamConnection *connection = g_queue_peek_head(&streams->connections);
        g_autoptr(Value) status = status_unavailable("the API server was stopped");
        if (connection->upgraded)
            connection_end(connection);
        else
            connection_refuse(connection, status, false);
    }
    g_free(streams);
}

static void
note_input(Streams *streams, const ApiRequest *request)
{
    if (streams->ports->trace == NULL || strcmp(request->subresource, "log") == 0)
        return;
    g_autofree char *actor = g_strconcat("user ", request->user->name, NULL);
    g_autofree char *subject = g_strdup_printf("pods/%s/%s", request->namespace_, request->name);
    trace_record(streams->ports->trace, &(Fact){.kind = FACT_INPUT,
                                                .actor = actor,
                                                .verb = request->subresource,
                                                .subject = subject});
}

static StreamOpen *
find_serve(const ApiRequest *request)
{
    static const struct {
        const char *subresource;
        StreamOpen *serve;
    } TABLE[] = {
        {"exec", stream_open_command},
        {"attach", stream_open_command},
        {"portforward", stream_open_forward},
        {"log", stream_open_log},
    };
    if (g_strcmp0(request->resource, "pods") != 0)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(TABLE); i++)
        if (strcmp(TABLE[i].subresource, request->subresource) == 0)
            return TABLE[i].serve;
    return NULL;
}

/* A Status that refuses, or the pod and its node (borrowed). */
static Value *
find_pod(Streams *streams, const ApiRequest *request, const Value **ret_pod, const Value **ret_node)
{
    const ApiTypes *types = api_server_types(streams->server);
    *ret_pod = api_server_peek(streams->server, "", "pods", request->namespace_, request->name);
    if (*ret_pod == NULL)
        return status_not_found(api_types_by_resource(types, "", NULL, "pods"), request->name);
    const char *node = value_text_at(*ret_pod, "spec.nodeName");
    if (*node == '\0')
        return status_bad_request("pod %s does not have a host assigned", request->name);
    *ret_node = api_server_peek(streams->server, "", "nodes", NULL, node);
    if (*ret_node == NULL)
        return status_not_found(api_types_by_resource(types, "", NULL, "nodes"), node);
    return NULL;
}

void
streams_upgrade(ApiRequest *take, const HttpRequest *http, HttpResponder *responder, void *data)
{
    Streams *streams = data;
    g_autoptr(ApiRequest) request = take;
    g_autoptr(Value) refusal = NULL;
    const Value *pod = NULL, *node = NULL;
    StreamOpen *serve = find_serve(request);
    if (serve == NULL || responder->ops->upgrade == NULL)
        refusal = status_bad_request("this server cannot upgrade connections for %s",
                                     request->subresource);
    else if (g_queue_get_length(&streams->connections) >= STREAM_CONNECTIONS_MAX)
        refusal = status_too_many_requests("too many streams are open, please try again later", 1);
    else
        refusal = find_pod(streams, request, &pod, &node);
    if (refusal != NULL) {
        streams_answer(responder, refusal);
        return;
    }
    note_input(streams, request);
    serve(streams, g_steal_pointer(&request), pod, node, http, responder);
}
