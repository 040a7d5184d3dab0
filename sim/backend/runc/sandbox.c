/* Pod sandboxes: namespaces held by bind mounts in NODE/sandboxes/ID, no process.
 *
 *   run (child makes namespaces and network) -> ready -> stop (kills containers, lets go of namespaces) -> removed */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "sim/backend/runc/node_private.h"

typedef struct Making {
    RuncSandbox *sandbox;
    Waiter waiter;
} Making;

void
runc_sandbox_free(void *data)
{
    RuncSandbox *sandbox = data;
    g_ptr_array_unref(sandbox->containers);
    char *texts[] = {sandbox->id, sandbox->name, sandbox->namespace_, sandbox->uid, sandbox->hostname, sandbox->dir,
                     sandbox->log_directory, sandbox->cgroup_parent, sandbox->ip};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    value_unref(sandbox->pod);
    g_free(sandbox);
}

static void
unmount(RuncSandbox *sandbox)
{
    static const char *const NAMES[] = {"net", "ipc", "uts"};
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        g_autofree char *path = g_build_filename(sandbox->dir, NAMES[i], NULL);
        umount2(path, MNT_DETACH);
    }
}

/* ---- files that its containers see ---- */

static void
put(const RuncSandbox *sandbox, const char *name, GString *take)
{
    g_autofree char *path = g_build_filename(sandbox->dir, name, NULL);
    g_file_set_contents_full(path, take->str, (gssize)take->len, G_FILE_SET_CONTENTS_NONE, 0644, NULL);
    g_string_free(take, TRUE);
}

static void
put_hosts(const RuncSandbox *sandbox)
{
    GString *text = g_string_new("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"
                                 "::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
                                 "fe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n");
    const char *ip = sandbox->ip != NULL ? sandbox->ip : sandbox->node->options.ip;
    if (ip != NULL)
        g_string_append_printf(text, "%s\t%s\n", ip, sandbox->hostname);
    VALUE_ARRAY_FOREACH (alias, value_at(sandbox->pod, "spec.hostAliases")) {
        g_string_append(text, value_text(value_get(alias, "ip")));
        VALUE_ARRAY_FOREACH (name, value_get(alias, "hostnames"))
            g_string_append_printf(text, "\t%s", value_text(name));
        g_string_append_c(text, '\n');
    }
    put(sandbox, "hosts", text);
}

static void
put_resolv_conf(const RuncSandbox *sandbox, const PodSandboxConfig *config)
{
    g_autofree char *own = NULL;
    GString *text = g_string_new(NULL);
    for (size_t i = 0; config->dns_servers != NULL && config->dns_servers[i] != NULL; i++)
        g_string_append_printf(text, "nameserver %s\n", config->dns_servers[i]);
    for (size_t i = 0; config->dns_searches != NULL && config->dns_searches[i] != NULL; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "search " : " ", config->dns_searches[i]);
    if (config->dns_searches != NULL && config->dns_searches[0] != NULL)
        g_string_append_c(text, '\n');
    for (size_t i = 0; config->dns_options != NULL && config->dns_options[i] != NULL; i++)
        g_string_append_printf(text, "%s%s", i == 0 ? "options " : " ", config->dns_options[i]);
    if (config->dns_options != NULL && config->dns_options[0] != NULL)
        g_string_append_c(text, '\n');
    if (text->len == 0 && g_file_get_contents("/etc/resolv.conf", &own, NULL, NULL))
        g_string_append(text, own);
    put(sandbox, "resolv.conf", text);
}

/* ---- run ---- */

static void
made(int status, const char *text, void *data)
{
    Making *making = data;
    RuncSandbox *sandbox = making->sandbox;
    RuncNode *node = sandbox->node;
    Waiter waiter = making->waiter;
    g_free(making);
    if (status != 0) {
        g_autofree char *error = g_strdup_printf("failed to setup network for sandbox \"%s\": %s", sandbox->id, text);
        runc_complete(node, &waiter, NULL, error);
        unmount(sandbox);
        g_ptr_array_remove(node->sandboxes, sandbox);
        return;
    }
    sandbox->ready = true;
    runc_complete(node, &waiter, sandbox->id, NULL);
}

static RuncSandbox *
sandbox_new(RuncNode *node, const PodSandboxConfig *config)
{
    RuncSandbox *sandbox = g_new0(RuncSandbox, 1);
    sandbox->node = node;
    sandbox->id = runc_make_id(node);
    sandbox->name = g_strdup(config->name);
    sandbox->namespace_ = g_strdup(config->namespace_);
    sandbox->uid = g_strdup(config->uid);
    sandbox->attempt = config->attempt;
    sandbox->pod = value_ref(config->pod);
    sandbox->host_network = value_bool_at(config->pod, "spec.hostNetwork");
    sandbox->hostname = g_strdup(sandbox->host_network ? node->options.name : config->hostname);
    sandbox->log_directory = g_strdup(config->log_directory);
    sandbox->cgroup_parent = g_strconcat(node->cgroup, config->cgroup_parent, NULL);
    sandbox->dir = g_build_filename(node->dir, "sandboxes", sandbox->id, NULL);
    sandbox->created_at = runc_now(node);
    sandbox->containers = g_ptr_array_new_with_free_func(runc_container_free);
    return sandbox;
}

