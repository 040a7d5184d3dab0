/* A machine's own doings: its init system starts the kubelet and starts it again ten seconds after it died (kubeadm's
 * systemd unit: Restart=always, RestartSec=10). */
#include "sim/world/world_private.h"

#define RESTART_NS (10 * NS_PER_S)

static void
restart_kubelet(void *data)
{
    Machine *machine = data;
    machine->restart = 0;
    machine_stop_kubelet(machine, ENGINE_DEATH_KILLED);
    machine_start_kubelet(machine);
}

static void
kubelet_died(EngineProcess *process, EngineDeath death, void *data)
{
    Machine *machine = data;
    if (death == ENGINE_DEATH_KILLED)
        machine->restart =
            engine_in(machine->world->engine, NULL, RESTART_NS, restart_kubelet, machine);
}

void
machine_start_kubelet(Machine *machine)
{
    World *world = machine->world;
    machine->process =
        engine_process_new(world->engine, &(EngineProcessOptions){
                                              .name = "kubelet", .host = machine->topology->name});
    simulated_net_attach(world->net, machine->process, NULL);
    engine_process_on_death(machine->process, kubelet_died, machine);
    machine_set_kubelet(machine, machine->process);
    machine->kubelet = cluster_kubelet_start(
        world->cluster, machine->topology->name, engine_process_ports(machine->process),
        machine_runtime(machine), machine_host(machine),
        &machine->client);
}

void
machine_stop_kubelet(Machine *machine, EngineDeath death)
{
    engine_cancel_slot(machine->world->engine, &machine->restart);
    if (machine->process == NULL)
        return;
    engine_process_forget_on_death(machine->process, kubelet_died, machine);
    engine_process_kill(machine->process, death);
    machine_set_kubelet(machine, NULL);
    kubelet_free(machine->kubelet);
    client_free(machine->client);
    engine_process_free(machine->process);
    machine->kubelet = NULL;
    machine->client = NULL;
    machine->process = NULL;
}

void
machine_power(Machine *machine, bool on)
{
    if (simulated_node_has_power(machine->node) == on)
        return;
    if (!on) {
        /* First the plug: what dies afterwards can tell nobody. */
        simulated_node_power_off(machine->node);
        machine_stop_kubelet(machine, ENGINE_DEATH_POWER_LOSS);
        return;
    }
    simulated_node_power_on(machine->node);
    machine_start_kubelet(machine);
}
