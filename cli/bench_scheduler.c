/* kube-scheduler's own benchmark (scheduler_perf) through our API: an API server, a store in memory
 * and the scheduler's process in an engine, a client that creates nodes and pods. No kubelets and
 * no controllers, as there. */
#include "cli/bench.h"

#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/cluster/cluster.h"
#include "sim/backend/simulated/net.h"

#define HOST "control-plane-1"
#define NODES_DEFAULT 5000
#define PODS_BEFORE 1000  /* as scheduler_perf */
#define PODS_DEFAULT 3000 /* scheduler_perf measures 1,000: too short here for a steady figure */
#define IN_FLIGHT_MAX 500 /* creations that wait for their answer */
#define STALLED_NS (120 * NS_PER_S)

typedef struct Variant {
    const char *name;
    const char *labels; /* of the pods that are measured; relaxed JSON */
    const char *spec;   /* besides containers; with a comma behind */
    bool also_before;   /* the pods before have it, too */
} Variant;

static const Variant VARIANTS[] = {
    {"basic", "{}", "", true},
    {"anti-affinity", "{color: green}",
     "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution:"
     " [{labelSelector: {matchLabels: {color: green}}, topologyKey: kubernetes.io/hostname,"
     " namespaces: [before, measured]}]}}, ",
     true},
    {"topology-spread", "{color: blue}",
     "topologySpreadConstraints: [{maxSkew: 5, topologyKey: topology.kubernetes.io/zone,"
     " whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {color: blue}}}], ",
     false},
    {"node-affinity", "{}",
     "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution:"
     " {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone,"
     " operator: In, values: [zone1, zone2]}]}]}}}, ",
     true},
};

typedef struct Rig {
    Engine *engine;
    SimulatedNet *net;
    EngineProcess *disk, *person, *components[3];
    ClusterProcess *processes[3];
    Cluster *cluster;
    Client *client;
    int answered, failed;
    char *first_failure;
} Rig;

static const char *const COMPONENTS[] = {"etcd", "kube-apiserver", "kube-scheduler"};

static EngineProcess *
process_new(Rig *rig, const char *name)
{
    EngineProcess *process =
        engine_process_new(rig->engine, &(EngineProcessOptions){.name = name, .host = HOST});
    simulated_net_attach(rig->net, process, NULL);
    return process;
}

static bool
rig_init(Rig *rig, GError **error)
{
    static const char *const HOSTS[] = {HOST, NULL};
    static const char *const MASTERS[] = {"system:masters", "system:authenticated", NULL};
    g_autoptr(Value) document =
        value_new_f("{apiVersion: 'sim.timonel.dev/v1', kind: Cluster, metadata: {name: bench},"
                    " spec: {controlPlane: {count: 1}, nodeGroups: []}}");
    Topology *topology = topology_parse(document, error);
    if (topology == NULL)
        return false;
    rig->engine = engine_new(&(EngineOptions){.seed = 1, .start_ns = 1767225600 * NS_PER_S});
    rig->net = simulated_net_new(rig->engine);
    simulated_net_add_host(rig->net, HOST, topology_item(topology, 0)->ip);
    rig->disk = process_new(rig, "disk");
    rig->person = process_new(rig, "bench");
    const ClusterOptions options = {.topology = topology,
                                    .disk_ports = engine_process_ports(rig->disk),
                                    .no_client_limits = true};
    rig->cluster = cluster_new(&options, error);
    if (rig->cluster == NULL)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(COMPONENTS); i++) {
        rig->components[i] = process_new(rig, COMPONENTS[i]);
        rig->processes[i] =
            cluster_process_start(rig->cluster, COMPONENTS[i], HOST,
                                  engine_process_ports(rig->components[i]), NULL, NULL, NULL);
    }
    const Ports *ports = engine_process_ports(rig->person);
    g_autoptr(ApiUser) user = api_user_new("kubernetes-admin", MASTERS);
    rig->client =
        client_new(ports, cluster_types(rig->cluster),
                   transport_net_new(ports, HOSTS, 6443, user, "bench"), &(ClientOptions){0});
    engine_run_until(rig->engine, engine_now(rig->engine) + 20 * NS_PER_S); /* a leader by now */
    return true;
}

