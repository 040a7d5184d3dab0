/* Preemption's writes: each victim is told by a condition and deleted; meanwhile events do not wake
 * the preemptor (prepareCandidateAsync of pkg/scheduler/framework/preemption). */
#include "core/scheduler/scheduler_private.h"

#include "core/api/meta.h"
#include "core/base/timestamp.h"

#include <string.h>

typedef struct PreemptionCalls {
    Scheduler *scheduler;
    char *preemptor, *preemptor_uid, *node;
    GQueue victims; /* Victim */
    unsigned pending;
    bool failed, missed; /* missed: a victim's deletion was seen before we were done */
} PreemptionCalls;

typedef struct Victim {
    PreemptionCalls *calls;
    Value *pod;
} Victim;

static void
calls_free(PreemptionCalls *calls)
{
    for (Victim *victim; (victim = g_queue_pop_head(&calls->victims)) != NULL;) {
        client_forget(calls->scheduler->client, victim);
        value_unref(victim->pod);
        g_free(victim);
    }
    g_free(calls->preemptor);
    g_free(calls->preemptor_uid);
    g_free(calls->node);
    g_free(calls);
}

static void
victim_done(Victim *victim, bool ok)
{
    PreemptionCalls *calls = victim->calls;
    Scheduler *scheduler = calls->scheduler;
    g_autofree char *key = object_key(victim->pod);
    calls->failed |= !ok;
    calls->missed |= cluster_cache_find_pod(scheduler->cache, key) == NULL;
    if (--calls->pending > 0)
        return;
    PodInfo *pod = cluster_cache_find_pod(scheduler->cache, calls->preemptor);
    if (pod != NULL && strcmp(object_uid(pod->pod), calls->preemptor_uid) == 0) {
        scheduling_queue_set_preempting(scheduler->queue, pod, false);
        if (calls->failed || calls->missed)
            scheduling_queue_activate(scheduler->queue, pod);
    }
    g_queue_remove(&scheduler->preemptions, calls);
    calls_free(calls);
}

static void
victim_deleted(ApiResponse *take_response, void *data)
{
    Victim *victim = data;
    PreemptionCalls *calls = victim->calls;
    g_autoptr(ApiResponse) response = take_response;
    bool ok = api_response_ok(response);
    if (ok)
        event_record(calls->scheduler->recorders[0], victim->pod, "Normal", "Preempted",
                     "Preempted by pod %s on node %s", calls->preemptor_uid, calls->node);
    victim_done(victim, ok || response->code == 404);
}

static void
victim_told(ApiResponse *take_response, void *data)
{
    Victim *victim = data;
    g_autoptr(ApiResponse) response = take_response;
    if (!api_response_ok(response)) {
        victim_done(victim, response->code == 404);
        return;
    }
    client_delete(victim->calls->scheduler->client, "", "pods", object_namespace(victim->pod),
                  object_name(victim->pod), NULL, victim_deleted, victim);
}

static void
victim_start(PreemptionCalls *calls, const PodInfo *pod, const char *scheduler_name)
{
    Scheduler *scheduler = calls->scheduler;
    Victim *victim = g_new0(Victim, 1);
    victim->calls = calls;
    victim->pod = value_ref(pod->pod);
    g_queue_push_tail(&calls->victims, victim);
    calls->pending++;
    g_autofree char *now = timestamp_text(clock_now(scheduler->ports->clock));
    g_autofree char *message =
        g_strdup_printf("%s: preempting to accommodate a higher priority pod", scheduler_name);
    g_autofree char *subject = object_subject(pod->pod, "Pod");
    trace_decision(scheduler->ports->trace, "kube-scheduler", "preempt", subject,
                   "preempts pod %s on node %s for pod %s", pod->key, calls->node,
                   calls->preemptor);
    Value *patch =
        value_new_f("{status: {conditions: [{type: DisruptionTarget, status: %s, "
                    "reason: PreemptionByScheduler, message: %s, lastTransitionTime: %s, "
                    "lastProbeTime: null, observedGeneration: ?%i}]}}",
                    "True", message, now, object_generation(pod->pod));
    client_patch(scheduler->client, "", "pods", object_namespace(pod->pod), object_name(pod->pod),
                 "status", PATCH_STRATEGIC, patch, victim_told, victim);
}

/* Less important pods that were to come to the node must look for another. */
static void
clear_lower_nominations(Scheduler *scheduler, const PodInfo *preemptor, const NodeInfo *node)
{
    g_autoptr(GPtrArray) lower = g_ptr_array_new();
    for (guint i = 0; node->nominated != NULL && i < node->nominated->len; i++) {
        const PodInfo *pod = node->nominated->pdata[i];
        if (pod->class_->priority < preemptor->class_->priority)
            g_ptr_array_add(lower, node->nominated->pdata[i]);
    }
    for (guint i = 0; i < lower->len; i++) {
        scheduler_clear_nomination(scheduler, lower->pdata[i]);
        scheduling_queue_activate(scheduler->queue, lower->pdata[i]);
    }
}

void
scheduler_evict(Scheduler *scheduler, PodInfo *preemptor, const Preemption *preemption)
{
    PreemptionCalls *calls = g_new0(PreemptionCalls, 1);
    calls->scheduler = scheduler;
    calls->preemptor = g_strdup(preemptor->key);
    calls->preemptor_uid = g_strdup(object_uid(preemptor->pod));
    calls->node = g_strdup(preemption->node->name);
    clear_lower_nominations(scheduler, preemptor, preemption->node);
    const char *name = symbols_text(scheduler->cache->symbols, preemptor->class_->scheduler_name);
    for (guint i = 0; i < preemption->victims->len; i++) {
        const PodInfo *victim = preemption->victims->pdata[i];
        if (!victim->deleting)
            victim_start(calls, victim, name);
    }
    if (calls->pending == 0) {
        calls_free(calls);
        return;
    }
    scheduling_queue_set_preempting(scheduler->queue, preemptor, true);
    g_queue_push_tail(&scheduler->preemptions, calls);
}

void
scheduler_preemptions_clear(Scheduler *scheduler)
{
    for (PreemptionCalls *calls; (calls = g_queue_pop_head(&scheduler->preemptions)) != NULL;)
        calls_free(calls);
}
