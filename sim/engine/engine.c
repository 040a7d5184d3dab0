/* A 4-ary heap of (time, sequence, slot) over a pool of slots with a free list.
 *
 * Invariants: positions[slot] is the slot's index in the heap, or says why it is in none. A slot that waits is in the
 * list of its process (if it has one). A freed slot's generation is raised, so that an old EventId finds nothing. */
#include "sim/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "sim/engine/engine_private.h"

#define HEAP_ARITY 4u
#define CAPACITY_FIRST 1024u

#define CACHE_LINE 64u

static inline bool
entry_before(const HeapEntry *a, const HeapEntry *b)
{
    return a->time < b->time || (a->time == b->time && a->order < b->order);
}

static inline uint32_t
entry_slot(const HeapEntry *entry)
{
    return (uint32_t)(entry->order & (SLOTS_MAX - 1));
}

static inline void
place(Engine *engine, uint32_t index, HeapEntry entry)
{
    engine->heap[index] = entry;
    engine->positions[entry_slot(&entry)] = index;
}

static void
sift_up(Engine *engine, uint32_t index, HeapEntry entry)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / HEAP_ARITY;
        if (!entry_before(&entry, &engine->heap[parent]))
            break;
        place(engine, index, engine->heap[parent]);
        index = parent;
    }
    place(engine, index, entry);
}

static void
sift_down(Engine *engine, uint32_t index, HeapEntry entry)
{
    for (;;) {
        uint32_t first = index * HEAP_ARITY + 1;
        if (first >= engine->heap_size)
            break;
        uint32_t last = MIN(first + HEAP_ARITY, engine->heap_size), best = first;
        for (uint32_t child = first + 1; child < last; child++)
            if (entry_before(&engine->heap[child], &engine->heap[best]))
                best = child;
        if (!entry_before(&engine->heap[best], &entry))
            break;
        place(engine, index, engine->heap[best]);
        index = best;
    }
    place(engine, index, entry);
}

static void
heap_push(Engine *engine, HeapEntry entry)
{
    sift_up(engine, engine->heap_size++, entry);
}

static void
heap_remove(Engine *engine, uint32_t index)
{
    HeapEntry last = engine->heap[--engine->heap_size];
    if (index == engine->heap_size)
        return;
    if (index > 0 && entry_before(&last, &engine->heap[(index - 1) / HEAP_ARITY]))
        sift_up(engine, index, last);
    else
        sift_down(engine, index, last);
}

