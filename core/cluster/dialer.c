#include "core/cluster/dialer.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/status.h"
#include "core/cluster/private.h"
#include "core/object/json.h"

struct KubeletDialer {
    const Ports *ports;
    GQueue sessions; /* of KubeletSession */
    uint64_t next_id;
};

struct KubeletSession {
    KubeletDialer *dialer;
    GList link;
    uint64_t id;
    KubeletRequestKind kind;
    char *host;
    NetStream *stream;
    ApiStreamHandler handler;
    void (*accepted)(void *data);
    void *data;
};

static void
session_free(KubeletSession *session)
{
    g_queue_unlink(&session->dialer->sessions, &session->link);
    g_free(session->host);
    g_free(session);
}

static void
session_end(KubeletSession *session, const Value *status)
{
    const ApiStreamHandler handler = session->handler;
    void *data = session->data;
    session_free(session);
    handler.ended(status, data);
}

/* ---- what the kubelet says ---------------------------------------------------------------------------------- */

static Value *
exit_status(KubeletRequestKind kind, int code, const char *error)
{
    if (error != NULL)
        return status_internal("%s%s",
                               kind == KUBELET_EXEC     ? "error executing command in container: "
                               : kind == KUBELET_ATTACH ? "error attaching to container: "
                                                        : "",
                               error);
    if (code == 0 || kind == KUBELET_ATTACH) /* who only watched is not told how it ended */
        return value_new_f("{kind: Status, apiVersion: v1, metadata: {}, status: Success}");
    g_autofree char *text = g_strdup_printf("%d", code);
    g_autofree char *message =
        g_strdup_printf("command terminated with non-zero exit code: exit status %d", code);
    return value_new_f("{kind: Status, apiVersion: v1, metadata: {}, status: Failure, message: %s,"
                       " reason: NonZeroExitCode,"
                       " details: {causes: [{reason: ExitCode, message: %s}]}, code: 500}",
                       message, text);
}

static Value *
refusal_status(const KubeletFrame *frame)
{
    if (frame->code == 404)
        return status_new(404, "NotFound", "%s", frame->text);
    if (frame->code == 400)
        return status_bad_request("%s", frame->text);
    return status_internal("%s", frame->text != NULL ? frame->text : "the kubelet refused");
}

static void
session_frame(KubeletSession *session, const KubeletFrame *frame)
{
    g_autoptr(Value) status = NULL;
    switch (frame->kind) {
    case KUBELET_ACCEPTED:
        if (session->accepted != NULL)
            session->accepted(session->data);
        break;
    case KUBELET_DATA: {
        size_t length;
        const void *bytes = g_bytes_get_data(frame->bytes, &length);
        session->handler.received(frame->channel, bytes, length, session->data);
        break;
    }
    case KUBELET_REFUSED:
    case KUBELET_END: {
        status = frame->kind == KUBELET_END ? exit_status(session->kind, frame->code, frame->text)
                                            : refusal_status(frame);
        Net *net = session->dialer->ports->net;
        net->ops->close(net, session->stream);
        session_end(session, status);
        break;
    }
    default:
        break;
    }
}

