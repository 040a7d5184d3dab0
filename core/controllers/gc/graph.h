/* The garbage collector's graph: who owns whom, over all kinds (pkg/controller/garbagecollector
 * graph_builder.go). Nodes are known by uid. A node that is only named by its dependents is virtual
 * until it is observed. */
#pragma once

#include "core/controllers/controller.h"

#define FINALIZER_FOREGROUND "foregroundDeletion"
#define FINALIZER_ORPHAN "orphan"

typedef struct GcResource {
    const ApiKind *kind;
    Informer *informer;
    void *data; /* the collector */
} GcResource;

typedef struct GcNode GcNode;
struct GcNode {
    char *uid;
    const GcResource *resource;        /* NULL while virtual */
    char *key;                         /* "namespace/name" or "name"; NULL while virtual */
    Value *owners;                     /* metadata.ownerReferences, or NULL */
    GTree *dependents;                 /* uid -> GcNode, borrowed; NULL when none ever */
    bool deleting, foreground, orphan; /* deletionTimestamp; the finalizers above */
};

typedef struct GcGraph GcGraph;

GcGraph *gc_graph_new(void);
void gc_graph_free(GcGraph *graph);
GcNode *gc_graph_find(const GcGraph *graph, const char *uid);
/* What happened to the graph when an object was seen; the caller enqueues from this. */
typedef struct GcChange {
    GcNode *node;
    bool added;
    bool owners_changed, starts_foreground, starts_orphan;
} GcChange;
GcChange gc_graph_observe(GcGraph *graph, const GcResource *resource, const char *key,
                          const Value *object);
/* The object is gone. Its dependents' uids (owned strings) and its owners' uids are added to the
 * lists. */
void gc_graph_forget(GcGraph *graph, const char *uid, GPtrArray *ret_dependents,
                     GPtrArray *ret_owners);
size_t gc_node_dependents(const GcNode *node);

/* Owners known to be gone, of late: at most GC_ABSENT_MAX, the oldest forgotten first. */
#define GC_ABSENT_MAX 500
void gc_graph_add_absent(GcGraph *graph, const char *uid);
bool gc_graph_is_absent(const GcGraph *graph, const char *uid);
