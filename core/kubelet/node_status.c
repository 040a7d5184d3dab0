/* The node's own object: registration, status, conditions (kubelet_node_status.go, nodestatus/setters.go), and the tick that
 * drives them and the lease (node_lease.c). */
#include "core/kubelet/internal.h"
#include "core/kubelet/node_lease.h"

#define REGISTER_FIRST_NS (100 * NS_PER_MS)
#define REGISTER_MAX_NS (7 * NS_PER_S)

static const struct ConditionText {
    const char *type;
    const char *reason[2], *message[2]; /* without and under pressure */
    const char *event[2];
} PRESSURES[] = {
    {"MemoryPressure",
     {"KubeletHasSufficientMemory", "KubeletHasInsufficientMemory"},
     {"kubelet has sufficient memory available", "kubelet has insufficient memory available"},
     {"NodeHasSufficientMemory", "NodeHasInsufficientMemory"}},
    {"DiskPressure",
     {"KubeletHasNoDiskPressure", "KubeletHasDiskPressure"},
     {"kubelet has no disk pressure", "kubelet has disk pressure"},
     {"NodeHasNoDiskPressure", "NodeHasDiskPressure"}},
    {"PIDPressure",
     {"KubeletHasSufficientPID", "KubeletHasInsufficientPID"},
     {"kubelet has sufficient PID available", "kubelet has insufficient PID available"},
     {"NodeHasSufficientPID", "NodeHasInsufficientPID"}},
};

const Value *
node_object(const Kubelet *kubelet)
{
    const Value *seen = informer_get(kubelet->node_informer, kubelet->config.node_name);
    return seen != NULL ? seen : kubelet->node;
}

void
node_event(Kubelet *kubelet, const char *type, const char *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    event_record(kubelet->events, kubelet->reference, type, reason, "%s", text);
}

/* ---- conditions ------------------------------------------------------------------------------------------ */

static Value *
condition(Kubelet *kubelet, const char *type, bool is_true, const char *reason, const char *message, const char *event)
{
    int64_t now = kubelet_now(kubelet);
    const Value *old = condition_find(kubelet->conditions, type);
    const char *status = is_true ? "True" : "False";
    bool same = old != NULL && g_str_equal(value_text(value_get(old, "status")), status);
    if (!same)
        node_event(kubelet, "Normal", event, "Node %s status is now: %s", kubelet->config.node_name, event);
    return value_new_f("{type: %s, status: %s, lastHeartbeatTime: %V, lastTransitionTime: %V, reason: %s, message: %s}", type,
                       status, format_time_value(now),
                       same ? value_ref(value_get(old, "lastTransitionTime")) : format_time_value(now), reason, message);
}

/* A pressure lasts for a while after it is over (eviction-pressure-transition-period). */
static bool
lasting(Kubelet *kubelet, unsigned index, bool now_under)
{
    int64_t now = kubelet_now(kubelet);
    if (now_under)
        kubelet->pressure_until[index] = now + kubelet->config.eviction_pressure_ns;
    return now_under || kubelet->pressure_until[index] > now;
}

static bool
under_memory_pressure(const Kubelet *kubelet, const HostPressure *pressure)
{
    return pressure->memory ||
           (pressure->memory_available > 0 && pressure->memory_available < kubelet->config.eviction_memory_available);
}

char *
node_network_trouble(const Kubelet *kubelet)
{
    Runtime *runtime = kubelet->runtime;
    const char *why = runtime->ops->network_not_ready != NULL ? runtime->ops->network_not_ready(runtime) : NULL;
    return why == NULL ? NULL
                       : g_strdup_printf("container runtime network not ready: NetworkReady=false "
                                         "reason:NetworkPluginNotReady message:%s", why);
}

