/* Informers: a local cache of one resource, kept by list and watch (client-go tools/cache Reflector, SharedInformer).
 *
 * The cache is a persistent map, so holding it costs a reference when the watch hands over the server's own version.
 * Handlers run in the event in which the change arrived, in the order in which they were added. After a lost watch the
 * informer goes on from its last revision; at 410 it lists anew and tells the difference. */
#pragma once

#include "core/client/client.h"

typedef struct Informer Informer;

typedef struct InformerHandler {
    /* old is NULL for an added object, new NULL for a deleted one. cause is the write's cause (adopt it or give it to the
     * work queue). While the first list is taken in, `initial` is true. */
    void (*changed)(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial, void *data);
    void (*synced)(void *data); /* the first list is in; may be NULL */
} InformerHandler;

/* namespace_, selectors: NULL for all. */
Informer *informer_new(const Ports *ports, Client *client, const char *group, const char *resource,
                       const char *namespace_, const char *label_selector, const char *field_selector);
void informer_free(Informer *informer); /* not from within one of its handlers */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Informer, informer_free)
/* The handler is copied. Added after the first list, it is told of all objects at once, as initial ones. */
void informer_add_handler(Informer *informer, const InformerHandler *handler, void *data);
void informer_start(Informer *informer);
bool informer_has_synced(const Informer *informer);

/* Keys are "namespace/name", or "name" for cluster-scoped kinds. */
const Value *informer_get(const Informer *informer, const char *key);
const Value *informer_get_named(const Informer *informer, const char *namespace_, const char *name);
struct PMap *informer_state(const Informer *informer); /* borrowed; ref it to keep this version */
size_t informer_count(const Informer *informer);
int64_t informer_revision(const Informer *informer);

/* Walks in key order; namespace_ NULL for all. for (InformerIter it = ...; (object = informer_iter_next(&it));) */
#include "core/base/pmap.h"
typedef struct InformerIter {
    PMapIter iter;
    char prefix[260]; /* "namespace/", or "" */
    bool started;
    const Informer *informer;
} InformerIter;
void informer_iter_init(InformerIter *iter, const Informer *informer, const char *namespace_);
const Value *informer_iter_next(InformerIter *iter, const char **ret_key /* may be NULL */);

/* An index: objects by the strings that a function gives for them (owner's uid, node's name). */
typedef void (*IndexFunc)(const Value *object, GPtrArray *ret_strings /* add g_strdup'ed */);
void informer_add_index(Informer *informer, const char *index, IndexFunc func); /* before start */
/* Objects (borrowed `const Value *`, in key order) under a string; valid until the next event. NULL or empty when none. */
const GPtrArray *informer_by_index(const Informer *informer, const char *index, const char *string);

/* One informer a resource, shared by the controllers of one process. */
typedef struct InformerFactory InformerFactory;
InformerFactory *informer_factory_new(const Ports *ports, Client *client);
void informer_factory_free(InformerFactory *factory);
Informer *informer_factory_get(InformerFactory *factory, const char *group, const char *resource); /* borrowed */
void informer_factory_start(InformerFactory *factory); /* those not started yet; in the order they were asked for */
bool informer_factory_has_synced(const InformerFactory *factory);
/* Calls func once all are synced (by a later event, also when they are already). */
void informer_factory_when_synced(InformerFactory *factory, void (*func)(void *data), void *data);
