/* Streams: messages in order, both ways.
 *
 * A connection has two ends. An end is open from its making until its owner closes it, its process dies, or it was told
 * the end. Messages to an end travel as events of its process. In a cut they wait in `waiting` of their direction
 * (TCP sends them again), and the connection dies NET_STREAM_DEAD_NS after the first wait or after the other side
 * vanished silently; `doubt` is the event that decides so. */
#include "sim/backend/simulated/net_private.h"

#define RESEND_NS (200 * NS_PER_MS) /* how long after a link was mended TCP tries again */

typedef struct Connection Connection;

struct NetStream {
    Connection *connection;
    NetPort *port; /* NULL: closed or never opened */
    NetSpace *space;
    NetStreamFunc receive;
    void *data;
    int64_t last_arrival; /* at this end: order is kept */
    GQueue waiting;       /* of Parcel, to this end */
    GList on_port;
    bool vanished; /* its process or host went without a word */
};

struct Connection {
    uint32_t refs;
    SimulatedNet *net;
    NetStream ends[2]; /* 0: who opened it */
    uint16_t number;
    NetServer *server; /* while the opening travels */
    EventId doubt;
    bool opening; /* what the opener sends meanwhile waits */
    bool stalled;
    GList on_stalled;
};

typedef struct Parcel {
    NetStream *to;
    NetStatus status; /* not NET_OK: the end */
    NetMessage message;
} Parcel;

static NetStream *
other_end(NetStream *end)
{
    Connection *connection = end->connection;
    return end == &connection->ends[0] ? &connection->ends[1] : &connection->ends[0];
}

static void
parcel_free_message(Parcel *parcel)
{
    net_message_free(&parcel->message);
    g_free(parcel);
}

static void
leave_stalled(Connection *connection)
{
    if (connection->stalled)
        g_queue_unlink(&connection->net->stalled, &connection->on_stalled);
    connection->stalled = false;
    for (int i = 0; i < 2; i++) {
        Parcel *parcel;
        while ((parcel = g_queue_pop_head(&connection->ends[i].waiting)) != NULL)
            parcel_free_message(parcel);
    }
}

static void
connection_unref(Connection *connection)
{
    if (--connection->refs > 0)
        return;
    leave_stalled(connection);
    engine_cancel_slot(connection->net->engine, &connection->doubt);
    for (int i = 0; i < 2; i++)
        net_space_unref(connection->ends[i].space);
    net_server_unref(connection->server);
    g_free(connection);
}

/* The end is heard of no more. Gives up its reference. */
static void
detach_end(NetStream *end)
{
    if (end->port == NULL)
        return;
    g_queue_unlink(&end->port->ends, &end->on_port);
    end->port = NULL;
    connection_unref(end->connection);
}

static void
attach_end(NetStream *end, NetPort *port)
{
    end->port = port;
    end->on_port.data = end;
    g_queue_push_tail_link(&port->ends, &end->on_port);
    end->connection->refs++;
}

static void
tell_end(NetStream *end, NetStatus status)
{
    if (end->port == NULL)
        return;
    Connection *connection = end->connection;
    connection->refs++;
    NetStreamFunc receive = end->receive;
    void *data = end->data;
    g_queue_unlink(&end->port->ends, &end->on_port);
    end->port = NULL;
    if (receive != NULL)
        receive(end, status, (NetMessage){0}, data);
    connection_unref(connection);
    connection_unref(connection);
}

/* ---- doubt ---- */

static bool
end_is_lost(NetStream *end)
{
    NetStream *other = other_end(end);
    return other->vanished || net_is_cut(end->connection->net, end->space->host, other->space->host) ||
           net_is_cut(end->connection->net, other->space->host, end->space->host);
}

