/* The kubelet's server on port 10250: logs, exec, attach, port forwarding, statistics. One Session a stream:
 *
 *   opened -> refused (REFUSED, closed)
 *          -> accepted -> data both ways -> END, closed          or: the other side is gone -> the runtime's session is closed
 */
#include "core/kubelet/logs.h"

#define FRAME_BYTES_MAX (32u * 1024)
#define SESSIONS_MAX 256 /* of one kubelet at once */

typedef struct Session {
    KubeletServer *server;
    NetStream *stream;
    KubeletRequest *request;
    RuntimeSession *runtime; /* exec, attach, port forwarding */
    char *container_id;      /* of a log that is followed */
    uint64_t watch;
    int64_t left; /* bytes that may still be sent; -1: no limit */
} Session;

struct KubeletServer {
    Kubelet *kubelet;
    NetServer *net;
    GPtrArray *sessions; /* in the order in which they came */
};

static void
session_free(void *data)
{
    Session *session = data;
    kubelet_request_free(session->request);
    g_free(session->container_id);
    g_free(session);
}

static Net *
net_of(const Session *session)
{
    return session->server->kubelet->ports->net;
}

static void
send_frame(Session *session, KubeletFrame *take)
{
    uint32_t size = 16 + (take->bytes != NULL ? (uint32_t)g_bytes_get_size(take->bytes) : 0);
    NetMessage message = {take, (GDestroyNotify)kubelet_frame_free, size, "kubelet"};
    net_of(session)->ops->send(net_of(session), session->stream, message);
}

/* Lets go of everything; the session is freed. */
static void
session_over(Session *session, bool runtime_too)
{
    Kubelet *kubelet = session->server->kubelet;
    if (session->watch != 0)
        kubelet->host->ops->unwatch_log(kubelet->host, session->watch);
    if (session->runtime != NULL && runtime_too)
        kubelet->runtime->ops->session_close(kubelet->runtime, session->runtime);
    if (session->stream != NULL)
        net_of(session)->ops->close(net_of(session), session->stream);
    g_ptr_array_remove(session->server->sessions, session);
}

static void
refuse(Session *session, int code, const char *text)
{
    send_frame(session, kubelet_frame_code(KUBELET_REFUSED, code, text));
    session_over(session, false);
}

static void
end_session(Session *session, int code, const char *text)
{
    send_frame(session, kubelet_frame_code(KUBELET_END, code, text));
    session_over(session, false);
}

static void
send_bytes(Session *session, int channel, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += FRAME_BYTES_MAX)
        send_frame(session, kubelet_frame_data(channel, bytes + at, MIN(length - at, (size_t)FRAME_BYTES_MAX)));
}

/* ---- logs -------------------------------------------------------------------------------------------------- */

static bool
on_log_line(const LogLine *line, void *data)
{
    Session *session = data;
    g_autoptr(GString) text = g_string_new(NULL);
    log_append(text, session->request, line);
    size_t length = text->len;
    if (session->left >= 0) {
        length = MIN(length, (size_t)session->left);
        session->left -= (int64_t)length;
    }
    send_bytes(session, KUBELET_STDOUT, text->str, length);
    return session->left != 0;
}

static void
open_logs(Session *session)
{
    Kubelet *kubelet = session->server->kubelet;
    g_autofree char *text = NULL, *id = NULL;
    bool running = false;
    int code = 0;
    g_autofree char *path = log_find(kubelet, session->request, &id, &running, &code, &text);
    if (path == NULL) {
        refuse(session, code, text);
        return;
    }
    send_frame(session, kubelet_frame_new(KUBELET_ACCEPTED));
    g_autoptr(GBytes) bytes = log_read(kubelet, session->request, path, &session->left);
    gsize length;
    const char *start = g_bytes_get_data(bytes, &length);
    send_bytes(session, KUBELET_STDOUT, start, length);
    if (!session->request->follow || !running || session->left == 0) {
        end_session(session, 0, NULL);
        return;
    }
    session->container_id = g_steal_pointer(&id);
    session->watch = kubelet->host->ops->watch_log(kubelet->host, path, on_log_line, session);
}

