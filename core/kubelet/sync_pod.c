/* One round of bringing a running pod to what it wants (syncPod of kubelet.go and kuberuntime_manager.go):
 *
 *   status -> volumes -> compute actions -> kill the pod or some containers -> sandbox -> start containers one by one
 *
 * Each step that takes time is an op or a kill; sync_continue goes on when it is done. A round ends in sync_end: news that
 * came meanwhile start the next one, a failure comes back after a while. */
#include "core/kubelet/internal.h"

static void
sync_end(PodWorker *worker)
{
    Kubelet *kubelet = worker->kubelet;
    g_clear_pointer(&worker->actions, pod_actions_free);
    worker->step = STEP_IDLE;
    if (worker->failed && worker->retry_at == 0)
        worker_retry_at(worker, kubelet_now(kubelet) +
                                    random_jitter(kubelet->ports->random, kubelet->config.sync_retry_ns, 0.5));
    if (worker->failed)
        worker_make_status(worker); /* so that the reasons why show */
    if (worker->state != WORKER_SYNC)
        return;
    if (worker->again) {
        worker->again = false;
        worker_sync(worker);
        return;
    }
    gc_dead_containers(worker);
    worker_set_timer(worker);
}

void
sync_abort(PodWorker *worker)
{
    worker->round++;
    worker->step = STEP_IDLE;
    worker->again = false;
    worker->volumes_busy = 0;
    g_clear_pointer(&worker->actions, pod_actions_free);
}

static void
kill_all(PodWorker *worker, const RuntimeView *view)
{
    int64_t grace = worker_grace_seconds(worker) * NS_PER_S;
    for (guint i = 0; i < view->containers->len; i++) {
        const ContainerStatus *status = &g_array_index(view->containers, ContainerStatus, i);
        if (status->state == CONTAINER_RUNNING && !kill_is_under_way(worker, status->id))
            kill_container(worker, status->id, status->name, grace, NULL);
    }
}

static void
on_sandbox_stopped(Op *op, const char *id, const char *error)
{
    if (!op_is_current(op))
        return;
    if (error != NULL)
        op->worker->failed = true;
    op->worker->step = STEP_KILL;
    sync_continue(op->worker);
}

static void
stop_old_sandbox(PodWorker *worker)
{
    const PodActions *actions = worker->actions;
    if (actions->sandbox_id == NULL) {
        worker->step = STEP_KILL;
        sync_continue(worker);
        return;
    }
    worker->step = STEP_STOP_SANDBOX;
    Runtime *runtime = worker->kubelet->runtime;
    runtime->ops->stop_pod_sandbox(runtime, actions->sandbox_id, op_runtime_done,
                                   op_new(worker->kubelet, worker, on_sandbox_stopped));
}

static void
kill_some(PodWorker *worker)
{
    for (guint i = 0; i < worker->actions->kill->len; i++) {
        const ContainerKill *kill = worker->actions->kill->pdata[i];
        const Value *container = pod_find_container(worker->pod, kill->name, NULL);
        int64_t grace = worker_grace_seconds(worker);
        if (kill->reason == KILL_LIVENESS)
            grace = value_int_at_or(container, "livenessProbe.terminationGracePeriodSeconds", grace);
        if (kill->reason == KILL_STARTUP)
            grace = value_int_at_or(container, "startupProbe.terminationGracePeriodSeconds", grace);
        worker_decision(worker, "kill", "%s", kill->message);
        kill_container(worker, kill->id, kill->name, grace * NS_PER_S, kill->message);
    }
    g_ptr_array_set_size(worker->actions->kill, 0);
}

