/* Children: everything that blocks (mounts, namespaces, the OCI runtime) runs in one. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/backend/runc/node_private.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct Child {
    RuncNode *node;
    pid_t pid;
    guint watch;
    int error_fd;
    ChildDone done;
    void *data;
};

pid_t
child_pid(const Child *child)
{
    return child->pid;
}

int
child_fail(int error_fd, const char *what)
{
    const char *why = strerrordesc_np(errno);
    if (write(error_fd, what, strlen(what)) < 0 || write(error_fd, ": ", 2) < 0 ||
        (why != NULL && write(error_fd, why, strlen(why)) < 0))
        return 2;
    return 1;
}

static void
child_free(Child *child)
{
    close(child->error_fd);
    g_free(child);
}

static void
child_exited(GPid pid, gint status, gpointer data)
{
    Child *child = data;
    char text[RUNC_ERROR_MAX];
    size_t used = 0;
    ssize_t got;
    while (used < sizeof text - 1 && (got = read(child->error_fd, text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)got;
    while (used > 0 && text[used - 1] == '\n')
        used--;
    text[used] = '\0';
    g_ptr_array_remove(child->node->children, child);
    node_wake(child->node);
    if (child->done != NULL)
        child->done(status, text, child->data);
    child_free(child);
}

static void
use_fd(int fd, int target, int otherwise)
{
    dup2(fd > 0 ? fd : otherwise, target);
}

G_NORETURN static void
child_main(const ChildOptions *options, int error_fd)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    setsid(); /* Ctrl-C in the person's terminal is not for containers */
    int null = open("/dev/null", O_RDWR);
    use_fd(options->stdin_fd, 0, null);
    use_fd(options->stdout_fd, 1, error_fd);
    use_fd(options->stderr_fd, 2, error_fd);
    if (options->new_session)
        ioctl(0, TIOCSCTTY, 0);
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    int code = options->body != NULL ? options->body(options->arg, error_fd) : 0;
    if (code == 0 && options->argv != NULL) {
        execv(options->argv[0], (char *const *)options->argv);
        code = child_fail(error_fd, options->argv[0]);
    }
    _exit(code);
}

Child *
child_start(RuncNode *node, const ChildOptions *options, ChildDone done, void *data)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return NULL;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    pid_t pid = fork();
    if (pid == 0)
        child_main(options, fds[1]);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return NULL;
    }
    Child *child = g_new0(Child, 1);
    *child = (Child){.node = node, .pid = pid, .error_fd = fds[0], .done = done, .data = data};
    child->watch = g_child_watch_add(pid, child_exited, child);
    g_ptr_array_add(node->children, child);
    return child;
}

void
child_stop_all(RuncNode *node)
{
    for (guint i = 0; i < node->children->len; i++) {
        Child *child = node->children->pdata[i];
        g_source_remove(child->watch);
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
        child_free(child);
    }
    g_ptr_array_set_size(node->children, 0);
}
