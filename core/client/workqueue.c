/* The rate-limited work queue. An item's life (client-go's words in brackets):
 *
 *        work_queue_add            pump              item_finish
 *   idle ------------> queued -----------> working -------------> idle, or queued when it was added
 * meanwhile |  work_queue_add_after                              (dirty)
 *     `---------------> waiting (a time; may hold beside queued or working) --wake--> queued
 *
 * Invariants, asserted by work_queue_check():
 *   1. an item is in `ready` at most once, and exactly when `queued`
 *   2. an item is never queued and working at the same time; added while worked on it is `dirty`
 *   3. an item is in `waiting` exactly when wake_ns is not 0
 *   4. at most `workers` items are worked on
 *   5. the pump's timer is set when something is ready and a worker is free */
#include "core/client/workqueue.h"

#include "core/api/request.h"
#include "core/api/status.h"
#include "core/client/bucket.h"

#include <string.h>

#define CAUSES_MAX 8 /* causes that a key keeps */
#define WORKERS 5
#define BASE_DELAY_NS (5 * NS_PER_MS)
#define MAX_DELAY_NS (1000 * NS_PER_S)
#define BUCKET_QPS 10.0
#define BUCKET_BURST 100

typedef struct Item {
    char *key;
    bool queued, working, dirty;
    int failures;
    int64_t wake_ns; /* 0: not waiting */
    uint64_t wake_order;
    CauseId causes[CAUSES_MAX];
    unsigned n_causes;
} Item;

struct WorkQueue {
    const Ports *ports;
    char *name;
    SyncFunc sync;
    void *data;
    int workers, working;
    int64_t base_delay_ns, max_delay_ns;
    TokenBucket bucket;
    bool started;
    GHashTable *items; /* key -> Item; for look-up only */
    GQueue ready;      /* Item */
    GTree *waiting;    /* Item by (wake_ns, wake_order) */
    uint64_t next_order;
    TimerId pump_timer, wake_timer;
    int64_t wake_timer_ns;
    GQueue syncs; /* Sync, those with writes under way */
};

typedef struct Begun Begun;

struct Sync {
    WorkQueue *queue;
    Item *item;
    GList link; /* in queue->syncs */
    bool running;
    unsigned pending;
    char *error;      /* the first failure; NULL: none */
    int64_t again_ns; /* 0: not asked for */
    GQueue begun;
    CauseId causes[CAUSES_MAX];
    unsigned n_causes;
    char *namespace_;
    const char *name;
};

struct Begun {
    Sync *sync;
    GList link; /* in sync->begun */
    char *tolerated;
    SyncCheck check;
    void *data;
    GDestroyNotify free_data;
};

/* ---- items
 * ------------------------------------------------------------------------------------------- */

static int
compare_waiting(const void *a, const void *b, void *data)
{
    const Item *x = a, *y = b;
    if (x->wake_ns != y->wake_ns)
        return x->wake_ns < y->wake_ns ? -1 : 1;
    return x->wake_order < y->wake_order ? -1 : x->wake_order > y->wake_order;
}

static void
item_free(void *data)
{
    Item *item = data;
    g_free(item->key);
    g_free(item);
}

static Item *
item_ensure(WorkQueue *queue, const char *key)
{
    Item *item = g_hash_table_lookup(queue->items, key);
    if (item == NULL) {
        item = g_new0(Item, 1);
        item->key = g_strdup(key);
        g_hash_table_insert(queue->items, item->key, item);
    }
    return item;
}

static void
item_drop_idle(WorkQueue *queue, Item *item)
{
    if (!item->queued && !item->working && item->wake_ns == 0 && item->failures == 0)
        g_hash_table_remove(queue->items, item->key);
}

static void
item_add_cause(Item *item, CauseId cause)
{
    if (cause == 0 || item->n_causes == CAUSES_MAX)
        return;
    for (unsigned i = 0; i < item->n_causes; i++)
        if (item->causes[i] == cause)
            return;
    item->causes[item->n_causes++] = cause;
}

