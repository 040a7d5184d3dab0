/* Containers' output: read from their pipes, written in the CRI log format below NODE/logs, and told to who watches. */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/timestamp.h"
#include "sim/backend/runc/node_private.h"

#define LINE_MAX_BYTES (16u * 1024) /* a longer one is split: tag P */
#define LOG_FILE_MAX (64u << 20)    /* read at once */
#define READ_BYTES (64u * 1024)
#define READS_AT_END 64

static char *
log_file(RuncNode *node, const char *path)
{
    return g_build_filename(node->dir, "logs", path, NULL);
}

/* ---- news ---- */

typedef struct LogNews {
    RuncNode *node;
    uint64_t watch;
    LogLine line;
    char *text;
} LogNews;

static void
news_free(void *data)
{
    LogNews *news = data;
    g_free(news->text);
    g_free(news);
}

static LogWatch *
find_watch(RuncNode *node, uint64_t id)
{
    for (guint i = 0; i < node->log_watches->len; i++) {
        LogWatch *watch = &g_array_index(node->log_watches, LogWatch, i);
        if (watch->id == id)
            return watch;
    }
    return NULL;
}

static void
tell_line(void *data)
{
    LogNews *news = data;
    const LogWatch *watch = find_watch(news->node, news->watch);
    if (watch != NULL && watch->generation == news->node->generation)
        watch->func(&news->line, watch->data);
    news_free(news);
}

static void
tell_watches(RuncContainer *container, const LogLine *line)
{
    RuncNode *node = container->sandbox->node;
    for (guint i = 0; i < node->log_watches->len && node->kubelet != NULL; i++) {
        const LogWatch *watch = &g_array_index(node->log_watches, LogWatch, i);
        if (strcmp(watch->path, container->log_path) != 0)
            continue;
        LogNews *news = g_new0(LogNews, 1);
        *news = (LogNews){node, watch->id, *line, g_strndup(line->text, line->length)};
        news->line.text = news->text;
        engine_at_take(node->options.engine, node->kubelet, runc_now(node), tell_line, news, news_free);
    }
}

/* ---- writing ---- */

static void
write_line(LogStream *stream, const char *text, size_t length, bool partial)
{
    RuncContainer *container = stream->container;
    const LogLine line = {.time = runc_now(container->sandbox->node), .stream = stream->stream, .partial = partial,
                          .text = text, .length = length};
    g_autofree char *path = log_file(container->sandbox->node, container->log_path);
    g_autofree char *stamp = timestamp_nano_text(line.time);
    g_autofree char *head = g_strdup_printf("%s %s %s ", stamp, stream->stream == 1 ? "stdout" : "stderr",
                                            partial ? "P" : "F");
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd >= 0) {
        const struct iovec parts[] = {{head, strlen(head)}, {(char *)text, length}, {(char *)"\n", 1}};
        if (writev(fd, parts, G_N_ELEMENTS(parts)) < 0)
            g_debug("log %s: %s", path, g_strerror(errno));
        close(fd);
    }
    tell_watches(container, &line);
}

static void
take_bytes(LogStream *stream, const char *bytes, size_t length)
{
    runc_sessions_output(stream->container, stream->stream, bytes, length);
    g_string_append_len(stream->partial, bytes, (gssize)length);
    const char *start = stream->partial->str, *end = start + stream->partial->len;
    while (start < end) {
        const char *newline = memchr(start, '\n', (size_t)(end - start));
        size_t size = newline != NULL ? (size_t)(newline - start) : (size_t)(end - start);
        if (size > LINE_MAX_BYTES) {
            write_line(stream, start, LINE_MAX_BYTES, true);
            start += LINE_MAX_BYTES;
        } else if (newline != NULL) {
            write_line(stream, start, size, false);
            start = newline + 1;
        } else {
            break;
        }
    }
    g_string_erase(stream->partial, 0, start - stream->partial->str);
}

