/* Two rings and a pool of reference-counted strings.
 *
 * Invariants: fact id i lies at facts[i & mask] while i > count - capacity. A string of the pool lives as long as a kept
 * fact or message names it, and knows the last kept fact of which it is the subject; each fact knows the one before
 * about the same subject, which may be forgotten. */
#include "sim/engine/trace.h"

#include <string.h>

#define RING_FIRST 1024u

typedef struct PoolString {
    uint32_t refs;
    CauseId last; /* the last fact about it */
    char text[];
} PoolString;

typedef struct KeptFact {
    CauseId cause, before;
    int64_t time;
    PoolString *actor, *verb, *subject, *text;
    uint64_t digest;
    int64_t revision;
    FactKind kind;
} KeptFact;

typedef struct KeptMessage {
    int64_t time, arrives;
    PoolString *from, *to;
    const char *label;
    bool lost;
} KeptMessage;

typedef struct TraceListener {
    TraceListenerFunc func;
    void *data;
} TraceListener;

struct TraceRings {
    const int64_t *now;
    GHashTable *pool; /* text -> PoolString; looked up only */
    KeptFact *facts;
    uint64_t count, capacity, capacity_max; /* capacities are powers of two */
    KeptMessage *messages;
    uint64_t message_count, message_capacity;
    GArray *listeners;
};

static PoolString *
pool_take(struct TraceRings *rings, const char *text)
{
    if (text == NULL)
        return NULL;
    PoolString *string = g_hash_table_lookup(rings->pool, text);
    if (string == NULL) {
        size_t size = strlen(text) + 1;
        string = g_malloc(sizeof *string + size);
        string->refs = 0;
        string->last = 0;
        memcpy(string->text, text, size);
        g_hash_table_insert(rings->pool, string->text, string);
    }
    string->refs++;
    return string;
}

static void
pool_drop(struct TraceRings *rings, PoolString *string)
{
    if (string == NULL || --string->refs > 0)
        return;
    g_hash_table_remove(rings->pool, string->text);
    g_free(string);
}

static KeptFact *
fact_at(const struct TraceRings *rings, CauseId id)
{
    if (id == 0 || id > rings->count || rings->count - id >= rings->capacity)
        return NULL;
    return &rings->facts[id & (rings->capacity - 1)];
}

static void
forget_fact(struct TraceRings *rings, CauseId id)
{
    KeptFact *fact = fact_at(rings, id);
    if (fact->subject != NULL && fact->subject->last == id)
        fact->subject->last = 0;
    pool_drop(rings, fact->actor);
    pool_drop(rings, fact->verb);
    pool_drop(rings, fact->subject);
    pool_drop(rings, fact->text);
}

/* Makes room for fact number count + 1: doubles the ring, or forgets the oldest. */
static void
make_room(struct TraceRings *rings)
{
    if (rings->count < rings->capacity)
        return;
    if (rings->capacity == rings->capacity_max) {
        forget_fact(rings, rings->count - rings->capacity + 1);
        return;
    }
    uint64_t capacity = rings->capacity * 2;
    KeptFact *facts = g_new(KeptFact, capacity);
    for (uint64_t id = 1; id <= rings->count; id++)
        facts[id & (capacity - 1)] = rings->facts[id & (rings->capacity - 1)];
    g_free(rings->facts);
    rings->facts = facts;
    rings->capacity = capacity;
}

static void
mix_text(EngineTrace *trace, const PoolString *string)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (const char *c = string != NULL ? string->text : ""; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    engine_trace_mix(trace, hash);
}

static void
tell(EngineTrace *trace, const TraceFact *fact, const TraceMessage *message)
{
    GArray *listeners = trace->rings->listeners;
    for (guint i = 0; i < listeners->len; i++) {
        TraceListener *listener = &g_array_index(listeners, TraceListener, i);
        listener->func(fact, message, listener->data);
    }
}

static void
keep_message_fact(EngineTrace *trace, const Fact *fact)
{
    engine_trace_message(trace, &(TraceMessage){.time = *trace->rings->now,
                                                .arrives = *trace->rings->now,
                                                .from = fact->actor,
                                                .to = fact->subject,
                                                .label = g_intern_string(fact->verb)});
}

