/* What the net's files share: net.c (topology, faults, transit), net_call.c, net_stream.c, net_request.c. */
#pragma once

#include "sim/backend/simulated/net.h"
#include "sim/engine/trace.h"

typedef struct NetSpace NetSpace;

typedef struct NetHost {
    char *name, *ip;
    NetSpace *space;
    bool power;
    uint64_t seed, sent; /* the stream of jitter */
    uint32_t index;
    SimulatedShape in, out;
    int64_t in_busy, out_busy;
    GQueue ports; /* of NetPort.on_host */
} NetHost;

/* A network namespace. */
struct NetSpace {
    char *ip;
    NetHost *host;
    const SimulatedSpaceOps *ops;
    void *owner;
    GHashTable *listeners; /* port -> NetServer; NULL until needed; looked up only */
    bool gone;
    uint32_t refs;
};

typedef struct NetLink {
    SimulatedShape shape;
    int64_t busy;
} NetLink;

struct SimulatedNet {
    Engine *engine;
    GHashTable *hosts;  /* name -> NetHost */
    GHashTable *spaces; /* IP -> NetSpace */
    GPtrArray *host_list; /* owned, in order of making */
    GHashTable *links;  /* from index << 32 | to index -> NetLink; looked up only */
    GHashTable *calls;  /* id -> NetCall, of those that can be cancelled; looked up only */
    GHashTable *requests; /* id -> NetRequest */
    uint64_t next_id;
    GQueue stalled; /* connections with messages that wait for a mended link */
    SimulatedResolveFunc resolve;
    void *resolve_data;
};

/* A process's own Net. */
typedef struct NetPort {
    Net base;
    SimulatedNet *net;
    EngineProcess *process;
    NetSpace *space;
    char *label; /* "kubelet/node-1" */
    bool dead;
    GQueue servers, calls, replies, ends;
    GList on_host;
} NetPort;

struct NetServer {
    uint32_t refs;
    NetPort *port; /* NULL once closed */
    uint16_t number;
    NetServerHandler handler;
    void *data;
    GList on_port;
};

typedef enum { NET_VIA_OK, NET_VIA_REFUSED, NET_VIA_NO_ROUTE, NET_VIA_DROP } NetVia;

/* Where an address leads, seen from a space: virtual IPs are rewritten. Returns a reference to the space. */
NetVia net_route(SimulatedNet *net, NetSpace *from, const char *address, uint16_t port, NetSpace **ret_to,
                 uint16_t *ret_port);
/* When a message of that size sent now arrives; false: never. */
bool net_transit(SimulatedNet *net, NetHost *from, NetHost *to, uint32_t size, int64_t *ret_arrival);
bool net_is_cut(const SimulatedNet *net, const NetHost *from, const NetHost *to);
NetSpace *net_find_space(const SimulatedNet *net, const char *address);
NetServer *net_find_server(const NetSpace *space, uint16_t port);
NetSpace *net_space_ref(NetSpace *space);
void net_space_unref(NetSpace *space);
NetServer *net_server_ref(NetServer *server);
void net_server_unref(NetServer *server);
void net_message_free(NetMessage *message);
void net_note(NetPort *from, const char *to, const char *label, int64_t arrives, bool lost);

/* net_call.c */
uint64_t net_call_start(Net *base, NetAddress to, NetMessage take, int64_t timeout_ns, NetReplyFunc done, void *data);
void net_call_cancel(Net *base, uint64_t id);
void net_call_reply(Net *base, NetReply *reply, NetMessage take);
void net_call_port_died(NetPort *port);

/* net_stream.c */
NetStream *net_stream_start(Net *base, NetAddress to, NetMessage take, NetStreamFunc receive, void *data);
void net_stream_set_receiver(Net *base, NetStream *stream, NetStreamFunc receive, void *data);
void net_stream_put(Net *base, NetStream *stream, NetMessage take);
void net_stream_end(Net *base, NetStream *stream);
void net_stream_port_died(NetPort *port, bool silent);
void net_stream_links_changed(SimulatedNet *net); /* some link was cut or mended */
void net_stream_free_all(SimulatedNet *net);
