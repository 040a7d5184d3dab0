/* Pod sandboxes: an IP from the node's pod CIDR (or the host's network), host ports, and what a pod's containers share. */
#include <arpa/inet.h>
#include <string.h>

#include "sim/backend/simulated/node_private.h"

#define SANDBOX_RUN_NS (60 * NS_PER_MS)
#define SANDBOX_JITTER_NS (40 * NS_PER_MS)
#define SANDBOX_STOP_NS (20 * NS_PER_MS)

SimulatedSandbox *
node_find_sandbox(SimulatedNode *node, const char *id)
{
    for (guint i = 0; i < node->sandboxes->len; i++) {
        SimulatedSandbox *sandbox = node->sandboxes->pdata[i];
        if (strcmp(sandbox->id, id) == 0)
            return sandbox;
    }
    return NULL;
}

static char *
offset_ip(const SimulatedNode *node, uint32_t offset)
{
    struct in_addr address = {.s_addr = htonl(node->pod_network + offset)};
    char text[INET_ADDRSTRLEN];
    return g_strdup(inet_ntop(AF_INET, &address, text, sizeof text));
}

/* The next free address, as host-local gives them: round robin, .1 is the bridge's. NULL with an error text. */
static char *
take_ip(SimulatedNode *node, uint32_t *ret_offset, char **ret_error)
{
    if (node->pod_hosts < 2) {
        *ret_error = g_strdup("cni plugin not initialized");
        return NULL;
    }
    for (uint32_t tries = 0; tries < node->pod_hosts - 1; tries++) {
        uint32_t offset = 2 + node->next_ip++ % (node->pod_hosts - 1);
        if (g_hash_table_contains(node->used_ips, GUINT_TO_POINTER(offset)))
            continue;
        g_autofree char *ip = offset_ip(node, offset);
        if (simulated_net_has_address(node->backend->net, ip))
            continue;
        g_hash_table_add(node->used_ips, GUINT_TO_POINTER(offset));
        *ret_offset = offset;
        return g_steal_pointer(&ip);
    }
    g_autofree char *first = offset_ip(node, 1), *last = offset_ip(node, node->pod_hosts);
    *ret_error = g_strdup_printf("plugin type=\"bridge\" failed (add): failed to allocate for range 0: no IP addresses "
                                 "available in range set: %s-%s", first, last);
    return NULL;
}

static void
add_host_ports(SimulatedSandbox *sandbox)
{
    VALUE_ARRAY_FOREACH (container, value_at(sandbox->pod, "spec.containers"))
        VALUE_ARRAY_FOREACH (port, value_get(container, "ports")) {
            HostPort mapped = {.host_port = (uint16_t)value_int(value_get(port, "hostPort")),
                               .container_port = (uint16_t)value_int(value_get(port, "containerPort")),
                               .sandbox = sandbox};
            if (mapped.host_port == 0 || sandbox->host_network)
                continue;
            g_array_append_val(sandbox->node->host_ports, mapped);
            sandbox->has_host_ports = true;
        }
}

static void
drop_host_ports(SimulatedSandbox *sandbox)
{
    GArray *ports = sandbox->node->host_ports;
    for (guint i = sandbox->has_host_ports ? ports->len : 0; i-- > 0;)
        if (g_array_index(ports, HostPort, i).sandbox == sandbox)
            g_array_remove_index(ports, i);
    sandbox->has_host_ports = false;
}

void
sandbox_release_network(SimulatedSandbox *sandbox)
{
    drop_host_ports(sandbox);
    if (sandbox->ip == NULL)
        return;
    simulated_net_remove_address(sandbox->node->backend->net, sandbox->ip);
    g_hash_table_remove(sandbox->node->used_ips, GUINT_TO_POINTER(sandbox->ip_offset));
    g_clear_pointer(&sandbox->ip, g_free);
}

void
sandbox_free(void *data)
{
    SimulatedSandbox *sandbox = data;
    g_ptr_array_unref(sandbox->containers);
    sandbox_release_network(sandbox);
    value_unref(sandbox->pod);
    g_free(sandbox->name);
    g_free(sandbox->namespace_);
    g_free(sandbox->uid);
    g_free(sandbox->hostname);
    g_free(sandbox->log_directory);
    backend_drop_block(sandbox->node->backend, sandbox->dns_texts);
    g_free(sandbox);
}

