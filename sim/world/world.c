/* The composition root. The order in which things are made is the order in which they are powered on, and so part of the
 * trace: do not sort it differently. */
#include "sim/world/world_private.h"

#include <string.h>

#include "core/api/node.h"
#include "core/base/error.h"
#include "core/cluster/manifests.h"
#include "sim/backend/store/sqlite.h"

#define BOOT_MAX_NS (60 * NS_PER_S)
#define LOOK_EVERY_NS (10 * NS_PER_MS)
#define OUTSIDE_HOST "operator"
#define OUTSIDE_IP "172.18.255.254"

/* ---- the API server's news about nodes: the container network gets each node's range (as a CNI plug-in does) ---- */

static void
node_changed(StoreBucket *bucket, const StoreEvent *event, void *data)
{
    World *world = data;
    const char *cidr = value_string_at(event->value, "spec.podCIDR");
    Machine *machine = world_machine(world, value_text_at(event->value, "metadata.name"));
    if (event->type != STORE_DELETED && cidr != NULL && machine != NULL)
        simulated_node_set_pod_cidr(machine->node, cidr);
}

/* ---- making --------------------------------------------------------------------------------------------------- */

static Machine *
machine_new(World *world, const TopologyNode *topology)
{
    Machine *machine = g_new0(Machine, 1);
    machine->world = world;
    machine->topology = topology;
    g_auto(GStrv) images = cluster_node_images(cluster_topology(world->cluster), topology);
    const SimulatedNodeOptions options = {
        .preloaded = (const char *const *)images,
        .name = topology->name,
        .ip = topology->ip,
        .os = topology->os,
        .arch = topology->arch,
        .cpu = value_text(topology->cpu),
        .memory = value_text(topology->memory),
        .ephemeral_storage = value_text(topology->ephemeral_storage),
        .pods = topology->pods,
        .kubelet_version = cluster_topology(world->cluster)->kubernetes_version,
    };
    machine->node = simulated_node_new(world->backend, &options);
    simulated_node_set_static_pods(machine->node,
                                   cluster_static_pods(cluster_topology(world->cluster), topology));
    return machine;
}

static void
machine_free(void *data)
{
    Machine *machine = data;
    machine_stop_kubelet(machine, ENGINE_DEATH_POWER_LOSS);
    simulated_node_power_off(machine->node); /* the components in its containers end */
    runc_node_free(machine->real);
    g_free(machine);
}

static EngineProcess *
outside_process(World *world, const char *name, const char *host)
{
    EngineProcess *process =
        engine_process_new(world->engine, &(EngineProcessOptions){.name = name, .host = host});
    simulated_net_attach(world->net, process, NULL);
    return process;
}

/* A stored cluster knows its nodes' ranges already. */
static void
adopt_stored_nodes(World *world, StoreBucket *nodes)
{
    PMapIter iter = pmap_seek(store_committed(nodes), "");
    while (pmap_next(&iter)) {
        const Value *node = iter.value;
        Machine *machine = world_machine(world, value_text_at(node, "metadata.name"));
        const char *cidr = value_string_at(node, "spec.podCIDR");
        if (machine != NULL && cidr != NULL)
            simulated_node_set_pod_cidr(machine->node, cidr);
    }
}

static void
request_seen(const ApiRequest *request, void *data)
{
    world_record_request(data, request);
}

static bool
make_cluster(World *world, const WorldOptions *options, Topology *topology, GError **error)
{
    StoreDriver *driver = NULL;
    Clock *clock = engine_process_ports(world->disk)->clock;
    if (options->store_path != NULL &&
        (driver = store_driver_sqlite_new(options->store_path, clock, error)) == NULL) {
        topology_free(topology);
        return false;
    }
    const ClusterOptions cluster = {
        .topology = topology,
        .driver = driver,
        .disk_ports = engine_process_ports(world->disk),
        .no_client_limits = options->no_client_limits,
        .service_account_key = options->service_account_key,
        .root_ca = options->root_ca,
        .admin_token = options->admin_token,
    };
    world->cluster = cluster_new(&cluster, error);
    if (world->cluster != NULL)
        cluster_observe_requests(world->cluster, request_seen, world);
    return world->cluster != NULL;
}

