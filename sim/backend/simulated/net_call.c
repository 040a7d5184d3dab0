/* Calls: one request, one answer.
 *
 * A NetCall is held by its caller's port (until it is done, timed out or cancelled), by the message that carries it, and
 * by the server's port while the handler owes an answer. `caller` NULL: nobody waits any more.
 *
 *   sent -> (arrives) owed -> (reply) answered -> done      net_call_start, call_arrives, net_call_reply, answer_arrives
 *   sent, owed -> done with RESET                           the server's process died (send_status)
 *   any -> done with TIMEOUT                                call_times_out */
#include "sim/backend/simulated/net_private.h"

typedef struct NetCall NetCall;

struct NetReply {
    NetCall *call;
    NetPort *server; /* NULL: not owed (yet, or any more) */
    GList on_server;
};

struct NetCall {
    uint32_t refs;
    gint64 id;
    SimulatedNet *net;
    NetPort *caller;
    NetSpace *from, *to;
    NetServer *server; /* while the request travels to it */
    uint16_t number;
    NetReplyFunc done;
    void *data;
    EventId timer;
    GList on_caller;
    NetReply reply;
    NetStatus status;   /* of the answer that travels */
    NetMessage message; /* request, then answer */
};

static void
call_unref(void *data)
{
    NetCall *call = data;
    if (--call->refs > 0)
        return;
    net_message_free(&call->message);
    net_space_unref(call->from);
    net_space_unref(call->to);
    net_server_unref(call->server);
    g_free(call);
}

/* The caller stops waiting. */
static void
forget_caller(NetCall *call)
{
    if (call->caller == NULL)
        return;
    g_queue_unlink(&call->caller->calls, &call->on_caller);
    g_hash_table_remove(call->net->calls, &call->id);
    call->caller = NULL;
    engine_cancel_slot(call->net->engine, &call->timer);
    call_unref(call);
}

static void
finish(NetCall *call, NetStatus status)
{
    if (call->caller == NULL)
        return;
    NetMessage message = {0};
    if (status == NET_OK) {
        message = call->message;
        call->message = (NetMessage){0};
    }
    NetReplyFunc done = call->done;
    void *data = call->data;
    forget_caller(call);
    done(status, message, data);
}

static void
call_times_out(void *data)
{
    NetCall *call = data;
    call->timer = 0;
    call->refs++;
    finish(call, NET_TIMEOUT);
    call_unref(call);
}

static void
answer_arrives(void *data)
{
    NetCall *call = data;
    finish(call, call->status);
    call_unref(call);
}

/* Sends what is in call->message (or a bare status) back; takes a reference. */
static void
send_answer(NetCall *call, NetStatus status)
{
    int64_t arrival;
    if (call->caller == NULL || !net_transit(call->net, call->to->host, call->from->host, call->message.size, &arrival))
        return;
    call->status = status;
    call->refs++;
    engine_at_take(call->net->engine, call->caller->process, arrival, answer_arrives, call, call_unref);
}

/* The request reached its server's process. */
static void
call_arrives(void *data)
{
    NetCall *call = data;
    NetServer *server = call->server;
    if (server->port == NULL) {
        send_answer(call, NET_REFUSED);
        call_unref(call);
        return;
    }
    NetMessage message = call->message;
    call->message = (NetMessage){0};
    call->reply = (NetReply){.call = call, .server = server->port, .on_server.data = &call->reply};
    g_queue_push_tail_link(&server->port->replies, &call->reply.on_server); /* keeps the message's reference */
    server->handler.call(server, message, &call->reply, call->from->host->name, server->data);
}

/* The request will not be delivered: its server's process died before it ran, or the world ends. */
static void
call_dropped(void *data)
{
    NetCall *call = data;
    net_message_free(&call->message);
    send_answer(call, NET_RESET);
    call_unref(call);
}

static void
deliver(NetCall *call, int64_t arrival)
{
    engine_at_take(call->net->engine, call->server->port->process, arrival, call_arrives, call, call_dropped);
}

