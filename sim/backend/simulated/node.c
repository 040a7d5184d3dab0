/* The life of backends and nodes, what is told to kubelets, and faults of a machine. */
#include "sim/backend/simulated/node.h"

#include <arpa/inet.h>
#include <string.h>

#include "sim/backend/simulated/node_private.h"

/* ---- shared blocks of texts ---- */

typedef struct Block {
    uint32_t refs;
    uint32_t hash;
    size_t size;
    const char *const *texts; /* in the same allocation */
} Block;

static guint
block_hash(gconstpointer block)
{
    return ((const Block *)block)->hash;
}

static gboolean
block_equal(gconstpointer a, gconstpointer b)
{
    return g_strv_equal(((const Block *)a)->texts, ((const Block *)b)->texts);
}

const char *const *
backend_share_block(SimulatedBackend *backend, const char *const *texts)
{
    static const char *const none[] = {NULL};
    texts = texts != NULL ? texts : none;
    Block wanted = {.texts = texts};
    size_t count = 0;
    for (; texts[count] != NULL; count++) {
        wanted.hash = wanted.hash * 31 + g_str_hash(texts[count]);
        wanted.size += strlen(texts[count]) + 1;
    }
    Block *block = g_hash_table_lookup(backend->blocks, &wanted);
    if (block == NULL) {
        block = g_malloc(sizeof *block + (count + 1) * sizeof(char *) + wanted.size);
        const char **copy = (const char **)(block + 1);
        char *end = (char *)(copy + count + 1);
        for (size_t i = 0; i < count; i++) {
            copy[i] = end;
            end = g_stpcpy(end, texts[i]) + 1;
        }
        copy[count] = NULL;
        *block = (Block){.hash = wanted.hash, .size = wanted.size, .texts = copy};
        g_hash_table_add(backend->blocks, block);
    }
    block->refs++;
    return block->texts;
}

void
backend_drop_block(SimulatedBackend *backend, const char *const *texts)
{
    Block *block = texts != NULL ? (Block *)(void *)texts - 1 : NULL;
    if (block == NULL || --block->refs > 0)
        return;
    g_hash_table_remove(backend->blocks, block);
    g_free(block);
}

/* ---- the backend ---- */

static void node_free(void *data);

SimulatedBackend *
simulated_backend_new(Engine *engine, SimulatedNet *net)
{
    SimulatedBackend *backend = g_new0(SimulatedBackend, 1);
    backend->engine = engine;
    backend->net = net;
    backend->images = simulated_images_new();
    backend->nodes = g_ptr_array_new_with_free_func(node_free);
    backend->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    backend->persistent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)file_tree_unref);
    backend->lookups = g_ptr_array_new();
    backend->blocks = g_hash_table_new(block_hash, block_equal);
    simulated_net_set_resolver(net, dataplane_resolve, backend);
    return backend;
}

void
simulated_backend_free(SimulatedBackend *backend)
{
    if (backend == NULL)
        return;
    simulated_net_set_resolver(backend->net, NULL, NULL);
    g_ptr_array_unref(backend->nodes);
    while (backend->lookups->len > 0)
        shell_lookup_free(backend->lookups->pdata[0]);
    g_ptr_array_unref(backend->lookups);
    g_hash_table_unref(backend->by_name);
    g_hash_table_unref(backend->persistent);
    g_hash_table_unref(backend->blocks);
    simulated_images_free(backend->images);
    g_free(backend);
}

SimulatedImages *
simulated_backend_images(SimulatedBackend *backend)
{
    return backend->images;
}

void
simulated_backend_set_process_factory(SimulatedBackend *backend, const SimulatedProcessFactory *factory, void *data)
{
    backend->factory = factory;
    backend->factory_data = data;
}

void
simulated_backend_set_rules_ops(SimulatedBackend *backend, const SimulatedRulesOps *ops)
{
    backend->rules = ops;
}

void
simulated_backend_set_dns(SimulatedBackend *backend, const SimulatedDnsOps *ops)
{
    backend->dns = ops;
}

SimulatedNode *
simulated_backend_node(SimulatedBackend *backend, const char *name)
{
    return g_hash_table_lookup(backend->by_name, name);
}