static void
start_kubeadm(World *world)
{
    Machine *first = world->machines->pdata[0];
    world->kubeadm = outside_process(world, "kubeadm", first->topology->name);
    world->bootstrap =
        cluster_process_start(world->cluster, "kubeadm", first->topology->name,
                              engine_process_ports(world->kubeadm), NULL, NULL, NULL);
}

World *
world_new(const WorldOptions *options, GError **error)
{
    Topology *topology = topology_parse(options->cluster, error);
    if (topology == NULL)
        return NULL;
    World *world = g_new0(World, 1);
    world->start_ns = options->start_ns != 0 ? options->start_ns : WORLD_EPOCH_NS;
    world->inputs = inputs_new();
    world->fault_target.ops = &WORLD_FAULT_OPS;
    world->machines = g_ptr_array_new_with_free_func(machine_free);
    world->machines_by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_queue_init(&world->outside_calls);
    world->engine = engine_new(&(EngineOptions){
        .seed = options->seed != 0 ? options->seed : WORLD_SEED_DEFAULT,
        .start_ns = world->start_ns});
    world->net = simulated_net_new(world->engine);
    simulated_net_add_host(world->net, OUTSIDE_HOST, OUTSIDE_IP);
    world->disk = outside_process(world, "disk", OUTSIDE_HOST);
    world->outside = outside_process(world, "kubectl", OUTSIDE_HOST);
    world->backend = simulated_backend_new(world->engine, world->net);
    simulated_backend_set_process_factory(world->backend, &WORLD_PROCESS_FACTORY, world);
    simulated_backend_set_rules_ops(world->backend, &WORLD_RULES_OPS);
    simulated_backend_set_dns(world->backend, &WORLD_DNS_OPS);
    if (topology->images != NULL &&
        !simulated_images_add(simulated_backend_images(world->backend), topology->images, error)) {
        topology_free(topology);
        world_free(world);
        return NULL;
    }
    if (!make_cluster(world, options, topology, error)) {
        world_free(world);
        return NULL;
    }
    const Topology *shape = cluster_topology(world->cluster);
    for (guint i = 0; i < shape->nodes->len; i++) {
        Machine *machine = machine_new(world, topology_item(shape, i));
        g_ptr_array_add(world->machines, machine);
        g_hash_table_insert(world->machines_by_name, machine->topology->name, machine);
    }
    StoreBucket *nodes = store_bucket(cluster_store(world->cluster), "nodes");
    store_listen(nodes, node_changed, world);
    adopt_stored_nodes(world, nodes);
    world_sim_objects_start(world);
    for (guint i = 0; i < world->machines->len; i++) {
        if (!machine_make_real(world->machines->pdata[i], error)) {
            world_free(world);
            return NULL;
        }
    }
    for (guint i = 0; i < world->machines->len; i++) {
        machine_start_kubelet(world->machines->pdata[i]);
        world_trace(world)->current = 0; /* one machine's start is not the next one's cause */
    }
    if (!options->no_addons)
        start_kubeadm(world);
    return world;
}

void
world_free(World *world)
{
    if (world == NULL)
        return;
    world_outside_clear(world);
    if (world->cluster != NULL)
        store_unlisten(store_bucket(cluster_store(world->cluster), "nodes"), node_changed, world);
    world_sim_objects_stop(world);
    if (world->kubeadm != NULL)
        engine_process_kill(world->kubeadm, ENGINE_DEATH_KILLED);
    cluster_process_stop(world->bootstrap);
    engine_process_free(world->kubeadm);
    g_ptr_array_unref(world->machines);
    g_hash_table_unref(world->machines_by_name);
    world_settle(world); /* components that just died are freed by events of their own */
    simulated_backend_free(world->backend);
    cluster_free(world->cluster);
    engine_process_free(world->outside);
    engine_process_free(world->disk);
    simulated_net_free(world->net);
    engine_free(world->engine);
    inputs_free(world->inputs);
    g_free(world);
}

