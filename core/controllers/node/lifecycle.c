/* Every 5 s a pass looks at each node: has its lease or status moved since the last look, or is its
 * grace over? What must be written is left to sync(node), so that it is retried with back-off.
 *
 *   pass -> grace over ------------------> sync: conditions Unknown -> event NodeNotReady, pods not
 * ready
 *        -> Ready is False or Unknown ---> queue of its zone --rate--> sync: taint NoExecute
 *        -> Ready is True ---------------> sync: taints away
 *   node changed -----------------------> sync: taints NoSchedule as the conditions say */
#include "core/controllers/node/lifecycle.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/node.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/node/taints.h"
#include "core/controllers/node/zones.h"

#define LEASE_NAMESPACE "kube-node-lease"

typedef struct Health {
    Value *node;      /* as last looked at */
    char *lease_time; /* renewTime last seen, or NULL */
    char *zone;
    int64_t probe_ns, grace_ns;
    NoExecute no_execute; /* what the next sync shall do */
    unsigned pass;
} Health;

typedef struct LifecycleController {
    Controller base;
    Informer *nodes, *leases, *pods;
    GTree *health; /* node's name -> Health, in order of names */
    Zones *zones;
    int64_t period_ns, grace_ns, startup_grace_ns;
    TimerId pass_timer, taint_timer;
    unsigned pass;
} LifecycleController;

static void
health_free(gpointer data)
{
    Health *health = data;
    value_unref(health->node);
    g_free(health->lease_time);
    g_free(health->zone);
    g_free(health);
}

static gint
compare_names(gconstpointer a, gconstpointer b, gpointer data)
{
    return strcmp(a, b);
}

/* ---- writing
 * ----------------------------------------------------------------------------------------- */

typedef struct Lost {
    LifecycleController *controller;
    Value *node;
    Sync *sync;
    bool was_ready;
} Lost;

static void
lost_free(gpointer data)
{
    value_unref(((Lost *)data)->node);
    g_free(data);
}

static char *
on_pod_marked(const ApiResponse *response, void *data)
{
    const Lost *lost = data; /* node is the pod here */
    if (!api_response_ok(response))
        return response_is(response, "NotFound") ? NULL : g_strdup(response_error(response));
    event_record(lost->controller->base.recorder, lost->node, "Warning", "NodeNotReady",
                 "Node is not ready");
    return NULL;
}

/* MarkPodsNotReady: so that Services stop sending to them. */
static void
mark_pods_not_ready(LifecycleController *controller, Sync *sync, const char *node_name)
{
    const GPtrArray *pods = informer_indexed(controller->pods, INDEX_NODE, node_name);
    int64_t now = controller_now(&controller->base);
    for (guint i = 0; i < pods->len; i++) {
        const Value *pod = objects_item(pods, i), *conditions = value_at(pod, "status.conditions");
        const Value *ready = condition_find(conditions, "Ready");
        if (ready == NULL || !condition_is(conditions, "Ready", "True"))
            continue;
        Value *condition = value_set(ready, "status", value_new_string("False"));
        value_edit(&condition, "lastTransitionTime", time_value(now));
        Value *patch = value_new_f("{metadata: {uid: %s}, status: {conditions: [%V]}}",
                                   object_uid(pod), condition);
        Lost *marked = g_new0(Lost, 1);
        marked->controller = controller;
        marked->node = value_ref(pod);
        client_patch(controller->base.client, "", "pods", object_namespace(pod), object_name(pod),
                     "status", PATCH_STRATEGIC, patch, sync_call,
                     sync_begin_checked(sync, on_pod_marked, marked, lost_free));
    }
}

static char *
on_unknown_written(const ApiResponse *response, void *data)
{
    const Lost *lost = data;
    if (!api_response_ok(response))
        return response_is(response, "NotFound") ? NULL : g_strdup(response_error(response));
    if (!lost->was_ready)
        return NULL;
    const char *name = object_name(lost->node);
    event_record(lost->controller->base.recorder, lost->node, "Normal", "NodeNotReady",
                 "Node %s status is now: NodeNotReady", name);
    mark_pods_not_ready(lost->controller, lost->sync, name);
    return NULL;
}