/* ---- numbers, completions, facts ---- */

uint64_t
node_next_number(SimulatedNode *node)
{
    uint64_t z = node->seed + ++node->numbers * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void
node_make_id(SimulatedNode *node, char ret_id[CONTAINER_ID_LENGTH + 1])
{
    for (int i = 0; i < 4; i++)
        g_snprintf(ret_id + (ptrdiff_t)i * 16, 17, "%016" G_GINT64_MODIFIER "x", node_next_number(node));
}

typedef struct Completion {
    RuntimeDone done;
    HostDone host_done;
    void *data;
    char *id, *error;
} Completion;

static void
completion_free(void *data)
{
    Completion *completion = data;
    g_free(completion->id);
    g_free(completion->error);
    g_free(completion);
}

static void
completion_run(void *data)
{
    Completion *completion = data;
    if (completion->done != NULL)
        completion->done(completion->id, completion->error, completion->data);
    else
        completion->host_done(completion->error, completion->data);
    completion_free(completion);
}

static void
schedule_completion(SimulatedNode *node, int64_t delay_ns, Completion completion)
{
    Engine *engine = node->backend->engine;
    engine_at_take(engine, node->kubelet, engine_now(engine) + delay_ns, completion_run,
                   g_memdup2(&completion, sizeof completion), completion_free);
}

void
node_complete(SimulatedNode *node, int64_t delay_ns, RuntimeDone done, void *data, const char *id, const char *error)
{
    schedule_completion(node, delay_ns, (Completion){.done = done, .data = data, .id = g_strdup(id),
                                                     .error = g_strdup(error)});
}

void
node_complete_host(SimulatedNode *node, int64_t delay_ns, HostDone done, void *data, const char *error)
{
    schedule_completion(node, delay_ns * node->disk_slow,
                        (Completion){.host_done = done, .data = data, .error = g_strdup(error)});
}

void
node_state_fact(SimulatedNode *node, const char *verb, const SimulatedSandbox *sandbox, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *subject = sandbox != NULL ? g_strdup_printf("Pod/%s/%s", sandbox->namespace_, sandbox->name)
                                               : g_strconcat("Node/", node->name, NULL);
    trace_record(engine_trace_port(engine_trace(node->backend->engine)),
                 &(Fact){.kind = FACT_STATE, .actor = node->name, .verb = verb, .subject = subject, .text = text});
}

/* ---- nodes ---- */

SimulatedNode *
simulated_node_new(SimulatedBackend *backend, const SimulatedNodeOptions *options)
{
    g_assert(simulated_backend_node(backend, options->name) == NULL);
    SimulatedNode *node = g_new0(SimulatedNode, 1);
    node->backend = backend;
    node->name = g_strdup(options->name);
    node->ip = g_strdup(options->ip);
    node->os = g_strdup(options->os != NULL ? options->os : "linux");
    node->arch = g_strdup(options->arch != NULL ? options->arch : "amd64");
    node->kubelet_version = g_strdup(options->kubelet_version != NULL ? options->kubelet_version : "v1.35.0");
    node->cpu = g_strdup(options->cpu != NULL ? options->cpu : "4");
    node->memory = g_strdup(options->memory != NULL ? options->memory : "8Gi");
    node->ephemeral_storage = g_strdup(options->ephemeral_storage != NULL ? options->ephemeral_storage : "100Gi");
    node->pods = options->pods > 0 ? options->pods : 110;
    node->runtime = (NodeRuntime){.base.ops = &simulated_runtime_ops, .node = node};
    node->host = (NodeHost){.base.ops = &simulated_host_ops, .node = node};
    node->dataplane = (NodeDataplane){.base.ops = &simulated_dataplane_ops, .node = node};
    node->power = true;
    node->disk_slow = 1;
    g_autofree char *stream = g_strconcat("node/", node->name, NULL);
    node->seed = engine_derive_seed(backend->engine, stream);
    node->sandboxes = g_ptr_array_new_with_free_func(sandbox_free);
    node->containers = g_hash_table_new(g_str_hash, g_str_equal);
    node->images = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    node->image_list = g_ptr_array_new();
    node->host_ports = g_array_new(FALSE, FALSE, sizeof(HostPort));
    node->used_ips = g_hash_table_new(NULL, NULL);
    node->logs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, node_log_unref);
    node->log_watches = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    node->volumes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)file_tree_unref);
    node->files = file_tree_new(NULL);
    node->static_pods = value_new_array();
    simulated_net_add_host(backend->net, node->name, node->ip);
    simulated_net_set_owner(backend->net, node->name, &simulated_node_space_ops, node);
    g_ptr_array_add(backend->nodes, node);
    g_hash_table_insert(backend->by_name, node->name, node);
    for (const char *const *image = options->preloaded; image != NULL && *image != NULL; image++) {
        g_auto(ImageName) name = {0};
        if (image_name_parse(*image, &name) && !g_hash_table_contains(node->images, name.full)) {
            char *key = g_strdup(name.full);
            g_hash_table_insert(node->images, key, simulated_images_reference(&name));
            g_ptr_array_add(node->image_list, key);
        }
    }
    return node;
}

