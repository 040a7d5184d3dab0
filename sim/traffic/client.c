#include "sim/traffic/client.h"

#include "core/base/error.h"
#include "core/base/rng.h"

#define TIMEOUT_NS (5 * NS_PER_S)
#define BUCKET_FIRST_NS (125 * NS_PER_US)

struct TrafficClient {
    Engine *engine;
    SimulatedNet *net;
    char *name, *from, *to, *path, *http_host;
    uint16_t port;
    int64_t interval_ns, timeout_ns;
    EngineProcess *process; /* all its events go with it */
    EventId next;
    Rng rng;
    TrafficTotals totals;
    int64_t latency_sum_ns;
    uint64_t buckets[TRAFFIC_BUCKETS];
    GArray *seconds; /* TrafficSecond, in order */
};

static TrafficSecond *
this_second(TrafficClient *client)
{
    int64_t second = engine_now(client->engine) / NS_PER_S;
    guint n = client->seconds->len;
    if (n == 0 || g_array_index(client->seconds, TrafficSecond, n - 1).second != second) {
        TrafficSecond fresh = {.second = second};
        if (n == TRAFFIC_SECONDS_KEPT)
            g_array_remove_range(client->seconds, 0, TRAFFIC_SECONDS_KEPT / 4);
        g_array_append_val(client->seconds, fresh);
    }
    return &g_array_index(client->seconds, TrafficSecond, client->seconds->len - 1);
}

static void
count_success(TrafficClient *client, int64_t latency)
{
    TrafficSecond *second = this_second(client);
    second->succeeded++;
    second->latency_sum_ns += latency;
    client->totals.succeeded++;
    client->totals.latency_max_ns = MAX(client->totals.latency_max_ns, latency);
    client->latency_sum_ns += latency;
    int bucket = 0;
    for (int64_t bound = BUCKET_FIRST_NS; bound < latency && bucket < TRAFFIC_BUCKETS - 1; bound *= 2)
        bucket++;
    client->buckets[bucket]++;
}

static void
count_failure(TrafficClient *client, uint64_t *kind)
{
    this_second(client)->failed++;
    client->totals.failed++;
    ++*kind;
}

static void
on_answer(const SimulatedAnswer *answer, void *data)
{
    TrafficClient *client = data;
    TrafficTotals *totals = &client->totals;
    totals->outstanding--;
    if (answer->status == NET_OK && answer->http_status < 500)
        count_success(client, answer->elapsed_ns);
    else
        count_failure(client, answer->status == NET_OK                                         ? &totals->http_errors
                              : answer->status == NET_TIMEOUT                                  ? &totals->timed_out
                              : answer->status == NET_RESET                                    ? &totals->reset
                                                                                               : &totals->refused);
}

static void
send_one(TrafficClient *client)
{
    this_second(client)->sent++;
    client->totals.sent++;
    SimulatedRequest request = {.protocol = SIMULATED_HTTP,
                                .from = client->from,
                                .to = client->to,
                                .port = client->port,
                                .path = client->path,
                                .http_host = client->http_host,
                                .timeout_ns = client->timeout_ns};
    bool room = client->totals.outstanding < TRAFFIC_OUTSTANDING_MAX;
    if (room && simulated_net_request(client->net, client->process, &request, on_answer, client) != 0)
        client->totals.outstanding++;
    else
        count_failure(client, &client->totals.timed_out);
}

static void
tick(void *data)
{
    TrafficClient *client = data;
    int64_t half = client->interval_ns / 10;
    int64_t jitter = half > 0 ? rng_between(&client->rng, -half, half) : 0;
    client->next = engine_in(client->engine, client->process, client->interval_ns + jitter, tick, client);
    send_one(client);
}

void
traffic_client_set_rate(TrafficClient *client, double rate)
{
    engine_cancel_slot(client->engine, &client->next);
    client->interval_ns = rate > 0 ? MAX((int64_t)(1e9 / MIN(rate, TRAFFIC_RATE_MAX)), 1) : 0;
    if (client->interval_ns > 0)
        client->next = engine_in(client->engine, client->process, client->interval_ns, tick, client);
}

