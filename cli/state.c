#include "cli/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/base/error.h"

static char *
clusters_directory(void)
{
    return g_build_filename(g_get_user_data_dir(), "timonel", "clusters", NULL);
}

bool
cluster_name_is_valid(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > 63 || name[0] == '-' || name[length - 1] == '-')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

ClusterState *
cluster_state_new(const char *name, GError **error)
{
    if (name != NULL && !cluster_name_is_valid(name)) {
        fail(error, TIMONEL_ERROR_INVALID,
             "\"%s\" cannot be a cluster's name: use 1 to 63 small letters, digits and '-', not at "
             "the ends",
             name);
        return NULL;
    }
    ClusterState *state = g_new0(ClusterState, 1);
    g_autofree char *root = clusters_directory();
    g_autofree char *session = g_strdup_printf("session-%d", (int)getpid());
    state->name = g_strdup(name);
    state->directory = g_build_filename(root, name != NULL ? name : session, NULL);
    state->document = g_build_filename(state->directory, "cluster.yaml", NULL);
    state->store = g_build_filename(state->directory, "store.db", NULL);
    state->pki = g_build_filename(state->directory, "pki", NULL);
    state->kubeconfig = g_build_filename(state->directory, "kubeconfig", NULL);
    state->lock = g_build_filename(state->directory, "lock", NULL);
    state->lock_fd = -1;
    return state;
}

/* Removes a folder's files and folders; never follows a link. */
static bool
remove_tree(const char *path, GError **error)
{
    GDir *folder = g_dir_open(path, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        bool is_folder = g_file_test(child, G_FILE_TEST_IS_DIR) &&
                         !g_file_test(child, G_FILE_TEST_IS_SYMLINK);
        if (is_folder ? !remove_tree(child, error) : unlink(child) != 0) {
            fail(error, TIMONEL_ERROR_IO, "remove %s: %s", child, g_strerror(errno));
            g_dir_close(folder);
            return false;
        }
    }
    if (folder != NULL)
        g_dir_close(folder);
    if (rmdir(path) != 0 && errno != ENOENT)
        return fail(error, TIMONEL_ERROR_IO, "remove %s: %s", path, g_strerror(errno));
    return true;
}

void
cluster_state_free(ClusterState *state)
{
    if (state == NULL)
        return;
    if (state->lock_fd >= 0) {
        if (state->name == NULL)
            remove_tree(state->directory, NULL);
        else if (ftruncate(state->lock_fd, 0) != 0)
            g_debug("truncate %s: %s", state->lock, g_strerror(errno));
        close(state->lock_fd);
    }
    char *texts[] = {state->name, state->directory,  state->document, state->store,
                     state->pki,  state->kubeconfig, state->lock};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(state);
}

bool
cluster_state_exists(const ClusterState *state)
{
    return g_file_test(state->document, G_FILE_TEST_EXISTS);
}

bool
cluster_state_lock(ClusterState *state, GError **error)
{
    if (g_mkdir_with_parents(state->directory, 0700) != 0)
        return fail(error, TIMONEL_ERROR_IO, "make folder %s: %s", state->directory,
                    g_strerror(errno));
    int fd = open(state->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(error, TIMONEL_ERROR_IO, "open %s: %s", state->lock, g_strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return fail(error, TIMONEL_ERROR_EXISTS,
                    "cluster \"%s\" is running already (process %d); `timonel down --name %s` "
                    "stops it",
                    state->name, cluster_state_pid(state), state->name);
    }
    g_autofree char *pid = g_strdup_printf("%d\n", (int)getpid());
    if (ftruncate(fd, 0) != 0 || write(fd, pid, strlen(pid)) < 0) {
        close(fd);
        return fail(error, TIMONEL_ERROR_IO, "write %s: %s", state->lock, g_strerror(errno));
    }
    state->lock_fd = fd;
    return true;
}

int
cluster_state_pid(const ClusterState *state)
{
    g_autofree char *text = NULL;
    int fd = open(state->lock, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    bool is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
    close(fd);
    if (is_free || !g_file_get_contents(state->lock, &text, NULL, NULL))
        return 0;
    return atoi(text);
}

bool
cluster_state_delete(ClusterState *state, GError **error)
{
    return remove_tree(state->directory, error);
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
cluster_state_list(void)
{
    g_autofree char *root = clusters_directory();
    GPtrArray *names = g_ptr_array_new();
    GDir *folder = g_dir_open(root, 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL)
        if (cluster_name_is_valid(name))
            g_ptr_array_add(names, g_strdup(name));
    if (folder != NULL)
        g_dir_close(folder);
    if (names->len > 0)
        qsort(names->pdata, names->len, sizeof(void *), compare_texts);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}
