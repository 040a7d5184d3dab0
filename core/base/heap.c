/* Entries lie in heap order in one array. A handle is (generation << 32 | slot + 1); slots[slot] says where
 * its entry lies now. Free slots form a list through their position. */
#include "core/base/heap.h"

#include "core/base/limits.h"

#define NO_SLOT UINT32_MAX

typedef struct {
    uint32_t position; /* in entries; of a free slot: the next free one */
    uint32_t generation;
} Slot;

struct Heap {
    HeapEntry *entries;
    Slot *slots;
    uint32_t size;
    uint32_t capacity;
    uint32_t slots_used;
    uint32_t free_slot;
};

Heap *
heap_new(void)
{
    Heap *heap = g_new0(Heap, 1);

    heap->free_slot = NO_SLOT;
    return heap;
}

void
heap_free(Heap *heap)
{
    if (heap == NULL)
        return;
    g_free(heap->entries);
    g_free(heap->slots);
    g_free(heap);
}

size_t
heap_size(const Heap *heap)
{
    return heap == NULL ? 0 : heap->size;
}

static inline bool
entry_before(const HeapEntry *a, const HeapEntry *b)
{
    return a->time != b->time ? a->time < b->time : a->sequence < b->sequence;
}

static inline uint32_t
handle_slot(HeapHandle handle)
{
    return (uint32_t)handle - 1;
}

static inline void
entry_place(Heap *heap, uint32_t position, const HeapEntry *entry)
{
    heap->entries[position] = *entry;
    heap->slots[handle_slot(entry->handle)].position = position;
}

static void
sift_up(Heap *heap, uint32_t position, HeapEntry entry)
{
    while (position > 0) {
        uint32_t parent = (position - 1) / 4;
        if (!entry_before(&entry, &heap->entries[parent]))
            break;
        entry_place(heap, position, &heap->entries[parent]);
        position = parent;
    }
    entry_place(heap, position, &entry);
}

static void
sift_down(Heap *heap, uint32_t position, HeapEntry entry)
{
    for (;;) {
        uint32_t child = position * 4 + 1;
        if (child >= heap->size)
            break;
        uint32_t end = MIN(child + 4, heap->size), least = child;
        for (child++; child < end; child++) {
            if (entry_before(&heap->entries[child], &heap->entries[least]))
                least = child;
        }
        if (!entry_before(&heap->entries[least], &entry))
            break;
        entry_place(heap, position, &heap->entries[least]);
        position = least;
    }
    entry_place(heap, position, &entry);
}

static uint32_t
slot_take(Heap *heap)
{
    uint32_t slot = heap->free_slot;

    if (slot == NO_SLOT) {
        slot = heap->slots_used++;
        heap->slots[slot].generation = 0;
    } else {
        heap->free_slot = heap->slots[slot].position;
    }
    return slot;
}

HeapHandle
heap_push(Heap *heap, int64_t time, uint64_t sequence, void *payload)
{
    if (heap->size == heap->capacity) {
        g_assert(heap->capacity < HEAP_SIZE_MAX);
        heap->capacity = MAX(heap->capacity * 2, 16);
        heap->entries = g_renew(HeapEntry, heap->entries, heap->capacity);
        heap->slots = g_renew(Slot, heap->slots, heap->capacity);
    }
    uint32_t slot = slot_take(heap);
    HeapEntry entry = {.time = time, .sequence = sequence, .payload = payload};
    entry.handle = ((uint64_t)heap->slots[slot].generation << 32) | (slot + 1);
    sift_up(heap, heap->size++, entry);
    return entry.handle;
}

bool
heap_peek(const Heap *heap, HeapEntry *ret_entry)
{
    if (heap->size == 0)
        return false;
    *ret_entry = heap->entries[0];
    return true;
}

bool
heap_pop(Heap *heap, HeapEntry *ret_entry)
{
    return heap->size > 0 && heap_remove(heap, heap->entries[0].handle, ret_entry);
}

/* The position of a live handle; NO_SLOT when it is gone. */
static uint32_t
handle_position(const Heap *heap, HeapHandle handle)
{
    uint32_t slot = handle_slot(handle);

    if (handle == 0 || slot >= heap->slots_used)
        return NO_SLOT;
    uint32_t position = heap->slots[slot].position;
    return position < heap->size && heap->entries[position].handle == handle ? position : NO_SLOT;
}

bool
heap_find(const Heap *heap, HeapHandle handle, HeapEntry *ret_entry)
{
    uint32_t position = handle_position(heap, handle);

    if (position == NO_SLOT)
        return false;
    *ret_entry = heap->entries[position];
    return true;
}

bool
heap_remove(Heap *heap, HeapHandle handle, HeapEntry *ret_entry)
{
    uint32_t position = handle_position(heap, handle), slot = handle_slot(handle);

    if (position == NO_SLOT)
        return false;
    if (ret_entry != NULL)
        *ret_entry = heap->entries[position];
    heap->slots[slot] = (Slot){heap->free_slot, heap->slots[slot].generation + 1};
    heap->free_slot = slot;
    heap->size--;
    if (position < heap->size) {
        HeapEntry last = heap->entries[heap->size];
        if (position > 0 && entry_before(&last, &heap->entries[(position - 1) / 4]))
            sift_up(heap, position, last);
        else
            sift_down(heap, position, last);
    }
    return true;
}

const HeapEntry *
heap_entry_at(const Heap *heap, size_t index)
{
    return index < heap->size ? &heap->entries[index] : NULL;
}
