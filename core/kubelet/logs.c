/* Container logs (kuberuntime/logs, GetKubeletContainerLogs). */
#include "core/kubelet/logs.h"

#include "core/base/timestamp.h"

typedef struct LogReading {
    const KubeletRequest *request;
    int64_t since;
    GQueue lines; /* of char *, at most tail_lines */
} LogReading;

void
log_append(GString *text, const KubeletRequest *request, const LogLine *line)
{
    if (request->timestamps) {
        g_autofree char *time = timestamp_nano_text(line->time);
        g_string_append_printf(text, "%s ", time);
    }
    g_string_append_len(text, line->text, (gssize)line->length);
    if (!line->partial)
        g_string_append_c(text, '\n');
}

static bool
take_line(const LogLine *line, void *data)
{
    LogReading *reading = data;
    if (line->time < reading->since)
        return true;
    GString *text = g_string_new(NULL);
    log_append(text, reading->request, line);
    g_queue_push_tail(&reading->lines, text);
    int64_t most = reading->request->tail_lines;
    if (most >= 0 && (int64_t)g_queue_get_length(&reading->lines) > most)
        g_string_free(g_queue_pop_head(&reading->lines), TRUE);
    return true;
}

GBytes *
log_read(Kubelet *kubelet, const KubeletRequest *request, const char *path, int64_t *ret_left)
{
    Host *host = kubelet->host;
    LogReading reading = {.request = request, .since = request->since_ns, .lines = G_QUEUE_INIT};
    if (request->since_seconds > 0)
        reading.since = kubelet_now(kubelet) - request->since_seconds * NS_PER_S;
    host->ops->read_log(host, path, take_line, &reading);
    GString *all = g_string_new(NULL);
    GString *line;
    while ((line = g_queue_pop_head(&reading.lines)) != NULL) {
        g_string_append_len(all, line->str, (gssize)line->len);
        g_string_free(line, TRUE);
    }
    *ret_left = -1;
    if (request->limit_bytes > 0) {
        if ((int64_t)all->len > request->limit_bytes)
            g_string_truncate(all, (gsize)request->limit_bytes);
        *ret_left = request->limit_bytes - (int64_t)all->len;
    }
    return g_string_free_to_bytes(all);
}

static const char *
default_container(const Value *pod)
{
    const char *named = object_annotation(pod, "kubectl.kubernetes.io/default-container");
    if (named != NULL && pod_find_container(pod, named, NULL) != NULL)
        return named;
    return value_text_at(pod, "spec.containers[0].name");
}

static char *
why_not_started(PodWorker *worker, const char *container)
{
    const ContainerMemory *memory = worker_memory(worker, container, false);
    const char *reason = memory != NULL && memory->reason != NULL ? memory->reason : "ContainerCreating";
    const char *what = reason;
    if (g_str_equal(reason, "ErrImagePull"))
        what = "image can't be pulled";
    else if (g_str_equal(reason, "ImagePullBackOff"))
        what = "trying and failing to pull image";
    else if (g_str_equal(reason, "ContainerCreating") && value_size(pod_container_list(worker->pod, CONTAINER_INIT)) > 0)
        what = "PodInitializing";
    return g_strdup_printf("container \"%s\" in pod \"%s\" is waiting to start: %s", container, object_name(worker->pod),
                           what);
}

static char *
path_of(const ContainerStatus *status)
{
    return g_strdup_printf("/var/log/pods/%s_%s_%s/%s/%u.log", status->pod_namespace, status->pod_name, status->pod_uid,
                           status->name, status->attempt);
}

char *
log_find(Kubelet *kubelet, const KubeletRequest *request, char **ret_id, bool *ret_running, int *ret_code, char **ret_text)
{
    PodWorker *worker = kubelet_find_named(kubelet, request->namespace_, request->pod);
    if (worker == NULL) {
        *ret_code = 404;
        *ret_text = g_strdup_printf("pods \"%s\" not found", request->pod);
        return NULL;
    }
    const char *name = request->container != NULL ? request->container : default_container(worker->pod);
    *ret_code = 400;
    if (pod_find_container(worker->pod, name, NULL) == NULL) {
        *ret_text = g_strdup_printf("container %s is not valid for pod %s", name, request->pod);
        return NULL;
    }
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, worker->uid);
    unsigned wanted = request->previous ? 1 : 0;
    const ContainerStatus *found = NULL;
    for (guint i = 0; i < view->containers->len; i++) {
        const ContainerStatus *status = &g_array_index(view->containers, ContainerStatus, i);
        if (!g_str_equal(status->name, name))
            continue;
        if (wanted == 0 && status->state != CONTAINER_CREATED) {
            found = status;
            break;
        }
        if (wanted > 0 && status->state != CONTAINER_CREATED)
            wanted--;
    }
    if (found == NULL) {
        *ret_text = request->previous ? g_strdup_printf("previous terminated container \"%s\" in pod \"%s\" not found", name,
                                                        request->pod)
                                      : why_not_started(worker, name);
        return NULL;
    }
    *ret_id = g_strdup(found->id);
    *ret_running = found->state == CONTAINER_RUNNING;
    return path_of(found);
}