static void
rig_clear(Rig *rig)
{
    client_free(rig->client);
    for (size_t i = 0; i < G_N_ELEMENTS(COMPONENTS); i++)
        if (rig->components[i] != NULL)
            engine_process_kill(rig->components[i], ENGINE_DEATH_KILLED);
    for (size_t i = G_N_ELEMENTS(COMPONENTS); i-- > 0;) {
        cluster_process_stop(rig->processes[i]);
        engine_process_free(rig->components[i]);
    }
    if (rig->engine != NULL)
        engine_drop_pending(rig->engine);
    cluster_free(rig->cluster);
    engine_process_free(rig->person);
    engine_process_free(rig->disk);
    if (rig->net != NULL)
        simulated_net_free(rig->net);
    if (rig->engine != NULL)
        engine_free(rig->engine);
    g_free(rig->first_failure);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rig, rig_clear)

static void
answered(ApiResponse *response, void *data)
{
    Rig *rig = data;
    rig->answered++;
    if (response->code >= 300) {
        rig->failed++;
        if (rig->first_failure == NULL)
            rig->first_failure = g_strdup(value_text_at(response->object, "message"));
    }
    api_response_free(response);
}

/* Runs the engine until all but `open` of `asked` requests were answered. */
static bool
await(Rig *rig, int asked, int open, GError **error)
{
    while (rig->answered < asked - open)
        if (!engine_step(rig->engine))
            break;
    if (rig->failed == 0 && rig->answered >= asked - open)
        return true;
    return fail(error, TIMONEL_ERROR_UNAVAILABLE, "%d requests failed: %s", rig->failed,
                rig->first_failure != NULL ? rig->first_failure : "no answer");
}

static Value *
node_new(int i)
{
    g_autofree char *name = g_strdup_printf("node-%d", i);
    g_autofree char *zone = g_strdup_printf("zone%d", i % 3 + 1);
    return value_new_f(
        "{apiVersion: v1, kind: Node, metadata: {name: %s, labels: {'kubernetes.io/hostname': %s,"
        " 'topology.kubernetes.io/zone': %s}}, spec: {}, status: {capacity: {cpu: '4',"
        " memory: 32Gi, pods: '110'}, allocatable: {cpu: '4', memory: 32Gi, pods: '110'},"
        " conditions: [{type: Ready, status: 'True'}]}}",
        name, name, zone);
}

/* New nodes bear the taint of one that is not ready: no controller is here to take it off. */
static bool
make_nodes(Rig *rig, int nodes, GError **error)
{
    rig->answered = 0;
    for (int i = 0; i < nodes; i++) {
        client_create(rig->client, "", "nodes", NULL, node_new(i), answered, rig);
        if (!await(rig, i + 1, IN_FLIGHT_MAX, error))
            return false;
    }
    if (!await(rig, nodes, 0, error))
        return false;
    rig->answered = 0;
    for (int i = 0; i < nodes; i++) {
        g_autofree char *name = g_strdup_printf("node-%d", i);
        client_patch(rig->client, "", "nodes", NULL, name, NULL, PATCH_MERGE,
                     value_new_f("{spec: {taints: null}}"), answered, rig);
        if (!await(rig, i + 1, IN_FLIGHT_MAX, error))
            return false;
    }
    return await(rig, nodes, 0, error);
}

static Value *
pod_new(const char *name, const char *namespace_, const Variant *variant)
{
    g_autofree char *format = g_strdup_printf(
        "{apiVersion: v1, kind: Pod, metadata: {name: %%s, namespace: %%s, labels: %s},"
        " spec: {%scontainers: [{name: pause, image: 'registry.k8s.io/pause:3.10', resources:"
        " {requests: {cpu: 100m, memory: 500Mi}}}]}}",
        variant != NULL ? variant->labels : "{}", variant != NULL ? variant->spec : "");
    return value_new_f(format, name, namespace_);
}

