/* The store: etcd's model. One revision counts transactions; keys, grouped in buckets (a resource
 * each), lead to Values; a transaction compares and swaps; history is kept for a while, so that a
 * watch can begin in the past; keys may expire (leases). The store knows no kinds.
 *
 * Two states: `head` has all transactions applied, and is what a transaction compares against;
 * `committed` is what the driver made durable, and is what readers and listeners see. One thread;
 * calls never block. */
#pragma once

#include "core/base/pmap.h"
#include "core/port/clock.h"
#include "core/store/driver.h"

typedef struct Store Store;
typedef struct StoreBucket StoreBucket;

typedef enum { STORE_CREATED, STORE_CHANGED, STORE_DELETED } StoreEventType;

typedef struct StoreEvent {
    StoreEventType type;
    int64_t revision;
    int64_t time_ns;
    char *key;
    Value *value;    /* of a deletion: the last state, stamped with the deletion's revision */
    Value *previous; /* NULL when created */
    PMap *state;     /* the bucket after this event; NULL for events of long ago */
    uint64_t cause;
} StoreEvent;

/* A key's state at head. */
typedef struct StoreItem {
    Value *value;
    int64_t create_revision;
    int64_t mod_revision;
    int64_t version;
    int64_t expires_ns; /* 0: never */
} StoreItem;

typedef struct StoreOptions {
    Clock *clock;
    /* Writes the revision into a value that is about to be stored; may be NULL. Returns an owned
     * value. */
    Value *(*stamp)(Value *take, int64_t revision);
    /* Called for each applied change, before anybody hears of it; returns its cause. May be NULL.
     */
    uint64_t (*written)(const StoreEvent *event, StoreBucket *bucket, void *op_data, void *data);
    void *data;
    int64_t compact_every_ns; /* 0: STORE_COMPACT_INTERVAL_NS; history younger than that stays */
} StoreOptions;

#define STORE_COMPACT_INTERVAL_NS                                                                  \
    (300 * NS_PER_S)            /* as kube-apiserver's --etcd-compaction-interval */
#define STORE_HISTORY_MAX 65536 /* events kept per bucket */
#define STORE_STATES_MAX 1024   /* of them, those that keep the bucket's whole state */
#define STORE_TXN_OPS_MAX 128   /* as etcd's --max-txn-ops */

/* Takes the driver; reads what it holds. */
Store *store_new(const StoreOptions *options, StoreDriver *take, GError **error);
void store_free(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)

/* The hooks may be given after store_new, before the first write. */
void store_set_hooks(Store *store, Value *(*stamp)(Value *, int64_t),
                     uint64_t (*written)(const StoreEvent *, StoreBucket *, void *, void *),
                     void *data);

int64_t store_revision(const Store *store);      /* committed */
int64_t store_head_revision(const Store *store); /* applied */
/* NULL, or why the driver takes no more writes. */
const GError *store_failure(const Store *store);

/* Found or made; lives as long as the store. */
StoreBucket *store_bucket(Store *store, const char *name);
const char *store_bucket_name(const StoreBucket *bucket);
Store *store_bucket_store(const StoreBucket *bucket);

const StoreItem *store_head(const StoreBucket *bucket,
                            const char *key);     /* borrowed; NULL when absent */
PMap *store_committed(const StoreBucket *bucket); /* borrowed; key -> Value */
/* The bucket at a past revision (owned), or NULL when that is not kept or lies in the future. */
PMap *store_state_at(const StoreBucket *bucket, int64_t revision);

/* ---- transactions
 * -------------------------------------------------------------------------------------- */

#define STORE_ANY                                                                                  \
    (-1) /* StoreOp.expected: no comparison; 0: the key must not exist; else its mod revision */

typedef struct StoreOp {
    StoreBucket *bucket;
    const char *key;
    Value *value; /* taken; put: the new one; delete: the last state to tell watchers, or NULL */
    bool remove;
    int64_t expected;
    int64_t ttl_ns; /* put: 0 never expires */
    void *data;     /* for the written hook */
} StoreOp;

/* The transaction is durable (error NULL) or lost. */
typedef void (*StoreDone)(int64_t revision, const GError *error, void *data);

/* Compares all, then applies all at one new revision, which is returned; done (may be NULL) follows
 * when it is durable, possibly within this call. When a comparison fails, 0 is returned,
 * *ret_failed (may be NULL) names the op, nothing is applied and done is not called. Values are
 * taken in every case. */
int64_t store_txn(Store *store, StoreOp *ops, size_t n, StoreDone done, void *data,
                  size_t *ret_failed);

/* Calls done once all up to `revision` is durable; at once when it is. */
void store_when_durable(Store *store, int64_t revision, StoreDone done, void *data);

/* ---- listening
 * ------------------------------------------------------------------------------------------- */

/* Called for each committed event in order; the event is borrowed. May call the store. */
typedef void (*StoreListenFunc)(StoreBucket *bucket, const StoreEvent *event, void *data);
void store_listen(StoreBucket *bucket, StoreListenFunc func, void *data);
void store_unlisten(StoreBucket *bucket, StoreListenFunc func, void *data);

/* Calls func for each kept, committed event after `revision`, in order. False (and no call) when
 * that is too far back. */
bool store_replay(StoreBucket *bucket, int64_t revision, StoreListenFunc func, void *data);

/* Forgets history up to `revision`. Happens by itself by time. */
void store_compact(Store *store, int64_t revision);

/* Asserts the invariants that store.c states. */
void store_check(const Store *store);
