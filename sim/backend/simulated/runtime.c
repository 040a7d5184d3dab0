/* The CRI over sandboxes and containers. What is asked for takes effect at once; the answer comes by a later event of the
 * kubelet's process. */
#include <string.h>

#include "sim/backend/simulated/node_private.h"

#define CREATE_NS (15 * NS_PER_MS)
#define START_NS (30 * NS_PER_MS)
#define REMOVE_NS (5 * NS_PER_MS)
#define STOP_DONE_NS (2 * NS_PER_MS)

SimulatedNode *
runtime_node(Runtime *runtime)
{
    return ((NodeRuntime *)runtime)->node;
}

SimulatedContainer *
node_find_container(SimulatedNode *node, const char *id)
{
    return g_hash_table_lookup(node->containers, id);
}

static const char *
runtime_version(Runtime *runtime)
{
    return "containerd://2.1.3";
}

static void
runtime_set_listener(Runtime *runtime, const RuntimeListener *listener, void *data)
{
    NodeRuntime *own = (NodeRuntime *)runtime;
    own->listener = listener;
    own->listener_data = data;
}

/* ---- containers ---- */

/* By the name that the pod asked for, else by what the image service called it. */
static bool
find_image(SimulatedNode *node, const ContainerConfig *config, ImageName *ret_name, gpointer *ret_key,
           gpointer *ret_reference)
{
    const char *const texts[] = {value_text(value_get(config->container, "image")), config->image};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        image_name_clear(ret_name);
        *ret_name = (ImageName){0};
        if (image_name_parse(texts[i], ret_name) &&
            g_hash_table_lookup_extended(node->images, ret_name->full, ret_key, ret_reference))
            return true;
    }
    return false;
}

static void
runtime_create_container(Runtime *runtime, const char *sandbox_id, const ContainerConfig *config, RuntimeDone done,
                         void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedSandbox *sandbox = node_find_sandbox(node, sandbox_id);
    g_auto(ImageName) name = {0};
    g_autofree char *error = NULL;
    gpointer key = NULL, reference = NULL;
    if (sandbox == NULL || !sandbox->ready)
        error = g_strdup_printf("failed to find sandbox id \"%s\": not found", sandbox_id);
    else if (!find_image(node, config, &name, &key, &reference))
        error = g_strdup_printf("failed to resolve image \"%s\": not found", config->image);
    else if (g_hash_table_size(node->containers) >= CONTAINERS_MAX)
        error = g_strdup_printf("more than %d containers on this node", CONTAINERS_MAX);
    if (error != NULL) {
        node_complete(node, CREATE_NS, done, data, NULL, error);
        return;
    }
    const ImageModel *model = simulated_images_find(node->backend->images, &name);
    SimulatedContainer *container = container_new(sandbox, config, model, key, reference);
    g_ptr_array_add(sandbox->containers, container);
    g_hash_table_insert(node->containers, container->id, container);
    node_complete(node, CREATE_NS * node->disk_slow, done, data, container->id, NULL);
}

static void
complete_missing(SimulatedNode *node, const char *id, RuntimeDone done, void *data)
{
    g_autofree char *error = g_strdup_printf("an error occurred when try to find container \"%s\": not found", id);
    node_complete(node, REMOVE_NS, done, data, NULL, error);
}

static void
runtime_start_container(Runtime *runtime, const char *container_id, RuntimeDone done, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedContainer *container = node_find_container(node, container_id);
    if (container == NULL) {
        complete_missing(node, container_id, done, data);
        return;
    }
    g_autofree char *error = container->state == CONTAINER_CREATED
                                 ? container_start(container)
                                 : g_strdup_printf("container \"%s\" is not in CREATED state", container_id);
    node_complete(node, START_NS, done, data, container_id, error);
}

static void
runtime_stop_container(Runtime *runtime, const char *container_id, int64_t grace_ns, RuntimeDone done, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedContainer *container = node_find_container(node, container_id);
    if (container == NULL || container->state != CONTAINER_RUNNING) {
        node_complete(node, STOP_DONE_NS, done, data, container_id, NULL);
        return;
    }
    if (container->waiters == NULL)
        container->waiters = g_array_new(FALSE, FALSE, sizeof(StopWaiter));
    StopWaiter waiter = {.done = done, .data = data, .generation = node->kubelet_generation};
    g_array_append_val(container->waiters, waiter);
    container_stop(container, grace_ns);
}

