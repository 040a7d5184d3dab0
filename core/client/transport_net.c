/* The transport of components: messages over port/net.
 *
 * With several API servers one is used until it does not answer; then the next. A call that cannot
 * have had an effect (nobody listened, or it only reads) is tried on each of them once; other
 * failures are the caller's to judge. */
#include "core/api/status.h"
#include "core/client/client.h"
#include "core/client/wire.h"

#define API_SERVERS_MAX 16

typedef struct NetTransport {
    Transport base;
    const Ports *ports;
    char **hosts;
    unsigned n_hosts, current;
    uint16_t port;
    ApiUser *user;
    char *user_agent;
    GQueue calls;   /* NetCall */
    GQueue watches; /* TransportWatch */
} NetTransport;

typedef struct NetCall {
    NetTransport *transport;
    GList link;
    ApiRequest *request; /* kept for another attempt and for error texts */
    unsigned host, attempts;
    uint64_t id;
    ApiDone done;
    void *data;
} NetCall;

struct TransportWatch {
    NetTransport *transport;
    GList link;
    ApiRequest *request;
    unsigned host, attempts;
    NetStream *stream;
    bool dispatching, dropped; /* dropped: freed as soon as the batch is through */
    ApiWatchFunc func;
    void *data;
};

static NetTransport *
net_transport(Transport *transport)
{
    return (NetTransport *)transport;
}

/* ---- error texts
 * -------------------------------------------------------------------------------------- */

static const char *
go_method(ApiVerb verb)
{
    switch (verb) {
    case API_VERB_CREATE:
    case API_VERB_CONNECT:
        return "Post";
    case API_VERB_UPDATE:
        return "Put";
    case API_VERB_PATCH:
        return "Patch";
    case API_VERB_DELETE:
    case API_VERB_DELETECOLLECTION:
        return "Delete";
    default:
        return "Get";
    }
}

/* As Go's net/http says it: `Get "https://HOST:6443/api/v1/...": dial tcp HOST:6443: connect:
 * connection refused`. */
static Value *
unreachable_status(const NetTransport *transport, const ApiRequest *request, unsigned host,
                   NetStatus status)
{
    const char *version = request->version != NULL ? request->version : "v1";
    const char *name = transport->hosts[host];
    g_autoptr(GString) url = g_string_new(NULL);
    g_string_append_printf(url, "https://%s:%u", name, transport->port);
    if (request->group[0] == '\0')
        g_string_append_printf(url, "/api/%s", version);
    else
        g_string_append_printf(url, "/apis/%s/%s", request->group, version);
    if (request->namespace_ != NULL)
        g_string_append_printf(url, "/namespaces/%s", request->namespace_);
    g_string_append_printf(url, "/%s", request->resource);
    if (request->name != NULL)
        g_string_append_printf(url, "/%s", request->name);
    if (request->subresource != NULL)
        g_string_append_printf(url, "/%s", request->subresource);
    return status_unavailable("%s \"%s\": %s tcp %s:%u: %s", go_method(request->verb), url->str,
                              status == NET_RESET ? "read" : "dial", name, transport->port,
                              net_status_text(status));
}

static unsigned
next_host(NetTransport *transport, unsigned host)
{
    unsigned next = (host + 1) % transport->n_hosts;
    if (transport->current == host)
        transport->current = next;
    return next;
}

static bool
had_no_effect(const ApiRequest *request, NetStatus status)
{
    return status == NET_REFUSED || status == NET_UNREACHABLE ||
           (request->verb & (API_VERB_GET | API_VERB_LIST | API_VERB_WATCH)) != 0;
}

static void
sign(NetTransport *transport, ApiRequest *request)
{
    if (request->user == NULL)
        request->user = api_user_ref(transport->user);
    if (request->user_agent == NULL)
        request->user_agent = g_strdup(transport->user_agent);
    request->trusted_body = true;
}

static NetAddress
address_of(const NetTransport *transport, unsigned host)
{
    return (NetAddress){.host = transport->hosts[host], .port = transport->port};
}

/* ---- calls
 * --------------------------------------------------------------------------------------------- */

static void
net_call_free(NetCall *call)
{
    g_queue_unlink(&call->transport->calls, &call->link);
    api_request_free(call->request);
    g_free(call);
}

static void net_call_send(NetCall *call);

static void
net_call_done(NetStatus status, NetMessage message, void *data)
{
    NetCall *call = data;
    NetTransport *transport = call->transport;
    call->id = 0;
    ApiResponse *response = message.body;
    if (status != NET_OK) {
        unsigned tried = call->host;
        call->host = next_host(transport, tried);
        if (had_no_effect(call->request, status) && ++call->attempts < transport->n_hosts) {
            net_call_send(call);
            return;
        }
        response =
            api_response_new(503, unreachable_status(transport, call->request, tried, status));
    }
    ApiDone done = call->done;
    void *done_data = call->data;
    net_call_free(call);
    done(response, done_data);
}

static void
net_call_send(NetCall *call)
{
    Net *net = call->transport->ports->net;
    call->id =
        net->ops->call(net, address_of(call->transport, call->host),
                       wire_request(api_request_copy(call->request)), 0, net_call_done, call);
}

