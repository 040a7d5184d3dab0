/* Files as a container sees them: its mounts, and below them its own tree over the image's files. */
#include <string.h>

#include "sim/backend/simulated/node_private.h"

/* What the runtime writes into every container. */
static Value *
make_base(const SimulatedContainer *container)
{
    const SimulatedSandbox *sandbox = container->sandbox;
    g_autofree char *hosts = g_strdup_printf("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n%s\t%s\n",
                                             container_address(container), sandbox->hostname);
    g_autofree char *resolv = g_strdup_printf("search %s\nnameserver %s\noptions ndots:5\n",
                                              sandbox->dns_searches != NULL ? sandbox->dns_searches : ".",
                                              sandbox->dns_server != NULL ? sandbox->dns_server : "127.0.0.53");
    g_autofree char *hostname = g_strconcat(sandbox->hostname, "\n", NULL);
    ValueBuilder *base = value_builder_new(container->model->files);
    value_builder_set(base, "/etc/hosts", value_new_string(hosts));
    value_builder_set(base, "/etc/resolv.conf", value_new_string(resolv));
    value_builder_set(base, "/etc/hostname", value_new_string(hostname));
    return value_builder_end(base);
}

static FileTree *
own_tree(SimulatedContainer *container)
{
    if (container->files == NULL) {
        g_autoptr(Value) base = make_base(container);
        container->files = file_tree_new(base);
    }
    return container->files;
}

static const ContainerMount *
find_mount(const SimulatedContainer *container, const char *path)
{
    const ContainerMount *best = NULL;
    size_t best_length = 0;
    for (uint32_t i = 0; i < container->n_mounts; i++) {
        const ContainerMount *mount = &container->mounts[i];
        size_t length = strlen(mount->container_path);
        if (strncmp(path, mount->container_path, length) == 0 && (path[length] == '/' || path[length] == '\0') &&
            length >= best_length && length > 0) {
            best = mount;
            best_length = length;
        }
    }
    return best;
}

FileTree *
container_find_file(SimulatedContainer *container, const char *directory, const char *path, char **ret_path,
                    bool *ret_readonly)
{
    g_autofree char *clean = file_path_normalise(directory, path);
    *ret_readonly = false;
    if (clean == NULL)
        return NULL;
    const ContainerMount *mount = find_mount(container, clean);
    if (mount == NULL) {
        *ret_readonly = value_bool_at(container->definition, "securityContext.readOnlyRootFilesystem");
        *ret_path = g_steal_pointer(&clean);
        return own_tree(container);
    }
    *ret_readonly = mount->readonly;
    g_autofree char *host_path = g_strconcat(mount->host_path, clean + strlen(mount->container_path), NULL);
    return node_find_volume(container_node(container), host_path, ret_path);
}

FileStatus
container_read_file(SimulatedContainer *container, const char *path, const char **ret_text, size_t *ret_length)
{
    g_autofree char *inner = NULL;
    bool readonly;
    FileTree *tree = container_find_file(container, "/", path, &inner, &readonly);
    return tree != NULL ? file_tree_read(tree, inner, ret_text, ret_length) : FILE_NONE;
}

FileStatus
container_write_file(SimulatedContainer *container, const char *directory, const char *path, const char *text,
                     size_t length, bool append)
{
    g_autofree char *inner = NULL;
    bool readonly;
    FileTree *tree = container_find_file(container, directory, path, &inner, &readonly);
    if (tree == NULL)
        return FILE_NONE;
    if (readonly)
        return FILE_READONLY;
    return container_node(container)->disk_full ? FILE_FULL : file_tree_write(tree, inner, text, length, append);
}
