/* Informers shared by the controllers of one process. */
#include "core/client/informer.h"

#include <string.h>

typedef struct {
    char *group, *resource;
    Informer *informer;
} Entry;

typedef struct {
    void (*func)(void *data);
    void *data;
} Waiter;

struct InformerFactory {
    const Ports *ports;
    Client *client;
    GPtrArray *entries; /* Entry, in the order asked for */
    GArray *waiters;    /* Waiter */
    TimerId timer;
};

static void
entry_free(void *data)
{
    Entry *entry = data;
    informer_free(entry->informer);
    g_free(entry->group);
    g_free(entry->resource);
    g_free(entry);
}

static void
call_waiters(void *data)
{
    InformerFactory *factory = data;
    factory->timer = 0;
    if (!informer_factory_has_synced(factory))
        return;
    g_autoptr(GArray) waiters = factory->waiters;
    factory->waiters = g_array_new(FALSE, FALSE, sizeof(Waiter));
    for (unsigned i = 0; i < waiters->len; i++) {
        Waiter waiter = g_array_index(waiters, Waiter, i);
        waiter.func(waiter.data);
    }
}

static void
consider_waiters(void *data)
{
    InformerFactory *factory = data;
    if (factory->timer == 0 && factory->waiters->len > 0 && informer_factory_has_synced(factory))
        factory->timer = clock_timer_in(factory->ports->clock, 0, call_waiters, factory);
}

InformerFactory *
informer_factory_new(const Ports *ports, Client *client)
{
    InformerFactory *factory = g_new0(InformerFactory, 1);
    factory->ports = ports;
    factory->client = client;
    factory->entries = g_ptr_array_new_with_free_func(entry_free);
    factory->waiters = g_array_new(FALSE, FALSE, sizeof(Waiter));
    return factory;
}

void
informer_factory_free(InformerFactory *factory)
{
    if (factory == NULL)
        return;
    clock_cancel(factory->ports->clock, &factory->timer);
    g_ptr_array_unref(factory->entries);
    g_array_unref(factory->waiters);
    g_free(factory);
}

Informer *
informer_factory_get(InformerFactory *factory, const char *group, const char *resource)
{
    static const InformerHandler synced = {.synced = consider_waiters};
    for (unsigned i = 0; i < factory->entries->len; i++) {
        Entry *entry = factory->entries->pdata[i];
        if (strcmp(entry->group, group) == 0 && strcmp(entry->resource, resource) == 0)
            return entry->informer;
    }
    Entry *entry = g_new0(Entry, 1);
    entry->group = g_strdup(group);
    entry->resource = g_strdup(resource);
    entry->informer =
        informer_new(factory->ports, factory->client, group, resource, NULL, NULL, NULL);
    informer_add_handler(entry->informer, &synced, factory);
    g_ptr_array_add(factory->entries, entry);
    return entry->informer;
}

void
informer_factory_start(InformerFactory *factory)
{
    for (unsigned i = 0; i < factory->entries->len; i++)
        informer_start(((Entry *)factory->entries->pdata[i])->informer);
}

bool
informer_factory_has_synced(const InformerFactory *factory)
{
    for (unsigned i = 0; i < factory->entries->len; i++)
        if (!informer_has_synced(((Entry *)factory->entries->pdata[i])->informer))
            return false;
    return true;
}

void
informer_factory_when_synced(InformerFactory *factory, void (*func)(void *data), void *data)
{
    Waiter waiter = {.func = func, .data = data};
    g_array_append_val(factory->waiters, waiter);
    consider_waiters(factory);
}
