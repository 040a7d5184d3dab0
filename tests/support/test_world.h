/* Shared by test_ports.c and test_net.c. */
#pragma once

#include "core/base/rng.h"
#include "tests/support/test_ports.h"

#define TEST_LATENCY_NS NS_PER_MS

typedef struct TestHost TestHost;

struct TestHost {
    Clock clock; /* each port is found from its address within the host */
    Random random;
    Net net;
    Trace trace;
    Log log;
    Ports ports;
    TestWorld *world;
    char *name;
    Rng rng;
    bool down;
    GPtrArray *servers; /* NetServer */
};

struct TestWorld {
    int64_t now;
    uint64_t seed, sequence;
    CauseId cause, last_fact;
    GTree *events;     /* Event by (time, sequence) */
    GHashTable *by_id; /* timer id -> Event; for cancelling only */
    GPtrArray *hosts;  /* TestHost */
    GPtrArray *facts, *lines;
    /* the network */
    GHashTable *calls; /* id -> Call */
    uint64_t next_call;
    GPtrArray *streams; /* NetStream, both ends */
};

TestHost *test_host_find(TestWorld *world, const char *name); /* NULL when there is none */
uint64_t test_event_at(TestWorld *world, int64_t when, ClockFunc func, void *data);
void test_event_cancel(TestWorld *world, uint64_t id);
void test_net_init(TestHost *host);
void test_net_clear_host(TestHost *host);
void test_net_clear(TestWorld *world);
