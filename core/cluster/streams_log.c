/* A pod's log over a WebSocket: messages without channels. */
#include "core/cluster/streams_private.h"

typedef struct LogConnection {
    StreamConnection base;
    KubeletSession *session; /* NULL: over */
} LogConnection;

static void
log_message(StreamConnection *base, const uint8_t *bytes, size_t length)
{
}

static void
log_clear(StreamConnection *base)
{
    LogConnection *log = (LogConnection *)base;
    if (log->session != NULL)
        kubelet_session_close(log->session);
}

static const StreamConnectionOps LOG_OPS = {.message = log_message, .clear = log_clear};

static void
on_accepted(void *data)
{
    connection_upgrade(data);
}

static void
on_received(int channel, const void *bytes, size_t length, void *data)
{
    StreamConnection *connection = data;
    if (connection_keeps_up(connection))
        connection_send(connection, -1, bytes, length);
}

static void
on_ended(const Value *status, void *data)
{
    LogConnection *log = data;
    log->session = NULL;
    if (log->base.upgraded)
        connection_end(&log->base);
    else
        connection_refuse(&log->base, status, false);
}

void
stream_open_log(Streams *streams, ApiRequest *take, const Value *pod, const Value *node, const HttpRequest *http,
                HttpResponder *responder)
{
    static const char *const PROTOCOLS[] = {"", "binary.k8s.io", "base64.binary.k8s.io", NULL};
    static const StreamOffer OFFER = {.socket_protocols = PROTOCOLS};
    static const ApiStreamHandler HANDLER = {on_received, on_ended};
    g_autoptr(ApiRequest) request = take;
    g_autoptr(Value) refusal = NULL;
    StreamAgreement agreement;
    if (!stream_negotiate(http, &OFFER, &agreement, &refusal)) {
        streams_answer(responder, refusal);
        return;
    }
    LogConnection *log = g_new0(LogConnection, 1);
    connection_init(&log->base, &LOG_OPS, streams, responder, &agreement);
    log->session = kubelet_dialer_open(streams->dialer, node, pod, request, &HANDLER, log, &refusal);
    if (log->session == NULL)
        connection_refuse(&log->base, refusal, false);
    else
        kubelet_session_on_accepted(log->session, on_accepted);
}
