/* Topology, faults, and how long a message takes. Hash tables here are looked up only; everything that is walked is a
 * list in order of making, so no hash order reaches an outcome.
 *
 * Invariant: a space is in `spaces` under its IP until it is removed; whoever keeps a space holds a reference and looks
 * at `gone`. A listener is in its space's table exactly while its server has a port. */
#include "sim/backend/simulated/net.h"

#include <string.h>

#include "sim/backend/simulated/net_private.h"

#define RETRANSMIT_NS (200 * NS_PER_MS) /* TCP's first; doubles */
#define RETRANSMIT_TRIES 8

/* ---- small helpers ---- */

NetSpace *
net_space_ref(NetSpace *space)
{
    space->refs++;
    return space;
}

void
net_space_unref(NetSpace *space)
{
    if (space == NULL || --space->refs > 0)
        return;
    if (space->listeners != NULL)
        g_hash_table_unref(space->listeners);
    g_free(space->ip);
    g_free(space);
}

NetServer *
net_server_ref(NetServer *server)
{
    server->refs++;
    return server;
}

void
net_server_unref(NetServer *server)
{
    if (server != NULL && --server->refs == 0)
        g_free(server);
}

void
net_message_free(NetMessage *message)
{
    if (message->free_body != NULL)
        message->free_body(message->body);
    *message = (NetMessage){0};
}

void
net_note(NetPort *from, const char *to, const char *label, int64_t arrives, bool lost)
{
    EngineTrace *trace = engine_trace(from->net->engine);
    engine_trace_message(trace, &(TraceMessage){.time = engine_now(from->net->engine),
                                                .arrives = arrives,
                                                .from = from->label,
                                                .to = to,
                                                .label = label,
                                                .lost = lost});
}

static NetHost *
find_host(const SimulatedNet *net, const char *name)
{
    return name != NULL ? g_hash_table_lookup(net->hosts, name) : NULL;
}

NetSpace *
net_find_space(const SimulatedNet *net, const char *address)
{
    NetSpace *space = g_hash_table_lookup(net->spaces, address);
    if (space != NULL)
        return space;
    NetHost *host = find_host(net, address);
    return host != NULL ? host->space : NULL;
}

NetServer *
net_find_server(const NetSpace *space, uint16_t port)
{
    return space->listeners != NULL ? g_hash_table_lookup(space->listeners, GUINT_TO_POINTER(port)) : NULL;
}

/* ---- transit ---- */

static NetLink *
find_link(const SimulatedNet *net, const NetHost *from, const NetHost *to)
{
    gint64 key = (gint64)((uint64_t)from->index << 32 | to->index);
    return g_hash_table_size(net->links) > 0 ? g_hash_table_lookup(net->links, &key) : NULL;
}

bool
net_is_cut(const SimulatedNet *net, const NetHost *from, const NetHost *to)
{
    if (!from->power || !to->power)
        return true;
    if (from == to)
        return false;
    const NetLink *link = find_link(net, from, to);
    return from->out.cut || to->in.cut || (link != NULL && link->shape.cut);
}

