/* What the files of core/cluster share. */
#pragma once

#include "core/cluster/cluster.h"
#include "core/controllers/manager.h"
#include "core/cluster/dialer.h"
#include "core/dns/server.h"
#include "core/proxy/proxy.h"
#include "core/scheduler/scheduler.h"

struct Cluster {
    Topology *topology;
    ApiTypes *types;
    Store *store;
    char *service_account_key, *root_ca, *admin_token;
    ApiTokenEntry tokens[2]; /* static bearer tokens; the last is empty */
    bool no_client_limits;
    char **api_hosts;    /* names of the control-plane nodes; NULL terminated */
    ProxyShared *proxy_shared;
    GPtrArray *processes; /* of ClusterProcess, in order of their start; borrowed */
    HttpObserveFunc observe; /* of requests over HTTP; may be NULL */
    void *observe_data;
};

typedef struct ProcessClass ProcessClass;

struct ClusterProcess {
    Cluster *cluster;
    const ProcessClass *class;
    char *node;
    const Ports *ports;
    Dataplane *dataplane;
    Client *client;
    void *component; /* what the class made */
    void (*exited)(int code, void *data);
    void *exited_data;
};

/* A kind of process. user: who its client is; NULL: it has none. */
struct ProcessClass {
    const char *name;
    const char *user;
    double qps;
    int burst;
    void *(*start)(ClusterProcess *process);
    void (*stop)(ClusterProcess *process);
};

/* endpoint.c: the API server's end of core/client/wire.h. */
typedef struct ApiEndpoint ApiEndpoint;
ApiEndpoint *api_endpoint_new(Cluster *cluster, const Ports *ports, ApiServer *server);
void api_endpoint_free(ApiEndpoint *endpoint);

/* dialer_request.c: NULL when the request is wrong, with a Status. */
KubeletRequest *dialer_request(const Value *pod, const ApiRequest *request, Value **ret_refusal);

/* bootstrap.c: kubeadm's last phase. */
typedef struct Bootstrap Bootstrap;
Bootstrap *bootstrap_new(Cluster *cluster, const Ports *ports, Client *client);
void bootstrap_free(Bootstrap *bootstrap);