/* Entry 1, the first child of the root, lies at the start of a cache line; and so do all first children. */
static void
grow_heap(Engine *engine, uint32_t capacity)
{
    char *memory = g_malloc((capacity + HEAP_ARITY) * sizeof(HeapEntry) + CACHE_LINE);
    uintptr_t line = ((uintptr_t)memory + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    HeapEntry *heap = (HeapEntry *)(void *)(memory + (line - (uintptr_t)memory)) + HEAP_ARITY - 1;
    if (engine->heap_size > 0)
        memcpy(heap, engine->heap, engine->heap_size * sizeof(HeapEntry));
    g_free(engine->heap_memory);
    engine->heap_memory = memory;
    engine->heap = heap;
}

static void
grow(Engine *engine)
{
    uint32_t old = engine->capacity, capacity = MAX(CAPACITY_FIRST, old * 2);
    g_assert(capacity <= SLOTS_MAX);
    grow_heap(engine, capacity);
    engine->slots = g_renew(EventSlot, engine->slots, capacity);
    engine->positions = g_renew(uint32_t, engine->positions, capacity);
    for (uint32_t i = capacity; i-- > old;) {
        engine->slots[i] = (EventSlot){.next = engine->free_head, .generation = 1};
        engine->positions[i] = POSITION_FREE;
        engine->free_head = i;
    }
    engine->capacity = capacity;
}

static int
compare_entries(const void *a, const void *b)
{
    return entry_before(a, b) ? -1 : 1;
}

/* The numbers ran out: what is pending is numbered anew, in the same order. A sorted array is a heap. */
static void
renumber(Engine *engine)
{
    qsort(engine->heap, engine->heap_size, sizeof(HeapEntry), compare_entries);
    engine->sequence = 0;
    for (uint32_t i = 0; i < engine->heap_size; i++) {
        uint32_t slot = entry_slot(&engine->heap[i]);
        place(engine, i, (HeapEntry){engine->heap[i].time, ++engine->sequence << SLOT_BITS | slot});
    }
}

static void
list_add(Engine *engine, uint32_t index)
{
    EventSlot *slot = &engine->slots[index];
    slot->previous = slot->next = SLOT_NONE;
    if (slot->process == NULL)
        return;
    uint32_t *head = engine_process_events(slot->process);
    slot->next = *head;
    if (*head != SLOT_NONE)
        engine->slots[*head].previous = index;
    *head = index;
}

static void
list_remove(Engine *engine, uint32_t index)
{
    EventSlot *slot = &engine->slots[index];
    if (slot->process == NULL)
        return;
    if (slot->next != SLOT_NONE)
        engine->slots[slot->next].previous = slot->previous;
    if (slot->previous != SLOT_NONE)
        engine->slots[slot->previous].next = slot->next;
    else
        *engine_process_events(slot->process) = slot->next;
}

static void
free_slot(Engine *engine, uint32_t index)
{
    EventSlot *slot = &engine->slots[index];
    list_remove(engine, index);
    engine->positions[index] = POSITION_FREE;
    slot->generation = slot->generation == UINT32_MAX ? 1 : slot->generation + 1;
    slot->next = engine->free_head;
    engine->free_head = index;
}

void
engine_unlink_slot(Engine *engine, uint32_t slot)
{
    uint32_t position = engine->positions[slot];
    if (position == POSITION_HELD)
        engine->held--;
    else
        heap_remove(engine, position);
    free_slot(engine, slot);
}

EventId
engine_slot_id(const Engine *engine, uint32_t slot)
{
    return (EventId)engine->slots[slot].generation << 32 | slot;
}

uint32_t
engine_find_slot(const Engine *engine, EventId id)
{
    uint32_t slot = (uint32_t)id;
    if (id == 0 || slot >= engine->capacity || engine->positions[slot] == POSITION_FREE ||
        engine->slots[slot].generation != (uint32_t)(id >> 32))
        return SLOT_NONE;
    return slot;
}

EventId
engine_at_take(Engine *engine, EngineProcess *process, int64_t time, EventFunc func, void *take,
               GDestroyNotify drop)
{
    if (process != NULL && !engine_process_is_alive(process)) {
        if (drop != NULL)
            drop(take);
        return 0;
    }
    if (engine->free_head == SLOT_NONE)
        grow(engine);
    uint32_t index = engine->free_head;
    EventSlot *slot = &engine->slots[index];
    engine->free_head = slot->next;
    slot->func = func;
    slot->data = take;
    slot->drop = drop;
    slot->process = process;
    slot->cause = engine->trace->current;
    list_add(engine, index);
    if (engine->sequence >= SEQUENCE_MAX)
        renumber(engine);
    heap_push(engine, (HeapEntry){MAX(time, engine->now), ++engine->sequence << SLOT_BITS | index});
    return engine_slot_id(engine, index);
}

EventId
engine_at(Engine *engine, EngineProcess *process, int64_t time, EventFunc func, void *data)
{
    return engine_at_take(engine, process, time, func, data, NULL);
}

EventId
engine_in(Engine *engine, EngineProcess *process, int64_t delay_ns, EventFunc func, void *data)
{
    return engine_at_take(engine, process, engine->now + delay_ns, func, data, NULL);
}

void
engine_cancel(Engine *engine, EventId id)
{
    uint32_t slot = engine_find_slot(engine, id);
    if (slot == SLOT_NONE)
        return;
    GDestroyNotify drop = engine->slots[slot].drop;
    void *data = engine->slots[slot].data;
    engine_unlink_slot(engine, slot);
    if (drop != NULL)
        drop(data);
}

void
engine_cancel_slot(Engine *engine, EventId *id)
{
    EventId old = *id;
    *id = 0;
    engine_cancel(engine, old);
}

bool
engine_is_pending(const Engine *engine, EventId id)
{
    return engine_find_slot(engine, id) != SLOT_NONE;
}

void
engine_run_slot(Engine *engine, uint32_t index)
{
    EventSlot event = engine->slots[index];
    free_slot(engine, index);
    EngineTrace *trace = engine->trace;
    trace->current = event.cause;
    engine->events_run++;
    engine_trace_mix(trace, (uint64_t)engine->now);
    engine_trace_mix(trace, event.cause ^ (event.process != NULL ? engine_process_hash(event.process) : 0));
    event.func(event.data);
    trace->current = 0;
}

/* Takes the next event off the heap; false when its process holds it for later. */
static bool
take_next(Engine *engine)
{
    HeapEntry next = engine->heap[0];
    __builtin_prefetch(&engine->slots[entry_slot(&next)]); /* it is far away, and the heap takes a while */
    heap_remove(engine, 0);
    engine->now = next.time;
    uint32_t slot = entry_slot(&next);
    EngineProcess *process = engine->slots[slot].process;
    if (process == NULL || engine_process_admit(process, slot)) {
        engine_run_slot(engine, slot);
        return true;
    }
    engine->positions[slot] = POSITION_HELD;
    engine->held++;
    return false;
}

bool
engine_step(Engine *engine)
{
    while (engine->heap_size > 0)
        if (take_next(engine))
            return true;
    return false;
}

uint64_t
engine_run_some(Engine *engine, int64_t t, uint64_t max_events)
{
    uint64_t before = engine->events_run;
    engine->stop = false;
    while (engine->heap_size > 0 && engine->heap[0].time <= t) {
        if (engine->events_run - before >= max_events || engine->stop)
            return engine->events_run - before;
        take_next(engine);
    }
    engine->now = MAX(engine->now, t);
    return engine->events_run - before;
}

uint64_t
engine_run_until(Engine *engine, int64_t t)
{
    return engine_run_some(engine, t, UINT64_MAX);
}

void
engine_stop(Engine *engine)
{
    engine->stop = true;
}

int64_t
engine_next_time(const Engine *engine)
{
    return engine->heap_size > 0 ? engine->heap[0].time : ENGINE_TIME_NEVER;
}

size_t
engine_pending(const Engine *engine)
{
    return engine->heap_size + engine->held;
}

uint64_t
engine_events_run(const Engine *engine)
{
    return engine->events_run;
}

int64_t
engine_now(const Engine *engine)
{
    return engine->now;
}

uint64_t
engine_seed(const Engine *engine)
{
    return engine->seed;
}

EngineTrace *
engine_trace(Engine *engine)
{
    return engine->trace;
}

uint64_t
engine_digest(const Engine *engine)
{
    return engine_trace_digest(engine->trace);
}

int64_t *
engine_skew_place(Engine *engine, const char *host)
{
    int64_t *place = g_hash_table_lookup(engine->skews, host);
    if (place == NULL) {
        place = g_new0(int64_t, 1);
        g_hash_table_insert(engine->skews, g_strdup(host), place);
    }
    return place;
}

void
engine_set_skew(Engine *engine, const char *host, int64_t skew_ns)
{
    *engine_skew_place(engine, host) = skew_ns;
}

int64_t
engine_skew(const Engine *engine, const char *host)
{
    const int64_t *place = g_hash_table_lookup(engine->skews, host);
    return place != NULL ? *place : 0;
}

uint64_t
engine_derive_seed(const Engine *engine, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ engine->seed;
    for (const char *c = name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

Engine *
engine_new(const EngineOptions *options)
{
    Engine *engine = g_new0(Engine, 1);
    engine->seed = options->seed;
    engine->now = options->start_ns;
    engine->free_head = SLOT_NONE;
    engine->trace = engine_trace_new(&engine->now,
                                     options->facts_max != 0 ? options->facts_max : ENGINE_FACTS_DEFAULT,
                                     options->messages_max != 0 ? options->messages_max : ENGINE_MESSAGES_DEFAULT);
    engine_trace_mix(engine->trace, options->seed);
    engine->incarnations = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    engine->skews = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return engine;
}

void
engine_drop_pending(Engine *engine)
{
    while (engine->heap_size > 0)
        engine_cancel(engine, engine_slot_id(engine, entry_slot(&engine->heap[engine->heap_size - 1])));
}

void
engine_free(Engine *engine)
{
    if (engine == NULL)
        return;
    engine_drop_pending(engine);
    g_assert(engine->processes == 0);
    engine_trace_free(engine->trace);
    g_hash_table_unref(engine->incarnations);
    g_hash_table_unref(engine->skews);
    g_free(engine->heap_memory);
    g_free(engine->slots);
    g_free(engine->positions);
    g_free(engine);
}
