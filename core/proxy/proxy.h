/* kube-proxy: watches Services, EndpointSlices and its own Node, and programs the dataplane, at
 * most once a second with bursts of two (async.BoundedFrequencyRunner), and again after a failure.
 */
#pragma once

#include "core/client/informer.h"
#include "core/port/dataplane.h"
#include "core/proxy/rules.h"

/* What many proxies of one world share: tables by the objects they were made of. Bounded; reference
 * counted. */
typedef struct ProxyShared ProxyShared;
ProxyShared *proxy_shared_new(void);
ProxyShared *proxy_shared_ref(ProxyShared *shared);
void proxy_shared_unref(ProxyShared *shared);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProxyShared, proxy_shared_unref)
/* The table of these very states; made when nobody asked for it yet. Owned. */
ProxyTable *proxy_shared_table(ProxyShared *shared, const PMap *services, const PMap *slices);
size_t proxy_shared_made(const ProxyShared *shared); /* how many tables were made so far */

typedef struct ProxyConfig {
    const char *node;
    ProxyShared *shared;              /* NULL: its own */
    const char *const *cluster_cidrs; /* --cluster-cidr; NULL: none */
    int64_t min_sync_period_ns;       /* 0: 1 s */
    int64_t retry_ns;                 /* after a failure; 0: 30 s (--iptables-sync-period) */
} ProxyConfig;

typedef struct Proxy Proxy;

/* The config's texts are copied. The dataplane must outlive the proxy, and not answer it once it is
 * freed (the back end drops that with the process). */
Proxy *proxy_new(const Ports *ports, Client *client, Dataplane *dataplane,
                 const ProxyConfig *config);
void proxy_free(Proxy *proxy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Proxy, proxy_free)
bool proxy_has_synced(const Proxy *proxy);
/* What the dataplane was last given and has confirmed; NULL before. Borrowed. */
const ProxyRules *proxy_rules_in_force(const Proxy *proxy);
