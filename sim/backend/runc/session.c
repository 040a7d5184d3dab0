/* Commands in running containers, by `runc exec`; attaching to their output; bytes to ports in their networks. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/backend/runc/node_private.h"

#define READ_BYTES (32u * 1024)
#define INPUT_MAX (4u << 20) /* that a slow reader leaves untaken */

struct RuntimeSession {
    RuncNode *node;
    RuncContainer *container; /* of an attach; else NULL */
    uint32_t generation;
    Child *child; /* of an exec, until it ended */
    char *pid_file;
    int in_fd, out_fd[2]; /* -1: none */
    guint in_source, out_source[2];
    GByteArray *input; /* not taken yet */
    bool input_ended, tty, closed, child_ended, timed_out;
    int exit_code;
    char *error;
    const RuntimeSink *sink;
    void *data;
    RuntimeExecDone done; /* of exec_sync */
    GString *output;
    EventId timer, news;
};

static void
session_close_fd(int *fd, guint *source)
{
    if (*source != 0)
        g_source_remove(*source);
    *source = 0;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
session_free(RuntimeSession *session)
{
    engine_cancel_slot(session->node->options.engine, &session->timer);
    engine_cancel_slot(session->node->options.engine, &session->news);
    session_close_fd(&session->in_fd, &session->in_source);
    for (int i = 0; i < 2; i++)
        session_close_fd(&session->out_fd[i], &session->out_source[i]);
    if (session->pid_file != NULL)
        unlink(session->pid_file);
    g_ptr_array_remove(session->node->sessions, session);
    g_byte_array_unref(session->input);
    g_string_free(session->output, TRUE);
    g_free(session->pid_file);
    g_free(session->error);
    g_free(session);
}

static RuntimeSession *
session_new(RuncNode *node, const RuntimeSink *sink, void *data)
{
    RuntimeSession *session = g_new0(RuntimeSession, 1);
    *session = (RuntimeSession){.node = node, .generation = node->generation, .in_fd = -1, .out_fd = {-1, -1},
                                .input = g_byte_array_new(), .output = g_string_new(NULL), .sink = sink, .data = data};
    g_ptr_array_add(node->sessions, session);
    return session;
}

/* ---- news: each is an event of the kubelet's process ---- */

static bool
is_wanted(const RuntimeSession *session)
{
    return !session->closed && session->generation == session->node->generation && session->node->kubelet != NULL;
}

typedef struct Output {
    RuntimeSession *session;
    int stream;
    GBytes *bytes;
} Output;

static void
output_free(void *data)
{
    Output *output = data;
    g_bytes_unref(output->bytes);
    g_free(output);
}

static void
tell_output(void *data)
{
    Output *output = data;
    RuntimeSession *session = output->session;
    RuncNode *node = session->node;
    gsize length;
    const void *bytes = g_bytes_get_data(output->bytes, &length);
    if (g_ptr_array_find(node->sessions, session, NULL) && is_wanted(session))
        session->sink->output(output->stream, bytes, length, session->data);
    output_free(output);
}

static void
session_tell(RuntimeSession *session, int stream, const char *bytes, size_t length)
{
    RuncNode *node = session->node;
    if (session->done != NULL) {
        size_t room = session->output->len < RUNC_OUTPUT_MAX ? RUNC_OUTPUT_MAX - session->output->len : 0;
        g_string_append_len(session->output, bytes, (gssize)MIN(length, room));
    } else if (is_wanted(session)) {
        Output *output = g_new0(Output, 1);
        *output = (Output){session, stream, g_bytes_new(bytes, length)};
        engine_at_take(node->options.engine, node->kubelet, runc_now(node), tell_output, output, output_free);
    }
}

static void
tell_ended(void *data)
{
    RuntimeSession *session = data;
    session->news = 0;
    if (is_wanted(session) && session->done != NULL) {
        const ExecResult result = {.error = session->error, .exit_code = session->exit_code,
                                   .output = session->output->str, .timed_out = session->timed_out};
        session->done(&result, session->data);
    } else if (is_wanted(session)) {
        session->closed = true;
        session->sink->ended(session->exit_code, session->error, session->data);
    }
    session_free(session);
}

/* Tells the end once nothing more can come. */
static void
session_check_end(RuntimeSession *session)
{
    if (!session->child_ended || session->news != 0)
        return;
    RuncNode *node = session->node;
    for (int i = 0; i < 2; i++) {
        char bytes[READ_BYTES];
        ssize_t got;
        while (session->out_fd[i] >= 0 && (got = read(session->out_fd[i], bytes, sizeof bytes)) > 0)
            session_tell(session, session->tty ? 1 : i + 1, bytes, (size_t)got);
        session_close_fd(&session->out_fd[i], &session->out_source[i]);
    }
    if (is_wanted(session))
        session->news = engine_at(node->options.engine, node->kubelet, runc_now(node), tell_ended, session);
    if (session->news == 0)
        session_free(session);
}

/* ---- bytes ---- */

static gboolean
session_readable(gint fd, GIOCondition condition, gpointer data)
{
    RuntimeSession *session = data;
    char bytes[READ_BYTES];
    int index = fd == session->out_fd[0] ? 0 : 1;
    node_wake(session->node);
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got > 0)
        session_tell(session, index + 1, bytes, (size_t)got);
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return G_SOURCE_CONTINUE;
    session->out_source[index] = 0;
    if (session->child == NULL && session->pid_file == NULL) { /* a forwarded port: its other end has closed */
        session->child_ended = true;
        session_check_end(session);
    }
    return G_SOURCE_REMOVE;
}

