/* The records of a cluster's Services and Pods: a pure function of what the caches hold
 * (Kubernetes' DNS specification 1.1, as CoreDNS's kubernetes plugin serves it with the usual
 * add-on's `pods insecure` and `ttl 30`). */
#pragma once

#include "core/client/informer.h"
#include "core/dns/message.h"

typedef struct DnsView {
    const char *domain; /* "cluster.local" */
    uint32_t ttl;
    Informer *services, *slices, *namespaces; /* with the indices of dns_view_add_indices */
} DnsView;

/* Before the informers start. */
void dns_view_add_indices(Informer *services, Informer *slices);

/* The answer, authoritative; NULL when the name is of no zone of ours (a reverse name that nobody
 * here has, too): ask somebody else. A CNAME is left for the caller to follow. Owned. */
DnsAnswer *dns_lookup(const DnsView *view, const DnsQuery *query);

/* The names that a resolver asks one after another for what a person typed (resolv.conf: search,
 * options ndots). Owned, NULL terminated, without the last dot. */
char **dns_search_names(const char *name, const char *const *search, unsigned ndots);
/* A pod's search path: {"ns.svc.cluster.local", "svc.cluster.local", "cluster.local"}. Owned. */
char **dns_search_path(const char *namespace_, const char *domain);
#define DNS_NDOTS 5 /* of pods with dnsPolicy ClusterFirst */
