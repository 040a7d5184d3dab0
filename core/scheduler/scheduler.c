/* The running scheduler: one cycle an event (ScheduleOne of pkg/scheduler/schedule_one.go). */
#include "core/scheduler/scheduler_private.h"

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/base/timestamp.h"

#include <string.h>

#define ACTOR "kube-scheduler"

/* A patch under way: its answer is only logged. */
typedef struct StatusCall {
    Scheduler *scheduler;
    char *key;
} StatusCall;

static void run_cycle(void *data);

int
scheduler_profile_of(const Scheduler *scheduler, const Value *pod)
{
    const char *name = value_text_at(pod, "spec.schedulerName");
    if (*name == '\0')
        name = "default-scheduler";
    for (uint32_t i = 0; i < scheduler->n_profiles; i++)
        if (strcmp(scheduler->profiles[i]->name, name) == 0)
            return (int)i;
    return -1;
}

EventRecorder *
scheduler_recorder(const Scheduler *scheduler, const PodInfo *pod)
{
    return scheduler->recorders[MAX(scheduler_profile_of(scheduler, pod->pod), 0)];
}

/* ---- what happens on failure ----------------------------------------------------------------- */

static void
status_call_free(StatusCall *call)
{
    g_free(call->key);
    g_free(call);
}

static void
status_patched(ApiResponse *take_response, void *data)
{
    StatusCall *call = data;
    g_autoptr(ApiResponse) response = take_response;
    if (!api_response_ok(response) && response->code != 404)
        log_error(call->scheduler->ports->log, "Error updating pod %s: %s", call->key,
                  value_text_at(response->object, "message"));
    g_queue_remove(&call->scheduler->calls, call);
    status_call_free(call);
}

static void
patch_status(Scheduler *scheduler, const PodInfo *pod, Value *take_status)
{
    StatusCall *call = g_new0(StatusCall, 1);
    call->scheduler = scheduler;
    call->key = g_strdup(pod->key);
    g_queue_push_tail(&scheduler->calls, call);
    client_patch(scheduler->client, "", "pods", object_namespace(pod->pod), object_name(pod->pod),
                 "status", PATCH_STRATEGIC, value_new_f("{status: %V}", take_status),
                 status_patched, call);
}

void
scheduler_clear_nomination(Scheduler *scheduler, PodInfo *pod)
{
    cluster_cache_nominate(scheduler->cache, pod, NULL);
    if (*value_text_at(pod->pod, "status.nominatedNodeName") != '\0')
        patch_status(scheduler, pod, value_new_f("{nominatedNodeName: null}"));
}

/* The patch of status.conditions, or NULL when the pod says so already. */
static Value *
condition_patch(const Scheduler *scheduler, const PodInfo *pod, const char *reason,
                const char *message)
{
    const Value *before = condition_find(value_at(pod->pod, "status.conditions"), "PodScheduled");
    bool same_status = strcmp(value_text_at(before, "status"), "False") == 0;
    int64_t generation = object_generation(pod->pod);
    if (same_status && strcmp(value_text_at(before, "reason"), reason) == 0 &&
        strcmp(value_text_at(before, "message"), message) == 0 &&
        value_int_at(before, "observedGeneration") == generation)
        return NULL;
    g_autofree char *now = timestamp_text(clock_now(scheduler->ports->clock));
    const char *since = same_status ? value_text_at(before, "lastTransitionTime") : now;
    return value_new_f(
        "[{type: PodScheduled, status: %s, reason: %s, message: %s, lastProbeTime: null, "
        "lastTransitionTime: %s, observedGeneration: ?%i}]",
        "False", reason, message, since, generation);
}

void
scheduler_tell_failure(Scheduler *scheduler, PodInfo *pod, const char *reason, const char *message,
                       const char *nominated)
{
    bool gated = strcmp(reason, "SchedulingGated") == 0;
    if (!gated) {
        g_autofree char *subject = object_subject(pod->pod, "Pod");
        scheduler->n_failed++;
        trace_decision(scheduler->ports->trace, ACTOR, "reject", subject,
                       "found no node for pod %s: %s", pod->key, message);
        event_record(scheduler_recorder(scheduler, pod), pod->pod, "Warning", "FailedScheduling",
                     "%s", message);
    }
    Value *conditions = condition_patch(scheduler, pod, reason, message);
    const char *before = value_text_at(pod->pod, "status.nominatedNodeName");
    bool renominate = nominated != NULL && strcmp(nominated, before) != 0;
    if (conditions == NULL && !renominate)
        return;
    ValueBuilder *status = value_builder_new(NULL);
    if (conditions != NULL)
        value_builder_set(status, "conditions", conditions);
    if (renominate)
        value_builder_set(status, "nominatedNodeName",
                          *nominated != '\0' ? value_new_string(nominated) : value_new_null());
    patch_status(scheduler, pod, value_builder_end(status));
}