static void
doubt_ends(void *data)
{
    Connection *connection = data;
    connection->doubt = 0;
    connection->refs++;
    bool lost[2];
    for (int i = 0; i < 2; i++)
        lost[i] = end_is_lost(&connection->ends[i]);
    if (lost[0] || lost[1])
        leave_stalled(connection);
    for (int i = 0; i < 2; i++)
        if (lost[i])
            tell_end(&connection->ends[i], NET_TIMEOUT);
    connection_unref(connection);
}

static void
start_doubt(Connection *connection, int64_t delay)
{
    if (connection->doubt == 0)
        connection->doubt = engine_in(connection->net->engine, NULL, delay, doubt_ends, connection);
}

/* ---- parcels ---- */

static void
parcel_arrives(void *data)
{
    Parcel *parcel = data;
    NetStream *end = parcel->to;
    Connection *connection = end->connection;
    NetMessage message = parcel->message;
    NetStatus status = parcel->status;
    g_free(parcel);
    if (status != NET_OK)
        tell_end(end, status);
    else if (end->port != NULL && end->receive != NULL)
        end->receive(end, NET_OK, message, end->data);
    else
        net_message_free(&message);
    connection_unref(connection);
}

static void
parcel_dropped(void *data)
{
    Parcel *parcel = data;
    Connection *connection = parcel->to->connection;
    parcel_free_message(parcel);
    connection_unref(connection);
}

static void
stall(NetStream *end, Parcel *parcel)
{
    Connection *connection = end->connection;
    if (end->waiting.length >= NET_STALLED_MAX) {
        parcel_free_message(parcel);
        return;
    }
    g_queue_push_tail(&end->waiting, parcel);
    if (!connection->stalled) {
        connection->stalled = true;
        connection->on_stalled.data = connection;
        g_queue_push_tail_link(&connection->net->stalled, &connection->on_stalled);
    }
    start_doubt(connection, NET_STREAM_DEAD_NS);
}

static void
send_parcel(NetStream *end, Parcel *parcel, int64_t extra_delay)
{
    Connection *connection = end->connection;
    int64_t arrival;
    if (end->waiting.length > 0 || !net_transit(connection->net, other_end(end)->space->host, end->space->host,
                                                parcel->message.size, &arrival)) {
        stall(end, parcel);
        return;
    }
    end->last_arrival = MAX(arrival + extra_delay, end->last_arrival);
    connection->refs++;
    engine_at_take(connection->net->engine, end->port->process, end->last_arrival, parcel_arrives, parcel,
                   parcel_dropped);
}

static Parcel *
parcel_new(NetStream *to, NetStatus status, NetMessage message)
{
    Parcel *parcel = g_new(Parcel, 1);
    *parcel = (Parcel){.to = to, .status = status, .message = message};
    return parcel;
}

/* What waited for this end goes off. */
static void
resend(NetStream *end, int64_t extra_delay)
{
    GQueue waiting = end->waiting;
    g_queue_init(&end->waiting);
    Parcel *parcel;
    while ((parcel = g_queue_pop_head(&waiting)) != NULL) {
        if (end->port != NULL)
            send_parcel(end, parcel, extra_delay);
        else
            parcel_free_message(parcel);
    }
}

static bool
is_mended(const Connection *connection)
{
    NetHost *a = connection->ends[0].space->host, *b = connection->ends[1].space->host;
    return !net_is_cut(connection->net, a, b) && !net_is_cut(connection->net, b, a);
}

