/* Exec, attach and port-forward. A session belongs to its container (or, a port-forward, to nothing that ends it but its
 * client) and speaks to the kubelet that opened it; after that kubelet's death it goes silent and is freed with its
 * container or its own end. */
#include <stdlib.h>
#include <string.h>

#include "sim/backend/simulated/node_private.h"

#define EXEC_OUTPUT_MAX (16u * 1024)
#define FORWARD_INPUT_MAX (64u * 1024)
#define SESSIONS_MAX 64

typedef enum { SESSION_SYNC, SESSION_EXEC, SESSION_ATTACH, SESSION_FORWARD } SessionKind;

struct RuntimeSession {
    SessionKind kind;
    SimulatedNode *node;
    SimulatedContainer *container; /* NULL: of none */
    uint32_t generation;
    Shell *shell;
    RuntimeExecDone done; /* of a sync one */
    const RuntimeSink *sink;
    void *data;
    GString *output; /* of a sync one; the input of a forward */
    EventId timer;
    int exit_code;
    char *error;
    char *address; /* of a forward */
    uint16_t port;
    uint64_t request;
    bool speaking, closed; /* closed by its client while it was told something */
};

static Engine *
session_engine(const RuntimeSession *session)
{
    return session->node->backend->engine;
}

static bool
is_heard(const RuntimeSession *session)
{
    return session->generation == session->node->kubelet_generation;
}

static void
session_free(RuntimeSession *session)
{
    if (session->container != NULL)
        g_ptr_array_remove(session->container->sessions, session);
    engine_cancel_slot(session_engine(session), &session->timer);
    shell_free(session->shell);
    if (session->output != NULL)
        g_string_free(session->output, TRUE);
    g_free(session->error);
    g_free(session->address);
    g_free(session);
}

/* Tells the end and frees. */
static void
session_end(RuntimeSession *session, int exit_code, const char *error, bool timed_out)
{
    bool heard = is_heard(session);
    RuntimeExecDone done = session->done;
    const RuntimeSink *sink = session->sink;
    void *data = session->data;
    g_autofree char *text = g_strdup(error), *output = session->kind == SESSION_SYNC ? g_strdup(session->output->str) : NULL;
    session_free(session);
    if (!heard)
        return;
    if (done != NULL)
        done(&(ExecResult){.error = text, .exit_code = exit_code, .output = output, .timed_out = timed_out}, data);
    else
        sink->ended(exit_code, text, data);
}

static void
session_fails(void *data)
{
    RuntimeSession *session = data;
    session->timer = 0;
    session_end(session, session->exit_code, session->error, false);
}

static void
session_times_out(void *data)
{
    RuntimeSession *session = data;
    session->timer = 0;
    session_end(session, -1, NULL, true);
}

static void
give_output(RuntimeSession *session, int stream, const char *bytes, size_t length)
{
    if (session->kind == SESSION_SYNC) {
        size_t room = EXEC_OUTPUT_MAX - MIN(session->output->len, EXEC_OUTPUT_MAX);
        g_string_append_len(session->output, bytes, (gssize)MIN(length, room));
    } else if (is_heard(session) && length > 0) {
        session->sink->output(stream, bytes, length, session->data);
    }
}

static void
shell_gives_output(int stream, const char *bytes, size_t length, void *data)
{
    give_output(data, stream, bytes, length);
}

static void
shell_has_ended(int exit_code, void *data)
{
    session_end(data, exit_code, NULL, false);
}

static RuntimeSession *
session_new(SimulatedNode *node, SessionKind kind, SimulatedContainer *container)
{
    RuntimeSession *session = g_new0(RuntimeSession, 1);
    session->kind = kind;
    session->node = node;
    session->generation = node->kubelet_generation;
    session->output = kind == SESSION_SYNC || kind == SESSION_FORWARD ? g_string_new(NULL) : NULL;
    if (container != NULL && container->sessions == NULL)
        container->sessions = g_ptr_array_new();
    if (container != NULL && container->sessions->len < SESSIONS_MAX) {
        session->container = container;
        g_ptr_array_add(container->sessions, session);
    }
    return session;
}

/* It will end by the next event, with an error. */
static void
fail_soon(RuntimeSession *session, int exit_code, char *take_error)
{
    session->exit_code = exit_code;
    session->error = take_error;
    engine_cancel_slot(session_engine(session), &session->timer);
    session->timer = engine_in(session_engine(session), NULL, NS_PER_MS, session_fails, session);
}

static void
start_command(RuntimeSession *session, const char *container_id, const char *const *command, ShellInput input)
{
    static const ShellSink sink = {.output = shell_gives_output, .ended = shell_has_ended};
    SimulatedContainer *container = session->container;
    if (container == NULL || container->state != CONTAINER_RUNNING) {
        fail_soon(session, 1, g_strdup_printf("failed to exec in container: container \"%s\" is not in running state",
                                              container_id));
        return;
    }
    if (container->hung)
        return; /* until its time-out */
    const char *word = command[0] != NULL ? command[0] : "";
    if (!shell_knows(container, word)) {
        bool path = strchr(word, '/') != NULL;
        fail_soon(session, path ? 126 : 127,
                  path ? g_strdup_printf("failed to exec in container: failed to start exec: OCI runtime exec failed: exec "
                                         "failed: unable to start container process: exec: \"%s\": stat %s: no such file "
                                         "or directory: unknown", word, word)
                       : g_strdup_printf("failed to exec in container: failed to start exec: OCI runtime exec failed: exec "
                                         "failed: unable to start container process: exec: \"%s\": executable file not "
                                         "found in $PATH: unknown", word));
        return;
    }
    session->shell = shell_new(container, command, input, &sink, session);
}