void
kubelet_server_containers_changed(KubeletServer *server)
{
    Runtime *runtime = server->kubelet->runtime;
    for (guint i = server->sessions->len; i-- > 0;) {
        Session *session = server->sessions->pdata[i];
        ContainerStatus status;
        if (session->container_id == NULL)
            continue;
        bool runs = runtime->ops->container_status(runtime, session->container_id, &status) &&
                    status.state == CONTAINER_RUNNING;
        if (!runs || session->left == 0)
            end_session(session, 0, NULL);
    }
}

/* ---- sessions with the runtime ---------------------------------------------------------------------------- */

static void
on_output(int stream, const void *bytes, size_t length, void *data)
{
    send_bytes(data, stream, bytes, length);
}

static void
on_ended(int exit_code, const char *error, void *data)
{
    Session *session = data;
    session->runtime = NULL;
    end_session(session, exit_code, error);
}

static const RuntimeSink SINK = {on_output, on_ended};

/* The id of the running container that is asked for; owned; NULL when there is none. */
static char *
running_container(Kubelet *kubelet, const KubeletRequest *request, const char **ret_name)
{
    PodWorker *worker = kubelet_find_named(kubelet, request->namespace_, request->pod);
    if (worker == NULL)
        return NULL;
    *ret_name = request->container != NULL ? request->container : value_text_at(worker->pod, "spec.containers[0].name");
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, worker->uid);
    const ContainerStatus *status = runtime_view_find(view, *ret_name);
    return status != NULL && status->state == CONTAINER_RUNNING ? g_strdup(status->id) : NULL;
}

static void
open_exec(Session *session)
{
    Kubelet *kubelet = session->server->kubelet;
    const KubeletRequest *request = session->request;
    const char *name = request->container != NULL ? request->container : "";
    g_autofree char *id = running_container(kubelet, request, &name);
    if (id == NULL) {
        g_autofree char *text = g_strdup_printf("container not found (\"%s\")", name);
        refuse(session, 500, text);
        return;
    }
    g_autofree char *subject = g_strdup_printf("Pod/%s/%s", request->namespace_, request->pod);
    trace_decision(kubelet->ports->trace, kubelet->actor, request->kind == KUBELET_EXEC ? "exec" : "attach", subject,
                   "open a session in container %s", name);
    send_frame(session, kubelet_frame_new(KUBELET_ACCEPTED));
    RuntimeExecOptions options = {
        .command = request->kind == KUBELET_EXEC ? (const char *const *)request->command : NULL,
        .stdin_open = request->stdin_open,
        .tty = request->tty,
    };
    session->runtime = kubelet->runtime->ops->exec(kubelet->runtime, id, &options, &SINK, session);
    if (session->runtime == NULL)
        end_session(session, 126, "the runtime could not open a session");
}

static void
open_port_forward(Session *session)
{
    Kubelet *kubelet = session->server->kubelet;
    const KubeletRequest *request = session->request;
    PodWorker *worker = kubelet_find_named(kubelet, request->namespace_, request->pod);
    g_autoptr(RuntimeView) view = worker != NULL ? runtime_view_new(kubelet->runtime, worker->uid) : NULL;
    const PodSandboxStatus *sandbox = view != NULL ? runtime_view_sandbox(view) : NULL;
    if (sandbox == NULL || !sandbox->ready) {
        g_autofree char *text = g_strdup_printf("pod not found (\"%s_%s\")", request->pod, request->namespace_);
        refuse(session, 404, text);
        return;
    }
    send_frame(session, kubelet_frame_new(KUBELET_ACCEPTED));
    session->runtime = kubelet->runtime->ops->port_forward(kubelet->runtime, sandbox->id, request->port, &SINK, session);
    if (session->runtime == NULL) {
        g_autofree char *text = g_strdup_printf("failed to dial %u: connect: connection refused", request->port);
        end_session(session, 1, text);
    }
}

