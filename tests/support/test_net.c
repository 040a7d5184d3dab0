/* The network in memory. A Call lives until it was answered, timed out or was cancelled; a message
 * under way is a Delivery; a stream is a pair of ends that know each other. */
#include <stddef.h>
#include <string.h>

#include "tests/support/test_world.h"

#define HOST_OF(net_) ((TestHost *)((char *)(net_)-offsetof(TestHost, net)))
#define CALL_TIMEOUT_NS (30 * NS_PER_S)
#define STREAM_TIMEOUT_NS (45 * NS_PER_S)

struct NetServer {
    TestHost *host;
    uint16_t port;
    const NetServerHandler *handler;
    void *data;
};

struct NetReply {
    TestWorld *world;
    TestHost *from; /* who answers */
    uint64_t call;
};

typedef struct {
    uint64_t id;
    TestHost *host; /* of the caller */
    char *to;
    uint16_t port;
    NetMessage message;
    NetStatus status;
    uint64_t event, timeout;
    NetReplyFunc done;
    void *data;
    NetReply reply;
} Call;

struct NetStream {
    TestHost *host;
    NetStream *peer; /* NULL: gone */
    char *to;        /* of an end that is being opened */
    uint16_t port;
    NetStreamFunc receive;
    void *data;
    GQueue inbox; /* Delivery under way to this end */
    bool closed;
};

typedef struct {
    NetStream *stream;
    NetStatus status;
    NetMessage message;
    uint64_t event;
} Delivery;

static void
message_clear(NetMessage *message)
{
    if (message->free_body != NULL && message->body != NULL)
        message->free_body(message->body);
    *message = (NetMessage){0};
}

static NetServer *
find_server(TestWorld *world, const char *name, uint16_t port)
{
    TestHost *host = test_host_find(world, name);
    for (unsigned i = 0; host != NULL && i < host->servers->len; i++) {
        NetServer *server = host->servers->pdata[i];
        if (server->port == port)
            return server;
    }
    return NULL;
}

static bool
can_reach(TestWorld *world, const TestHost *from, const char *name)
{
    const TestHost *to = test_host_find(world, name);
    return !from->down && (to == NULL || !to->down);
}

/* ---- servers
 * ------------------------------------------------------------------------------------------- */

static NetServer *
net_listen(Net *net, uint16_t port, const NetServerHandler *handler, void *data)
{
    TestHost *host = HOST_OF(net);
    if (find_server(host->world, host->name, port) != NULL)
        return NULL;
    NetServer *server = g_new0(NetServer, 1);
    *server = (NetServer){.host = host, .port = port, .handler = handler, .data = data};
    g_ptr_array_add(host->servers, server);
    return server;
}

static void
net_close_server(Net *net, NetServer *server)
{
    g_ptr_array_remove(HOST_OF(net)->servers, server);
}

/* ---- calls
 * --------------------------------------------------------------------------------------------- */

static void
call_free(Call *call)
{
    TestWorld *world = call->host->world;
    test_event_cancel(world, call->event);
    test_event_cancel(world, call->timeout);
    g_hash_table_remove(world->calls, &call->id);
    message_clear(&call->message);
    g_free(call->to);
    g_free(call);
}

static void
call_answer(void *data)
{
    Call *call = data;
    call->event = 0;
    NetMessage message = call->message;
    call->message = (NetMessage){0};
    NetReplyFunc done = call->done;
    void *done_data = call->data;
    NetStatus status = call->status;
    call_free(call);
    done(status, message, done_data);
}

static void
call_fail_later(Call *call, NetStatus status)
{
    call->status = status;
    call->event = test_event_at(call->host->world, call->host->world->now + TEST_LATENCY_NS,
                                call_answer, call);
}

