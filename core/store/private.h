/* Inside the store: the layout shared by store.c, txn.c and history.c. */
#pragma once

#include "core/store/store.h"

typedef struct StoreListener {
    StoreListenFunc func;
    void *data;
} StoreListener;

struct StoreBucket {
    Store *store;
    char *name;
    GHashTable *head; /* key -> StoreItem; looked up only, never walked for effects */
    PMap *committed;
    /* Committed events, oldest first, in a ring of `capacity`. */
    StoreEvent *ring;
    size_t capacity, first, count;
    int64_t forgotten; /* the newest revision whose event is no longer in the ring */
    GArray *listeners; /* of StoreListener; func NULL: gone */
    int dispatching;
};

/* A transaction on its way: applied, not yet told. */
typedef struct StorePending {
    int64_t revision;
    StoreEvent event; /* key NULL: a mere wait */
    StoreBucket *bucket;
    StoreDone done;
    void *data;
} StorePending;

typedef struct StoreExpiry {
    int64_t when_ns;
    int64_t mod_revision;
    StoreBucket *bucket;
    char *key;
} StoreExpiry;

struct Store {
    StoreOptions options;
    StoreDriver *driver;
    GPtrArray *buckets; /* in the order of making */
    GHashTable *buckets_by_name;
    int64_t head, durable, committed;
    int64_t loaded; /* what the driver held at start */
    GQueue pending; /* of StorePending, by revision */
    GError *failure;
    bool committing;
    GTree *expiries; /* StoreExpiry, by time, then revision */
    TimerId expiry_timer;
    TimerId compact_timer;
    int64_t compact_next; /* revision at the last tick of the compactor */
};

void store_event_clear(StoreEvent *event);
/* history.c */
void store_history_append(StoreBucket *bucket, StoreEvent *take_event);
/* commit.c */
void store_commit(Store *store);
void store_durable(int64_t revision, const GError *error, void *data);
/* expiry.c */
void store_expiry_add(Store *store, StoreBucket *bucket, const char *key, const StoreItem *item);
GTree *store_expiries_new(void);