/* Creates the pods and runs until the scheduler has bound them all. */
static bool
schedule(Rig *rig, const char *namespace_, int pods, const Variant *variant, GError **error)
{
    rig->answered = 0;
    for (int i = 0; i < pods; i++) {
        g_autofree char *name = g_strdup_printf("pod-%d", i);
        client_create(rig->client, "", "pods", namespace_, pod_new(name, namespace_, variant),
                      answered, rig);
        if (!await(rig, i + 1, IN_FLIGHT_MAX, error))
            return false;
    }
    if (!await(rig, pods, 0, error))
        return false;
    int64_t end = engine_now(rig->engine) + STALLED_NS;
    for (int bound = 0; bound < pods;) {
        g_autofree char *name = g_strdup_printf("pod-%d", bound);
        const Value *pod =
            api_server_peek(cluster_api_server(rig->cluster), "", "pods", namespace_, name);
        if (value_string_at(pod, "spec.nodeName") != NULL) {
            bound++;
            continue;
        }
        if (engine_now(rig->engine) > end)
            return fail(error, TIMONEL_ERROR_UNAVAILABLE, "%d of %d pods were scheduled", bound,
                        pods);
        engine_run_until(rig->engine, engine_now(rig->engine) + NS_PER_MS);
    }
    return true;
}

static bool
make_namespaces(Rig *rig, GError **error)
{
    static const char *const NAMES[] = {"before", "measured"};
    rig->answered = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        client_create(
            rig->client, "", "namespaces", NULL,
            value_new_f("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}", NAMES[i]),
            answered, rig);
    }
    if (!await(rig, G_N_ELEMENTS(NAMES), 0, error))
        return false;
    rig->answered = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) /* no controller makes them */
        client_create(rig->client, "", "serviceaccounts", NAMES[i],
                      value_new_f("{apiVersion: v1, kind: ServiceAccount, metadata:"
                                  " {name: default, namespace: %s}}",
                                  NAMES[i]),
                      answered, rig);
    return await(rig, G_N_ELEMENTS(NAMES), 0, error);
}

static bool
run_variant(const BenchOptions *options, const Variant *variant, GError **error)
{
    g_auto(Rig) rig = {0};
    int nodes = options->nodes != 0 ? options->nodes : NODES_DEFAULT;
    int pods = options->pods != 0 ? options->pods : PODS_DEFAULT;
    int before = MIN(pods, PODS_BEFORE);
    if (!rig_init(&rig, error) || !make_namespaces(&rig, error) ||
        !make_nodes(&rig, nodes, error) ||
        !schedule(&rig, "before", before, variant->also_before ? variant : NULL, error))
        return false;
    BenchTimer timer = bench_timer_start();
    if (!schedule(&rig, "measured", pods, variant, error))
        return false;
    g_autofree char *name = g_strdup_printf("scheduler.%s", variant->name);
    double cpu = bench_timer_cpu(&timer), wall = bench_timer_wall(&timer);
    bench_report(name, pods / cpu, "pods/s",
                 value_new_f("{nodes: %i, pods_before: %i, pods: %i, wall_seconds: %d,"
                             " per: 'cpu second'}",
                             (int64_t)nodes, (int64_t)before, (int64_t)pods, wall),
                 "port/net", "memory", cpu);
    return true;
}

bool
bench_scheduler(const BenchOptions *options, const char *what, GError **error)
{
    bool found = false;
    for (size_t i = 0; i < G_N_ELEMENTS(VARIANTS); i++) {
        if (what != NULL && strcmp(what, VARIANTS[i].name) != 0)
            continue;
        found = true;
        if (!run_variant(options, &VARIANTS[i], error))
            return false;
    }
    if (!found)
        return fail(error, TIMONEL_ERROR_NOT_FOUND,
                    "no workload is called \"%s\": basic, anti-affinity, topology-spread or "
                    "node-affinity",
                    what);
    return true;
}
