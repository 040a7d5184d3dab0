/* Port-forward. Over SPDY (or its tunnel) each connection of the person's is a pair of streams with one request id: data,
 * and an error stream that carries a text when the connection fails. Over plain WebSocket channels each port asked for
 * is one connection at once: channel 2i is its data, 2i+1 its errors, and both begin with the port in two bytes. */
#include "core/cluster/streams_private.h"

typedef struct Forwarding {
    StreamConnection base;
    GPtrArray *forwards; /* of Forward, in the order in which they came */
    ApiRequest *request;
    Value *pod, *node;
} Forwarding;

typedef struct Forward {
    Forwarding *owner;
    KubeletSession *session; /* NULL: not yet, or over */
    char *id;
    uint16_t port;
    uint32_t data, error; /* streams (0: not opened yet), or channels */
} Forward;

static Forwarding *
forwarding_of(StreamConnection *base)
{
    return (Forwarding *)base;
}

static bool
is_socket(const Forwarding *forwarding)
{
    return forwarding->base.agreement.form == STREAM_SOCKET;
}

static void
forward_free(void *data)
{
    Forward *forward = data;
    if (forward->session != NULL)
        kubelet_session_close(forward->session);
    g_free(forward->id);
    g_free(forward);
}

static void
forwarding_clear(StreamConnection *base)
{
    Forwarding *forwarding = forwarding_of(base);
    g_ptr_array_unref(forwarding->forwards);
    api_request_free(forwarding->request);
    value_unref(forwarding->pod);
    value_unref(forwarding->node);
}

/* ---- the kubelet's side -------------------------------------------------------------------------------------------- */

static void
forward_received(int channel, const void *bytes, size_t length, void *data)
{
    Forward *forward = data;
    StreamConnection *base = &forward->owner->base;
    if (length == 0 || !connection_keeps_up(base))
        return;
    if (is_socket(forward->owner))
        connection_send(base, (int)forward->data, bytes, length);
    else
        spdy_send(base->spdy, forward->data, bytes, length, false);
}

/* The connection is over: says why when it failed. A socket without connections is closed. */
static void
forward_over(Forward *forward, const Value *status)
{
    Forwarding *forwarding = forward->owner;
    StreamConnection *base = &forwarding->base;
    g_autofree char *text =
        stream_succeeded(status)
            ? g_strdup("")
            : g_strdup_printf("error forwarding port %u to pod %s, uid %s: %s", forward->port,
                              object_name(forwarding->pod), object_uid(forwarding->pod),
                              stream_failure(status));
    const uint32_t data = forward->data, error = forward->error;
    g_ptr_array_remove(forwarding->forwards, forward);
    if (!is_socket(forwarding)) {
        spdy_send(base->spdy, data, NULL, 0, true);
        spdy_send(base->spdy, error, text, strlen(text), true);
        return;
    }
    if (*text != '\0')
        connection_send(base, (int)error, text, strlen(text));
    if (forwarding->forwards->len == 0)
        connection_end(base);
}

static void
forward_ended(const Value *status, void *data)
{
    Forward *forward = data;
    forward->session = NULL;
    forward_over(forward, status);
}

/* False: it failed at once and is gone. */
static bool
forward_dial(Forward *forward)
{
    static const ApiStreamHandler HANDLER = {forward_received, forward_ended};
    const Forwarding *forwarding = forward->owner;
    g_autoptr(Value) refusal = NULL;
    g_autoptr(ApiRequest) request = api_request_copy(forwarding->request);
    g_autofree char *port = g_strdup_printf("%u", forward->port);
    value_unref(request->query);
    request->query = value_new_f("{ports: [%s]}", port);
    forward->session = kubelet_dialer_open(forwarding->base.streams->dialer, forwarding->node, forwarding->pod,
                                           request, &HANDLER, forward, &refusal);
    if (forward->session == NULL)
        forward_over(forward, refusal);
    return refusal == NULL;
}

/* ---- SPDY ------------------------------------------------------------------------------------------------------------ */

static Forward *
find_by_id(Forwarding *forwarding, const char *id)
{
    for (guint i = 0; i < forwarding->forwards->len; i++) {
        Forward *forward = forwarding->forwards->pdata[i];
        if (strcmp(forward->id, id) == 0)
            return forward;
    }
    return NULL;
}

/* By stream or channel. */
static Forward *
find_by_stream(Forwarding *forwarding, uint32_t stream)
{
    for (guint i = 0; i < forwarding->forwards->len; i++) {
        Forward *forward = forwarding->forwards->pdata[i];
        if (forward->data == stream || forward->error == stream)
            return forward;
    }
    return NULL;
}

static Forward *
forward_new(Forwarding *forwarding, const char *id, uint16_t port)
{
    Forward *forward = g_new0(Forward, 1);
    forward->owner = forwarding;
    forward->id = g_strdup(id);
    forward->port = port;
    g_ptr_array_add(forwarding->forwards, forward);
    return forward;
}

static uint16_t
parse_port(const char *text)
{
    guint64 port;
    return g_ascii_string_to_unsigned(text, 10, 1, 65535, &port, NULL) ? (uint16_t)port : 0;
}

