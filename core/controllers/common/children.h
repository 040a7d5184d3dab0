/* A controller and the objects that it controls through owner references: who is woken by whose
 * change, what is claimed (controller_ref_manager.go). */
#pragma once

#include "core/controllers/common/expectations.h"
#include "core/controllers/controller.h"

typedef struct Children {
    Controller *controller;
    Informer *owners;              /* of the controller's own kind */
    const char *kind;              /* "ReplicaSet" */
    Informer *informer;            /* of the children, with the index "owner" */
    const char *group, *resource;  /* of the children: "", "pods" */
    const char *owner_api_version; /* "apps/v1" */
    Expectations *expectations;    /* borrowed; NULL when not used */
    /* The selector of an owner (a LabelSelector); NULL: orphans wake nobody. */
    const Value *(*selector)(const Value *owner);
    /* How long to gather changes before the owner is worked on; NULL: at once. */
    int64_t (*delay)(Controller *controller, const Value *owner, const Value *old,
                     const Value *new_);
    /* Sees every change of a child with its owner before the owner is woken; old or new may be
     * NULL. May be NULL. */
    void (*changed)(Controller *controller, const Value *owner, const Value *old,
                    const Value *new_);
} Children;

/* Fills nothing in: the caller has. Adds the handler. */
void children_watch(Children *children);
/* The owner that a controller reference names, when its kind and uid fit; borrowed. */
const Value *children_owner(const Children *children, const Value *child);

/* The children that `owner` controls or adopts: references (g_ptr_array_unref). Starts the patches
 * that adopt matching orphans and release those that match no more; *ret_writing tells whether it
 * started any: the sync then best ends, the watch brings them back. `filter` (may be NULL) must
 * hold for an adoption. */
GPtrArray *children_claim(const Children *children, const Value *owner, Sync *sync,
                          bool *ret_writing,
                          bool (*filter)(const Value *owner, const Value *child));
