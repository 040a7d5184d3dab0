/* Inside of the Job controller: one sync's view of a Job and its pods. */
#pragma once

#include "core/controllers/common/children.h"

#define JOB_FINALIZER "batch.kubernetes.io/job-tracking"
#define LABEL_COMPLETION_INDEX "batch.kubernetes.io/job-completion-index"
#define ANNOTATION_INDEX_FAILURES "batch.kubernetes.io/job-index-failure-count"
#define ANNOTATION_INDEX_IGNORED_FAILURES "batch.kubernetes.io/job-index-ignored-failure-count"
#define JOB_BACKOFF_NS (10 * NS_PER_S)
#define JOB_BACKOFF_MAX_NS (600 * NS_PER_S)

/* ---- sets of indexes: "0-3,5" (indexes.c) ---- */
typedef struct IndexSet {
    GArray *members; /* int64_t, ascending, each once */
} IndexSet;

void index_set_init(IndexSet *set);
void index_set_clear(IndexSet *set);
/* Adds what the text names, below `bound`. */
void index_set_parse(IndexSet *set, const char *text, int64_t bound);
void index_set_add(IndexSet *set, int64_t index);
bool index_set_has(const IndexSet *set, int64_t index);
char *index_set_format(const IndexSet *set);
int64_t pod_completion_index(const Value *pod); /* -1 when it has none */

/* ---- failure and success policies (policy.c), pure ---- */
typedef enum {
    POD_FAILURE_COUNT,
    POD_FAILURE_IGNORE,
    POD_FAILURE_FAIL_INDEX,
    POD_FAILURE_FAIL_JOB
} PodFailureAction;
/* ret_message (may be NULL): for FAIL_JOB, owned. */
PodFailureAction pod_failure_action(const Value *policy, const Value *pod, char **ret_message);
/* The rule of spec.successPolicy that is met ("Matched rules at index 0"), owned; NULL when none
 * is. */
char *success_policy_match(const Value *policy, const IndexSet *succeeded);

typedef struct JobBackoff {
    int64_t failures, last_failure_ns; /* since the last success */
    GHashTable *seen;                  /* uids of the pods that it counts; only ever looked up */
} JobBackoff;
/* How long until the next pod may be made. */
int64_t job_backoff_left(int64_t failures, int64_t last_failure_ns, int64_t now);
/* When a pod ended: its containers' last finishedAt, else its deletion, else now. */
int64_t pod_finish_time(const Value *pod, int64_t now);

typedef struct JobView {
    Controller *controller;
    Sync *sync;
    const Value *job;
    GPtrArray *pods; /* references */
    int64_t now;
    bool indexed, per_index;  /* completionMode Indexed; backoffLimitPerIndex is set */
    bool only_replace_failed; /* podReplacementPolicy Failed, or a podFailurePolicy */
    int64_t completions;      /* -1: none given */
    GPtrArray *active;        /* pods: borrowed */
    int64_t n_ready, n_terminating;
    IndexSet succeeded_indexes, failed_indexes;
    int64_t succeeded, failed;                     /* with those not yet counted in the status */
    char *fail_reason, *fail_message;              /* the Job fails; NULL: it does not */
    char *success_reason, *success_message;        /* the Job is done well */
    Value *uncounted_succeeded, *uncounted_failed; /* arrays of uids */
    int64_t counted_succeeded, counted_failed;     /* what goes into the status */
    JobBackoff *backoff;
} JobView;

void job_view_init(JobView *view);
void job_view_clear(JobView *view);
bool pod_counts_as_failed(const JobView *view, const Value *pod);
bool job_is_suspended(const Value *job);
bool job_is_finished(const Value *job);

/* manage.c: starts creations or deletions so that the right pods are active. */
typedef struct JobPods {
    GPtrArray *create; /* pod values, owned */
    GPtrArray *doomed; /* references */
} JobPods;
void job_plan_pods(JobView *view, JobPods *ret_pods);
