/* The trace of one world: facts with their causes, in a bounded ring; the rolling digest of everything; the last
 * messages between components, for pictures. A fact's id is its number from 1; it is also a CauseId. */
#pragma once

#include "core/port/trace.h"

typedef struct EngineTrace {
    Trace base;
    CauseId current; /* of the event that runs; the engine sets it */
    uint64_t digest;
    struct TraceRings *rings;
} EngineTrace;

/* A fact as it is kept. Strings are valid until the next fact is recorded. */
typedef struct TraceFact {
    CauseId id;
    CauseId cause; /* 0: none known */
    int64_t time;
    FactKind kind;
    const char *actor, *verb, *subject, *text; /* "" when not given, but subject and text: NULL */
    uint64_t digest;
    int64_t revision;
} TraceFact;

EngineTrace *engine_trace_new(const int64_t *now, size_t facts_max, size_t messages_max);
void engine_trace_free(EngineTrace *trace);
Trace *engine_trace_port(EngineTrace *trace); /* for the world itself, outside any process */

/* ---- digest ---- */

static inline void
engine_trace_mix(EngineTrace *trace, uint64_t word)
{
    uint64_t digest = (trace->digest ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    trace->digest = digest ^ (digest >> 29);
}

uint64_t engine_trace_digest(const EngineTrace *trace);

/* ---- facts ---- */

uint64_t engine_trace_count(const EngineTrace *trace); /* facts recorded so far; the last one's id */
CauseId engine_trace_oldest(const EngineTrace *trace); /* id of the oldest that is kept; 0: none */
bool engine_trace_get(const EngineTrace *trace, CauseId id, TraceFact *ret_fact);
/* The last fact about a subject ("Pod/default/web-1"), or 0; and the one before a fact about the same subject. */
CauseId engine_trace_last_about(const EngineTrace *trace, const char *subject);
CauseId engine_trace_before(const EngineTrace *trace, CauseId id);
/* The chain that led to `cause`, newest first: `cause` itself, its cause, ... at most `max` facts are written to
 * ret_facts; returns their number. The chain ends early where history was forgotten. */
size_t engine_trace_chain(const EngineTrace *trace, CauseId cause, size_t max, TraceFact *ret_facts);

/* ---- messages ---- */

typedef struct TraceMessage {
    uint64_t number; /* counts messages from 1 */
    int64_t time, arrives;
    const char *from, *to; /* processes or hosts; interned while kept */
    const char *label;     /* static, or "" */
    bool lost;
} TraceMessage;

/* What the net reports of every message between processes. from and to are copied; label is static. */
void engine_trace_message(EngineTrace *trace, const TraceMessage *message);
uint64_t engine_trace_message_count(const EngineTrace *trace);
bool engine_trace_get_message(const EngineTrace *trace, uint64_t number, TraceMessage *ret_message);

/* ---- listeners ---- */

/* Called for every fact (message NULL) and every message (fact NULL) as they happen. They must not record. */
typedef void (*TraceListenerFunc)(const TraceFact *fact, const TraceMessage *message, void *data);
void engine_trace_add_listener(EngineTrace *trace, TraceListenerFunc func, void *data);
void engine_trace_remove_listener(EngineTrace *trace, TraceListenerFunc func, void *data);

const char *fact_kind_name(FactKind kind); /* "write", "decision", ... */
