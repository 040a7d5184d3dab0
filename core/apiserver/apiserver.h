/* The API server as a library: a request in, a response out. It authenticates, authorises, admits,
 * validates, and keeps objects in a store; it watches that store once per resource and fans events
 * out to its watchers.
 *
 * Answers come by the done function, possibly within the call (the memory store is durable at
 * once); so a caller that must not be re-entered posts an event of its own. Writes are answered
 * when they are durable, and are never seen by anybody before. */
#pragma once

#include "core/api/request.h"
#include "core/api/types.h"
#include "core/port/ports.h"
#include "core/store/store.h"

typedef struct ApiServer ApiServer;
typedef struct ApiServerWatch ApiServerWatch;

/* Same shapes as ApiDone and ApiWatchFunc of core/client/client.h. */
typedef void (*ApiServerDone)(ApiResponse *take_response, void *data);
typedef void (*ApiServerWatchFunc)(const WatchEvent *event, void *data);

typedef struct ApiTokenEntry {
    const char *token;
    const char *user;
    const char *uid;           /* may be NULL */
    const char *const *groups; /* NULL terminated, or NULL */
} ApiTokenEntry;

/* How the API server reaches a kubelet (log, exec, attach, port-forward). */
typedef struct ApiKubeletDialer {
    /* Asks the kubelet of `node` for a pod's subresource. Chunks of bytes follow by `chunk` (text
     * NULL: the end; then error is NULL or a Status). Returns an id for cancel. */
    uint64_t (*open)(void *data, const Value *node, const Value *pod, const ApiRequest *request,
                     void (*chunk)(const char *bytes, size_t length, Value *error,
                                   void *chunk_data),
                     void *chunk_data);
    void (*cancel)(void *data, uint64_t id);
    void *data;
} ApiKubeletDialer;

typedef struct ApiServerOptions {
    const char *service_cidr;         /* NULL: 10.96.0.0/12 */
    int node_port_min, node_port_max; /* 0: 30000, 32767 */
    const char *git_version;          /* NULL: API_SERVER_GIT_VERSION */
    const char *advertise_address;    /* of the kubernetes Service's endpoint; NULL: none is made */
    uint16_t advertise_port;          /* 0: 6443 */
    const ApiTokenEntry *tokens; /* static bearer tokens; the last has a NULL token; may be NULL */
    const char *service_account_key;    /* PEM of an EC P-256 key that signs service account tokens;
                                           NULL: opaque tokens */
    const char *service_account_issuer; /* NULL: https://kubernetes.default.svc.cluster.local */
    int64_t event_ttl_ns;               /* 0: one hour */
    ApiKubeletDialer
        kubelet; /* open NULL: the REST face dials kubelets over ports->net by itself */
} ApiServerOptions;

#define API_SERVER_GIT_VERSION "v1.35.0"
#define API_SERVER_VERSION_MAJOR "1"
#define API_SERVER_VERSION_MINOR "35"

/* Borrows all; ports' clock and random must not be NULL (net may be). Makes the built-in objects if
 * the store lacks them. Several API servers may share a store. One that is freed while writes wait
 * for the store's sync answers them no more, as a process that died. */
ApiServer *api_server_new(const Ports *ports, const ApiTypes *types, Store *store,
                          const ApiServerOptions *options);
void api_server_free(ApiServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiServer, api_server_free)

const ApiTypes *api_server_types(const ApiServer *server);
const Ports *api_server_ports(const ApiServer *server);
const ApiServerOptions *api_server_options(const ApiServer *server);

/* Any verb but watch and connect. request->user NULL is system:anonymous. */
void api_server_handle(ApiServer *server, ApiRequest *take, ApiServerDone done, void *data);

/* A watch, from request->list. Events are borrowed during the call; the end is event NULL, after
 * which the watch is gone. A refusal is one ERROR event and the end, by then NULL has been
 * returned. */
ApiServerWatch *api_server_watch(ApiServer *server, ApiRequest *take, ApiServerWatchFunc func,
                                 void *data);
void api_server_unwatch(ApiServerWatch *watch); /* func is not called again */

/* The object as the store has it (committed); borrowed; NULL when absent. namespace_ NULL for
 * cluster scope. */
const Value *api_server_peek(ApiServer *server, const char *group, const char *resource,
                             const char *namespace_, const char *name);

/* Who sends this bearer token, or NULL. */
ApiUser *api_server_authenticate_token(ApiServer *server, const char *token);
/* Who holds this client certificate (CN and O's), with system:authenticated added. */
ApiUser *api_server_authenticate_certificate(const char *common_name,
                                             const char *const *organizations);
ApiUser *api_server_anonymous(void);

bool api_server_is_ready(const ApiServer *server);
/* Prometheus text; owned. */
char *api_server_metrics(const ApiServer *server);
