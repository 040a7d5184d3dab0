/* The scheduling queue (pkg/scheduler/backend/queue): where pending pods wait.
 *
 *            +--------------------- backoff expired, or the active queue is empty ---+
 *            v                                                                       |
 *   add -> active --pop--> in flight --queue_add_unschedulable--> unschedulable --event--> backoff
 *            ^                 |                                      |  ^
 *            |                 +--queue_add_error--> error backoff    |  +-- gated pods, at once
 *            +---- event, when it need not back off ------------------+
 *
 * active: a heap by (priority, time, sequence). backoff: 1 s doubling to 10 s by how often the pod
 * was rejected; pods there are taken early when nothing else waits; pods that met an error are not.
 * unschedulable: until an event that may cure one of the plug-ins that rejected the pod, or 5
 * minutes. */
#pragma once

#include "core/port/ports.h"
#include "core/scheduler/framework.h"

typedef enum {
    QUEUED_NOWHERE, /* in flight */
    QUEUED_ACTIVE,
    QUEUED_BACKOFF,
    QUEUED_ERROR_BACKOFF,
    QUEUED_UNSCHEDULABLE,
} QueuedWhere;

typedef struct QueuedPod {
    PodInfo *pod;
    QueuedWhere where;
    bool gated;         /* has scheduling gates */
    bool preempting;    /* its victims' deletions are being asked for: events wait */
    uint32_t rejectors; /* plug-ins, bits */
    unsigned listens;   /* events that may cure one of them; counted while in the pool */
    uint32_t attempts, unschedulable_count, error_count;
    int64_t timestamp; /* when it was last put anywhere */
    int64_t first_seen;
    int64_t backoff_until;
    uint64_t sequence;
    uint32_t heap_index;
    CauseId cause;
    struct QueuedPod *next, *previous; /* in the unschedulable pool, in order of arrival */
} QueuedPod;

typedef struct QueueOptions {
    int64_t initial_backoff_ns, max_backoff_ns; /* 0: 1 s, 10 s */
    int64_t unschedulable_max_ns;               /* 0: 5 min */
} QueueOptions;

typedef struct SchedulingQueue SchedulingQueue;

/* ready is called when there is something to pop that was not there before. */
SchedulingQueue *scheduling_queue_new(const Ports *ports, ClusterCache *cache,
                                      const QueueOptions *options, void (*ready)(void *data),
                                      void *data);
void scheduling_queue_free(SchedulingQueue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SchedulingQueue, scheduling_queue_free)

/* A pending pod, seen for the first time; pod->queued is set. */
void scheduling_queue_add(SchedulingQueue *queue, PodInfo *pod, CauseId cause);
/* Its object changed. kinds: EVENT_SELF, EVENT_GATES. */
void scheduling_queue_update(SchedulingQueue *queue, PodInfo *pod, unsigned kinds, const Value *old,
                             CauseId cause);
void scheduling_queue_remove(SchedulingQueue *queue, PodInfo *pod); /* bound, gone or finished */

/* The next pod; its place is QUEUED_NOWHERE until it is put back or removed. NULL when none is due.
 */
PodInfo *scheduling_queue_pop(SchedulingQueue *queue);
bool scheduling_queue_has_ready(const SchedulingQueue *queue);
void scheduling_queue_add_unschedulable(SchedulingQueue *queue, PodInfo *pod, uint32_t rejectors);
void scheduling_queue_add_error(SchedulingQueue *queue, PodInfo *pod);
/* Moves a pod to where it is popped next, whatever it waits for (unless gated). */
void scheduling_queue_activate(SchedulingQueue *queue, PodInfo *pod);
void scheduling_queue_set_preempting(SchedulingQueue *queue, PodInfo *pod, bool preempting);

/* Something happened: pods whose rejecting plug-ins may be cured by it leave the unschedulable
 * pool. */
void scheduling_queue_event(SchedulingQueue *queue, const ClusterEvent *event);

size_t scheduling_queue_count(const SchedulingQueue *queue, QueuedWhere where);
bool pod_is_gated(const Value *pod);
void
scheduling_queue_check(const SchedulingQueue *queue); /* asserts what the head of queue.c says */
