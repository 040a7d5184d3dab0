/* What a bucket remembers of its past: a ring of committed events, the younger of which keep the
 * bucket's whole state.
 *
 * Invariants: revisions in the ring do not decrease; every committed event newer than `forgotten`
 * is in the ring. */
#include "core/store/private.h"

static StoreEvent *
history_item(const StoreBucket *bucket, size_t index)
{
    return &bucket->ring[(bucket->first + index) % bucket->capacity];
}

void
store_event_clear(StoreEvent *event)
{
    g_free(event->key);
    value_unref(event->value);
    value_unref(event->previous);
    pmap_unref(event->state);
    memset(event, 0, sizeof *event);
}

static void
history_drop_first(StoreBucket *bucket)
{
    StoreEvent *event = history_item(bucket, 0);

    bucket->forgotten = event->revision;
    store_event_clear(event);
    bucket->first = (bucket->first + 1) % bucket->capacity;
    bucket->count--;
}

static void
history_grow(StoreBucket *bucket)
{
    size_t capacity = bucket->capacity == 0 ? 64 : bucket->capacity * 2;
    StoreEvent *ring = g_new0(StoreEvent, capacity);

    for (size_t i = 0; i < bucket->count; i++)
        ring[i] = *history_item(bucket, i);
    g_free(bucket->ring);
    bucket->ring = ring;
    bucket->capacity = capacity;
    bucket->first = 0;
}

void
store_history_append(StoreBucket *bucket, StoreEvent *take_event)
{
    if (bucket->count == STORE_HISTORY_MAX)
        history_drop_first(bucket);
    if (bucket->count == bucket->capacity)
        history_grow(bucket);
    bucket->count++;
    *history_item(bucket, bucket->count - 1) = *take_event;
    if (bucket->count > STORE_STATES_MAX) {
        StoreEvent *old = history_item(bucket, bucket->count - 1 - STORE_STATES_MAX);

        pmap_unref(old->state);
        old->state = NULL;
    }
}

/* Index of the first event newer than `revision`. */
static size_t
history_after(const StoreBucket *bucket, int64_t revision)
{
    size_t low = 0, high = bucket->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (history_item(bucket, middle)->revision <= revision)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
store_replay(StoreBucket *bucket, int64_t revision, StoreListenFunc func, void *data)
{
    if (revision < bucket->forgotten)
        return false;
    for (size_t i = history_after(bucket, revision); i < bucket->count; i++)
        func(bucket, history_item(bucket, i), data);
    return true;
}

PMap *
store_state_at(const StoreBucket *bucket, int64_t revision)
{
    size_t after;

    if (revision < bucket->forgotten || revision > bucket->store->committed)
        return NULL;
    after = history_after(bucket, revision);
    if (after == bucket->count)
        return pmap_ref(bucket->committed);
    if (after == 0)
        return NULL; /* the state before the first kept event is not kept */
    return history_item(bucket, after - 1)->state == NULL
               ? NULL
               : pmap_ref(history_item(bucket, after - 1)->state);
}

void
store_compact(Store *store, int64_t revision)
{
    for (guint i = 0; i < store->buckets->len; i++) {
        StoreBucket *bucket = g_ptr_array_index(store->buckets, i);

        while (bucket->count > 0 && history_item(bucket, 0)->revision <= revision)
            history_drop_first(bucket);
    }
    if (store->driver->ops->compact != NULL && store->failure == NULL)
        store->driver->ops->compact(store->driver, revision);
}
