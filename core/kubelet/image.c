/* Image pulls: one after the other, or several at once (pkg/kubelet/images). Callers that want an image which is being pulled
 * or waits for its turn share that pull. */
#include "core/kubelet/internal.h"

typedef struct Pull {
    ImageManager *manager;
    char *image;
    Value *secrets;
    GPtrArray *waiters; /* of Op; owned by the kubelet's list */
    int64_t asked_at, started_at;
    bool running;
} Pull;

struct ImageManager {
    Kubelet *kubelet;
    GPtrArray *pulls; /* of Pull, oldest first */
    unsigned running;
};

static void
pull_free(void *data)
{
    Pull *pull = data;
    g_free(pull->image);
    value_unref(pull->secrets);
    g_ptr_array_unref(pull->waiters);
    g_free(pull);
}

ImageManager *
image_manager_new(Kubelet *kubelet)
{
    ImageManager *manager = g_new0(ImageManager, 1);
    manager->kubelet = kubelet;
    manager->pulls = g_ptr_array_new_with_free_func(pull_free);
    return manager;
}

void
image_manager_free(ImageManager *manager)
{
    if (manager == NULL)
        return;
    g_ptr_array_unref(manager->pulls);
    g_free(manager);
}

static int64_t
image_size(Kubelet *kubelet, const char *image, const char *reference)
{
    g_autoptr(Value) images = kubelet->runtime->ops->list_images(kubelet->runtime);
    VALUE_ARRAY_FOREACH (item, images) {
        VALUE_ARRAY_FOREACH (name, value_get(item, "names")) {
            const char *text = value_text(name);
            const char *end = strstr(text, image);
            bool same = end != NULL && (end == text || end[-1] == '/') &&
                        (end[strlen(image)] == '\0' || g_str_equal(end + strlen(image), ":latest"));
            if (same || (reference != NULL && g_str_equal(text, reference)))
                return value_int(value_get(item, "sizeBytes"));
        }
    }
    return 0;
}

static void
tell_waiter(Pull *pull, Op *op, const char *id, const char *error, int64_t size)
{
    Kubelet *kubelet = pull->manager->kubelet;
    int64_t now = kubelet_now(kubelet);
    trace_adopt(kubelet->ports->trace, op->cause);
    if (error == NULL && op_is_current(op)) {
        const Value *container = value_item(pod_container_list(op->worker->pod, op->kind), op->index);
        int64_t ms = NS_PER_MS;
        g_autofree char *took = format_duration((now - MAX(pull->started_at, op->time)) / ms * ms);
        g_autofree char *waited = format_duration((now - op->time) / ms * ms);
        worker_container_event(op->worker, value_text(value_get(container, "name")), "Normal", "Pulled",
                               "Successfully pulled image \"%s\" in %s (%s including waiting). Image size: %" G_GINT64_FORMAT
                               " bytes.",
                               pull->image, took, waited, size);
    }
    op->done(op, id, error);
    op_free(op);
}

static void start_pulls(ImageManager *manager);

static void
on_pulled(Op *op, const char *id, const char *error)
{
    ImageManager *manager = op->kubelet->images;
    Pull *pull = NULL;
    for (guint i = 0; i < manager->pulls->len && pull == NULL; i++) {
        Pull *candidate = manager->pulls->pdata[i];
        if (candidate->running && g_str_equal(candidate->image, op->text))
            pull = g_ptr_array_steal_index(manager->pulls, i);
    }
    if (pull == NULL)
        return;
    manager->running--;
    op->kubelet->node_dirty = op->kubelet->node_dirty || error == NULL;
    int64_t size = error == NULL ? image_size(op->kubelet, pull->image, id) : 0;
    for (guint i = 0; i < pull->waiters->len; i++)
        tell_waiter(pull, pull->waiters->pdata[i], id, error, size);
    pull_free(pull);
    start_pulls(manager);
}

static void
start_pulls(ImageManager *manager)
{
    Kubelet *kubelet = manager->kubelet;
    const KubeletConfig *config = &kubelet->config;
    unsigned most = config->serialize_image_pulls ? 1 : (unsigned)config->max_parallel_image_pulls;
    for (guint i = 0; i < manager->pulls->len && (most == 0 || manager->running < most); i++) {
        Pull *pull = manager->pulls->pdata[i];
        if (pull->running)
            continue;
        pull->running = true;
        pull->started_at = kubelet_now(kubelet);
        manager->running++;
        Op *op = op_new(kubelet, NULL, on_pulled);
        op->text = g_strdup(pull->image);
        kubelet->runtime->ops->pull_image(kubelet->runtime, pull->image, pull->secrets, op_runtime_done, op);
    }
}

void
image_pull(Kubelet *kubelet, const char *image, const Value *secrets, Op *op)
{
    ImageManager *manager = kubelet->images;
    const Value *container = value_item(pod_container_list(op->worker->pod, op->kind), op->index);
    worker_container_event(op->worker, value_text(value_get(container, "name")), "Normal", "Pulling", "Pulling image \"%s\"",
                           image);
    op->time = kubelet_now(kubelet);
    for (guint i = 0; i < manager->pulls->len; i++) {
        Pull *pull = manager->pulls->pdata[i];
        if (g_str_equal(pull->image, image)) {
            g_ptr_array_add(pull->waiters, op);
            return;
        }
    }
    Pull *pull = g_new0(Pull, 1);
    pull->manager = manager;
    pull->image = g_strdup(image);
    pull->secrets = value_ref(secrets);
    pull->waiters = g_ptr_array_new();
    pull->asked_at = op->time;
    g_ptr_array_add(pull->waiters, op);
    g_ptr_array_add(manager->pulls, pull);
    start_pulls(manager);
}
