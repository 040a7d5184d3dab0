/* Revisions of what rolls out. */
#pragma once

#include "cli/kubectl/write.h"

typedef struct Revision {
    int64_t number;
    const Value *object; /* the ReplicaSet or ControllerRevision; borrowed from the list */
} Revision;

/* All revisions of a Deployment, StatefulSet or DaemonSet, oldest first; *ret_list (owned) holds
 * their objects. NULL: the error is printed. Owned array of Revision. */
GArray *rollout_revisions(Kube *kube, const KubeItem *item, Value **ret_list);
/* The pod template of a revision; owned. */
Value *rollout_template(const KubeItem *item, const Revision *revision);
int rollout_status_of(Kube *kube, const KubeItem *item);
extern const KubeCommand ROLLOUT_STATUS, ROLLOUT_HISTORY, ROLLOUT_UNDO;
