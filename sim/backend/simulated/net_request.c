/* Requests of containers, probes and simulated clients: HTTP, TCP and gRPC by model. They are answered by the owner of
 * the address; where a process of the engine listens instead, a TCP dial succeeds and HTTP gets what a TLS port says.
 *
 * A NetRequest is held by the table (until done or cancelled) and by the event or owner that carries it. */
#include <string.h>

#include "sim/backend/simulated/net_private.h"

struct SimulatedRespond {
    uint32_t refs;
    gint64 id;
    SimulatedNet *net;
    EngineProcess *process;
    NetSpace *from, *to;
    SimulatedRequest request;
    char *address, *method, *path, *http_host, *body;
    SimulatedAnswerFunc done; /* NULL: nobody waits */
    void *data;
    GDestroyNotify free_data;
    int64_t started;
    EventId timer;
    SimulatedAnswer answer; /* that travels; body owned */
};

typedef struct SimulatedRespond NetRequest;

static void
request_unref(void *data)
{
    NetRequest *request = data;
    if (--request->refs > 0)
        return;
    net_space_unref(request->from);
    net_space_unref(request->to);
    g_free(request->address);
    g_free(request->method);
    g_free(request->path);
    g_free(request->http_host);
    g_free(request->body);
    g_free((char *)request->answer.body);
    g_free(request);
}

/* `answered`: done was or will be called. */
static void
forget(NetRequest *request, bool answered)
{
    if (request->done == NULL)
        return;
    request->done = NULL;
    g_hash_table_remove(request->net->requests, &request->id);
    engine_cancel_slot(request->net->engine, &request->timer);
    if (!answered && request->free_data != NULL)
        request->free_data(request->data);
    request_unref(request);
}

static void
finish(NetRequest *request, NetStatus status)
{
    SimulatedAnswerFunc done = request->done;
    if (done == NULL)
        return;
    request->refs++;
    void *data = request->data;
    SimulatedAnswer answer = {.status = status, .server = request->to != NULL ? request->to->ip : ""};
    if (status == NET_OK) {
        answer.http_status = request->answer.http_status;
        answer.body = request->answer.body;
    }
    answer.elapsed_ns = engine_now(request->net->engine) - request->started;
    forget(request, true);
    done(&answer, data);
    request_unref(request);
}

/* The timer's own reference went with the table's: the process died before the answer. */
static void
timer_dropped(void *data)
{
    NetRequest *request = data;
    request->timer = 0;
    forget(request, false);
    request_unref(request);
}

static void
request_times_out(void *data)
{
    NetRequest *request = data;
    request->timer = 0;
    finish(request, NET_TIMEOUT);
    request_unref(request);
}

static void
answer_arrives(void *data)
{
    NetRequest *request = data;
    finish(request, request->answer.status);
    request_unref(request);
}

/* Sends an answer (or bare status) back, `delay` from now; takes over the caller's reference. */
static void
answer_at(NetRequest *request, NetStatus status, int64_t delay)
{
    int64_t arrival;
    uint32_t size = request->answer.body != NULL ? (uint32_t)strlen(request->answer.body) + 200 : 100;
    if (request->done == NULL ||
        !net_transit(request->net, request->to->host, request->from->host, size, &arrival)) {
        request_unref(request);
        return;
    }
    request->answer.status = status;
    engine_at_take(request->net->engine, request->process, arrival + delay, answer_arrives, request, request_unref);
}

void
simulated_respond(SimulatedRespond *respond, int64_t delay_ns, int http_status, const char *body)
{
    respond->answer.http_status = http_status;
    respond->answer.body = g_strdup(body);
    answer_at(respond, NET_OK, delay_ns);
}

void
simulated_respond_reset(SimulatedRespond *respond)
{
    answer_at(respond, NET_RESET, 0);
}

static void
request_arrives(void *data)
{
    NetRequest *request = data;
    NetSpace *to = request->to;
    if (to->gone || !to->host->power) {
        request_unref(request); /* silence */
        return;
    }
    if (to->ops != NULL && to->ops->serve(to->owner, &request->request, request))
        return;
    if (net_find_server(to, request->request.port) == NULL)
        answer_at(request, NET_REFUSED, 0);
    else if (request->request.protocol == SIMULATED_TCP)
        simulated_respond(request, 0, 0, NULL);
    else
        simulated_respond(request, 0, 400, "Client sent an HTTP request to an HTTPS server.\n");
}

static void
fail_later(NetRequest *request, NetStatus status, int64_t delay)
{
    request->refs++;
    request->answer.status = status;
    engine_at_take(request->net->engine, request->process, engine_now(request->net->engine) + delay, answer_arrives,
                   request, request_unref);
}

static void
send_request(NetRequest *request)
{
    SimulatedNet *net = request->net;
    int64_t arrival;
    NetVia via = net_route(net, request->from, request->address, request->request.port, &request->to,
                           &request->request.port);
    if (via == NET_VIA_REFUSED)
        fail_later(request, NET_REFUSED, NET_LOOPBACK_NS);
    else if (via == NET_VIA_NO_ROUTE)
        fail_later(request, NET_UNREACHABLE, NET_NO_ROUTE_NS);
    if (via != NET_VIA_OK)
        return;
    request->request.from = request->from->ip;
    request->request.to = request->to->ip;
    if (!net_transit(net, request->from->host, request->to->host, 200, &arrival))
        return;
    request->refs++;
    engine_at_take(net->engine, NULL, arrival, request_arrives, request, request_unref);
}

uint64_t
simulated_net_request(SimulatedNet *net, EngineProcess *process, const SimulatedRequest *wanted,
                      SimulatedAnswerFunc done, void *data)
{
    NetSpace *from = net_find_space(net, wanted->from);
    if (from == NULL || (process != NULL && !engine_process_is_alive(process))) {
        if (wanted->free_data != NULL)
            wanted->free_data(data);
        return 0;
    }
    NetRequest *request = g_new0(NetRequest, 1);
    request->refs = 2; /* table, timer */
    request->id = (gint64)++net->next_id;
    request->net = net;
    request->process = process;
    request->from = net_space_ref(from);
    request->address = g_strdup(wanted->to);
    request->method = g_strdup(wanted->method != NULL ? wanted->method : "GET");
    request->path = g_strdup(wanted->path != NULL ? wanted->path : "/");
    request->http_host = g_strdup(wanted->http_host != NULL ? wanted->http_host : wanted->to);
    request->body = g_strdup(wanted->body);
    request->request = (SimulatedRequest){.protocol = wanted->protocol,
                                          .port = wanted->port,
                                          .method = request->method,
                                          .path = request->path,
                                          .http_host = request->http_host,
                                          .body = request->body};
    request->done = done;
    request->data = data;
    request->free_data = wanted->free_data;
    request->started = engine_now(net->engine);
    g_hash_table_insert(net->requests, &request->id, request);
    int64_t timeout = wanted->timeout_ns > 0 ? wanted->timeout_ns : NET_CALL_TIMEOUT_NS;
    request->timer = engine_at_take(net->engine, process, request->started + timeout, request_times_out, request,
                                    timer_dropped);
    uint64_t id = (uint64_t)request->id;
    send_request(request);
    return id;
}

void
simulated_net_cancel_request(SimulatedNet *net, uint64_t id)
{
    gint64 key = (gint64)id;
    NetRequest *request = g_hash_table_lookup(net->requests, &key);
    if (request != NULL)
        forget(request, false);
}
