/* cgroups of either version, and both at once (hybrid): found by /proc/self/mountinfo. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/backend/runc/node_private.h"

#define KILL_ROUNDS 400
#define ROUND_US 2000
#define DEPTH_MAX 8

/* Mount points of all hierarchies; controller NULL: all, "": the unified one. Owned texts. */
static GPtrArray *
find_mounts(const char *controller)
{
    GPtrArray *mounts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = NULL;
    if (!g_file_get_contents("/proc/self/mounts", &text, NULL, NULL))
        return mounts;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL && mounts->len < RUNC_CGROUP_MOUNTS_MAX; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);
        if (g_strv_length(words) < 4)
            continue;
        g_auto(GStrv) options = g_strsplit(words[3], ",", -1);
        bool v1 = strcmp(words[2], "cgroup") == 0, v2 = strcmp(words[2], "cgroup2") == 0;
        bool wanted = controller == NULL                ? v1 || v2
                      : *controller == '\0' ? v2
                                                        : v1 && g_strv_contains((const char *const *)options, controller);
        if (wanted)
            g_ptr_array_add(mounts, g_strdup(words[1]));
    }
    return mounts;
}

bool
cgroup_is_unified(void)
{
    g_autoptr(GPtrArray) memory = find_mounts("memory");
    return memory->len == 0;
}

bool
cgroup_read(const char *controller, const char *cgroup, const char *file, char *ret_text, size_t size)
{
    g_autoptr(GPtrArray) mounts = find_mounts(controller);
    if (mounts->len == 0)
        return false;
    g_autofree char *path = g_build_filename(mounts->pdata[0], cgroup, file, NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, ret_text, size - 1);
    close(fd);
    ret_text[MAX(got, 0)] = '\0';
    return got >= 0;
}

uint64_t
cgroup_number(const char *controller, const char *cgroup, const char *file)
{
    char text[64];
    return cgroup_read(controller, cgroup, file, text, sizeof text) ? g_ascii_strtoull(text, NULL, 10) : 0;
}

uint64_t
cgroup_field(const char *controller, const char *cgroup, const char *file, const char *field)
{
    char text[8192];
    if (!cgroup_read(controller, cgroup, file, text, sizeof text))
        return 0;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++)
        if (g_str_has_prefix(lines[i], field) && lines[i][strlen(field)] == ' ')
            return g_ascii_strtoull(lines[i] + strlen(field), NULL, 10);
    return 0;
}

/* Calls func on a directory and all below it, deepest first. */
static void
walk(const char *path, int depth, void (*func)(const char *path, void *data), void *data)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;
    if (dir == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        g_autofree char *child = g_build_filename(path, entry->d_name, NULL);
        walk(child, depth + 1, func, data);
    }
    closedir(dir);
    func(path, data);
}

static void
kill_in(const char *path, void *data)
{
    g_autofree char *file = g_build_filename(path, "cgroup.procs", NULL), *text = NULL;
    if (!g_file_get_contents(file, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++) {
        int pid = atoi(lines[i]);
        if (pid > 1 && pid != getpid()) {
            kill(pid, SIGKILL);
            g_array_append_val((GArray *)data, pid);
        }
    }
}

void
cgroup_kill_all(const char *cgroup)
{
    g_autoptr(GPtrArray) mounts = find_mounts(NULL);
    g_autoptr(GArray) killed = g_array_new(FALSE, FALSE, sizeof(int));
    guint before;
    int round = 0;
    do {
        before = killed->len;
        for (guint i = 0; i < mounts->len; i++) {
            g_autofree char *path = g_build_filename(mounts->pdata[i], cgroup, NULL);
            walk(path, 0, kill_in, killed);
        }
        if (killed->len > before)
            g_usleep(ROUND_US);
    } while (killed->len > before && ++round < KILL_ROUNDS);
    /* Those whose parents died before them are ours to reap; of others waitpid says so at once. */
    for (guint i = 0; i < killed->len; i++)
        for (round = 0; waitpid(g_array_index(killed, int, i), NULL, WNOHANG) == 0 && round < KILL_ROUNDS; round++)
            g_usleep(ROUND_US);
}

static void
remove_one(const char *path, void *data)
{
    for (int round = 0; rmdir(path) != 0 && errno == EBUSY && round < 20; round++)
        g_usleep(2000);
}

void
cgroup_remove(const char *cgroup)
{
    g_autoptr(GPtrArray) mounts = find_mounts(NULL);
    for (guint i = 0; i < mounts->len; i++) {
        g_autofree char *path = g_build_filename(mounts->pdata[i], cgroup, NULL);
        walk(path, 0, remove_one, NULL);
        g_autofree char *parent = g_path_get_dirname(path);
        g_autofree char *base = g_path_get_basename(parent);
        if (strcmp(base, "timonel") == 0)
            rmdir(parent); /* stays while another node is in it */
    }
}
