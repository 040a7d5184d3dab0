/* The rate-limited work queue of client-go (util/workqueue): a key is in it once; a key added while it is worked on comes
 * again afterwards; failures come back with growing delay (5 ms doubling to 1000 s, and 10 a second overall). Each key keeps
 * a bounded list of the causes that put it there: its sync runs under the first of them. */
#pragma once

#include "core/port/ports.h"

typedef struct WorkQueue WorkQueue;
typedef struct Sync Sync;

/* Works on one key. It does now what can be done now: reads caches, starts writes. Writes are started through the
 * sync_* helpers below, or client_* with sync_call as completion: the key stays "in work" until all of them have come
 * back; if one failed (conflicts and others alike) the key is retried with back-off, else its failures are forgotten. */
typedef void (*SyncFunc)(const char *key, Sync *sync, void *data);

typedef struct WorkQueueOptions {
    const char *name;    /* the controller: for logs and traces */
    int workers;         /* keys worked on at once; 0: 5 */
    int64_t base_delay_ns, max_delay_ns; /* 0: 5 ms, 1000 s */
    double bucket_qps;   /* 0: 10 a second */
    int bucket_burst;    /* 0: 100 */
} WorkQueueOptions;

WorkQueue *work_queue_new(const Ports *ports, const WorkQueueOptions *options, SyncFunc sync, void *data);
/* Free it in the same event as its client (answers to writes under way come to freed memory otherwise). */
void work_queue_free(WorkQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(WorkQueue, work_queue_free)
/* Nothing is worked on before start (caches must be synced). */
void work_queue_start(WorkQueue *queue);
void work_queue_add(WorkQueue *queue, const char *key, uint64_t cause);
void work_queue_add_after(WorkQueue *queue, const char *key, int64_t delay_ns);
void work_queue_add_rate_limited(WorkQueue *queue, const char *key);
void work_queue_forget(WorkQueue *queue, const char *key);
size_t work_queue_length(const WorkQueue *queue);
int work_queue_retries(const WorkQueue *queue, const char *key);
void work_queue_check(WorkQueue *queue); /* asserts the invariants named in workqueue.c; for tests */

/* ---- inside a sync ------------------------------------------------------------------------------------ */

/* Use as ApiDone with data = sync_begin(sync): counts a write of this sync. A failed answer marks the sync failed, unless its
 * reason is one of those tolerated by sync_begin_tolerating ("NotFound,AlreadyExists"). */
struct ApiResponse;
void *sync_begin(Sync *sync);
void *sync_begin_tolerating(Sync *sync, const char *reasons);
/* With a function of your own that sees the answer first (borrowed): returns the error text that fails the sync, or NULL. */
typedef char *(*SyncCheck)(const struct ApiResponse *response, void *data);
void *sync_begin_checked(Sync *sync, SyncCheck check, void *data, GDestroyNotify free_data);
void sync_call(struct ApiResponse *take_response, void *begun); /* the ApiDone to pass */
/* The sync failed by itself: retried with back-off. */
void sync_fail(Sync *sync, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Come back after this delay (the shortest wins), without counting as a failure. */
void sync_again_after(Sync *sync, int64_t delay_ns);
const char *sync_key(const Sync *sync);
/* What put the key there, oldest first; the sync runs under the first. */
const CauseId *sync_causes(const Sync *sync, size_t *ret_n);
/* Splits "namespace/name" (namespace NULL for "name"); both are freed with the sync. */
void sync_split_key(Sync *sync, const char **ret_namespace, const char **ret_name);
