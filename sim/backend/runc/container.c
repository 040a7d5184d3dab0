/* Containers: an overlay over the image, a config.json, and `runc run --detach`; the first process is reaped by us.
 *
 *   CREATED --start: child mounts and runs runc--> RUNNING --reaped--> EXITED --remove--> gone
 *      '------------- runc failed: EXITED (128, StartError) --------------' */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/object/json.h"
#include "sim/backend/runc/node_private.h"

#define START_ERROR_CODE 128

typedef struct Start {
    char rootfs[512], options[2048];
} Start;

void
runc_container_free(void *data)
{
    RuncContainer *container = data;
    RuncNode *node = container->sandbox->node;
    runc_sessions_exited(container);
    for (int i = 0; i < 2; i++)
        log_stream_close(&container->streams[i]);
    engine_cancel_slot(node->options.engine, &container->grace);
    if (container->stdin_fd >= 0)
        close(container->stdin_fd);
    char *texts[] = {container->id, container->name, container->image, container->dir, container->log_path,
                     container->cgroup, container->message, container->message_file};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_array_unref(container->stop_waiters);
    value_unref(container->definition);
    g_free(container);
}

/* ---- create ---- */

static RuncContainer *
container_new(RuncSandbox *sandbox, const ContainerConfig *config)
{
    RuncContainer *container = g_new0(RuncContainer, 1);
    container->sandbox = sandbox;
    container->id = runc_make_id(sandbox->node);
    container->name = g_strdup(config->name);
    container->image = g_strdup(config->image);
    container->attempt = config->attempt;
    container->hash = config->hash;
    container->definition = value_ref(config->container);
    container->dir = g_build_filename(sandbox->dir, container->id, NULL);
    container->log_path = g_build_filename(sandbox->log_directory, config->log_path, NULL);
    container->cgroup = g_build_filename(sandbox->cgroup_parent, container->id, NULL);
    container->message_file = g_build_filename(container->dir, "message", NULL);
    container->created_at = runc_now(sandbox->node);
    container->stdin_fd = -1;
    container->stop_waiters = g_array_new(FALSE, FALSE, sizeof(Waiter));
    container->streams[0].fd = container->streams[1].fd = -1;
    return container;
}

static bool
container_prepare(RuncContainer *container, const ContainerConfig *config, GError **error)
{
    static const char *const DIRECTORIES[] = {"rootfs", "upper", "work"};
    for (size_t i = 0; i < G_N_ELEMENTS(DIRECTORIES); i++) {
        g_autofree char *path = g_build_filename(container->dir, DIRECTORIES[i], NULL);
        g_mkdir_with_parents(path, 0755);
    }
    RuncNode *node = container->sandbox->node;
    g_autofree char *log = g_build_filename(node->dir, "logs", container->log_path, NULL);
    g_autofree char *logs = g_path_get_dirname(log);
    g_mkdir_with_parents(logs, 0750);
    g_autoptr(Value) document = config_make(container, config);
    g_autofree char *text = json_text(document), *path = g_build_filename(container->dir, "config.json", NULL);
    return g_file_set_contents_full(log, "", 0, G_FILE_SET_CONTENTS_NONE, 0640, error) &&
           g_file_set_contents_full(container->message_file, "", 0, G_FILE_SET_CONTENTS_NONE, 0666, error) &&
           g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error);
}

static size_t
count_containers(const RuncNode *node)
{
    size_t count = 0;
    for (guint i = 0; i < node->sandboxes->len; i++)
        count += ((RuncSandbox *)node->sandboxes->pdata[i])->containers->len;
    return count;
}

