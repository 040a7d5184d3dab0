/* The table of processes: what each container of the control plane, kube-proxy and CoreDNS really is. */
#include <string.h>

#include "core/client/leader.h"
#include "core/client/wire.h"
#include "core/cluster/private.h"
#include "core/cluster/streams.h"

/* ---- etcd: its data is the cluster's store; the process is what makes it reachable ---------------------------- */

#define ETCD_PORT 2379

static void
etcd_call(NetServer *server, NetMessage message, NetReply *reply, const char *from, void *data)
{
    ClusterProcess *process = data;
    if (message.free_body != NULL)
        message.free_body(message.body);
    process->ports->net->ops->reply(process->ports->net, reply, (NetMessage){.label = "etcd"});
}

static void *
etcd_start(ClusterProcess *process)
{
    static const NetServerHandler HANDLER = {.call = etcd_call};
    Net *net = process->ports->net;
    log_info(process->ports->log, "starting an etcd server, data-dir: /var/lib/etcd");
    return net->ops->listen(net, ETCD_PORT, &HANDLER, process);
}

static void
etcd_stop(ClusterProcess *process)
{
}

/* ---- kube-apiserver -------------------------------------------------------------------------------------------- */

typedef struct ApiProcess {
    ApiServer *server;
    HttpFace *face;
    ApiEndpoint *endpoint;
    KubeletDialer *dialer;
    Streams *streams;
} ApiProcess;

static void *
apiserver_start(ClusterProcess *process)
{
    Cluster *cluster = process->cluster;
    const TopologyNode *node = topology_node(cluster->topology, process->node);
    ApiProcess *api = g_new0(ApiProcess, 1);
    api->dialer = kubelet_dialer_new(process->ports);
    const ApiServerOptions options = {
        .service_cidr = cluster->topology->service_cidr,
        .git_version = cluster->topology->kubernetes_version,
        .advertise_address = node->ip,
        .advertise_port = 6443,
        .tokens = cluster->tokens,
        .service_account_key = cluster->service_account_key,
        .kubelet = kubelet_dialer_port(api->dialer),
    };
    api->server = api_server_new(process->ports, cluster->types, cluster->store, &options);
    api->face = http_face_new(api->server);
    http_face_set_observer(api->face, cluster->observe, cluster->observe_data);
    api->streams = streams_new(process->ports, api->server, api->dialer);
    http_face_set_upgrade(api->face, streams_upgrade, api->streams);
    api->endpoint = api_endpoint_new(cluster, process->ports, api->server);
    log_info(process->ports->log, "Serving securely on [::]:6443");
    return api;
}

static void
apiserver_stop(ClusterProcess *process)
{
    ApiProcess *api = process->component;
    api_endpoint_free(api->endpoint);
    streams_free(api->streams);
    http_face_free(api->face);
    api_server_free(api->server);
    kubelet_dialer_free(api->dialer);
    g_free(api);
}

static const ApiProcess *
running_api(const Cluster *cluster)
{
    for (guint i = 0; i < cluster->processes->len; i++) {
        const ClusterProcess *process = cluster->processes->pdata[i];
        if (strcmp(process->class->name, "kube-apiserver") == 0)
            return process->component;
    }
    return NULL;
}

ApiServer *
cluster_api_server(const Cluster *cluster)
{
    const ApiProcess *api = running_api(cluster);
    return api != NULL ? api->server : NULL;
}

KubeletDialer *
cluster_kubelet_dialer(const Cluster *cluster)
{
    const ApiProcess *api = running_api(cluster);
    return api != NULL ? api->dialer : NULL;
}

HttpFace *
cluster_http_face(const Cluster *cluster)
{
    const ApiProcess *api = running_api(cluster);
    return api != NULL ? api->face : NULL;
}

/* ---- kube-controller-manager ------------------------------------------------------------------------------------ */

static char *
identity_of(ClusterProcess *process)
{
    g_autofree char *uuid = random_uuid(process->ports->random);
    return g_strdup_printf("%s_%s", process->node, uuid);
}