static gboolean
session_writable(gint fd, GIOCondition condition, gpointer data)
{
    RuntimeSession *session = data;
    ssize_t sent = session->input->len > 0 ? send(fd, session->input->data, session->input->len, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno == ENOTSOCK)
        sent = write(fd, session->input->data, session->input->len);
    if (sent < 0 && errno != EAGAIN)
        g_byte_array_set_size(session->input, 0); /* nobody reads it */
    else if (sent > 0)
        g_byte_array_remove_range(session->input, 0, (guint)sent);
    if (session->input->len > 0)
        return G_SOURCE_CONTINUE;
    session->in_source = 0;
    if (session->input_ended && session->pid_file == NULL)
        shutdown(fd, SHUT_WR);
    else if (session->input_ended && !session->tty) {
        close(session->in_fd);
        session->in_fd = -1;
    }
    return G_SOURCE_REMOVE;
}

void
runc_session_input(Runtime *runtime, RuntimeSession *session, const void *bytes, size_t length)
{
    RuncNode *node = runc_runtime_node(runtime);
    if (!g_ptr_array_find(node->sessions, session, NULL)) {
        if (node->options.components != NULL)
            node->options.components->ops->session_input(node->options.components, session, bytes, length);
        return;
    }
    if (session->in_fd < 0)
        return;
    if (length == 0 && session->tty)
        bytes = "\004", length = 1;
    if (length == 0)
        session->input_ended = true;
    else if (session->input->len + length <= INPUT_MAX)
        g_byte_array_append(session->input, bytes, (guint)length);
    if (session->in_source == 0)
        session->in_source = g_unix_fd_add(session->in_fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, session_writable, session);
}

void
runc_session_resize(Runtime *runtime, RuntimeSession *session, unsigned columns, unsigned rows)
{
    RuncNode *node = runc_runtime_node(runtime);
    if (!g_ptr_array_find(node->sessions, session, NULL)) {
        if (node->options.components != NULL)
            node->options.components->ops->session_resize(node->options.components, session, columns, rows);
        return;
    }
    const struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
    if (session->tty && session->out_fd[0] >= 0)
        ioctl(session->out_fd[0], TIOCSWINSZ, &size); /* the kernel tells runc by SIGWINCH */
}

/* The command in the container first, then runc that waits for it. */
static void
session_kill(RuntimeSession *session)
{
    g_autofree char *text = NULL;
    int pid = session->pid_file != NULL && g_file_get_contents(session->pid_file, &text, NULL, NULL) ? atoi(text) : 0;
    if (pid > 1)
        kill(pid, SIGKILL);
    else if (session->child != NULL)
        kill(child_pid(session->child), SIGKILL);
}

