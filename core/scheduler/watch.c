/* From watches to cache and queue (pkg/scheduler/eventhandlers.go): each change updates the cache
 * first, then tells the queue what kind of event it was. */
#include "core/scheduler/scheduler_private.h"

#include "core/api/meta.h"
#include "core/api/pod.h"

#include <string.h>

/* ---- pods ------------------------------------------------------------------------------------ */

static void
pod_gone(Scheduler *scheduler, PodInfo *pod)
{
    if (pod->node != NULL || pod->nominated != NULL) {
        ClusterEvent event = {
            .kinds = EVENT_POD_DELETE, .old = pod->pod, .pod = pod, .key = pod->key};
        scheduling_queue_remove(scheduler->queue, pod);
        scheduling_queue_event(scheduler->queue, &event);
    }
    scheduling_queue_remove(scheduler->queue, pod);
    cluster_cache_remove_pod(scheduler->cache, pod);
}

static void
pod_on_node(Scheduler *scheduler, const char *key, const Value *object)
{
    PodInfo *pod = cluster_cache_find_pod(scheduler->cache, key);
    bool seen = pod != NULL && pod->node != NULL && !pod->assumed;
    uint64_t digest = seen ? pod->class_->digest : 0;
    bool deleting = seen && pod->deleting;
    g_autoptr(Value) before = seen ? value_ref(pod->pod) : NULL;
    if (pod != NULL) {
        scheduling_queue_remove(scheduler->queue, pod);
        cluster_cache_nominate(scheduler->cache, pod, NULL);
    }
    pod = cluster_cache_set_pod(scheduler->cache, key, object);
    ClusterEvent event = {.old = before, .new_ = object, .pod = pod, .key = pod->key};
    if (!seen)
        event.kinds = EVENT_POD_ADD;
    else
        event.kinds = (digest != pod->class_->digest ? EVENT_POD_UPDATE : 0) |
                      (deleting != pod->deleting ? EVENT_POD_DELETING : 0);
    if (event.kinds != 0)
        scheduling_queue_event(scheduler->queue, &event);
}

/* What the API server sets when such a pod is made; here for those that came another way. */
static void
tell_gated(Scheduler *scheduler, PodInfo *pod)
{
    const Value *conditions = value_at(pod->pod, "status.conditions");
    if (!pod_is_gated(pod->pod) || condition_find(conditions, "PodScheduled") != NULL)
        return;
    scheduler_tell_failure(scheduler, pod, "SchedulingGated",
                           "Scheduling is blocked due to non-empty scheduling gates", NULL);
}

static void
pod_pending(Scheduler *scheduler, const char *key, const Value *old, const Value *object,
            CauseId cause)
{
    PodInfo *pod = cluster_cache_find_pod(scheduler->cache, key);
    const char *nominated = value_text_at(object, "status.nominatedNodeName");
    if (pod == NULL) {
        if (scheduler_profile_of(scheduler, object) < 0)
            return;
        pod = cluster_cache_set_pod(scheduler->cache, key, object);
        cluster_cache_nominate(scheduler->cache, pod, nominated);
        scheduling_queue_add(scheduler->queue, pod, cause);
        tell_gated(scheduler, pod);
        return;
    }
    unsigned kinds = 0;
    if (!value_equal(value_get(old, "spec"), value_get(object, "spec")) ||
        !value_equal(object_labels(old), object_labels(object)))
        kinds |= EVENT_SELF;
    if (!value_equal(value_at(old, "spec.schedulingGates"),
                     value_at(object, "spec.schedulingGates")))
        kinds |= EVENT_GATES;
    cluster_cache_set_pod(scheduler->cache, key, object);
    if (strcmp(nominated, value_text_at(old, "status.nominatedNodeName")) != 0 && pod->node == NULL)
        cluster_cache_nominate(scheduler->cache, pod, nominated);
    if (kinds != 0)
        scheduling_queue_update(scheduler->queue, pod, kinds, old, cause);
}

