/* Keys with a time to live: one timer for the earliest of them. A key written again since is not
 * removed; its newer expiry has its own entry. */
#include "core/store/private.h"

static void expiry_arm(Store *store);

static gint
expiry_compare(gconstpointer a, gconstpointer b, gpointer data)
{
    const StoreExpiry *x = a, *y = b;

    if (x->when_ns != y->when_ns)
        return x->when_ns < y->when_ns ? -1 : 1;
    if (x->mod_revision != y->mod_revision)
        return x->mod_revision < y->mod_revision ? -1 : 1;
    return strcmp(x->key, y->key);
}

static void
expiry_free(gpointer data)
{
    StoreExpiry *expiry = data;

    g_free(expiry->key);
    g_free(expiry);
}

GTree *
store_expiries_new(void)
{
    return g_tree_new_full(expiry_compare, NULL, expiry_free, NULL);
}

static void
expiry_fire(void *data)
{
    Store *store = data;
    int64_t now = clock_now(store->options.clock);
    GTreeNode *node;

    store->expiry_timer = 0;
    while ((node = g_tree_node_first(store->expiries)) != NULL) {
        StoreExpiry *expiry = g_tree_node_key(node);

        if (expiry->when_ns > now)
            break;
        StoreOp op = {.bucket = expiry->bucket,
                      .key = expiry->key,
                      .remove = true,
                      .expected = expiry->mod_revision};

        store_txn(store, &op, 1, NULL, NULL, NULL);
        g_tree_remove(store->expiries, expiry);
    }
    expiry_arm(store);
}

static void
expiry_arm(Store *store)
{
    GTreeNode *node = g_tree_node_first(store->expiries);

    if (node == NULL || store->expiry_timer != 0)
        return;
    store->expiry_timer = clock_timer_at(
        store->options.clock, ((StoreExpiry *)g_tree_node_key(node))->when_ns, expiry_fire, store);
}

void
store_expiry_add(Store *store, StoreBucket *bucket, const char *key, const StoreItem *item)
{
    StoreExpiry *expiry;

    if (item->expires_ns == 0 || store->options.clock == NULL)
        return;
    expiry = g_new0(StoreExpiry, 1);
    expiry->when_ns = item->expires_ns;
    expiry->mod_revision = item->mod_revision;
    expiry->bucket = bucket;
    expiry->key = g_strdup(key);
    g_tree_insert(store->expiries, expiry, expiry);
    if (store->expiry_timer != 0 && g_tree_node_key(g_tree_node_first(store->expiries)) == expiry)
        clock_cancel(store->options.clock, &store->expiry_timer);
    expiry_arm(store);
}