static SimulatedSandbox *
sandbox_new(SimulatedNode *node, const PodSandboxConfig *config)
{
    SimulatedSandbox *sandbox = g_new0(SimulatedSandbox, 1);
    sandbox->node = node;
    node_make_id(node, sandbox->id);
    sandbox->name = g_strdup(config->name);
    sandbox->namespace_ = g_strdup(config->namespace_);
    sandbox->uid = g_strdup(config->uid);
    sandbox->attempt = config->attempt;
    sandbox->pod = value_ref(config->pod);
    sandbox->host_network = value_bool_at(config->pod, "spec.hostNetwork");
    const char *hostname = sandbox->host_network ? node->name : config->hostname != NULL ? config->hostname : config->name;
    sandbox->hostname = g_strdup(hostname);
    sandbox->log_directory = g_strdup(config->log_directory != NULL ? config->log_directory : "");
    const char *server = config->dns_servers != NULL ? config->dns_servers[0] : NULL;
    g_autofree char *searches = config->dns_searches != NULL ? g_strjoinv(" ", (char **)config->dns_searches) : NULL;
    const char *const dns_texts[] = {server != NULL ? server : "", searches != NULL ? searches : "", NULL};
    sandbox->dns_texts = backend_share_block(node->backend, dns_texts);
    sandbox->dns_server = server != NULL ? sandbox->dns_texts[0] : NULL;
    sandbox->dns_searches = searches != NULL ? sandbox->dns_texts[1] : NULL;
    sandbox->created_at = engine_now(node->backend->engine);
    sandbox->containers = g_ptr_array_new_with_free_func(container_free);
    sandbox->ready = true;
    return sandbox;
}

void
runtime_run_pod_sandbox(Runtime *runtime, const PodSandboxConfig *config, RuntimeDone done, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedSandbox *sandbox = sandbox_new(node, config);
    int64_t delay = SANDBOX_RUN_NS + (int64_t)(node_next_number(node) % SANDBOX_JITTER_NS);
    g_autofree char *why = NULL;
    if (!sandbox->host_network) {
        sandbox->ip = take_ip(node, &sandbox->ip_offset, &why);
        if (sandbox->ip == NULL) {
            g_autofree char *error = g_strdup_printf("failed to setup network for sandbox \"%s\": %s", sandbox->id, why);
            node_complete(node, delay, done, data, NULL, error);
            sandbox_free(sandbox);
            return;
        }
        simulated_net_add_address(node->backend->net, sandbox->ip, node->name, &simulated_sandbox_space_ops, sandbox);
    }
    add_host_ports(sandbox);
    g_ptr_array_add(node->sandboxes, sandbox);
    node_complete(node, delay, done, data, sandbox->id, NULL);
}

void
runtime_stop_pod_sandbox(Runtime *runtime, const char *sandbox_id, RuntimeDone done, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedSandbox *sandbox = node_find_sandbox(node, sandbox_id);
    for (guint i = 0; sandbox != NULL && i < sandbox->containers->len; i++) {
        SimulatedContainer *container = sandbox->containers->pdata[i];
        if (container->state == CONTAINER_RUNNING)
            container_exit(container, 137, 9, "Error");
    }
    if (sandbox != NULL) {
        sandbox->ready = false;
        sandbox_release_network(sandbox);
    }
    node_complete(node, SANDBOX_STOP_NS, done, data, sandbox_id, NULL);
}

void
runtime_remove_pod_sandbox(Runtime *runtime, const char *sandbox_id, RuntimeDone done, void *data)
{
    SimulatedNode *node = runtime_node(runtime);
    SimulatedSandbox *sandbox = node_find_sandbox(node, sandbox_id);
    node_complete(node, SANDBOX_STOP_NS, done, data, sandbox_id, NULL);
    if (sandbox != NULL)
        g_ptr_array_remove(node->sandboxes, sandbox);
}
