/* Container logs of a node: bounded, with watchers. A log lives as long as its path is known or a container writes it. */
#include <string.h>

#include "core/base/limits.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "sim/backend/simulated/node_private.h"

typedef struct KeptLine {
    int64_t time;
    uint8_t stream;
    bool partial;
    uint32_t length;
    char text[];
} KeptLine;

typedef struct LogWatch {
    gint64 id;
    LogLineFunc func; /* NULL: it said enough */
    void *data;
} LogWatch;

static void
port_write(Log *port, LogLevel level, const char *line)
{
    NodeLog *log = (NodeLog *)port;
    g_autofree char *text = log_klog_line(level, engine_now(log->node->backend->engine), 1, "timonel", line);
    node_log_write(log, 2, text, strlen(text));
    node_log_write(log, 2, "\n", 1);
}

static const LogOps log_ops = {.write = port_write};

NodeLog *
node_log_open(SimulatedNode *node, const char *path)
{
    NodeLog *log = g_hash_table_lookup(node->logs, path);
    if (log == NULL) {
        log = g_new0(NodeLog, 1);
        log->port = (Log){.ops = &log_ops, .level_min = LOG_INFO};
        log->refs = 1;
        log->path = g_strdup(path);
        log->node = node;
        g_hash_table_insert(node->logs, log->path, log);
    }
    return node_log_ref(log);
}

NodeLog *
node_log_ref(NodeLog *log)
{
    log->refs++;
    return log;
}

void
node_log_unref(void *data)
{
    NodeLog *log = data;
    if (--log->refs > 0)
        return;
    g_queue_clear_full(&log->lines, g_free);
    for (int i = 0; i < 2; i++)
        if (log->partial[i] != NULL)
            g_string_free(log->partial[i], TRUE);
    if (log->watches != NULL)
        g_array_unref(log->watches);
    g_free(log->path);
    g_free(log);
}

static void
give_line(const KeptLine *kept, LogWatch *watch)
{
    LogLine line = {.time = kept->time, .stream = kept->stream, .partial = kept->partial, .text = kept->text,
                    .length = kept->length};
    if (watch->func != NULL && !watch->func(&line, watch->data))
        watch->func = NULL;
}

static void
keep_line(NodeLog *log, int stream, const char *text, size_t length, bool partial)
{
    KeptLine *line = g_malloc(sizeof *line + length + 1);
    line->time = engine_now(log->node->backend->engine);
    line->stream = (uint8_t)stream;
    line->partial = partial;
    line->length = (uint32_t)length;
    memcpy(line->text, text, length);
    line->text[length] = '\0';
    g_queue_push_tail(&log->lines, line);
    log->bytes += sizeof *line + length;
    while (log->bytes > LOG_BYTES_MAX && log->lines.length > 1) {
        KeptLine *oldest = g_queue_pop_head(&log->lines);
        log->bytes -= sizeof *oldest + oldest->length;
        g_free(oldest);
    }
    node_log_ref(log); /* a watcher may remove the log */
    for (guint i = 0; log->watches != NULL && i < log->watches->len; i++)
        give_line(line, &g_array_index(log->watches, LogWatch, i));
    node_log_unref(log);
}

void
node_log_write(NodeLog *log, int stream, const char *bytes, size_t length)
{
    GString **partial = &log->partial[stream == 2];
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t taken = newline != NULL ? (size_t)(newline - bytes) : length;
        size_t held = *partial != NULL ? (*partial)->len : 0, room = LOG_LINE_MAX - held;
        bool full = taken >= room;
        taken = MIN(taken, room);
        if (held == 0 && newline != NULL && !full) {
            keep_line(log, stream, bytes, taken, false);
        } else {
            if (*partial == NULL)
                *partial = g_string_new(NULL);
            g_string_append_len(*partial, bytes, (gssize)taken);
        }
        bytes += taken;
        length -= taken;
        bool ends = length > 0 && *bytes == '\n';
        if (*partial != NULL && (*partial)->len > 0 && (full || ends)) {
            keep_line(log, stream, (*partial)->str, (*partial)->len, !ends);
            g_string_truncate(*partial, 0);
        }
        if (ends) {
            bytes++;
            length--;
        }
    }
}

void
node_log_flush(NodeLog *log)
{
    for (int i = 0; i < 2; i++)
        if (log->partial[i] != NULL && log->partial[i]->len > 0) {
            keep_line(log, i + 1, log->partial[i]->str, log->partial[i]->len, false);
            g_string_truncate(log->partial[i], 0);
        }
}

/* ---- ops of the host ---- */

bool
host_read_log(Host *host, const char *path, LogLineFunc func, void *data)
{
    NodeLog *log = g_hash_table_lookup(host_node(host)->logs, path);
    if (log == NULL)
        return false;
    LogWatch reader = {.func = func, .data = data};
    for (GList *item = log->lines.head; item != NULL && reader.func != NULL; item = item->next)
        give_line(item->data, &reader);
    return true;
}

uint64_t
host_watch_log(Host *host, const char *path, LogLineFunc func, void *data)
{
    SimulatedNode *node = host_node(host);
    NodeLog *log = g_hash_table_lookup(node->logs, path);
    if (log == NULL)
        return 0;
    if (log->watches == NULL)
        log->watches = g_array_new(FALSE, FALSE, sizeof(LogWatch));
    LogWatch watch = {.id = (gint64)++node->next_watch, .func = func, .data = data};
    g_array_append_val(log->watches, watch);
    gint64 *key = g_new(gint64, 1);
    *key = watch.id;
    g_hash_table_insert(node->log_watches, key, log);
    return (uint64_t)watch.id;
}

void
host_unwatch_log(Host *host, uint64_t id)
{
    SimulatedNode *node = host_node(host);
    gint64 key = (gint64)id;
    NodeLog *log = g_hash_table_lookup(node->log_watches, &key);
    for (guint i = 0; log != NULL && i < log->watches->len; i++)
        if (g_array_index(log->watches, LogWatch, i).id == key) {
            g_array_remove_index(log->watches, i);
            break;
        }
    g_hash_table_remove(node->log_watches, &key);
}

void
host_remove_log(Host *host, const char *path)
{
    SimulatedNode *node = host_node(host);
    NodeLog *log = g_hash_table_lookup(node->logs, path);
    if (log == NULL)
        return;
    for (guint i = 0; log->watches != NULL && i < log->watches->len; i++)
        g_hash_table_remove(node->log_watches, &g_array_index(log->watches, LogWatch, i).id);
    if (log->watches != NULL)
        g_array_set_size(log->watches, 0);
    g_hash_table_remove(node->logs, path);
}
