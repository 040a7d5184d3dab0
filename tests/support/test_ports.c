/* The event loop, and the ports that need nothing else. */
#include "tests/support/test_ports.h"

#include <stddef.h>
#include <string.h>

#include "tests/support/test_world.h"

#define QUIET_NS (100 * NS_PER_MS)
#define HOST_OF(port, member) ((TestHost *)((char *)(port)-offsetof(TestHost, member)))

typedef struct {
    int64_t when;
    uint64_t sequence;
    CauseId cause;
    ClockFunc func;
    void *data;
} Event;

/* ---- events
 * ------------------------------------------------------------------------------------------- */

static int
compare_events(const void *a, const void *b, void *data)
{
    const Event *x = a, *y = b;
    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

uint64_t
test_event_at(TestWorld *world, int64_t when, ClockFunc func, void *data)
{
    Event *event = g_new0(Event, 1);
    *event = (Event){.when = MAX(when, world->now),
                     .sequence = ++world->sequence,
                     .cause = world->cause,
                     .func = func,
                     .data = data};
    g_tree_insert(world->events, event, event);
    g_hash_table_insert(world->by_id, &event->sequence, event);
    return event->sequence;
}

void
test_event_cancel(TestWorld *world, uint64_t id)
{
    Event *event = g_hash_table_lookup(world->by_id, &id);
    if (event == NULL)
        return;
    g_hash_table_remove(world->by_id, &id);
    g_tree_remove(world->events, event);
    g_free(event);
}

static Event *
first_event(const TestWorld *world)
{
    GTreeNode *node = g_tree_node_first(world->events);
    return node != NULL ? g_tree_node_key(node) : NULL;
}

static void
step(TestWorld *world)
{
    Event event = *first_event(world);
    test_event_cancel(world, event.sequence);
    world->now = event.when;
    world->cause = event.cause;
    event.func(event.data);
    world->cause = 0;
}

void
test_world_run_until(TestWorld *world, int64_t time_ns)
{
    size_t steps = 0;
    const Event *first;
    while ((first = first_event(world)) != NULL && first->when <= time_ns) {
        g_assert(++steps < TEST_WORLD_STEPS_MAX);
        step(world);
    }
    world->now = MAX(world->now, time_ns);
}

void
test_world_run_for(TestWorld *world, int64_t duration_ns)
{
    test_world_run_until(world, world->now + duration_ns);
}

void
test_world_settle(TestWorld *world)
{
    size_t steps = 0;
    const Event *first;
    while ((first = first_event(world)) != NULL && first->when <= world->now + QUIET_NS) {
        g_assert(++steps < TEST_WORLD_STEPS_MAX);
        step(world);
    }
}

bool
test_world_run_until_true(TestWorld *world, bool (*condition)(void *data), void *data,
                          int64_t within_ns)
{
    int64_t end = world->now + within_ns;
    size_t steps = 0;
    while (!condition(data)) {
        const Event *first = first_event(world);
        if (first == NULL || first->when > end)
            return false;
        g_assert(++steps < TEST_WORLD_STEPS_MAX);
        step(world);
    }
    return true;
}

int64_t
test_world_now(const TestWorld *world)
{
    return world->now;
}

size_t
test_world_pending(const TestWorld *world)
{
    return (size_t)g_tree_nnodes(world->events);
}

void
test_world_set_cause(TestWorld *world, CauseId cause)
{
    world->cause = cause;
}

/* ---- ports
 * -------------------------------------------------------------------------------------------- */

static int64_t
test_clock_now(Clock *clock)
{
    return HOST_OF(clock, clock)->world->now;
}

static TimerId
test_clock_timer_at(Clock *clock, int64_t when_ns, ClockFunc func, void *data)
{
    return test_event_at(HOST_OF(clock, clock)->world, when_ns, func, data);
}

static void
test_clock_cancel(Clock *clock, TimerId id)
{
    test_event_cancel(HOST_OF(clock, clock)->world, id);
}

static uint64_t
test_random_next(Random *random)
{
    return rng_next(&HOST_OF(random, random)->rng);
}

static CauseId
test_trace_current(Trace *trace)
{
    return HOST_OF(trace, trace)->world->cause;
}

static void
test_trace_adopt(Trace *trace, CauseId cause)
{
    if (cause != 0)
        HOST_OF(trace, trace)->world->cause = cause;
}

static CauseId
test_trace_record(Trace *trace, const Fact *fact)
{
    TestWorld *world = HOST_OF(trace, trace)->world;
    g_ptr_array_add(world->facts,
                    g_strdup_printf("%s|%s|%s|%s", fact->actor != NULL ? fact->actor : "",
                                    fact->verb != NULL ? fact->verb : "",
                                    fact->subject != NULL ? fact->subject : "",
                                    fact->text != NULL ? fact->text : ""));
    world->last_fact++;
    if (fact->kind != FACT_MESSAGE)
        world->cause = world->last_fact;
    return world->last_fact;
}

static void
test_log_write(Log *log, LogLevel level, const char *line)
{
    TestHost *host = HOST_OF(log, log);
    g_ptr_array_add(host->world->lines, g_strdup_printf("%s: %s", host->name, line));
}

static const ClockOps clock_ops = {
    .now = test_clock_now, .timer_at = test_clock_timer_at, .cancel = test_clock_cancel};
static const RandomOps random_ops = {.next = test_random_next};
static const TraceOps trace_ops = {
    .current = test_trace_current, .adopt = test_trace_adopt, .record = test_trace_record};
static const LogOps log_ops = {.write = test_log_write};

/* ---- the world
 * ----------------------------------------------------------------------------------------- */

static void
host_free(void *data)
{
    TestHost *host = data;
    test_net_clear_host(host);
    g_free(host->name);
    g_free(host);
}

TestHost *
test_host_find(TestWorld *world, const char *name)
{
    for (unsigned i = 0; i < world->hosts->len; i++) {
        TestHost *host = world->hosts->pdata[i];
        if (strcmp(host->name, name) == 0)
            return host;
    }
    return NULL;
}

static TestHost *
host_ensure(TestWorld *world, const char *name)
{
    TestHost *host = test_host_find(world, name);
    if (host != NULL)
        return host;
    host = g_new0(TestHost, 1);
    host->world = world;
    host->name = g_strdup(name);
    host->rng = rng_derive(world->seed, name);
    host->clock.ops = &clock_ops;
    host->random.ops = &random_ops;
    host->trace.ops = &trace_ops;
    host->log = (Log){.ops = &log_ops, .level_min = LOG_INFO};
    test_net_init(host);
    host->ports = (Ports){.clock = &host->clock,
                          .random = &host->random,
                          .net = &host->net,
                          .trace = &host->trace,
                          .log = &host->log};
    g_ptr_array_add(world->hosts, host);
    return host;
}

const Ports *
test_world_ports(TestWorld *world, const char *host)
{
    return &host_ensure(world, host)->ports;
}

void
test_world_set_down(TestWorld *world, const char *host, bool down)
{
    host_ensure(world, host)->down = down;
}

TestWorld *
test_world_new(uint64_t seed)
{
    TestWorld *world = g_new0(TestWorld, 1);
    world->now = TEST_WORLD_START;
    world->seed = seed;
    world->events = g_tree_new_full(compare_events, NULL, NULL, NULL);
    world->by_id = g_hash_table_new(g_int64_hash, g_int64_equal);
    world->hosts = g_ptr_array_new_with_free_func(host_free);
    world->facts = g_ptr_array_new_with_free_func(g_free);
    world->lines = g_ptr_array_new_with_free_func(g_free);
    world->calls = g_hash_table_new(g_int64_hash, g_int64_equal);
    world->streams = g_ptr_array_new();
    return world;
}

void
test_world_free(TestWorld *world)
{
    if (world == NULL)
        return;
    test_net_clear(world);
    const Event *event;
    while ((event = first_event(world)) != NULL)
        test_event_cancel(world, event->sequence);
    g_tree_unref(world->events);
    g_hash_table_unref(world->by_id);
    g_ptr_array_unref(world->hosts);
    g_ptr_array_unref(world->facts);
    g_ptr_array_unref(world->lines);
    g_hash_table_unref(world->calls);
    g_ptr_array_unref(world->streams);
    g_free(world);
}

const GPtrArray *
test_world_facts(const TestWorld *world)
{
    return world->facts;
}

const GPtrArray *
test_world_log(const TestWorld *world)
{
    return world->lines;
}

bool
test_texts_have(const GPtrArray *texts, const char *part)
{
    for (unsigned i = 0; i < texts->len; i++)
        if (strstr(texts->pdata[i], part) != NULL)
            return true;
    return false;
}
