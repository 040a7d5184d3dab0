/* Answers that go on: watches as one JSON document a line, and logs as they come.
 *
 *   open --end of the watch--> ended        open --client gone, or too far behind--> ended
 *
 * A Stream is in face->streams from its start until it ends; ending unwatches first, so no event
 * comes after. */
#include "core/http/private.h"

#define WATCH_TIMEOUT_MIN_S 1800 /* as --min-request-timeout: between this and twice this */

typedef struct Stream {
    GList link; /* in face->streams */
    Exchange *exchange;
    ApiServerWatch *watch;
    uint64_t log;
    bool is_log;
    bool started;
    bool has_headers; /* the first Table event was sent */
    bool ended;
    int depth; /* inside the server's callbacks */
} Stream;

static void
stream_start(Stream *stream, const char *type)
{
    HttpHeader headers[] = {{"Content-Type", type}, {"Cache-Control", "no-cache, private"}};

    if (stream->started)
        return;
    stream->started = true;
    stream->exchange->responder->ops->start(stream->exchange->responder, 200, headers,
                                            G_N_ELEMENTS(headers), -1);
}

static void
stream_free_if_over(Stream *stream)
{
    if (!stream->ended || stream->depth > 0)
        return;
    exchange_free(stream->exchange);
    g_free(stream);
}

static void
stream_end(Stream *stream)
{
    HttpFace *face = stream->exchange->face;
    const ApiKubeletDialer *kubelet = &face->kubelet;

    if (stream->ended)
        return;
    stream->ended = true;
    g_queue_unlink(&face->streams, &stream->link);
    if (stream->watch != NULL)
        api_server_unwatch(stream->watch);
    if (stream->log != 0)
        kubelet->cancel(kubelet->data, stream->log);
    stream->exchange->responder->ops->end(stream->exchange->responder);
}

static void
stream_gone(void *data)
{
    Stream *stream = data;

    stream_end(stream);
    stream_free_if_over(stream);
}

void
stream_end_all(HttpFace *face)
{
    while (face->streams.head != NULL)
        stream_gone(face->streams.head->data);
}

static void
stream_write(Stream *stream, GString *take)
{
    HttpResponder *responder = stream->exchange->responder;
    g_autoptr(GBytes) bytes = g_string_free_to_bytes(take);

    responder->ops->write(responder, bytes);
    if (responder->ops->backlog != NULL &&
        responder->ops->backlog(responder) > HTTP_WATCH_BACKLOG_MAX)
        stream_end(stream);
}

static Stream *
stream_new(Exchange *take_exchange)
{
    Stream *stream = g_new0(Stream, 1);
    HttpResponder *responder = take_exchange->responder;

    stream->exchange = take_exchange;
    stream->link.data = stream;
    g_queue_push_tail_link(&take_exchange->face->streams, &stream->link);
    responder->ops->on_gone(responder, stream_gone, stream);
    return stream;
}

/* ---- watches
 * --------------------------------------------------------------------------------------------------------
 */

static void
watch_write_event(Stream *stream, const WatchEvent *event)
{
    Exchange *exchange = stream->exchange;
    GString *out = g_string_new("{\"type\":\"");

    g_string_append_printf(out, "%s\",\"object\":", watch_event_name(event->type));
    if (exchange->media.form == FORM_PLAIN && event->type != WATCH_BOOKMARK &&
        event->type != WATCH_ERROR) {
        const GString *json = answer_json(exchange->face, event->object);

        g_string_append_len(out, json->str, (gssize)json->len);
    } else {
        g_autoptr(Value) shaped = answer_shape(exchange, event->object, !stream->has_headers);

        stream->has_headers = true;
        json_write(out, shaped);
    }
    g_string_append(out, "}\n");
    stream_write(stream, out);
}

static void
watch_heard(const WatchEvent *event, void *data)
{
    Stream *stream = data;

    stream->depth++;
    if (event == NULL) {
        stream->watch = NULL;
        if (!stream->ended) {
            stream_start(stream, "application/json");
            stream_end(stream);
        }
    } else if (!stream->ended && !stream->started && event->type == WATCH_ERROR &&
               status_code(event->object) != 410) {
        /* Refused before it began: an ordinary answer. */
        stream->started = true;
        stream->ended = true;
        g_queue_unlink(&stream->exchange->face->streams, &stream->link);
        answer_status(stream->exchange->responder, value_ref(event->object));
    } else if (!stream->ended) {
        stream_start(stream, "application/json");
        watch_write_event(stream, event);
    }
    stream->depth--;
    stream_free_if_over(stream);
}

