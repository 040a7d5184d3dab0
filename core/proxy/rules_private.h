/* Shared by the files that make, read and render rules. */
#pragma once

#include <string.h>

#include "core/proxy/rules.h"

typedef struct ProxyEntry {
    unsigned references;
    Value *service;
    GPtrArray *slices; /* Value, owned */
    GPtrArray *ports;  /* ProxyPort, owned */
} ProxyEntry;

typedef struct ProxyTarget {
    const ProxyPort *port;
    enum { TARGET_CLUSTER_IP, TARGET_EXTERNAL_IP, TARGET_LOAD_BALANCER, TARGET_NODE_PORT } kind;
} ProxyTarget;

struct ProxyTable {
    unsigned references;
    PMap *entries;          /* "namespace/name" -> ProxyEntry */
    GPtrArray *ports;       /* borrowed from the entries, sorted */
    GHashTable *by_address; /* made when first asked for; "ip port protocol" -> ProxyTarget */
};

struct ProxyRules {
    unsigned references;
    ProxyTable *table;
    char *node, *zone;
    char **addresses, **pod_cidrs, **cluster_cidrs;
};

bool proxy_endpoint_is_local(const ProxyRules *rules, const ProxyEndpoint *endpoint);
bool proxy_port_is_external(const ProxyPort *port); /* reachable other than by its cluster IP */