static Value *
unknown_conditions(const Value *node, int64_t now)
{
    static const char *const types[] = {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"};
    const Value *old = value_at(node, "status.conditions");
    Value *conditions = old != NULL ? value_ref(old) : value_new_array();
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        const Value *known = condition_find(conditions, types[i]);
        if (known != NULL && strcmp(value_text(value_get(known, "status")), "Unknown") == 0)
            continue;
        Value *condition = known == NULL
                               ? condition_new(types[i], "Unknown", "NodeStatusNeverUpdated",
                                               "Kubelet never posted node status.", now)
                               : condition_new(types[i], "Unknown", "NodeStatusUnknown",
                                               "Kubelet stopped posting node status.", now);
        value_edit(&condition, "lastHeartbeatTime",
                   known != NULL ? value_ref(value_get(known, "lastHeartbeatTime"))
                                 : time_value(object_creation_time(node)));
        value_replace(&conditions, condition_set(conditions, condition, true));
    }
    return conditions;
}

/* True: the grace is over and the conditions were to be written. */
static bool
write_unknown(LifecycleController *controller, Sync *sync, const Value *node, const Health *health)
{
    int64_t now = controller_now(&controller->base);
    if (now <= health->probe_ns + health->grace_ns ||
        strcmp(node_ready_status(node), "Unknown") == 0)
        return false;
    controller_decide(&controller->base, "mark", node, "Node",
                      "node %s has not been heard of for %" G_GINT64_FORMAT
                      " s: its state is unknown",
                      object_name(node), (now - health->probe_ns) / NS_PER_S);
    Lost *lost = g_new(Lost, 1);
    *lost = (Lost){controller, value_ref(node), sync, node_is_ready(node)};
    client_update(controller->base.client, "", "nodes", "status",
                  value_set_at(node, "status.conditions", unknown_conditions(node, now)), sync_call,
                  sync_begin_checked(sync, on_unknown_written, lost, lost_free));
    return true;
}

/* Has the node shown life since the last look? */
static void
health_probe(LifecycleController *controller, Health *health, const Value *node, int64_t now)
{
    const Value *saved = condition_find(value_at(health->node, "status.conditions"), "Ready");
    const Value *ready = condition_find(value_at(node, "status.conditions"), "Ready");
    if ((saved == NULL) != (ready == NULL) ||
        !value_equal(value_get(saved, "lastHeartbeatTime"), value_get(ready, "lastHeartbeatTime")))
        health->probe_ns = now;
    const Value *lease = informer_get_named(controller->leases, LEASE_NAMESPACE, object_name(node));
    const char *renewed = value_string_at(lease, "spec.renewTime");
    if (renewed != NULL &&
        (health->lease_time == NULL || strcmp(renewed, health->lease_time) > 0)) {
        g_free(health->lease_time);
        health->lease_time = g_strdup(renewed);
        health->probe_ns = now;
    }
    value_replace(&health->node, value_ref(node));
    health->grace_ns = ready == NULL ? controller->startup_grace_ns : controller->grace_ns;
}

static void
sync_node(const char *key, Sync *sync, void *data)
{
    LifecycleController *controller = data;
    const Value *cached = informer_get(controller->nodes, key);
    if (cached == NULL)
        return;
    g_autoptr(Value) node = value_ref(cached);
    Health *health = g_tree_lookup(controller->health, key);
    if (health != NULL)
        health_probe(controller, health, node, controller_now(&controller->base));
    if (health != NULL && write_unknown(controller, sync, node, health))
        return; /* the watch brings it back for its taints */
    NoExecute no_execute = health != NULL ? health->no_execute : NO_EXECUTE_KEEP;
    g_autoptr(Value) taints =
        node_taints_wanted(node, no_execute, controller_now(&controller->base));
    const Value *old = value_at(node, "spec.taints");
    if (values_equal_semantically(taints, old))
        return;
    controller_decide(&controller->base, "taint", node, "Node",
                      "node %s: %zu taints become %zu, as its conditions say (Ready is %s)", key,
                      value_size(old), value_size(taints), node_ready_status(node));
    Value *patch = value_new_f("{metadata: {resourceVersion: %v}, spec: {taints: %v}}",
                               value_at(node, "metadata.resourceVersion"), taints);
    client_patch(controller->base.client, "", "nodes", NULL, key, NULL, PATCH_MERGE, patch,
                 sync_call, sync_begin_tolerating(sync, "NotFound"));
}