static void
on_sandbox_run(Op *op, const char *id, const char *error)
{
    PodWorker *worker = op->worker;
    if (worker == NULL)
        return;
    worker->in_flight--;
    if (!op_is_current(op)) {
        worker_wake(worker); /* termination waited for it */
        return;
    }
    if (error != NULL) {
        worker_event(worker, "Warning", "FailedCreatePodSandBox", "Failed to create pod sandbox: %s", error);
        worker->failed = true;
        sync_end(worker);
        return;
    }
    g_autoptr(RuntimeView) view = runtime_view_new(worker->kubelet->runtime, worker->uid);
    /* What the containers are to be is computed anew: the sandbox is there now. */
    g_clear_pointer(&worker->actions, pod_actions_free);
    worker->actions = pod_actions_compute(worker->pod, view, worker_probe_lookup, worker);
    worker->step = STEP_START;
    if (worker->actions->create_sandbox || worker->actions->kill_pod) {
        worker_event(worker, "Warning", "FailedCreatePodSandBox",
                     "Failed to create pod sandbox: the new sandbox %s is not ready", id);
        worker->failed = true;
        sync_end(worker);
        return;
    }
    worker->again = false;
    sync_continue(worker);
}

/* resolv.conf: dnsPolicy and dnsConfig (pkg/kubelet/network/dns). */
static void
dns_lists(const PodWorker *worker, GPtrArray *servers, GPtrArray *searches, GPtrArray *options)
{
    const KubeletConfig *config = &worker->kubelet->config;
    const char *policy = value_text_at(worker->pod, "spec.dnsPolicy");
    bool host_network = value_bool_at(worker->pod, "spec.hostNetwork");
    bool cluster = g_str_equal(policy, "ClusterFirstWithHostNet") ||
                   ((*policy == '\0' || g_str_equal(policy, "ClusterFirst")) && !host_network);
    if (cluster && config->cluster_dns != NULL) {
        g_ptr_array_add(servers, g_strdup(config->cluster_dns));
        g_ptr_array_add(searches, g_strdup_printf("%s.svc.%s", object_namespace(worker->pod), config->cluster_domain));
        g_ptr_array_add(searches, g_strdup_printf("svc.%s", config->cluster_domain));
        g_ptr_array_add(searches, g_strdup(config->cluster_domain));
        g_ptr_array_add(options, g_strdup("ndots:5"));
    }
    const Value *dns = value_at(worker->pod, "spec.dnsConfig");
    VALUE_ARRAY_FOREACH (server, value_get(dns, "nameservers"))
        g_ptr_array_add(servers, g_strdup(value_text(server)));
    VALUE_ARRAY_FOREACH (search, value_get(dns, "searches"))
        g_ptr_array_add(searches, g_strdup(value_text(search)));
    VALUE_ARRAY_FOREACH (option, value_get(dns, "options")) {
        const char *value = value_string(value_get(option, "value"));
        g_ptr_array_add(options, g_strdup_printf("%s%s%s", value_text(value_get(option, "name")), value != NULL ? ":" : "",
                                                 value != NULL ? value : ""));
    }
}

static void
create_sandbox(PodWorker *worker)
{
    Kubelet *kubelet = worker->kubelet;
    const PodActions *actions = worker->actions;
    if (actions->sandbox_id != NULL)
        worker_event(worker, "Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    g_autofree char *logs = g_strdup_printf("/var/log/pods/%s_%s_%s", object_namespace(worker->pod), object_name(worker->pod),
                                            worker->uid);
    g_autofree char *cgroup = g_strdup_printf("/kubepods/%s/pod%s", pod_qos_class(worker->pod), worker->uid);
    g_autoptr(GPtrArray) servers = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) searches = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);
    dns_lists(worker, servers, searches, options);
    bool own_dns = servers->len > 0 || g_str_equal(value_text_at(worker->pod, "spec.dnsPolicy"), "None");
    g_ptr_array_add(servers, NULL);
    g_ptr_array_add(searches, NULL);
    g_ptr_array_add(options, NULL);
    const char *hostname = value_string_at(worker->pod, "spec.hostname");
    PodSandboxConfig config = {
        .name = object_name(worker->pod),
        .namespace_ = object_namespace(worker->pod),
        .uid = worker->uid,
        .attempt = actions->attempt,
        .pod = worker->pod,
        .log_directory = logs,
        .cgroup_parent = cgroup,
        .hostname = hostname != NULL ? hostname : object_name(worker->pod),
        .dns_servers = own_dns ? (const char *const *)servers->pdata : NULL,
        .dns_searches = own_dns ? (const char *const *)searches->pdata : NULL,
        .dns_options = own_dns ? (const char *const *)options->pdata : NULL,
    };
    worker->step = STEP_SANDBOX;
    worker->in_flight++;
    worker_decision(worker, "sandbox", "create the pod's sandbox, attempt %u", actions->attempt);
    kubelet->runtime->ops->run_pod_sandbox(kubelet->runtime, &config, op_runtime_done,
                                           op_new(kubelet, worker, on_sandbox_run));
}