static void
call_arrive(void *data)
{
    Call *call = data;
    TestWorld *world = call->host->world;
    call->event = 0;
    NetMessage message = call->message;
    call->message = (NetMessage){0};
    NetServer *server = find_server(world, call->to, call->port);
    if (!can_reach(world, call->host, call->to)) {
        message_clear(&message); /* the time-out will tell */
    } else if (server == NULL) {
        message_clear(&message);
        call_fail_later(call,
                        test_host_find(world, call->to) == NULL ? NET_UNREACHABLE : NET_REFUSED);
    } else {
        NetReply *reply = g_new0(NetReply, 1);
        *reply = (NetReply){.world = world, .from = server->host, .call = call->id};
        server->handler->call(server, message, reply, call->host->name, server->data);
    }
}

static void
call_timeout(void *data)
{
    Call *call = data;
    call->timeout = 0;
    test_event_cancel(call->host->world, call->event);
    message_clear(&call->message);
    call->status = NET_TIMEOUT;
    call_answer(call);
}

static uint64_t
net_call(Net *net, NetAddress to, NetMessage take, int64_t timeout_ns, NetReplyFunc done,
         void *data)
{
    TestHost *host = HOST_OF(net);
    TestWorld *world = host->world;
    Call *call = g_new0(Call, 1);
    *call = (Call){.id = ++world->next_call,
                   .host = host,
                   .to = g_strdup(to.host),
                   .port = to.port,
                   .message = take,
                   .done = done,
                   .data = data};
    g_hash_table_insert(world->calls, &call->id, call);
    call->event = test_event_at(world, world->now + TEST_LATENCY_NS, call_arrive, call);
    call->timeout = test_event_at(
        world, world->now + (timeout_ns > 0 ? timeout_ns : CALL_TIMEOUT_NS), call_timeout, call);
    return call->id;
}

static void
net_cancel_call(Net *net, uint64_t id)
{
    Call *call = g_hash_table_lookup(HOST_OF(net)->world->calls, &id);
    if (call != NULL)
        call_free(call);
}

static void
net_reply(Net *net, NetReply *reply, NetMessage take)
{
    g_autofree NetReply *owned = reply;
    Call *call = g_hash_table_lookup(owned->world->calls, &owned->call);
    if (call == NULL || owned->from->down || call->host->down) {
        message_clear(&take);
        return;
    }
    call->message = take;
    call_fail_later(call, NET_OK);
}

/* ---- streams
 * ------------------------------------------------------------------------------------------- */

static void
stream_free(NetStream *stream)
{
    Delivery *delivery;
    while ((delivery = g_queue_pop_head(&stream->inbox)) != NULL) {
        test_event_cancel(stream->host->world, delivery->event);
        message_clear(&delivery->message);
        g_free(delivery);
    }
    if (stream->peer != NULL)
        stream->peer->peer = NULL;
    g_ptr_array_remove(stream->host->world->streams, stream);
    g_free(stream->to);
    g_free(stream);
}

static void stream_open_arrive(void *data);

static void
stream_deliver(void *data)
{
    g_autofree Delivery *delivery = data;
    NetStream *stream = delivery->stream;
    g_queue_remove(&stream->inbox, delivery);
    NetStreamFunc receive = stream->receive;
    void *receive_data = stream->data;
    if (delivery->status != NET_OK) {
        stream_free(stream);
        if (receive != NULL)
            receive(stream, delivery->status, (NetMessage){0}, receive_data);
    } else if (receive != NULL) {
        receive(stream, NET_OK, delivery->message, receive_data);
    } else {
        message_clear(&delivery->message);
    }
}

static Delivery *
stream_post(NetStream *to, NetStatus status, NetMessage message, int64_t delay_ns, ClockFunc func)
{
    Delivery *delivery = g_new0(Delivery, 1);
    *delivery = (Delivery){.stream = to, .status = status, .message = message};
    TestWorld *world = to->host->world;
    g_queue_push_tail(&to->inbox, delivery);
    delivery->event = test_event_at(world, world->now + delay_ns, func, delivery);
    return delivery;
}

