/* Volumes of pods: trees under /var/lib/kubelet/pods/UID/volumes/PLUGIN/NAME. Persistent ones are shared by their volume's
 * name, wherever their pods run: their tree is the backend's. */
#include <string.h>

#include "sim/backend/simulated/node_private.h"

#define PUBLISH_NS (3 * NS_PER_MS)
#define VOLUMES_ROOT "/var/lib/kubelet/pods/"

char *
host_volume_path(Host *host, const char *pod_uid, const char *plugin, const char *volume)
{
    return g_strconcat(VOLUMES_ROOT, pod_uid, "/volumes/", plugin, "/", volume, NULL);
}

static FileTree *
take_volume(SimulatedNode *node, char *path)
{
    FileTree *tree = g_hash_table_lookup(node->volumes, path);
    if (tree == NULL) {
        tree = file_tree_new(NULL);
        g_hash_table_insert(node->volumes, path, tree);
    } else {
        g_free(path);
    }
    return tree;
}

FileTree *
node_find_volume(SimulatedNode *node, const char *host_path, char **ret_path)
{
    g_autofree char *clean = file_path_normalise(NULL, host_path);
    if (clean == NULL)
        return NULL;
    g_autofree char *key = g_strconcat("/", clean, NULL);
    for (size_t length = strlen(key); g_str_has_prefix(key, VOLUMES_ROOT) && length > strlen(VOLUMES_ROOT);) {
        g_autofree char *prefix = g_strndup(key, length);
        FileTree *tree = g_hash_table_lookup(node->volumes, prefix);
        if (tree != NULL) {
            *ret_path = g_strdup(key[length] == '/' ? key + length + 1 : "");
            return tree;
        }
        while (length > 0 && key[--length] != '/')
            ;
    }
    *ret_path = g_steal_pointer(&clean);
    return node->files;
}

void
host_publish_volume(Host *host, const char *pod_uid, const char *plugin, const char *volume, const Value *contents,
                    const Value *pod, HostDone done, void *data)
{
    SimulatedNode *node = host_node(host);
    if (node->disk_full) {
        node_complete_host(node, PUBLISH_NS, done, data, "write: no space left on device");
        return;
    }
    file_tree_set_base(take_volume(node, host_volume_path(host, pod_uid, plugin, volume)), contents);
    node_complete_host(node, PUBLISH_NS, done, data, NULL);
}

void
host_make_empty_dir(Host *host, const char *pod_uid, const char *volume, const char *medium, uint64_t size_limit,
                    const Value *pod, HostDone done, void *data)
{
    SimulatedNode *node = host_node(host);
    FileTree *tree = take_volume(node, host_volume_path(host, pod_uid, "kubernetes.io~empty-dir", volume));
    file_tree_set_size_max(tree, size_limit);
    node_complete_host(node, PUBLISH_NS, done, data, NULL);
}

/* The part of the path that is there from the start on any machine. */
static bool
path_exists(SimulatedNode *node, const char *path, bool *ret_directory)
{
    g_autofree char *clean = file_path_normalise(NULL, path);
    *ret_directory = clean != NULL && file_tree_is_directory(node->files, clean);
    return clean != NULL && file_tree_exists(node->files, clean);
}

void
host_check_host_path(Host *host, const char *path, const char *type, HostDone done, void *data)
{
    SimulatedNode *node = host_node(host);
    bool directory, exists = path_exists(node, path, &directory);
    g_autofree char *clean = file_path_normalise(NULL, path), *error = NULL;
    if (type == NULL || type[0] == '\0' || clean == NULL)
        ;
    else if (strcmp(type, "DirectoryOrCreate") == 0 && !exists)
        file_tree_make_directory(node->files, clean, true);
    else if (strcmp(type, "FileOrCreate") == 0 && !exists)
        file_tree_write(node->files, clean, "", 0, false);
    else if (strcmp(type, "Socket") == 0 || strcmp(type, "CharDevice") == 0 || strcmp(type, "BlockDevice") == 0)
        error = g_strdup_printf("hostPath type check failed: %s is not a %s", path,
                                strcmp(type, "Socket") == 0       ? "socket file"
                                : strcmp(type, "CharDevice") == 0 ? "character device"
                                                                  : "block device");
    else if (g_str_has_prefix(type, "Directory") && !directory)
        error = g_strdup_printf("hostPath type check failed: %s is not a directory", path);
    else if (g_str_has_prefix(type, "File") && (!exists || directory))
        error = g_strdup_printf("hostPath type check failed: %s is not a file", path);
    node_complete_host(node, PUBLISH_NS, done, data, error);
}

void
host_mount_persistent_volume(Host *host, const char *pod_uid, const Value *pv, bool readonly, const Value *pod,
                             HostDone done, void *data)
{
    SimulatedNode *node = host_node(host);
    const char *name = value_text_at(pv, "metadata.name");
    FileTree *tree = g_hash_table_lookup(node->backend->persistent, name);
    if (tree == NULL) {
        tree = file_tree_new(NULL);
        g_hash_table_insert(node->backend->persistent, g_strdup(name), tree);
    }
    char *path = host_volume_path(host, pod_uid, "kubernetes.io~csi", name);
    g_hash_table_insert(node->volumes, path, file_tree_ref(tree));
    node_complete_host(node, PUBLISH_NS, done, data, NULL);
}

static gboolean
is_below(gpointer key, gpointer value, gpointer data)
{
    return g_str_has_prefix(key, data);
}

void
host_remove_pod_dirs(Host *host, const char *pod_uid, HostDone done, void *data)
{
    SimulatedNode *node = host_node(host);
    g_autofree char *prefix = g_strconcat(VOLUMES_ROOT, pod_uid, "/", NULL);
    g_hash_table_foreach_remove(node->volumes, is_below, prefix);
    node_complete_host(node, PUBLISH_NS, done, data, NULL);
}
