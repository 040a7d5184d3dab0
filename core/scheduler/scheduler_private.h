/* What the files of the running scheduler share. */
#pragma once

#include "core/base/limits.h"
#include "core/client/events.h"
#include "core/client/informer.h"
#include "core/scheduler/explain.h"
#include "core/scheduler/queue.h"
#include "core/scheduler/scheduler.h"

typedef struct TableWatch {
    Scheduler *scheduler;
    CacheTable table;
    unsigned event;
} TableWatch;

struct Scheduler {
    const Ports *ports;
    Client *client;
    InformerFactory *informers;
    ClusterCache *cache;
    SchedulingQueue *queue;
    DecisionTable *decisions;
    Profile *profiles[SCHEDULER_PROFILES_MAX];
    EventRecorder
        *recorders[SCHEDULER_PROFILES_MAX]; /* one a profile: its name is the events' source */
    uint32_t n_profiles;
    QueueOptions queue_options;
    TableWatch watches[TABLE_COUNT];
    uint32_t next_start_node;
    bool synced;
    TimerId cycle_timer;
    int64_t n_scheduled, n_failed;
    GQueue bindings;    /* Binding, those under way */
    GQueue preemptions; /* PreemptionCalls */
    GQueue calls;       /* StatusCall */
};

/* config.c */
void scheduler_configure(Scheduler *scheduler, const Value *config);

/* watch.c */
void scheduler_watch(Scheduler *scheduler);

/* scheduler.c */
int scheduler_profile_of(const Scheduler *scheduler,
                         const Value *pod); /* -1: another scheduler's */
EventRecorder *scheduler_recorder(const Scheduler *scheduler, const PodInfo *pod);
/* Event, condition, decision. reason: "Unschedulable" or "SchedulerError"; nominated NULL leaves
 * the nomination as it is, "" clears it. */
void scheduler_tell_failure(Scheduler *scheduler, PodInfo *pod, const char *reason,
                            const char *message, const char *nominated);
/* Changes status.nominatedNodeName alone. */
void scheduler_clear_nomination(Scheduler *scheduler, PodInfo *pod);

/* binding.c: reserves, and binds over the coming events. */
void scheduler_bind(Scheduler *scheduler, Cycle *cycle, NodeInfo *node);
void scheduler_claims_changed(Scheduler *scheduler);
void scheduler_bindings_clear(Scheduler *scheduler);

/* evict.c: takes the victims' lives. */
void scheduler_evict(Scheduler *scheduler, PodInfo *preemptor, const Preemption *preemption);
void scheduler_preemptions_clear(Scheduler *scheduler);