static void
on_frame(NetStream *stream, NetStatus status, NetMessage message, void *data)
{
    Session *session = data;
    Runtime *runtime = session->server->kubelet->runtime;
    if (status != NET_OK) {
        session->stream = NULL;
        session_over(session, true);
        return;
    }
    g_autoptr(KubeletFrame) frame = message.body;
    if (session->runtime == NULL)
        return;
    if (frame->kind == KUBELET_DATA) {
        gsize length;
        const void *bytes = g_bytes_get_data(frame->bytes, &length);
        if (length > 0)
            runtime->ops->session_input(runtime, session->runtime, bytes, length);
    } else if (frame->kind == KUBELET_CLOSE_INPUT) {
        runtime->ops->session_input(runtime, session->runtime, NULL, 0);
    } else if (frame->kind == KUBELET_RESIZE) {
        runtime->ops->session_resize(runtime, session->runtime, frame->columns, frame->rows);
    }
}

/* ---- the door --------------------------------------------------------------------------------------------------- */

static void
on_open(NetServer *net, NetMessage message, NetStream *stream, const char *from, void *data)
{
    KubeletServer *server = data;
    Session *session = g_new0(Session, 1);
    session->server = server;
    session->stream = stream;
    session->request = message.body;
    g_ptr_array_add(server->sessions, session);
    server->kubelet->ports->net->ops->receive(server->kubelet->ports->net, stream, on_frame, session);
    if (server->sessions->len > SESSIONS_MAX) {
        refuse(session, 429, "too many sessions on this node");
        return;
    }
    switch (session->request->kind) {
    case KUBELET_LOGS:
        open_logs(session);
        break;
    case KUBELET_EXEC:
    case KUBELET_ATTACH:
        open_exec(session);
        break;
    case KUBELET_PORT_FORWARD:
        open_port_forward(session);
        break;
    default:
        refuse(session, 400, "this is not a stream");
        break;
    }
}

static void
append_pod(PodWorker *worker, void *data)
{
    if (!worker->from_orphan)
        value_builder_append(data, worker->status != NULL ? value_set(worker->pod, "status", value_ref(worker->status))
                                                          : value_ref(worker->pod));
}

static KubeletAnswer *
answer(Kubelet *kubelet, const KubeletRequest *request)
{
    switch (request->kind) {
    case KUBELET_STATS_SUMMARY:
        return kubelet_answer_new(200, stats_summary(kubelet), NULL);
    case KUBELET_PODS: {
        g_autoptr(ValueBuilder) list = value_builder_new_array();
        kubelet_each_worker(kubelet, append_pod, list);
        return kubelet_answer_new(200, value_new_f("{kind: PodList, apiVersion: v1, metadata: {}, items: %V}",
                                                   value_builder_end(g_steal_pointer(&list))), NULL);
    }
    case KUBELET_HEALTHZ:
        return kubelet_answer_new(200, value_new_string("ok"), NULL);
    default:
        return kubelet_answer_new(400, NULL, "open a stream for this");
    }
}

static void
on_call(NetServer *net, NetMessage message, NetReply *reply, const char *from, void *data)
{
    KubeletServer *server = data;
    Net *port = server->kubelet->ports->net;
    g_autoptr(KubeletRequest) request = message.body;
    KubeletAnswer *result = answer(server->kubelet, request);
    port->ops->reply(port, reply, (NetMessage){result, (GDestroyNotify)kubelet_answer_free, 1024, "kubelet answer"});
}

KubeletServer *
kubelet_server_new(Kubelet *kubelet)
{
    static const NetServerHandler HANDLER = {on_call, on_open};
    KubeletServer *server = g_new0(KubeletServer, 1);
    Net *net = kubelet->ports->net;
    server->kubelet = kubelet;
    server->sessions = g_ptr_array_new_with_free_func(session_free);
    server->net = net->ops->listen(net, kubelet->config.port, &HANDLER, server);
    if (server->net == NULL)
        log_error(kubelet->ports->log, "kubelet: port %u is in use", kubelet->config.port);
    return server;
}

void
kubelet_server_free(KubeletServer *server)
{
    if (server == NULL)
        return;
    Kubelet *kubelet = server->kubelet;
    while (server->sessions->len > 0)
        session_over(server->sessions->pdata[0], true);
    if (server->net != NULL)
        kubelet->ports->net->ops->close_server(kubelet->ports->net, server->net);
    g_ptr_array_unref(server->sessions);
    g_free(server);
}
