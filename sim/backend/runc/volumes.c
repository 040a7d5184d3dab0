/* Volumes on disk: NODE/pods/UID/volumes/PLUGIN/NAME. Contents are published as kubelet's atomic writer does it: a new
 * directory, and the link ..data that is renamed over the old one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "sim/backend/runc/node_private.h"

char *
runc_volume_path(Host *host, const char *pod_uid, const char *plugin, const char *volume)
{
    RuncNode *node = runc_host_node(host);
    Host *other = node->options.components_host;
    if (other != NULL && node_is_component_pod(node, pod_uid, NULL))
        return other->ops->volume_path(other, pod_uid, plugin, volume);
    return g_build_filename(node->dir, "pods", pod_uid, "volumes", plugin, volume, NULL);
}

static bool
is_safe_path(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    return *path != '/' && *path != '\0' && !g_strv_contains((const char *const *)parts, "..");
}

static int64_t
group_of(const Value *pod)
{
    const Value *group = value_at(pod, "spec.securityContext.fsGroup");
    return group != NULL ? value_int(group) : -1;
}

static char *
write_file(const char *directory, const char *name, const Value *content, int64_t group)
{
    g_autofree char *path = g_build_filename(directory, name, NULL), *parent = g_path_get_dirname(path);
    g_autofree uint8_t *decoded = NULL;
    g_autoptr(GError) error = NULL;
    const char *bytes = value_text(content);
    size_t length = value_string_len(content);
    int mode = 0644;
    if (!is_safe_path(name))
        return g_strdup_printf("invalid path \"%s\"", name);
    if (value_is_map(content)) {
        const char *text = value_string_at(content, "text");
        bytes = text != NULL ? text : (const char *)(decoded = text_base64_decode(value_text_at(content, "bytes"), &length));
        length = text != NULL ? strlen(text) : length;
        mode = (int)value_int_at_or(content, "mode", mode);
    }
    g_mkdir_with_parents(parent, 0755);
    if (!g_file_set_contents_full(path, bytes != NULL ? bytes : "", bytes != NULL ? (gssize)length : 0,
                                  G_FILE_SET_CONTENTS_NONE, mode, &error))
        return g_strdup(error->message);
    if (chmod(path, (mode_t)(mode & 0777) | (group >= 0 ? 0040 : 0)) != 0 ||
        (group >= 0 && chown(path, (uid_t)-1, (gid_t)group) != 0))
        return g_strdup_printf("%s: %s", path, g_strerror(errno));
    return NULL;
}

static void
remove_tree(RuncNode *node, const char *path)
{
    const char *argv[] = {"/bin/rm", "-rf", "--one-file-system", path, NULL};
    child_start(node, &(ChildOptions){.argv = argv}, NULL, NULL);
}

/* Turns ..data to the new directory; links to its top names appear and vanish with them. */
static char *
turn_data(RuncNode *node, const char *path, const char *stamp, const Value *contents)
{
    g_autofree char *data = g_build_filename(path, "..data", NULL), *next = g_build_filename(path, "..data_tmp", NULL);
    g_autofree char *old = g_file_read_link(data, NULL);
    unlink(next);
    if (symlink(stamp, next) != 0 || rename(next, data) != 0)
        return g_strdup_printf("%s: %s", data, g_strerror(errno));
    VALUE_MAP_FOREACH (key, content, contents) {
        g_auto(GStrv) parts = g_strsplit(key, "/", 2);
        g_autofree char *link = g_build_filename(path, parts[0], NULL), *to = g_build_filename("..data", parts[0], NULL);
        if (symlink(to, link) != 0 && errno != EEXIST)
            return g_strdup_printf("%s: %s", link, g_strerror(errno));
    }
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *link = g_build_filename(path, name, NULL);
        if (!g_str_has_prefix(name, "..") && !g_file_test(link, G_FILE_TEST_EXISTS))
            unlink(link);
    }
    if (old != NULL && is_safe_path(old)) {
        g_autofree char *gone = g_build_filename(path, old, NULL);
        remove_tree(node, gone);
    }
    return NULL;
}

void
runc_publish_volume(Host *host, const char *pod_uid, const char *plugin, const char *volume, const Value *contents,
                    const Value *pod, HostDone done, void *data)
{
    RuncNode *node = runc_host_node(host);
    Host *other = node->options.components_host;
    if (other != NULL && node_is_component_pod(node, pod_uid, pod)) {
        other->ops->publish_volume(other, pod_uid, plugin, volume, contents, pod, done, data);
        return;
    }
    Waiter waiter = node_host_waiter(node, done, data);
    g_autofree char *path = runc_volume_path(host, pod_uid, plugin, volume), *id = runc_make_id(node);
    g_autofree char *stamp = g_strdup_printf("..%.16s", id), *directory = g_build_filename(path, stamp, NULL);
    g_autofree char *error = g_mkdir_with_parents(directory, 0755) != 0 ? g_strdup(g_strerror(errno)) : NULL;
    VALUE_MAP_FOREACH (key, content, contents) {
        if (error == NULL)
            error = write_file(directory, key, content, group_of(pod));
    }
    if (error == NULL)
        error = turn_data(node, path, stamp, contents);
    runc_complete(node, &waiter, NULL, error);
}

