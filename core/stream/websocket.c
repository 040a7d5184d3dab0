/* One WebSocket:
 *
 *   open --(web_socket_close)-> closing: what comes is read and dropped
 *        --(close frame, broken protocol)-> closed told, closing
 *
 * A handler's function may free the socket: then it is freed when the outermost call of ours returns (depth). */
#include "core/stream/websocket.h"

#include <string.h>
#include <wslay/wslay.h>

#include "core/base/limits.h"

struct WebSocket {
    wslay_event_context_ptr context;
    WebSocketHandler handler;
    void *data;
    const uint8_t *input; /* not read yet; during receive */
    size_t input_length;
    unsigned depth;
    bool closing, freed;
};

char *
web_socket_accept(const char *key)
{
    static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    gsize length = 0;
    guint8 digest[20];
    gsize digest_length = sizeof digest;
    if (key == NULL || strlen(key) != 24)
        return NULL;
    g_autofree guchar *nonce = g_base64_decode(key, &length);
    if (length != 16)
        return NULL;
    g_autoptr(GChecksum) sha1 = g_checksum_new(G_CHECKSUM_SHA1);
    g_checksum_update(sha1, (const guchar *)key, -1);
    g_checksum_update(sha1, (const guchar *)GUID, sizeof GUID - 1);
    g_checksum_get_digest(sha1, digest, &digest_length);
    return g_base64_encode(digest, digest_length);
}

static void
socket_enter(WebSocket *socket)
{
    socket->depth++;
}

static void
socket_leave(WebSocket *socket)
{
    if (--socket->depth > 0 || !socket->freed)
        return;
    wslay_event_context_free(socket->context);
    g_free(socket);
}

/* ---- wslay's callbacks -------------------------------------------------------------------------------------------- */

static ssize_t
on_want_input(wslay_event_context_ptr context, uint8_t *buffer, size_t size, int flags, void *data)
{
    WebSocket *socket = data;
    size_t n = MIN(size, socket->input_length);
    if (n == 0 || socket->freed) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(buffer, socket->input, n);
    socket->input += n;
    socket->input_length -= n;
    return (ssize_t)n;
}

static ssize_t
on_output(wslay_event_context_ptr context, const uint8_t *bytes, size_t length, int flags, void *data)
{
    WebSocket *socket = data;
    if (!socket->freed)
        socket->handler.write(bytes, length, socket->data);
    return (ssize_t)length;
}

static void
tell_closed(WebSocket *socket, int code)
{
    if (socket->closing)
        return;
    socket->closing = true;
    if (!wslay_event_get_close_sent(socket->context))
        wslay_event_send(socket->context);
    if (!socket->freed)
        socket->handler.closed(code, socket->data);
}

static void
on_message(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg *arg, void *data)
{
    WebSocket *socket = data;
    if (socket->freed || socket->closing)
        return;
    if (arg->opcode == WSLAY_CONNECTION_CLOSE)
        tell_closed(socket, arg->status_code != 0 ? arg->status_code : WSLAY_CODE_NO_STATUS_RCVD);
    else if (arg->opcode == WSLAY_TEXT_FRAME || arg->opcode == WSLAY_BINARY_FRAME)
        socket->handler.message(arg->opcode == WSLAY_TEXT_FRAME, arg->msg, arg->msg_length,
                                socket->data);
}

/* ---- public ---------------------------------------------------------------------------------------------------------- */

WebSocket *
web_socket_new(const WebSocketHandler *handler, void *data)
{
    static const struct wslay_event_callbacks CALLBACKS = {
        .recv_callback = on_want_input,
        .send_callback = on_output,
        .on_msg_recv_callback = on_message,
    };
    WebSocket *socket = g_new0(WebSocket, 1);
    socket->handler = *handler;
    socket->data = data;
    if (wslay_event_context_server_init(&socket->context, &CALLBACKS, socket) != 0)
        g_error("websocket: out of memory");
    wslay_event_config_set_max_recv_msg_length(socket->context, WEB_SOCKET_MESSAGE_MAX);
    return socket;
}

void
web_socket_free(WebSocket *socket)
{
    if (socket == NULL)
        return;
    socket->freed = true;
    socket_enter(socket);
    socket_leave(socket);
}

void
web_socket_receive(WebSocket *socket, const void *bytes, size_t length)
{
    socket_enter(socket);
    socket->input = bytes;
    socket->input_length = length;
    int code = 0;
    while (socket->input_length > 0 && !socket->freed && code == 0 &&
           wslay_event_get_read_enabled(socket->context))
        code = wslay_event_recv(socket->context);
    socket->input = NULL;
    socket->input_length = 0;
    if (!socket->freed && wslay_event_want_write(socket->context))
        wslay_event_send(socket->context);
    /* What wslay refuses it answers with a close frame and reads no more. */
    if (!socket->freed && !socket->closing &&
        (code != 0 || !wslay_event_get_read_enabled(socket->context)))
        tell_closed(socket, WSLAY_CODE_PROTOCOL_ERROR);
    socket_leave(socket);
}

void
web_socket_send(WebSocket *socket, bool text, const void *bytes, size_t length)
{
    const struct wslay_event_msg message = {
        .opcode = text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
        .msg = length > 0 ? bytes : (const void *)"",
        .msg_length = length,
    };
    if (socket->closing || socket->freed)
        return;
    socket_enter(socket);
    if (wslay_event_queue_msg(socket->context, &message) == 0)
        wslay_event_send(socket->context);
    socket_leave(socket);
}

void
web_socket_close(WebSocket *socket, int code, const char *reason)
{
    if (socket->closing || socket->freed)
        return;
    socket_enter(socket);
    socket->closing = true;
    if (wslay_event_queue_close(socket->context, (uint16_t)code, (const uint8_t *)reason,
                                reason != NULL ? strlen(reason) : 0) == 0)
        wslay_event_send(socket->context);
    socket_leave(socket);
}
