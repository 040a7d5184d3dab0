/* Invariants: a pod with where ACTIVE, BACKOFF or ERROR_BACKOFF is at heap_index of that heap; one
 * that is UNSCHEDULABLE is in the list; counts agree; a gated pod is never in a heap.
 * scheduling_queue_check asserts them. */
#include "core/scheduler/queue.h"

#define BACKOFF_WINDOW_NS                                                                          \
    NS_PER_S /* back-off times are rounded down to it, so that priority decides within one */
#define POOL_FLUSH_INTERVAL_NS (30 * NS_PER_S)

typedef bool (*QueuedBefore)(const QueuedPod *a, const QueuedPod *b);

typedef struct PodHeap {
    GPtrArray *items; /* QueuedPod */
    QueuedBefore before;
} PodHeap;

struct SchedulingQueue {
    const Ports *ports;
    ClusterCache *cache;
    QueueOptions options;
    void (*ready)(void *data);
    void *data;
    PodHeap heaps[4]; /* by QueuedWhere; the first is not used */
    QueuedPod *first, *last;
    size_t n_pool;
    size_t listeners[EVENT_KINDS]; /* how many in the pool each kind of event may wake */
    uint64_t sequence;
    TimerId backoff_timer, pool_timer;
};

/* ---- heaps ----------------------------------------------------------------------------------- */

static bool
more_urgent(const QueuedPod *a, const QueuedPod *b)
{
    int64_t left = a->pod->class_->priority, right = b->pod->class_->priority;
    if (left != right)
        return left > right;
    if (a->timestamp != b->timestamp)
        return a->timestamp < b->timestamp;
    return a->sequence < b->sequence;
}

static bool
backs_off_shorter(const QueuedPod *a, const QueuedPod *b)
{
    if (a->backoff_until != b->backoff_until)
        return a->backoff_until < b->backoff_until;
    return more_urgent(a, b);
}

static void
heap_place(PodHeap *heap, guint at, QueuedPod *item)
{
    heap->items->pdata[at] = item;
    item->heap_index = at;
}

