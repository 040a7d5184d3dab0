/* What makes a store's writes durable. The store applies a transaction in memory, appends it here,
 * and tells nobody until the driver says that it is durable. */
#pragma once

#include <glib.h>

#include "core/object/value.h"

/* One changed key. All records of a transaction carry the same revision. Everything is borrowed
 * during the call. */
typedef struct StoreRecord {
    const char *bucket;
    const char *key;
    const Value *value; /* NULL: deleted */
    int64_t revision;
    int64_t create_revision;
    int64_t version;
    int64_t expires_ns; /* 0: never */
} StoreRecord;

typedef void (*StoreRecordFunc)(const StoreRecord *record, void *data);
/* All up to and including `revision` is durable; or, with an error, the driver is broken and no
 * write can follow. */
typedef void (*StoreDurableFunc)(int64_t revision, const GError *error, void *data);

typedef struct StoreDriver StoreDriver;

typedef struct StoreDriverOps {
    /* Calls func once for each live key in the order of their last change, before anything is
     * appended. */
    bool (*load)(StoreDriver *driver, StoreRecordFunc func, void *data, int64_t *ret_revision,
                 GError **error);
    /* One transaction. The durable function is called during this call or by a later event, in
     * order. */
    void (*append)(StoreDriver *driver, const StoreRecord *records, size_t n);
    /* History before `revision` will not be asked for; may be absent. */
    void (*compact)(StoreDriver *driver, int64_t revision);
    /* Makes durable what waits, then frees. */
    void (*free)(StoreDriver *driver);
} StoreDriverOps;

struct StoreDriver {
    const StoreDriverOps *ops;
    StoreDurableFunc durable; /* set by the store before the first append */
    void *durable_data;
};