/* Returns false at the end of the stream. */
static bool
read_once(LogStream *stream, bool *ret_empty)
{
    char bytes[READ_BYTES];
    ssize_t got = read(stream->fd, bytes, sizeof bytes);
    *ret_empty = got <= 0;
    if (got > 0)
        take_bytes(stream, bytes, (size_t)got);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static void
stream_end(LogStream *stream)
{
    if (stream->source != 0)
        g_source_remove(stream->source);
    stream->source = 0;
    if (stream->partial->len > 0)
        write_line(stream, stream->partial->str, stream->partial->len, true);
    g_string_free(stream->partial, TRUE);
    close(stream->fd);
    *stream = (LogStream){.fd = -1};
}

static gboolean
readable(gint fd, GIOCondition condition, gpointer data)
{
    LogStream *stream = data;
    bool empty;
    node_wake(stream->container->sandbox->node);
    if (read_once(stream, &empty))
        return G_SOURCE_CONTINUE;
    stream->source = 0;
    stream_end(stream);
    return G_SOURCE_REMOVE;
}

void
log_stream_open(RuncContainer *container, int stream, int fd)
{
    LogStream *log = &container->streams[stream - 1];
    fcntl(fd, F_SETFL, O_NONBLOCK);
    *log = (LogStream){.container = container, .stream = stream, .fd = fd, .partial = g_string_new(NULL)};
}

void
log_stream_watch(LogStream *stream)
{
    stream->source = g_unix_fd_add(stream->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, stream);
}

void
log_stream_drop(LogStream *stream)
{
    close(stream->fd);
    g_string_free(stream->partial, TRUE);
    *stream = (LogStream){.fd = -1};
}

void
log_stream_close(LogStream *stream)
{
    if (stream->container == NULL)
        return;
    bool empty = false;
    for (int i = 0; i < READS_AT_END && !empty && read_once(stream, &empty); i++)
        ;
    stream_end(stream);
}

/* ---- reading ---- */

/* "TIME stdout F text"; false: not such a line. */
static bool
parse_line(const char *text, size_t length, LogLine *ret_line)
{
    const char *end = text + length, *first = memchr(text, ' ', length);
    const char *second = first != NULL ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
    if (second == NULL || end - second < 3 || second[2] != ' ')
        return false;
    g_autofree char *time = g_strndup(text, (size_t)(first - text));
    *ret_line = (LogLine){.stream = g_str_has_prefix(first + 1, "stderr") ? 2 : 1, .partial = second[1] == 'P',
                          .text = second + 3, .length = (size_t)(end - second - 3)};
    return timestamp_parse(time, &ret_line->time);
}

bool
runc_read_log(Host *host, const char *path, LogLineFunc func, void *data)
{
    RuncNode *node = runc_host_node(host);
    g_autofree char *file = log_file(node, path);
    g_autoptr(GMappedFile) mapped = g_mapped_file_new(file, FALSE, NULL);
    Host *other = node->options.components_host;
    if (mapped == NULL)
        return other != NULL && other->ops->read_log(other, path, func, data);
    const char *start = g_mapped_file_get_contents(mapped);
    size_t left = MIN(g_mapped_file_get_length(mapped), LOG_FILE_MAX);
    while (left > 0) {
        const char *newline = memchr(start, '\n', left);
        LogLine line;
        if (newline == NULL)
            break;
        if (parse_line(start, (size_t)(newline - start), &line) && !func(&line, data))
            break;
        left -= (size_t)(newline - start) + 1;
        start = newline + 1;
    }
    return true;
}

uint64_t
runc_watch_log(Host *host, const char *path, LogLineFunc func, void *data)
{
    RuncNode *node = runc_host_node(host);
    Host *other = node->options.components_host;
    g_autofree char *file = log_file(node, path);
    if (!g_file_test(file, G_FILE_TEST_EXISTS) && other != NULL)
        return other->ops->watch_log(other, path, func, data);
    LogWatch watch = {.id = ++node->next_watch | (UINT64_C(1) << 62), .path = g_strdup(path), .func = func, .data = data,
                      .generation = node->generation};
    g_array_append_val(node->log_watches, watch);
    return watch.id;
}

void
runc_unwatch_log(Host *host, uint64_t id)
{
    RuncNode *node = runc_host_node(host);
    Host *other = node->options.components_host;
    for (guint i = 0; i < node->log_watches->len; i++) {
        LogWatch *watch = &g_array_index(node->log_watches, LogWatch, i);
        if (watch->id == id) {
            g_free(watch->path);
            g_array_remove_index(node->log_watches, i);
            return;
        }
    }
    if (other != NULL)
        other->ops->unwatch_log(other, id);
}

void
runc_remove_log(Host *host, const char *path)
{
    RuncNode *node = runc_host_node(host);
    Host *other = node->options.components_host;
    g_autofree char *file = log_file(node, path);
    if (unlink(file) != 0 && other != NULL)
        other->ops->remove_log(other, path);
}
