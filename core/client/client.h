/* A component's client of the API: asks through a transport, throttles itself as client-go does, completes by a later
 * event. The transport is in-process messages over port/net (components), or HTTP (the command line). */
#pragma once

#include "core/api/request.h"
#include "core/port/ports.h"

/* ---- transport: how requests travel ---------------------------------------------------------------- */

typedef struct Transport Transport;
typedef struct TransportWatch TransportWatch;

/* response is owned by the callee; an unreachable server answers as a Status with code 503 and reason "ServiceUnavailable"
 * whose message says what the connection said. */
typedef void (*ApiDone)(ApiResponse *take_response, void *data);
/* Events are borrowed during the call. The end of a watch is event NULL (the watch is gone afterwards); an ERROR event
 * comes before the end. */
typedef void (*ApiWatchFunc)(const WatchEvent *event, void *data);

/* A two-way byte stream of a pod's subresource: log (only downwards), exec, attach, portforward. Channels are those of
 * remotecommand: 0 standard input, 1 standard output (logs, port-forward's data too), 2 standard error, 4 terminal size
 * ({"Width":80,"Height":24}). */
typedef struct TransportStream TransportStream;
typedef struct ApiStreamHandler {
    void (*received)(int channel, const void *bytes, size_t length, void *data);
    /* The stream is over and gone. status: a Status (borrowed): Success, or a failure (reason NonZeroExitCode carries the exit
     * code as a cause "ExitCode"); NULL for the plain end of a log. */
    void (*ended)(const Value *status, void *data);
} ApiStreamHandler;

typedef struct TransportOps {
    void (*call)(Transport *transport, ApiRequest *take, ApiDone done, void *data);
    TransportWatch *(*watch)(Transport *transport, ApiRequest *take, ApiWatchFunc func, void *data);
    void (*unwatch)(Transport *transport, TransportWatch *watch); /* func is not called again */
    /* request names the pod and its subresource, query its parameters (command: [...], container, stdin, tty, follow, ...).
     * May be absent: then streams cannot be had this way. */
    TransportStream *(*connect)(Transport *transport, ApiRequest *take, const ApiStreamHandler *handler, void *data);
    void (*send)(TransportStream *stream, int channel, const void *bytes, size_t length); /* length 0: the end of input */
    void (*disconnect)(TransportStream *stream); /* the handler is not called again */
    void (*free)(Transport *transport); /* calls and watches under way end silently: no done, no func */
} TransportOps;

struct Transport {
    const TransportOps *ops;
};

/* Over port/net to the API server's process at host:port (bodies are ApiRequest, ApiResponse and WatchEvent by
 * reference; see core/client/wire.h). Several addresses are tried in turn when one does not answer. `user` is who the
 * component is: "system:kube-scheduler", ... */
Transport *transport_net_new(const Ports *ports, const char *const *hosts, uint16_t port, ApiUser *user,
                             const char *user_agent);

/* ---- client ------------------------------------------------------------------------------------------ */

typedef struct Client Client;

typedef struct ClientOptions {
    double qps; /* 0: no limit; over it calls wait in line (client-go's flowcontrol) */
    int burst;
    const char *field_manager; /* for writes; NULL: the user agent */
} ClientOptions;

/* Takes the transport. Freeing it drops what is under way: done is not called. */
Client *client_new(const Ports *ports, const ApiTypes *types, Transport *take, const ClientOptions *options);
void client_free(Client *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)
const ApiTypes *client_types(const Client *client);
Transport *client_transport(Client *client);
/* Whoever began calls with this `data` goes away: their done will not be called (the calls themselves go on). */
void client_forget(Client *client, const void *data);
/* Watches are not throttled. The end of the watch (event NULL) is the last call; client_unwatch ends it from here. */
TransportWatch *client_watch(Client *client, ApiRequest *take, ApiWatchFunc func, void *data);
void client_unwatch(Client *client, TransportWatch *watch);

/* Each asks once; done (may be NULL) gets the answer by a later event. Kinds are named by group and resource:
 * client_get(c, "apps", "deployments", ns, name, ...). namespace_ NULL for cluster-scoped kinds. Bodies are taken. */
void client_get(Client *client, const char *group, const char *resource, const char *namespace_, const char *name,
                ApiDone done, void *data);
void client_list(Client *client, const char *group, const char *resource, const char *namespace_,
                 const char *label_selector, const char *field_selector, ApiDone done, void *data);
void client_create(Client *client, const char *group, const char *resource, const char *namespace_, Value *take,
                   ApiDone done, void *data);
/* The object's own metadata names it; subresource NULL or "status", "scale"... */
void client_update(Client *client, const char *group, const char *resource, const char *subresource, Value *take,
                   ApiDone done, void *data);
void client_patch(Client *client, const char *group, const char *resource, const char *namespace_, const char *name,
                  const char *subresource, PatchType type, Value *take, ApiDone done, void *data);
/* options (taken) is a DeleteOptions or NULL. */
void client_delete(Client *client, const char *group, const char *resource, const char *namespace_, const char *name,
                   Value *take_options, ApiDone done, void *data);
/* pods/binding, pods/eviction, serviceaccounts/token ... */
void client_create_subresource(Client *client, const char *group, const char *resource, const char *namespace_,
                               const char *name, const char *subresource, Value *take, ApiDone done, void *data);
/* Anything else. */
void client_request(Client *client, ApiRequest *take, ApiDone done, void *data);