static CauseId
record(Trace *base, const Fact *fact)
{
    EngineTrace *trace = (EngineTrace *)base;
    struct TraceRings *rings = trace->rings;
    if (fact->kind == FACT_MESSAGE) {
        keep_message_fact(trace, fact);
        return trace->current;
    }
    make_room(rings);
    CauseId id = rings->count + 1;
    KeptFact *kept = &rings->facts[id & (rings->capacity - 1)];
    *kept = (KeptFact){.cause = trace->current,
                       .time = *rings->now,
                       .actor = pool_take(rings, fact->actor),
                       .verb = pool_take(rings, fact->verb),
                       .subject = pool_take(rings, fact->subject),
                       .text = pool_take(rings, fact->text),
                       .digest = fact->digest,
                       .revision = fact->revision,
                       .kind = fact->kind};
    if (kept->subject != NULL) {
        kept->before = kept->subject->last;
        kept->subject->last = id;
    }
    rings->count = id;
    engine_trace_mix(trace, (uint64_t)kept->time ^ (uint64_t)kept->kind);
    engine_trace_mix(trace, kept->cause);
    mix_text(trace, kept->actor);
    mix_text(trace, kept->verb);
    mix_text(trace, kept->subject);
    engine_trace_mix(trace, kept->digest ^ (uint64_t)kept->revision);
    trace->current = id;
    if (rings->listeners->len > 0) {
        TraceFact told;
        engine_trace_get(trace, id, &told);
        tell(trace, &told, NULL);
    }
    return id;
}

static CauseId
current(Trace *base)
{
    return ((EngineTrace *)base)->current;
}

static void
adopt(Trace *base, CauseId cause)
{
    if (cause != 0)
        ((EngineTrace *)base)->current = cause;
}

static const TraceOps trace_ops = {.current = current, .adopt = adopt, .record = record};

uint64_t
engine_trace_digest(const EngineTrace *trace)
{
    return trace->digest;
}

uint64_t
engine_trace_count(const EngineTrace *trace)
{
    return trace->rings->count;
}

CauseId
engine_trace_oldest(const EngineTrace *trace)
{
    const struct TraceRings *rings = trace->rings;
    return rings->count == 0 ? 0 : rings->count - MIN(rings->count, rings->capacity) + 1;
}

bool
engine_trace_get(const EngineTrace *trace, CauseId id, TraceFact *ret_fact)
{
    const KeptFact *kept = fact_at(trace->rings, id);
    if (kept == NULL)
        return false;
    *ret_fact = (TraceFact){.id = id,
                            .cause = kept->cause,
                            .time = kept->time,
                            .kind = kept->kind,
                            .actor = kept->actor != NULL ? kept->actor->text : "",
                            .verb = kept->verb != NULL ? kept->verb->text : "",
                            .subject = kept->subject != NULL ? kept->subject->text : NULL,
                            .text = kept->text != NULL ? kept->text->text : NULL,
                            .digest = kept->digest,
                            .revision = kept->revision};
    return true;
}

CauseId
engine_trace_last_about(const EngineTrace *trace, const char *subject)
{
    const PoolString *string = g_hash_table_lookup(trace->rings->pool, subject);
    return string != NULL ? string->last : 0;
}

CauseId
engine_trace_before(const EngineTrace *trace, CauseId id)
{
    const KeptFact *kept = fact_at(trace->rings, id);
    return kept != NULL && fact_at(trace->rings, kept->before) != NULL ? kept->before : 0;
}

size_t
engine_trace_chain(const EngineTrace *trace, CauseId cause, size_t max, TraceFact *ret_facts)
{
    size_t n = 0;
    while (n < max && engine_trace_get(trace, cause, &ret_facts[n]))
        cause = ret_facts[n++].cause;
    return n;
}

static void
forget_message(struct TraceRings *rings, KeptMessage *message)
{
    pool_drop(rings, message->from);
    pool_drop(rings, message->to);
}