static void pump(void *data);

static void
pump_arm(WorkQueue *queue)
{
    if (queue->started && queue->pump_timer == 0 && queue->working < queue->workers &&
        !g_queue_is_empty(&queue->ready))
        queue->pump_timer = clock_timer_in(queue->ports->clock, 0, pump, queue);
}

static void
item_queue(WorkQueue *queue, Item *item)
{
    if (item->working) {
        item->dirty = true;
    } else if (!item->queued) {
        item->queued = true;
        g_queue_push_tail(&queue->ready, item);
        pump_arm(queue);
    }
}

/* ---- waiting
 * ------------------------------------------------------------------------------------------ */

static void wake(void *data);

static void
wake_arm(WorkQueue *queue)
{
    GTreeNode *first = g_tree_node_first(queue->waiting);
    int64_t when = first != NULL ? ((Item *)g_tree_node_key(first))->wake_ns : 0;
    if (queue->wake_timer != 0 && queue->wake_timer_ns == when)
        return;
    clock_cancel(queue->ports->clock, &queue->wake_timer);
    queue->wake_timer_ns = when;
    if (first != NULL)
        queue->wake_timer = clock_timer_at(queue->ports->clock, when, wake, queue);
}

static void
wake(void *data)
{
    WorkQueue *queue = data;
    queue->wake_timer = 0;
    int64_t now = clock_now(queue->ports->clock);
    GTreeNode *first;
    while ((first = g_tree_node_first(queue->waiting)) != NULL) {
        Item *item = g_tree_node_key(first);
        if (item->wake_ns > now)
            break;
        g_tree_remove(queue->waiting, item);
        item->wake_ns = 0;
        item_queue(queue, item);
    }
    wake_arm(queue);
}

void
work_queue_add_after(WorkQueue *queue, const char *key, int64_t delay_ns)
{
    if (delay_ns <= 0) {
        work_queue_add(queue, key, 0);
        return;
    }
    Item *item = item_ensure(queue, key);
    int64_t when = clock_now(queue->ports->clock) + delay_ns;
    item_add_cause(item, trace_current(queue->ports->trace));
    if (item->wake_ns != 0 && item->wake_ns <= when)
        return;
    if (item->wake_ns != 0)
        g_tree_remove(queue->waiting, item);
    item->wake_ns = when;
    item->wake_order = ++queue->next_order;
    g_tree_insert(queue->waiting, item, item);
    wake_arm(queue);
}

void
work_queue_add(WorkQueue *queue, const char *key, uint64_t cause)
{
    Item *item = item_ensure(queue, key);
    item_add_cause(item, cause != 0 ? cause : trace_current(queue->ports->trace));
    item_queue(queue, item);
}

/* ItemExponentialFailureRateLimiter and BucketRateLimiter, whichever takes longer. */
static int64_t
retry_delay(WorkQueue *queue, Item *item)
{
    int64_t delay = queue->base_delay_ns;
    for (int i = 0; i < item->failures && delay < queue->max_delay_ns; i++)
        delay *= 2;
    delay = MIN(delay, queue->max_delay_ns);
    int64_t now = clock_now(queue->ports->clock);
    int64_t in_line = token_bucket_reserve(&queue->bucket, now) - now;
    return MAX(delay, in_line);
}

void
work_queue_add_rate_limited(WorkQueue *queue, const char *key)
{
    Item *item = item_ensure(queue, key);
    int64_t delay = retry_delay(queue, item);
    if (item->failures < G_MAXINT)
        item->failures++;
    work_queue_add_after(queue, key, delay);
}

void
work_queue_forget(WorkQueue *queue, const char *key)
{
    Item *item = g_hash_table_lookup(queue->items, key);
    if (item == NULL)
        return;
    item->failures = 0;
    item_drop_idle(queue, item);
}

/* ---- a sync's life
 * ------------------------------------------------------------------------------------ */