static uint64_t
next_number(NetHost *host)
{
    uint64_t z = host->seed + ++host->sent * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Adds what a shape costs to *arrival; false: lost for good. */
static bool
pass_shape(NetHost *from, const SimulatedShape *shape, int64_t *busy, uint32_t size, int64_t now, int64_t *arrival)
{
    *arrival += shape->delay_ns;
    if (shape->jitter_ns > 0)
        *arrival += (int64_t)(next_number(from) % (uint64_t)shape->jitter_ns);
    if (shape->bandwidth > 0) {
        int64_t start = MAX(now, *busy);
        *busy = start + (int64_t)((__int128)size * NS_PER_S / shape->bandwidth);
        *arrival += *busy - now;
    }
    int64_t wait = RETRANSMIT_NS;
    for (int try = 0; shape->loss_ppm > 0 && next_number(from) % 1000000 < shape->loss_ppm; try++, wait *= 2) {
        if (try == RETRANSMIT_TRIES)
            return false;
        *arrival += wait;
    }
    return true;
}

bool
net_transit(SimulatedNet *net, NetHost *from, NetHost *to, uint32_t size, int64_t *ret_arrival)
{
    int64_t now = engine_now(net->engine), arrival = now;
    if (net_is_cut(net, from, to))
        return false;
    if (from == to) {
        *ret_arrival = now + NET_LOOPBACK_NS;
        return true;
    }
    arrival += NET_LATENCY_NS + (int64_t)(next_number(from) % (uint64_t)NET_JITTER_NS);
    NetLink *link = find_link(net, from, to);
    if (!pass_shape(from, &from->out, &from->out_busy, size, now, &arrival) ||
        (link != NULL && !pass_shape(from, &link->shape, &link->busy, size, now, &arrival)) ||
        !pass_shape(from, &to->in, &to->in_busy, size, now, &arrival))
        return false;
    *ret_arrival = arrival;
    return true;
}

/* One look at a host's rewriting rules; NET_VIA_OK also when they have nothing to say. */
static NetVia
rewrite(SimulatedNet *net, const char *host, const char *source, NetEndpoint *endpoint, bool *ret_rewritten)
{
    *ret_rewritten = false;
    if (net->resolve == NULL)
        return NET_VIA_OK;
    NetEndpoint result;
    switch (net->resolve(host, source, endpoint->ip, endpoint->port, "TCP", &result, net->resolve_data)) {
    case NET_RESOLVE_PASS:
        return NET_VIA_OK;
    case NET_RESOLVE_TO:
        *endpoint = result;
        *ret_rewritten = true;
        return NET_VIA_OK;
    case NET_RESOLVE_REJECT:
        return NET_VIA_REFUSED;
    case NET_RESOLVE_DROP:
        return NET_VIA_DROP;
    }
    g_assert_not_reached();
}

NetVia
net_route(SimulatedNet *net, NetSpace *from, const char *address, uint16_t port, NetSpace **ret_to, uint16_t *ret_port)
{
    NetEndpoint endpoint = {.port = port};
    NetHost *named = find_host(net, address);
    bool local = strcmp(address, "127.0.0.1") == 0 || strcmp(address, "localhost") == 0 || strcmp(address, "::1") == 0;
    g_strlcpy(endpoint.ip, local ? from->ip : named != NULL ? named->ip : address, sizeof endpoint.ip);
    bool rewritten;
    NetVia via = rewrite(net, from->host->name, from->ip, &endpoint, &rewritten);
    NetSpace *to = via == NET_VIA_OK ? net_find_space(net, endpoint.ip) : NULL;
    /* A node port is rewritten where it arrives. */
    if (to != NULL && !rewritten && to == to->host->space && to->host != from->host) {
        via = rewrite(net, to->host->name, from->ip, &endpoint, &rewritten);
        to = via == NET_VIA_OK ? net_find_space(net, endpoint.ip) : NULL;
    }
    if (via != NET_VIA_OK)
        return via;
    if (to == NULL)
        return NET_VIA_NO_ROUTE;
    *ret_to = net_space_ref(to);
    *ret_port = endpoint.port;
    return NET_VIA_OK;
}

/* ---- a process's Net ---- */

static NetServer *
port_listen(Net *base, uint16_t number, const NetServerHandler *handler, void *data)
{
    NetPort *port = (NetPort *)base;
    if (port->dead || port->space->gone || net_find_server(port->space, number) != NULL)
        return NULL;
    if (port->space->listeners == NULL)
        port->space->listeners = g_hash_table_new(NULL, NULL);
    NetServer *server = g_new0(NetServer, 1);
    *server = (NetServer){.refs = 1, .port = port, .number = number, .handler = *handler, .data = data};
    server->on_port.data = server;
    g_queue_push_tail_link(&port->servers, &server->on_port);
    g_hash_table_insert(port->space->listeners, GUINT_TO_POINTER(number), server);
    return server;
}

static void
close_server(NetServer *server)
{
    NetPort *port = server->port;
    if (port == NULL)
        return;
    g_hash_table_remove(port->space->listeners, GUINT_TO_POINTER(server->number));
    g_queue_unlink(&port->servers, &server->on_port);
    server->port = NULL;
    net_server_unref(server);
}

static void
port_close_server(Net *base, NetServer *server)
{
    if (!((NetPort *)base)->dead && server != NULL)
        close_server(server);
}

static const char *
port_host_name(Net *base)
{
    return ((NetPort *)base)->space->host->name;
}

static const NetOps port_ops = {
    .listen = port_listen,
    .close_server = port_close_server,
    .call = net_call_start,
    .cancel_call = net_call_cancel,
    .reply = net_call_reply,
    .open = net_stream_start,
    .receive = net_stream_set_receiver,
    .send = net_stream_put,
    .close = net_stream_end,
    .host_name = port_host_name,
};

static void
port_died(EngineProcess *process, EngineDeath death, void *data)
{
    NetPort *port = data;
    while (port->servers.head != NULL)
        close_server(port->servers.head->data);
    net_call_port_died(port);
    net_stream_port_died(port, death == ENGINE_DEATH_POWER_LOSS);
    g_queue_unlink(&port->space->host->ports, &port->on_host);
    port->dead = true;
}

static void
port_free(void *data)
{
    NetPort *port = data;
    g_assert(port->dead);
    net_space_unref(port->space);
    g_free(port->label);
    g_free(port);
}

void
simulated_net_attach(SimulatedNet *net, EngineProcess *process, const char *address)
{
    NetSpace *space = net_find_space(net, address != NULL ? address : engine_process_host(process));
    g_assert(space != NULL);
    NetPort *port = g_new0(NetPort, 1);
    port->base.ops = &port_ops;
    port->net = net;
    port->process = process;
    port->space = net_space_ref(space);
    port->label = g_strconcat(engine_process_name(process), "/", space->host->name, NULL);
    port->on_host.data = port;
    g_queue_push_tail_link(&space->host->ports, &port->on_host);
    engine_process_on_death(process, port_died, port);
    engine_process_set_net(process, &port->base, port_free);
}

/* ---- topology ---- */

static NetSpace *
add_space(SimulatedNet *net, const char *ip, NetHost *host)
{
    NetSpace *space = g_new0(NetSpace, 1);
    *space = (NetSpace){.ip = g_strdup(ip), .host = host, .refs = 1};
    g_hash_table_insert(net->spaces, space->ip, space);
    return space;
}

void
simulated_net_add_host(SimulatedNet *net, const char *name, const char *ip)
{
    NetHost *host = find_host(net, name);
    if (host != NULL) {
        host->power = true;
        return;
    }
    g_assert(g_hash_table_lookup(net->spaces, ip) == NULL);
    host = g_new0(NetHost, 1);
    host->name = g_strdup(name);
    host->ip = g_strdup(ip);
    host->power = true;
    host->index = net->host_list->len;
    g_autofree char *stream = g_strconcat("net/", name, NULL);
    host->seed = engine_derive_seed(net->engine, stream);
    host->space = add_space(net, ip, host);
    g_queue_init(&host->ports);
    g_ptr_array_add(net->host_list, host);
    g_hash_table_insert(net->hosts, host->name, host);
}

void
simulated_net_remove_host(SimulatedNet *net, const char *name)
{
    simulated_net_set_power(net, name, false);
}

const char *
simulated_net_host_ip(const SimulatedNet *net, const char *name)
{
    const NetHost *host = find_host(net, name);
    return host != NULL ? host->ip : NULL;
}

bool
simulated_net_has_address(const SimulatedNet *net, const char *address)
{
    return net_find_space(net, address) != NULL;
}

const char *
simulated_net_host_of(const SimulatedNet *net, const char *address)
{
    const NetSpace *space = net_find_space(net, address);
    return space != NULL ? space->host->name : NULL;
}

void
simulated_net_add_address(SimulatedNet *net, const char *ip, const char *host_name, const SimulatedSpaceOps *ops,
                          void *owner)
{
    NetHost *host = find_host(net, host_name);
    g_assert(host != NULL && g_hash_table_lookup(net->spaces, ip) == NULL);
    NetSpace *space = add_space(net, ip, host);
    space->ops = ops;
    space->owner = owner;
}

void
simulated_net_set_owner(SimulatedNet *net, const char *address, const SimulatedSpaceOps *ops, void *owner)
{
    NetSpace *space = net_find_space(net, address);
    if (space == NULL)
        return;
    space->ops = ops;
    space->owner = owner;
}

void
simulated_net_remove_address(SimulatedNet *net, const char *ip)
{
    NetSpace *space = g_hash_table_lookup(net->spaces, ip);
    if (space == NULL || space == space->host->space)
        return;
    g_hash_table_remove(net->spaces, ip);
    for (GList *item = space->host->ports.head; space->listeners != NULL && item != NULL; item = item->next) {
        NetPort *port = item->data;
        while (port->space == space && port->servers.head != NULL)
            close_server(port->servers.head->data);
    }
    space->gone = true;
    space->ops = NULL;
    net_space_unref(space);
}

void
simulated_net_set_resolver(SimulatedNet *net, SimulatedResolveFunc func, void *data)
{
    net->resolve = func;
    net->resolve_data = data;
}

/* ---- faults ---- */

bool
simulated_net_shape(SimulatedNet *net, const char *from_name, const char *to_name, const SimulatedShape *shape)
{
    NetHost *from = find_host(net, from_name), *to = find_host(net, to_name);
    SimulatedShape wanted = shape != NULL ? *shape : (SimulatedShape){0};
    if ((from_name != NULL && from == NULL) || (to_name != NULL && to == NULL) || (from == NULL && to == NULL))
        return false;
    if (from != NULL && to != NULL) {
        NetLink *link = find_link(net, from, to);
        if (link == NULL) {
            gint64 *key = g_new(gint64, 1);
            *key = (gint64)((uint64_t)from->index << 32 | to->index);
            link = g_new0(NetLink, 1);
            g_hash_table_insert(net->links, key, link);
        }
        link->shape = wanted;
    } else {
        *(from != NULL ? &from->out : &to->in) = wanted;
    }
    net_stream_links_changed(net);
    return true;
}

bool
simulated_net_partition(SimulatedNet *net, const char *a, const char *b)
{
    const SimulatedShape cut = {.cut = true};
    return simulated_net_shape(net, a, b, &cut) && simulated_net_shape(net, b, a, &cut);
}

void
simulated_net_heal(SimulatedNet *net)
{
    g_hash_table_remove_all(net->links);
    for (guint i = 0; i < net->host_list->len; i++) {
        NetHost *host = net->host_list->pdata[i];
        host->in = host->out = (SimulatedShape){0};
        host->in_busy = host->out_busy = 0;
    }
    net_stream_links_changed(net);
}

bool
simulated_net_can_reach(const SimulatedNet *net, const char *from, const char *to)
{
    const NetSpace *a = net_find_space(net, from), *b = net_find_space(net, to);
    return a != NULL && b != NULL && !net_is_cut(net, a->host, b->host);
}

void
simulated_net_set_power(SimulatedNet *net, const char *name, bool on)
{
    NetHost *host = find_host(net, name);
    if (host == NULL || host->power == on)
        return;
    host->power = on;
    net_stream_links_changed(net);
}

bool
simulated_net_has_power(const SimulatedNet *net, const char *name)
{
    const NetHost *host = find_host(net, name);
    return host != NULL && host->power;
}

/* ---- life ---- */

SimulatedNet *
simulated_net_new(Engine *engine)
{
    SimulatedNet *net = g_new0(SimulatedNet, 1);
    net->engine = engine;
    net->hosts = g_hash_table_new(g_str_hash, g_str_equal);
    net->spaces = g_hash_table_new(g_str_hash, g_str_equal);
    net->host_list = g_ptr_array_new();
    net->links = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    net->calls = g_hash_table_new(g_int64_hash, g_int64_equal);
    net->requests = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_queue_init(&net->stalled);
    return net;
}

static void
drop_space(void *key, void *value, void *data)
{
    net_space_unref(value);
}

void
simulated_net_free(SimulatedNet *net)
{
    if (net == NULL)
        return;
    net_stream_free_all(net);
    g_hash_table_foreach(net->spaces, drop_space, NULL);
    g_hash_table_unref(net->spaces);
    g_hash_table_unref(net->hosts);
    for (guint i = 0; i < net->host_list->len; i++) {
        NetHost *host = net->host_list->pdata[i];
        g_assert(host->ports.length == 0);
        g_free(host->name);
        g_free(host->ip);
        g_free(host);
    }
    g_ptr_array_unref(net->host_list);
    g_hash_table_unref(net->links);
    g_hash_table_unref(net->calls);
    g_hash_table_unref(net->requests);
    g_free(net);
}
