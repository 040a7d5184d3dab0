/* Which volumes a pod's claims would get on a node (pkg/scheduler/framework/plugins/volumebinding).
 */
#pragma once

#include "core/scheduler/framework.h"

typedef struct VolumeDecision {
    Symbol claim;        /* "namespace/name" */
    const Value *volume; /* bound to this PersistentVolume; NULL: provisioned for the node */
} VolumeDecision;

bool claim_is_bound(const Value *claim);
/* True when every claim has or can have a volume on the node; decisions (may be NULL) get what is
 * still to be bound. */
bool volumes_decide(Cycle *cycle, const NodeInfo *node, Status *ret_status, GArray *ret_decisions);
