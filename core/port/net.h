/* Port: the network between processes on hosts. Messages carry a reference to an in-memory body (between our own
 * components nothing is serialised). An address is a host (a node's name or an IP address) and a port.
 *
 * Every completion is a later event. When a process dies, its pending calls, listeners and streams die with it: the
 * other ends see NET_RESET (process death) or nothing until their time-out (power loss, partition). */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Net Net;
typedef struct NetStream NetStream;
typedef struct NetServer NetServer;
typedef struct NetReply NetReply; /* the server's handle to answer one call with */

typedef enum {
    NET_OK,
    NET_REFUSED,     /* nobody listens there */
    NET_TIMEOUT,     /* no answer in time: partition, power loss, overload */
    NET_RESET,       /* the other process died or closed */
    NET_UNREACHABLE, /* no such host */
} NetStatus;

/* "connection refused", "i/o timeout", ...: Go's words, as event messages quote them. */
const char *net_status_text(NetStatus status);

typedef struct NetMessage {
    void *body;               /* owned by the message */
    GDestroyNotify free_body; /* may be NULL */
    uint32_t size;            /* bytes it would have on the wire, about; for bandwidth */
    const char *label;        /* static text for pictures: "POST pods"; may be NULL */
} NetMessage;

typedef struct NetAddress {
    const char *host; /* copied by the callee */
    uint16_t port;
} NetAddress;

/* The answer to a call; message is valid (and owned by the callee) when status is NET_OK. */
typedef void (*NetReplyFunc)(NetStatus status, NetMessage message, void *data);

/* Called for an open stream: message (owned by the callee) or the end (status not NET_OK; message empty; the stream
 * is gone after this call). */
typedef void (*NetStreamFunc)(NetStream *stream, NetStatus status, NetMessage message, void *data);

typedef struct NetServerHandler {
    /* A call came in: answer by net_reply, now or in a later event. message is owned by the handler. `from` is the
     * caller's host. */
    void (*call)(NetServer *server, NetMessage message, NetReply *reply, const char *from, void *data);
    /* A stream was opened with this first message: set the stream's receiver by net_stream_receive. May be NULL:
     * streams are refused. */
    void (*open)(NetServer *server, NetMessage message, NetStream *stream, const char *from, void *data);
} NetServerHandler;

typedef struct NetOps {
    NetServer *(*listen)(Net *net, uint16_t port, const NetServerHandler *handler, void *data); /* NULL: port in use */
    void (*close_server)(Net *net, NetServer *server);
    /* `timeout_ns` 0: the back end's default (30 s). Returns an id for cancel_call. */
    uint64_t (*call)(Net *net, NetAddress to, NetMessage take, int64_t timeout_ns, NetReplyFunc done, void *data);
    void (*cancel_call)(Net *net, uint64_t id); /* done will not be called */
    void (*reply)(Net *net, NetReply *reply, NetMessage take);
    NetStream *(*open)(Net *net, NetAddress to, NetMessage take, NetStreamFunc receive, void *data);
    void (*receive)(Net *net, NetStream *stream, NetStreamFunc receive, void *data);
    void (*send)(Net *net, NetStream *stream, NetMessage take); /* in order; lost silently when partitioned */
    /* Ends a stream from this side: its receiver here is not called again; the other side sees NET_RESET. */
    void (*close)(Net *net, NetStream *stream);
    const char *(*host_name)(Net *net); /* of this process */
} NetOps;

struct Net {
    const NetOps *ops;
};