void
runc_make_empty_dir(Host *host, const char *pod_uid, const char *volume, const char *medium, uint64_t size_limit,
                    const Value *pod, HostDone done, void *data)
{
    RuncNode *node = runc_host_node(host);
    Host *other = node->options.components_host;
    if (other != NULL && node_is_component_pod(node, pod_uid, pod)) {
        other->ops->make_empty_dir(other, pod_uid, volume, medium, size_limit, pod, done, data);
        return;
    }
    Waiter waiter = node_host_waiter(node, done, data);
    g_autofree char *path = runc_volume_path(host, pod_uid, "kubernetes.io~empty-dir", volume), *error = NULL;
    g_autofree char *size = size_limit > 0 ? g_strdup_printf("mode=0777,size=%" G_GUINT64_FORMAT, size_limit)
                                           : g_strdup("mode=0777");
    bool existed = g_file_test(path, G_FILE_TEST_IS_DIR);
    if (g_mkdir_with_parents(path, 0777) != 0 || chmod(path, 0777) != 0)
        error = g_strdup_printf("%s: %s", path, g_strerror(errno));
    else if (!existed && g_strcmp0(medium, "Memory") == 0 &&
             mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, size) != 0)
        error = g_strdup_printf("mount %s: %s", path, g_strerror(errno));
    else if (group_of(pod) >= 0 && (chown(path, (uid_t)-1, (gid_t)group_of(pod)) != 0 || chmod(path, 02777) != 0))
        error = g_strdup_printf("%s: %s", path, g_strerror(errno));
    runc_complete(node, &waiter, NULL, error);
}

static char *
check_path(const char *path, const char *type)
{
    static const struct {
        const char *type, *what;
        mode_t mode;
        bool make;
    } TYPES[] = {{"DirectoryOrCreate", "directory", S_IFDIR, true}, {"Directory", "directory", S_IFDIR, false},
                 {"FileOrCreate", "file", S_IFREG, true}, {"File", "file", S_IFREG, false},
                 {"Socket", "socket file", S_IFSOCK, false}, {"CharDevice", "character device", S_IFCHR, false},
                 {"BlockDevice", "block device", S_IFBLK, false}};
    struct stat info;
    bool exists = stat(path, &info) == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        if (g_strcmp0(type, TYPES[i].type) != 0)
            continue;
        if (!exists && TYPES[i].make && TYPES[i].mode == S_IFDIR && g_mkdir_with_parents(path, 0755) == 0)
            return NULL;
        int fd = !exists && TYPES[i].make && TYPES[i].mode == S_IFREG
                     ? open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644)
                     : -1;
        if (fd >= 0)
            close(fd);
        else if (!exists || (info.st_mode & S_IFMT) != TYPES[i].mode)
            return g_strdup_printf("hostPath type check failed: %s is not a %s", path, TYPES[i].what);
        return NULL;
    }
    return NULL;
}

void
runc_check_host_path(Host *host, const char *path, const char *type, HostDone done, void *data)
{
    RuncNode *node = runc_host_node(host);
    Waiter waiter = node_host_waiter(node, done, data);
    g_autofree char *error = check_path(path, type);
    runc_complete(node, &waiter, NULL, error);
}

void
runc_mount_persistent_volume(Host *host, const char *pod_uid, const Value *pv, bool readonly, const Value *pod,
                             HostDone done, void *data)
{
    RuncNode *node = runc_host_node(host);
    Waiter waiter = node_host_waiter(node, done, data);
    const char *name = value_text_at(pv, "metadata.name");
    g_autofree char *store = g_build_filename(node->options.directory, node->options.cluster, "volumes", name, NULL);
    g_autofree char *path = runc_volume_path(host, pod_uid, "kubernetes.io~csi", name);
    g_autofree char *parent = g_path_get_dirname(path), *error = NULL;
    bool made = g_file_test(store, G_FILE_TEST_IS_DIR);
    if (g_mkdir_with_parents(store, 0777) != 0 || g_mkdir_with_parents(parent, 0755) != 0 ||
        (!made && chmod(store, 0777) != 0) || (symlink(store, path) != 0 && errno != EEXIST))
        error = g_strdup_printf("%s: %s", store, g_strerror(errno));
    runc_complete(node, &waiter, NULL, error);
}

typedef struct Removal {
    RuncNode *node;
    Waiter waiter;
} Removal;

static void
removed(int status, const char *text, void *data)
{
    Removal *removal = data;
    runc_complete(removal->node, &removal->waiter, NULL, status == 0 ? NULL : text);
    g_free(removal);
}

/* tmpfs mounts of a pod: volumes are two levels below its directory. */
static void
unmount_volumes(const char *pod_dir)
{
    g_autofree char *empty = g_build_filename(pod_dir, "volumes", "kubernetes.io~empty-dir", NULL);
    g_autoptr(GDir) dir = g_dir_open(empty, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(empty, name, NULL);
        umount2(path, MNT_DETACH); /* no mount: no harm */
    }
}

void
runc_remove_pod_dirs(Host *host, const char *pod_uid, HostDone done, void *data)
{
    RuncNode *node = runc_host_node(host);
    Host *other = node->options.components_host;
    if (other != NULL && node_is_component_pod(node, pod_uid, NULL)) {
        other->ops->remove_pod_dirs(other, pod_uid, done, data);
        return;
    }
    g_autofree char *dir = g_build_filename(node->dir, "pods", pod_uid, NULL);
    unmount_volumes(dir);
    Removal *removal = g_new0(Removal, 1);
    *removal = (Removal){node, node_host_waiter(node, done, data)};
    const char *argv[] = {"/bin/rm", "-rf", "--one-file-system", dir, NULL};
    if (child_start(node, &(ChildOptions){.argv = argv}, removed, removal) == NULL)
        removed(-1, "fork failed", removal);
}