void
runc_create_container(Runtime *runtime, const char *sandbox_id, const ContainerConfig *config, RuntimeDone done, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncSandbox *sandbox = runc_find_sandbox(node, sandbox_id);
    if (sandbox == NULL && node->options.components != NULL) {
        node->options.components->ops->create_container(node->options.components, sandbox_id, config, done, data);
        return;
    }
    Waiter waiter = node_waiter(node, done, data);
    g_autofree char *text = NULL;
    if (sandbox == NULL || !sandbox->ready)
        text = g_strdup_printf("failed to find sandbox id \"%s\": not found", sandbox_id);
    else if (!images_is_busybox(config->image))
        text = g_strdup_printf("failed to resolve image \"%s\": not found", config->image);
    else if (count_containers(node) >= RUNC_CONTAINERS_MAX)
        text = g_strdup_printf("more than %d containers on this node", RUNC_CONTAINERS_MAX);
    if (text != NULL) {
        runc_complete(node, &waiter, NULL, text);
        return;
    }
    RuncContainer *container = container_new(sandbox, config);
    g_autoptr(GError) error = NULL;
    if (!container_prepare(container, config, &error)) {
        runc_complete(node, &waiter, NULL, error->message);
        runc_container_free(container);
        return;
    }
    g_ptr_array_add(sandbox->containers, container);
    runc_complete(node, &waiter, container->id, NULL);
}

/* ---- its end ---- */

static void
read_message(RuncContainer *container)
{
    char text[RUNC_MESSAGE_MAX + 1];
    int fd = open(container->message_file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t got = fd >= 0 ? read(fd, text, RUNC_MESSAGE_MAX) : 0;
    if (fd >= 0)
        close(fd);
    if (got > 0)
        container->message = g_utf8_make_valid(text, got);
}

static bool
was_oom_killed(const RuncContainer *container)
{
    return (cgroup_is_unified() ? cgroup_field("", container->cgroup, "memory.events", "oom_kill")
                                : cgroup_field("memory", container->cgroup, "memory.oom_control", "oom_kill")) > 0;
}

static void
become_exited(RuncContainer *container)
{
    RuncNode *node = container->sandbox->node;
    container->state = CONTAINER_EXITED;
    container->finished_at = runc_now(node);
    engine_cancel_slot(node->options.engine, &container->grace);
    runc_sessions_exited(container);
    for (int i = 0; i < 2; i++)
        log_stream_close(&container->streams[i]);
    if (container->stdin_fd >= 0)
        close(container->stdin_fd);
    container->stdin_fd = -1;
    for (guint i = 0; i < container->stop_waiters->len; i++)
        runc_complete(node, &g_array_index(container->stop_waiters, Waiter, i), container->id, NULL);
    g_array_set_size(container->stop_waiters, 0);
}

/* runc's own state of it and its cgroup; nobody waits for that. */
static void
forget_in_runc(RuncContainer *container)
{
    RuncNode *node = container->sandbox->node;
    g_autofree char *root = g_build_filename(node->dir, "runc", NULL);
    const char *argv[] = {node->runc, "--root", root, "delete", container->id, NULL};
    child_start(node, &(ChildOptions){.argv = argv}, NULL, NULL);
}

static void
container_exited(GPid pid, gint status, gpointer data)
{
    RuncContainer *container = data;
    node_wake(container->sandbox->node);
    container->pid = 0;
    container->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    container->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    container->reason = was_oom_killed(container) && container->exit_code != 0 ? "OOMKilled"
                        : container->exit_code == 0                            ? "Completed"
                                                                               : "Error";
    read_message(container);
    become_exited(container);
    forget_in_runc(container);
    if (!container->starting) /* else it is told when the start is answered */
        node_tell_changed(container->sandbox->node, container);
    sandbox_container_exited(container->sandbox);
}

/* ---- start ---- */

/* The last "msg" that runc logged, as containerd tells it. Owned. */
char *
container_runc_error(const char *log, const char *otherwise)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(log, &text, NULL, NULL))
        return g_strdup(otherwise);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    for (guint i = g_strv_length(lines); i > 0; i--) {
        g_autoptr(Value) line = json_parse(lines[i - 1], strlen(lines[i - 1]), NULL);
        const char *message = value_string_at(line, "msg");
        if (message == NULL || strcmp(value_text_at(line, "level"), "error") != 0)
            continue;
        const char *rest = strstr(message, "unable to start container process");
        return rest != NULL ? g_strdup_printf("failed to create containerd task: failed to create shim task: OCI runtime "
                                              "create failed: runc create failed: %s",
                                              rest)
                            : g_strdup(message);
    }
    return g_strdup(otherwise);
}