static void
pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
            void *data)
{
    Scheduler *scheduler = data;
    PodInfo *pod = cluster_cache_find_pod(scheduler->cache, key);
    bool gone = new_ == NULL || pod_is_terminal(new_);
    if (pod != NULL && (gone || strcmp(object_uid(pod->pod), object_uid(new_)) != 0)) {
        pod_gone(scheduler, pod);
        old = NULL;
    }
    if (gone)
        return;
    if (*pod_node_name(new_) != '\0')
        pod_on_node(scheduler, key, new_);
    else
        pod_pending(scheduler, key, old, new_, cause);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static unsigned
node_event_kinds(const Value *old, const Value *new_)
{
    if (new_ == NULL)
        return EVENT_NODE_DELETE;
    if (old == NULL)
        return EVENT_NODE_ADD;
    unsigned kinds = 0;
    if (!value_equal(value_at(old, "status.allocatable"), value_at(new_, "status.allocatable")))
        kinds |= EVENT_NODE_ALLOCATABLE;
    if (!value_equal(object_labels(old), object_labels(new_)))
        kinds |= EVENT_NODE_LABEL;
    if (!value_equal(value_at(old, "spec.taints"), value_at(new_, "spec.taints")))
        kinds |= EVENT_NODE_TAINT;
    if (value_bool_at(old, "spec.unschedulable") != value_bool_at(new_, "spec.unschedulable"))
        kinds |= EVENT_NODE_UNSCHEDULABLE;
    return kinds;
}

static void
node_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
             void *data)
{
    Scheduler *scheduler = data;
    ClusterEvent event = {
        .kinds = node_event_kinds(old, new_), .old = old, .new_ = new_, .key = key};
    if (new_ != NULL)
        event.node = cluster_cache_set_node(scheduler->cache, new_);
    else
        cluster_cache_remove_node(scheduler->cache, key);
    if (event.kinds != 0)
        scheduling_queue_event(scheduler->queue, &event);
}

/* ---- all else -------------------------------------------------------------------------------- */

static void
table_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
              void *data)
{
    const TableWatch *watch = data;
    Scheduler *scheduler = watch->scheduler;
    cluster_cache_put(scheduler->cache, watch->table, key, new_);
    if (watch->event != 0) {
        ClusterEvent event = {.kinds = watch->event, .old = old, .new_ = new_, .key = key};
        scheduling_queue_event(scheduler->queue, &event);
    }
    if (watch->table == TABLE_CLAIMS)
        scheduler_claims_changed(scheduler);
}

void
scheduler_watch(Scheduler *scheduler)
{
    static const struct {
        const char *group, *resource;
        unsigned event;
    } tables[TABLE_COUNT] = {
        [TABLE_NAMESPACES] = {"", "namespaces", EVENT_NAMESPACE},
        [TABLE_SERVICES] = {"", "services", 0},
        [TABLE_REPLICATION_CONTROLLERS] = {"", "replicationcontrollers", 0},
        [TABLE_REPLICA_SETS] = {"apps", "replicasets", 0},
        [TABLE_STATEFUL_SETS] = {"apps", "statefulsets", 0},
        [TABLE_CLAIMS] = {"", "persistentvolumeclaims", EVENT_CLAIM},
        [TABLE_VOLUMES] = {"", "persistentvolumes", EVENT_VOLUME},
        [TABLE_STORAGE_CLASSES] = {"storage.k8s.io", "storageclasses", EVENT_STORAGE_CLASS},
        [TABLE_DISRUPTION_BUDGETS] = {"policy", "poddisruptionbudgets", 0},
        [TABLE_CSI_NODES] = {"storage.k8s.io", "csinodes", EVENT_CSI_NODE},
    };
    for (int i = 0; i < TABLE_COUNT; i++) {
        scheduler->watches[i] =
            (TableWatch){.scheduler = scheduler, .table = (CacheTable)i, .event = tables[i].event};
        informer_add_handler(
            informer_factory_get(scheduler->informers, tables[i].group, tables[i].resource),
            &(InformerHandler){.changed = table_changed}, &scheduler->watches[i]);
    }
    informer_add_handler(informer_factory_get(scheduler->informers, "", "nodes"),
                         &(InformerHandler){.changed = node_changed}, scheduler);
    informer_add_handler(informer_factory_get(scheduler->informers, "", "pods"),
                         &(InformerHandler){.changed = pod_changed}, scheduler);
}