/* As the real one, a manager that lost its lease exits; its kubelet starts it again. */
static void
leadership_lost(void *data)
{
    ClusterProcess *process = data;
    if (process->exited != NULL)
        process->exited(1, process->exited_data);
}

static void *
controller_manager_start(ClusterProcess *process)
{
    Cluster *cluster = process->cluster;
    g_autofree char *identity = identity_of(process);
    g_autoptr(Value) config = value_new_f(
        "{leaderElect: true, identity: %s, clusterCIDR: %s, rootCA: %s, allocateNodeCIDRs: true}",
        identity, cluster->topology->pod_cidr,
        cluster->root_ca != NULL ? cluster->root_ca : "simulated cluster: no certificates\n");
    ControllerManager *manager = controller_manager_new(process->ports, process->client, config);
    controller_manager_on_lost(manager, leadership_lost, process);
    return manager;
}

static void
controller_manager_stop(ClusterProcess *process)
{
    controller_manager_free(process->component);
}

/* ---- kube-scheduler ----------------------------------------------------------------------------------------------- */

/* The real one starts its informers at once and schedules when it leads; ours begins with both when it leads. */
typedef struct SchedulerProcess {
    LeaderElection *election;
    Scheduler *scheduler; /* NULL until it leads */
} SchedulerProcess;

static void
scheduler_leads(void *data)
{
    ClusterProcess *process = data;
    SchedulerProcess *own = process->component;
    own->scheduler = scheduler_new(process->ports, process->client, NULL);
}

static void *
scheduler_start(ClusterProcess *process)
{
    g_autofree char *identity = identity_of(process);
    SchedulerProcess *own = g_new0(SchedulerProcess, 1);
    own->election = leader_election_new(process->ports, process->client, "kube-scheduler", identity,
                                        scheduler_leads, leadership_lost, process);
    return own;
}

static void
scheduler_stop(ClusterProcess *process)
{
    SchedulerProcess *own = process->component;
    leader_election_free(own->election);
    scheduler_free(own->scheduler);
    g_free(own);
}

Scheduler *
cluster_scheduler(const Cluster *cluster)
{
    for (guint i = 0; i < cluster->processes->len; i++) {
        const ClusterProcess *process = cluster->processes->pdata[i];
        const SchedulerProcess *own = process->component;
        if (strcmp(process->class->name, "kube-scheduler") == 0 && own->scheduler != NULL)
            return own->scheduler;
    }
    return NULL;
}

/* ---- kube-proxy ----------------------------------------------------------------------------------------------------- */

static void *
proxy_start(ClusterProcess *process)
{
    const char *const cidrs[] = {process->cluster->topology->pod_cidr, NULL};
    const ProxyConfig config = {
        .node = process->node,
        .cluster_cidrs = cidrs,
        .shared = process->cluster->proxy_shared,
    };
    return proxy_new(process->ports, process->client, process->dataplane, &config);
}

static void
proxy_stop(ClusterProcess *process)
{
    proxy_free(process->component);
}

/* ---- CoreDNS -------------------------------------------------------------------------------------------------------- */

static void *
coredns_start(ClusterProcess *process)
{
    const DnsConfig config = {.domain = process->cluster->topology->cluster_domain};
    return dns_server_new(process->ports, process->client, &config);
}

static void
coredns_stop(ClusterProcess *process)
{
    dns_server_free(process->component);
}

/* ---- kubeadm -------------------------------------------------------------------------------------------------------- */

static void *
kubeadm_start(ClusterProcess *process)
{
    return bootstrap_new(process->cluster, process->ports, process->client);
}