/* Doubts every stream that crosses a cut; lets go what waited where it is mended. */
void
net_stream_links_changed(SimulatedNet *net)
{
    for (guint i = 0; i < net->host_list->len; i++) {
        NetHost *host = net->host_list->pdata[i];
        bool shaped = !host->power || host->in.cut || host->out.cut || g_hash_table_size(net->links) > 0;
        for (GList *item = shaped ? host->ports.head : NULL; item != NULL; item = item->next)
            for (GList *end = ((NetPort *)item->data)->ends.head; end != NULL; end = end->next) {
                Connection *connection = ((NetStream *)end->data)->connection;
                if (connection->ends[1].space != NULL && !is_mended(connection))
                    start_doubt(connection, NET_STREAM_DEAD_NS);
            }
    }
    for (guint n = net->stalled.length; n > 0; n--) {
        Connection *connection = net->stalled.head->data;
        g_queue_unlink(&net->stalled, &connection->on_stalled);
        connection->stalled = false;
        if (is_mended(connection)) {
            connection->refs++;
            resend(&connection->ends[0], RESEND_NS);
            resend(&connection->ends[1], RESEND_NS);
            connection_unref(connection);
        } else {
            connection->stalled = true;
            g_queue_push_tail_link(&net->stalled, &connection->on_stalled);
        }
    }
}

/* ---- opening ---- */

static void
refuse(Connection *connection, NetStatus status, int64_t delay)
{
    NetStream *opener = &connection->ends[0];
    if (opener->port == NULL)
        return;
    connection->refs++;
    engine_at_take(connection->net->engine, opener->port->process, engine_now(connection->net->engine) + delay,
                   parcel_arrives, parcel_new(opener, status, (NetMessage){0}), parcel_dropped);
}

static void
opening_arrives(void *data)
{
    Parcel *parcel = data;
    NetStream *end = parcel->to;
    Connection *connection = end->connection;
    NetServer *server = connection->server;
    NetMessage message = parcel->message;
    g_free(parcel);
    connection->opening = false;
    if (server->port == NULL || server->handler.open == NULL) {
        net_message_free(&message);
        refuse(connection, NET_REFUSED, NET_LATENCY_NS);
    } else if (connection->ends[0].port == NULL && !connection->ends[0].vanished) {
        net_message_free(&message); /* closed meanwhile */
    } else {
        attach_end(end, server->port);
        server->handler.open(server, message, end, connection->ends[0].space->host->name, server->data);
        resend(end, 0);
    }
    connection_unref(connection);
}

static void
opening_dropped(void *data)
{
    Parcel *parcel = data;
    Connection *connection = parcel->to->connection;
    parcel_free_message(parcel);
    if (connection->ends[1].space->host->power)
        refuse(connection, NET_RESET, NET_LATENCY_NS);
    connection_unref(connection);
}

static void
deliver_opening(Parcel *parcel, int64_t arrival)
{
    Connection *connection = parcel->to->connection;
    engine_at_take(connection->net->engine, connection->server->port->process, arrival, opening_arrives, parcel,
                   opening_dropped);
}

static void
opening_knocks(void *data)
{
    Parcel *parcel = data;
    Connection *connection = parcel->to->connection;
    NetSpace *space = parcel->to->space;
    NetServer *server = space->gone ? NULL : net_find_server(space, connection->number);
    if (server != NULL) {
        connection->server = net_server_ref(server);
        deliver_opening(parcel, engine_now(connection->net->engine));
        return;
    }
    parcel_free_message(parcel);
    refuse(connection, space->gone ? NET_UNREACHABLE : NET_REFUSED, NET_LATENCY_NS);
    connection_unref(connection);
}

static void
send_opening(Connection *connection, NetPort *port, const char *address, NetMessage message)
{
    SimulatedNet *net = connection->net;
    NetStream *end = &connection->ends[1];
    int64_t arrival;
    NetVia via = net_route(net, port->space, address, connection->number, &end->space, &connection->number);
    const char *label = message.label;
    if (via != NET_VIA_OK) {
        net_message_free(&message);
        end->space = net_space_ref(port->space);
        int64_t delay = via == NET_VIA_REFUSED ? NET_LOOPBACK_NS
                        : via == NET_VIA_DROP  ? NET_CALL_TIMEOUT_NS
                                               : NET_NO_ROUTE_NS;
        refuse(connection, via == NET_VIA_REFUSED ? NET_REFUSED : via == NET_VIA_DROP ? NET_TIMEOUT : NET_UNREACHABLE,
               delay);
        return;
    }
    NetServer *server = net_find_server(end->space, connection->number);
    bool arrives = net_transit(net, port->space->host, end->space->host, message.size, &arrival);
    net_note(port, server != NULL ? server->port->label : end->space->host->name, label,
             arrives ? arrival : engine_now(net->engine), !arrives);
    if (!arrives) {
        net_message_free(&message);
        refuse(connection, NET_TIMEOUT, NET_CALL_TIMEOUT_NS);
        return;
    }
    Parcel *parcel = parcel_new(end, NET_OK, message);
    connection->refs++;
    if (server != NULL) {
        connection->server = net_server_ref(server);
        deliver_opening(parcel, arrival);
    } else {
        engine_at_take(net->engine, NULL, arrival, opening_knocks, parcel, parcel_dropped);
    }
}