static void
node_free(void *data)
{
    SimulatedNode *node = data;
    simulated_net_set_owner(node->backend->net, node->name, NULL, NULL);
    node->kubelet = NULL;
    node->runtime.listener = NULL;
    g_ptr_array_unref(node->sandboxes);
    g_hash_table_unref(node->containers);
    g_ptr_array_unref(node->image_list);
    g_hash_table_unref(node->images);
    g_array_unref(node->host_ports);
    g_hash_table_unref(node->used_ips);
    g_hash_table_unref(node->log_watches);
    g_hash_table_unref(node->logs);
    g_hash_table_unref(node->volumes);
    file_tree_unref(node->files);
    value_unref(node->static_pods);
    if (node->dataplane.rules != NULL)
        node->backend->rules->unref(node->dataplane.rules);
    g_free(node->name);
    g_free(node->ip);
    g_free(node->os);
    g_free(node->arch);
    g_free(node->kubelet_version);
    g_free(node->cpu);
    g_free(node->memory);
    g_free(node->ephemeral_storage);
    g_free(node);
}

const char *
simulated_node_name(const SimulatedNode *node)
{
    return node->name;
}

Runtime *
simulated_node_runtime(SimulatedNode *node)
{
    return &node->runtime.base;
}

Host *
simulated_node_host(SimulatedNode *node)
{
    return &node->host.base;
}

Dataplane *
simulated_node_dataplane(SimulatedNode *node)
{
    return &node->dataplane.base;
}

static void
kubelet_died(EngineProcess *process, EngineDeath death, void *data)
{
    simulated_node_set_kubelet(data, NULL);
}

void
simulated_node_set_kubelet(SimulatedNode *node, EngineProcess *process)
{
    if (node->kubelet != NULL)
        engine_process_forget_on_death(node->kubelet, kubelet_died, node);
    node->kubelet = process;
    node->kubelet_generation++;
    node->runtime.listener = NULL;
    node->host.static_pods_changed = NULL;
    if (process != NULL)
        engine_process_on_death(process, kubelet_died, node);
}

void
simulated_node_set_pod_cidr(SimulatedNode *node, const char *cidr)
{
    g_auto(GStrv) parts = g_strsplit(cidr != NULL ? cidr : "", "/", 2);
    struct in_addr address;
    if (g_strv_length(parts) != 2 || inet_pton(AF_INET, parts[0], &address) != 1)
        return;
    guint64 bits = g_ascii_strtoull(parts[1], NULL, 10);
    if (bits < 8 || bits > 30)
        return;
    node->pod_hosts = (1u << (32 - bits)) - 2;
    node->pod_network = ntohl(address.s_addr) & ~((1u << (32 - bits)) - 1);
}

static void
static_pods_event(void *data)
{
    NodeHost *host = data;
    if (host->static_pods_changed != NULL)
        host->static_pods_changed(host->static_pods_data);
}

void
simulated_node_set_static_pods(SimulatedNode *node, Value *take)
{
    value_replace(&node->static_pods, take);
    if (node->kubelet != NULL)
        engine_in(node->backend->engine, node->kubelet, 0, static_pods_event, &node->host);
}

/* ---- faults ---- */

