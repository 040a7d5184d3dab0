/* Messages between components, from the trace: who talks to the API server, how often and about what. Nothing is invented:
 * every number is counted from messages that were sent (and, for etcd, from writes that were stored). */
#pragma once

#include "sim/world/world.h"
#include "tui/grid.h"

#define FLOW_WINDOW_NS (10 * NS_PER_S) /* rates are of this much virtual time; leases are renewed as seldom */
#define FLOW_LINKS_MAX 24
#define FLOW_PULSE_NS (400 * NS_PER_MS) /* an arrow shows a message for so long */

typedef struct FlowWay {
    unsigned count;    /* within the window */
    int64_t last;      /* when the last one was sent; 0: none */
    const char *label; /* of the last one that has any; interned */
    bool lost;         /* the last one did not arrive */
} FlowWay;

typedef struct FlowLink {
    const char *component; /* "kube-scheduler"; interned */
    FlowWay to_api, from_api;
} FlowLink;

typedef struct Flow {
    FlowLink links[FLOW_LINKS_MAX];
    size_t count;
    FlowWay etcd;      /* writes that were stored */
    char etcd_subject[80]; /* of the last one */
    int64_t span_ns;   /* what the counts stand for: the window, or what is remembered of it */
    int64_t now;
} Flow;

void flow_read(Flow *flow, World *world);
const FlowLink *flow_link(const Flow *flow, const char *component); /* NULL: silent */
/* "12/s", "0.4/s" or "" for none; owned. */
char *flow_rate_text(const Flow *flow, const FlowWay *way);
