/* A priority queue in total order of (time, sequence). Entries can be removed by their handle. Four children
 * a node: fewer levels, and siblings share a cache line. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Heap Heap;
typedef uint64_t HeapHandle; /* 0 is never a handle; a handle of a gone entry stays invalid */

typedef struct {
    int64_t time;
    uint64_t sequence;
    void *payload; /* borrowed: the heap never frees it */
    HeapHandle handle;
} HeapEntry;

Heap *heap_new(void);
void heap_free(Heap *heap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Heap, heap_free)

size_t heap_size(const Heap *heap);
/* Equal (time, sequence) pairs are the caller's mistake: their order is not defined. */
HeapHandle heap_push(Heap *heap, int64_t time, uint64_t sequence, void *payload);
bool heap_peek(const Heap *heap, HeapEntry *ret_entry); /* the least; false when empty */
bool heap_pop(Heap *heap, HeapEntry *ret_entry);
/* False when the handle's entry is gone already. ret_entry may be NULL. */
bool heap_remove(Heap *heap, HeapHandle handle, HeapEntry *ret_entry);
bool heap_find(const Heap *heap, HeapHandle handle, HeapEntry *ret_entry);
/* Every entry, in no useful order: for freeing payloads and for checks. NULL past the end. */
const HeapEntry *heap_entry_at(const Heap *heap, size_t index);
