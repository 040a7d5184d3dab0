/* Nodes, pods and a cache for the scheduler's tests; a pod or node is a base with one thing
 * changed. */
#pragma once

#include "core/scheduler/framework.h"
#include "tests/support/runner.h"
#include "tests/support/test_ports.h"

/* 4 cpu, 16Gi, 110 pods, labels of name and zone "z". */
Value *test_node(const char *name);
/* default/NAME asking for cpu ("500m") and memory; labels {app: app}. */
Value *test_pod(const char *name, const char *app, const char *cpu, const char *memory);
/* value[path] = a relaxed JSON template without arguments; takes and returns the value. */
Value *with(Value *take, const char *path, const char *template_);

/* A cache with n nodes "n0", "n1"... zones "z0", "z1", "z2" in turn. */
ClusterCache *test_cache(int n_nodes);
PodInfo *put_pod(ClusterCache *cache, Value *take);
/* On a node. */
PodInfo *put_pod_on(ClusterCache *cache, Value *take, const char *node);
void put_node(ClusterCache *cache, Value *take);

/* The verdict of all filters on one node: "" when it fits, else reasons joined with "; " and "!"
 * when preemption is no help. */
char *filter_text(ClusterCache *cache, Value *take_pod, const char *node);
/* The failure's message over all nodes, "" when one fits. */
char *failure_text(ClusterCache *cache, Value *take_pod);
/* Normalised score of a plug-in for a node, over all nodes; -1 when the plug-in was not asked. */
int64_t score_of(ClusterCache *cache, const Value *pod, const char *plugin, const char *node,
                 bool raw);
