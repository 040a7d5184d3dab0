/* What a world offers to faults. */
#include <string.h>

#include "core/api/pod.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "sim/world/world_private.h"

static World *
world_of(FaultTarget *target)
{
    return (World *)((char *)target - offsetof(World, fault_target));
}

static Machine *
find_machine(FaultTarget *target, const char *node, GError **error)
{
    World *world = world_of(target);
    Machine *machine = node != NULL ? world_machine(world, node) : NULL;
    if (machine != NULL)
        return machine;
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < world->machines->len && i < 20; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
                               ((Machine *)world->machines->pdata[i])->topology->name);
    fail(error, TIMONEL_ERROR_NOT_FOUND, "no node is called \"%s\"; there are %s",
         node != NULL ? node : "", names->str);
    g_string_free(names, TRUE);
    return NULL;
}

static bool
fault_node_power(FaultTarget *target, const char *node, bool on, GError **error)
{
    Machine *machine = find_machine(target, node, error);
    if (machine == NULL)
        return false;
    machine_power(machine, on);
    return true;
}

static bool
fault_link(FaultTarget *target, const char *from, const char *to, const FaultLink *link,
           GError **error)
{
    SimulatedShape shape = {0};
    if (link != NULL)
        shape = (SimulatedShape){.cut = link->cut,
                                 .delay_ns = link->delay_ns,
                                 .jitter_ns = link->jitter_ns,
                                 .loss_ppm = link->loss_ppm,
                                 .bandwidth = link->bandwidth};
    if (simulated_net_shape(world_of(target)->net, from, to, link != NULL ? &shape : NULL))
        return true;
    return fail(error, TIMONEL_ERROR_NOT_FOUND, "no link between \"%s\" and \"%s\"",
                from != NULL ? from : "all", to != NULL ? to : "all");
}

/* The kubelet of a node, or a component in a container; node NULL: the first machine that runs it. */
static EngineProcess *
find_process(FaultTarget *target, const char *node, const char *process, GError **error)
{
    World *world = world_of(target);
    for (guint i = 0; i < world->machines->len; i++) {
        Machine *machine = world->machines->pdata[i];
        if (node != NULL && strcmp(machine->topology->name, node) != 0)
            continue;
        EngineProcess *found = strcmp(process, "kubelet") == 0
                                   ? machine->process
                                   : simulated_node_find_process(machine->node, process);
        if (found != NULL)
            return found;
    }
    fail(error, TIMONEL_ERROR_NOT_FOUND, "no process \"%s\" runs on %s", process,
         node != NULL ? node : "any node");
    return NULL;
}

static bool
fault_process_kill(FaultTarget *target, const char *node, const char *process, GError **error)
{
    EngineProcess *found = find_process(target, node, process, error);
    if (found == NULL)
        return false;
    engine_process_kill(found, ENGINE_DEATH_KILLED);
    return true;
}

static bool
fault_process_pause(FaultTarget *target, const char *node, const char *process, bool paused,
                    GError **error)
{
    EngineProcess *found = find_process(target, node, process, error);
    if (found == NULL)
        return false;
    if (paused)
        engine_process_pause(found);
    else
        engine_process_resume(found);
    return true;
}

static bool
fault_process_slow(FaultTarget *target, const char *node, const char *process, unsigned factor,
                   GError **error)
{
    EngineProcess *found = find_process(target, node, process, error);
    if (found == NULL)
        return false;
    engine_process_set_slow(found, factor);
    return true;
}

static Machine *
machine_of_pod(FaultTarget *target, const char *namespace_, const char *pod, GError **error)
{
    World *world = world_of(target);
    const Value *object = world_peek(world, "", "pods", namespace_, pod);
    Machine *machine = object != NULL ? world_machine(world, pod_node_name(object)) : NULL;
    if (machine == NULL)
        fail(error, TIMONEL_ERROR_NOT_FOUND, "pod %s/%s %s", namespace_, pod,
             object == NULL ? "does not exist" : "is on no node yet");
    return machine;
}

static bool
fault_container_kill(FaultTarget *target, const char *namespace_, const char *pod,
                     const char *container, int signal, int exit_code, bool oom, GError **error)
{
    Machine *machine = machine_of_pod(target, namespace_, pod, error);
    if (machine == NULL)
        return false;
    const char *reason = oom ? "OOMKilled" : signal == 0 && exit_code == 0 ? "Completed" : "Error";
    int code = signal != 0 ? 128 + signal : exit_code;
    return simulated_node_kill_container(machine->node, namespace_, pod, container, code, signal,
                                         reason) ||
           fail(error, TIMONEL_ERROR_NOT_FOUND, "pod %s/%s runs no container%s%s", namespace_, pod,
                container != NULL ? " called " : "", container != NULL ? container : "");
}

static bool
fault_container_hang(FaultTarget *target, const char *namespace_, const char *pod,
                     const char *container, bool hung, GError **error)
{
    Machine *machine = machine_of_pod(target, namespace_, pod, error);
    return machine != NULL &&
           (simulated_node_hang_container(machine->node, namespace_, pod, container, hung) ||
            fail(error, TIMONEL_ERROR_NOT_FOUND, "pod %s/%s runs no such container", namespace_,
                 pod));
}

static bool
fault_clock_skew(FaultTarget *target, const char *node, int64_t skew_ns, GError **error)
{
    Machine *machine = find_machine(target, node, error);
    if (machine != NULL)
        engine_set_skew(machine->world->engine, node, skew_ns);
    return machine != NULL;
}

static bool
fault_registry(FaultTarget *target, const char *registry, bool down, unsigned slow_factor,
               GError **error)
{
    SimulatedImages *images = simulated_backend_images(world_of(target)->backend);
    simulated_images_set_registry_down(images, registry, down);
    simulated_images_set_registry_slow(images, slow_factor);
    return true;
}

