/* The REST face's two sides: a request as bytes that some server read from a socket, and a responder that writes the answer.
 * No sockets here: sim/backend/host serves them, tests call them directly. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct HttpHeader {
    const char *name; /* as sent; compare without case */
    const char *value;
} HttpHeader;

typedef struct HttpRequest {
    const char *method;        /* "GET" */
    const char *target;        /* path and query as sent: "/api/v1/pods?limit=500" */
    const HttpHeader *headers; /* in the order sent, repeated ones too */
    size_t n_headers;
    const void *body;
    size_t body_length;
    /* Of a verified client certificate: its subject; NULL without one. organizations is NULL terminated. */
    const char *peer_common_name;
    const char *const *peer_organizations;
    const char *peer_address; /* "127.0.0.1:50404" */
    bool secure;              /* came over TLS */
} HttpRequest;

/* First value of a header, or NULL. */
const char *http_request_header(const HttpRequest *request, const char *name);

typedef struct HttpResponder HttpResponder;

/* How an answer goes out. start comes once, then any number of writes, then end; all may come in later events than the
 * request. Bytes are copied or taken as said. A responder whose client went away swallows what it is given and says so by
 * `gone` (set by http_responder_on_gone), after which end must still be called once. */
typedef struct HttpResponderOps {
    /* length: of the body when known, -1 for a stream (chunked). */
    void (*start)(HttpResponder *responder, int code, const HttpHeader *headers, size_t n_headers, gint64 length);
    void (*write)(HttpResponder *responder, GBytes *bytes); /* borrowed: takes its own reference */
    void (*end)(HttpResponder *responder);
    /* Calls func once when the client goes away before the end. */
    void (*on_gone)(HttpResponder *responder, void (*func)(void *data), void *data);
    /* Bytes written and not yet taken by the client: a stream that grows beyond its bound is to be ended. */
    size_t (*backlog)(HttpResponder *responder);
    /* 101 Switching Protocols: afterwards raw bytes go both ways. received gets what the client sends (length 0: it closed).
     * NULL when the server cannot. After start-less upgrade use write and end as before. */
    void (*upgrade)(HttpResponder *responder, const HttpHeader *headers, size_t n_headers,
                    void (*received)(const void *bytes, size_t length, void *data), void *data);
} HttpResponderOps;

struct HttpResponder {
    const HttpResponderOps *ops;
};
