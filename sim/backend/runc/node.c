/* The node: what it is made of, how its completions become events, and how all of it goes away again. */
#include "sim/backend/runc/node.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/object/quantity.h"
#include "sim/backend/runc/node_private.h"

#define MACHINE_MEMORY ((uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE))

int64_t
runc_now(RuncNode *node)
{
    return engine_now(node->options.engine);
}

void
node_wake(RuncNode *node)
{
    if (node->options.catch_up != NULL)
        node->options.catch_up(node->options.context);
}

/* ---- names ---- */

static char *
node_directory(const char *directory, const char *cluster, const char *name)
{
    return g_build_filename(directory, cluster, name, NULL);
}

static char *
node_cgroup(const char *cluster, const char *name)
{
    return g_strdup_printf("/timonel/%s-%s", cluster, name);
}

static char *
node_link(const char *cluster, const char *name)
{
    g_autofree char *both = g_strdup_printf("%s/%s", cluster, name);
    g_autofree char *hash = text_sha256(both, strlen(both));
    return g_strdup_printf("tmnl%.10s", hash);
}

char *
runc_make_id(RuncNode *node)
{
    g_autofree char *text =
        g_strdup_printf("%s/%s/%" G_GINT64_FORMAT "/%" G_GUINT64_FORMAT, node->options.cluster, node->options.name,
                        g_get_real_time(), node->next_id++);
    return text_sha256(text, strlen(text));
}

/* ---- completions ---- */

typedef struct Completion {
    RuncNode *node;
    Waiter waiter;
    char *id, *error;
} Completion;

static void
completion_free(void *data)
{
    Completion *completion = data;
    g_free(completion->id);
    g_free(completion->error);
    g_free(completion);
}

static void
complete(void *data)
{
    Completion *completion = data;
    const Waiter *waiter = &completion->waiter;
    if (waiter->generation == completion->node->generation) {
        if (waiter->done != NULL)
            waiter->done(completion->id, completion->error, waiter->data);
        else if (waiter->host_done != NULL)
            waiter->host_done(completion->error, waiter->data);
    }
    completion_free(completion);
}

Waiter
node_waiter(RuncNode *node, RuntimeDone done, void *data)
{
    return (Waiter){.done = done, .data = data, .generation = node->generation};
}

Waiter
node_host_waiter(RuncNode *node, HostDone done, void *data)
{
    return (Waiter){.host_done = done, .data = data, .generation = node->generation};
}

void
runc_complete(RuncNode *node, const Waiter *waiter, const char *id, const char *error)
{
    if (node->kubelet == NULL || waiter->generation != node->generation)
        return;
    Completion *completion = g_new0(Completion, 1);
    *completion = (Completion){node, *waiter, g_strdup(id), g_strdup(error)};
    engine_at_take(node->options.engine, node->kubelet, runc_now(node), complete, completion, completion_free);
}

typedef struct News {
    RuncNode *node;
    char *pod_uid, *id;
} News;

static void
news_free(void *data)
{
    News *news = data;
    g_free(news->pod_uid);
    g_free(news->id);
    g_free(news);
}

static void
tell_news(void *data)
{
    News *news = data;
    if (news->node->listener != NULL)
        news->node->listener->container_changed(news->pod_uid, news->id, news->node->listener_data);
    news_free(news);
}

void
node_tell_changed(RuncNode *node, const RuncContainer *container)
{
    if (node->kubelet == NULL)
        return;
    News *news = g_new0(News, 1);
    *news = (News){node, g_strdup(container->sandbox->uid), g_strdup(container->id)};
    engine_at_take(node->options.engine, node->kubelet, runc_now(node), tell_news, news, news_free);
}

/* ---- finding ---- */

RuncSandbox *
runc_find_sandbox(RuncNode *node, const char *id)
{
    for (guint i = 0; i < node->sandboxes->len; i++) {
        RuncSandbox *sandbox = node->sandboxes->pdata[i];
        if (strcmp(sandbox->id, id) == 0)
            return sandbox;
    }
    return NULL;
}

RuncSandbox *
node_find_sandbox_by_ip(RuncNode *node, const char *ip)
{
    for (guint i = 0; i < node->sandboxes->len; i++) {
        RuncSandbox *sandbox = node->sandboxes->pdata[i];
        if (g_strcmp0(sandbox->ip, ip) == 0)
            return sandbox;
    }
    return NULL;
}

