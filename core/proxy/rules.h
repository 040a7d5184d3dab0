/* What kube-proxy makes of Services and EndpointSlices: a pure function, in two parts.
 *
 * ProxyTable: what is the same on every node, made once for all nodes that see the same objects.
 * ProxyRules: a table as one node sees it (which endpoints are local, in its zone; which addresses
 * are its own). Both are reference counted and never change; ProxyRules is what
 * core/port/dataplane.h applies.
 *
 * As pkg/proxy: a Service is left out when it is headless, an ExternalName, or labelled for another
 * proxy; endpoints of a service port are those of the slices' port of the same name; sorted by
 * address. */
#pragma once

#include <stdbool.h>

#include "core/base/pmap.h"
#include "core/object/value.h"
#include "core/port/random.h"

typedef enum { PROXY_TCP, PROXY_UDP, PROXY_SCTP } ProxyProtocol;
typedef enum { PROXY_IPV4, PROXY_IPV6 } ProxyFamily;

const char *proxy_protocol_name(ProxyProtocol protocol);                  /* "tcp", ... */
bool proxy_protocol_parse(const char *text, ProxyProtocol *ret_protocol); /* "tcp" or "TCP", ... */

typedef struct ProxyEndpoint {
    char *ip;
    uint16_t port;
    char *address;  /* "10.1.2.3:80", "[fd00::1]:80" */
    char *chain;    /* "KUBE-SEP-..." */
    char *nft_name; /* "HASH-ns/name/tcp/port__ip/port" */
    char *node;     /* NULL: unknown */
    bool ready, serving, terminating;
    char **zone_hints; /* NULL: none */
    char **node_hints;
} ProxyEndpoint;

/* One port of one Service in one address family. */
typedef struct ProxyPort {
    char *name; /* "namespace/name:port", as the real rules' comments say it */
    char *namespace_, *service;
    ProxyFamily family;
    ProxyProtocol protocol;
    char *hash;     /* of KUBE-SVC-, KUBE-SVL-, KUBE-EXT-, KUBE-FW- */
    char *nft_name; /* of service-, external-, firewall- */
    char *cluster_ip;
    uint16_t port, node_port;
    char **external_ips, **load_balancer_ips, **source_ranges; /* never NULL */
    bool internal_local, external_local;                       /* traffic policies */
    int64_t affinity_s;                                        /* 0: no session affinity */
    uint16_t health_check_node_port;
    size_t n_endpoints;
    ProxyEndpoint *endpoints;
} ProxyPort;

/* ---- table
 * -------------------------------------------------------------------------------------------- */

typedef struct ProxyTable ProxyTable;

/* services, slices: objects by "namespace/name", all of the cluster. previous (may be NULL): what
 * did not change since is taken over; when nothing did, another reference to `previous` is
 * returned. */
ProxyTable *proxy_table_new(const PMap *services, const PMap *slices, const ProxyTable *previous);
ProxyTable *proxy_table_ref(const ProxyTable *table);
void proxy_table_unref(ProxyTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProxyTable, proxy_table_unref)
size_t proxy_table_count(const ProxyTable *table);
const ProxyPort *proxy_table_port(const ProxyTable *table,
                                  size_t index); /* by name, family, protocol */

/* ---- rules
 * --------------------------------------------------------------------------------------------- */

typedef struct ProxyRules ProxyRules;

typedef struct ProxyNode {
    const char *name;
    const char *zone;             /* topology.kubernetes.io/zone; NULL: none */
    const char *const *addresses; /* where NodePorts answer; NULL terminated or NULL */
    const char *const *pod_cidrs; /* whose sources are local pods; NULL terminated or NULL */
    const char *const
        *cluster_cidrs; /* --cluster-cidr: traffic from outside is masqueraded; NULL: none is */
} ProxyNode;

ProxyRules *proxy_rules_new(const ProxyTable *table, const ProxyNode *node);
ProxyRules *proxy_rules_ref(const ProxyRules *rules);
void proxy_rules_unref(ProxyRules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProxyRules, proxy_rules_unref)
const ProxyTable *proxy_rules_table(const ProxyRules *rules);
const char *proxy_rules_node(const ProxyRules *rules);
bool proxy_rules_equal(const ProxyRules *a, const ProxyRules *b);

/* The endpoints that traffic may take here (pkg/proxy/topology.go: CategorizeEndpoints): those
 * ready, hinted for this zone or node when all are hinted; without ready ones those still serving
 * while they terminate. Owned array of borrowed `const ProxyEndpoint *`, in order. */
typedef enum { PROXY_CLUSTER, PROXY_LOCAL } ProxyScope;
GPtrArray *proxy_rules_endpoints(const ProxyRules *rules, const ProxyPort *port, ProxyScope scope);

/* Local ready endpoints, as a Service's health check node port answers; and whether it answers 200.
 */
size_t proxy_rules_local_ready(const ProxyRules *rules, const ProxyPort *port);
/* The service port that a packet to this address belongs to; NULL: none. */
const ProxyPort *proxy_rules_find(const ProxyRules *rules, const char *ip, uint16_t port,
                                  ProxyProtocol protocol);

typedef enum {
    PROXY_PASS,     /* not a service's address: goes where it was going */
    PROXY_ENDPOINT, /* to `endpoint` */
    PROXY_REJECT,   /* no endpoints: the sender gets "connection refused" */
    PROXY_DROP,     /* no local endpoints, or not in the source ranges: the sender times out */
} ProxyVerdict;

typedef struct ProxyRoute {
    ProxyVerdict verdict;
    const ProxyPort *port;         /* NULL for PROXY_PASS */
    const ProxyEndpoint *endpoint; /* borrowed from the rules */
    bool masquerade; /* the endpoint sees this node's address in place of the source's */
} ProxyRoute;

/* Where a new connection goes. source: the client's address (NULL: a process of the node itself).
 * One number is drawn when there is a choice; with session affinity the source's address chooses (a
 * stable choice, as long as the endpoint stays). */
ProxyRoute proxy_rules_resolve(const ProxyRules *rules, const char *ip, uint16_t port,
                               ProxyProtocol protocol, const char *source, Random *random);
/* The same by a random number of the caller's. */
ProxyRoute proxy_rules_resolve_by(const ProxyRules *rules, const char *ip, uint16_t port,
                                  ProxyProtocol protocol, const char *source, uint64_t choice);

/* ---- texts (core/proxy/render_*.c)
 * ------------------------------------------------------------------------ */

/* Input of iptables-restore (--noflush), as kube-proxy writes it: filter and nat. Owned. */
char *proxy_rules_iptables(const ProxyRules *rules, ProxyFamily family);
/* The jumps of the built-in chains to kube-proxy's, also for iptables-restore --noflush; needed
 * once. Owned. */
char *proxy_rules_iptables_jumps(void);
/* Input of `nft -f`: replaces the table kube-proxy as a whole. Owned. */
char *proxy_rules_nftables(const ProxyRules *rules, ProxyFamily family);
/* Input of `ipvsadm -R`, after `ipvsadm -C`. Owned. */
char *proxy_rules_ipvs(const ProxyRules *rules, ProxyFamily family);
