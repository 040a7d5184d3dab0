/* Transactions and their way to the listeners.
 *
 *   store_txn --applied--> pending --store_durable--> store_commit --told--> ring, listeners, done
 *
 * Invariants: committed <= durable <= head; pending holds exactly the applied events (and waits)
 * with a revision above `committed`, in order; a bucket's `committed` map holds the values of
 * `head` minus what is pending. */
#include "core/store/private.h"

static bool
txn_matches(const StoreOp *op)
{
    const StoreItem *item;

    if (op->expected == STORE_ANY && !op->remove)
        return true;
    item = g_hash_table_lookup(op->bucket->head, op->key);
    if (op->expected == STORE_ANY)
        return item != NULL;
    return (item == NULL ? 0 : item->mod_revision) == op->expected;
}

static Value *
txn_stamp(Store *store, Value *take, int64_t revision)
{
    return store->options.stamp == NULL ? take : store->options.stamp(take, revision);
}

/* Applies one op to head; fills in the event. */
static void
txn_apply(Store *store, StoreOp *op, int64_t revision, StoreEvent *ret_event)
{
    StoreItem *item = g_hash_table_lookup(op->bucket->head, op->key);
    Value *value = op->value != NULL ? op->value : value_ref(item->value);

    ret_event->type = op->remove ? STORE_DELETED : item == NULL ? STORE_CREATED : STORE_CHANGED;
    ret_event->revision = revision;
    ret_event->time_ns = store->options.clock == NULL ? 0 : clock_now(store->options.clock);
    ret_event->key = g_strdup(op->key);
    ret_event->value = txn_stamp(store, value, revision);
    ret_event->previous = item == NULL ? NULL : value_ref(item->value);
    if (op->remove) {
        g_hash_table_remove(op->bucket->head, op->key);
        return;
    }
    if (item == NULL) {
        item = g_new0(StoreItem, 1);
        item->create_revision = revision;
        g_hash_table_insert(op->bucket->head, g_strdup(op->key), item);
    }
    value_replace(&item->value, value_ref(ret_event->value));
    item->mod_revision = revision;
    item->version++;
    item->expires_ns = op->ttl_ns == 0 ? 0 : ret_event->time_ns + op->ttl_ns;
    store_expiry_add(store, op->bucket, op->key, item);
}

static void
txn_record(const StorePending *pending, StoreRecord *ret_record)
{
    const StoreEvent *event = &pending->event;
    const StoreItem *item = g_hash_table_lookup(pending->bucket->head, event->key);

    ret_record->bucket = pending->bucket->name;
    ret_record->key = event->key;
    ret_record->revision = event->revision;
    if (event->type == STORE_DELETED)
        return;
    ret_record->value = event->value;
    ret_record->create_revision = item->create_revision;
    ret_record->version = item->version;
    ret_record->expires_ns = item->expires_ns;
}

static void
txn_drop_values(StoreOp *ops, size_t n)
{
    for (size_t i = 0; i < n; i++)
        g_clear_pointer(&ops[i].value, value_unref);
}

int64_t
store_txn(Store *store, StoreOp *ops, size_t n, StoreDone done, void *data, size_t *ret_failed)
{
    StoreRecord records[STORE_TXN_OPS_MAX] = {0};
    int64_t revision = store->head + 1;

    g_assert(n > 0 && n <= STORE_TXN_OPS_MAX);
    for (size_t i = 0; i < n; i++)
        if (store->failure != NULL || !txn_matches(&ops[i])) {
            if (ret_failed != NULL)
                *ret_failed = i;
            txn_drop_values(ops, n);
            return 0;
        }
    store->head = revision;
    for (size_t i = 0; i < n; i++) {
        StorePending *pending = g_new0(StorePending, 1);

        pending->revision = revision;
        pending->bucket = ops[i].bucket;
        txn_apply(store, &ops[i], revision, &pending->event);
        if (store->options.written != NULL)
            pending->event.cause = store->options.written(&pending->event, pending->bucket,
                                                          ops[i].data, store->options.data);
        if (i == n - 1) {
            pending->done = done;
            pending->data = data;
        }
        g_queue_push_tail(&store->pending, pending);
        txn_record(pending, &records[i]);
        ops[i].value = NULL;
    }
    store->driver->ops->append(store->driver, records, n);
    return revision;
}

void
store_when_durable(Store *store, int64_t revision, StoreDone done, void *data)
{
    StorePending *pending;
    GList *after;

    if (revision <= store->committed || store->failure != NULL) {
        done(revision, store->failure, data);
        return;
    }
    pending = g_new0(StorePending, 1);
    pending->revision = revision;
    pending->done = done;
    pending->data = data;
    after = store->pending.tail;
    while (after != NULL && ((StorePending *)after->data)->revision > revision)
        after = after->prev;
    g_queue_insert_after(&store->pending, after, pending);
}

static void
commit_tell(StoreBucket *bucket, const StoreEvent *event)
{
    bucket->dispatching++;
    for (guint i = 0; i < bucket->listeners->len; i++) {
        StoreListener listener = g_array_index(bucket->listeners, StoreListener, i);

        if (listener.func != NULL)
            listener.func(bucket, event, listener.data);
    }
    bucket->dispatching--;
}

static void
commit_event(Store *store, StoreBucket *bucket, StoreEvent *take_event)
{
    StoreEvent event = *take_event;

    if (event.type == STORE_DELETED)
        pmap_remove(&bucket->committed, event.key);
    else
        pmap_put(&bucket->committed, event.key, value_ref(event.value));
    event.state = pmap_ref(bucket->committed);
    store_history_append(bucket, &event);
    store->committed = event.revision;
    /* A copy that stays valid even if a listener's own write drops this event from the ring. */
    event.key = g_strdup(event.key);
    event.value = value_ref(event.value);
    event.previous = event.previous == NULL ? NULL : value_ref(event.previous);
    event.state = pmap_ref(event.state);
    commit_tell(bucket, &event);
    store_event_clear(&event);
}

static void
pending_free(StorePending *pending)
{
    store_event_clear(&pending->event);
    g_free(pending);
}

void
store_commit(Store *store)
{
    StorePending *pending;

    if (store->committing)
        return;
    store->committing = true;
    while ((pending = g_queue_peek_head(&store->pending)) != NULL &&
           (pending->revision <= store->durable || store->failure != NULL)) {
        g_queue_pop_head(&store->pending);
        if (pending->event.key != NULL && store->failure == NULL) {
            commit_event(store, pending->bucket, &pending->event);
            memset(&pending->event, 0, sizeof pending->event);
        }
        if (pending->done != NULL)
            pending->done(pending->revision, store->failure, pending->data);
        pending_free(pending);
    }
    store->committing = false;
}

void
store_durable(int64_t revision, const GError *error, void *data)
{
    Store *store = data;

    if (error != NULL && store->failure == NULL)
        store->failure = g_error_copy(error);
    if (error == NULL && revision > store->durable)
        store->durable = revision;
    store_commit(store);
}
