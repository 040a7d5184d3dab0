/* A bounded ring of owned pointers. Positions count up for ever: a cursor is a position, and one that has
 * fallen behind ring_first has lost something. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct Ring Ring;

Ring *ring_new(size_t capacity, GDestroyNotify unref); /* unref may be NULL */
void ring_free(Ring *ring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ring, ring_free)

/* Adds at the end; drops the oldest when full. Returns the position it got. */
uint64_t ring_push(Ring *ring, void *take);
uint64_t ring_first(const Ring *ring); /* position of the oldest kept */
uint64_t ring_end(const Ring *ring);   /* position the next push will get */
size_t ring_size(const Ring *ring);
void *ring_at(const Ring *ring, uint64_t position); /* borrowed; NULL when it is dropped or yet to come */
void *ring_pop_first(Ring *ring);                   /* owned; NULL when empty */
void ring_drop_before(Ring *ring, uint64_t position);
