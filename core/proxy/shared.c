/* The shared cache of tables: the last few, newest first. Keys are the states' identities; they are
 * held, so that an address cannot come to mean another state. */
#include "core/proxy/proxy.h"

#define TABLES_MAX 32

typedef struct {
    PMap *services, *slices;
    ProxyTable *table;
} Made;

struct ProxyShared {
    unsigned references;
    GQueue made; /* Made */
    size_t count;
};

static void
made_free(Made *made)
{
    pmap_unref(made->services);
    pmap_unref(made->slices);
    proxy_table_unref(made->table);
    g_free(made);
}

ProxyShared *
proxy_shared_new(void)
{
    ProxyShared *shared = g_new0(ProxyShared, 1);
    shared->references = 1;
    return shared;
}

ProxyShared *
proxy_shared_ref(ProxyShared *shared)
{
    shared->references++;
    return shared;
}

void
proxy_shared_unref(ProxyShared *shared)
{
    if (shared == NULL || --shared->references > 0)
        return;
    Made *made;
    while ((made = g_queue_pop_head(&shared->made)) != NULL)
        made_free(made);
    g_free(shared);
}

ProxyTable *
proxy_shared_table(ProxyShared *shared, const PMap *services, const PMap *slices)
{
    for (GList *link = shared->made.head; link != NULL; link = link->next) {
        Made *made = link->data;
        if (made->services == services && made->slices == slices)
            return proxy_table_ref(made->table);
    }
    const Made *last = g_queue_peek_head(&shared->made);
    Made *made = g_new0(Made, 1);
    made->services = pmap_ref(services);
    made->slices = pmap_ref(slices);
    made->table = proxy_table_new(services, slices, last != NULL ? last->table : NULL);
    shared->count++;
    g_queue_push_head(&shared->made, made);
    if (shared->made.length > TABLES_MAX)
        made_free(g_queue_pop_tail(&shared->made));
    return proxy_table_ref(made->table);
}

size_t
proxy_shared_made(const ProxyShared *shared)
{
    return shared->count;
}