void
runtime_exec_sync(Runtime *runtime, const char *container_id, const char *const *command, int64_t timeout_ns,
                  RuntimeExecDone done, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    RuntimeSession *session = session_new(node, SESSION_SYNC, node_find_container(node, container_id));
    session->done = done;
    session->data = data;
    if (timeout_ns > 0)
        session->timer = engine_in(session_engine(session), NULL, timeout_ns, session_times_out, session);
    start_command(session, container_id, command, SHELL_INPUT_NONE);
}

RuntimeSession *
runtime_exec(Runtime *runtime, const char *container_id, const RuntimeExecOptions *options, const RuntimeSink *sink,
             void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedContainer *container = node_find_container(node, container_id);
    RuntimeSession *session = session_new(node, options->command != NULL ? SESSION_EXEC : SESSION_ATTACH, container);
    session->sink = sink;
    session->data = data;
    if (options->timeout_ns > 0)
        session->timer = engine_in(session_engine(session), NULL, options->timeout_ns, session_times_out, session);
    if (options->command != NULL)
        start_command(session, container_id, options->command,
                      !options->stdin_open ? SHELL_INPUT_NONE : options->tty ? SHELL_INPUT_TTY : SHELL_INPUT_OPEN);
    else if (container == NULL || container->state != CONTAINER_RUNNING)
        fail_soon(session, 1, g_strdup_printf("container \"%s\" is not in running state", container_id));
    return session;
}

/* ---- port-forward ---- */

static void forward_input(RuntimeSession *session);

static void
forward_answered(const SimulatedAnswer *answer, void *data)
{
    RuntimeSession *session = data;
    if (answer->status != NET_OK) {
        g_autofree char *error = g_strdup_printf("failed to connect to localhost:%u inside namespace: %s", session->port,
                                                 net_status_text(answer->status));
        session_end(session, 1, error, false);
        return;
    }
    session->request = 0;
    if (answer->http_status == 0) { /* connected: what came meanwhile goes on */
        forward_input(session);
        return;
    }
    const char *body = answer->body != NULL ? answer->body : "";
    g_autofree char *text = g_strdup_printf("HTTP/1.1 %d %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                                            answer->http_status, answer->http_status < 400 ? "OK" : "Error", strlen(body),
                                            body);
    session->speaking = true;
    give_output(session, 1, text, strlen(text));
    session->speaking = false;
    if (session->closed)
        session_free(session);
    else
        session_end(session, 0, NULL, false);
}

/* A request is complete when its head is; its line says what is wanted. */
static void
forward_input(RuntimeSession *session)
{
    const char *input = session->output->str, *end = strstr(input, "\r\n\r\n");
    if (end == NULL || session->request != 0)
        return;
    g_auto(GStrv) line = g_strsplit(input, " ", 3);
    SimulatedRequest request = {.protocol = SIMULATED_HTTP, .from = session->node->name, .to = session->address,
                                .port = session->port, .method = line[0], .path = g_strv_length(line) > 1 ? line[1] : "/",
                                .http_host = "localhost"};
    session->request = simulated_net_request(session->node->backend->net, NULL, &request, forward_answered, session);
    g_string_truncate(session->output, 0);
}

RuntimeSession *
runtime_port_forward(Runtime *runtime, const char *sandbox_id, uint16_t port, const RuntimeSink *sink, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedSandbox *sandbox = node_find_sandbox(node, sandbox_id);
    RuntimeSession *session = session_new(node, SESSION_FORWARD, NULL);
    session->sink = sink;
    session->data = data;
    session->port = port;
    if (sandbox == NULL || !sandbox->ready) {
        fail_soon(session, 1, g_strdup_printf("failed to find sandbox \"%s\" in store: not found", sandbox_id));
        return session;
    }
    session->address = g_strdup(sandbox->ip != NULL ? sandbox->ip : node->ip);
    SimulatedRequest request = {.protocol = SIMULATED_TCP, .from = node->name, .to = session->address, .port = port};
    session->request = simulated_net_request(node->backend->net, NULL, &request, forward_answered, session);
    return session;
}

/* ---- ops ---- */

void
runtime_session_input(Runtime *runtime, RuntimeSession *session, const void *bytes, size_t length)
{
    if (session->kind == SESSION_FORWARD) {
        if (session->output->len + length <= FORWARD_INPUT_MAX)
            g_string_append_len(session->output, bytes, (gssize)length);
        forward_input(session);
        return;
    }
    Shell *shell = session->kind == SESSION_ATTACH && session->container != NULL ? session->container->shell
                                                                                 : session->shell;
    if (shell != NULL)
        shell_input(shell, bytes, length);
}

void
runtime_session_resize(Runtime *runtime, RuntimeSession *session, unsigned columns, unsigned rows)
{
}

void
runtime_session_close(Runtime *runtime, RuntimeSession *session)
{
    if (session->kind == SESSION_FORWARD)
        simulated_net_cancel_request(session->node->backend->net, session->request);
    session->closed = true;
    if (!session->speaking)
        session_free(session);
}

void
sessions_container_exited(SimulatedContainer *container)
{
    while (container->sessions != NULL && container->sessions->len > 0) {
        RuntimeSession *session = container->sessions->pdata[0];
        int code = session->kind == SESSION_ATTACH ? container->exit_code : 137;
        session_end(session, code, session->kind == SESSION_SYNC ? "container exited" : NULL, false);
    }
}

void
sessions_container_output(SimulatedContainer *container, int stream, const char *bytes, size_t length)
{
    for (guint i = 0; container->sessions != NULL && i < container->sessions->len; i++) {
        RuntimeSession *session = container->sessions->pdata[i];
        if (session->kind == SESSION_ATTACH)
            give_output(session, stream, bytes, length);
    }
}