void
runc_session_close(Runtime *runtime, RuntimeSession *session)
{
    RuncNode *node = runc_runtime_node(runtime);
    if (!g_ptr_array_find(node->sessions, session, NULL)) {
        if (node->options.components != NULL)
            node->options.components->ops->session_close(node->options.components, session);
        return;
    }
    session->closed = true;
    if (session->child != NULL)
        session_kill(session); /* freed when its child has ended */
    else
        session_free(session);
}

void
sessions_free(RuncNode *node)
{
    while (node->sessions->len > 0)
        session_free(node->sessions->pdata[0]);
}

/* ---- exec ---- */

static void
exec_ended(int status, const char *text, void *data)
{
    RuntimeSession *session = data;
    session->child = NULL;
    session->child_ended = true;
    session->exit_code = status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 137;
    session_check_end(session);
}

static void
exec_timed_out(void *data)
{
    RuntimeSession *session = data;
    session->timer = 0;
    session->timed_out = true;
    session_kill(session);
}

static void
session_fail(RuntimeSession *session, char *take_error)
{
    session->error = take_error;
    session->child_ended = true;
    session_check_end(session);
}

static void
watch_output(RuntimeSession *session, int index, int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    session->out_fd[index] = fd;
    session->out_source[index] = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, session_readable, session);
}

static GPtrArray *
exec_argv(RuncNode *node, const RuncContainer *container, const RuntimeSession *session, const char *const *command,
          const char *root, const char *log)
{
    GPtrArray *argv = g_ptr_array_new();
    const char *const head[] = {node->runc, "--root", root, "--log", log, "--log-format", "json", "exec", "--pid-file",
                                session->pid_file};
    for (size_t i = 0; i < G_N_ELEMENTS(head); i++)
        g_ptr_array_add(argv, (char *)head[i]);
    if (session->tty)
        g_ptr_array_add(argv, (char *)"--tty");
    g_ptr_array_add(argv, container->id);
    for (size_t i = 0; command[i] != NULL; i++)
        g_ptr_array_add(argv, (char *)command[i]);
    g_ptr_array_add(argv, NULL);
    return argv;
}

static void
exec_start(RuntimeSession *session, const RuncContainer *container, const char *const *command, bool stdin_open)
{
    RuncNode *node = session->node;
    g_autofree char *root = g_build_filename(node->dir, "runc", NULL), *id = runc_make_id(node);
    g_autofree char *log = g_build_filename(container->dir, "exec.log", NULL);
    session->pid_file = g_strdup_printf("%s/exec-%.16s", container->dir, id);
    int in[2] = {0, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    ChildOptions options = {.new_session = session->tty};
    if (session->tty) {
        if (openpty(&out[0], &out[1], NULL, NULL, NULL) != 0)
            return session_fail(session, g_strdup(g_strerror(errno)));
        fcntl(out[0], F_SETFD, FD_CLOEXEC);
        options.stdin_fd = options.stdout_fd = options.stderr_fd = out[1];
        session->in_fd = fcntl(out[0], F_DUPFD_CLOEXEC, 3);
    } else {
        if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 || (stdin_open && pipe2(in, O_CLOEXEC) != 0))
            return session_fail(session, g_strdup(g_strerror(errno)));
        options.stdin_fd = in[0];
        options.stdout_fd = out[1];
        options.stderr_fd = err[1];
        session->in_fd = in[1];
        watch_output(session, 1, err[0]);
    }
    watch_output(session, 0, out[0]);
    if (session->in_fd >= 0)
        fcntl(session->in_fd, F_SETFL, O_NONBLOCK);
    g_autoptr(GPtrArray) argv = exec_argv(node, container, session, command, root, log);
    options.argv = (const char *const *)argv->pdata;
    session->child = child_start(node, &options, exec_ended, session);
    close(out[1]);
    if (err[1] >= 0)
        close(err[1]);
    if (in[0] > 0)
        close(in[0]);
    if (session->child == NULL)
        session_fail(session, g_strdup("fork failed"));
}