static char *
refusal(RuncNode *node, const PodSandboxConfig *config)
{
    if (value_bool_at(config->pod, "spec.shareProcessNamespace"))
        return g_strdup("shareProcessNamespace is not supported by this node's runtime");
    if (!value_bool_at(config->pod, "spec.hostNetwork") && node->pod_network == 0)
        return g_strdup("network is not ready: the node has no pod CIDR yet");
    return NULL;
}

void
runc_run_pod_sandbox(Runtime *runtime, const PodSandboxConfig *config, RuntimeDone done, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    if (node_is_component_pod(node, config->uid, config->pod)) {
        node->options.components->ops->run_pod_sandbox(node->options.components, config, done, data);
        return;
    }
    Waiter waiter = node_waiter(node, done, data);
    g_autofree char *error = refusal(node, config);
    if (error != NULL) {
        runc_complete(node, &waiter, NULL, error);
        return;
    }
    RuncSandbox *sandbox = sandbox_new(node, config);
    if (!sandbox->host_network && (sandbox->ip_offset = network_take_address(node)) == 0)
        error = g_strdup_printf("failed to allocate for range 0: no IP addresses available in range set: %s",
                                node->pod_cidr);
    else if (g_mkdir_with_parents(sandbox->dir, 0711) != 0)
        error = g_strdup_printf("%s: %s", sandbox->dir, g_strerror(errno));
    if (error != NULL) {
        runc_complete(node, &waiter, NULL, error);
        runc_sandbox_free(sandbox);
        return;
    }
    uint32_t address = node->pod_network + sandbox->ip_offset;
    if (!sandbox->host_network)
        sandbox->ip = g_strdup_printf("%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
                                      address & 255);
    put_hosts(sandbox);
    put_resolv_conf(sandbox, config);
    GString *hostname = g_string_new(sandbox->hostname);
    put(sandbox, "hostname", g_string_append_c(hostname, '\n'));
    g_ptr_array_add(node->sandboxes, sandbox);
    Making *making = g_new0(Making, 1);
    *making = (Making){sandbox, waiter};
    network_start_sandbox(sandbox, made, making);
}

/* ---- stop and remove ---- */

static bool
has_running(const RuncSandbox *sandbox)
{
    for (guint i = 0; i < sandbox->containers->len; i++) {
        const RuncContainer *container = sandbox->containers->pdata[i];
        if (container->pid != 0 || container->starting)
            return true;
    }
    return false;
}

void
sandbox_container_exited(RuncSandbox *sandbox)
{
    if (!sandbox->stopping || has_running(sandbox))
        return;
    sandbox->stopping = false;
    unmount(sandbox);
    runc_complete(sandbox->node, &sandbox->stop_waiter, sandbox->id, NULL);
}

void
runc_stop_pod_sandbox(Runtime *runtime, const char *id, RuntimeDone done, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncSandbox *sandbox = runc_find_sandbox(node, id);
    if (sandbox == NULL && node->options.components != NULL) {
        node->options.components->ops->stop_pod_sandbox(node->options.components, id, done, data);
        return;
    }
    Waiter waiter = node_waiter(node, done, data);
    if (sandbox == NULL) {
        runc_complete(node, &waiter, id, NULL);
        return;
    }
    sandbox->ready = false;
    if (sandbox->stopping) /* asked twice: the first one is answered now */
        runc_complete(node, &sandbox->stop_waiter, id, NULL);
    sandbox->stopping = true;
    sandbox->stop_waiter = waiter;
    for (guint i = 0; i < sandbox->containers->len; i++) {
        const RuncContainer *container = sandbox->containers->pdata[i];
        if (container->pid != 0)
            kill(container->pid, SIGKILL);
    }
    sandbox_container_exited(sandbox);
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
    runc_complete(removal->node, &removal->waiter, removal->id, status == 0 ? NULL : text);
    g_free(removal->id);
    g_free(removal->cgroup);
    g_free(removal);
}

void
runc_remove_pod_sandbox(Runtime *runtime, const char *id, RuntimeDone done, void *data)
{
    RuncNode *node = runc_runtime_node(runtime);
    RuncSandbox *sandbox = runc_find_sandbox(node, id);
    if (sandbox == NULL && node->options.components != NULL) {
        node->options.components->ops->remove_pod_sandbox(node->options.components, id, done, data);
        return;
    }
    Waiter waiter = node_waiter(node, done, data);
    if (sandbox == NULL || has_running(sandbox)) {
        runc_complete(node, &waiter, id, sandbox != NULL ? "the sandbox has running containers" : NULL);
        return;
    }
    unmount(sandbox);
    for (guint i = 0; i < sandbox->containers->len; i++) {
        const RuncContainer *container = sandbox->containers->pdata[i];
        g_autofree char *root = g_build_filename(container->dir, "rootfs", NULL);
        umount2(root, MNT_DETACH);
    }
    cgroup_remove(sandbox->cgroup_parent);
    Removal *removal = g_new0(Removal, 1);
    *removal = (Removal){.node = node, .id = g_strdup(id), .waiter = waiter};
    const char *argv[] = {"/bin/rm", "-rf", "--one-file-system", sandbox->dir, NULL};
    if (child_start(node, &(ChildOptions){.argv = argv}, removed, removal) == NULL)
        removed(-1, "fork failed", removal);
    g_ptr_array_remove(node->sandboxes, sandbox);
}