static void
session_received(NetStream *stream, NetStatus net_status, NetMessage message, void *data)
{
    KubeletSession *session = data;
    if (net_status == NET_OK) {
        KubeletFrame *frame = message.body;
        session_frame(session, frame);
        kubelet_frame_free(frame);
        return;
    }
    g_autofree char *text = g_strdup_printf("dial tcp %s:%d: %s", session->host, KUBELET_PORT,
                                            net_status_text(net_status));
    g_autoptr(Value) status = status_internal("%s", text);
    session_end(session, status);
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

KubeletSession *
kubelet_dialer_open(KubeletDialer *dialer, const Value *node, const Value *pod,
                    const ApiRequest *request, const ApiStreamHandler *handler, void *data,
                    Value **ret_refusal)
{
    static const char *const LABELS[] = {"GET containerLogs", "POST exec", "POST attach",
                                         "POST portForward"};
    const char *host = node != NULL ? node_internal_ip(node) : "";
    if (*host == '\0') {
        *ret_refusal = status_bad_request("pod %s does not have a host assigned", object_name(pod));
        return NULL;
    }
    KubeletRequest *kubelet = dialer_request(pod, request, ret_refusal);
    if (kubelet == NULL)
        return NULL;
    KubeletSession *session = g_new0(KubeletSession, 1);
    session->dialer = dialer;
    session->id = ++dialer->next_id;
    session->kind = kubelet->kind;
    session->host = g_strdup(host);
    session->handler = *handler;
    session->data = data;
    session->link.data = session;
    g_queue_push_tail_link(&dialer->sessions, &session->link);
    Net *net = dialer->ports->net;
    const NetMessage hello = {.body = kubelet,
                              .free_body = (GDestroyNotify)kubelet_request_free,
                              .size = 512,
                              .label = LABELS[kubelet->kind]};
    session->stream = net->ops->open(net, (NetAddress){host, KUBELET_PORT}, hello,
                                     session_received, session);
    return session;
}

/* ---- sending ------------------------------------------------------------------------------------------------------- */

static KubeletFrame *
resize_frame(const void *bytes, size_t length)
{
    g_autoptr(Value) size = json_parse(bytes, length, NULL);
    KubeletFrame *frame = kubelet_frame_new(KUBELET_RESIZE);
    frame->columns = (unsigned)CLAMP(value_int_at(size, "Width"), 0, 65535);
    frame->rows = (unsigned)CLAMP(value_int_at(size, "Height"), 0, 65535);
    return frame;
}

void
kubelet_session_send(KubeletSession *session, int channel, const void *bytes, size_t length)
{
    Net *net = session->dialer->ports->net;
    KubeletFrame *frame;
    if (channel == 4)
        frame = resize_frame(bytes, length);
    else if (length == 0)
        frame = kubelet_frame_new(KUBELET_CLOSE_INPUT);
    else
        frame = kubelet_frame_data(KUBELET_STDIN, bytes, length);
    net->ops->send(net, session->stream,
                   (NetMessage){.body = frame,
                                .free_body = (GDestroyNotify)kubelet_frame_free,
                                .size = (uint32_t)length + 16});
}

void
kubelet_session_on_accepted(KubeletSession *session, void (*accepted)(void *data))
{
    session->accepted = accepted;
}

void
kubelet_session_close(KubeletSession *session)
{
    Net *net = session->dialer->ports->net;
    net->ops->close(net, session->stream);
    session_free(session);
}

/* ---- logs as chunks, for the API server ------------------------------------------------------------------------------ */

typedef struct LogChunks {
    void (*chunk)(const char *bytes, size_t length, Value *error, void *data);
    void *data;
} LogChunks;

static void
log_received(int channel, const void *bytes, size_t length, void *data)
{
    LogChunks *log = data;
    log->chunk(bytes, length, NULL, log->data);
}

static void
log_ended(const Value *status, void *data)
{
    LogChunks *log = data;
    bool good = status == NULL || strcmp(value_text(value_get(status, "status")), "Success") == 0;
    log->chunk(NULL, 0, good ? NULL : (Value *)status, log->data);
    g_free(log);
}

static const ApiStreamHandler LOG_HANDLER = {.received = log_received, .ended = log_ended};

typedef struct RefusedLog {
    LogChunks *log;
    Value *status;
} RefusedLog;

/* The port promises its answers for later events. */
static void
tell_refusal(void *data)
{
    RefusedLog *refused = data;
    log_ended(refused->status, refused->log);
    value_unref(refused->status);
    g_free(refused);
}

static uint64_t
port_open(void *data, const Value *node, const Value *pod, const ApiRequest *request,
          void (*chunk)(const char *, size_t, Value *, void *), void *chunk_data)
{
    KubeletDialer *dialer = data;
    LogChunks *log = g_new0(LogChunks, 1);
    log->chunk = chunk;
    log->data = chunk_data;
    Value *refusal = NULL;
    KubeletSession *session =
        kubelet_dialer_open(dialer, node, pod, request, &LOG_HANDLER, log, &refusal);
    if (session != NULL)
        return session->id;
    RefusedLog *refused = g_new0(RefusedLog, 1);
    refused->log = log;
    refused->status = refusal;
    clock_timer_in(dialer->ports->clock, 0, tell_refusal, refused);
    return ++dialer->next_id;
}

static void
port_cancel(void *data, uint64_t id)
{
    KubeletDialer *dialer = data;
    for (GList *item = dialer->sessions.head; item != NULL; item = item->next) {
        KubeletSession *session = item->data;
        if (session->id == id) {
            g_free(session->data);
            kubelet_session_close(session);
            return;
        }
    }
}

ApiKubeletDialer
kubelet_dialer_port(KubeletDialer *dialer)
{
    return (ApiKubeletDialer){.open = port_open, .cancel = port_cancel, .data = dialer};
}

KubeletDialer *
kubelet_dialer_new(const Ports *ports)
{
    KubeletDialer *dialer = g_new0(KubeletDialer, 1);
    dialer->ports = ports;
    return dialer;
}

void
kubelet_dialer_free(KubeletDialer *dialer)
{
    g_autoptr(Value) gone = status_unavailable("the API server was stopped");
    while (!g_queue_is_empty(&dialer->sessions)) {
        KubeletSession *session = g_queue_peek_head(&dialer->sessions);
        if (session->handler.ended != log_ended) {
            session_end(session, gone);
            continue;
        }
        g_free(session->data);
        session_free(session);
    }
    g_free(dialer);
}