static void
runtime_remove_container(Runtime *runtime, const char *container_id, RuntimeDone done, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedContainer *container = node_find_container(node, container_id);
    if (container != NULL && container->state == CONTAINER_RUNNING)
        container_exit(container, 137, 9, "Error");
    node_complete(node, REMOVE_NS, done, data, container_id, NULL);
    if (container == NULL)
        return;
    g_hash_table_remove(node->containers, container_id);
    g_ptr_array_remove(container->sandbox->containers, container);
}

/* ---- reading ---- */

static void
runtime_list_pod_sandboxes(Runtime *runtime, const char *pod_uid, GArray *ret_statuses)
{
    SimulatedNode *node = runtime_node(runtime);
    for (guint i = 0; i < node->sandboxes->len; i++) {
        const SimulatedSandbox *sandbox = node->sandboxes->pdata[i];
        if (pod_uid != NULL && strcmp(sandbox->uid, pod_uid) != 0)
            continue;
        PodSandboxStatus status = {.id = sandbox->id,
                                   .pod_uid = sandbox->uid,
                                   .pod_name = sandbox->name,
                                   .pod_namespace = sandbox->namespace_,
                                   .attempt = sandbox->attempt,
                                   .ready = sandbox->ready,
                                   .created_at = sandbox->created_at,
                                   .ip = sandbox->ip};
        g_array_append_val(ret_statuses, status);
    }
}

static ContainerStatus
status_of(const SimulatedContainer *container)
{
    const SimulatedSandbox *sandbox = container->sandbox;
    return (ContainerStatus){.id = container->id,
                             .sandbox_id = sandbox->id,
                             .name = container->name,
                             .image = container->image_texts[0],
                             .image_ref = container->image_texts[1],
                             .attempt = container->attempt,
                             .state = container->state,
                             .created_at = container->created_at,
                             .started_at = container->started_at,
                             .finished_at = container->finished_at,
                             .exit_code = container->exit_code,
                             .signal = container->signal,
                             .reason = container->reason,
                             .message = container->message,
                             .pod_uid = sandbox->uid,
                             .pod_name = sandbox->name,
                             .pod_namespace = sandbox->namespace_,
                             .hash = container->hash};
}

static void
runtime_list_containers(Runtime *runtime, const char *pod_uid, GArray *ret_statuses)
{
    SimulatedNode *node = runtime_node(runtime);
    for (guint i = 0; i < node->sandboxes->len; i++) {
        const SimulatedSandbox *sandbox = node->sandboxes->pdata[i];
        if (pod_uid != NULL && strcmp(sandbox->uid, pod_uid) != 0)
            continue;
        for (guint k = 0; k < sandbox->containers->len; k++) {
            ContainerStatus status = status_of(sandbox->containers->pdata[k]);
            g_array_append_val(ret_statuses, status);
        }
    }
}

static bool
runtime_container_status(Runtime *runtime, const char *container_id, ContainerStatus *ret_status)
{
    const SimulatedContainer *container = node_find_container(runtime_node(runtime), container_id);
    if (container == NULL)
        return false;
    *ret_status = status_of(container);
    return true;
}

static bool
runtime_container_stats(Runtime *runtime, const char *container_id, ContainerStats *ret_stats)
{
    const SimulatedContainer *container = node_find_container(runtime_node(runtime), container_id);
    if (container == NULL || container->state != CONTAINER_RUNNING)
        return false;
    uint64_t memory = container_memory(container);
    *ret_stats = (ContainerStats){.cpu_usage_ns = container_cpu_ns(container),
                                  .memory_working_set = memory,
                                  .memory_rss = memory - memory / 8};
    return true;
}

/* ---- images ---- */

static const char *
runtime_image_present(Runtime *runtime, const char *image)
{
    g_auto(ImageName) name = {0};
    if (!image_name_parse(image, &name))
        return NULL;
    return g_hash_table_lookup(runtime_node(runtime)->images, name.full);
}

typedef struct Pull {
    SimulatedNode *node;
    ImageName name;
    RuntimeDone done;
    void *data;
} Pull;

static void
pull_free(void *data)
{
    Pull *pull = data;
    image_name_clear(&pull->name);
    g_free(pull);
}