static bool
fault_node_pressure(FaultTarget *target, const char *node, const char *resource, bool on,
                    GError **error)
{
    Machine *machine = find_machine(target, node, error);
    if (machine == NULL)
        return false;
    HostPressure pressure = {.memory = strcmp(resource, "memory") == 0,
                             .disk = strcmp(resource, "disk") == 0,
                             .pid = strcmp(resource, "pid") == 0};
    if (!pressure.memory && !pressure.disk && !pressure.pid)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "spec.parameters.resource: \"%s\" is not one of memory, disk, pid", resource);
    simulated_node_set_pressure(machine->node, on ? &pressure : NULL);
    return true;
}

static bool
fault_corrupt_field(FaultTarget *target, const char *kind_name, const char *namespace_,
                    const char *name, const char *path, const Value *value, GError **error)
{
    World *world = world_of(target);
    const ApiKind *kind = api_types_lookup(world_types(world), kind_name);
    if (kind == NULL)
        return fail(error, TIMONEL_ERROR_NOT_FOUND, "no kind is called \"%s\"", kind_name);
    StoreBucket *bucket =
        store_bucket(cluster_store(world->cluster), api_kind_qualified(kind));
    g_autofree char *key = kind->namespaced && namespace_ != NULL
                               ? g_strconcat(namespace_, "/", name, NULL)
                               : g_strdup(name);
    const StoreItem *item = store_head(bucket, key);
    if (item == NULL)
        return fail(error, TIMONEL_ERROR_NOT_FOUND, "%s \"%s\" is not stored", kind->resource, key);
    Value *altered = value != NULL ? value_set_at(item->value, path, value_ref(value))
                                   : value_remove_at(item->value, path);
    StoreOp op = {.bucket = bucket, .key = key, .value = altered, .expected = STORE_ANY};
    store_txn(cluster_store(world->cluster), &op, 1, NULL, NULL, NULL);
    return true;
}

const FaultTargetOps WORLD_FAULT_OPS = {
    .node_power = fault_node_power,
    .link = fault_link,
    .process_kill = fault_process_kill,
    .process_pause = fault_process_pause,
    .process_slow = fault_process_slow,
    .container_kill = fault_container_kill,
    .container_hang = fault_container_hang,
    .clock_skew = fault_clock_skew,
    .registry = fault_registry,
    .node_pressure = fault_node_pressure,
    .corrupt_field = fault_corrupt_field,
};

/* ---- as inputs ---------------------------------------------------------------------------------------------- */

typedef struct Mending {
    World *world;
    Value *spec;
} Mending;

static void
mending_free(void *data)
{
    Mending *mending = data;
    value_unref(mending->spec);
    g_free(mending);
}

static void
mend_later(void *data)
{
    Mending *mending = data;
    const FaultClass *class = fault_class(value_text_at(mending->spec, "type"));
    trace_record(engine_trace_port(world_trace(mending->world)),
                 &(Fact){.kind = FACT_FAULT, .actor = "fault", .verb = "end", .text = class->title});
    if (class->stop != NULL)
        class->stop(&mending->world->fault_target, mending->spec, NULL);
    mending_free(mending);
}

/* What a fault is about, as facts name things. */
static char *
fault_subject(const Value *spec)
{
    const Value *target = value_get(spec, "target");
    const char *pod = value_string(value_get(target, "pod"));
    const char *node = value_string(value_get(target, "node"));
    const char *namespace_ = value_string(value_get(target, "namespace"));
    if (pod != NULL)
        return g_strdup_printf("Pod/%s/%s", namespace_ != NULL ? namespace_ : "default", pod);
    return node != NULL ? g_strdup_printf("Node/%s", node) : NULL;
}

bool
world_fault(World *world, const Value *spec, const char *actor, GError **error)
{
    if (!fault_validate(spec, error))
        return false;
    const FaultClass *class = fault_class(value_text_at(spec, "type"));
    g_autofree char *subject = fault_subject(spec);
    trace_record(engine_trace_port(world_trace(world)), &(Fact){.kind = FACT_FAULT,
                                                                .actor = actor,
                                                                .verb = class->type,
                                                                .subject = subject,
                                                                .text = class->title});
    if (!class->start(&world->fault_target, spec, error))
        return false;
    world_record(world, "fault", value_new_f("{spec: %v, actor: %s}", spec, actor));
    int64_t duration;
    const char *text = value_string_at(spec, "duration");
    if (text != NULL && class->stop != NULL && duration_parse(text, &duration, NULL)) {
        Mending *mending = g_new0(Mending, 1);
        mending->world = world;
        mending->spec = value_ref(spec);
        engine_at_take(world->engine, NULL, world_now(world) + duration, mend_later, mending,
                       mending_free);
    }
    return true;
}

bool
world_fault_stop(World *world, const Value *spec, const char *actor, GError **error)
{
    if (!fault_validate(spec, error))
        return false;
    const FaultClass *class = fault_class(value_text_at(spec, "type"));
    if (class->stop == NULL)
        return fail(error, TIMONEL_ERROR_UNSUPPORTED, "a fault of type %s has nothing to mend",
                    class->type);
    g_autofree char *subject = fault_subject(spec);
    trace_record(engine_trace_port(world_trace(world)), &(Fact){.kind = FACT_FAULT,
                                                                .actor = actor,
                                                                .verb = "mend",
                                                                .subject = subject,
                                                                .text = class->title});
    if (!class->stop(&world->fault_target, spec, error))
        return false;
    world_record(world, "fault-stop", value_new_f("{spec: %v, actor: %s}", spec, actor));
    return true;
}