static Value *
make_conditions(Kubelet *kubelet, const HostPressure *pressure)
{
    const bool under[] = {under_memory_pressure(kubelet, pressure), pressure->disk, pressure->pid};
    g_autoptr(ValueBuilder) list = value_builder_new_array();
    for (unsigned i = 0; i < G_N_ELEMENTS(PRESSURES); i++) {
        bool is = lasting(kubelet, i, under[i]);
        value_builder_append(list, condition(kubelet, PRESSURES[i].type, is, PRESSURES[i].reason[is],
                                             PRESSURES[i].message[is], PRESSURES[i].event[is]));
    }
    g_autofree char *trouble = node_network_trouble(kubelet);
    if (trouble != NULL)
        value_builder_append(list, condition(kubelet, "Ready", false, "KubeletNotReady", trouble, "NodeNotReady"));
    else
        value_builder_append(list, condition(kubelet, "Ready", true, "KubeletReady", "kubelet is posting ready status",
                                             "NodeReady"));
    return value_builder_end(g_steal_pointer(&list));
}

/* ---- status ----------------------------------------------------------------------------------------------- */

static Value *
make_images(Kubelet *kubelet)
{
    Value *images = kubelet->runtime->ops->list_images(kubelet->runtime);
    size_t most = (size_t)kubelet->config.node_status_max_images;
    while (value_size(images) > most)
        value_replace(&images, value_remove_item(images, value_size(images) - 1));
    return images;
}

static Value *
make_status(Kubelet *kubelet, const HostPressure *pressure)
{
    const KubeletConfig *config = &kubelet->config;
    const Value *facts = kubelet->facts;
    g_autofree char *pods = g_strdup_printf("%" G_GINT64_FORMAT, config->max_pods);
    g_autoptr(Value) capacity = value_set(value_get(facts, "capacity"), "pods", value_new_string(pods));
    g_autoptr(Value) allocatable = value_set(value_has(facts, "allocatable") ? value_get(facts, "allocatable") : capacity,
                                             "pods", value_new_string(pods));
    g_autoptr(ValueBuilder) info = value_builder_new(value_get(facts, "nodeInfo"));
    value_builder_set(info, "kubeletVersion", value_new_string(config->version));
    value_builder_set(info, "kubeProxyVersion", value_new_string(""));
    value_builder_set(info, "containerRuntimeVersion", value_new_string(kubelet->runtime->ops->version(kubelet->runtime)));
    value_replace(&kubelet->conditions, make_conditions(kubelet, pressure));
    return value_new_f("{addresses: ?%v, capacity: %v, allocatable: %v, conditions: %v, "
                       "daemonEndpoints: {kubeletEndpoint: {Port: %i}}, nodeInfo: %V, images: %V}",
                       value_get(facts, "addresses"), capacity, allocatable, kubelet->conditions, (int64_t)config->port,
                       value_builder_end(g_steal_pointer(&info)), make_images(kubelet));
}

static bool
conditions_differ(const Value *a, const Value *b)
{
    if (value_size(a) != value_size(b))
        return true;
    for (size_t i = 0; i < value_size(a); i++) {
        g_autoptr(Value) one = value_remove(value_item(a, i), "lastHeartbeatTime");
        g_autoptr(Value) two = value_remove(value_item(b, i), "lastHeartbeatTime");
        if (!value_equal(one, two))
            return true;
    }
    return false;
}

static void
on_status_written(Op *op, const char *id, const char *error)
{
    Kubelet *kubelet = op->kubelet;
    kubelet->node_in_flight = false;
    if (error == NULL)
        value_replace(&kubelet->node, value_ref(op->value));
    else
        kubelet->reported_at = 0; /* at the next tick again; a deleted Node is not made anew before a restart */
}

static void
write_status(Kubelet *kubelet, const HostPressure *pressure)
{
    int64_t now = kubelet_now(kubelet);
    g_autoptr(Value) before = value_ref(kubelet->conditions);
    g_autoptr(Value) status = make_status(kubelet, pressure);
    const Value *old = value_get(kubelet->node, "status");
    g_autoptr(ValueBuilder) patch = value_builder_new(NULL);
    static const char *const KEYS[] = {"addresses", "capacity", "allocatable", "daemonEndpoints", "nodeInfo", "images"};
    for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++) {
        if (!value_equal(value_get(old, KEYS[i]), value_get(status, KEYS[i])))
            value_builder_set(patch, KEYS[i], value_ref(value_get(status, KEYS[i])));
    }
    bool due = now - kubelet->reported_at >= kubelet->config.status_report_ns;
    bool changed = value_size(value_builder_peek(patch)) > 0 || conditions_differ(before, kubelet->conditions);
    if (kubelet->node_in_flight || !(due || changed))
        return;
    value_builder_set(patch, "conditions", value_ref(kubelet->conditions));
    kubelet->node_in_flight = true;
    kubelet->reported_at = now;
    client_patch(kubelet->client, "", "nodes", NULL, kubelet->config.node_name, "status", PATCH_STRATEGIC,
                 value_new_f("{status: %V}", value_builder_end(g_steal_pointer(&patch))), op_api_done,
                 op_new(kubelet, NULL, on_status_written));
}