RuncContainer *
runc_find_container(RuncNode *node, const char *id)
{
    for (guint i = 0; i < node->sandboxes->len; i++) {
        const RuncSandbox *sandbox = node->sandboxes->pdata[i];
        for (guint k = 0; k < sandbox->containers->len; k++) {
            RuncContainer *container = sandbox->containers->pdata[k];
            if (strcmp(container->id, id) == 0)
                return container;
        }
    }
    return NULL;
}

bool
node_is_component_pod(RuncNode *node, const char *uid, const Value *pod)
{
    if (node->options.is_component == NULL)
        return false;
    if (pod == NULL)
        return g_hash_table_contains(node->component_uids, uid);
    const Value *containers = value_at(pod, "spec.containers");
    bool all = value_size(containers) > 0;
    VALUE_ARRAY_FOREACH (container, containers)
        all = all && node->options.is_component(value_text(value_get(container, "image")), node->options.context);
    if (all)
        g_hash_table_add(node->component_uids, g_strdup(uid));
    return all;
}

/* ---- sweeping ---- */

static void
unmount_below(const char *dir)
{
    g_autofree char *text = NULL, *prefix = g_strconcat(dir, "/", NULL);
    if (!g_file_get_contents("/proc/self/mounts", &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = g_strv_length(lines); i > 0; i--) {
        g_auto(GStrv) words = g_strsplit(lines[i - 1], " ", 3);
        if (g_strv_length(words) < 2)
            continue;
        g_autofree char *path = g_strcompress(words[1]);
        if (g_str_has_prefix(path, prefix))
            umount2(path, MNT_DETACH);
    }
}

static void
remove_tree(const char *dir)
{
    const char *argv[] = {"/bin/rm", "-rf", "--one-file-system", dir, NULL};
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, NULL, NULL);
}

static bool
has_mount_below(const char *dir)
{
    g_autofree char *text = NULL, *prefix = g_strconcat(" ", dir, "/", NULL);
    return !g_file_get_contents("/proc/self/mounts", &text, NULL, NULL) || strstr(text, prefix) != NULL;
}

void
runc_node_sweep(const char *directory, const char *cluster, const char *name)
{
    g_autofree char *dir = node_directory(directory, cluster, name), *parent = g_path_get_dirname(dir);
    g_autofree char *cgroup = node_cgroup(cluster, name), *link = node_link(cluster, name);
    cgroup_kill_all(cgroup);
    cgroup_remove(cgroup);
    unmount_below(dir);
    int fd = netlink_open();
    if (fd >= 0) {
        netlink_delete_link(fd, link);
        close(fd);
    }
    if (g_file_test(dir, G_FILE_TEST_IS_DIR) && !has_mount_below(dir))
        remove_tree(dir);
    if (rmdir(parent) == 0) /* the last node of the cluster */
        rmdir(directory);
}

/* ---- life ---- */

/* Two processes must not both think that the node is theirs: a name that the kernel frees with its holder. */
static int
hold_name(const char *cluster, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_autofree char *link = node_link(cluster, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "timonel-%s", link);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

char *
runc_node_missing(void)
{
    g_autofree char *runc = g_find_program_in_path("runc");
    if (geteuid() != 0)
        return g_strdup("real containers need root: start it as root, or leave out --backend runc to simulate");
    if (runc == NULL)
        return g_strdup("runc is not installed: apt-get install runc");
    if (!g_file_test("/bin/busybox", G_FILE_TEST_IS_EXECUTABLE))
        return g_strdup("busybox is not installed: apt-get install busybox-static");
    if (!g_file_test("/sys/fs/cgroup", G_FILE_TEST_IS_DIR))
        return g_strdup("/sys/fs/cgroup is not mounted: limits need cgroups");
    return NULL;
}

static void
copy_options(RuncNode *node, const RuncNodeOptions *options)
{
    node->options = *options;
    node->options.cluster = g_strdup(options->cluster);
    node->options.name = g_strdup(options->name);
    node->options.ip = g_strdup(options->ip);
    node->options.directory = g_strdup(options->directory);
    node->options.kubelet_version = g_strdup(options->kubelet_version);
    Quantity cpu, memory;
    node->cpu_total_milli = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN) * 1000;
    node->memory_total = MACHINE_MEMORY;
    if (options->cpu != NULL && quantity_parse(options->cpu, &cpu, NULL))
        node->cpu_total_milli = MIN(node->cpu_total_milli, (uint64_t)quantity_milli(cpu));
    if (options->memory != NULL && quantity_parse(options->memory, &memory, NULL))
        node->memory_total = MIN(node->memory_total, (uint64_t)quantity_units(memory));
    node->options.cpu = node->options.memory = NULL;
}

