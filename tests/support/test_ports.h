/* A small world for unit tests: Ports whose time is set by hand.
 *
 *   TestWorld *world = test_world_new(1);
 *   const Ports *ports = test_world_ports(world, "node-1");    one process on that host; any number
 * of hosts
 *   ... make components with these ports ...
 *   test_world_settle(world);                                  all that happens before a quiet 100
 * ms test_world_run_for(world, 10 * NS_PER_S);
 *   ... free the components, then ...
 *   test_world_free(world);
 *
 * Time begins at TEST_WORLD_START. Random numbers come from the seed and the host's name. A message
 * takes 1 ms. Facts and log lines are kept as texts. Causes: each event runs under the cause of the
 * event that scheduled it. */
#pragma once

#include "core/port/ports.h"

#define TEST_WORLD_START (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */
#define TEST_WORLD_STEPS_MAX 5000000 /* events of one run: more is a loop without end */

typedef struct TestWorld TestWorld;

TestWorld *test_world_new(uint64_t seed);
void test_world_free(TestWorld *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestWorld, test_world_free)

/* Borrowed; the same for the same host. */
const Ports *test_world_ports(TestWorld *world, const char *host);

int64_t test_world_now(const TestWorld *world);
void test_world_run_until(TestWorld *world, int64_t time_ns); /* and the time is then this one */
void test_world_run_for(TestWorld *world, int64_t duration_ns);
/* Runs until nothing is due within the next 100 ms (timers further away stay). */
void test_world_settle(TestWorld *world);
/* Runs until the condition holds; false when it did not within the duration. */
bool test_world_run_until_true(TestWorld *world, bool (*condition)(void *data), void *data,
                               int64_t within_ns);
size_t test_world_pending(const TestWorld *world); /* events that wait */

/* The current cause for what the test does itself between runs. */
void test_world_set_cause(TestWorld *world, CauseId cause);

/* "actor|verb|subject|text", oldest first; of all hosts. */
const GPtrArray *test_world_facts(const TestWorld *world);
/* "host: line" */
const GPtrArray *test_world_log(const TestWorld *world);
/* Does any of them contain this text? */
bool test_texts_have(const GPtrArray *texts, const char *part);

/* The network: a host that is down neither sends nor gets anything; calls to it time out, streams
 * end after 45 s. Streams and calls through a host whose servers were closed are reset or refused.
 */
void test_world_set_down(TestWorld *world, const char *host, bool down);