static void
net_transport_call(Transport *base, ApiRequest *take, ApiDone done, void *data)
{
    NetTransport *transport = net_transport(base);
    sign(transport, take);
    NetCall *call = g_new0(NetCall, 1);
    *call = (NetCall){.transport = transport,
                      .request = take,
                      .host = transport->current,
                      .done = done,
                      .data = data};
    call->link.data = call;
    g_queue_push_tail_link(&transport->calls, &call->link);
    net_call_send(call);
}

/* ---- watches
 * ------------------------------------------------------------------------------------------- */

static void
watch_free(TransportWatch *watch)
{
    api_request_free(watch->request);
    g_free(watch);
}

static void
watch_remove(TransportWatch *watch)
{
    g_queue_unlink(&watch->transport->watches, &watch->link);
    if (watch->dispatching)
        watch->dropped = true;
    else
        watch_free(watch);
}

static void watch_open(TransportWatch *watch);

/* The stream ended. Before the first batch another API server may do; a stream that was up and
 * broke just ends, as a watch whose connection closed. */
static void
watch_end(TransportWatch *watch, NetStatus status)
{
    NetTransport *transport = watch->transport;
    unsigned tried = watch->host;
    watch->stream = NULL;
    if (status != NET_OK) {
        watch->host = next_host(transport, tried);
        if ((status == NET_REFUSED || status == NET_UNREACHABLE) &&
            ++watch->attempts < transport->n_hosts) {
            watch_open(watch);
            return;
        }
    }
    watch->dispatching = true;
    if (status != NET_OK && status != NET_RESET) {
        WatchEvent event = {.type = WATCH_ERROR,
                            .object = unreachable_status(transport, watch->request, tried, status)};
        watch->func(&event, watch->data);
        value_unref(event.object);
    }
    if (!watch->dropped) {
        watch_remove(watch);
        watch->func(NULL, watch->data);
    }
    watch_free(watch);
}

static void
watch_receive(NetStream *stream, NetStatus status, NetMessage message, void *data)
{
    TransportWatch *watch = data;
    if (status != NET_OK || message.body == NULL) {
        watch_end(watch, status);
        return;
    }
    WatchBatch *batch = message.body;
    watch->attempts = 0;
    watch->dispatching = true;
    for (size_t i = 0; i < batch->n && !watch->dropped; i++)
        watch->func(&batch->events[i], watch->data);
    watch->dispatching = false;
    watch_batch_free(batch);
    if (watch->dropped)
        watch_free(watch);
}

static void
watch_open(TransportWatch *watch)
{
    Net *net = watch->transport->ports->net;
    watch->stream =
        net->ops->open(net, address_of(watch->transport, watch->host),
                       wire_request(api_request_copy(watch->request)), watch_receive, watch);
}

static TransportWatch *
net_transport_watch(Transport *base, ApiRequest *take, ApiWatchFunc func, void *data)
{
    NetTransport *transport = net_transport(base);
    sign(transport, take);
    TransportWatch *watch = g_new0(TransportWatch, 1);
    *watch = (TransportWatch){.transport = transport,
                              .request = take,
                              .host = transport->current,
                              .func = func,
                              .data = data};
    watch->link.data = watch;
    g_queue_push_tail_link(&transport->watches, &watch->link);
    watch_open(watch);
    return watch;
}

static void
net_transport_unwatch(Transport *base, TransportWatch *watch)
{
    Net *net = watch->transport->ports->net;
    if (watch->stream != NULL)
        net->ops->close(net, watch->stream);
    watch->stream = NULL;
    watch_remove(watch);
}

/* ---- the transport
 * --------------------------------------------------------------------------------------- */

static void
net_transport_free(Transport *base)
{
    NetTransport *transport = net_transport(base);
    Net *net = transport->ports->net;
    while (!g_queue_is_empty(&transport->calls)) {
        NetCall *call = g_queue_peek_head(&transport->calls);
        if (call->id != 0)
            net->ops->cancel_call(net, call->id);
        net_call_free(call);
    }
    while (!g_queue_is_empty(&transport->watches))
        net_transport_unwatch(base, g_queue_peek_head(&transport->watches));
    g_strfreev(transport->hosts);
    api_user_unref(transport->user);
    g_free(transport->user_agent);
    g_free(transport);
}

static const TransportOps net_transport_ops = {
    .call = net_transport_call,
    .watch = net_transport_watch,
    .unwatch = net_transport_unwatch,
    .free = net_transport_free,
};

Transport *
transport_net_new(const Ports *ports, const char *const *hosts, uint16_t port, ApiUser *user,
                  const char *user_agent)
{
    NetTransport *transport = g_new0(NetTransport, 1);
    transport->base.ops = &net_transport_ops;
    transport->ports = ports;
    transport->hosts = g_strdupv((char **)hosts);
    transport->n_hosts = g_strv_length(transport->hosts);
    g_assert(transport->n_hosts > 0 && transport->n_hosts <= API_SERVERS_MAX);
    transport->port = port;
    transport->user = api_user_ref(user);
    transport->user_agent = g_strdup(user_agent);
    return &transport->base;
}
