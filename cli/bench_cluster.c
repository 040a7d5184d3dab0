/* A whole cluster: every component on, all client limits off, 100 Deployments until each of their
 * pods runs. */
#include "cli/bench.h"

#include <stdio.h>
#include <string.h>

#include "core/api/pod.h"
#include "core/base/error.h"
#include "sim/world/world.h"

#define NODES_DEFAULT 5000
#define PODS_DEFAULT 150000
#define DEPLOYMENTS_DEFAULT 100
#define READY_MAX_NS (600 * NS_PER_S)
#define RUNNING_MAX_NS (3600 * NS_PER_S)

typedef struct Progress {
    int nodes;
    int64_t pods, deployments;
} Progress;

/* Asked often: ends at the first node that is not ready. */
static bool
nodes_are_ready(World *world, void *data)
{
    Progress *progress = data;
    PMap *nodes = world_objects(world, "", "nodes");
    PMapIter iter = pmap_seek(nodes, "");
    while (pmap_next(&iter))
        if (strcmp(value_text_at(iter.value, "spec.taints[0].key"),
                   "node.kubernetes.io/not-ready") == 0)
            return false;
    return pmap_count(nodes) > (size_t)progress->nodes;
}

static bool
deployments_are_available(World *world, void *data)
{
    Progress *progress = data;
    PMapIter iter = pmap_seek(world_objects(world, "apps", "deployments"), "");
    int64_t available = 0;
    while (pmap_next(&iter))
        if (strcmp(value_text_at(iter.value, "metadata.namespace"), "default") == 0)
            available += value_int(value_at(iter.value, "status.availableReplicas"));
    return available >= progress->pods;
}

static bool
call(World *world, ApiRequest *take, GError **error)
{
    ApiResponse *response = world_call(world, take);
    bool done = response->code < 300;
    if (!done)
        fail(error, TIMONEL_ERROR_UNAVAILABLE, "%s", value_text_at(response->object, "message"));
    api_response_free(response);
    return done;
}

static bool
make_deployments(World *world, const Progress *progress, GError **error)
{
    for (int64_t i = 0; i < progress->deployments; i++) {
        g_autofree char *name = g_strdup_printf("app-%" G_GINT64_FORMAT, i);
        int64_t replicas = progress->pods / progress->deployments +
                           (i < progress->pods % progress->deployments);
        ApiRequest *request =
            api_request_new(API_VERB_CREATE, "apps", "deployments", "default", NULL);
        request->body = value_new_f(
            "{apiVersion: 'apps/v1', kind: Deployment, metadata: {name: %s, namespace: default},"
            " spec: {replicas: %i, selector: {matchLabels: {app: %s}}, template: {metadata:"
            " {labels: {app: %s}}, spec: {containers: [{name: app, image:"
            " 'registry.k8s.io/pause:3.10', resources: {requests: {cpu: 10m, memory: 10Mi}}}]}}}}",
            name, replicas, name, name);
        if (!call(world, request, error))
            return false;
    }
    return true;
}

static Value *
cluster_document(int nodes)
{
    return value_new_f(
        "{apiVersion: 'sim.timonel.dev/v1', kind: Cluster, metadata: {name: bench}, spec:"
        " {networking: {podCIDR: '10.0.0.0/8', serviceCIDR: '172.30.0.0/16'},"
        " controlPlane: {count: 1}, nodeGroups: [{name: worker, count: %i, cpu: '4',"
        " memory: 32Gi}]}}",
        (int64_t)nodes);
}

static Value *
sizes(const Progress *progress, World *world, double wall)
{
    return value_new_f(
        "{nodes: %i, pods: %i, deployments: %i, events: %i, virtual_seconds: %d, wall_seconds: %d}",
        (int64_t)progress->nodes, progress->pods, progress->deployments,
        (int64_t)engine_events_run(world_engine(world)),
        (double)(world_now(world) - WORLD_EPOCH_NS) / 1e9, wall);
}

bool
bench_cluster(const BenchOptions *options, const char *what, GError **error)
{
    Progress progress = {.nodes = options->nodes != 0 ? options->nodes : NODES_DEFAULT,
                         .pods = options->pods != 0 ? options->pods : PODS_DEFAULT,
                         .deployments = options->deployments != 0 ? options->deployments
                                                                  : DEPLOYMENTS_DEFAULT};
    g_autoptr(Value) document = cluster_document(progress.nodes);
    BenchTimer timer = bench_timer_start();
    g_autoptr(World) world =
        world_new(&(WorldOptions){.cluster = document, .no_client_limits = true}, error);
    if (world == NULL)
        return false;
    if (!world_boot(world) ||
        !world_run_until_true(world, READY_MAX_NS, nodes_are_ready, &progress))
        return fail(error, TIMONEL_ERROR_UNAVAILABLE, "the nodes did not become ready");
    double nodes_cpu = bench_timer_cpu(&timer);
    bench_report("cluster.nodes_ready", nodes_cpu, "cpu seconds",
                 sizes(&progress, world, bench_timer_wall(&timer)), "port/net", "memory",
                 nodes_cpu);
    if (!make_deployments(world, &progress, error))
        return false;
    if (!world_run_until_true(world, RUNNING_MAX_NS, deployments_are_available, &progress))
        return fail(error, TIMONEL_ERROR_UNAVAILABLE, "the pods did not become available");
    double cpu = bench_timer_cpu(&timer);
    bench_report("cluster.pods_running", cpu, "cpu seconds",
                 sizes(&progress, world, bench_timer_wall(&timer)), "port/net", "memory", cpu);
    bench_report("cluster.ns_per_pod", (cpu - nodes_cpu) * 1e9 / (double)progress.pods, "ns/pod",
                 value_new_f("{nodes: %i, pods: %i}", (int64_t)progress.nodes, progress.pods),
                 "port/net", "memory", cpu - nodes_cpu);
    return true;
}