static int
start_body(void *arg, int error_fd)
{
    const Start *start = arg;
    return mount("overlay", start->rootfs, "overlay", 0, start->options) == 0 ? 0
                                                                             : child_fail(error_fd, "mount the image");
}

static void
start_failed(RuncContainer *container, const char *text)
{
    g_autofree char *log = g_build_filename(container->dir, "runc.log", NULL);
    g_autofree char *error = container_runc_error(log, text);
    container->exit_code = START_ERROR_CODE;
    container->reason = "StartError";
    container->message = g_strdup(error);
    container->started_at = 0;
    for (int i = 0; i < 2; i++)
        log_stream_drop(&container->streams[i]);
    become_exited(container);
    runc_complete(container->sandbox->node, &container->start_waiter, container->id, error);
}

static void
started(int status, const char *text, void *data)
{
    RuncContainer *container = data;
    RuncNode *node = container->sandbox->node;
    g_autofree char *file = g_build_filename(container->dir, "pid", NULL), *pid = NULL;
    container->starting = false;
    if (status != 0 || !g_file_get_contents(file, &pid, NULL, NULL) || atoi(pid) <= 1) {
        start_failed(container, text);
        sandbox_container_exited(container->sandbox);
        return;
    }
    container->pid = atoi(pid);
    container->state = CONTAINER_RUNNING;
    container->started_at = runc_now(node);
    for (int i = 0; i < 2; i++)
        log_stream_watch(&container->streams[i]);
    container->watch = g_child_watch_add(container->pid, container_exited, container);
    runc_complete(node, &container->start_waiter, container->id, NULL);
    if (container->sandbox->stopping || container->stop_waiters->len > 0)
        kill(container->pid, SIGKILL);
}

static void
spawn(RuncContainer *container, const int out[2], const int err[2], const int in[2])
{
    RuncNode *node = container->sandbox->node;
    Start start;
    g_autofree char *image = images_root(node), *root = g_build_filename(node->dir, "runc", NULL);
    g_autofree char *log = g_build_filename(container->dir, "runc.log", NULL);
    g_autofree char *pid = g_build_filename(container->dir, "pid", NULL);
    snprintf(start.rootfs, sizeof start.rootfs, "%s/rootfs", container->dir);
    snprintf(start.options, sizeof start.options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", image, container->dir,
             container->dir);
    const char *argv[] = {node->runc, "--root", root, "--log", log, "--log-format", "json", "run", "--detach", "--bundle",
                          container->dir, "--pid-file", pid, container->id, NULL};
    const ChildOptions options = {.body = start_body, .arg = &start, .argv = argv, .stdin_fd = in[0],
                                  .stdout_fd = out[1], .stderr_fd = err[1]};
    container->starting = true;
    if (child_start(node, &options, started, container) == NULL)
        started(-1, "fork failed", container);
}

static char *
start_refusal(RuncNode *node, const RuncContainer *container, const char *id)
{
    if (container == NULL)
        return g_strdup_printf("an error occurred when try to find container \"%s\": not found", id);
    if (container->state != CONTAINER_CREATED || container->starting || !container->sandbox->ready)
        return g_strdup_printf("container \"%s\" is not in CREATED state", id);
    return NULL;
}