/* Nobody listened when it was sent: perhaps somebody does now. */
static void
call_knocks(void *data)
{
    NetCall *call = data;
    NetServer *server = call->to->gone ? NULL : net_find_server(call->to, call->number);
    if (server != NULL && call->caller != NULL) {
        call->server = net_server_ref(server);
        deliver(call, engine_now(call->net->engine));
        return;
    }
    net_message_free(&call->message);
    if (!call->to->gone)
        send_answer(call, NET_REFUSED);
    call_unref(call);
}

static void
refuse_later(NetCall *call, NetStatus status, int64_t delay)
{
    call->status = status;
    net_message_free(&call->message);
    call->refs++;
    engine_at_take(call->net->engine, call->caller->process, engine_now(call->net->engine) + delay, answer_arrives, call,
                   call_unref);
}

static void
send_request(NetCall *call, const char *address)
{
    SimulatedNet *net = call->net;
    int64_t arrival;
    NetVia via = net_route(net, call->from, address, call->number, &call->to, &call->number);
    if (via == NET_VIA_DROP)
        return;
    if (via != NET_VIA_OK) {
        net_note(call->caller, address, call->message.label, engine_now(net->engine), true);
        bool refused = via == NET_VIA_REFUSED;
        refuse_later(call, refused ? NET_REFUSED : NET_UNREACHABLE, refused ? NET_LOOPBACK_NS : NET_NO_ROUTE_NS);
        return;
    }
    NetServer *server = net_find_server(call->to, call->number);
    const char *target = server != NULL ? server->port->label : call->to->host->name;
    bool arrives = net_transit(net, call->from->host, call->to->host, call->message.size, &arrival);
    net_note(call->caller, target, call->message.label, arrives ? arrival : engine_now(net->engine), !arrives);
    if (!arrives)
        return;
    call->refs++;
    if (server != NULL) {
        call->server = net_server_ref(server);
        deliver(call, arrival);
    } else {
        engine_at_take(net->engine, NULL, arrival, call_knocks, call, call_unref);
    }
}

uint64_t
net_call_start(Net *base, NetAddress to, NetMessage take, int64_t timeout_ns, NetReplyFunc done, void *data)
{
    NetPort *port = (NetPort *)base;
    if (port->dead) {
        net_message_free(&take);
        return 0;
    }
    SimulatedNet *net = port->net;
    NetCall *call = g_new0(NetCall, 1);
    *call = (NetCall){.refs = 1,
                      .id = (gint64)++net->next_id,
                      .net = net,
                      .caller = port,
                      .from = net_space_ref(port->space),
                      .number = to.port,
                      .done = done,
                      .data = data,
                      .message = take};
    call->on_caller.data = call;
    g_queue_push_tail_link(&port->calls, &call->on_caller);
    g_hash_table_insert(net->calls, &call->id, call);
    call->timer = engine_in(net->engine, port->process, timeout_ns > 0 ? timeout_ns : NET_CALL_TIMEOUT_NS,
                            call_times_out, call);
    uint64_t id = (uint64_t)call->id;
    send_request(call, to.host);
    return id;
}

void
net_call_cancel(Net *base, uint64_t id)
{
    NetPort *port = (NetPort *)base;
    gint64 key = (gint64)id;
    NetCall *call = port->dead ? NULL : g_hash_table_lookup(port->net->calls, &key);
    if (call != NULL && call->caller == port)
        forget_caller(call);
}

static void
stop_owing(NetReply *reply)
{
    g_queue_unlink(&reply->server->replies, &reply->on_server);
    reply->server = NULL;
}

void
net_call_reply(Net *base, NetReply *reply, NetMessage take)
{
    if (((NetPort *)base)->dead) { /* the call was reset when the process died */
        net_message_free(&take);
        return;
    }
    NetCall *call = reply->call;
    stop_owing(reply);
    call->message = take;
    send_answer(call, NET_OK);
    call_unref(call);
}

void
net_call_port_died(NetPort *port)
{
    while (port->calls.head != NULL)
        forget_caller(port->calls.head->data);
    while (port->replies.head != NULL) {
        NetReply *reply = port->replies.head->data;
        NetCall *call = reply->call;
        stop_owing(reply);
        send_answer(call, NET_RESET); /* lost by itself when the host has no power */
        call_unref(call);
    }
}