/* ---- registration ------------------------------------------------------------------------------------------ */

static Value *
make_labels(Kubelet *kubelet)
{
    const char *arch = value_string_at(kubelet->facts, "nodeInfo.architecture");
    const char *os = value_string_at(kubelet->facts, "nodeInfo.operatingSystem");
    g_autoptr(ValueBuilder) labels = value_builder_new(kubelet->config.labels);
    const char *well_known[][2] = {
        {"beta.kubernetes.io/arch", arch != NULL ? arch : "amd64"}, {"kubernetes.io/arch", arch != NULL ? arch : "amd64"},
        {"beta.kubernetes.io/os", os != NULL ? os : "linux"},       {"kubernetes.io/os", os != NULL ? os : "linux"},
        {"kubernetes.io/hostname", kubelet->config.node_name},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(well_known); i++)
        value_builder_set(labels, well_known[i][0], value_new_string(well_known[i][1]));
    return value_builder_end(g_steal_pointer(&labels));
}

static Value *
make_node(Kubelet *kubelet)
{
    const KubeletConfig *config = &kubelet->config;
    HostPressure pressure = {0};
    kubelet->host->ops->pressure(kubelet->host, &pressure);
    g_autoptr(Value) annotations = value_set(config->annotations, "volumes.kubernetes.io/controller-managed-attach-detach",
                                             value_new_string("true"));
    return value_new_f("{apiVersion: v1, kind: Node, metadata: {name: %s, labels: %V, annotations: %v}, "
                       "spec: {taints: ?%v, providerID: ?%s, unschedulable: ?%b, podCIDR: ?%s}, status: %V}",
                       config->node_name, make_labels(kubelet), annotations, config->taints, config->provider_id,
                       (int)config->unschedulable, config->pod_cidr, make_status(kubelet, &pressure));
}

static void
registered(Kubelet *kubelet, const Value *node)
{
    value_replace(&kubelet->node, value_ref(node));
    kubelet->registered = true;
    kubelet->reported_at = kubelet_now(kubelet);
    lease_renew(kubelet);
    node_changed(kubelet, node);
    static_pods_start(kubelet);
}

static void try_register(void *data);

static void
register_later(Kubelet *kubelet)
{
    kubelet->register_backoff =
        kubelet->register_backoff == 0 ? REGISTER_FIRST_NS : MIN(kubelet->register_backoff * 2, REGISTER_MAX_NS);
    clock_cancel(kubelet->ports->clock, &kubelet->register_timer);
    kubelet->register_timer =
        clock_timer_in(kubelet->ports->clock, kubelet->register_backoff, try_register, kubelet);
}

static void
on_labels_fixed(Op *op, const char *id, const char *error)
{
    if (error != NULL) {
        register_later(op->kubelet);
        return;
    }
    registered(op->kubelet, op->value);
    op->kubelet->reported_at = 0; /* what the old object says may be old: write at once */
    HostPressure pressure = {0};
    op->kubelet->host->ops->pressure(op->kubelet->host, &pressure);
    write_status(op->kubelet, &pressure);
}

/* The node is there already (a restart): well-known labels are put right, taints and others' labels stay. */
static void
on_found(Op *op, const char *id, const char *error)
{
    if (error != NULL) {
        register_later(op->kubelet);
        return;
    }
    client_patch(op->kubelet->client, "", "nodes", NULL, op->kubelet->config.node_name, NULL, PATCH_STRATEGIC,
                 value_new_f("{metadata: {labels: %V}}", make_labels(op->kubelet)), op_api_done,
                 op_new(op->kubelet, NULL, on_labels_fixed));
}