/* ---- the pass
 * ---------------------------------------------------------------------------------------- */

static Health *
health_ensure(LifecycleController *controller, const Value *node, int64_t now)
{
    const char *name = object_name(node);
    Health *health = g_tree_lookup(controller->health, name);
    if (health != NULL && strcmp(object_uid(health->node), object_uid(node)) == 0)
        return health;
    event_record(controller->base.recorder, node, "Normal", "RegisteredNode",
                 "Node %s event: Registered Node %s in Controller", name, name);
    health = g_new0(Health, 1);
    health->node = value_ref(node);
    health->zone = zone_of_node(node);
    /* A node that never posted counts from its creation; one found with a status gets its whole
     * grace. */
    health->probe_ns = *node_ready_status(node) == '\0' ? object_creation_time(node) : now;
    g_tree_replace(controller->health, g_strdup(name), health);
    return health;
}

static void
pass_node(LifecycleController *controller, const Value *node, int64_t now)
{
    const char *name = object_name(node);
    Health *health = health_ensure(controller, node, now);
    health->pass = controller->pass;
    health_probe(controller, health, node, now);
    const char *ready = node_ready_status(node);
    bool lost = now > health->probe_ns + health->grace_ns;
    if (lost && strcmp(ready, "Unknown") != 0)
        controller_enqueue(&controller->base, name, 0);
    zones_count(controller->zones, health->zone, !lost && strcmp(ready, "True") == 0);
    bool tainted = taints_have(value_at(node, "spec.taints"), TAINT_NOT_READY, "NoExecute") ||
                   taints_have(value_at(node, "spec.taints"), TAINT_UNREACHABLE, "NoExecute");
    if (strcmp(ready, "True") == 0) {
        zones_unqueue(controller->zones, health->zone, name);
        health->no_execute = NO_EXECUTE_REMOVE;
        if (tainted)
            controller_enqueue(&controller->base, name, 0);
    } else if (*ready != '\0') {
        if (tainted || health->no_execute == NO_EXECUTE_ADD) {
            health->no_execute = NO_EXECUTE_ADD;
        } else {
            health->no_execute = NO_EXECUTE_KEEP;
            zones_queue(controller->zones, health->zone, name);
        }
    }
}

/* All down: it is more likely that we are cut off than that all nodes died. Recovered: each gets
 * its whole grace again. */
static void
react_to_zones(LifecycleController *controller, ZonesChange change, int64_t now)
{
    if (change == ZONES_STEADY)
        return;
    for (GTreeNode *node = g_tree_node_first(controller->health); node != NULL;
         node = g_tree_node_next(node)) {
        Health *health = g_tree_node_value(node);
        if (change == ZONES_RECOVERED) {
            health->probe_ns = now;
        } else {
            health->no_execute = NO_EXECUTE_REMOVE;
            controller_enqueue(&controller->base, g_tree_node_key(node), 0);
        }
    }
}

static void
forget_gone(LifecycleController *controller)
{
    g_autoptr(GPtrArray) gone = g_ptr_array_new();
    for (GTreeNode *node = g_tree_node_first(controller->health); node != NULL;
         node = g_tree_node_next(node))
        if (((Health *)g_tree_node_value(node))->pass != controller->pass)
            g_ptr_array_add(gone, g_tree_node_key(node));
    for (guint i = 0; i < gone->len; i++) {
        const char *name = g_ptr_array_index(gone, i);
        const Health *health = g_tree_lookup(controller->health, name);
        event_record(controller->base.recorder, health->node, "Normal", "RemovingNode",
                     "Node %s event: Removing Node %s from Controller", name, name);
        zones_unqueue(controller->zones, health->zone, name);
        g_tree_remove(controller->health, name);
    }
}

