/* A simulated client: sends requests at a rate to a name or address and counts what comes of them, second by second.
 * They leave from a host, go along that host's dataplane and are answered by the models of containers, so a fault's cost
 * shows as failed requests and latency. */
#pragma once

#include "core/object/value.h"
#include "sim/backend/simulated/net.h"

typedef struct TrafficClient TrafficClient;

#define TRAFFIC_RATE_MAX 10000     /* requests a second */
#define TRAFFIC_OUTSTANDING_MAX 4096 /* requests without an answer; more are counted as failed at once */
#define TRAFFIC_SECONDS_KEPT 3600
#define TRAFFIC_BUCKETS 24         /* of latency: powers of two from 125 us */

typedef struct TrafficOptions {
    const char *name;
    const char *from; /* a host's name or an address that the net knows */
    const char *to;   /* a ClusterIP, node name or IP */
    uint16_t port;
    const char *path, *http_host; /* NULL: /, the address */
    double rate;         /* requests a second; (0, TRAFFIC_RATE_MAX] */
    int64_t timeout_ns;  /* 0: 5 s */
} TrafficOptions;

typedef struct TrafficSecond {
    int64_t second;   /* since the epoch */
    uint32_t sent, succeeded, failed; /* by the second in which they were sent, or ended */
    int64_t latency_sum_ns; /* of those that succeeded */
} TrafficSecond;

typedef struct TrafficTotals {
    uint64_t sent, succeeded, failed, outstanding;
    uint64_t refused, timed_out, reset, http_errors; /* of the failed */
    int64_t latency_mean_ns, latency_p50_ns, latency_p99_ns, latency_max_ns;
} TrafficTotals;

/* net and engine are borrowed and must outlive it. The intervals are even, with a jitter from the client's own stream. NULL:
 * a wrong option or an unknown sender. */
TrafficClient *traffic_client_new(Engine *engine, SimulatedNet *net, const TrafficOptions *options, GError **error);
void traffic_client_free(TrafficClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TrafficClient, traffic_client_free)

const char *traffic_client_name(const TrafficClient *client);
void traffic_client_set_rate(TrafficClient *client, double rate); /* 0 stops it */
void traffic_client_totals(const TrafficClient *client, TrafficTotals *ret_totals);
/* The seconds that are kept, oldest first. */
size_t traffic_client_seconds(const TrafficClient *client);
const TrafficSecond *traffic_client_second(const TrafficClient *client, size_t index);
/* {name, sent, succeeded, failed, refused, timedOut, reset, httpErrors, latency: {mean, p50, p99, max}} in nanoseconds. */
Value *traffic_client_report(const TrafficClient *client);
