/* Inside of the Deployment controller: one sync's view, and the steps it takes. */
#pragma once

#include "core/controllers/common/children.h"

#define ANNOTATION_REVISION "deployment.kubernetes.io/revision"
#define ANNOTATION_REVISION_HISTORY "deployment.kubernetes.io/revision-history"
#define ANNOTATION_DESIRED_REPLICAS "deployment.kubernetes.io/desired-replicas"
#define ANNOTATION_MAX_REPLICAS "deployment.kubernetes.io/max-replicas"
#define LABEL_POD_TEMPLATE_HASH "pod-template-hash"

typedef struct Rollout {
    Controller *controller;
    Sync *sync;
    const Value *deployment;
    const Value
        *new_set;        /* the one with the deployment's template, or NULL; borrowed from `sets` */
    GPtrArray *sets;     /* all, oldest first: references */
    GPtrArray *old_sets; /* all but the new one, oldest first: borrowed slots */
} Rollout;

/* ---- arithmetic (util/deployment_util.go), pure ---- */
int64_t deployment_replicas(const Value *deployment);
int64_t set_replicas(const Value *set); /* spec.replicas */
bool deployment_is_rolling(const Value *deployment);
int64_t deployment_max_surge(const Value *deployment);
int64_t deployment_max_unavailable(const Value *deployment);
void resolve_fenceposts(const Value *max_surge, const Value *max_unavailable, int64_t desired,
                        int64_t *ret_surge, int64_t *ret_unavailable);
/* How large the new set should be, given what all sets (the new one included) now want. */
int64_t new_set_size(const Value *deployment, int64_t all_replicas, int64_t new_replicas);
/* GetReplicaSetProportion: this set's share of `to_add` (negative to remove), of which `added` are
 * given away. */
int64_t set_proportion(const Value *set, const Value *deployment, int64_t to_add, int64_t added);
bool deployment_is_saturated(const Value *deployment, const Value *set);
bool deployment_is_complete(const Value *deployment, const Value *status);
bool deployment_has_progress_deadline(const Value *deployment);
bool templates_equal_ignoring_hash(const Value *a, const Value *b);

/* ---- revisions (revision.c) ---- */
void rollout_find_sets(Rollout *rollout);
/* Brings the new set's and the deployment's annotations up to date; makes the new set when it is
 * missing and `create`. True: it wrote what this sync depends on, so the sync ends. */
bool rollout_sync_revision(Rollout *rollout, bool create);

/* ---- sizes (scale.c) ---- */
/* Starts the update that makes a set `size` large and its annotations say the deployment's size.
 * False: nothing to write. */
bool rollout_scale_set(Rollout *rollout, const Value *set, int64_t size);
bool rollout_is_scaling_event(const Rollout *rollout);
void rollout_scale_proportionally(Rollout *rollout);
bool rollout_reconcile_new_set(Rollout *rollout);
bool rollout_reconcile_old_sets(Rollout *rollout);
void rollout_clean_up(Rollout *rollout);

/* ---- status (progress.c) ---- */
Value *rollout_calculate_status(const Rollout *rollout); /* counts and the Available condition */
void rollout_write_status(Rollout *rollout, Value *take_status);
void rollout_sync_counts(Rollout *rollout);   /* syncDeploymentStatus */
void rollout_sync_progress(Rollout *rollout); /* syncRolloutStatus */
/* A deployment's condition, with lastUpdateTime. */
Value *deployment_condition_new(const char *type, const char *status, const char *reason,
                                const char *message, int64_t now);