static void
begun_free(Begun *begun)
{
    g_queue_unlink(&begun->sync->begun, &begun->link);
    if (begun->free_data != NULL)
        begun->free_data(begun->data);
    g_free(begun->tolerated);
    g_free(begun);
}

static void
sync_free(Sync *sync)
{
    while (!g_queue_is_empty(&sync->begun))
        begun_free(g_queue_peek_head(&sync->begun));
    g_queue_unlink(&sync->queue->syncs, &sync->link);
    g_free(sync->error);
    g_free(sync->namespace_);
    g_free(sync);
}

static void
sync_finish(Sync *sync)
{
    WorkQueue *queue = sync->queue;
    Item *item = sync->item;
    if (sync->error != NULL) {
        log_warning(queue->ports->log, "%s: error syncing \"%s\": %s, requeuing", queue->name,
                    item->key, sync->error);
        work_queue_add_rate_limited(queue, item->key);
    } else {
        item->failures = 0;
    }
    if (sync->again_ns > 0)
        work_queue_add_after(queue, item->key, sync->again_ns);
    sync_free(sync);
    item->working = false;
    queue->working--;
    if (item->dirty) {
        item->dirty = false;
        item_queue(queue, item);
    }
    item_drop_idle(queue, item);
    pump_arm(queue);
}

/* Works on one key an event, so that what it does has one cause. */
static void
pump(void *data)
{
    WorkQueue *queue = data;
    queue->pump_timer = 0;
    Item *item = g_queue_pop_head(&queue->ready);
    if (item == NULL)
        return;
    item->queued = false;
    item->working = true;
    queue->working++;
    Sync *sync = g_new0(Sync, 1);
    sync->queue = queue;
    sync->item = item;
    sync->link.data = sync;
    sync->running = true;
    sync->n_causes = item->n_causes;
    memcpy(sync->causes, item->causes, sizeof sync->causes);
    item->n_causes = 0;
    g_queue_push_tail_link(&queue->syncs, &sync->link);
    pump_arm(queue); /* before the key's cause is taken up */
    if (sync->n_causes > 0)
        trace_adopt(queue->ports->trace, sync->causes[0]);
    queue->sync(item->key, sync, queue->data);
    sync->running = false;
    if (sync->pending == 0)
        sync_finish(sync);
}

static Begun *
begin(Sync *sync)
{
    Begun *begun = g_new0(Begun, 1);
    begun->sync = sync;
    begun->link.data = begun;
    g_queue_push_tail_link(&sync->begun, &begun->link);
    sync->pending++;
    return begun;
}

void *
sync_begin(Sync *sync)
{
    return begin(sync);
}

void *
sync_begin_tolerating(Sync *sync, const char *reasons)
{
    Begun *begun = begin(sync);
    begun->tolerated = g_strdup(reasons);
    return begun;
}

void *
sync_begin_checked(Sync *sync, SyncCheck check, void *data, GDestroyNotify free_data)
{
    Begun *begun = begin(sync);
    begun->check = check;
    begun->data = data;
    begun->free_data = free_data;
    return begun;
}

static bool
is_tolerated(const Begun *begun, const char *reason)
{
    if (begun->tolerated == NULL || reason[0] == '\0')
        return false;
    g_auto(GStrv) reasons = g_strsplit(begun->tolerated, ",", -1);
    return g_strv_contains((const char *const *)reasons, reason);
}

static void
sync_fail_take(Sync *sync, char *take)
{
    if (sync->error == NULL)
        sync->error = take;
    else
        g_free(take);
}

void
sync_call(struct ApiResponse *take_response, void *data)
{
    g_autoptr(ApiResponse) response = take_response;
    Begun *begun = data;
    Sync *sync = begun->sync;
    if (begun->check != NULL) {
        char *error = begun->check(response, begun->data);
        if (error != NULL)
            sync_fail_take(sync, error);
    } else if (!api_response_ok(response) &&
               !is_tolerated(begun, status_reason(response->object))) {
        sync_fail_take(sync, g_strdup(status_message(response->object)));
    }
    begun_free(begun);
    g_assert(sync->pending > 0);
    sync->pending--;
    if (sync->pending == 0 && !sync->running)
        sync_finish(sync);
}