static void
forwarding_opened(StreamConnection *base, uint32_t stream, const Value *headers, bool finished)
{
    Forwarding *forwarding = forwarding_of(base);
    const char *type = value_text(value_get(headers, "streamtype"));
    const bool is_data = strcmp(type, "data") == 0;
    const uint16_t port = parse_port(value_text(value_get(headers, "port")));
    const char *id = value_text(value_get(headers, "requestid"));
    /* The oldest clients send no ids: their error stream comes first, the data stream is the next. */
    g_autofree char *made_up = *id == '\0' ? g_strdup_printf("%u", is_data ? stream - 2 : stream) : NULL;
    id = made_up != NULL ? made_up : id;
    Forward *forward = find_by_id(forwarding, id);
    if (port == 0 || (!is_data && strcmp(type, "error") != 0) ||
        (forward == NULL && forwarding->forwards->len >= STREAM_FORWARDS_MAX) ||
        (forward != NULL && (is_data ? forward->data : forward->error) != 0)) {
        spdy_reset(base->spdy, stream, SPDY_REFUSED_STREAM);
        return;
    }
    if (forward == NULL)
        forward = forward_new(forwarding, id, port);
    *(is_data ? &forward->data : &forward->error) = stream;
    spdy_reply(base->spdy, stream);
    if (forward->data != 0 && forward->error != 0)
        forward_dial(forward);
}

static void
forwarding_received(StreamConnection *base, uint32_t stream, const void *bytes, size_t length, bool finished)
{
    Forward *forward = find_by_stream(forwarding_of(base), stream);
    if (forward == NULL || forward->data != stream || forward->session == NULL)
        return;
    if (length > 0)
        kubelet_session_send(forward->session, KUBELET_STDIN, bytes, length);
    if (finished)
        kubelet_session_send(forward->session, KUBELET_STDIN, NULL, 0);
}

/* The person's connection was closed. */
static void
forwarding_reset(StreamConnection *base, uint32_t stream)
{
    Forwarding *forwarding = forwarding_of(base);
    Forward *forward = find_by_stream(forwarding, stream);
    if (forward == NULL)
        return;
    const uint32_t other = forward->data == stream ? forward->error : forward->data;
    g_ptr_array_remove(forwarding->forwards, forward);
    spdy_send(base->spdy, other, NULL, 0, true);
}

/* ---- plain channels ----------------------------------------------------------------------------------------------------- */

static void
forwarding_message(StreamConnection *base, const uint8_t *bytes, size_t length)
{
    Forward *forward = find_by_stream(forwarding_of(base), bytes[0]);
    if (forward != NULL && bytes[0] == forward->data && forward->session != NULL && length > 1)
        kubelet_session_send(forward->session, KUBELET_STDIN, bytes + 1, length - 1);
}

static const StreamConnectionOps FORWARDING_OPS = {
    .message = forwarding_message,
    .opened = forwarding_opened,
    .received = forwarding_received,
    .reset = forwarding_reset,
    .clear = forwarding_clear,
};

/* The ports of the query, as forwards of two channels each; a Status that refuses. */
static Value *
ports_as_forwards(Forwarding *forwarding)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    VALUE_ARRAY_FOREACH(item, value_get(forwarding->request->query, "ports"))
    {
        g_auto(GStrv) parts = g_strsplit(value_text(item), ",", 128);
        for (char **part = parts; *part != NULL; part++)
            g_ptr_array_add(texts, g_strdup(*part));
    }
    if (texts->len == 0)
        return status_bad_request("query parameter \"ports\" is required");
    if (texts->len > 64)
        return status_bad_request("at most 64 ports can be forwarded over one connection");
    for (guint i = 0; i < texts->len; i++) {
        uint16_t port = parse_port(texts->pdata[i]);
        if (port == 0)
            return status_bad_request("invalid port: \"%s\" is not a number from 1 to 65535",
                                      (const char *)texts->pdata[i]);
        Forward *forward = forward_new(forwarding, "", port);
        forward->data = 2 * i;
        forward->error = 2 * i + 1;
    }
    return NULL;
}

static void
start_channels(Forwarding *forwarding)
{
    const GPtrArray *forwards = forwarding->forwards;
    for (guint i = 0; i < forwards->len; i++) {
        const Forward *forward = forwards->pdata[i];
        const uint8_t port[2] = {(uint8_t)(forward->port & 0xff), (uint8_t)(forward->port >> 8)};
        connection_send(&forwarding->base, (int)forward->data, port, sizeof port);
        connection_send(&forwarding->base, (int)forward->error, port, sizeof port);
    }
    /* The first that fails at once is like all of them: they go to the same node. */
    for (guint i = 0; i < forwards->len; i++)
        if (!forward_dial(forwards->pdata[i]))
            return;
}

void
stream_open_forward(Streams *streams, ApiRequest *take, const Value *pod, const Value *node,
                    const HttpRequest *http, HttpResponder *responder)
{
    static const char *const SOCKET[] = {"", "v4.channel.k8s.io", "v4.base64.channel.k8s.io",
                                         "SPDY/3.1+portforward.k8s.io", NULL};
    static const char *const SPDY[] = {"portforward.k8s.io", NULL};
    static const StreamOffer OFFER = {.socket_protocols = SOCKET, .spdy_protocols = SPDY};
    g_autoptr(ApiRequest) request = take;
    g_autoptr(Value) refusal = NULL;
    StreamAgreement agreement;
    if (!stream_negotiate(http, &OFFER, &agreement, &refusal)) {
        streams_answer(responder, refusal);
        return;
    }
    Forwarding *forwarding = g_new0(Forwarding, 1);
    forwarding->forwards = g_ptr_array_new_with_free_func(forward_free);
    forwarding->request = g_steal_pointer(&request);
    forwarding->pod = value_ref(pod);
    forwarding->node = value_ref(node);
    connection_init(&forwarding->base, &FORWARDING_OPS, streams, responder, &agreement);
    if (is_socket(forwarding) && (refusal = ports_as_forwards(forwarding)) != NULL) {
        connection_refuse(&forwarding->base, refusal, false);
        return;
    }
    connection_upgrade(&forwarding->base);
    if (is_socket(forwarding))
        start_channels(forwarding);
}
