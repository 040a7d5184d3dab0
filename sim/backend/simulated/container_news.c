/* What is told of a container's end: the termination message, those who waited for it, the listener. */
#include <string.h>

#include "sim/backend/simulated/node_private.h"

#define MESSAGE_MAX 4096        /* bytes of a termination message, as the kubelet takes */
#define MESSAGE_LOG_LINES 80    /* of the log, in its place */
#define MESSAGE_LOG_BYTES 2048

static void
end_waiters(SimulatedContainer *container)
{
    SimulatedNode *node = container_node(container);
    for (guint i = 0; container->waiters != NULL && i < container->waiters->len; i++) {
        StopWaiter *waiter = &g_array_index(container->waiters, StopWaiter, i);
        if (waiter->generation == node->kubelet_generation)
            node_complete(node, 2 * NS_PER_MS, waiter->done, waiter->data, container->id, NULL);
    }
    g_clear_pointer(&container->waiters, g_array_unref);
}

typedef struct Change {
    SimulatedNode *node;
    char *pod_uid;
    char id[CONTAINER_ID_LENGTH + 1];
} Change;

static void
change_free(void *data)
{
    g_free(((Change *)data)->pod_uid);
    g_free(data);
}

static void
change_arrives(void *data)
{
    Change *change = data;
    NodeRuntime *runtime = &change->node->runtime;
    if (runtime->listener != NULL)
        runtime->listener->container_changed(change->pod_uid, change->id, runtime->listener_data);
    change_free(change);
}

static void
announce_change(SimulatedContainer *container)
{
    SimulatedNode *node = container_node(container);
    if (node->kubelet == NULL)
        return;
    Change *change = g_new(Change, 1);
    *change = (Change){.node = node, .pod_uid = g_strdup(container->sandbox->uid)};
    memcpy(change->id, container->id, sizeof change->id);
    engine_at_take(node->backend->engine, node->kubelet, engine_now(node->backend->engine) + NS_PER_MS, change_arrives,
                   change, change_free);
}

static bool
collect_line(const LogLine *line, void *data)
{
    GQueue *lines = data;
    g_queue_push_tail(lines, g_strndup(line->text, line->length));
    if (lines->length > MESSAGE_LOG_LINES)
        g_free(g_queue_pop_head(lines));
    return true;
}

static char *
tail_of_log(SimulatedContainer *container)
{
    GQueue lines = G_QUEUE_INIT;
    Host *host = simulated_node_host(container_node(container));
    host->ops->read_log(host, container->log->path, collect_line, &lines);
    g_autoptr(GString) text = g_string_new(NULL);
    for (GList *item = lines.head; item != NULL; item = item->next)
        g_string_append_printf(text, "%s\n", (char *)item->data);
    g_queue_clear_full(&lines, g_free);
    size_t skip = text->len > MESSAGE_LOG_BYTES ? text->len - MESSAGE_LOG_BYTES : 0;
    return text->len > 0 ? g_strdup(text->str + skip) : NULL;
}

void
container_read_message(SimulatedContainer *container)
{
    const char *path = value_string(value_get(container->definition, "terminationMessagePath")), *text;
    const char *policy = value_text(value_get(container->definition, "terminationMessagePolicy"));
    size_t length;
    bool touched = container->files != NULL || container->n_mounts > 0;
    if (touched && container_read_file(container, path != NULL ? path : "/dev/termination-log", &text, &length) == FILE_OK &&
        length > 0)
        container->message = g_strndup(text, MIN(length, MESSAGE_MAX));
    else if (strcmp(policy, "FallbackToLogsOnError") == 0 && container->exit_code != 0)
        container->message = tail_of_log(container);
}

void
container_tell_kubelet(SimulatedContainer *container)
{
    end_waiters(container);
    announce_change(container);
}
