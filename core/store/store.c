/* The store's life: making it from what the driver holds, buckets, hooks, listeners, compaction by
 * time. */
#include "core/store/private.h"

static void
state_unref(void *value)
{
    value_unref(value);
}

static const PMapType state_type = {.unref = state_unref};

static void
item_free(gpointer data)
{
    StoreItem *item = data;

    value_unref(item->value);
    g_free(item);
}

static void
bucket_free(gpointer data)
{
    StoreBucket *bucket = data;

    for (size_t i = 0; i < bucket->count; i++)
        store_event_clear(&bucket->ring[(bucket->first + i) % bucket->capacity]);
    g_free(bucket->ring);
    g_hash_table_unref(bucket->head);
    pmap_unref(bucket->committed);
    g_array_unref(bucket->listeners);
    g_free(bucket->name);
    g_free(bucket);
}

StoreBucket *
store_bucket(Store *store, const char *name)
{
    StoreBucket *bucket = g_hash_table_lookup(store->buckets_by_name, name);

    if (bucket != NULL)
        return bucket;
    bucket = g_new0(StoreBucket, 1);
    bucket->store = store;
    bucket->name = g_strdup(name);
    bucket->head = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, item_free);
    bucket->committed = pmap_new(&state_type);
    bucket->listeners = g_array_new(FALSE, FALSE, sizeof(StoreListener));
    bucket->forgotten = store->loaded;
    g_ptr_array_add(store->buckets, bucket);
    g_hash_table_insert(store->buckets_by_name, bucket->name, bucket);
    return bucket;
}

const char *
store_bucket_name(const StoreBucket *bucket)
{
    return bucket->name;
}

Store *
store_bucket_store(const StoreBucket *bucket)
{
    return bucket->store;
}

static void
store_load_record(const StoreRecord *record, void *data)
{
    Store *store = data;
    StoreBucket *bucket = store_bucket(store, record->bucket);
    StoreItem *item = g_new0(StoreItem, 1);

    pmap_put(&bucket->committed, record->key, value_ref(record->value));
    item->value = value_ref(record->value);
    item->create_revision = record->create_revision;
    item->mod_revision = record->revision;
    item->version = record->version;
    item->expires_ns = record->expires_ns;
    g_hash_table_insert(bucket->head, g_strdup(record->key), item);
    store_expiry_add(store, bucket, record->key, item);
}

static void
store_compact_tick(void *data)
{
    Store *store = data;
    int64_t revision = store->compact_next;

    store->compact_timer = 0;
    store->compact_next = store->committed;
    if (revision > 0)
        store_compact(store, revision);
    store->compact_timer = clock_timer_in(store->options.clock, store->options.compact_every_ns,
                                          store_compact_tick, store);
}

Store *
store_new(const StoreOptions *options, StoreDriver *take, GError **error)
{
    g_autoptr(Store) store = g_new0(Store, 1);
    int64_t revision = 0;

    store->options = *options;
    if (store->options.compact_every_ns == 0)
        store->options.compact_every_ns = STORE_COMPACT_INTERVAL_NS;
    store->driver = take;
    store->buckets = g_ptr_array_new_with_free_func(bucket_free);
    store->buckets_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    store->expiries = store_expiries_new();
    g_queue_init(&store->pending);
    take->durable = store_durable;
    take->durable_data = store;
    if (!take->ops->load(take, store_load_record, store, &revision, error))
        return NULL;
    store->head = store->durable = store->committed = store->loaded = revision;
    for (guint i = 0; i < store->buckets->len; i++)
        ((StoreBucket *)g_ptr_array_index(store->buckets, i))->forgotten = revision;
    if (store->options.clock != NULL)
        store_compact_tick(store);
    return g_steal_pointer(&store);
}

static void
store_drop_pending(gpointer data)
{
    StorePending *pending = data;

    store_event_clear(&pending->event);
    g_free(pending);
}

void
store_free(Store *store)
{
    if (store == NULL)
        return;
    if (store->options.clock != NULL) {
        clock_cancel(store->options.clock, &store->expiry_timer);
        clock_cancel(store->options.clock, &store->compact_timer);
    }
    store->committing = true; /* nobody hears of what becomes durable now */
    store->driver->ops->free(store->driver);
    g_queue_clear_full(&store->pending, store_drop_pending);
    g_tree_unref(store->expiries);
    g_hash_table_unref(store->buckets_by_name);
    g_ptr_array_unref(store->buckets);
    g_clear_error(&store->failure);
    g_free(store);
}

void
store_set_hooks(Store *store, Value *(*stamp)(Value *, int64_t),
                uint64_t (*written)(const StoreEvent *, StoreBucket *, void *, void *), void *data)
{
    store->options.stamp = stamp;
    store->options.written = written;
    store->options.data = data;
}

int64_t
store_revision(const Store *store)
{
    return store->committed;
}

int64_t
store_head_revision(const Store *store)
{
    return store->head;
}

const GError *
store_failure(const Store *store)
{
    return store->failure;
}

const StoreItem *
store_head(const StoreBucket *bucket, const char *key)
{
    return g_hash_table_lookup(bucket->head, key);
}

PMap *
store_committed(const StoreBucket *bucket)
{
    return bucket->committed;
}

void
store_listen(StoreBucket *bucket, StoreListenFunc func, void *data)
{
    StoreListener listener = {func, data};

    g_array_append_val(bucket->listeners, listener);
}

void
store_unlisten(StoreBucket *bucket, StoreListenFunc func, void *data)
{
    for (guint i = 0; i < bucket->listeners->len; i++) {
        StoreListener *listener = &g_array_index(bucket->listeners, StoreListener, i);

        if (listener->func != func || listener->data != data)
            continue;
        if (bucket->dispatching > 0)
            listener->func = NULL; /* the loop in commit_tell walks by index */
        else
            g_array_remove_index(bucket->listeners, i);
        return;
    }
}

void
store_check(const Store *store)
{
    g_assert(store->committed <= store->durable && store->durable <= store->head);
    for (guint i = 0; i < store->buckets->len; i++) {
        const StoreBucket *bucket = g_ptr_array_index(store->buckets, i);
        int64_t last = bucket->forgotten;

        for (size_t j = 0; j < bucket->count; j++) {
            const StoreEvent *event = &bucket->ring[(bucket->first + j) % bucket->capacity];

            g_assert(event->revision >= last && event->revision <= store->committed);
            last = event->revision;
        }
        if (store->committed == store->head)
            g_assert(pmap_count(bucket->committed) == g_hash_table_size(bucket->head));
    }
}