void
sync_fail(Sync *sync, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sync_fail_take(sync, g_strdup_vprintf(format, args));
    va_end(args);
}

void
sync_again_after(Sync *sync, int64_t delay_ns)
{
    delay_ns = MAX(delay_ns, 1);
    if (sync->again_ns == 0 || delay_ns < sync->again_ns)
        sync->again_ns = delay_ns;
}

const char *
sync_key(const Sync *sync)
{
    return sync->item->key;
}

const CauseId *
sync_causes(const Sync *sync, size_t *ret_n)
{
    *ret_n = sync->n_causes;
    return sync->causes;
}

void
sync_split_key(Sync *sync, const char **ret_namespace, const char **ret_name)
{
    if (sync->name == NULL) {
        const char *slash = strchr(sync->item->key, '/');
        sync->name = slash != NULL ? slash + 1 : sync->item->key;
        if (slash != NULL)
            sync->namespace_ = g_strndup(sync->item->key, (gsize)(slash - sync->item->key));
    }
    *ret_namespace = sync->namespace_;
    *ret_name = sync->name;
}

/* ---- the queue
 * ------------------------------------------------------------------------------------------ */

WorkQueue *
work_queue_new(const Ports *ports, const WorkQueueOptions *options, SyncFunc sync, void *data)
{
    WorkQueue *queue = g_new0(WorkQueue, 1);
    queue->ports = ports;
    queue->name = g_strdup(options->name);
    queue->sync = sync;
    queue->data = data;
    queue->workers = options->workers > 0 ? options->workers : WORKERS;
    queue->base_delay_ns = options->base_delay_ns > 0 ? options->base_delay_ns : BASE_DELAY_NS;
    queue->max_delay_ns = options->max_delay_ns > 0 ? options->max_delay_ns : MAX_DELAY_NS;
    token_bucket_init(&queue->bucket, options->bucket_qps > 0 ? options->bucket_qps : BUCKET_QPS,
                      options->bucket_burst > 0 ? options->bucket_burst : BUCKET_BURST);
    queue->items = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, item_free);
    queue->waiting = g_tree_new_full(compare_waiting, NULL, NULL, NULL);
    return queue;
}

void
work_queue_free(WorkQueue *queue)
{
    if (queue == NULL)
        return;
    clock_cancel(queue->ports->clock, &queue->pump_timer);
    clock_cancel(queue->ports->clock, &queue->wake_timer);
    while (!g_queue_is_empty(&queue->syncs))
        sync_free(g_queue_peek_head(&queue->syncs));
    g_queue_clear(&queue->ready);
    g_tree_unref(queue->waiting);
    g_hash_table_unref(queue->items);
    g_free(queue->name);
    g_free(queue);
}

void
work_queue_start(WorkQueue *queue)
{
    queue->started = true;
    pump_arm(queue);
}

size_t
work_queue_length(const WorkQueue *queue)
{
    return queue->ready.length;
}

int
work_queue_retries(const WorkQueue *queue, const char *key)
{
    const Item *item = g_hash_table_lookup(queue->items, key);
    return item != NULL ? item->failures : 0;
}

static void
check_item(void *key, void *value, void *data)
{
    const Item *item = value;
    WorkQueue *queue = data;
    g_assert(item->queued == (g_queue_find(&queue->ready, item) != NULL));
    g_assert(!(item->queued && item->working));
    g_assert(!item->dirty || item->working);
    g_assert((item->wake_ns != 0) == (g_tree_lookup(queue->waiting, item) != NULL));
}

void
work_queue_check(WorkQueue *queue)
{
    g_hash_table_foreach(queue->items, check_item, queue);
    g_assert(queue->working <= queue->workers);
    g_assert(!queue->started || queue->pump_timer != 0 || queue->working == queue->workers ||
             g_queue_is_empty(&queue->ready));
}
