/* Invariants: `events` heads the list of everything that waits for this process, in the heap or held. `held` keeps the
 * ids of due events in the order in which they came due; ids cancelled meanwhile are skipped. While it is not empty and
 * the process is not paused, exactly one wake event (of the world, not of the process) is pending. */
#include "sim/engine/process.h"

#include "core/base/rng.h"
#include "sim/engine/engine_private.h"

typedef struct DeathListener {
    EngineDeathFunc func;
    void *data;
} DeathListener;

typedef struct ProcessClock {
    Clock base;
    EngineProcess *process;
} ProcessClock;

typedef struct ProcessRandom {
    Random base;
    Rng rng;
} ProcessRandom;

struct EngineProcess {
    Engine *engine;
    char *name, *host;
    uint64_t hash;
    uint32_t pid, incarnation;
    uint32_t events; /* head of its list of slots */
    bool alive, paused;
    unsigned slow;
    int64_t busy_until;
    EventId wake;
    GArray *held; /* EventId; NULL until needed */
    guint held_first;
    GArray *listeners; /* DeathListener; NULL until needed */
    ProcessClock clock;
    ProcessRandom random;
    const int64_t *skew;
    Ports ports;
    GDestroyNotify free_net;
};

/* ---- ports ---- */

static int64_t
process_clock_now(Clock *clock)
{
    EngineProcess *process = ((ProcessClock *)clock)->process;
    return process->engine->now + *process->skew;
}

static TimerId
process_clock_timer_at(Clock *clock, int64_t when_ns, ClockFunc func, void *data)
{
    EngineProcess *process = ((ProcessClock *)clock)->process;
    return engine_at(process->engine, process, when_ns - *process->skew, func, data);
}

static void
process_clock_cancel(Clock *clock, TimerId id)
{
    engine_cancel(((ProcessClock *)clock)->process->engine, id);
}

static const ClockOps clock_ops = {
    .now = process_clock_now,
    .timer_at = process_clock_timer_at,
    .cancel = process_clock_cancel,
};

static uint64_t
process_random_next(Random *random)
{
    return rng_next(&((ProcessRandom *)random)->rng);
}

static const RandomOps random_ops = {.next = process_random_next};

/* ---- held events ---- */

static void process_wake(void *data);

static void
schedule_wake(EngineProcess *process)
{
    Engine *engine = process->engine;
    if (process->paused || process->wake != 0 || process->held == NULL || process->held_first == process->held->len)
        return;
    process->wake = engine_at(engine, NULL, MAX(engine->now, process->busy_until), process_wake, process);
}

/* The next held event that still counts; SLOT_NONE when there is none. */
static uint32_t
take_held(EngineProcess *process)
{
    GArray *held = process->held;
    uint32_t slot = SLOT_NONE;
    while (slot == SLOT_NONE && held != NULL && process->held_first < held->len)
        slot = engine_find_slot(process->engine, g_array_index(held, EventId, process->held_first++));
    if (held != NULL && process->held_first == held->len) {
        g_array_set_size(held, 0);
        process->held_first = 0;
    }
    return slot;
}

static void
spend_time(EngineProcess *process)
{
    if (process->slow > 1)
        process->busy_until = process->engine->now + (int64_t)(process->slow - 1) * ENGINE_SLOW_EVENT_NS;
}

static void
process_wake(void *data)
{
    EngineProcess *process = data;
    process->wake = 0;
    uint32_t slot = take_held(process);
    if (slot == SLOT_NONE)
        return;
    spend_time(process);
    schedule_wake(process);
    process->engine->held--;
    engine_run_slot(process->engine, slot);
}

bool
engine_process_admit(EngineProcess *process, uint32_t slot)
{
    bool waits = process->held != NULL && process->held_first < process->held->len;
    if (!process->paused && !waits && process->busy_until <= process->engine->now) {
        spend_time(process);
        return true;
    }
    if (process->held == NULL)
        process->held = g_array_new(FALSE, FALSE, sizeof(EventId));
    EventId id = engine_slot_id(process->engine, slot);
    g_array_append_val(process->held, id);
    schedule_wake(process);
    return false;
}

void
engine_process_pause(EngineProcess *process)
{
    process->paused = true;
    engine_cancel_slot(process->engine, &process->wake);
}

void
engine_process_resume(EngineProcess *process)
{
    process->paused = false;
    schedule_wake(process);
}

void
engine_process_set_slow(EngineProcess *process, unsigned factor)
{
    process->slow = MAX(factor, 1u);
    if (process->slow == 1)
        process->busy_until = 0;
}

/* ---- death ---- */

