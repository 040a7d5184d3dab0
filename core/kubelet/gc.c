/* What is left of containers: one dead container a name is kept for its logs and last state; all of a pod goes with it. */
#include "core/kubelet/internal.h"

static void
ignore(Op *op, const char *id, const char *error)
{
}

static void
remove_container(Kubelet *kubelet, const ContainerStatus *status)
{
    Host *host = kubelet->host;
    g_autofree char *log = g_strdup_printf("/var/log/pods/%s_%s_%s/%s/%u.log", status->pod_namespace, status->pod_name,
                                           status->pod_uid, status->name, status->attempt);
    host->ops->remove_log(host, log);
    kubelet->runtime->ops->remove_container(kubelet->runtime, status->id, op_runtime_done, op_new(kubelet, NULL, ignore));
}

/* The view is sorted by name, newest first: the first of a name is its state, the second the last state. */
void
gc_dead_containers(PodWorker *worker)
{
    Kubelet *kubelet = worker->kubelet;
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, worker->uid);
    const char *name = "";
    unsigned seen = 0;
    for (guint i = 0; i < view->containers->len; i++) {
        const ContainerStatus *status = &g_array_index(view->containers, ContainerStatus, i);
        seen = g_str_equal(name, status->name) ? seen + 1 : 0;
        name = status->name;
        if (seen >= 2 && status->state == CONTAINER_EXITED)
            remove_container(kubelet, status);
    }
    for (guint i = 1; i < view->sandboxes->len; i++) {
        const PodSandboxStatus *sandbox = &g_array_index(view->sandboxes, PodSandboxStatus, i);
        bool used = sandbox->ready;
        for (guint j = 0; j < view->containers->len; j++)
            used = used || g_strcmp0(g_array_index(view->containers, ContainerStatus, j).sandbox_id, sandbox->id) == 0;
        if (!used)
            kubelet->runtime->ops->remove_pod_sandbox(kubelet->runtime, sandbox->id, op_runtime_done,
                                                      op_new(kubelet, NULL, ignore));
    }
}

static bool
image_is_used(const RuntimeView *all, const Value *image)
{
    VALUE_ARRAY_FOREACH (name, value_get(image, "names")) {
        for (guint i = 0; i < all->containers->len; i++) {
            const ContainerStatus *status = &g_array_index(all->containers, ContainerStatus, i);
            if (g_strcmp0(status->image, value_text(name)) == 0 || g_strcmp0(status->image_ref, value_text(name)) == 0)
                return true;
        }
    }
    return false;
}

unsigned
gc_images(Kubelet *kubelet)
{
    Runtime *runtime = kubelet->runtime;
    if (runtime->ops->remove_image == NULL)
        return 0;
    g_autoptr(RuntimeView) all = runtime_view_new(runtime, NULL);
    g_autoptr(Value) images = runtime->ops->list_images(runtime);
    unsigned removed = 0;
    VALUE_ARRAY_FOREACH (image, images) {
        if (image_is_used(all, image))
            continue;
        const char *name = value_text(value_item(value_get(image, "names"), 0));
        trace_decision(kubelet->ports->trace, kubelet->actor, "remove-image", NULL, "remove unused image %s", name);
        runtime->ops->remove_image(runtime, name, op_runtime_done, op_new(kubelet, NULL, ignore));
        removed++;
    }
    kubelet->node_dirty = kubelet->node_dirty || removed > 0;
    return removed;
}

void
gc_remove_pod(Kubelet *kubelet, const char *pod_uid)
{
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, pod_uid);
    for (guint i = 0; i < view->containers->len; i++)
        remove_container(kubelet, &g_array_index(view->containers, ContainerStatus, i));
    for (guint i = 0; i < view->sandboxes->len; i++)
        kubelet->runtime->ops->remove_pod_sandbox(kubelet->runtime, g_array_index(view->sandboxes, PodSandboxStatus, i).id,
                                                  op_runtime_done, op_new(kubelet, NULL, ignore));
}