TrafficClient *
traffic_client_new(Engine *engine, SimulatedNet *net, const TrafficOptions *options, GError **error)
{
    const char *host = simulated_net_host_of(net, options->from);
    if (host == NULL) {
        fail(error, TIMONEL_ERROR_NOT_FOUND, "traffic %s: from: no host or address \"%s\"", options->name, options->from);
        return NULL;
    }
    if (!(options->rate > 0 && options->rate <= TRAFFIC_RATE_MAX) || options->port == 0) {
        fail(error, TIMONEL_ERROR_INVALID, "traffic %s: rate must be above 0 and at most %d a second, and port above 0",
             options->name, TRAFFIC_RATE_MAX);
        return NULL;
    }
    TrafficClient *client = g_new0(TrafficClient, 1);
    g_autofree char *process = g_strconcat("client/", options->name, NULL);
    client->engine = engine;
    client->net = net;
    client->name = g_strdup(options->name);
    client->from = g_strdup(options->from);
    client->to = g_strdup(options->to);
    client->path = g_strdup(options->path != NULL ? options->path : "/");
    client->http_host = g_strdup(options->http_host);
    client->port = options->port;
    client->timeout_ns = options->timeout_ns > 0 ? options->timeout_ns : TIMEOUT_NS;
    client->process = engine_process_new(engine, &(EngineProcessOptions){.name = process, .host = host});
    client->rng = rng_derive(engine_seed(engine), process);
    client->seconds = g_array_new(FALSE, FALSE, sizeof(TrafficSecond));
    traffic_client_set_rate(client, options->rate);
    return client;
}

void
traffic_client_free(TrafficClient *client)
{
    if (client == NULL)
        return;
    engine_process_free(client->process);
    g_array_unref(client->seconds);
    g_free(client->name);
    g_free(client->from);
    g_free(client->to);
    g_free(client->path);
    g_free(client->http_host);
    g_free(client);
}

const char *
traffic_client_name(const TrafficClient *client)
{
    return client->name;
}

/* The upper bound of the bucket in which that share of the answers lies. */
static int64_t
quantile(const TrafficClient *client, unsigned percent)
{
    uint64_t wanted = (client->totals.succeeded * percent + 99) / 100, seen = 0;
    int64_t bound = BUCKET_FIRST_NS;
    for (int i = 0; i < TRAFFIC_BUCKETS; i++, bound *= 2)
        if ((seen += client->buckets[i]) >= wanted && wanted > 0)
            return MIN(bound, client->totals.latency_max_ns);
    return 0;
}

void
traffic_client_totals(const TrafficClient *client, TrafficTotals *ret_totals)
{
    *ret_totals = client->totals;
    if (client->totals.succeeded > 0)
        ret_totals->latency_mean_ns = client->latency_sum_ns / (int64_t)client->totals.succeeded;
    ret_totals->latency_p50_ns = quantile(client, 50);
    ret_totals->latency_p99_ns = quantile(client, 99);
}

size_t
traffic_client_seconds(const TrafficClient *client)
{
    return client->seconds->len;
}

const TrafficSecond *
traffic_client_second(const TrafficClient *client, size_t index)
{
    return index < client->seconds->len ? &g_array_index(client->seconds, TrafficSecond, index) : NULL;
}

Value *
traffic_client_report(const TrafficClient *client)
{
    TrafficTotals t;
    traffic_client_totals(client, &t);
    return value_new_f("{name: %s, sent: %i, succeeded: %i, failed: %i, refused: %i, timedOut: %i, reset: %i, "
                       "httpErrors: %i, latency: {mean: %i, p50: %i, p99: %i, max: %i}}",
                       client->name, (int64_t)t.sent, (int64_t)t.succeeded, (int64_t)t.failed, (int64_t)t.refused,
                       (int64_t)t.timed_out, (int64_t)t.reset, (int64_t)t.http_errors, t.latency_mean_ns, t.latency_p50_ns,
                       t.latency_p99_ns, t.latency_max_ns);
}
