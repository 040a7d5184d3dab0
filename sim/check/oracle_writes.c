/* No acknowledged write is lost. What the API servers did is read from the trace (each write is a fact with its subject,
 * revision and the object's digest); what is kept is read from the store. So the two ways are independent. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/api/meta.h"
#include "sim/check/oracle.h"

typedef struct LastWrite {
    int64_t revision;
    uint64_t digest;
    bool removed;
} LastWrite;

static void
fact_recorded(const TraceFact *fact, const TraceMessage *message, void *data)
{
    GTree *writes = data;
    if (fact == NULL || fact->kind != FACT_WRITE || fact->subject == NULL || fact->revision == 0)
        return;
    LastWrite *write = g_tree_lookup(writes, fact->subject);
    if (write == NULL) {
        write = g_new0(LastWrite, 1);
        g_tree_insert(writes, g_strdup(fact->subject), write);
    }
    if (fact->revision >= write->revision)
        *write = (LastWrite){.revision = fact->revision,
                             .digest = fact->digest,
                             .removed = strcmp(fact->verb, "delete") == 0};
}

static void
writes_begin(Oracle *oracle)
{
    oracle->data = oracle_tree_new(g_free);
    engine_trace_add_listener(world_trace(oracle->world), fact_recorded, oracle->data);
}

static void
writes_end(Oracle *oracle)
{
    engine_trace_remove_listener(world_trace(oracle->world), fact_recorded, oracle->data);
    g_tree_unref(oracle->data);
}

/* "Pod/default/web-1" -> the object that is stored. Kinds of several groups (Event) share a subject and are passed over. */
static bool
find_stored(World *world, const char *subject, const Value **ret_object)
{
    g_auto(GStrv) parts = g_strsplit(subject, "/", 3);
    const ApiTypes *types = world_types(world);
    const ApiKind *found = NULL;
    for (size_t i = 0; i < api_types_count(types); i++) {
        const ApiKind *kind = api_types_item(types, i);
        if (strcmp(kind->kind, parts[0]) != 0 || strcmp(kind->group, kind->storage_group) != 0)
            continue;
        if (found != NULL)
            return false;
        found = kind;
    }
    if (found == NULL || parts[1] == NULL || found->namespaced != (parts[2] != NULL))
        return false;
    *ret_object = world_peek(world, found->group, found->resource, found->namespaced ? parts[1] : NULL,
                             found->namespaced ? parts[2] : parts[1]);
    return true;
}

typedef struct Looking {
    Oracle *oracle;
    int64_t committed;
} Looking;

static gboolean
look_at_one(gpointer key, gpointer value, gpointer data)
{
    const char *subject = key;
    const LastWrite *write = value;
    const Looking *looking = data;
    const Value *stored = NULL;
    if (write->revision > looking->committed || g_str_has_prefix(subject, "Event/") ||
        !find_stored(looking->oracle->world, subject, &stored))
        return FALSE;
    int64_t revision = object_resource_version(stored);
    if (stored == NULL && !write->removed)
        oracle_breach(looking->oracle, subject, "was written at revision %" G_GINT64_FORMAT " and is not there",
                      write->revision);
    else if (stored != NULL && revision < write->revision)
        oracle_breach(looking->oracle, subject,
                      "was written at revision %" G_GINT64_FORMAT " but an older one, %" G_GINT64_FORMAT ", is kept",
                      write->revision, revision);
    else if (stored != NULL && revision == write->revision && value_digest(stored) != write->digest)
        oracle_breach(looking->oracle, subject, "is not what was written at revision %" G_GINT64_FORMAT, revision);
    return FALSE;
}

static void
writes_look(Oracle *oracle)
{
    Looking looking = {oracle, store_revision(cluster_store(world_cluster(oracle->world)))};
    g_tree_foreach(oracle->data, look_at_one, &looking);
}

const OracleClass ORACLE_ACKNOWLEDGED_WRITE = {
    .name = "acknowledged-write",
    .title = N_("No acknowledged write is lost"),
    .begin = writes_begin,
    .end = writes_end,
    .look = writes_look,
};
