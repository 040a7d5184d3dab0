/* From a chosen node to a bound pod, over several events:
 *
 *   reserve ---> write volumes, claims ---> wait for bound claims ---> POST pods/binding
 *   (assume)              |                          |                       |
 *                         +------- binding_fail: forget, tell, put back -----+
 */
#include "core/scheduler/scheduler_private.h"
#include "core/scheduler/volumes.h"

#include "core/api/meta.h"
#include "core/api/pod.h"

#include <string.h>

#define BIND_TIMEOUT_NS (600 * NS_PER_S) /* VolumeBinding's bindTimeoutSeconds */

typedef struct Binding {
    Scheduler *scheduler;
    char *key, *uid, *node;
    GPtrArray *claims;  /* keys that must be bound first */
    GPtrArray *volumes; /* names assumed for them */
    unsigned writes;    /* under way */
    char *error;        /* of a write */
    bool posted;
    TimerId timeout;
} Binding;

static void
binding_free(Binding *binding)
{
    Scheduler *scheduler = binding->scheduler;
    clock_cancel(scheduler->ports->clock, &binding->timeout);
    for (guint i = 0; i < binding->volumes->len; i++)
        g_hash_table_remove(scheduler->cache->volume_claims, binding->volumes->pdata[i]);
    g_ptr_array_free(binding->claims, TRUE);
    g_ptr_array_free(binding->volumes, TRUE);
    g_free(binding->key);
    g_free(binding->uid);
    g_free(binding->node);
    g_free(binding->error);
    g_free(binding);
}

static void
binding_end(Binding *binding)
{
    g_queue_remove(&binding->scheduler->bindings, binding);
    client_forget(binding->scheduler->client, binding);
    binding_free(binding);
}

/* The pod may be gone, or be another one of the same name by now. */
static PodInfo *
binding_pod(const Binding *binding)
{
    PodInfo *pod = cluster_cache_find_pod(binding->scheduler->cache, binding->key);
    return pod != NULL && strcmp(object_uid(pod->pod), binding->uid) == 0 ? pod : NULL;
}

static void
binding_fail(Binding *binding, const char *message)
{
    Scheduler *scheduler = binding->scheduler;
    PodInfo *pod = binding_pod(binding);
    if (pod != NULL && pod->assumed) {
        cluster_cache_forget(scheduler->cache, pod);
        ClusterEvent event = {
            .kinds = EVENT_POD_DELETE, .old = pod->pod, .pod = pod, .key = pod->key};
        scheduling_queue_event(scheduler->queue, &event);
        scheduling_queue_add_error(scheduler->queue, pod);
        decision_table_set_message(scheduler->decisions, pod->key, message);
        scheduler_tell_failure(scheduler, pod, "SchedulerError", message, NULL);
    }
    binding_end(binding);
}

/* ---- the binding itself ---------------------------------------------------------------------- */

static void
bound(ApiResponse *take_response, void *data)
{
    Binding *binding = data;
    g_autoptr(ApiResponse) response = take_response;
    if (!api_response_ok(response)) {
        g_autofree char *message =
            g_strdup_printf("binding rejected: running Bind plugin \"DefaultBinder\": %s",
                            value_text_at(response->object, "message"));
        binding_fail(binding, message);
        return;
    }
    PodInfo *pod = binding_pod(binding);
    if (pod != NULL) {
        event_record(scheduler_recorder(binding->scheduler, pod), pod->pod, "Normal", "Scheduled",
                     "Successfully assigned %s to %s", binding->key, binding->node);
        scheduling_queue_remove(binding->scheduler->queue, pod);
    }
    binding_end(binding);
}

static void
binding_post(Binding *binding)
{
    const PodInfo *pod = binding_pod(binding);
    if (pod == NULL || !pod->assumed) {
        binding_end(binding);
        return;
    }
    const char *namespace_ = object_namespace(pod->pod), *name = object_name(pod->pod);
    Value *body = value_new_f(
        "{apiVersion: v1, kind: Binding, metadata: {name: %s, namespace: %s, uid: ?%s}, "
        "target: {kind: Node, name: %s}}",
        name, namespace_, *binding->uid != '\0' ? binding->uid : NULL, binding->node);
    binding->posted = true;
    client_create_subresource(binding->scheduler->client, "", "pods", namespace_, name, "binding",
                              body, bound, binding);
}

/* ---- volumes --------------------------------------------------------------------------------- */