void
engine_process_kill(EngineProcess *process, EngineDeath death)
{
    if (!process->alive)
        return;
    Engine *engine = process->engine;
    process->alive = false;
    engine_cancel_slot(engine, &process->wake);
    while (process->events != SLOT_NONE) {
        EventSlot event = engine->slots[process->events];
        engine_unlink_slot(engine, process->events);
        if (event.drop != NULL)
            event.drop(event.data);
    }
    g_clear_pointer(&process->held, g_array_unref);
    process->held_first = 0;
    while (process->listeners != NULL && process->listeners->len > 0) {
        DeathListener last = g_array_index(process->listeners, DeathListener, process->listeners->len - 1);
        g_array_set_size(process->listeners, process->listeners->len - 1);
        last.func(process, death, last.data);
    }
}

void
engine_process_on_death(EngineProcess *process, EngineDeathFunc func, void *data)
{
    if (process->listeners == NULL)
        process->listeners = g_array_new(FALSE, FALSE, sizeof(DeathListener));
    DeathListener listener = {func, data};
    g_array_append_val(process->listeners, listener);
}

void
engine_process_forget_on_death(EngineProcess *process, EngineDeathFunc func, void *data)
{
    for (guint i = process->listeners != NULL ? process->listeners->len : 0; i-- > 0;) {
        DeathListener *listener = &g_array_index(process->listeners, DeathListener, i);
        if (listener->func == func && listener->data == data) {
            g_array_remove_index(process->listeners, i);
            return;
        }
    }
}

/* ---- life ---- */

static uint32_t
next_incarnation(Engine *engine, const char *host, const char *name)
{
    g_autofree char *key = g_strconcat(host, "/", name, NULL);
    uint32_t count = GPOINTER_TO_UINT(g_hash_table_lookup(engine->incarnations, key)) + 1;
    g_hash_table_insert(engine->incarnations, g_steal_pointer(&key), GUINT_TO_POINTER(count));
    return count;
}

EngineProcess *
engine_process_new(Engine *engine, const EngineProcessOptions *options)
{
    EngineProcess *process = g_new0(EngineProcess, 1);
    process->engine = engine;
    process->name = g_strdup(options->name);
    process->host = g_strdup(options->host);
    process->incarnation = next_incarnation(engine, options->host, options->name);
    process->pid = ++engine->processes_made;
    engine->processes++;
    process->events = SLOT_NONE;
    process->alive = true;
    process->slow = 1;
    process->skew = engine_skew_place(engine, options->host);
    process->clock = (ProcessClock){.base.ops = &clock_ops, .process = process};
    g_autofree char *stream = g_strdup_printf("%s/%s#%u", process->host, process->name, process->incarnation);
    process->hash = engine_derive_seed(engine, stream);
    process->random = (ProcessRandom){.base.ops = &random_ops, .rng = rng_derive(engine->seed, stream)};
    process->ports = (Ports){.clock = &process->clock.base,
                             .random = &process->random.base,
                             .trace = engine_trace_port(engine->trace),
                             .log = options->log};
    return process;
}

void
engine_process_free(EngineProcess *process)
{
    if (process == NULL)
        return;
    engine_process_kill(process, ENGINE_DEATH_KILLED);
    process->engine->processes--;
    if (process->free_net != NULL)
        process->free_net(process->ports.net);
    if (process->listeners != NULL)
        g_array_unref(process->listeners);
    g_free(process->name);
    g_free(process->host);
    g_free(process);
}

/* ---- reading ---- */

uint32_t *
engine_process_events(EngineProcess *process)
{
    return &process->events;
}

uint64_t
engine_process_hash(const EngineProcess *process)
{
    return process->hash;
}

const Ports *
engine_process_ports(const EngineProcess *process)
{
    return &process->ports;
}

void
engine_process_set_net(EngineProcess *process, Net *net, GDestroyNotify free_net)
{
    if (process->free_net != NULL)
        process->free_net(process->ports.net);
    process->free_net = free_net;
    process->ports.net = net;
}

Engine *
engine_process_engine(const EngineProcess *process)
{
    return process->engine;
}

const char *
engine_process_name(const EngineProcess *process)
{
    return process->name;
}

const char *
engine_process_host(const EngineProcess *process)
{
    return process->host;
}

uint32_t
engine_process_pid(const EngineProcess *process)
{
    return process->pid;
}

uint32_t
engine_process_incarnation(const EngineProcess *process)
{
    return process->incarnation;
}

bool
engine_process_is_alive(const EngineProcess *process)
{
    return process->alive;
}

bool
engine_process_is_paused(const EngineProcess *process)
{
    return process->paused;
}
