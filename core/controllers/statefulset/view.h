/* Inside of the StatefulSet controller. */
#pragma once

#include "core/controllers/common/history.h"

#define LABEL_REVISION "controller-revision-hash"

typedef struct StatefulController {
    Controller base;
    Children pods, revisions;
    History history;
    Informer *claims;
} StatefulController;

typedef struct StatefulView {
    StatefulController *controller;
    Sync *sync;
    const Value *set;
    const Value *current, *update; /* ControllerRevisions */
    int64_t start, replicas;       /* ordinals [start, start + replicas) */
    const Value **slots;           /* [replicas]: the pod of each ordinal, or NULL */
    GPtrArray *condemned;          /* pods with other ordinals, highest first: borrowed */
    int64_t now;
    /* the new status, while it is counted */
    int64_t n_replicas, n_ready, n_available, n_current, n_updated;
    const char *current_revision;
} StatefulView;

/* "web-3" of "web" -> 3; -1 when it is not such a name. */
int64_t stateful_ordinal(const Value *set, const Value *pod);
bool stateful_is_parallel(const Value *set);
bool pod_is_healthy_member(const StatefulView *view,
                           const Value *pod); /* running, ready, available, not going */
const char *pod_revision(const Value *pod);

/* The pod of an ordinal from a revision's template, with its names, labels and claims
 * (stateful_set_utils.go). */
Value *stateful_pod_new(const StatefulView *view, int64_t ordinal, const Value *revision);
/* "data-web-3" */
char *stateful_claim_name(const Value *set, const Value *claim_template, int64_t ordinal);
/* Starts: missing claims, then the pod. */
void stateful_create(StatefulView *view, int64_t ordinal);
void stateful_delete(StatefulView *view, const Value *pod);
/* Owner references of the pod's claims as persistentVolumeClaimRetentionPolicy says; creates
 * missing claims of a pending pod. */
void stateful_update_claims(StatefulView *view, const Value *pod, bool condemned);
/* Makes names, labels and claims of an existing pod right. True: a write was started. */
bool stateful_fix_identity(StatefulView *view, const Value *pod, int64_t ordinal);

/* The algorithm (stateful_set_control.go): starts creations and deletions and counts the status. */
void stateful_reconcile(StatefulView *view);
Value *stateful_status(const StatefulView *view);