static void
on_created(Op *op, const char *id, const char *error)
{
    Kubelet *kubelet = op->kubelet;
    if (error == NULL) {
        trace_decision(kubelet->ports->trace, kubelet->actor, "register", NULL, "registered node %s",
                       kubelet->config.node_name);
        registered(kubelet, op->value);
        if (value_at(op->value, "status.conditions") == NULL)
            kubelet->reported_at = 0; /* the server took the Node without its status */
    } else if (op->code == 409) {
        client_get(kubelet->client, "", "nodes", NULL, kubelet->config.node_name, op_api_done,
                   op_new(kubelet, NULL, on_found));
    } else {
        register_later(kubelet);
    }
}

static void
try_register(void *data)
{
    Kubelet *kubelet = data;
    kubelet->register_timer = 0;
    client_create(kubelet->client, "", "nodes", NULL, make_node(kubelet), op_api_done, op_new(kubelet, NULL, on_created));
}

/* ---- the tick ------------------------------------------------------------------------------------------------- */

/* The whole status is made only when something may have changed: 5,000 nodes tick every 10 s. */
static bool
worth_writing(Kubelet *kubelet, const HostPressure *pressure)
{
    int64_t now = kubelet_now(kubelet);
    bool under = under_memory_pressure(kubelet, pressure) || pressure->disk || pressure->pid;
    bool lasting_still = false;
    for (size_t i = 0; i < G_N_ELEMENTS(PRESSURES); i++)
        lasting_still = lasting_still || condition_is(kubelet->conditions, PRESSURES[i].type, "True");
    return kubelet->node_dirty || under || lasting_still || now - kubelet->reported_at >= kubelet->config.status_report_ns ||
           condition_is(kubelet->conditions, "Ready", "False");
}

static void
tick(void *data)
{
    Kubelet *kubelet = data;
    HostPressure pressure = {0};
    kubelet->node_timer = clock_timer_in(
        kubelet->ports->clock, random_jitter(kubelet->ports->random, kubelet->config.status_update_ns, 0.04), tick, kubelet);
    kubelet->host->ops->pressure(kubelet->host, &pressure);
    eviction_check(kubelet, &pressure);
    if (!kubelet->registered)
        return;
    if (worth_writing(kubelet, &pressure)) {
        kubelet->node_dirty = false;
        kubelet_read_facts(kubelet);
        write_status(kubelet, &pressure);
    }
    lease_renew(kubelet);
}

void
node_changed(Kubelet *kubelet, const Value *node)
{
    const char *cidr = value_string_at(node, "spec.podCIDR");
    if (cidr == NULL || g_strcmp0(cidr, kubelet->pod_cidr) == 0)
        return;
    g_free(kubelet->pod_cidr);
    kubelet->pod_cidr = g_strdup(cidr);
    trace_decision(kubelet->ports->trace, kubelet->actor, "pod-cidr", NULL, "pods get their addresses from %s", cidr);
    if (kubelet->runtime->ops->update_runtime_config != NULL)
        kubelet->runtime->ops->update_runtime_config(kubelet->runtime, cidr);
    if (!kubelet->registered || condition_is(kubelet->conditions, "Ready", "True"))
        return;
    HostPressure pressure = {0};
    kubelet->host->ops->pressure(kubelet->host, &pressure);
    write_status(kubelet, &pressure);
}

void
node_start(Kubelet *kubelet)
{
    const char *name = kubelet->config.node_name;
    kubelet->reference = value_new_f("{apiVersion: v1, kind: Node, metadata: {name: %s, uid: %s}}", name, name);
    node_event(kubelet, "Normal", "Starting", "Starting kubelet.");
    node_event(kubelet, "Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    kubelet->node_timer = clock_timer_in(
        kubelet->ports->clock, random_jitter(kubelet->ports->random, kubelet->config.status_update_ns, 0.04), tick, kubelet);
    if (kubelet->config.register_node)
        try_register(kubelet);
}

void
node_stop(Kubelet *kubelet)
{
    clock_cancel(kubelet->ports->clock, &kubelet->node_timer);
    clock_cancel(kubelet->ports->clock, &kubelet->register_timer);
    value_unref(kubelet->node);
    value_unref(kubelet->reference);
    value_unref(kubelet->conditions);
    value_unref(kubelet->lease);
    g_free(kubelet->pod_cidr);
}