static void
start_next(PodWorker *worker)
{
    if (worker->next >= worker->actions->start->len) {
        sync_end(worker);
        return;
    }
    ContainerStart start = g_array_index(worker->actions->start, ContainerStart, worker->next++);
    worker_start_container(worker, start.kind, start.index);
}

void
sync_container_started(PodWorker *worker, bool ok)
{
    if (!ok)
        worker->failed = true;
    start_next(worker);
}

void
sync_continue(PodWorker *worker)
{
    switch (worker->step) {
    case STEP_KILL_POD:
        if (kill_count(worker) == 0)
            stop_old_sandbox(worker);
        break;
    case STEP_KILL:
        kill_some(worker);
        if (kill_count(worker) > 0)
            break;
        if (worker->actions->create_sandbox) {
            create_sandbox(worker);
            break;
        }
        if (worker->actions->kill_pod) { /* it is done: the next round finds it terminal */
            worker->again = true;
            sync_end(worker);
            break;
        }
        worker->step = STEP_START;
        start_next(worker);
        break;
    case STEP_START:
        start_next(worker);
        break;
    default:
        break;
    }
}

void
sync_volumes_done(PodWorker *worker)
{
    if (worker->step != STEP_VOLUMES)
        return;
    if (!volumes_ready(worker)) {
        worker->failed = true;
        sync_end(worker);
        return;
    }
    worker->wait_since = 0;
    g_autoptr(RuntimeView) view = runtime_view_new(worker->kubelet->runtime, worker->uid);
    worker->actions = pod_actions_compute(worker->pod, view, worker_probe_lookup, worker);
    worker->next = 0;
    if (worker->actions->kill_pod) {
        worker->step = STEP_KILL_POD;
        kill_all(worker, view);
    } else {
        worker->step = STEP_KILL;
    }
    sync_continue(worker);
}

/* Pods off the host's network wait until the node's network is there; that is looked at again within a second or so. */
static bool
network_is_missing(PodWorker *worker)
{
    Kubelet *kubelet = worker->kubelet;
    g_autofree char *trouble =
        value_bool_at(worker->pod, "spec.hostNetwork") ? NULL : node_network_trouble(kubelet);
    if (trouble == NULL)
        return false;
    worker_event(worker, "Warning", "NetworkNotReady", "network is not ready: %s", trouble);
    worker_retry_at(worker, kubelet_now(kubelet) + random_jitter(kubelet->ports->random, NS_PER_S, 0.5));
    worker_set_timer(worker);
    return true;
}

void
worker_sync(PodWorker *worker)
{
    if (worker->step != STEP_IDLE) {
        worker->again = true;
        return;
    }
    worker->pleg = false;
    worker_make_status(worker);
    const char *phase = value_text(value_get(worker->status, "phase"));
    if (g_str_equal(phase, "Succeeded") || g_str_equal(phase, "Failed")) {
        worker_terminate(worker);
        return;
    }
    if (!objects_loaded(worker)) {
        worker_set_timer(worker);
        return; /* worker_object_changed comes back */
    }
    if (network_is_missing(worker))
        return;
    worker->round++;
    worker->failed = false;
    worker->retry_at = 0;
    worker->step = STEP_VOLUMES;
    if (worker->wait_since == 0)
        worker->wait_since = kubelet_now(worker->kubelet);
    volumes_mount(worker);
}
