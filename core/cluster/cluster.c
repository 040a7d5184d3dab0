#include "core/cluster/private.h"

#include <string.h>

#include "core/store/memory.h"

Cluster *
cluster_new(const ClusterOptions *options, GError **error)
{
    Cluster *cluster = g_new0(Cluster, 1);
    cluster->topology = options->topology;
    cluster->types = api_types_new();
    cluster->service_account_key = g_strdup(options->service_account_key);
    cluster->root_ca = g_strdup(options->root_ca);
    cluster->admin_token = g_strdup(options->admin_token);
    static const char *const MASTERS[] = {"system:masters", NULL};
    cluster->tokens[0] = (ApiTokenEntry){
        .token = cluster->admin_token, .user = "timonel-admin", .groups = MASTERS};
    cluster->no_client_limits = options->no_client_limits;
    cluster->processes = g_ptr_array_new();
    cluster->proxy_shared = proxy_shared_new();
    GPtrArray *hosts = g_ptr_array_new();
    for (guint i = 0; i < cluster->topology->nodes->len; i++)
        if (topology_item(cluster->topology, i)->control_plane)
            g_ptr_array_add(hosts, g_strdup(topology_item(cluster->topology, i)->name));
    g_ptr_array_add(hosts, NULL);
    cluster->api_hosts = (char **)g_ptr_array_free(hosts, FALSE);
    StoreDriver *driver = options->driver;
    if (driver == NULL)
        driver = store_driver_memory_new(NULL, 0);
    cluster->store =
        store_new(&(StoreOptions){.clock = options->disk_ports->clock}, driver, error);
    if (cluster->store == NULL) {
        cluster_free(cluster);
        return NULL;
    }
    return cluster;
}

void
cluster_free(Cluster *cluster)
{
    if (cluster == NULL)
        return;
    g_assert(cluster->processes->len == 0);
    g_ptr_array_unref(cluster->processes);
    proxy_shared_unref(cluster->proxy_shared);
    store_free(cluster->store);
    api_types_free(cluster->types);
    topology_free(cluster->topology);
    g_strfreev(cluster->api_hosts);
    g_free(cluster->service_account_key);
    g_free(cluster->root_ca);
    g_free(cluster->admin_token);
    g_free(cluster);
}

const Topology *
cluster_topology(const Cluster *cluster)
{
    return cluster->topology;
}

const ApiTypes *
cluster_types(const Cluster *cluster)
{
    return cluster->types;
}

Store *
cluster_store(Cluster *cluster)
{
    return cluster->store;
}

static void *
running_component(const Cluster *cluster, const char *name)
{
    for (guint i = 0; i < cluster->processes->len; i++) {
        const ClusterProcess *process = cluster->processes->pdata[i];
        if (strcmp(process->class->name, name) == 0)
            return process->component;
    }
    return NULL;
}

bool
cluster_etcd_is_running(const Cluster *cluster)
{
    return running_component(cluster, "etcd") != NULL;
}


void
cluster_observe_requests(Cluster *cluster, HttpObserveFunc func, void *data)
{
    cluster->observe = func;
    cluster->observe_data = data;
}
