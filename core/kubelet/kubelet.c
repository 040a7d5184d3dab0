/* Assembly of a kubelet, its sources of pods and the news from below. */
#include "core/kubelet/internal.h"

void
kubelet_config_init(KubeletConfig *config, const char *node_name)
{
    *config = (KubeletConfig){
        .node_name = node_name,
        .version = "v1.35.0",
        .register_node = true,
        .max_pods = 110,
        .port = 10250,
        .lease_duration_ns = 40 * NS_PER_S,
        .status_update_ns = 10 * NS_PER_S,
        .status_report_ns = 300 * NS_PER_S,
        .pleg_relist_ns = NS_PER_S,
        .sync_retry_ns = 10 * NS_PER_S,
        .object_refresh_ns = 60 * NS_PER_S,
        .backoff_ns = 10 * NS_PER_S,
        .backoff_max_ns = 300 * NS_PER_S,
        .serialize_image_pulls = true,
        .node_status_max_images = 50,
        .image_gc_high_percent = 85,
        .image_gc_low_percent = 80,
        .cluster_domain = "cluster.local",
        .eviction_memory_available = 100u << 20,
        .eviction_pressure_ns = 300 * NS_PER_S,
    };
}

int64_t
kubelet_now(const Kubelet *kubelet)
{
    return clock_now(kubelet->ports->clock);
}

bool
kubelet_feature(const Kubelet *kubelet, const char *gate)
{
    return kubelet->config.features != NULL && g_strv_contains(kubelet->config.features, gate);
}

const char *
kubelet_node_name(const Kubelet *kubelet)
{
    return kubelet->config.node_name;
}

/* ---- the table of workers ------------------------------------------------------------------------------- */

PodWorker *
kubelet_find_worker(const Kubelet *kubelet, const char *uid)
{
    return g_tree_lookup(kubelet->workers, uid);
}

PodWorker *
kubelet_find_named(const Kubelet *kubelet, const char *namespace_, const char *name)
{
    PodWorker *found = NULL;
    for (GTreeNode *node = g_tree_node_first(kubelet->workers); node != NULL; node = g_tree_node_next(node)) {
        PodWorker *worker = g_tree_node_value(node);
        if (!g_str_equal(object_name(worker->pod), name) || !g_str_equal(object_namespace(worker->pod), namespace_))
            continue;
        if (found == NULL || found->removed)
            found = worker;
    }
    return found;
}

void
kubelet_forget_worker(PodWorker *worker)
{
    g_tree_remove(worker->kubelet->workers, worker->uid);
}

void
kubelet_each_worker(Kubelet *kubelet, void (*func)(PodWorker *worker, void *data), void *data)
{
    for (GTreeNode *node = g_tree_node_first(kubelet->workers); node != NULL; node = g_tree_node_next(node))
        func(g_tree_node_value(node), data);
}

size_t
kubelet_pod_count(const Kubelet *kubelet)
{
    return (size_t)g_tree_nnodes(kubelet->workers);
}

const char *
kubelet_pod_state(const Kubelet *kubelet, const char *namespace_, const char *name)
{
    static const char *const NAMES[] = {"sync", "terminating", "terminated"};
    PodWorker *worker = kubelet_find_named(kubelet, namespace_, name);
    return worker == NULL ? NULL : NAMES[worker->state];
}

/* ---- news from below (PLEG) ---------------------------------------------------------------------------- */

static void
collect_changed(PodWorker *worker, void *data)
{
    if (worker->pleg)
        g_ptr_array_add(data, g_strdup(worker->uid));
    worker->pleg = false;
}

static void
relist(void *data)
{
    Kubelet *kubelet = data;
    kubelet->pleg_timer = 0;
    g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
    kubelet_each_worker(kubelet, collect_changed, uids);
    kubelet_server_containers_changed(kubelet->server);
    for (guint i = 0; i < uids->len; i++) {
        PodWorker *worker = kubelet_find_worker(kubelet, uids->pdata[i]);
        if (worker == NULL)
            continue;
        trace_adopt(kubelet->ports->trace, worker->cause);
        worker_wake(worker);
    }
}

void
kubelet_changed_below(Kubelet *kubelet, const char *pod_uid)
{
    PodWorker *worker = kubelet_find_worker(kubelet, pod_uid);
    if (worker == NULL || worker->pleg)
        return;
    worker->pleg = true;
    worker->cause = trace_current(kubelet->ports->trace);
    if (kubelet->pleg_timer != 0)
        return;
    int64_t period = MAX(kubelet->config.pleg_relist_ns, 1);
    int64_t since = kubelet_now(kubelet) - kubelet->started_at;
    kubelet->pleg_timer =
        clock_timer_at(kubelet->ports->clock, kubelet->started_at + (since / period + 1) * period, relist, kubelet);
}

