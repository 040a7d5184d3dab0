/* What the files of streams*.c share: a client's connection, from its request to its end. */
#pragma once

#include <string.h>

#include "core/api/meta.h"
#include "core/api/status.h"
#include "core/base/limits.h"
#include "core/cluster/streams.h"
#include "core/stream/spdy.h"
#include "core/stream/websocket.h"

struct Streams {
    const Ports *ports;
    ApiServer *server;
    KubeletDialer *dialer;
    GQueue connections; /* of StreamConnection */
};

/* How the bytes travel. */
typedef enum {
    STREAM_SOCKET, /* WebSocket; a message's first byte is its channel */
    STREAM_SPDY,
    STREAM_TUNNEL, /* SPDY within a WebSocket's binary messages */
} StreamForm;

/* What both sides agreed upon. */
typedef struct StreamAgreement {
    StreamForm form;
    const char *protocol; /* static; "" when the client named none */
    bool base64;          /* messages are texts */
    char *accept;         /* Sec-WebSocket-Accept; owned */
} StreamAgreement;

typedef struct StreamOffer {
    const char *const *socket_protocols; /* NULL terminated; "" may be among them */
    const char *const *spdy_protocols;   /* NULL terminated; the first is the default. NULL: no SPDY */
} StreamOffer;

/* False with a Status when the client wants no upgrade, or none that is offered. */
bool stream_negotiate(const HttpRequest *http, const StreamOffer *offer, StreamAgreement *ret_agreement,
                      Value **ret_refusal);

typedef struct StreamConnection StreamConnection;

/* What runs over a connection: one static table for each of commands, forwarding and logs. */
typedef struct StreamConnectionOps {
    /* One message of a STREAM_SOCKET, out of base64. */
    void (*message)(StreamConnection *connection, const uint8_t *bytes, size_t length);
    /* Of the others; as in SpdyHandler. */
    void (*opened)(StreamConnection *connection, uint32_t stream, const Value *headers, bool finished);
    void (*received)(StreamConnection *connection, uint32_t stream, const void *bytes, size_t length, bool finished);
    void (*reset)(StreamConnection *connection, uint32_t stream);
    /* The connection is over: closes its sessions, cancels its timers, frees what it owns beside the base. */
    void (*clear)(StreamConnection *connection);
} StreamConnectionOps;

/* First member of what the ops work on; allocated by g_new0, freed with connection_end or connection_refuse. */
struct StreamConnection {
    const StreamConnectionOps *ops;
    Streams *streams;
    GList link;
    HttpResponder *responder;
    StreamAgreement agreement;
    WebSocket *socket; /* NULL before the upgrade, or with STREAM_SPDY */
    Spdy *spdy;        /* NULL before the upgrade, or with STREAM_SOCKET */
    bool upgraded;
};

/* Takes the agreement. */
void connection_init(StreamConnection *connection, const StreamConnectionOps *ops, Streams *streams,
                     HttpResponder *responder, const StreamAgreement *take);
/* 101 Switching Protocols. */
void connection_upgrade(StreamConnection *connection);
/* Before the upgrade: answers, and frees the connection. With as_text as a kubelet answers, else as the API server. */
void connection_refuse(StreamConnection *connection, const Value *status, bool as_text);
/* Says goodbye, closes and frees the connection; may be called within the ops' functions, as their last act. */
void connection_end(StreamConnection *connection);
/* One message on a STREAM_SOCKET's channel; -1: without a channel. */
void connection_send(StreamConnection *connection, int channel, const void *bytes, size_t length);
/* False when the client takes too little of what is written: the connection was ended. */
bool connection_keeps_up(StreamConnection *connection);

void streams_answer(HttpResponder *responder, const Value *status);
/* What went wrong, without "Internal error occurred: ". */
const char *stream_failure(const Value *status);
bool stream_succeeded(const Value *status); /* NULL too */

/* streams_command.c, streams_forward.c, streams_log.c: each takes the request and answers it in the end. */
typedef void StreamOpen(Streams *streams, ApiRequest *take, const Value *pod, const Value *node, const HttpRequest *http,
                        HttpResponder *responder);
StreamOpen stream_open_command, stream_open_forward, stream_open_log;