static void
binding_continue(Binding *binding)
{
    const ClusterCache *cache = binding->scheduler->cache;
    if (binding->posted || binding->writes > 0)
        return;
    if (binding->error != NULL) {
        g_autofree char *message =
            g_strdup_printf("running PreBind plugin \"VolumeBinding\": %s", binding->error);
        binding_fail(binding, message);
        return;
    }
    for (guint i = 0; i < binding->claims->len; i++)
        if (!claim_is_bound(cluster_cache_get(cache, TABLE_CLAIMS, binding->claims->pdata[i])))
            return;
    binding_post(binding);
}

void
scheduler_claims_changed(Scheduler *scheduler)
{
    for (GList *link = scheduler->bindings.head, *next; link != NULL; link = next) {
        Binding *binding = link->data;
        next = link->next;
        if (binding->claims->len > 0)
            binding_continue(binding);
    }
}

static void
volume_written(ApiResponse *take_response, void *data)
{
    Binding *binding = data;
    g_autoptr(ApiResponse) response = take_response;
    binding->writes--;
    if (!api_response_ok(response) && binding->error == NULL)
        binding->error = g_strdup(value_text_at(response->object, "message"));
    binding_continue(binding);
}

static void
binding_timed_out(void *data)
{
    Binding *binding = data;
    binding->timeout = 0;
    binding_fail(
        binding,
        "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded");
}

static Value *
volume_for_claim(const Value *volume, const Value *claim)
{
    Value *edited = value_ref(volume);
    if (!value_has(value_get(volume, "spec"), "claimRef"))
        value_edit(&edited, "metadata.annotations['pv.kubernetes.io/bound-by-controller']",
                   value_new_string("yes"));
    value_edit(&edited, "spec.claimRef",
               object_reference_new(claim, "v1", "PersistentVolumeClaim"));
    return edited;
}

static void
write_decision(Binding *binding, const VolumeDecision *decision)
{
    Scheduler *scheduler = binding->scheduler;
    const char *key = symbols_text(scheduler->cache->symbols, decision->claim);
    const Value *claim = cluster_cache_get(scheduler->cache, TABLE_CLAIMS, key);
    g_ptr_array_add(binding->claims, g_strdup(key));
    if (decision->volume != NULL) {
        g_ptr_array_add(binding->volumes, g_strdup(object_name(decision->volume)));
        g_hash_table_insert(scheduler->cache->volume_claims,
                            g_strdup(object_name(decision->volume)), g_strdup(key));
        binding->writes++;
        client_update(scheduler->client, "", "persistentvolumes", NULL,
                      volume_for_claim(decision->volume, claim), volume_written, binding);
        return;
    }
    const char *selected = object_annotation(claim, "volume.kubernetes.io/selected-node");
    if (selected != NULL && strcmp(selected, binding->node) == 0)
        return; /* asked for in an earlier attempt */
    binding->writes++;
    Value *edited =
        value_set_at(claim, "metadata.annotations['volume.kubernetes.io/selected-node']",
                     value_new_string(binding->node));
    client_update(scheduler->client, "", "persistentvolumeclaims", NULL, edited, volume_written,
                  binding);
}

void
scheduler_bind(Scheduler *scheduler, Cycle *cycle, NodeInfo *node)
{
    PodInfo *pod = cycle->pod;
    Binding *binding = g_new0(Binding, 1);
    binding->scheduler = scheduler;
    binding->key = g_strdup(pod->key);
    binding->uid = g_strdup(object_uid(pod->pod));
    binding->node = g_strdup(node->name);
    binding->claims = g_ptr_array_new_with_free_func(g_free);
    binding->volumes = g_ptr_array_new_with_free_func(g_free);
    g_queue_push_tail(&scheduler->bindings, binding);

    g_autoptr(GArray) decisions = g_array_new(FALSE, FALSE, sizeof(VolumeDecision));
    Status status = {0};
    if (cycle->class_->n_claims > 0)
        volumes_decide(cycle, node, &status, decisions);
    cluster_cache_nominate(scheduler->cache, pod, NULL);
    cluster_cache_assume(scheduler->cache, pod, node);
    for (guint i = 0; i < decisions->len; i++)
        write_decision(binding, &g_array_index(decisions, VolumeDecision, i));
    if (decisions->len > 0)
        binding->timeout =
            clock_timer_in(scheduler->ports->clock, BIND_TIMEOUT_NS, binding_timed_out, binding);
    binding_continue(binding);
}

void
scheduler_bindings_clear(Scheduler *scheduler)
{
    for (Binding *binding; (binding = g_queue_pop_head(&scheduler->bindings)) != NULL;) {
        client_forget(scheduler->client, binding);
        binding_free(binding);
    }
}
