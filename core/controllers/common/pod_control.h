/* Pods from templates (controller_utils.go RealPodControl). */
#pragma once

#include "core/controllers/controller.h"

/* A pod as GetPodFromTemplate makes it: named by generateName "<owner>-", controlled by the owner.
 * It shares the template's labels, annotations and spec. */
Value *pod_from_template(const Value *template_, const Value *owner, const char *api_version,
                         const char *kind);

/* After a pod's creation was answered: records SuccessfulCreate or FailedCreate about the owner,
 * and returns the error text that fails the sync or NULL. A terminating namespace is no failure and
 * no event. */
char *pod_created(Controller *controller, const Value *owner, const char *kind,
                  const ApiResponse *response);
/* Likewise for a deletion ("Deleted pod: x"); a pod that is gone already is no failure. */
char *pod_deleted(Controller *controller, const Value *owner, const char *kind, const char *pod,
                  const ApiResponse *response);
/* Starts the deletion of a pod as part of a sync, with its event. */
void pod_delete(Controller *controller, Sync *sync, const Value *owner, const char *kind,
                const Value *pod);

/* Sorts pods (borrowed slots) so that those to delete first come first (ActivePodsWithRanks).
 * `ranks` gives the number of related ready pods on a pod's node; NULL for none. `now` for the
 * logarithmic comparison of ages. */
typedef int64_t (*PodRank)(const Value *pod, void *data);
void pods_sort_for_deletion(GPtrArray *pods, PodRank rank, void *data, int64_t now);
