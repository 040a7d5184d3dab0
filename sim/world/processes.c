/* Component processes in containers: when the container of an image with `process: NAME` starts, that process starts. */
#include "sim/world/world_private.h"

typedef struct Running {
    World *world;
    ClusterProcess *process;
    EngineProcess *engine_process;
} Running;

/* A component that gives up (a leader that lost its lease) exits, and its container with it. */
static void
process_exited(int code, void *data)
{
    Running *running = data;
    engine_process_kill(running->engine_process, ENGINE_DEATH_KILLED);
}

static void *
process_start(const char *process, EngineProcess *engine_process, const char *node,
              const Value *container, void *data)
{
    World *world = data;
    Machine *machine = world_machine(world, node);
    Running *running = g_new0(Running, 1);
    running->world = world;
    running->engine_process = engine_process;
    running->process = cluster_process_start(
        world->cluster, process, node, engine_process_ports(engine_process),
        machine_dataplane(machine), process_exited, running);
    if (running->process == NULL) {
        g_free(running);
        return NULL;
    }
    return running;
}

static void
process_stop(void *handle, void *data)
{
    Running *running = handle;
    cluster_process_stop(running->process);
    g_free(running);
}

const SimulatedProcessFactory WORLD_PROCESS_FACTORY = {.start = process_start,
                                                       .stop = process_stop};
