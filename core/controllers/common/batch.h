/* Many writes of one sync: in slow-start batches (1, 2, 4, 8, ...; each starts when the one before
 * has succeeded, so that what is doomed fails once and not 500 times), or all at once. */
#pragma once

#include "core/client/client.h"
#include "core/client/workqueue.h"

typedef struct BatchOps {
    /* Starts write `index` with exactly one client call that has sync_call and `begun` as
     * completion. */
    void (*start)(size_t index, void *begun, void *data);
    /* The answer of a write came; returns the error text that counts as failure (owned), or NULL.
     * May be NULL: any not-ok answer is a failure, said by its message. */
    char *(*answer)(size_t index, const ApiResponse *response, void *data);
    /* All done: the first failure or NULL, and how many writes were never tried. May be NULL. May
     * begin more writes. */
    void (*done)(Sync *sync, const char *error, size_t skipped, void *data);
} BatchOps;

typedef enum { BATCH_SLOW_START, BATCH_ALL } BatchPace;

/* data is freed by free_data (may be NULL) after done. A failure fails the sync. With count 0 done
 * is called at once. */
void batch_run(Sync *sync, BatchPace pace, size_t count, const BatchOps *ops, void *data,
               GDestroyNotify free_data);