void
engine_trace_message(EngineTrace *trace, const TraceMessage *message)
{
    struct TraceRings *rings = trace->rings;
    KeptMessage *kept = &rings->messages[++rings->message_count & (rings->message_capacity - 1)];
    KeptMessage fresh = {.time = message->time,
                         .arrives = message->arrives,
                         .from = pool_take(rings, message->from),
                         .to = pool_take(rings, message->to),
                         .label = message->label != NULL ? message->label : "",
                         .lost = message->lost};
    if (rings->message_count > rings->message_capacity)
        forget_message(rings, kept);
    *kept = fresh;
    if (rings->listeners->len > 0) {
        TraceMessage told;
        engine_trace_get_message(trace, rings->message_count, &told);
        tell(trace, NULL, &told);
    }
}

uint64_t
engine_trace_message_count(const EngineTrace *trace)
{
    return trace->rings->message_count;
}

bool
engine_trace_get_message(const EngineTrace *trace, uint64_t number, TraceMessage *ret_message)
{
    const struct TraceRings *rings = trace->rings;
    if (number == 0 || number > rings->message_count || rings->message_count - number >= rings->message_capacity)
        return false;
    const KeptMessage *kept = &rings->messages[number & (rings->message_capacity - 1)];
    *ret_message = (TraceMessage){.number = number,
                                  .time = kept->time,
                                  .arrives = kept->arrives,
                                  .from = kept->from != NULL ? kept->from->text : "",
                                  .to = kept->to != NULL ? kept->to->text : "",
                                  .label = kept->label,
                                  .lost = kept->lost};
    return true;
}

void
engine_trace_add_listener(EngineTrace *trace, TraceListenerFunc func, void *data)
{
    TraceListener listener = {func, data};
    g_array_append_val(trace->rings->listeners, listener);
}

void
engine_trace_remove_listener(EngineTrace *trace, TraceListenerFunc func, void *data)
{
    GArray *listeners = trace->rings->listeners;
    for (guint i = 0; i < listeners->len; i++) {
        TraceListener *listener = &g_array_index(listeners, TraceListener, i);
        if (listener->func == func && listener->data == data) {
            g_array_remove_index(listeners, i);
            return;
        }
    }
}

const char *
fact_kind_name(FactKind kind)
{
    static const char *const names[] = {
        [FACT_WRITE] = "write", [FACT_DECISION] = "decision", [FACT_MESSAGE] = "message",
        [FACT_FAULT] = "fault", [FACT_INPUT] = "input",       [FACT_STATE] = "state",
    };
    return names[kind];
}

Trace *
engine_trace_port(EngineTrace *trace)
{
    return &trace->base;
}

static uint64_t
power_of_two(size_t at_least)
{
    uint64_t capacity = 1;
    while (capacity < at_least)
        capacity *= 2;
    return capacity;
}

EngineTrace *
engine_trace_new(const int64_t *now, size_t facts_max, size_t messages_max)
{
    struct TraceRings *rings = g_new0(struct TraceRings, 1);
    rings->now = now;
    rings->pool = g_hash_table_new(g_str_hash, g_str_equal);
    rings->capacity_max = power_of_two(MAX(facts_max, 2));
    rings->capacity = MIN(rings->capacity_max, RING_FIRST);
    rings->facts = g_new(KeptFact, rings->capacity);
    rings->message_capacity = power_of_two(MAX(messages_max, 2));
    rings->messages = g_new0(KeptMessage, rings->message_capacity);
    rings->listeners = g_array_new(FALSE, FALSE, sizeof(TraceListener));
    EngineTrace *trace = g_new0(EngineTrace, 1);
    trace->base.ops = &trace_ops;
    trace->digest = UINT64_C(0x243f6a8885a308d3);
    trace->rings = rings;
    return trace;
}

void
engine_trace_free(EngineTrace *trace)
{
    if (trace == NULL)
        return;
    struct TraceRings *rings = trace->rings;
    for (CauseId id = engine_trace_oldest(trace); id != 0 && id <= rings->count; id++)
        forget_fact(rings, id);
    for (uint64_t i = 0; i < rings->message_capacity; i++)
        forget_message(rings, &rings->messages[i]);
    g_hash_table_unref(rings->pool);
    g_array_unref(rings->listeners);
    g_free(rings->facts);
    g_free(rings->messages);
    g_free(rings);
    g_free(trace);
}