static void
on_container_changed(const char *pod_uid, const char *container_id, void *data)
{
    kubelet_changed_below(data, pod_uid);
}

/* ---- pods of the API --------------------------------------------------------------------------------------- */

static void
pod_gone(Kubelet *kubelet, const Value *pod)
{
    PodWorker *worker = kubelet_find_worker(kubelet, object_uid(pod));
    if (worker != NULL)
        worker_removed(worker);
}

static void
pod_here(Kubelet *kubelet, const Value *pod, bool initial)
{
    PodWorker *worker = kubelet_find_worker(kubelet, object_uid(pod));
    if (worker != NULL) {
        worker_update(worker, pod);
        return;
    }
    worker = worker_new(kubelet, pod, false);
    if (!initial && object_is_deleting(pod))
        worker_terminate(worker);
    else if (!initial)
        worker_wake(worker);
}

static void
on_mirror_changed(Kubelet *kubelet, const Value *object, bool gone, bool initial)
{
    PodWorker *worker = kubelet_find_named(kubelet, object_namespace(object), object_name(object));
    if (worker != NULL && worker->is_static) {
        if (!gone && worker->api == NULL && worker->status != NULL && value_at(object, "status.startTime") != NULL)
            value_edit(&worker->status, "startTime", value_ref(value_at(object, "status.startTime")));
        value_replace(&worker->api, gone ? NULL : value_ref(object));
        worker->status_dirty = true;
        if (!initial)
            mirror_pod_sync(worker);
        return;
    }
    if (!gone && kubelet->static_loaded) /* its manifest is no more */
        client_delete(kubelet->client, "", "pods", object_namespace(object), object_name(object),
                      value_new_f("{apiVersion: v1, kind: DeleteOptions, gracePeriodSeconds: 0, preconditions: {uid: %s}}",
                                  object_uid(object)),
                      NULL, NULL);
}

static void
on_pod_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial, void *data)
{
    Kubelet *kubelet = data;
    trace_adopt(kubelet->ports->trace, cause);
    const Value *any = new_ != NULL ? new_ : old;
    if (pod_is_mirror(any)) {
        on_mirror_changed(kubelet, any, new_ == NULL, initial);
        return;
    }
    if (old != NULL && (new_ == NULL || !g_str_equal(object_uid(old), object_uid(new_))))
        pod_gone(kubelet, old);
    if (new_ != NULL)
        pod_here(kubelet, new_, initial && !kubelet->api_loaded);
}

/* Pods that run here and that nobody wants: the kubelet was down when they were deleted. */
static void
take_down_orphans(Kubelet *kubelet)
{
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, NULL);
    for (guint i = 0; i < view->sandboxes->len; i++) {
        const PodSandboxStatus *sandbox = &g_array_index(view->sandboxes, PodSandboxStatus, i);
        if (sandbox->pod_uid == NULL || kubelet_find_worker(kubelet, sandbox->pod_uid) != NULL)
            continue;
        g_autoptr(Value) pod = value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: %s, uid: %s}, "
                                           "spec: {terminationGracePeriodSeconds: 1}}",
                                           sandbox->pod_name, sandbox->pod_namespace, sandbox->pod_uid);
        PodWorker *worker = worker_new(kubelet, pod, false);
        worker->from_orphan = true;
        worker->removed = true;
        worker_terminate(worker);
    }
}

static int
compare_ages(const void *a, const void *b)
{
    const PodWorker *one = *(PodWorker *const *)a, *two = *(PodWorker *const *)b;
    int64_t difference = object_creation_time(one->pod) - object_creation_time(two->pod);
    return difference != 0 ? (difference < 0 ? -1 : 1) : strcmp(one->uid, two->uid);
}

static void
collect_workers(PodWorker *worker, void *data)
{
    if (!worker->is_static)
        g_ptr_array_add(data, worker);
}

static void
on_pods_synced(void *data)
{
    Kubelet *kubelet = data;
    if (kubelet->api_loaded)
        return;
    kubelet->api_loaded = true;
    g_autoptr(GPtrArray) workers = g_ptr_array_new();
    kubelet_each_worker(kubelet, collect_workers, workers);
    g_ptr_array_sort(workers, compare_ages);
    g_autoptr(GPtrArray) uids = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < workers->len; i++)
        g_ptr_array_add(uids, g_strdup(((PodWorker *)workers->pdata[i])->uid));
    for (guint i = 0; i < uids->len; i++) {
        PodWorker *worker = kubelet_find_worker(kubelet, uids->pdata[i]);
        if (worker == NULL)
            continue;
        if (object_is_deleting(worker->pod))
            worker_terminate(worker);
        else
            worker_wake(worker);
    }
    take_down_orphans(kubelet);
    static_pods_start(kubelet); /* mirror pods can be told from strangers now */
}

