/* What engine.c and process.c share. */
#pragma once

#include "sim/engine/engine.h"
#include "sim/engine/process.h"
#include "sim/engine/trace.h"

#define SLOT_NONE UINT32_MAX
#define POSITION_FREE UINT32_MAX       /* the slot is on the free list */
#define POSITION_HELD (UINT32_MAX - 1) /* the event is due, but its process is paused or busy */

typedef struct EventSlot {
    EventFunc func;
    void *data;
    GDestroyNotify drop;
    EngineProcess *process;
    CauseId cause;
    uint32_t next, previous; /* in the process's list; next also links the free list */
    uint32_t generation;
} EventSlot;

/* 16 bytes, so that the four children of an entry lie in one cache line. */
typedef struct HeapEntry {
    int64_t time;
    uint64_t order; /* sequence << SLOT_BITS | slot: sequences differ, so the slot never decides */
} HeapEntry;

#define SLOT_BITS 24
#define SLOTS_MAX (1u << SLOT_BITS)
#define SEQUENCE_MAX (UINT64_MAX >> SLOT_BITS)

struct Engine {
    int64_t now;
    uint64_t seed;
    uint64_t sequence;
    uint64_t events_run;
    bool stop;

    HeapEntry *heap;  /* aligned: the children of an entry begin a cache line */
    void *heap_memory;
    uint32_t heap_size;
    EventSlot *slots;
    uint32_t *positions; /* heap index of a slot, or POSITION_... */
    uint32_t capacity;   /* of heap, slots and positions */
    uint32_t free_head;
    uint32_t held;       /* events that wait in processes' held lists */

    EngineTrace *trace;
    GHashTable *incarnations; /* "host/name" -> count; looked up only */
    GHashTable *skews;        /* host -> int64_t *; looked up only */
    uint32_t processes, processes_made;
};

/* Removes an event from wherever it waits and frees its slot; its drop is the caller's business. */
void engine_unlink_slot(Engine *engine, uint32_t slot);
/* Runs an event that is not in the heap any more. */
void engine_run_slot(Engine *engine, uint32_t slot);
EventId engine_slot_id(const Engine *engine, uint32_t slot);
/* The slot of an id that still waits, or SLOT_NONE. */
uint32_t engine_find_slot(const Engine *engine, EventId id);
/* Where a host's skew lives. */
int64_t *engine_skew_place(Engine *engine, const char *host);
/* A due event arrives at its process: true when it may run now, false when the process holds it. */
bool engine_process_admit(EngineProcess *process, uint32_t slot);
uint32_t *engine_process_events(EngineProcess *process); /* head of its list */
uint64_t engine_process_hash(const EngineProcess *process);
