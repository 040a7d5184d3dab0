/* How a container becomes a component's process: an image model says `process: kube-scheduler`, and the world says what
 * that is. */
#pragma once

#include "core/object/value.h"
#include "sim/engine/process.h"

typedef struct SimulatedProcessFactory {
    /* The process has its ports (clock, random, net at the pod's address, trace, log to the container's log). container is
     * the API's container, borrowed. Returns a handle for stop, or NULL: it could not start (the container exits 1). */
    void *(*start)(const char *process, EngineProcess *proc, const char *node, const Value *container, void *data);
    /* The process is dead already: free its memory. */
    void (*stop)(void *handle, void *data);
} SimulatedProcessFactory;
