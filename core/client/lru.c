/* A hash table for look-up and a list in order of use. */
#include "core/client/lru.h"

typedef struct {
    char *key;
    void *value;
    GList link;
} Entry;

struct Lru {
    unsigned max;
    GDestroyNotify free_value;
    GHashTable *entries; /* key -> Entry */
    GQueue order;        /* Entry, the last used first */
};

Lru *
lru_new(unsigned max, GDestroyNotify free_value)
{
    g_assert(max > 0);
    Lru *lru = g_new0(Lru, 1);
    lru->max = max;
    lru->free_value = free_value;
    lru->entries = g_hash_table_new(g_str_hash, g_str_equal);
    return lru;
}

static void
drop(Lru *lru, Entry *entry)
{
    g_hash_table_remove(lru->entries, entry->key);
    g_queue_unlink(&lru->order, &entry->link);
    lru->free_value(entry->value);
    g_free(entry->key);
    g_free(entry);
}

void
lru_free(Lru *lru)
{
    if (lru == NULL)
        return;
    while (!g_queue_is_empty(&lru->order))
        drop(lru, g_queue_peek_head(&lru->order));
    g_hash_table_unref(lru->entries);
    g_free(lru);
}

void *
lru_get(Lru *lru, const char *key)
{
    Entry *entry = g_hash_table_lookup(lru->entries, key);
    if (entry == NULL)
        return NULL;
    g_queue_unlink(&lru->order, &entry->link);
    g_queue_push_head_link(&lru->order, &entry->link);
    return entry->value;
}

void
lru_put(Lru *lru, const char *key, void *take_value)
{
    Entry *entry = g_hash_table_lookup(lru->entries, key);
    if (entry != NULL)
        drop(lru, entry);
    while (lru->order.length >= lru->max)
        drop(lru, g_queue_peek_tail(&lru->order));
    entry = g_new0(Entry, 1);
    entry->key = g_strdup(key);
    entry->value = take_value;
    entry->link.data = entry;
    g_hash_table_insert(lru->entries, entry->key, entry);
    g_queue_push_head_link(&lru->order, &entry->link);
}
