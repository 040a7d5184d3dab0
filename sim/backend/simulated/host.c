/* The Host of a simulated node: facts, pressure, probes, static pods. Volumes are in host_volumes.c, logs in node_log.c. */
#include <string.h>

#include "core/base/text.h"
#include "sim/backend/simulated/node_private.h"

#define KUBELET_RESERVED_MEMORY (100u << 20) /* evictionHard memory.available, kept from allocatable */
#define SYSTEM_MEMORY (400u << 20)           /* what the system itself uses */

SimulatedNode *
host_node(Host *host)
{
    return ((NodeHost *)host)->node;
}

/* 32 hexadecimal digits that depend on the node's name and the seed. */
static char *
machine_id(const SimulatedNode *node, const char *what)
{
    g_autofree char *name = g_strdup_printf("%s/%s/%016" G_GINT64_MODIFIER "x", node->name, what, node->seed);
    g_autofree char *hash = text_sha256(name, strlen(name));
    return g_strndup(hash, 32);
}

static char *
dashed(const char *hex)
{
    return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static Value *
node_info(const SimulatedNode *node)
{
    bool windows = strcmp(node->os, "windows") == 0;
    g_autofree char *machine = machine_id(node, "machine"), *system = machine_id(node, "system");
    g_autofree char *boot = machine_id(node, "boot");
    g_autofree char *system_uuid = dashed(system), *boot_id = dashed(boot);
    return value_new_f("{machineID: %s, systemUUID: %s, bootID: %s, kernelVersion: %s, osImage: %s, operatingSystem: %s, "
                       "architecture: %s, containerRuntimeVersion: %s, kubeletVersion: %s, kubeProxyVersion: %s}",
                       machine, system_uuid, boot_id, windows ? "10.0.20348.3328" : "6.1.0-37-amd64",
                       windows ? "Windows Server 2022 Datacenter" : "Debian GNU/Linux 12 (bookworm)", node->os, node->arch,
                       "containerd://2.1.3", node->kubelet_version, "");
}

static char *
memory_text(uint64_t bytes)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT "Ki", bytes / 1024);
}

static Value *
host_node_facts(Host *host)
{
    const SimulatedNode *node = host_node(host);
    uint64_t memory = simulated_quantity(node->memory), storage = simulated_quantity(node->ephemeral_storage);
    uint64_t left = memory > KUBELET_RESERVED_MEMORY ? memory - KUBELET_RESERVED_MEMORY : 0;
    g_autofree char *capacity_memory = memory_text(memory), *allocatable_memory = memory_text(left);
    g_autofree char *capacity_storage = memory_text(storage);
    g_autofree char *allocatable_storage = g_strdup_printf("%" G_GUINT64_FORMAT, storage / 10 * 9);
    g_autofree char *pods = g_strdup_printf("%" G_GINT64_FORMAT, node->pods);
    bool windows = strcmp(node->os, "windows") == 0;
    Value *capacity = value_new_f("{cpu: %s, memory: %s, 'ephemeral-storage': %s, pods: %s}", node->cpu, capacity_memory,
                                  capacity_storage, pods);
    Value *allocatable = value_new_f("{cpu: %s, memory: %s, 'ephemeral-storage': %s, pods: %s}", node->cpu,
                                     allocatable_memory, allocatable_storage, pods);
    if (!windows) {
        value_edit(&capacity, "['hugepages-2Mi']", value_new_string("0"));
        value_edit(&allocatable, "['hugepages-2Mi']", value_new_string("0"));
    }
    return value_new_f("{nodeInfo: %V, capacity: %V, allocatable: %V, addresses: [{type: InternalIP, address: %s}, "
                       "{type: Hostname, address: %s}]}",
                       node_info(node), capacity, allocatable, node->ip, node->name);
}

static uint64_t
used_memory(const SimulatedNode *node)
{
    uint64_t used = SYSTEM_MEMORY;
    for (guint i = 0; i < node->sandboxes->len; i++) {
        GPtrArray *containers = ((SimulatedSandbox *)node->sandboxes->pdata[i])->containers;
        for (guint k = 0; k < containers->len; k++) {
            const SimulatedContainer *container = containers->pdata[k];
            used += container->state == CONTAINER_RUNNING ? container_memory(container) : 0;
        }
    }
    return used;
}

