#include "core/base/ring.h"

#include "core/base/limits.h"

struct Ring {
    size_t capacity; /* bound */
    size_t room;     /* allocated slots: a power of two that grows up to the bound */
    uint64_t first;
    uint64_t end;
    GDestroyNotify unref;
    void **items;
};

Ring *
ring_new(size_t capacity, GDestroyNotify unref)
{
    g_assert(capacity > 0 && capacity <= RING_CAPACITY_MAX);
    Ring *ring = g_new0(Ring, 1);
    ring->capacity = capacity;
    ring->unref = unref;
    return ring;
}

void
ring_free(Ring *ring)
{
    if (ring == NULL)
        return;
    ring_drop_before(ring, ring->end);
    g_free(ring->items);
    g_free(ring);
}

static inline void **
ring_slot(const Ring *ring, uint64_t position)
{
    return &ring->items[position & (ring->room - 1)];
}

static void
ring_grow(Ring *ring)
{
    size_t room = MAX(ring->room * 2, 16);
    void **items = g_new(void *, room);

    for (uint64_t i = ring->first; i < ring->end; i++)
        items[i & (room - 1)] = *ring_slot(ring, i);
    g_free(ring->items);
    ring->items = items;
    ring->room = room;
}

uint64_t
ring_push(Ring *ring, void *take)
{
    if (ring_size(ring) == ring->capacity)
        ring_drop_before(ring, ring->first + 1);
    if (ring_size(ring) == ring->room)
        ring_grow(ring);
    *ring_slot(ring, ring->end) = take;
    return ring->end++;
}

uint64_t
ring_first(const Ring *ring)
{
    return ring->first;
}

uint64_t
ring_end(const Ring *ring)
{
    return ring->end;
}

size_t
ring_size(const Ring *ring)
{
    return (size_t)(ring->end - ring->first);
}

void *
ring_at(const Ring *ring, uint64_t position)
{
    return position < ring->first || position >= ring->end ? NULL : *ring_slot(ring, position);
}

void *
ring_pop_first(Ring *ring)
{
    return ring->first == ring->end ? NULL : *ring_slot(ring, ring->first++);
}

void
ring_drop_before(Ring *ring, uint64_t position)
{
    while (ring->first < MIN(position, ring->end)) {
        void *item = ring_pop_first(ring);
        if (ring->unref != NULL)
            ring->unref(item);
    }
}