static char *
exec_refusal(const RuncContainer *container, const char *id)
{
    if (container == NULL)
        return g_strdup_printf("an error occurred when try to find container \"%s\": not found", id);
    return container->pid == 0 ? g_strdup_printf("container is not running: %s", id) : NULL;
}

void
runc_exec_sync(Runtime *runtime, const char *id, const char *const *command, int64_t timeout_ns, RuntimeExecDone done,
               void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncContainer *container = runc_find_container(node, id);
    if (container == NULL && node->options.components != NULL) {
        node->options.components->ops->exec_sync(node->options.components, id, command, timeout_ns, done, data);
        return;
    }
    RuntimeSession *session = session_new(node, NULL, data);
    session->done = done;
    char *error = exec_refusal(container, id);
    if (error != NULL) {
        session_fail(session, error);
        return;
    }
    if (timeout_ns > 0)
        session->timer = engine_in(node->options.engine, NULL, timeout_ns, exec_timed_out, session);
    exec_start(session, container, command, false);
}

RuntimeSession *
runc_exec(Runtime *runtime, const char *id, const RuntimeExecOptions *options, const RuntimeSink *sink, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncContainer *container = runc_find_container(node, id);
    if (container == NULL && node->options.components != NULL)
        return node->options.components->ops->exec(node->options.components, id, options, sink, data);
    RuntimeSession *session = session_new(node, sink, data);
    char *error = exec_refusal(container, id);
    if (error != NULL) {
        session_fail(session, error);
    } else if (options->command == NULL) {
        session->container = container;
        if (options->stdin_open && container->stdin_fd >= 0) {
            session->in_fd = fcntl(container->stdin_fd, F_DUPFD_CLOEXEC, 3);
            fcntl(session->in_fd, F_SETFL, O_NONBLOCK);
        }
    } else {
        session->tty = options->tty;
        if (options->timeout_ns > 0)
            session->timer = engine_in(node->options.engine, NULL, options->timeout_ns, exec_timed_out, session);
        exec_start(session, container, options->command, options->stdin_open);
    }
    return session;
}

/* ---- attach ---- */

void
runc_sessions_output(RuncContainer *container, int stream, const char *bytes, size_t length)
{
    GPtrArray *sessions = container->sandbox->node->sessions;
    for (guint i = 0; i < sessions->len; i++) {
        RuntimeSession *session = sessions->pdata[i];
        if (session->container == container)
            session_tell(session, stream, bytes, length);
    }
}

void
runc_sessions_exited(RuncContainer *container)
{
    GPtrArray *sessions = container->sandbox->node->sessions;
    for (guint i = sessions->len; i > 0; i--) {
        RuntimeSession *session = sessions->pdata[i - 1];
        if (session->container != container)
            continue;
        session->container = NULL;
        session->child_ended = true;
        session->exit_code = container->exit_code;
        session_check_end(session);
    }
}

/* ---- forwarded ports ---- */

RuntimeSession *
runc_port_forward(Runtime *runtime, const char *sandbox_id, uint16_t port, const RuntimeSink *sink, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncSandbox *sandbox = runc_find_sandbox(node, sandbox_id);
    if (sandbox == NULL && node->options.components != NULL)
        return node->options.components->ops->port_forward(node->options.components, sandbox_id, port, sink, data);
    RuntimeSession *session = session_new(node, sink, data);
    g_autofree char *netns = sandbox != NULL ? sandbox_netns(sandbox) : NULL;
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = netns != NULL ? network_socket(netns, SOCK_STREAM) : -1;
    if (fd < 0 || (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)) {
        session_fail(session, g_strdup_printf("failed to connect to localhost:%u inside namespace \"%s\": %s", port,
                                              sandbox_id, g_strerror(errno)));
        if (fd >= 0)
            close(fd);
        return session;
    }
    session->in_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    watch_output(session, 0, fd);
    return session;
}
