/* The cluster that the tests of rules look at: as the one in kube-proxy's own tests.
 *   ns1/svc1 ClusterIP, one endpoint        ns4/svc4 external IP, two endpoints, the second on
 * node-1 ns2/svc2 LoadBalancer, policy Local,    ns5/svc5 LoadBalancer with source ranges and
 * session affinity endpoint on node-2             ns6/svc6 without endpoints ns3/svc3 NodePort and
 * ones that have no rules */
#pragma once

#include "core/proxy/rules.h"

typedef struct Cluster {
    PMap *services, *slices;
} Cluster;

Cluster cluster_new(void);
void cluster_clear(Cluster *cluster);
void cluster_put(PMap **map, Value *take);
Value *slice_new(const char *namespace_, const char *service, const char *ip, const char *node);
ProxyRules *cluster_rules(const Cluster *cluster,
                          const char *node); /* addresses 192.168.0.2, pods 10.0.0.0/24 */