static void
taint_next(void *data)
{
    LifecycleController *controller = data;
    Clock *clock = controller->base.context->ports->clock;
    clock_cancel(clock, &controller->taint_timer);
    int64_t next = 0;
    char *name;
    while ((name = zones_next(controller->zones, controller_now(&controller->base), &next)) !=
           NULL) {
        Health *health = g_tree_lookup(controller->health, name);
        if (health != NULL) {
            health->no_execute = NO_EXECUTE_ADD;
            controller_enqueue(&controller->base, name, 0);
        }
        g_free(name);
    }
    if (next != 0)
        controller->taint_timer = clock_timer_at(clock, next, taint_next, controller);
}

static void
monitor_pass(void *data)
{
    LifecycleController *controller = data;
    int64_t now = controller_now(&controller->base);
    controller->pass++;
    zones_begin(controller->zones);
    InformerIter iter;
    informer_iter_init(&iter, controller->nodes, NULL);
    const Value *node;
    while ((node = informer_iter_next(&iter, NULL)) != NULL)
        pass_node(controller, node, now);
    forget_gone(controller);
    react_to_zones(controller, zones_end(controller->zones), now);
    taint_next(controller);
    controller->pass_timer = clock_timer_at(controller->base.context->ports->clock,
                                            now + controller->period_ns, monitor_pass, controller);
}

/* ---- life
 * -------------------------------------------------------------------------------------------- */

static void
node_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
             void *data)
{
    LifecycleController *controller = data;
    /* A heartbeat alone changes no taint. */
    if (new_ != NULL &&
        (old == NULL || !value_equal(value_get(old, "spec"), value_get(new_, "spec")) ||
         strcmp(node_ready_status(old), node_ready_status(new_)) != 0 ||
         value_size(value_at(old, "status.conditions")) !=
             value_size(value_at(new_, "status.conditions")) ||
         !value_equal(value_at(old, "status.conditions"), value_at(new_, "status.conditions"))))
        controller_enqueue(&controller->base, key, cause);
}

static double
config_rate(const ControllerContext *context, const char *key, double otherwise)
{
    const Value *value = value_get(context->config, key);
    return value != NULL ? value_double(value) : otherwise;
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler handler = {.changed = node_changed};
    LifecycleController *controller = g_new0(LifecycleController, 1);
    controller_init(&controller->base, context, &node_lifecycle_controller_class, "node-controller",
                    8, sync_node);
    controller->nodes = context_informer(context, "", "nodes");
    controller->leases = context_informer(context, "coordination.k8s.io", "leases");
    controller->pods = context_pods(context);
    controller->health = g_tree_new_full(compare_names, NULL, g_free, health_free);
    controller->period_ns = config_seconds_ns(context, "nodeMonitorPeriod", 5);
    controller->grace_ns = config_seconds_ns(context, "nodeMonitorGracePeriod", 50);
    controller->startup_grace_ns = config_seconds_ns(context, "nodeStartupGracePeriod", 60);
    controller->zones = zones_new(&(ZonesOptions){
        .rate = config_rate(context, "nodeEvictionRate", 0.1),
        .secondary_rate = config_rate(context, "secondaryNodeEvictionRate", 0.01),
        .unhealthy_threshold = config_rate(context, "unhealthyZoneThreshold", 0.55),
        .large_cluster_size = config_int(context, "largeClusterSizeThreshold", 50)});
    informer_add_handler(controller->nodes, &handler, controller);
    return &controller->base;
}

static void
synced(Controller *base)
{
    work_queue_start(base->queue);
    monitor_pass(base);
}

static void
stop(Controller *base)
{
    LifecycleController *controller = (LifecycleController *)base;
    clock_cancel(base->context->ports->clock, &controller->pass_timer);
    clock_cancel(base->context->ports->clock, &controller->taint_timer);
    controller_clear(base);
    g_tree_unref(controller->health);
    zones_free(controller->zones);
    g_free(controller);
}

const ControllerClass node_lifecycle_controller_class = {"node-lifecycle-controller", start, synced,
                                                         stop};
