/* kube-scheduler: watches pods without a node, and binds each to the best one (pkg/scheduler of
 * Kubernetes 1.35, default profile). One scheduling cycle is one event; binding goes on while the
 * next cycle runs. See README.md for the map. */
#pragma once

#include "core/client/client.h"

typedef struct Scheduler Scheduler;

/* Starts its informers at once and schedules as soon as they are synced. config: a
 * KubeSchedulerConfiguration, or NULL for the defaults; what is read of it is listed at the head of
 * config.c. */
Scheduler *scheduler_new(const Ports *ports, Client *client, const Value *config);
void scheduler_free(Scheduler *scheduler); /* before its client */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scheduler, scheduler_free)
bool scheduler_is_synced(const Scheduler *scheduler);

/* What the last cycle of a pod ("namespace/name") decided and why; NULL when it is not among those
 * remembered. Owned:
 *
 *   {pod, time, node (absent: none), message, allNodes, evaluatedNodes, feasibleNodes,
 *    nodes: [{name, feasible, selected, total,
 *             filters: [{plugin, passed, reasons: [...]}],
 *             scores: [{plugin, raw, normalized, weight, weighted}]}]}
 *
 * Filters end with the one that rejects the node. Scores are there for feasible nodes, when there
 * was a choice. */
Value *scheduler_explain(const Scheduler *scheduler, const char *pod_key);

/* The same for any pod (in the cluster or not) against all nodes as they are now, with the first of
 * the best as node; nothing is bound. */
Value *scheduler_evaluate(Scheduler *scheduler, const Value *pod);

/* {active, backoff, errorBackoff, unschedulable, binding, nodes, scheduled, failed}: integers. */
Value *scheduler_status(const Scheduler *scheduler);
