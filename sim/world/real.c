/* Machines of back end runc: their containers are real ones, started on this very machine. The node's components
 * (kube-proxy, CoreDNS) stay processes of the world, on the simulated twin that such a machine has, too. */
#include "sim/world/world_private.h"

#include <string.h>

#define REAL_DIRECTORY "/var/lib/timonel"

static void
real_catch_up(void *context)
{
    World *world = ((Machine *)context)->world;
    if (world->catch_up != NULL)
        world->catch_up(world->catch_up_data);
}

static bool
real_is_component(const char *image, void *context)
{
    World *world = ((Machine *)context)->world;
    g_auto(ImageName) name = {0};
    if (!image_name_parse(image, &name))
        return false;
    const ImageModel *model = simulated_images_find(simulated_backend_images(world->backend), &name);
    return model != NULL && model->process != NULL;
}

static EngineProcess *
real_proxy_process(void *context)
{
    return simulated_node_find_process(((Machine *)context)->node, "kube-proxy");
}

bool
machine_make_real(Machine *machine, GError **error)
{
    const Topology *topology = cluster_topology(machine->world->cluster);
    const TopologyNode *node = machine->topology;
    if (g_strcmp0(node->backend, "runc") != 0)
        return true;
    const RuncNodeOptions options = {
        .engine = machine->world->engine,
        .cluster = topology->name,
        .name = node->name,
        .ip = node->ip,
        .directory = REAL_DIRECTORY,
        .kubelet_version = topology->kubernetes_version,
        .cpu = value_text(node->cpu),
        .memory = value_text(node->memory),
        .pods = node->pods,
        .catch_up = real_catch_up,
        .is_component = real_is_component,
        .components = simulated_node_runtime(machine->node),
        .components_host = simulated_node_host(machine->node),
        .components_dataplane = simulated_node_dataplane(machine->node),
        .proxy_process = real_proxy_process,
        .context = machine,
    };
    machine->real = runc_node_new(&options, error);
    return machine->real != NULL;
}

Runtime *
machine_runtime(Machine *machine)
{
    return machine->real != NULL ? runc_node_runtime(machine->real) : simulated_node_runtime(machine->node);
}

Host *
machine_host(Machine *machine)
{
    return machine->real != NULL ? runc_node_host(machine->real) : simulated_node_host(machine->node);
}

Dataplane *
machine_dataplane(Machine *machine)
{
    return machine->real != NULL ? runc_node_dataplane(machine->real) : simulated_node_dataplane(machine->node);
}

void
machine_set_kubelet(Machine *machine, EngineProcess *process)
{
    simulated_node_set_kubelet(machine->node, process);
    if (machine->real != NULL)
        runc_node_set_kubelet(machine->real, process);
}

bool
world_is_real(const World *world)
{
    for (guint i = 0; i < world->machines->len; i++)
        if (((const Machine *)world->machines->pdata[i])->real != NULL)
            return true;
    return false;
}

void
world_on_catch_up(World *world, void (*catch_up)(void *data), void *data)
{
    world->catch_up = catch_up;
    world->catch_up_data = data;
}