/* No node fits: try to make room, then wait for an event that helps. */
static void
cycle_failed(Scheduler *scheduler, Cycle *cycle, const ScheduleResult *result)
{
    PodInfo *pod = cycle->pod;
    g_autofree char *message = schedule_failure_message(scheduler->cache, result);
    const char *nominated = NULL;
    if (result->no_nodes) {
        decision_table_set_message(scheduler->decisions, pod->key, message);
        cluster_cache_nominate(scheduler->cache, pod, NULL);
        scheduling_queue_add_error(scheduler->queue, pod);
        scheduler_tell_failure(scheduler, pod, "Unschedulable", message, "");
        return;
    }
    uint32_t rejectors = result->rejectors;
    Preemption preemption = {0};
    if (cycle->profile->enabled[PLUGIN_DEFAULT_PREEMPTION])
        schedule_preempt(cycle, scheduler->ports->random, result, &preemption);
    if (preemption.node != NULL) {
        nominated = preemption.node->name;
        rejectors |= 1u << PLUGIN_DEFAULT_PREEMPTION;
        cluster_cache_nominate(scheduler->cache, pod, nominated);
        scheduler_evict(scheduler, pod, &preemption);
    } else if (preemption.message != NULL) {
        /* DynamicResources, on by default since 1.34, speaks first: it has no claims to free. */
        char *longer =
            g_strconcat(message, " no new claims to deallocate, ", preemption.message, NULL);
        g_free(message);
        message = longer;
    }
    if (preemption.clear_nomination) {
        nominated = "";
        cluster_cache_nominate(scheduler->cache, pod, NULL);
    }
    decision_table_set_message(scheduler->decisions, pod->key, message);
    scheduling_queue_add_unschedulable(scheduler->queue, pod, rejectors);
    scheduler_tell_failure(scheduler, pod, "Unschedulable", message, nominated);
    preemption_clear(&preemption);
}

/* ---- a cycle --------------------------------------------------------------------------------- */

static void
schedule_one(Scheduler *scheduler, PodInfo *pod)
{
    Cycle cycle;
    ScheduleResult result;
    const Profile *profile = scheduler->profiles[MAX(scheduler_profile_of(scheduler, pod->pod), 0)];
    cycle_init(&cycle, scheduler->cache, profile, pod);
    schedule_pod(&cycle, scheduler->ports->random, &scheduler->next_start_node, &result);
    decision_table_record(scheduler->decisions, &cycle, &result,
                          clock_now(scheduler->ports->clock));
    if (result.node != NULL) {
        g_autofree char *subject = object_subject(pod->pod, "Pod");
        scheduler->n_scheduled++;
        trace_decision(scheduler->ports->trace, ACTOR, "bind", subject,
                       "chose node %s for pod %s out of %u that fit", result.node->name, pod->key,
                       result.feasible);
        scheduler_bind(scheduler, &cycle, result.node);
    } else {
        cycle_failed(scheduler, &cycle, &result);
    }
    schedule_result_clear(&result);
    cycle_clear(&cycle);
    topology_trim(scheduler->cache->topology);
}

static void
queue_ready(void *data)
{
    Scheduler *scheduler = data;
    if (scheduler->synced && scheduler->cycle_timer == 0)
        scheduler->cycle_timer = clock_timer_in(scheduler->ports->clock, 0, run_cycle, scheduler);
}

