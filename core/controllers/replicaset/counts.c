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
    GHashTable *flags; /* pod's uid -> what it counts as; only ever looked up */
} Entry;

static void
entry_free(gpointer data)
{
    Entry *entry = data;
    value_unref(entry->selector);
    value_unref(entry->labels);
    g_hash_table_destroy(entry->flags);
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

/* What a pod counts as. Remembered by pod, since the object of a deletion may be younger than what
 * was counted. */
enum {
    COUNT_STRANGER = 1,
    COUNT_TERMINATING = 2,
    COUNT_ACTIVE = 4,
    COUNT_LABELED = 8,
    COUNT_READY = 16
};

static int
pod_flags(const Entry *entry, const Value *pod)
{
    if (!label_selector_matches(entry->selector, object_labels(pod)))
        return COUNT_STRANGER;
    if (pod_is_terminal(pod))
        return 0;
    if (object_is_deleting(pod))
        return COUNT_TERMINATING;
    return COUNT_ACTIVE | (labels_contain(object_labels(pod), entry->labels) ? COUNT_LABELED : 0) |
           (pod_is_ready(pod) ? COUNT_READY : 0);
}

static void
count_flags(PodCounts *counts, int flags, int64_t sign)
{
    counts->strangers += flags & COUNT_STRANGER ? sign : 0;
    counts->terminating += flags & COUNT_TERMINATING ? sign : 0;
    counts->active += flags & COUNT_ACTIVE ? sign : 0;
    counts->labeled += flags & COUNT_LABELED ? sign : 0;
    counts->ready += flags & COUNT_READY ? sign : 0;
}

static void
count_pod(Entry *entry, const char *uid, int flags)
{
    gpointer known = NULL, old = NULL;
    if (g_hash_table_lookup_extended(entry->flags, uid, &known, &old))
        count_flags(&entry->counts, GPOINTER_TO_INT(old), -1);
    count_flags(&entry->counts, flags, 1);
    if (flags == 0)
        g_hash_table_remove(entry->flags, uid);
    else if (known == NULL || GPOINTER_TO_INT(old) != flags)
        g_hash_table_insert(entry->flags, g_strdup(uid), GINT_TO_POINTER(flags));
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
    count_pod(entry, object_uid(new_ != NULL ? new_ : old),
              new_ != NULL ? pod_flags(entry, new_) : 0);
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
    if (entry == NULL || !value_equal(entry->selector, selector) ||
        !value_equal(entry->labels, labels)) {
        entry = g_new0(Entry, 1);
        entry->selector = selector != NULL ? value_ref(selector) : NULL;
        entry->labels = labels != NULL ? value_ref(labels) : NULL;
        entry->flags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_hash_table_replace(table->by_uid, g_strdup(uid), entry);
        owned = informer_owned_by(pods, uid);
        for (guint i = 0; i < owned->len; i++)
            count_pod(entry, object_uid(objects_item(owned, i)),
                      pod_flags(entry, objects_item(owned, i)));
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