static void
pull_ends(void *data)
{
    Pull *pull = data;
    SimulatedNode *node = pull->node;
    g_autofree char *refusal = simulated_images_refusal(node->backend->images, &pull->name, node->os);
    if (refusal == NULL && node->disk_full)
        refusal = g_strdup_printf("failed to pull and unpack image \"%s\": failed to extract layer: write "
                                  "/var/lib/containerd: no space left on device", pull->name.full);
    if (refusal == NULL && !g_hash_table_contains(node->images, pull->name.full)) {
        char *key = g_strdup(pull->name.full);
        g_hash_table_insert(node->images, key, simulated_images_reference(&pull->name));
        g_ptr_array_add(node->image_list, key);
    }
    const char *reference = refusal == NULL ? g_hash_table_lookup(node->images, pull->name.full) : NULL;
    pull->done(reference, refusal, pull->data);
    pull_free(pull);
}

static void
runtime_pull_image(Runtime *runtime, const char *image, const Value *pull_secrets, RuntimeDone done, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedImages *images = node->backend->images;
    ImageName name = {0};
    if (!image_name_parse(image, &name)) {
        g_autofree char *error = g_strdup_printf("failed to parse reference \"%s\": invalid reference format", image);
        node_complete(node, NS_PER_MS, done, data, NULL, error);
        return;
    }
    g_autofree char *refusal = simulated_images_refusal(images, &name, node->os);
    bool timeout = refusal != NULL && g_str_has_suffix(refusal, "i/o timeout");
    int64_t time = refusal == NULL ? simulated_images_pull_time(images, &name) : timeout ? 10 * NS_PER_S : 600 * NS_PER_MS;
    time += (int64_t)(node_next_number(node) % (uint64_t)(time / 5 + 1));
    Pull *pull = g_new(Pull, 1);
    *pull = (Pull){.node = node, .name = name, .done = done, .data = data};
    Engine *engine = node->backend->engine;
    engine_at_take(engine, node->kubelet, engine_now(engine) + time * node->disk_slow, pull_ends, pull, pull_free);
}

static Value *
runtime_list_images(Runtime *runtime)
{
    SimulatedNode *node = runtime_node(runtime);
    ValueBuilder *list = value_builder_new_array();
    for (guint i = 0; i < node->image_list->len; i++) {
        const char *full = node->image_list->pdata[i];
        g_auto(ImageName) name = {0};
        image_name_parse(full, &name);
        const ImageModel *model = simulated_images_find(node->backend->images, &name);
        value_builder_append(list, value_new_f("{names: [%s, %s], sizeBytes: %i}", g_hash_table_lookup(node->images, full),
                                               full, (int64_t)model->size));
    }
    return value_builder_end(list);
}

void
simulated_node_remove_image(SimulatedNode *node, const char *image)
{
    g_auto(ImageName) name = {0};
    if (!image_name_parse(image, &name))
        return;
    for (guint i = 0; i < node->image_list->len; i++)
        if (strcmp(node->image_list->pdata[i], name.full) == 0) {
            g_ptr_array_remove_index(node->image_list, i);
            g_hash_table_remove(node->images, name.full);
            return;
        }
}

static void
runtime_update_runtime_config(Runtime *runtime, const char *pod_cidr)
{
    simulated_node_set_pod_cidr(runtime_node(runtime), pod_cidr);
}

static const char *
runtime_network_not_ready(Runtime *runtime)
{
    return runtime_node(runtime)->pod_hosts < 2 ? "Network plugin returns error: cni plugin not initialized" : NULL;
}

const RuntimeOps simulated_runtime_ops = {
    .update_runtime_config = runtime_update_runtime_config,
    .network_not_ready = runtime_network_not_ready,
    .version = runtime_version,
    .set_listener = runtime_set_listener,
    .run_pod_sandbox = runtime_run_pod_sandbox,
    .stop_pod_sandbox = runtime_stop_pod_sandbox,
    .remove_pod_sandbox = runtime_remove_pod_sandbox,
    .create_container = runtime_create_container,
    .start_container = runtime_start_container,
    .stop_container = runtime_stop_container,
    .remove_container = runtime_remove_container,
    .list_pod_sandboxes = runtime_list_pod_sandboxes,
    .list_containers = runtime_list_containers,
    .container_status = runtime_container_status,
    .container_stats = runtime_container_stats,
    .exec_sync = runtime_exec_sync,
    .exec = runtime_exec,
    .session_input = runtime_session_input,
    .session_resize = runtime_session_resize,
    .session_close = runtime_session_close,
    .port_forward = runtime_port_forward,
    .image_present = runtime_image_present,
    .pull_image = runtime_pull_image,
    .list_images = runtime_list_images,
};
