/* One net stream a log. A stream's end, from either side, takes it out of `streams`; its reader is
 * told once. */
#include "core/http/kubelet_dial.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/status.h"
#include "core/base/timestamp.h"
#include "core/stream/kubelet_wire.h"

typedef void (*ChunkFunc)(const char *bytes, size_t length, Value *error, void *data);

typedef struct LogStream {
    KubeletDial *dial;
    NetStream *stream;
    uint64_t id;
    char *url; /* as error texts name it */
    ChunkFunc chunk;
    void *data;
} LogStream;

struct KubeletDial {
    const Ports *ports;
    GTree *streams; /* id -> LogStream */
    uint64_t last_id;
};

static gint
id_compare(gconstpointer a, gconstpointer b)
{
    return a < b ? -1 : a > b;
}

KubeletDial *
kubelet_dial_new(const Ports *ports)
{
    KubeletDial *dial = g_new0(KubeletDial, 1);

    dial->ports = ports;
    dial->streams = g_tree_new(id_compare);
    return dial;
}

static void
log_stream_free(LogStream *log)
{
    Net *net = log->dial->ports->net;

    g_tree_remove(log->dial->streams, GSIZE_TO_POINTER(log->id));
    if (log->stream != NULL)
        net->ops->close(net, log->stream);
    g_free(log->url);
    g_free(log);
}

void
kubelet_dial_free(KubeletDial *dial)
{
    GTreeNode *node;

    if (dial == NULL)
        return;
    while ((node = g_tree_node_first(dial->streams)) != NULL)
        log_stream_free(g_tree_node_value(node));
    g_tree_unref(dial->streams);
    g_free(dial);
}

static void
log_end(LogStream *log, Value *take_error)
{
    ChunkFunc chunk = log->chunk;
    void *data = log->data;

    log_stream_free(log);
    chunk(NULL, 0, take_error, data);
    value_unref(take_error);
}

static Value *
frame_error(const KubeletFrame *frame)
{
    const char *reason = frame->code == 404   ? "NotFound"
                         : frame->code == 400 ? "BadRequest"
                                              : "InternalError";

    return status_new(frame->code == 0 ? 500 : frame->code, reason, "%s",
                      frame->text == NULL ? "" : frame->text);
}

static void
log_frame(LogStream *log, const KubeletFrame *frame)
{
    switch (frame->kind) {
    case KUBELET_ACCEPTED:
        log->chunk("", 0, NULL, log->data);
        return;
    case KUBELET_REFUSED:
        log_end(log, frame_error(frame));
        return;
    case KUBELET_DATA:
        log->chunk(g_bytes_get_data(frame->bytes, NULL), g_bytes_get_size(frame->bytes), NULL,
                   log->data);
        return;
    case KUBELET_END:
        log_end(log, NULL);
        return;
    default:
        return;
    }
}

static void
log_receive(NetStream *stream, NetStatus status, NetMessage message, void *data)
{
    LogStream *log = data;

    if (status == NET_OK) {
        log_frame(log, message.body);
        if (message.free_body != NULL)
            message.free_body(message.body);
        return;
    }
    log->stream = NULL;
    log_end(log,
            status_new(500, "InternalError", "Get \"%s\": %s", log->url, net_status_text(status)));
}

/* ---- what the query asks for
 * ---------------------------------------------------------------------------------------------- */

static const char *
query_text(const ApiRequest *request, const char *name)
{
    return value_string(value_item(value_get(request->query, name), 0));
}

static bool
query_bool(const ApiRequest *request, const char *name)
{
    const char *text = query_text(request, name);

    return text != NULL && g_ascii_strcasecmp(text, "false") != 0 && strcmp(text, "0") != 0;
}

static int64_t
query_number(const ApiRequest *request, const char *name, int64_t otherwise)
{
    const char *text = query_text(request, name);

    return text == NULL || *text == '\0' ? otherwise : g_ascii_strtoll(text, NULL, 10);
}

static KubeletRequest *
log_request(const Value *pod, const ApiRequest *request)
{
    KubeletRequest *log = kubelet_request_new(KUBELET_LOGS, object_namespace(pod), object_name(pod),
                                              query_text(request, "container"));

    log->user = g_strdup(request->user == NULL ? NULL : request->user->name);
    log->previous = query_bool(request, "previous");
    log->follow = query_bool(request, "follow");
    log->timestamps = query_bool(request, "timestamps");
    log->tail_lines = query_number(request, "tailLines", -1);
    log->limit_bytes = query_number(request, "limitBytes", 0);
    log->since_seconds = query_number(request, "sinceSeconds", 0);
    log->since_ns = timestamp_of(query_text(request, "sinceTime"));
    return log;
}

static void
free_request(gpointer request)
{
    kubelet_request_free(request);
}

static uint64_t
log_open(void *data, const Value *node, const Value *pod, const ApiRequest *request,
         ChunkFunc chunk, void *chunk_data)
{
    KubeletDial *dial = data;
    Net *net = dial->ports->net;
    LogStream *log = g_new0(LogStream, 1);
    NetMessage first = {.body = log_request(pod, request),
                        .free_body = free_request,
                        .size = 256,
                        .label = "GET pods/log"};

    log->dial = dial;
    log->id = ++dial->last_id;
    log->url =
        g_strdup_printf("https://%s:%d/containerLogs/%s/%s/%s", object_name(node), KUBELET_PORT,
                        object_namespace(pod), object_name(pod), query_text(request, "container"));
    log->chunk = chunk;
    log->data = chunk_data;
    g_tree_insert(dial->streams, GSIZE_TO_POINTER(log->id), log);
    log->stream =
        net->ops->open(net, (NetAddress){object_name(node), KUBELET_PORT}, first, log_receive, log);
    return log->id;
}

static void
log_cancel(void *data, uint64_t id)
{
    LogStream *log = g_tree_lookup(((KubeletDial *)data)->streams, GSIZE_TO_POINTER(id));

    if (log != NULL)
        log_stream_free(log);
}

ApiKubeletDialer
kubelet_dial_ops(KubeletDial *dial)
{
    return (ApiKubeletDialer){.open = log_open, .cancel = log_cancel, .data = dial};
}