static SimulatedContainer *
find_running(SimulatedNode *node, const char *namespace_, const char *pod, const char *name)
{
    for (guint i = 0; i < node->sandboxes->len; i++) {
        SimulatedSandbox *sandbox = node->sandboxes->pdata[i];
        if (strcmp(sandbox->name, pod) != 0 || strcmp(sandbox->namespace_, namespace_) != 0)
            continue;
        for (guint k = 0; k < sandbox->containers->len; k++) {
            SimulatedContainer *container = sandbox->containers->pdata[k];
            if (container->state == CONTAINER_RUNNING && (name == NULL || strcmp(name, container->name) == 0))
                return container;
        }
    }
    return NULL;
}

bool
simulated_node_kill_container(SimulatedNode *node, const char *namespace_, const char *pod, const char *container,
                              int exit_code, int signal, const char *reason)
{
    SimulatedContainer *found = find_running(node, namespace_, pod, container);
    if (found == NULL)
        return false;
    container_exit(found, exit_code, signal, g_intern_string(reason));
    return true;
}

bool
simulated_node_hang_container(SimulatedNode *node, const char *namespace_, const char *pod, const char *container,
                              bool hang)
{
    SimulatedContainer *found = find_running(node, namespace_, pod, container);
    if (found == NULL)
        return false;
    found->hung = hang;
    if (found->process != NULL)
        (hang ? engine_process_pause : engine_process_resume)(found->process);
    return true;
}

EngineProcess *
simulated_node_find_process(SimulatedNode *node, const char *process)
{
    for (guint i = 0; i < node->sandboxes->len; i++) {
        GPtrArray *containers = ((SimulatedSandbox *)node->sandboxes->pdata[i])->containers;
        for (guint k = 0; k < containers->len; k++) {
            SimulatedContainer *container = containers->pdata[k];
            if (container->process != NULL && strcmp(container->model->process, process) == 0)
                return container->process;
        }
    }
    return NULL;
}

void
simulated_node_power_off(SimulatedNode *node)
{
    if (!node->power)
        return;
    node->power = false;
    node_state_fact(node, "power-off", NULL, "lost power");
    simulated_net_set_power(node->backend->net, node->name, false);
    for (guint i = 0; i < node->sandboxes->len; i++) {
        SimulatedSandbox *sandbox = node->sandboxes->pdata[i];
        sandbox->ready = false;
        for (guint k = 0; k < sandbox->containers->len; k++) {
            SimulatedContainer *container = sandbox->containers->pdata[k];
            if (container->process != NULL)
                engine_process_kill(container->process, ENGINE_DEATH_POWER_LOSS);
            if (container->state == CONTAINER_RUNNING)
                container_exit(container, 255, 0, "Unknown");
        }
        sandbox_release_network(sandbox);
    }
    if (node->dataplane.rules != NULL)
        node->backend->rules->unref(node->dataplane.rules);
    node->dataplane.rules = NULL;
}

void
simulated_node_power_on(SimulatedNode *node)
{
    if (node->power)
        return;
    node->power = true;
    simulated_net_set_power(node->backend->net, node->name, true);
    node_state_fact(node, "power-on", NULL, "has power again");
}

bool
simulated_node_has_power(const SimulatedNode *node)
{
    return node->power;
}

void
simulated_node_set_pressure(SimulatedNode *node, const HostPressure *pressure)
{
    node->has_pressure = pressure != NULL;
    if (pressure != NULL)
        node->pressure = *pressure;
}

void
simulated_node_set_disk_full(SimulatedNode *node, bool full)
{
    node->disk_full = full;
}

void
simulated_node_set_disk_slow(SimulatedNode *node, unsigned factor)
{
    node->disk_slow = MAX(factor, 1u);
}

size_t
simulated_node_running_containers(const SimulatedNode *node)
{
    size_t count = 0;
    for (guint i = 0; i < node->sandboxes->len; i++) {
        GPtrArray *containers = ((SimulatedSandbox *)node->sandboxes->pdata[i])->containers;
        for (guint k = 0; k < containers->len; k++)
            count += ((SimulatedContainer *)containers->pdata[k])->state == CONTAINER_RUNNING;
    }
    return count;
}
