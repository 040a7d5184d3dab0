/* ConfigMaps and secrets that pods of this node refer to: each is watched by itself while a pod here needs it, as the
 * watch-based manager does (pkg/kubelet/util/manager/watch_based_manager.go), so that a node sees only what it may. */
#include "core/kubelet/internal.h"

struct WatchedObject {
    Kubelet *kubelet;
    char *key; /* "configmaps/ns/name" */
    const char *name; /* into key */
    Informer *informer;
    GPtrArray *workers; /* in the order in which they came */
};

static void
watched_free(void *data)
{
    WatchedObject *object = data;
    informer_free(object->informer);
    g_ptr_array_unref(object->workers);
    g_free(object->key);
    g_free(object);
}

static int
compare_keys(const void *a, const void *b, void *data)
{
    return strcmp(a, b);
}

void
objects_init(Kubelet *kubelet)
{
    kubelet->objects = g_tree_new_full(compare_keys, NULL, NULL, watched_free);
}

void
objects_clear(Kubelet *kubelet)
{
    g_clear_pointer(&kubelet->objects, g_tree_unref);
}

static void
tell(WatchedObject *object, bool initial)
{
    g_autoptr(GPtrArray) workers = g_ptr_array_copy(object->workers, NULL, NULL);
    for (guint i = 0; i < workers->len; i++) {
        if (g_ptr_array_find(object->workers, workers->pdata[i], NULL))
            worker_object_changed(workers->pdata[i], initial);
    }
}

static void
on_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial, void *data)
{
    if (!initial)
        tell(data, false);
}

static void
on_synced(void *data)
{
    tell(data, true);
}

static void
watch(PodWorker *worker, const char *resource, const char *name)
{
    Kubelet *kubelet = worker->kubelet;
    if (name == NULL || *name == '\0')
        return;
    const char *namespace_ = object_namespace(worker->pod);
    g_autofree char *key = g_strdup_printf("%s/%s/%s", resource, namespace_, name);
    WatchedObject *object = g_tree_lookup(kubelet->objects, key);
    bool fresh = object == NULL;
    if (fresh) {
        g_autofree char *selector = g_strdup_printf("metadata.name=%s", name);
        object = g_new0(WatchedObject, 1);
        object->kubelet = kubelet;
        object->key = g_steal_pointer(&key);
        object->name = strrchr(object->key, '/') + 1;
        object->workers = g_ptr_array_new();
        object->informer = informer_new(kubelet->ports, kubelet->client, "", resource, namespace_, NULL, selector);
        g_tree_insert(kubelet->objects, object->key, object);
    }
    if (!g_ptr_array_find(object->workers, worker, NULL)) {
        g_ptr_array_add(object->workers, worker);
        if (worker->objects == NULL)
            worker->objects = g_ptr_array_new();
        g_ptr_array_add(worker->objects, object);
    }
    if (fresh) {
        static const InformerHandler HANDLER = {on_changed, on_synced};
        informer_add_handler(object->informer, &HANDLER, object);
        informer_start(object->informer);
    }
}

static void
watch_volume(PodWorker *worker, const Value *volume)
{
    watch(worker, "configmaps", value_string_at(volume, "configMap.name"));
    watch(worker, "secrets", value_string_at(volume, "secret.secretName"));
    VALUE_ARRAY_FOREACH (source, value_at(volume, "projected.sources")) {
        watch(worker, "configmaps", value_string_at(source, "configMap.name"));
        watch(worker, "secrets", value_string_at(source, "secret.name"));
    }
}

static void
watch_container(PodWorker *worker, const Value *container)
{
    VALUE_ARRAY_FOREACH (variable, value_get(container, "env")) {
        watch(worker, "configmaps", value_string_at(variable, "valueFrom.configMapKeyRef.name"));
        watch(worker, "secrets", value_string_at(variable, "valueFrom.secretKeyRef.name"));
    }
    VALUE_ARRAY_FOREACH (source, value_get(container, "envFrom")) {
        watch(worker, "configmaps", value_string_at(source, "configMapRef.name"));
        watch(worker, "secrets", value_string_at(source, "secretRef.name"));
    }
}

void
objects_register(PodWorker *worker)
{
    if (worker->is_static)
        return; /* static pods may not refer to API objects */
    VALUE_ARRAY_FOREACH (volume, value_at(worker->pod, "spec.volumes"))
        watch_volume(worker, volume);
    for (ContainerKind kind = CONTAINER_INIT; kind <= CONTAINER_EPHEMERAL; kind++) {
        VALUE_ARRAY_FOREACH (container, pod_container_list(worker->pod, kind))
            watch_container(worker, container);
    }
    VALUE_ARRAY_FOREACH (reference, value_at(worker->pod, "spec.imagePullSecrets"))
        watch(worker, "secrets", value_string(value_get(reference, "name")));
}

void
objects_release(PodWorker *worker)
{
    for (guint i = 0; worker->objects != NULL && i < worker->objects->len; i++) {
        WatchedObject *object = worker->objects->pdata[i];
        g_ptr_array_remove(object->workers, worker);
        if (object->workers->len == 0)
            g_tree_remove(worker->kubelet->objects, object->key);
    }
    g_clear_pointer(&worker->objects, g_ptr_array_unref);
}

bool
objects_loaded(const PodWorker *worker)
{
    for (guint i = 0; worker->objects != NULL && i < worker->objects->len; i++) {
        const WatchedObject *object = worker->objects->pdata[i];
        if (!informer_has_synced(object->informer))
            return false;
    }
    return true;
}

ObjectState
objects_get(const Kubelet *kubelet, const char *resource, const char *namespace_, const char *name, const Value **ret_object)
{
    g_autofree char *key = g_strdup_printf("%s/%s/%s", resource, namespace_, name);
    WatchedObject *object = g_tree_lookup(kubelet->objects, key);
    *ret_object = NULL;
    if (object == NULL)
        return OBJECT_ABSENT;
    if (!informer_has_synced(object->informer))
        return OBJECT_LOADING;
    *ret_object = informer_get_named(object->informer, namespace_, name);
    return *ret_object != NULL ? OBJECT_FOUND : OBJECT_ABSENT;
}

/* The first list may be what a round waits for; a later change reaches the volumes within a while, as the periodic sync of a
 * real kubelet would bring it. */
void
worker_object_changed(PodWorker *worker, bool initial)
{
    Kubelet *kubelet = worker->kubelet;
    if (worker->state != WORKER_SYNC)
        return;
    if (initial) {
        if (objects_loaded(worker))
            worker_wake(worker);
        return;
    }
    if (worker->n_volumes == 0)
        return;
    int64_t delay = (int64_t)random_below(kubelet->ports->random, (uint64_t)MAX(kubelet->config.object_refresh_ns, 1));
    int64_t when = kubelet_now(kubelet) + delay;
    if (worker->refresh_at == 0 || when < worker->refresh_at)
        worker->refresh_at = when;
    worker->refresh_wanted = true;
    if (worker->step == STEP_IDLE)
        worker_set_timer(worker);
}