Machine *
world_machine(World *world, const char *node)
{
    return node != NULL ? g_hash_table_lookup(world->machines_by_name, node) : NULL;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

Engine *
world_engine(World *world)
{
    return world->engine;
}

EngineTrace *
world_trace(World *world)
{
    return engine_trace(world->engine);
}

Cluster *
world_cluster(World *world)
{
    return world->cluster;
}

SimulatedNet *
world_net(World *world)
{
    return world->net;
}

const ApiTypes *
world_types(const World *world)
{
    return cluster_types(world->cluster);
}

uint64_t
world_seed(const World *world)
{
    return engine_seed(world->engine);
}

FaultTarget *
world_fault_target(World *world)
{
    return &world->fault_target;
}

const Ports *
world_outside_ports(World *world)
{
    return engine_process_ports(world->outside);
}

/* ---- time ---------------------------------------------------------------------------------------------------------- */

int64_t
world_now(const World *world)
{
    return engine_now(world->engine);
}

bool
world_step(World *world)
{
    return engine_step(world->engine);
}

void
world_run_until(World *world, int64_t time_ns)
{
    engine_run_until(world->engine, time_ns);
}

void
world_run_for(World *world, int64_t duration_ns)
{
    engine_run_until(world->engine, world_now(world) + duration_ns);
}

void
world_settle(World *world)
{
    engine_run_until(world->engine, world_now(world));
}

bool
world_run_until_true(World *world, int64_t timeout_ns, bool (*holds)(World *world, void *data),
                     void *data)
{
    int64_t end = world_now(world) + timeout_ns;
    while (!holds(world, data)) {
        if (world_now(world) >= end)
            return false;
        int64_t next = engine_next_time(world->engine);
        if (next == ENGINE_TIME_NEVER || next > end)
            next = end;
        engine_run_until(world->engine, MIN(MAX(next, world_now(world)) + LOOK_EVERY_NS, end));
    }
    return true;
}

static bool
api_is_ready(World *world, void *data)
{
    ApiServer *server = world_api_server(world);
    return server != NULL && api_server_is_ready(server);
}

bool
world_boot(World *world)
{
    if (!world_run_until_true(world, BOOT_MAX_NS, api_is_ready, NULL))
        return false;
    world_sim_objects_publish(world);
    return true;
}

/* ---- looking ---------------------------------------------------------------------------------------------------------- */

ApiServer *
world_api_server(World *world)
{
    return cluster_etcd_is_running(world->cluster) ? cluster_api_server(world->cluster) : NULL;
}

static StoreBucket *
bucket_of(World *world, const char *group, const char *resource)
{
    const ApiKind *kind = api_types_by_resource(world_types(world), group, NULL, resource);
    if (kind == NULL)
        return NULL;
    return store_bucket(cluster_store(world->cluster), api_kind_qualified(kind));
}

PMap *
world_objects(World *world, const char *group, const char *resource)
{
    StoreBucket *bucket = bucket_of(world, group, resource);
    return bucket != NULL ? store_committed(bucket) : NULL;
}

const Value *
world_peek(World *world, const char *group, const char *resource, const char *namespace_,
           const char *name)
{
    PMap *objects = world_objects(world, group, resource);
    if (objects == NULL)
        return NULL;
    g_autofree char *key = namespace_ != NULL && *namespace_ != '\0'
                               ? g_strconcat(namespace_, "/", name, NULL)
                               : g_strdup(name);
    return pmap_get(objects, key);
}

GPtrArray *
world_why(World *world, const char *subject)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    const WhyOptions options = {.epoch = world->start_ns,
                                .translate = world->translate,
                                .translate_data = world->translate_data};
    g_autofree char *text = why_subject(world_trace(world), subject, &options);
    g_auto(GStrv) parts = g_strsplit(text != NULL ? text : "", "\n", -1);
    for (size_t i = 0; parts[i] != NULL; i++)
        if (*parts[i] != '\0')
            g_ptr_array_add(lines, g_strdup(parts[i]));
    return lines;
}

void
world_set_translate(World *world, WhyTranslateFunc translate, void *data)
{
    world->translate = translate;
    world->translate_data = data;
}
