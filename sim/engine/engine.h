/* The discrete-event engine: one queue of events in total order (time, then sequence). Nothing else decides what runs
 * next: same seed and same inputs give the same events in the same order on any machine. Times are nanoseconds since
 * the Unix epoch, virtual.
 *
 * Every event carries the cause that was current when it was scheduled; while it runs, that cause is current again.
 * Every event run is mixed into the trace's digest. One engine is one world; any number may live in one process. */
#pragma once

#include "core/port/clock.h"
#include "core/port/trace.h"

typedef struct Engine Engine;
typedef struct EngineProcess EngineProcess; /* sim/engine/process.h */
typedef struct EngineTrace EngineTrace;     /* sim/engine/trace.h */

typedef uint64_t EventId; /* 0 is no event */
typedef void (*EventFunc)(void *data);

typedef struct EngineOptions {
    uint64_t seed;
    int64_t start_ns;
    size_t facts_max;    /* kept for `why`; 0: ENGINE_FACTS_DEFAULT */
    size_t messages_max; /* kept for pictures; 0: ENGINE_MESSAGES_DEFAULT */
} EngineOptions;

#define ENGINE_FACTS_DEFAULT 1000000
#define ENGINE_MESSAGES_DEFAULT 4096
#define ENGINE_TIME_NEVER INT64_MAX

Engine *engine_new(const EngineOptions *options);
/* Drops every event that is pending. A world is taken down in this order: free the processes, engine_drop_pending, free
 * the back ends, engine_free. */
void engine_drop_pending(Engine *engine);
/* Processes must have been freed before. */
void engine_free(Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Engine, engine_free)

int64_t engine_now(const Engine *engine);
uint64_t engine_seed(const Engine *engine);
EngineTrace *engine_trace(Engine *engine);
/* Of all that happened so far: events with their times and causes, facts with their contents. */
uint64_t engine_digest(const Engine *engine);

/* Calls func(data) at `time` (at once, after what is already due, when it is past). The event belongs to `process`
 * and ends with it; NULL: to the world. Returns 0 when the process is dead. */
EventId engine_at(Engine *engine, EngineProcess *process, int64_t time, EventFunc func, void *data);
EventId engine_in(Engine *engine, EngineProcess *process, int64_t delay_ns, EventFunc func, void *data);
/* As engine_at; the event owns `data`: drop(data) is called when it will never run (cancelled, process dead, engine
 * freed). func itself owns data when it runs. */
EventId engine_at_take(Engine *engine, EngineProcess *process, int64_t time, EventFunc func, void *take,
                       GDestroyNotify drop);
/* Forgets an event; one that ran or was cancelled before is no error. */
void engine_cancel(Engine *engine, EventId id);
void engine_cancel_slot(Engine *engine, EventId *id); /* and sets it to 0 */
bool engine_is_pending(const Engine *engine, EventId id);

/* Runs the next event; false when there is none. */
bool engine_step(Engine *engine);
/* Runs every event up to and including time t, then sets now to t. Returns the number of events run. */
uint64_t engine_run_until(Engine *engine, int64_t t);
/* As engine_run_until but stops after max_events, or when engine_stop was called by an event; now is set to t only
 * when nothing due remains. */
uint64_t engine_run_some(Engine *engine, int64_t t, uint64_t max_events);
void engine_stop(Engine *engine);

/* Time of the next event, or ENGINE_TIME_NEVER. */
int64_t engine_next_time(const Engine *engine);
size_t engine_pending(const Engine *engine);
uint64_t engine_events_run(const Engine *engine);

/* The wall clock of a host differs from the engine's by this much; timers are not moved (they are monotonic). */
void engine_set_skew(Engine *engine, const char *host, int64_t skew_ns);
int64_t engine_skew(const Engine *engine, const char *host);

/* A number that depends on the seed and the name alone. */
uint64_t engine_derive_seed(const Engine *engine, const char *name);