static void
host_pressure(Host *host, HostPressure *ret_pressure)
{
    const SimulatedNode *node = host_node(host);
    uint64_t memory = simulated_quantity(node->memory), used = used_memory(node);
    if (node->has_pressure) {
        *ret_pressure = node->pressure;
        return;
    }
    uint64_t available = memory > used ? memory - used : 0;
    *ret_pressure = (HostPressure){.memory = available < KUBELET_RESERVED_MEMORY,
                                   .disk = node->disk_full,
                                   .memory_available = available};
}

/* ---- probes ---- */

typedef struct ProbeCall {
    HostProbeDone done;
    void *data;
    char *target; /* "10.244.1.2:8080" */
    char *url;
    int kind;
} ProbeCall;

static char *
probe_error(const ProbeCall *call, const SimulatedAnswer *answer)
{
    const char *what = answer->status == NET_REFUSED ? "connect: connection refused"
                       : answer->status == NET_RESET ? "read: connection reset by peer"
                       : answer->status == NET_UNREACHABLE ? "connect: no route to host"
                                                           : "i/o timeout";
    if (answer->status == NET_OK && call->kind == HOST_PROBE_GRPC && answer->http_status != 200)
        return g_strdup("service unhealthy (responded with \"NOT_SERVING\")");
    if (answer->status == NET_OK)
        return NULL;
    if (call->kind == HOST_PROBE_HTTP && answer->status == NET_TIMEOUT)
        return g_strdup_printf("Get \"%s\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                               call->url);
    if (call->kind == HOST_PROBE_HTTP)
        return g_strdup_printf("Get \"%s\": dial tcp %s: %s", call->url, call->target, what);
    if (call->kind == HOST_PROBE_GRPC)
        return g_strdup_printf("timeout: failed to connect service \"%s\" within 1s: context deadline exceeded",
                               call->target);
    return g_strdup_printf("dial tcp %s: %s", call->target, what);
}

static void
probe_call_free(void *data)
{
    ProbeCall *call = data;
    g_free(call->target);
    g_free(call->url);
    g_free(call);
}

static void
probe_answered(const SimulatedAnswer *answer, void *data)
{
    ProbeCall *call = data;
    g_autofree char *error = probe_error(call, answer);
    ProbeReply reply = {.error = error, .http_status = call->kind == HOST_PROBE_HTTP ? answer->http_status : 0,
                        .body = answer->body};
    call->done(&reply, call->data);
    probe_call_free(call);
}

static void
host_probe(Host *host, const HostProbe *probe, HostProbeDone done, void *data)
{
    SimulatedNode *node = host_node(host);
    ProbeCall *call = g_new0(ProbeCall, 1);
    call->done = done;
    call->data = data;
    call->kind = (int)probe->kind;
    call->target = g_strdup_printf("%s:%u", probe->address, probe->port);
    g_autofree char *scheme = g_ascii_strdown(probe->scheme != NULL ? probe->scheme : "http", -1);
    const char *path = probe->path != NULL ? probe->path : "/";
    call->url = g_strdup_printf("%s://%s%s%s", scheme, call->target, path[0] == '/' ? "" : "/", path);
    SimulatedRequest request = {.protocol = probe->kind == HOST_PROBE_TCP    ? SIMULATED_TCP
                                            : probe->kind == HOST_PROBE_HTTP ? SIMULATED_HTTP
                                                                             : SIMULATED_GRPC,
                                .from = node->name,
                                .to = probe->address,
                                .port = probe->port,
                                .path = path,
                                .http_host = probe->http_host,
                                .timeout_ns = probe->timeout_ns,
                                .free_data = probe_call_free};
    simulated_net_request(node->backend->net, node->kubelet, &request, probe_answered, call);
}

/* ---- static pods ---- */

static Value *
host_static_pods(Host *host)
{
    return value_ref(host_node(host)->static_pods);
}

static void
host_set_static_pods_listener(Host *host, void (*changed)(void *data), void *data)
{
    NodeHost *own = (NodeHost *)host;
    own->static_pods_changed = changed;
    own->static_pods_data = data;
}

const HostOps simulated_host_ops = {
    .node_facts = host_node_facts,
    .pressure = host_pressure,
    .publish_volume = host_publish_volume,
    .make_empty_dir = host_make_empty_dir,
    .check_host_path = host_check_host_path,
    .mount_persistent_volume = host_mount_persistent_volume,
    .volume_path = host_volume_path,
    .remove_pod_dirs = host_remove_pod_dirs,
    .probe = host_probe,
    .read_log = host_read_log,
    .watch_log = host_watch_log,
    .unwatch_log = host_unwatch_log,
    .remove_log = host_remove_log,
    .static_pods = host_static_pods,
    .set_static_pods_listener = host_set_static_pods_listener,
};
