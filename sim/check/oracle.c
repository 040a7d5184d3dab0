#include "sim/check/oracle.h"

#include <string.h>

extern const OracleClass ORACLE_NODE_OVERCOMMIT, ORACLE_ONE_BINDING, ORACLE_STATEFULSET_ORDINAL, ORACLE_OWNERS,
    ORACLE_FINALIZERS, ORACLE_ACKNOWLEDGED_WRITE, ORACLE_REVISION_ORDER;

static const OracleClass *const CLASSES[] = {
    &ORACLE_NODE_OVERCOMMIT, &ORACLE_ONE_BINDING, &ORACLE_STATEFULSET_ORDINAL, &ORACLE_OWNERS,
    &ORACLE_FINALIZERS,      &ORACLE_REVISION_ORDER, &ORACLE_ACKNOWLEDGED_WRITE,
};

/* One oracle's ear at one bucket. */
typedef struct OracleEar {
    Oracle *oracle;
    StoreBucket *bucket;
} OracleEar;

struct Oracles {
    World *world;
    Oracle oracles[G_N_ELEMENTS(CLASSES)];
    GPtrArray *ears;     /* OracleEar */
    GPtrArray *breaches; /* OracleBreach */
};

size_t
oracle_class_count(void)
{
    return G_N_ELEMENTS(CLASSES);
}

const OracleClass *
oracle_class_item(size_t index)
{
    return index < G_N_ELEMENTS(CLASSES) ? CLASSES[index] : NULL;
}

static void
hear(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    OracleEar *ear = data;
    ear->oracle->class->changed(ear->oracle, event);
}

static void
listen(Oracle *oracle, const char *resource)
{
    OracleEar *ear = g_new0(OracleEar, 1);
    ear->oracle = oracle;
    ear->bucket = store_bucket(cluster_store(world_cluster(oracle->world)), resource);
    store_listen(ear->bucket, hear, ear);
    g_ptr_array_add(oracle->all->ears, ear);
}

static bool
is_stored_as_itself(const ApiKind *kind)
{
    return (kind->verbs & API_VERB_LIST) != 0 && strcmp(kind->group, kind->storage_group) == 0;
}

static void
listen_to_all(Oracle *oracle)
{
    const ApiTypes *types = world_types(oracle->world);
    for (size_t i = 0; i < api_types_count(types); i++)
        if (is_stored_as_itself(api_types_item(types, i)))
            listen(oracle, api_kind_qualified(api_types_item(types, i)));
}

static void
breach_free(void *data)
{
    OracleBreach *breach = data;
    g_free(breach->subject);
    g_free(breach->text);
    g_free(breach);
}

Oracles *
oracles_new(World *world)
{
    Oracles *oracles = g_new0(Oracles, 1);
    oracles->world = world;
    oracles->ears = g_ptr_array_new_with_free_func(g_free);
    oracles->breaches = g_ptr_array_new_with_free_func(breach_free);
    for (size_t i = 0; i < G_N_ELEMENTS(CLASSES); i++) {
        Oracle *oracle = &oracles->oracles[i];
        *oracle = (Oracle){.class = CLASSES[i], .world = world, .all = oracles};
        if (oracle->class->begin != NULL)
            oracle->class->begin(oracle);
        if (oracle->class->changed == NULL)
            continue;
        if (oracle->class->resources[0] == NULL)
            listen_to_all(oracle);
        for (size_t k = 0; oracle->class->resources[k] != NULL; k++)
            listen(oracle, oracle->class->resources[k]);
    }
    return oracles;
}

void
oracles_free(Oracles *oracles)
{
    if (oracles == NULL)
        return;
    for (guint i = 0; i < oracles->ears->len; i++) {
        OracleEar *ear = oracles->ears->pdata[i];
        store_unlisten(ear->bucket, hear, ear);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(CLASSES); i++)
        if (CLASSES[i]->end != NULL)
            CLASSES[i]->end(&oracles->oracles[i]);
    g_ptr_array_unref(oracles->ears);
    g_ptr_array_unref(oracles->breaches);
    g_free(oracles);
}

bool
oracles_look(Oracles *oracles)
{
    for (size_t i = 0; i < G_N_ELEMENTS(CLASSES); i++)
        if (CLASSES[i]->look != NULL)
            CLASSES[i]->look(&oracles->oracles[i]);
    return oracles->breaches->len == 0;
}

size_t
oracles_breach_count(const Oracles *oracles)
{
    return oracles->breaches->len;
}

const OracleBreach *
oracles_breach(const Oracles *oracles, size_t index)
{
    return index < oracles->breaches->len ? oracles->breaches->pdata[index] : NULL;
}

void
oracle_breach(Oracle *oracle, const char *subject, const char *format, ...)
{
    GPtrArray *breaches = oracle->all->breaches;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (breaches->len >= ORACLE_BREACHES_MAX)
        return;
    for (guint i = 0; i < breaches->len; i++) {
        const OracleBreach *known = breaches->pdata[i];
        if (strcmp(known->text, text) == 0 && strcmp(known->subject, subject) == 0)
            return;
    }
    OracleBreach *breach = g_new0(OracleBreach, 1);
    breach->class = oracle->class;
    breach->time_ns = world_now(oracle->world);
    breach->subject = g_strdup(subject);
    breach->text = g_steal_pointer(&text);
    g_ptr_array_add(breaches, breach);
}

static gint
compare_texts(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

GTree *
oracle_tree_new(GDestroyNotify free_value)
{
    return g_tree_new_full(compare_texts, NULL, g_free, free_value);
}