void
runc_start_container(Runtime *runtime, const char *id, RuntimeDone done, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncContainer *container = runc_find_container(node, id);
    if (container == NULL && node->options.components != NULL) {
        node->options.components->ops->start_container(node->options.components, id, done, data);
        return;
    }
    Waiter waiter = node_waiter(node, done, data);
    g_autofree char *error = start_refusal(node, container, id);
    int out[2], err[2], in[2] = {0, -1};
    bool wants_stdin = error == NULL && value_bool(value_get(container->definition, "stdin"));
    if (error == NULL && (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ||
                          (wants_stdin && pipe2(in, O_CLOEXEC) != 0)))
        error = g_strdup(g_strerror(errno));
    if (error != NULL) {
        runc_complete(node, &waiter, NULL, error);
        return;
    }
    container->start_waiter = waiter;
    container->stdin_fd = in[1];
    log_stream_open(container, 1, out[0]);
    log_stream_open(container, 2, err[0]);
    spawn(container, out, err, in);
    close(out[1]);
    close(err[1]);
    if (wants_stdin)
        close(in[0]);
}

/* ---- stop and remove ---- */

static void
grace_is_over(void *data)
{
    RuncContainer *container = data;
    container->grace = 0;
    if (container->pid != 0)
        kill(container->pid, SIGKILL);
}

static int
stop_signal(const RuncContainer *container)
{
    static const struct {
        const char *name;
        int number;
    } SIGNALS[] = {{"SIGHUP", SIGHUP}, {"SIGINT", SIGINT}, {"SIGQUIT", SIGQUIT}, {"SIGKILL", SIGKILL},
                   {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2}, {"SIGTERM", SIGTERM}};
    const char *name = value_text_at(container->definition, "lifecycle.stopSignal");
    for (size_t i = 0; i < G_N_ELEMENTS(SIGNALS); i++)
        if (strcmp(name, SIGNALS[i].name) == 0)
            return SIGNALS[i].number;
    return SIGTERM;
}

void
runc_stop_container(Runtime *runtime, const char *id, int64_t grace_ns, RuntimeDone done, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncContainer *container = runc_find_container(node, id);
    if (container == NULL && node->options.components != NULL) {
        node->options.components->ops->stop_container(node->options.components, id, grace_ns, done, data);
        return;
    }
    Waiter waiter = node_waiter(node, done, data);
    if (container == NULL || (container->pid == 0 && !container->starting)) {
        runc_complete(node, &waiter, id, NULL);
        return;
    }
    g_array_append_val(container->stop_waiters, waiter);
    if (container->pid == 0)
        return; /* killed as soon as it has started */
    kill(container->pid, grace_ns > 0 ? stop_signal(container) : SIGKILL);
    engine_cancel_slot(node->options.engine, &container->grace);
    if (grace_ns > 0)
        container->grace = engine_in(node->options.engine, NULL, grace_ns, grace_is_over, container);
}

typedef struct Removal {
    RuncNode *node;
    char *id, *cgroup;
    Waiter waiter;
} Removal;

static void
removed(int status, const char *text, void *data)
{
    Removal *removal = data;
    cgroup_remove(removal->cgroup);
    runc_complete(removal->node, &removal->waiter, removal->id, status == 0 ? NULL : text);
    g_free(removal->id);
    g_free(removal->cgroup);
    g_free(removal);
}

void
runc_remove_container(Runtime *runtime, const char *id, RuntimeDone done, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncContainer *container = runc_find_container(node, id);
    if (container == NULL && node->options.components != NULL) {
        node->options.components->ops->remove_container(node->options.components, id, done, data);
        return;
    }
    Waiter waiter = node_waiter(node, done, data);
    if (container == NULL || container->pid != 0 || container->starting) {
        runc_complete(node, &waiter, id, container != NULL ? "the container is running" : NULL);
        return;
    }
    g_autofree char *rootfs = g_build_filename(container->dir, "rootfs", NULL);
    umount2(rootfs, MNT_DETACH);
    Removal *removal = g_new0(Removal, 1);
    *removal = (Removal){.node = node, .id = g_strdup(id), .cgroup = g_strdup(container->cgroup), .waiter = waiter};
    const char *argv[] = {"/bin/rm", "-rf", "--one-file-system", container->dir, NULL};
    if (child_start(node, &(ChildOptions){.argv = argv}, removed, removal) == NULL)
        removed(-1, "fork failed", removal);
    g_ptr_array_remove(container->sandbox->containers, container);
}
