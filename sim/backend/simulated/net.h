/* The simulated network. Hosts (machines) have a name, an IP and a power switch; an address (a pod's IP) is a network
 * namespace on a host. Processes get a Net by simulated_net_attach; containers of ordinary images, which are no
 * processes of the engine, answer requests as owners of their address.
 *
 * Latency is 250 us between hosts (30 us within one) plus a small jitter from the sender's own stream of numbers, plus
 * what was shaped. What TCP would send again is not lost but late; in a cut, calls time out, streams stall, and break
 * after NET_STREAM_DEAD_NS (as client-go's HTTP/2 health check finds out). */
#pragma once

#include "core/port/net.h"
#include "sim/engine/engine.h"
#include "sim/engine/process.h"

typedef struct SimulatedNet SimulatedNet;

#define NET_LATENCY_NS (250 * NS_PER_US)
#define NET_JITTER_NS (50 * NS_PER_US)
#define NET_LOOPBACK_NS (30 * NS_PER_US)
#define NET_CALL_TIMEOUT_NS (30 * NS_PER_S)
#define NET_STREAM_DEAD_NS (45 * NS_PER_S)
#define NET_NO_ROUTE_NS (3 * NS_PER_S) /* until "no route to host" for an address that nobody has */
#define NET_STALLED_MAX 65536           /* messages that wait in one stalled stream; more break it */

SimulatedNet *simulated_net_new(Engine *engine);
/* After all processes with a Net of it were freed. */
void simulated_net_free(SimulatedNet *net);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimulatedNet, simulated_net_free)

/* ---- topology ---- */

void simulated_net_add_host(SimulatedNet *net, const char *name, const char *ip);
void simulated_net_remove_host(SimulatedNet *net, const char *name); /* it stays known, without power */
const char *simulated_net_host_ip(const SimulatedNet *net, const char *name); /* NULL: no such host */
bool simulated_net_has_address(const SimulatedNet *net, const char *address); /* name or IP */
/* The host on which an address (name, node IP, pod IP) lies, or NULL. */
const char *simulated_net_host_of(const SimulatedNet *net, const char *address);

/* Who answers requests (simulated_net_request) at an address; a pod's sandbox, or a node for its host network. */
typedef struct SimulatedRequest SimulatedRequest;
typedef struct SimulatedRespond SimulatedRespond;
typedef struct SimulatedSpaceOps {
    /* A request arrived: answer by simulated_respond now or later and return true; false: nobody listens there. */
    bool (*serve)(void *owner, const SimulatedRequest *request, SimulatedRespond *respond);
} SimulatedSpaceOps;
void simulated_net_add_address(SimulatedNet *net, const char *ip, const char *host, const SimulatedSpaceOps *ops,
                               void *owner);
/* Requests to it fail from then on; processes that listen there lose their listeners. */
void simulated_net_remove_address(SimulatedNet *net, const char *ip);
void simulated_net_set_owner(SimulatedNet *net, const char *address, const SimulatedSpaceOps *ops, void *owner);

/* Gives the process its Net at `address` (a pod IP); NULL: at its host. */
void simulated_net_attach(SimulatedNet *net, EngineProcess *process, const char *address);

/* How a node's kernel rewrites destinations: called with the host where the packet is, the source IP, and the
 * destination; writes where it really goes. */
typedef enum { NET_RESOLVE_PASS, NET_RESOLVE_TO, NET_RESOLVE_REJECT, NET_RESOLVE_DROP } NetResolve;
typedef struct NetEndpoint {
    char ip[46];
    uint16_t port;
} NetEndpoint;
typedef NetResolve (*SimulatedResolveFunc)(const char *host, const char *source, const char *ip, uint16_t port,
                                           const char *protocol, NetEndpoint *ret_endpoint, void *data);
void simulated_net_set_resolver(SimulatedNet *net, SimulatedResolveFunc func, void *data);

/* ---- faults ---- */

typedef struct SimulatedShape {
    bool cut;
    int64_t delay_ns, jitter_ns; /* on top */
    unsigned loss_ppm;           /* packets per million */
    uint64_t bandwidth;          /* bytes a second; 0: no limit */
} SimulatedShape;

/* One direction between two hosts; from NULL: all that reaches `to`; to NULL: all that leaves `from`. shape NULL mends.
 * False: no such host. */
bool simulated_net_shape(SimulatedNet *net, const char *from, const char *to, const SimulatedShape *shape);
bool simulated_net_partition(SimulatedNet *net, const char *a, const char *b); /* both directions; b NULL: all others */
void simulated_net_heal(SimulatedNet *net); /* all shapes are gone */
bool simulated_net_can_reach(const SimulatedNet *net, const char *from, const char *to);
/* Without power nothing is sent or received; the caller kills the processes afterwards (ENGINE_DEATH_POWER_LOSS). */
void simulated_net_set_power(SimulatedNet *net, const char *host, bool on);
bool simulated_net_has_power(const SimulatedNet *net, const char *host);

/* ---- requests of containers, probes and simulated clients ---- */

typedef enum { SIMULATED_TCP, SIMULATED_HTTP, SIMULATED_GRPC } SimulatedProtocol;

struct SimulatedRequest {
    SimulatedProtocol protocol;
    const char *from; /* address (name or IP) of the sender; at serve: its IP */
    const char *to;   /* name or IP; at serve: the IP it reached */
    uint16_t port;
    const char *method, *path, *http_host; /* NULL: GET, /, the address */
    const char *body;                      /* what TCP sends, or an HTTP body; may be NULL */
    int64_t timeout_ns;                    /* 0: NET_CALL_TIMEOUT_NS */
    GDestroyNotify free_data;              /* for data, when done will never be called; may be NULL */
};

typedef struct SimulatedAnswer {
    NetStatus status;
    int http_status;    /* 0 for TCP; for GRPC 200 is SERVING */
    const char *body;   /* may be NULL */
    const char *server; /* IP that answered, or "" */
    int64_t elapsed_ns;
} SimulatedAnswer;
typedef void (*SimulatedAnswerFunc)(const SimulatedAnswer *answer, void *data);

/* done is called by a later event of `process` (may be NULL), unless cancelled. Strings are copied. 0: there is no such
 * sender, or the process is dead. */
uint64_t simulated_net_request(SimulatedNet *net, EngineProcess *process, const SimulatedRequest *request,
                               SimulatedAnswerFunc done, void *data);
void simulated_net_cancel_request(SimulatedNet *net, uint64_t id);

/* Answers, `delay_ns` from now; ownership of respond passes. close: the connection breaks off instead. */
void simulated_respond(SimulatedRespond *respond, int64_t delay_ns, int http_status, const char *body);
void simulated_respond_reset(SimulatedRespond *respond);
