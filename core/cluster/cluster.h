/* The composition root of one cluster: given ports and a topology, it wires Kubernetes' processes. It starts none by
 * itself: hosts start kubelets, kubelets start static pods, and their containers are the processes below. What outlives a
 * process (etcd's data, the types, the secrets) belongs to the Cluster. */
#pragma once

#include "core/api/types.h"
#include "core/apiserver/apiserver.h"
#include "core/client/client.h"
#include "core/cluster/dialer.h"
#include "core/cluster/topology.h"
#include "core/http/face.h"
#include "core/kubelet/kubelet.h"
#include "core/port/dataplane.h"
#include "core/port/ports.h"
#include "core/store/store.h"

typedef struct Cluster Cluster;
typedef struct ClusterProcess ClusterProcess;

typedef struct ClusterOptions {
    Topology *topology;        /* taken */
    StoreDriver *driver;       /* taken; NULL: memory */
    const Ports *disk_ports;   /* the clock of etcd's data; outlives every process. Borrowed */
    bool no_client_limits;     /* clients ask as fast as they can (bench) */
    const char *service_account_key; /* PEM; NULL: opaque tokens. Copied */
    const char *root_ca;       /* PEM, for ConfigMap kube-root-ca.crt; NULL: a placeholder text. Copied */
    const char *admin_token;   /* bearer token of the token user; NULL: none. Copied */
} ClusterOptions;

/* NULL when the stored data cannot be read; `options->topology` and driver are taken in every case. */
Cluster *cluster_new(const ClusterOptions *options, GError **error);
/* All its processes must have been stopped. */
void cluster_free(Cluster *cluster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cluster, cluster_free)

const Topology *cluster_topology(const Cluster *cluster);
const ApiTypes *cluster_types(const Cluster *cluster);
Store *cluster_store(Cluster *cluster);

/* ---- processes ------------------------------------------------------------------------------------------- */

/* The names that cluster_process_start knows; NULL terminated. */
const char *const *cluster_process_names(void);

/* Starts one: "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "coredns" or "kubeadm" (which
 * creates the add-ons and ends). ports belong to this process alone and outlive it. dataplane: the node's, for kube-proxy.
 * exited (may be NULL) is called by a later event when the process gives up by itself, as a leader that lost its lease.
 * NULL for an unknown name. */
ClusterProcess *cluster_process_start(Cluster *cluster, const char *process, const char *node, const Ports *ports,
                                      Dataplane *dataplane, void (*exited)(int code, void *data), void *data);
/* Frees its memory; its timers and connections must be gone (the process is dead) or go with its ports. */
void cluster_process_stop(ClusterProcess *process);
/* Would it answer a health probe (/livez, /readyz)? */
bool cluster_process_is_healthy(const ClusterProcess *process);

/* The kubelet of a node, as its own user. */
Kubelet *cluster_kubelet_start(Cluster *cluster, const char *node, const Ports *ports, Runtime *runtime, Host *host,
                               Client **ret_client);

/* ---- looking in (oracles, views, the HTTP face) --------------------------------------------------------------- */

/* A running API server, or NULL while none runs. Borrowed: gone when its process stops. */
ApiServer *cluster_api_server(const Cluster *cluster);
/* The REST face of that API server, or NULL. Borrowed likewise. */
HttpFace *cluster_http_face(const Cluster *cluster);
/* Who sees each request that comes in over HTTP, in every API server that is started from now on. */
void cluster_observe_requests(Cluster *cluster, HttpObserveFunc func, void *data);
/* Its way to the kubelets, or NULL. */
KubeletDialer *cluster_kubelet_dialer(const Cluster *cluster);
/* Is etcd up where the API server needs it? */
bool cluster_etcd_is_running(const Cluster *cluster);
/* A running scheduler, for its table of verdicts, or NULL. */
struct Scheduler *cluster_scheduler(const Cluster *cluster);
