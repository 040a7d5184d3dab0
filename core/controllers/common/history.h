/* ControllerRevisions: the templates that a StatefulSet or DaemonSet has had
 * (pkg/controller/history). */
#pragma once

#include "core/controllers/common/children.h"

typedef struct History {
    Children *children;     /* owners and their ControllerRevisions */
    const char *hash_label; /* on the revision: "controller.kubernetes.io/hash" or
                               "controller-revision-hash" */
} History;

/* The owner's revisions by number, then name: references. Adopts and releases; *ret_writing as
 * children_claim. */
GPtrArray *history_list(const History *history, const Value *owner, Sync *sync, bool *ret_writing);
/* The revision of the owner's present template, borrowed from `revisions`; or NULL: then a write
 * was started that makes it, or makes an older one the newest again, or counts a collision, and the
 * sync ends. */
const Value *history_ensure(const History *history, const Value *owner, const GPtrArray *revisions,
                            Sync *sync);
/* Deletes the oldest revisions beyond spec.revisionHistoryLimit that are not live (names, NULL
 * terminated or with holes ""). */
void history_truncate(const History *history, const Value *owner, const GPtrArray *revisions,
                      const char *const *live, size_t n_live, Sync *sync);
/* The pod template that a revision holds. Owned. */
Value *revision_template(const Value *revision);
const char *revision_hash(const History *history, const Value *revision);
const Value *revision_by_name(const GPtrArray *revisions, const char *name);
