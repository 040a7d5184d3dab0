/* The pods of one ReplicaSet, counted as they change: with 1,500 pods in each of 100 sets, a sync
 * that walked them for every event would be most of what the program does. Built from the cache
 * once, then moved by each pod's old and new state. */
#pragma once

#include "core/controllers/controller.h"

typedef struct PodCounts {
    int64_t active;            /* neither terminal nor deleting */
    int64_t labeled;           /* active with all labels of the template */
    int64_t ready;             /* active and ready */
    int64_t available;         /* active and available; = ready when minReadySeconds is 0 */
    int64_t terminating;       /* deleting, not terminal */
    int64_t strangers;         /* owned, but the selector does not match */
    int64_t next_available_ns; /* delay until the next ready pod becomes available; 0: none waits */
} PodCounts;

typedef struct CountTable CountTable;

CountTable *count_table_new(void);
void count_table_free(CountTable *table);
/* A pod controlled by owner changed (old or new may be NULL). */
void count_table_change(CountTable *table, const Value *owner, const Value *old, const Value *new_);
/* The counts now; built anew when the owner's selector, template labels or minReadySeconds changed,
 * and on each call when minReadySeconds is not 0 (then time changes them too). */
PodCounts count_table_get(CountTable *table, const Value *owner, const Informer *pods, int64_t now);
void count_table_forget(CountTable *table, const char *uid);
