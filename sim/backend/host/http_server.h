/* An HTTPS (or HTTP) server on a listening address, in the GLib main loop of the caller: no threads. It reads requests,
 * checks client certificates against the authority, hands requests to a handler and carries its answers out.
 *
 * Bounds: connections, header size, body size and the time an idle connection may stay are in core/base/limits.h. */
#pragma once

#include "core/http/http.h"
#include "sim/backend/host/pki.h"

typedef struct HttpServer HttpServer;

/* The request and its parts are valid during the call only. The responder lives until its end was called. */
typedef void (*HttpHandler)(const HttpRequest *request, HttpResponder *responder, void *data);

typedef struct HttpServerOptions {
    const char *address; /* "127.0.0.1" */
    guint16 port;        /* 0: any free one; see http_server_port */
    const Pki *pki;      /* NULL: plain HTTP (tests) */
    HttpHandler handler;
    void *data;
} HttpServerOptions;

/* Errors: the address is not one of this machine, or the port is in use (said so, with what to do). */
HttpServer *http_server_new(const HttpServerOptions *options, GError **error);
/* Closes every connection; handlers hear `gone`. */
void http_server_free(HttpServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpServer, http_server_free)
guint16 http_server_port(const HttpServer *server);