RuncNode *
runc_node_new(const RuncNodeOptions *options, GError **error)
{
    g_autofree char *missing = runc_node_missing();
    if (missing != NULL) {
        fail(error, TIMONEL_ERROR_UNSUPPORTED, "%s", missing);
        return NULL;
    }
    int name_fd = hold_name(options->cluster, options->name);
    if (name_fd < 0) {
        fail(error, TIMONEL_ERROR_UNAVAILABLE, "node \"%s\" of cluster \"%s\" runs in another process", options->name,
             options->cluster);
        return NULL;
    }
    runc_node_sweep(options->directory, options->cluster, options->name);
    g_autoptr(RuncNode) node = g_new0(RuncNode, 1);
    node->name_fd = name_fd;
    copy_options(node, options);
    node->dir = node_directory(options->directory, options->cluster, options->name);
    node->cgroup = node_cgroup(options->cluster, options->name);
    node->netns = g_build_filename(node->dir, "net", NULL);
    node->link = node_link(options->cluster, options->name);
    node->runc = g_find_program_in_path("runc");
    node->nft = g_find_program_in_path("nft");
    node->runtime = (RuncPort){.base.runtime.ops = &runc_runtime_ops, .node = node};
    node->host = (RuncPort){.base.host.ops = &runc_host_ops, .node = node};
    node->dataplane = (RuncPort){.base.dataplane.ops = &runc_dataplane_ops, .node = node};
    node->sandboxes = g_ptr_array_new_with_free_func(runc_sandbox_free);
    node->component_uids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    node->children = g_ptr_array_new();
    node->sessions = g_ptr_array_new();
    node->probes = g_ptr_array_new();
    node->log_watches = g_array_new(FALSE, FALSE, sizeof(LogWatch));
    g_autofree char *sandboxes = g_build_filename(node->dir, "sandboxes", NULL);
    if (g_mkdir_with_parents(sandboxes, 0711) != 0) {
        fail(error, TIMONEL_ERROR_IO, "%s: %s", sandboxes, g_strerror(errno));
        return NULL;
    }
    /* A container's first process, orphaned by runc, becomes ours: so its exit code is seen. */
    prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
    if (!images_make_busybox(node, error) || !network_make_node(node, error))
        return NULL;
    return g_steal_pointer(&node);
}

static void
reap_containers(RuncNode *node)
{
    for (guint i = 0; i < node->sandboxes->len; i++) {
        const RuncSandbox *sandbox = node->sandboxes->pdata[i];
        for (guint k = 0; k < sandbox->containers->len; k++) {
            RuncContainer *container = sandbox->containers->pdata[k];
            if (container->pid == 0)
                continue;
            kill(container->pid, SIGKILL);
            g_source_remove(container->watch);
            waitpid(container->pid, NULL, 0);
            container->pid = 0;
        }
    }
}

void
runc_node_free(RuncNode *node)
{
    if (node == NULL)
        return;
    probes_free(node);
    dataplane_clear(node);
    child_stop_all(node);
    sessions_free(node);
    reap_containers(node);
    g_ptr_array_unref(node->sandboxes);
    runc_node_sweep(node->options.directory, node->options.cluster, node->options.name);
    close(node->name_fd);
    for (guint i = 0; i < node->log_watches->len; i++)
        g_free(g_array_index(node->log_watches, LogWatch, i).path);
    g_array_unref(node->log_watches);
    g_ptr_array_unref(node->children);
    g_ptr_array_unref(node->sessions);
    g_ptr_array_unref(node->probes);
    g_hash_table_unref(node->component_uids);
    char *texts[] = {node->dir, node->cgroup, node->netns, node->link, node->nft, node->runc, node->pod_cidr,
                     node->image_ref, (char *)node->options.cluster, (char *)node->options.name,
                     (char *)node->options.ip, (char *)node->options.directory,
                     (char *)node->options.kubelet_version};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(node);
}

Runtime *
runc_node_runtime(RuncNode *node)
{
    return &node->runtime.base.runtime;
}

Host *
runc_node_host(RuncNode *node)
{
    return &node->host.base.host;
}

Dataplane *
runc_node_dataplane(RuncNode *node)
{
    return &node->dataplane.base.dataplane;
}

RuncNode *
runc_runtime_node(Runtime *runtime)
{
    return ((RuncPort *)runtime)->node;
}

RuncNode *
runc_host_node(Host *host)
{
    return ((RuncPort *)host)->node;
}

void
runc_node_set_kubelet(RuncNode *node, EngineProcess *process)
{
    node->kubelet = process;
    node->generation++;
}
