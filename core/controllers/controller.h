/* What a controller is and what all of them share.
 *
 * A controller is level-driven: informers' events only put keys into its queue, and one sync(key)
 * compares what should be with what is. A sync starts its writes and returns; the key stays in work
 * until all are answered. A sync that changed the very object it works on ends there: the watch
 * brings the change back and the next sync goes on from it. */
#pragma once

#include "core/client/client.h"
#include "core/client/events.h"
#include "core/client/informer.h"
#include "core/client/workqueue.h"

typedef struct Controller Controller;

/* What the controllers of one process have in common; borrowed by each until its stop. */
typedef struct ControllerContext {
    const Ports *ports;
    Client *client;
    const Value *config; /* see core/controllers/manager.h */
    InformerFactory *informers;
} ControllerContext;

typedef struct ControllerClass {
    const char *name; /* as --controllers names it */
    /* Asks for its informers, adds handlers and indices; nothing is started yet. */
    Controller *(*start)(ControllerContext *context);
    /* Called when all informers have synced; NULL: the queue is started. */
    void (*synced)(Controller *controller);
    void (*stop)(Controller *controller);
} ControllerClass;

/* The first member of every controller. */
struct Controller {
    const ControllerClass *class_;
    ControllerContext *context;
    Client *client;    /* = context->client */
    const char *actor; /* "deployment-controller": the component of its events and decisions */
    WorkQueue *queue;  /* NULL when it has none */
    EventRecorder *recorder;
};

/* sync NULL: no queue. The SyncFunc's data is the controller. workers 0: 5. */
void controller_init(Controller *controller, ControllerContext *context,
                     const ControllerClass *class_, const char *actor, int workers, SyncFunc sync);
void controller_clear(Controller *controller);
int64_t controller_now(const Controller *controller);

void controller_enqueue(Controller *controller, const char *key, uint64_t cause);
void controller_enqueue_object(Controller *controller, const Value *object, uint64_t cause);
/* Each change of the informer's objects puts their key into the queue. */
void controller_watch(Controller *controller, Informer *informer);
/* Records a decision about an object, before the writes that follow from it. */
void controller_decide(Controller *controller, const char *verb, const Value *object,
                       const char *kind, const char *format, ...) G_GNUC_PRINTF(5, 6);

/* Informer with an index, added once however many controllers ask. */
Informer *context_informer(ControllerContext *context, const char *group, const char *resource);
Informer *context_indexed_informer(ControllerContext *context, const char *group,
                                   const char *resource, const char *index, IndexFunc func);
/* With the index "owner": objects by their controller's uid, or by "orphan/<namespace>" when they
 * have none. */
#define INDEX_OWNER "owner"
Informer *context_owned_informer(ControllerContext *context, const char *group,
                                 const char *resource);
/* Pods, with the indices "owner" and "node" (spec.nodeName; none for unbound pods). */
#define INDEX_NODE "node"
Informer *context_pods(ControllerContext *context);
/* Objects under a controller's uid / without controller in a namespace. Never NULL; borrowed until
 * the next event. */
const GPtrArray *informer_owned_by(const Informer *informer, const char *uid);
const GPtrArray *informer_orphans(const Informer *informer, const char *namespace_);
const GPtrArray *informer_indexed(const Informer *informer, const char *index, const char *string);

/* Configuration by path, with a default. */
int64_t config_int(const ControllerContext *context, const char *key, int64_t otherwise);
int64_t config_seconds_ns(const ControllerContext *context, const char *key, double otherwise_s);
