#include "core/controllers/replicaset/counts.h"

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"

struct CountTable {
    GHashTable *by_uid; /* uid -> Entry; only ever looked up */
};

typedef struct Entry {
    Value *selector, *labels; /* what the counts were made with */
    PodCounts counts;
} Entry;

static void
entry_free(gpointer data)
{
    Entry *entry = data;
    value_unref(entry->selector);
    value_unref(entry->labels);
    g_free(entry);
}

CountTable *
count_table_new(void)
{
    CountTable *table = g_new(CountTable, 1);
    table->by_uid = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return table;
}

void
count_table_free(CountTable *table)
{
    if (table == NULL)
        return;
    g_hash_table_destroy(table->by_uid);
    g_free(table);
}

static void
count_pod(PodCounts *counts, const Entry *entry, const Value *pod, int64_t sign)
{
    if (!selector_matches(entry->selector, object_labels(pod))) {
        counts->strangers += sign;
        return;
    }
    if (pod_is_terminal(pod))
        return;
    if (object_is_deleting(pod)) {
        counts->terminating += sign;
        return;
    }
    counts->active += sign;
    if (labels_contain(object_labels(pod), entry->labels))
        counts->labeled += sign;
    if (pod_is_ready(pod))
        counts->ready += sign;
}

static int64_t
min_ready_seconds(const Value *owner)
{
    return value_int(value_get(value_get(owner, "spec"), "minReadySeconds"));
}

void
count_table_change(CountTable *table, const Value *owner, const Value *old, const Value *new_)
{
    Entry *entry = g_hash_table_lookup(table->by_uid, object_uid(owner));
    if (entry == NULL)
        return;
    if (old != NULL)
        count_pod(&entry->counts, entry, old, -1);
    if (new_ != NULL)
        count_pod(&entry->counts, entry, new_, 1);
}

/* minReadySeconds: who is available now, and when is the next one? */
static void
count_available(PodCounts *counts, const Value *owner, const GPtrArray *pods, int64_t now)
{
    int64_t seconds = min_ready_seconds(owner), next = 0;
    counts->available = 0;
    for (guint i = 0; i < pods->len; i++) {
        const Value *pod = objects_item(pods, i);
        if (!pod_is_active(pod) || !pod_is_ready(pod))
            continue;
        if (pod_is_available(pod, seconds, now)) {
            counts->available++;
            continue;
        }
        const Value *ready = condition_find(value_at(pod, "status.conditions"), "Ready");
        int64_t wait = time_of(value_get(ready, "lastTransitionTime")) + seconds * NS_PER_S - now;
        wait = MAX(wait, NS_PER_MS);
        next = next == 0 ? wait : MIN(next, wait);
    }
    counts->next_available_ns = next;
}

PodCounts
count_table_get(CountTable *table, const Value *owner, const Informer *pods, int64_t now)
{
    const char *uid = object_uid(owner);
    const Value *selector = value_at(owner, "spec.selector");
    const Value *labels = value_at(owner, "spec.template.metadata.labels");
    const GPtrArray *owned = NULL;
    Entry *entry = g_hash_table_lookup(table->by_uid, uid);
    if (entry == NULL || !value_equal(entry->selector, selector) || !value_equal(entry->labels, labels)) {
        entry = g_new0(Entry, 1);
        entry->selector = selector != NULL ? value_ref(selector) : NULL;
        entry->labels = labels != NULL ? value_ref(labels) : NULL;
        g_hash_table_replace(table->by_uid, g_strdup(uid), entry);
        owned = informer_owned_by(pods, uid);
        for (guint i = 0; i < owned->len; i++)
            count_pod(&entry->counts, entry, objects_item(owned, i), 1);
    }
    PodCounts counts = entry->counts;
    counts.available = counts.ready;
    if (min_ready_seconds(owner) > 0)
        count_available(&counts, owner, informer_owned_by(pods, uid), now);
    return counts;
}

void
count_table_forget(CountTable *table, const char *uid)
{
    g_hash_table_remove(table->by_uid, uid);
}