static void
run_cycle(void *data)
{
    Scheduler *scheduler = data;
    scheduler->cycle_timer = 0;
    PodInfo *pod = scheduling_queue_pop(scheduler->queue);
    if (pod == NULL)
        return;
    if (scheduling_queue_has_ready(scheduler->queue))
        queue_ready(scheduler);
    trace_adopt(scheduler->ports->trace, pod->queued->cause);
    if (pod->deleting)
        event_record(scheduler_recorder(scheduler, pod), pod->pod, "Warning", "FailedScheduling",
                     "skip schedule deleting pod: %s", pod->key);
    else
        schedule_one(scheduler, pod);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void
informers_synced(void *data)
{
    Scheduler *scheduler = data;
    scheduler->synced = true;
    if (scheduling_queue_has_ready(scheduler->queue))
        queue_ready(scheduler);
}

Scheduler *
scheduler_new(const Ports *ports, Client *client, const Value *config)
{
    Scheduler *scheduler = g_new0(Scheduler, 1);
    scheduler->ports = ports;
    scheduler->client = client;
    scheduler_configure(scheduler, config);
    scheduler->cache = cluster_cache_new();
    scheduler->decisions = decision_table_new();
    scheduler->queue = scheduling_queue_new(ports, scheduler->cache, &scheduler->queue_options,
                                            queue_ready, scheduler);
    for (uint32_t i = 0; i < scheduler->n_profiles; i++)
        scheduler->recorders[i] =
            event_recorder_new(ports, client, scheduler->profiles[i]->name, NULL);
    scheduler->informers = informer_factory_new(ports, client);
    scheduler_watch(scheduler);
    informer_factory_start(scheduler->informers);
    informer_factory_when_synced(scheduler->informers, informers_synced, scheduler);
    return scheduler;
}

void
scheduler_free(Scheduler *scheduler)
{
    if (scheduler == NULL)
        return;
    clock_cancel(scheduler->ports->clock, &scheduler->cycle_timer);
    informer_factory_free(scheduler->informers);
    scheduler_bindings_clear(scheduler);
    scheduler_preemptions_clear(scheduler);
    for (StatusCall *call; (call = g_queue_pop_head(&scheduler->calls)) != NULL;) {
        client_forget(scheduler->client, call);
        status_call_free(call);
    }
    for (uint32_t i = 0; i < scheduler->n_profiles; i++) {
        event_recorder_free(scheduler->recorders[i]);
        profile_free(scheduler->profiles[i]);
    }
    /* in-flight pods are in no place of the queue: give them back first */
    GHashTableIter iter;
    gpointer pod;
    g_hash_table_iter_init(&iter, scheduler->cache->pods);
    while (g_hash_table_iter_next(&iter, NULL, &pod))
        scheduling_queue_remove(scheduler->queue, pod);
    scheduling_queue_free(scheduler->queue);
    decision_table_free(scheduler->decisions);
    cluster_cache_free(scheduler->cache);
    g_free(scheduler);
}

bool
scheduler_is_synced(const Scheduler *scheduler)
{
    return scheduler->synced;
}

/* ---- asking ---------------------------------------------------------------------------------- */

Value *
scheduler_explain(const Scheduler *scheduler, const char *pod_key)
{
    return decision_table_explain(scheduler->decisions, scheduler->cache, pod_key);
}

/* A pod that is in the cluster is taken off its node for the question; others join the cache as
 * long as it takes. */
Value *
scheduler_evaluate(Scheduler *scheduler, const Value *pod)
{
    Cycle cycle;
    ScheduleResult result;
    ClusterCache *cache = scheduler->cache;
    g_autofree char *key = object_key(pod);
    PodInfo *info = cluster_cache_find_pod(cache, key);
    bool foreign = info == NULL;
    if (foreign) {
        g_autoptr(Value) unbound = value_remove_at(pod, "spec.nodeName");
        info = cluster_cache_set_pod(cache, key, unbound);
    }
    NodeInfo *home = info->node;
    Value *object = value_ref(info->pod);
    value_replace(&info->pod, value_remove_at(object, "spec.nodeName"));
    if (home != NULL)
        node_info_remove_pod(cache, info);
    const Profile *profile = scheduler->profiles[MAX(scheduler_profile_of(scheduler, pod), 0)];
    cycle_init(&cycle, cache, profile, info);
    schedule_pod(&cycle, NULL, NULL, &result);
    g_autofree char *message =
        result.feasible == 0 ? schedule_failure_message(cache, &result) : NULL;
    Value *described = schedule_result_describe(&cycle, &result, message);
    schedule_result_clear(&result);
    cycle_clear(&cycle);
    if (home != NULL)
        node_info_add_pod(cache, home, info);
    value_replace(&info->pod, object);
    if (foreign)
        cluster_cache_remove_pod(cache, info);
    topology_trim(cache->topology);
    return described;
}

Value *
scheduler_status(const Scheduler *scheduler)
{
    const SchedulingQueue *queue = scheduler->queue;
    return value_new_f(
        "{active: %i, backoff: %i, errorBackoff: %i, unschedulable: %i, binding: %i, nodes: %i, "
        "scheduled: %i, failed: %i}",
        (int64_t)scheduling_queue_count(queue, QUEUED_ACTIVE),
        (int64_t)scheduling_queue_count(queue, QUEUED_BACKOFF),
        (int64_t)scheduling_queue_count(queue, QUEUED_ERROR_BACKOFF),
        (int64_t)scheduling_queue_count(queue, QUEUED_UNSCHEDULABLE),
        (int64_t)g_queue_get_length((GQueue *)&scheduler->bindings),
        (int64_t)cluster_cache_order(scheduler->cache)->len, scheduler->n_scheduled,
        scheduler->n_failed);
}
