/* The server's side of a WebSocket (RFC 6455): bytes in, bytes out, over wslay. Fragments are joined, pings are answered,
 * what breaks the protocol closes. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct WebSocket WebSocket;

typedef struct WebSocketHandler {
    /* Bytes for the client, called within receive, send and close. */
    void (*write)(const void *bytes, size_t length, void *data);
    void (*message)(bool text, const void *bytes, size_t length, void *data);
    /* Once: the client closes or broke the protocol; the answering close frame has been written, nothing more is
     * received. code: of its close frame, 1005 for none, 1002 and others for what it did wrong. */
    void (*closed)(int code, void *data);
} WebSocketHandler;

#define WEB_SOCKET_CLOSE_NORMAL 1000
#define WEB_SOCKET_CLOSE_POLICY 1008
#define WEB_SOCKET_CLOSE_INTERNAL 1011

/* Sec-WebSocket-Accept for this Sec-WebSocket-Key (owned); NULL when the key is not 16 bytes in base64. */
char *web_socket_accept(const char *key);

WebSocket *web_socket_new(const WebSocketHandler *handler, void *data);
/* May be called from the handler's functions; none is called afterwards. Accepts NULL. */
void web_socket_free(WebSocket *socket);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WebSocket, web_socket_free)
void web_socket_receive(WebSocket *socket, const void *bytes, size_t length);
/* One message of any length; dropped after web_socket_close. */
void web_socket_send(WebSocket *socket, bool text, const void *bytes, size_t length);
/* Says goodbye: a close frame. `closed` is not called afterwards. reason: at most 123 bytes, or NULL. */
void web_socket_close(WebSocket *socket, int code, const char *reason);
