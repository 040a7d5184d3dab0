/* Inside of the DaemonSet controller: one sync's view of nodes and daemon pods. */
#pragma once

#include "core/controllers/common/history.h"

#define LABEL_REVISION_HASH "controller-revision-hash"

typedef struct DaemonNode {
    const Value *node; /* borrowed from the view's references */
    GPtrArray *pods;   /* daemon pods meant for it, oldest first: borrowed slots; NULL when none */
    bool should_run, should_continue;
} DaemonNode;

typedef struct DaemonView {
    Controller *controller;
    const Value *set;
    const char *hash;       /* of the present template */
    Value *sample;          /* {spec}: the template's with the automatic tolerations */
    GArray *nodes;          /* DaemonNode, by name */
    GPtrArray *node_values; /* references */
    GPtrArray *pods;        /* references */
    GPtrArray *stray;       /* pods meant for no existing node: borrowed */
    int64_t now;
} DaemonView;

void daemon_view_init(DaemonView *view, Informer *nodes);
void daemon_view_clear(DaemonView *view);
/* AddOrUpdateDaemonPodTolerations. */
Value *daemon_tolerations(const Value *pod_spec);
/* NodeShouldRunDaemonPod. */
void daemon_should_run(const Value *sample, const Value *node, bool *ret_run, bool *ret_continue);
/* The node that a daemon pod is on or, by its affinity to metadata.name, meant for; "" for none. */
const char *daemon_pod_node(const Value *pod);
/* A pod for one node. */
Value *daemon_pod_new(const DaemonView *view, const char *node_name);
bool daemon_pod_is_available(const DaemonView *view, const Value *pod);
bool daemon_pod_is_updated(const DaemonView *view, const Value *pod);

/* What the rolling update adds: nodes that get a surge pod, pods that make room. Both borrowed
 * slots. */
void daemon_rolling_update(const DaemonView *view, GPtrArray *nodes_to_fill,
                           GPtrArray *pods_to_delete);
int64_t daemon_max_surge(const DaemonView *view);
Value *daemon_status(const DaemonView *view);
