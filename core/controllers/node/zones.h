/* Zones and how fast their nodes may be tainted NoExecute (node_lifecycle_controller.go
 * handleDisruption, RateLimitedTimedQueue): 0.1 nodes a second in a healthy zone, less or nothing
 * when most of it is down, nothing when everything is down. */
#pragma once

#include "core/controllers/controller.h"

typedef enum { ZONE_INITIAL, ZONE_NORMAL, ZONE_PARTIAL_DISRUPTION, ZONE_FULL_DISRUPTION } ZoneState;

/* ComputeZoneState. */
ZoneState zone_state(size_t ready, size_t not_ready, double unhealthy_threshold);

typedef struct Zones Zones;

typedef struct ZonesOptions {
    double rate, secondary_rate, unhealthy_threshold; /* nodes a second */
    int64_t large_cluster_size;
} ZonesOptions;

Zones *zones_new(const ZonesOptions *options);
void zones_free(Zones *zones);
/* A pass of the monitor: begin, count every node, end. */
void zones_begin(Zones *zones);
void zones_count(Zones *zones, const char *zone, bool ready);
typedef enum {
    ZONES_STEADY,
    ZONES_ALL_DOWN,  /* just now: all evictions stop, taints are to be taken away */
    ZONES_RECOVERED, /* just now: some node answers again; every node's grace begins anew */
} ZonesChange;
ZonesChange zones_end(Zones *zones);
/* Waiting for a taint: a node is in its zone's queue once. */
void zones_queue(Zones *zones, const char *zone, const char *node);
void zones_unqueue(Zones *zones, const char *zone, const char *node);
/* The next node that may be tainted now, or NULL; caller frees. *ret_next_ns: when to ask again, 0
 * when there is nothing to wait for (until the next pass). */
char *zones_next(Zones *zones, int64_t now, int64_t *ret_next_ns);
ZoneState zones_state_of(const Zones *zones, const char *zone);
/* "region:\0:zone" as text: the zone that a node's labels name. Caller frees. */
char *zone_of_node(const Value *node);