NetStream *
net_stream_start(Net *base, NetAddress to, NetMessage take, NetStreamFunc receive, void *data)
{
    NetPort *port = (NetPort *)base;
    if (port->dead) {
        net_message_free(&take);
        return NULL;
    }
    Connection *connection = g_new0(Connection, 1);
    connection->refs = 1;
    connection->net = port->net;
    connection->number = to.port;
    connection->opening = true;
    for (int i = 0; i < 2; i++)
        connection->ends[i].connection = connection;
    NetStream *end = &connection->ends[0];
    end->space = net_space_ref(port->space);
    end->receive = receive;
    end->data = data;
    attach_end(end, port);
    send_opening(connection, port, to.host, take);
    connection_unref(connection);
    return end;
}

/* ---- use ---- */

void
net_stream_set_receiver(Net *base, NetStream *stream, NetStreamFunc receive, void *data)
{
    if (((NetPort *)base)->dead || stream->port == NULL)
        return;
    stream->receive = receive;
    stream->data = data;
}

void
net_stream_put(Net *base, NetStream *stream, NetMessage take)
{
    NetPort *port = (NetPort *)base;
    if (port->dead || stream->port == NULL) {
        net_message_free(&take);
        return;
    }
    NetStream *to = other_end(stream);
    if (to->vanished) { /* it cannot know yet */
        net_message_free(&take);
        start_doubt(stream->connection, NET_STREAM_DEAD_NS);
        return;
    }
    if (stream->connection->opening && to->waiting.length < NET_STALLED_MAX) {
        g_queue_push_tail(&to->waiting, parcel_new(to, NET_OK, take));
        return;
    }
    if (to->port == NULL) { /* closed over there; the end is on its way here */
        net_message_free(&take);
        return;
    }
    net_note(port, to->port->label, take.label, engine_now(port->net->engine), false);
    send_parcel(to, parcel_new(to, NET_OK, take), 0);
}

/* The other side learns of the end by a message; in a cut it learns by its own doubt. */
static void
send_end(NetStream *to)
{
    if (to->port == NULL)
        return;
    send_parcel(to, parcel_new(to, NET_RESET, (NetMessage){0}), 0);
}

void
net_stream_end(Net *base, NetStream *stream)
{
    if (((NetPort *)base)->dead || stream == NULL || stream->port == NULL)
        return;
    Connection *connection = stream->connection;
    connection->refs++;
    detach_end(stream);
    send_end(other_end(stream));
    connection_unref(connection);
}

void
net_stream_port_died(NetPort *port, bool silent)
{
    while (port->ends.head != NULL) {
        NetStream *end = port->ends.head->data;
        Connection *connection = end->connection;
        connection->refs++;
        detach_end(end);
        if (silent || !end->space->host->power) {
            end->vanished = true;
            start_doubt(connection, NET_STREAM_DEAD_NS);
        } else {
            send_end(other_end(end));
        }
        connection_unref(connection);
    }
}

void
net_stream_free_all(SimulatedNet *net)
{
    while (net->stalled.head != NULL)
        leave_stalled(net->stalled.head->data);
}