static void
heap_rise(PodHeap *heap, guint at, QueuedPod *item)
{
    while (at > 0 && heap->before(item, heap->items->pdata[(at - 1) / 2])) {
        heap_place(heap, at, heap->items->pdata[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_place(heap, at, item);
}

static void
heap_sink(PodHeap *heap, guint at, QueuedPod *item)
{
    for (;;) {
        guint child = 2 * at + 1;
        if (child >= heap->items->len)
            break;
        if (child + 1 < heap->items->len &&
            heap->before(heap->items->pdata[child + 1], heap->items->pdata[child]))
            child++;
        if (!heap->before(heap->items->pdata[child], item))
            break;
        heap_place(heap, at, heap->items->pdata[child]);
        at = child;
    }
    heap_rise(heap, at, item);
}

static void
pod_heap_push(PodHeap *heap, QueuedPod *item)
{
    g_ptr_array_add(heap->items, item);
    heap_rise(heap, heap->items->len - 1, item);
}

static void
pod_heap_remove(PodHeap *heap, QueuedPod *item)
{
    guint at = item->heap_index;
    QueuedPod *last = heap->items->pdata[heap->items->len - 1];
    g_ptr_array_set_size(heap->items, (gint)heap->items->len - 1);
    if (last != item)
        heap_sink(heap, at, last);
}

/* ---- places ---------------------------------------------------------------------------------- */

static void
count_listener(SchedulingQueue *queue, const QueuedPod *item, int sign)
{
    for (int i = 0; i < EVENT_KINDS; i++)
        if (item->listens & (1u << i))
            queue->listeners[i] += (size_t)sign;
}

static void
leave(SchedulingQueue *queue, QueuedPod *item)
{
    if (item->where == QUEUED_UNSCHEDULABLE) {
        *(item->previous != NULL ? &item->previous->next : &queue->first) = item->next;
        *(item->next != NULL ? &item->next->previous : &queue->last) = item->previous;
        item->next = item->previous = NULL;
        queue->n_pool--;
        count_listener(queue, item, -1);
    } else if (item->where != QUEUED_NOWHERE) {
        pod_heap_remove(&queue->heaps[item->where], item);
    }
    item->where = QUEUED_NOWHERE;
}

static void arm_timers(SchedulingQueue *queue);

static void
enter_pool(SchedulingQueue *queue, QueuedPod *item)
{
    leave(queue, item);
    item->listens = 0;
    for (int i = 0; i < PLUGIN_COUNT; i++)
        if (item->rejectors & (1u << i))
            item->listens |= SCHEDULER_PLUGINS[i]->events;
    count_listener(queue, item, 1);
    item->where = QUEUED_UNSCHEDULABLE;
    item->previous = queue->last;
    *(queue->last != NULL ? &queue->last->next : &queue->first) = item;
    queue->last = item;
    queue->n_pool++;
    arm_timers(queue);
}

static void
enter_heap(SchedulingQueue *queue, QueuedPod *item, QueuedWhere where)
{
    leave(queue, item);
    item->where = where;
    item->sequence = ++queue->sequence;
    pod_heap_push(&queue->heaps[where], item);
    arm_timers(queue);
    if (where != QUEUED_ERROR_BACKOFF)
        queue->ready(queue->data);
}

/* Rounded down to a window; 0 when it need not wait. */
static int64_t
backoff_end(const SchedulingQueue *queue, const QueuedPod *item)
{
    uint32_t count = item->error_count > 0 ? item->error_count : item->unschedulable_count;
    if (count == 0)
        return 0;
    int64_t delay = queue->options.initial_backoff_ns;
    for (uint32_t i = 1; i < count && delay < queue->options.max_backoff_ns; i++)
        delay *= 2;
    int64_t end = item->timestamp + MIN(delay, queue->options.max_backoff_ns);
    return end - end % BACKOFF_WINDOW_NS;
}

static void
requeue(SchedulingQueue *queue, QueuedPod *item)
{
    item->gated = pod_is_gated(item->pod->pod);
    if (item->gated || item->preempting) {
        enter_pool(queue, item);
        return;
    }
    item->backoff_until = backoff_end(queue, item);
    if (item->backoff_until > clock_now(queue->ports->clock))
        enter_heap(queue, item, item->error_count > 0 ? QUEUED_ERROR_BACKOFF : QUEUED_BACKOFF);
    else
        enter_heap(queue, item, QUEUED_ACTIVE);
}

/* ---- timers ---------------------------------------------------------------------------------- */

static void
flush_backoff(void *data)
{
    SchedulingQueue *queue = data;
    int64_t now = clock_now(queue->ports->clock);
    queue->backoff_timer = 0;
    for (int where = QUEUED_BACKOFF; where <= QUEUED_ERROR_BACKOFF; where++) {
        GPtrArray *items = queue->heaps[where].items;
        while (items->len > 0 && ((QueuedPod *)items->pdata[0])->backoff_until <= now)
            enter_heap(queue, items->pdata[0], QUEUED_ACTIVE);
    }
    arm_timers(queue);
}

/* Nothing may have told us: whoever waited 5 minutes is tried again. */
static void
flush_pool(void *data)
{
    SchedulingQueue *queue = data;
    int64_t now = clock_now(queue->ports->clock);
    queue->pool_timer = 0;
    for (QueuedPod *item = queue->first, *next; item != NULL; item = next) {
        next = item->next;
        if (!item->gated && !item->preempting &&
            now - item->timestamp > queue->options.unschedulable_max_ns)
            requeue(queue, item);
    }
    arm_timers(queue);
}

static void
arm_timers(SchedulingQueue *queue)
{
    Clock *clock = queue->ports->clock;
    int64_t next = INT64_MAX;
    for (int where = QUEUED_BACKOFF; where <= QUEUED_ERROR_BACKOFF; where++) {
        GPtrArray *items = queue->heaps[where].items;
        if (items->len > 0)
            next = MIN(next, ((QueuedPod *)items->pdata[0])->backoff_until);
    }
    if (queue->backoff_timer == 0 && next != INT64_MAX)
        queue->backoff_timer = clock_timer_at(clock, next, flush_backoff, queue);
    if (queue->pool_timer == 0 && queue->n_pool > 0)
        queue->pool_timer = clock_timer_in(clock, POOL_FLUSH_INTERVAL_NS, flush_pool, queue);
}

/* ---- life ------------------------------------------------------------------------------------ */

SchedulingQueue *
scheduling_queue_new(const Ports *ports, ClusterCache *cache, const QueueOptions *options,
                     void (*ready)(void *data), void *data)
{
    SchedulingQueue *queue = g_new0(SchedulingQueue, 1);
    queue->ports = ports;
    queue->cache = cache;
    if (options != NULL)
        queue->options = *options;
    if (queue->options.initial_backoff_ns <= 0)
        queue->options.initial_backoff_ns = NS_PER_S;
    if (queue->options.max_backoff_ns <= 0)
        queue->options.max_backoff_ns = 10 * NS_PER_S;
    if (queue->options.unschedulable_max_ns <= 0)
        queue->options.unschedulable_max_ns = 300 * NS_PER_S;
    queue->ready = ready;
    queue->data = data;
    for (int where = QUEUED_ACTIVE; where <= QUEUED_ERROR_BACKOFF; where++) {
        queue->heaps[where].items = g_ptr_array_new();
        queue->heaps[where].before = where == QUEUED_ACTIVE ? more_urgent : backs_off_shorter;
    }
    return queue;
}

static void
queued_free(QueuedPod *item)
{
    item->pod->queued = NULL;
    g_free(item);
}

void
scheduling_queue_free(SchedulingQueue *queue)
{
    if (queue == NULL)
        return;
    clock_cancel(queue->ports->clock, &queue->backoff_timer);
    clock_cancel(queue->ports->clock, &queue->pool_timer);
    while (queue->first != NULL)
        scheduling_queue_remove(queue, queue->first->pod);
    for (int where = QUEUED_ACTIVE; where <= QUEUED_ERROR_BACKOFF; where++) {
        GPtrArray *items = queue->heaps[where].items;
        for (guint i = 0; i < items->len; i++)
            queued_free(items->pdata[i]);
        g_ptr_array_free(items, TRUE);
    }
    g_free(queue);
}

bool
pod_is_gated(const Value *pod)
{
    return value_size(value_at(pod, "spec.schedulingGates")) > 0;
}

void
scheduling_queue_add(SchedulingQueue *queue, PodInfo *pod, CauseId cause)
{
    QueuedPod *item = g_new0(QueuedPod, 1);
    item->pod = pod;
    item->cause = cause;
    item->first_seen = item->timestamp = clock_now(queue->ports->clock);
    if (pod_is_gated(pod->pod))
        item->rejectors = 1u << PLUGIN_SCHEDULING_GATES;
    pod->queued = item;
    requeue(queue, item);
}

void
scheduling_queue_remove(SchedulingQueue *queue, PodInfo *pod)
{
    if (pod->queued == NULL)
        return;
    leave(queue, pod->queued);
    queued_free(pod->queued);
}

/* ---- events ---------------------------------------------------------------------------------- */

static bool
anybody_listens(const SchedulingQueue *queue, unsigned kinds)
{
    for (int i = 0; i < EVENT_KINDS; i++)
        if ((kinds & (1u << i)) && queue->listeners[i] > 0)
            return true;
    return false;
}

static bool
event_may_cure(SchedulingQueue *queue, const QueuedPod *item, const ClusterEvent *event)
{
    if (!(item->listens & event->kinds))
        return false;
    for (int i = 0; i < PLUGIN_COUNT; i++) {
        const Plugin *plugin = SCHEDULER_PLUGINS[i];
        if (!(item->rejectors & (1u << i)) || !(plugin->events & event->kinds))
            continue;
        if (plugin->hint == NULL || plugin->hint(queue->cache, item->pod, event))
            return true;
    }
    return false;
}

void
scheduling_queue_event(SchedulingQueue *queue, const ClusterEvent *event)
{
    if (!anybody_listens(queue, event->kinds))
        return;
    CauseId cause = trace_current(queue->ports->trace);
    for (QueuedPod *item = queue->first, *next; item != NULL; item = next) {
        next = item->next;
        if (item->gated || item->preempting || !event_may_cure(queue, item, event))
            continue;
        item->cause = cause;
        requeue(queue, item);
    }
}

void
scheduling_queue_update(SchedulingQueue *queue, PodInfo *pod, unsigned kinds, const Value *old,
                        CauseId cause)
{
    QueuedPod *item = pod->queued;
    if (item == NULL || item->where == QUEUED_NOWHERE)
        return; /* in flight: what it is put back with is the new object */
    QueuedWhere where = item->where;
    if (where != QUEUED_UNSCHEDULABLE) { /* its priority may differ: sort it in again */
        leave(queue, item);
        enter_heap(queue, item, where);
        return;
    }
    if (item->gated) {
        if (!pod_is_gated(pod->pod)) {
            item->cause = cause;
            item->timestamp = clock_now(queue->ports->clock);
            requeue(queue, item);
        }
        return;
    }
    ClusterEvent event = {.kinds = kinds, .old = old, .new_ = pod->pod, .key = pod->key};
    if (item->preempting || kinds == 0 || !event_may_cure(queue, item, &event))
        return;
    item->cause = cause;
    requeue(queue, item);
}

/* ---- the cycle's side ------------------------------------------------------------------------ */

bool
scheduling_queue_has_ready(const SchedulingQueue *queue)
{
    return queue->heaps[QUEUED_ACTIVE].items->len + queue->heaps[QUEUED_BACKOFF].items->len > 0;
}

PodInfo *
scheduling_queue_pop(SchedulingQueue *queue)
{
    QueuedWhere where = queue->heaps[QUEUED_ACTIVE].items->len > 0 ? QUEUED_ACTIVE : QUEUED_BACKOFF;
    if (queue->heaps[where].items->len == 0)
        return NULL;
    QueuedPod *item = queue->heaps[where].items->pdata[0];
    leave(queue, item);
    item->attempts++;
    item->rejectors = 0;
    return item->pod;
}

void
scheduling_queue_add_unschedulable(SchedulingQueue *queue, PodInfo *pod, uint32_t rejectors)
{
    QueuedPod *item = pod->queued;
    if (item == NULL)
        return;
    item->timestamp = clock_now(queue->ports->clock);
    item->rejectors = rejectors;
    item->error_count = 0;
    item->unschedulable_count++;
    item->gated = pod_is_gated(pod->pod);
    enter_pool(queue, item);
}

void
scheduling_queue_add_error(SchedulingQueue *queue, PodInfo *pod)
{
    QueuedPod *item = pod->queued;
    if (item == NULL)
        return;
    item->timestamp = clock_now(queue->ports->clock);
    item->rejectors = 0;
    item->error_count++;
    requeue(queue, item);
}

void
scheduling_queue_activate(SchedulingQueue *queue, PodInfo *pod)
{
    QueuedPod *item = pod->queued;
    if (item != NULL && item->where == QUEUED_UNSCHEDULABLE && !item->gated && !item->preempting)
        enter_heap(queue, item, QUEUED_ACTIVE);
}

void
scheduling_queue_set_preempting(SchedulingQueue *queue, PodInfo *pod, bool preempting)
{
    if (pod->queued != NULL)
        pod->queued->preempting = preempting;
}

size_t
scheduling_queue_count(const SchedulingQueue *queue, QueuedWhere where)
{
    if (where == QUEUED_UNSCHEDULABLE)
        return queue->n_pool;
    return where == QUEUED_NOWHERE ? 0 : queue->heaps[where].items->len;
}

void
scheduling_queue_check(const SchedulingQueue *queue)
{
    size_t n = 0;
    for (int where = QUEUED_ACTIVE; where <= QUEUED_ERROR_BACKOFF; where++)
        for (guint i = 0; i < queue->heaps[where].items->len; i++) {
            const QueuedPod *item = queue->heaps[where].items->pdata[i];
            g_assert(item->where == (QueuedWhere)where && item->heap_index == i && !item->gated);
            g_assert(item->pod->queued == item);
        }
    for (const QueuedPod *item = queue->first; item != NULL; item = item->next, n++)
        g_assert(item->where == QUEUED_UNSCHEDULABLE && item->pod->queued == item);
    g_assert(n == queue->n_pool);
}