void
stream_watch(Exchange *take_exchange, ApiRequest *take_request)
{
    Stream *stream = stream_new(take_exchange);
    ApiServer *server = take_exchange->face->server;
    ApiServerWatch *watch;

    if (take_request->list.timeout_seconds == 0)
        take_request->list.timeout_seconds =
            WATCH_TIMEOUT_MIN_S +
            (int64_t)random_below(api_server_ports(server)->random, WATCH_TIMEOUT_MIN_S);
    stream->depth++;
    watch = api_server_watch(server, take_request, watch_heard, stream);
    stream->depth--;
    if (!stream->ended) {
        stream->watch = watch;
        stream_start(stream, "application/json");
    } else if (watch != NULL) {
        api_server_unwatch(watch);
    }
    stream_free_if_over(stream);
}

/* ---- logs
 * ------------------------------------------------------------------------------------------------------------
 */

static void
log_chunk(const char *bytes, size_t length, Value *error, void *data)
{
    Stream *stream = data;

    stream->depth++;
    if (bytes == NULL)
        stream->log = 0;
    if (!stream->ended && error != NULL && !stream->started) {
        stream->started = true;
        stream->ended = true;
        g_queue_unlink(&stream->exchange->face->streams, &stream->link);
        answer_status(stream->exchange->responder, value_ref(error));
    } else if (!stream->ended) {
        stream_start(stream, "text/plain");
        if (bytes == NULL)
            stream_end(stream);
        else if (length > 0)
            stream_write(stream, g_string_new_len(bytes, (gssize)length));
    }
    stream->depth--;
    stream_free_if_over(stream);
}

static Value *
log_find(HttpFace *face, const ApiRequest *request, const Value **ret_pod, const Value **ret_node)
{
    const ApiTypes *types = api_server_types(face->server);
    const char *node;

    *ret_pod = api_server_peek(face->server, "", "pods", request->namespace_, request->name);
    if (*ret_pod == NULL)
        return status_not_found(api_types_by_resource(types, "", NULL, "pods"), request->name);
    node = value_text_at(*ret_pod, "spec.nodeName");
    if (*node == '\0')
        return status_bad_request("pod %s does not have a host assigned", request->name);
    *ret_node = api_server_peek(face->server, "", "nodes", NULL, node);
    if (*ret_node == NULL)
        return status_not_found(api_types_by_resource(types, "", NULL, "nodes"), node);
    if (face->kubelet.open == NULL)
        return status_new(503, "ServiceUnavailable",
                          "this server has no way to the kubelet of node %s", node);
    return NULL;
}

/* The container that is meant: named, annotated as the default, or the only one. */
static Value *
log_container(const Value *pod, ApiRequest *request)
{
    static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
    const char *wanted = value_string(value_item(value_get(request->query, "container"), 0));
    const Value *containers = value_at(pod, "spec.containers");
    g_autoptr(GString) names = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(lists) && wanted != NULL; i++)
        VALUE_ARRAY_FOREACH (container, value_get(value_get(pod, "spec"), lists[i]))
            if (strcmp(value_text_at(container, "name"), wanted) == 0)
                return NULL;
    if (wanted != NULL && *wanted != '\0')
        return status_bad_request("container %s is not valid for pod %s", wanted, object_name(pod));
    wanted = object_annotation(pod, "kubectl.kubernetes.io/default-container");
    if (wanted == NULL && value_size(containers) > 1) {
        VALUE_ARRAY_FOREACH (container, containers)
            g_string_append_printf(names, "%s%s", names->len == 0 ? "" : " ",
                                   value_text_at(container, "name"));
        return status_bad_request(
            "a container name must be specified for pod %s, choose one of: [%s]", object_name(pod),
            names->str);
    }
    if (wanted == NULL)
        wanted = value_text_at(value_item(containers, 0), "name");
    value_edit(&request->query, "container", value_new_f("[%s]", wanted));
    return NULL;
}

void
stream_log(Exchange *take_exchange, ApiRequest *take_request)
{
    g_autoptr(ApiRequest) request = take_request;
    HttpFace *face = take_exchange->face;
    const ApiKubeletDialer *kubelet = &face->kubelet;
    const Value *pod = NULL, *node = NULL;
    Value *refusal = log_find(face, request, &pod, &node);
    Stream *stream;
    uint64_t id;

    if (refusal != NULL || (refusal = log_container(pod, request)) != NULL) {
        answer_status(take_exchange->responder, refusal);
        exchange_free(take_exchange);
        return;
    }
    stream = stream_new(take_exchange);
    stream->depth++;
    id = kubelet->open(kubelet->data, node, pod, request, log_chunk, stream);
    stream->depth--;
    if (!stream->ended)
        stream->log = id;
    stream_free_if_over(stream);
}