static NetStream *
stream_new(TestHost *host)
{
    NetStream *stream = g_new0(NetStream, 1);
    stream->host = host;
    g_ptr_array_add(host->world->streams, stream);
    return stream;
}

static void
stream_open_arrive(void *data)
{
    g_autofree Delivery *delivery = data;
    NetStream *stream = delivery->stream;
    TestWorld *world = stream->host->world;
    g_queue_remove(&stream->inbox, delivery);
    NetServer *server = find_server(world, stream->to, stream->port);
    if (!can_reach(world, stream->host, stream->to)) {
        message_clear(&delivery->message);
        stream_post(stream, NET_TIMEOUT, (NetMessage){0}, CALL_TIMEOUT_NS, stream_deliver);
        return;
    }
    if (server == NULL || server->handler->open == NULL) {
        message_clear(&delivery->message);
        bool known = test_host_find(world, stream->to) != NULL;
        stream_post(stream, known ? NET_REFUSED : NET_UNREACHABLE, (NetMessage){0}, TEST_LATENCY_NS,
                    stream_deliver);
        return;
    }
    NetStream *other = stream_new(server->host);
    other->peer = stream;
    stream->peer = other;
    server->handler->open(server, delivery->message, other, stream->host->name, server->data);
}

static NetStream *
net_open(Net *net, NetAddress to, NetMessage take, NetStreamFunc receive, void *data)
{
    NetStream *stream = stream_new(HOST_OF(net));
    stream->to = g_strdup(to.host);
    stream->port = to.port;
    stream->receive = receive;
    stream->data = data;
    stream_post(stream, NET_OK, take, TEST_LATENCY_NS, stream_open_arrive);
    return stream;
}

static void
net_receive(Net *net, NetStream *stream, NetStreamFunc receive, void *data)
{
    stream->receive = receive;
    stream->data = data;
}

static void
net_send(Net *net, NetStream *stream, NetMessage take)
{
    if (stream->peer == NULL) {
        message_clear(&take);
        return;
    }
    if (!stream->host->down && !stream->peer->host->down) {
        stream_post(stream->peer, NET_OK, take, TEST_LATENCY_NS, stream_deliver);
        return;
    }
    message_clear(&take);
    if (!stream->closed) { /* lost: both ends find out when their keep-alives do */
        stream->closed = stream->peer->closed = true;
        stream_post(stream->peer, NET_TIMEOUT, (NetMessage){0}, STREAM_TIMEOUT_NS, stream_deliver);
        stream_post(stream, NET_TIMEOUT, (NetMessage){0}, STREAM_TIMEOUT_NS, stream_deliver);
    }
}

static void
net_close(Net *net, NetStream *stream)
{
    if (stream->peer != NULL)
        stream_post(stream->peer, NET_RESET, (NetMessage){0}, TEST_LATENCY_NS, stream_deliver);
    stream_free(stream);
}

static const char *
net_host_name(Net *net)
{
    return HOST_OF(net)->name;
}

static const NetOps net_ops = {
    .listen = net_listen,
    .close_server = net_close_server,
    .call = net_call,
    .cancel_call = net_cancel_call,
    .reply = net_reply,
    .open = net_open,
    .receive = net_receive,
    .send = net_send,
    .close = net_close,
    .host_name = net_host_name,
};

/* ---- life
 * ---------------------------------------------------------------------------------------------- */

void
test_net_init(TestHost *host)
{
    host->net.ops = &net_ops;
    host->servers = g_ptr_array_new_with_free_func(g_free);
}

void
test_net_clear_host(TestHost *host)
{
    g_ptr_array_unref(host->servers);
}

void
test_net_clear(TestWorld *world)
{
    GHashTableIter iter;
    void *value;
    for (;;) { /* the order of freeing has no effects */
        g_hash_table_iter_init(&iter, world->calls);
        if (!g_hash_table_iter_next(&iter, NULL, &value))
            break;
        call_free(value);
    }
    while (world->streams->len > 0)
        stream_free(world->streams->pdata[0]);
}