static void
kubeadm_stop(ClusterProcess *process)
{
    bootstrap_free(process->component);
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

/* Client limits are the components' defaults (--kube-api-qps, --kube-api-burst). */
static const ProcessClass CLASSES[] = {
    {"etcd", NULL, 0, 0, etcd_start, etcd_stop},
    {"kube-apiserver", NULL, 0, 0, apiserver_start, apiserver_stop},
    {"kube-controller-manager", "system:kube-controller-manager", 20, 30,
     controller_manager_start, controller_manager_stop},
    {"kube-scheduler", "system:kube-scheduler", 50, 100, scheduler_start, scheduler_stop},
    {"kube-proxy", "system:serviceaccount:kube-system:kube-proxy", 5, 10, proxy_start, proxy_stop},
    {"coredns", "system:serviceaccount:kube-system:coredns", 0, 0, coredns_start, coredns_stop},
    {"kubeadm", "kubernetes-admin", 0, 0, kubeadm_start, kubeadm_stop},
};

static const char *const NAMES[] = {"etcd",       "kube-apiserver", "kube-controller-manager",
                                    "kube-scheduler", "kube-proxy", "coredns",
                                    "kubeadm",    NULL};

const char *const *
cluster_process_names(void)
{
    return NAMES;
}

static Client *
client_for(Cluster *cluster, const Ports *ports, const char *user, const char *agent,
           const char *const *groups, double qps, int burst)
{
    g_autoptr(ApiUser) identity = api_user_new(user, groups);
    Transport *transport = transport_net_new(ports, (const char *const *)cluster->api_hosts,
                                             API_SERVER_PORT, identity, agent);
    const ClientOptions options = {.qps = cluster->no_client_limits ? 0 : qps, .burst = burst};
    return client_new(ports, cluster->types, transport, &options);
}

ClusterProcess *
cluster_process_start(Cluster *cluster, const char *name, const char *node, const Ports *ports,
                      Dataplane *dataplane, void (*exited)(int code, void *data), void *data)
{
    static const char *const GROUPS[] = {"system:authenticated", NULL};
    const ProcessClass *class = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(CLASSES) && class == NULL; i++)
        if (strcmp(CLASSES[i].name, name) == 0)
            class = &CLASSES[i];
    if (class == NULL)
        return NULL;
    ClusterProcess *process = g_new0(ClusterProcess, 1);
    process->cluster = cluster;
    process->class = class;
    process->node = g_strdup(node);
    process->ports = ports;
    process->dataplane = dataplane;
    process->exited = exited;
    process->exited_data = data;
    if (class->user != NULL)
        process->client =
            client_for(cluster, ports, class->user, name, GROUPS, class->qps, class->burst);
    process->component = class->start(process);
    g_ptr_array_add(cluster->processes, process);
    return process;
}

void
cluster_process_stop(ClusterProcess *process)
{
    if (process == NULL)
        return;
    g_ptr_array_remove(process->cluster->processes, process);
    process->class->stop(process);
    client_free(process->client);
    g_free(process->node);
    g_free(process);
}

bool
cluster_process_is_healthy(const ClusterProcess *process)
{
    if (strcmp(process->class->name, "kube-apiserver") != 0)
        return true;
    const ApiProcess *api = process->component;
    return api_server_is_ready(api->server) && cluster_etcd_is_running(process->cluster);
}

Kubelet *
cluster_kubelet_start(Cluster *cluster, const char *node, const Ports *ports, Runtime *runtime,
                      Host *host, Client **ret_client)
{
    static const char *const GROUPS[] = {"system:nodes", "system:authenticated", NULL};
    const TopologyNode *topology_entry = topology_node(cluster->topology, node);
    g_autofree char *user = g_strdup_printf("system:node:%s", node);
    Client *client = client_for(cluster, ports, user, "kubelet", GROUPS, 50, 100);
    KubeletConfig config;
    kubelet_config_init(&config, topology_entry->name);
    config.labels = topology_entry->labels;
    config.taints = topology_entry->taints;
    config.version = cluster->topology->kubernetes_version;
    config.max_pods = topology_entry->pods;
    config.cluster_dns = cluster->topology->dns_ip;
    config.cluster_domain = cluster->topology->cluster_domain;
    *ret_client = client;
    return kubelet_new(ports, client, runtime, host, &config);
}
