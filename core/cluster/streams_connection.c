/* A client's connection:
 *
 *   made (connection_init) --> refused: answered, freed
 *                          --> upgraded --(either side is through)--> ended: closed, freed
 *                          --> the client is gone: freed
 */
#include "core/cluster/streams_private.h"
#include "core/object/json.h"

void
streams_answer(HttpResponder *responder, const Value *status)
{
    static const HttpHeader HEADERS[] = {{"Content-Type", "application/json"}};
    g_autofree char *text = json_text(status);
    size_t length = strlen(text);
    g_autoptr(GBytes) bytes = g_bytes_new_take(g_steal_pointer(&text), length);
    responder->ops->start(responder, status_code(status), HEADERS, 1, (gint64)length);
    responder->ops->write(responder, bytes);
    responder->ops->end(responder);
}

const char *
stream_failure(const Value *status)
{
    const char *cause = value_string_at(status, "details.causes[0].message");
    return cause != NULL && strcmp(status_reason(status), "InternalError") == 0
               ? cause
               : status_message(status);
}

bool
stream_succeeded(const Value *status)
{
    return status == NULL || strcmp(value_text_at(status, "status"), "Success") == 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------------ */

static void
connection_free(StreamConnection *connection)
{
    HttpResponder *responder = connection->responder;
    connection->ops->clear(connection);
    g_queue_unlink(&connection->streams->connections, &connection->link);
    spdy_free(connection->spdy);
    web_socket_free(connection->socket);
    g_free(connection->agreement.accept);
    g_free(connection);
    if (responder != NULL)
        responder->ops->end(responder);
}

static void
client_is_gone(void *data)
{
    connection_free(data);
}

void
connection_init(StreamConnection *connection, const StreamConnectionOps *ops, Streams *streams,
                HttpResponder *responder, const StreamAgreement *take)
{
    connection->ops = ops;
    connection->streams = streams;
    connection->responder = responder;
    connection->agreement = *take;
    connection->link.data = connection;
    g_queue_push_tail_link(&streams->connections, &connection->link);
    responder->ops->on_gone(responder, client_is_gone, connection);
}

static void
answer_text(HttpResponder *responder, int code, const char *text)
{
    static const HttpHeader HEADERS[] = {{"Content-Type", "text/plain; charset=utf-8"}};
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    responder->ops->start(responder, code, HEADERS, 1, (gint64)strlen(text));
    responder->ops->write(responder, bytes);
    responder->ops->end(responder);
}

void
connection_refuse(StreamConnection *connection, const Value *status, bool as_text)
{
    HttpResponder *responder = g_steal_pointer(&connection->responder);
    g_autoptr(Value) kept = value_ref(status);
    connection_free(connection);
    if (as_text)
        answer_text(responder, status_code(kept), stream_failure(kept));
    else
        streams_answer(responder, kept);
}

void
connection_end(StreamConnection *connection)
{
    if (connection->spdy != NULL)
        spdy_goaway(connection->spdy);
    if (connection->socket != NULL)
        web_socket_close(connection->socket, WEB_SOCKET_CLOSE_NORMAL, NULL);
    connection_free(connection);
}

/* ---- bytes --------------------------------------------------------------------------------------------------------------- */

static void
write_raw(const void *bytes, size_t length, void *data)
{
    StreamConnection *connection = data;
    g_autoptr(GBytes) copy = g_bytes_new(bytes, length);
    connection->responder->ops->write(connection->responder, copy);
}

static void
write_tunnelled(const void *bytes, size_t length, void *data)
{
    StreamConnection *connection = data;
    web_socket_send(connection->socket, false, bytes, length);
}

bool
connection_keeps_up(StreamConnection *connection)
{
    if (connection->responder->ops->backlog(connection->responder) <= HTTP_BACKLOG_MAX)
        return true;
    connection_end(connection);
    return false;
}

void
connection_send(StreamConnection *connection, int channel, const void *bytes, size_t length)
{
    const bool base64 = connection->agreement.base64;
    g_autofree char *coded = base64 ? g_base64_encode(length > 0 ? bytes : "", length) : NULL;
    const void *body = base64 ? coded : bytes;
    size_t body_length = base64 ? strlen(coded) : length;
    g_autoptr(GByteArray) message = g_byte_array_sized_new((guint)body_length + 1);
    const uint8_t head = (uint8_t)(base64 ? '0' + channel : channel);
    if (channel >= 0)
        g_byte_array_append(message, &head, 1);
    if (body_length > 0)
        g_byte_array_append(message, body, (guint)body_length);
    web_socket_send(connection->socket, base64, message->data, message->len);
}

/* ---- what comes in ------------------------------------------------------------------------------------------------------ */

static void
on_message(bool text, const void *bytes, size_t length, void *data)
{
    StreamConnection *connection = data;
    if (connection->agreement.form == STREAM_TUNNEL) {
        spdy_receive(connection->spdy, bytes, length);
        return;
    }
    if (length == 0)
        return;
    if (!connection->agreement.base64) {
        connection->ops->message(connection, bytes, length);
        return;
    }
    g_autofree char *coded = g_strndup((const char *)bytes + 1, length - 1);
    gsize decoded_length = 0;
    g_autofree guchar *decoded = g_base64_decode(coded, &decoded_length);
    g_autoptr(GByteArray) message = g_byte_array_new();
    const uint8_t channel = (uint8_t)(*(const uint8_t *)bytes - '0');
    g_byte_array_append(message, &channel, 1);
    g_byte_array_append(message, decoded, (guint)decoded_length);
    connection->ops->message(connection, message->data, message->len);
}

static void
on_socket_closed(int code, void *data)
{
    connection_free(data);
}

static void
on_opened(uint32_t stream, const Value *headers, bool finished, void *data)
{
    StreamConnection *connection = data;
    connection->ops->opened(connection, stream, headers, finished);
}

static void
on_data(uint32_t stream, const void *bytes, size_t length, bool finished, void *data)
{
    StreamConnection *connection = data;
    connection->ops->received(connection, stream, bytes, length, finished);
}

static void
on_reset(uint32_t stream, void *data)
{
    StreamConnection *connection = data;
    connection->ops->reset(connection, stream);
}

static void
on_spdy_closed(const char *why, void *data)
{
    connection_end(data);
}

static void
on_bytes(const void *bytes, size_t length, void *data)
{
    StreamConnection *connection = data;
    if (length == 0)
        connection_free(connection);
    else if (connection->socket != NULL)
        web_socket_receive(connection->socket, bytes, length);
    else
        spdy_receive(connection->spdy, bytes, length);
}

void
connection_upgrade(StreamConnection *connection)
{
    static const WebSocketHandler SOCKET = {write_raw, on_message, on_socket_closed};
    static const SpdyHandler SPDY = {write_raw, on_opened, on_data, on_reset, on_spdy_closed};
    static const SpdyHandler TUNNELLED = {write_tunnelled, on_opened, on_data, on_reset, on_spdy_closed};
    const StreamAgreement *agreement = &connection->agreement;
    const bool spdy = agreement->form == STREAM_SPDY;
    HttpHeader headers[3] = {{"Upgrade", spdy ? "SPDY/3.1" : "websocket"}};
    size_t n = 1;
    if (!spdy)
        headers[n++] = (HttpHeader){"Sec-WebSocket-Accept", agreement->accept};
    if (*agreement->protocol != '\0')
        headers[n++] = (HttpHeader){spdy ? "X-Stream-Protocol-Version" : "Sec-WebSocket-Protocol",
                                    agreement->protocol};
    if (!spdy)
        connection->socket = web_socket_new(&SOCKET, connection);
    if (agreement->form != STREAM_SOCKET)
        connection->spdy = spdy_new(spdy ? &SPDY : &TUNNELLED, connection);
    connection->upgraded = true;
    connection->responder->ops->upgrade(connection->responder, headers, n, on_bytes, connection);
}