/* ---- life ---------------------------------------------------------------------------------------------------- */

static int
compare_uids(const void *a, const void *b, void *data)
{
    return strcmp(a, b);
}

static Value *
host_ips_of(const Value *facts)
{
    g_autoptr(ValueBuilder) list = value_builder_new_array();
    VALUE_ARRAY_FOREACH (address, value_get(facts, "addresses")) {
        if (g_str_equal(value_text(value_get(address, "type")), "InternalIP"))
            value_builder_append(list, value_new_f("{ip: %v}", value_get(address, "address")));
    }
    return value_builder_end(g_steal_pointer(&list));
}

void
kubelet_read_facts(Kubelet *kubelet)
{
    value_replace(&kubelet->facts, kubelet->host->ops->node_facts(kubelet->host));
    value_replace(&kubelet->host_ips, host_ips_of(kubelet->facts));
}

static void
on_node_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial, void *data)
{
    Kubelet *kubelet = data;
    if (new_ != NULL)
        node_changed(kubelet, new_);
}

static void
make_informers(Kubelet *kubelet)
{
    const char *name = kubelet->config.node_name;
    g_autofree char *own_pods = g_strdup_printf("spec.nodeName=%s", name);
    g_autofree char *own_node = g_strdup_printf("metadata.name=%s", name);
    static const InformerHandler NODE = {on_node_changed, NULL};
    static const InformerHandler PODS = {on_pod_changed, on_pods_synced};
    kubelet->services = informer_new(kubelet->ports, kubelet->client, "", "services", NULL, NULL, NULL);
    kubelet->node_informer = informer_new(kubelet->ports, kubelet->client, "", "nodes", NULL, NULL, own_node);
    kubelet->pods = informer_new(kubelet->ports, kubelet->client, "", "pods", NULL, NULL, own_pods);
    informer_add_handler(kubelet->node_informer, &NODE, kubelet);
    informer_add_handler(kubelet->pods, &PODS, kubelet);
}

Kubelet *
kubelet_new(const Ports *ports, Client *client, Runtime *runtime, Host *host, const KubeletConfig *config)
{
    static const RuntimeListener LISTENER = {on_container_changed};
    Kubelet *kubelet = g_new0(Kubelet, 1);
    kubelet->ports = ports;
    kubelet->client = client;
    kubelet->runtime = runtime;
    kubelet->host = host;
    kubelet->config = *config;
    kubelet->actor = g_strdup_printf("kubelet/%s", config->node_name);
    kubelet->started_at = clock_now(ports->clock);
    kubelet->events = event_recorder_new(ports, client, "kubelet", config->node_name);
    kubelet->workers = g_tree_new_full(compare_uids, NULL, NULL, (GDestroyNotify)worker_free);
    objects_init(kubelet);
    kubelet->images = image_manager_new(kubelet);
    kubelet_read_facts(kubelet);
    runtime->ops->set_listener(runtime, &LISTENER, kubelet);
    make_informers(kubelet);
    node_start(kubelet);
    kubelet->server = kubelet_server_new(kubelet);
    static_pods_start(kubelet);
    informer_start(kubelet->services);
    informer_start(kubelet->node_informer);
    informer_start(kubelet->pods);
    return kubelet;
}

void
kubelet_free(Kubelet *kubelet)
{
    if (kubelet == NULL)
        return;
    static const RuntimeListener NOBODY = {0};
    kubelet->runtime->ops->set_listener(kubelet->runtime, &NOBODY, NULL);
    kubelet->host->ops->set_static_pods_listener(kubelet->host, NULL, NULL);
    node_stop(kubelet);
    clock_cancel(kubelet->ports->clock, &kubelet->pleg_timer);
    g_tree_unref(kubelet->workers);
    objects_clear(kubelet);
    while (kubelet->ops != NULL)
        op_free(kubelet->ops);
    image_manager_free(kubelet->images);
    kubelet_server_free(kubelet->server);
    informer_free(kubelet->pods);
    informer_free(kubelet->services);
    informer_free(kubelet->node_informer);
    event_recorder_free(kubelet->events);
    value_unref(kubelet->facts);
    value_unref(kubelet->host_ips);
    g_free(kubelet->actor);
    g_free(kubelet);
}
