/* How a pod's status is made: pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, convertToAPIContainerStatuses, getPhase) and
 * pkg/kubelet/status/generate.go. Pure functions. */
#pragma once

#include "core/kubelet/actions.h"

/* Why a container waits, as the last sync found it; NULL when nothing is known. */
typedef const char *(*ReasonLookup)(const char *container, const char **ret_message, void *data);

typedef struct StatusInput {
    const Value *pod;
    const Value *old_status; /* as last made; else the API's; may be NULL */
    const RuntimeView *view;
    const Value *host_ips;   /* array of {ip}; the first is hostIP; may be NULL */
    int64_t now;
    bool terminal;           /* all containers are stopped for good */
    /* The kubelet gave the pod up (Evicted, DeadlineExceeded): shown once nothing runs any more; or NULL. */
    const char *fail_reason, *fail_message;
    bool disrupted;          /* adds the condition DisruptionTarget */
    ProbeLookup probe;
    ReasonLookup reason;
    void *data;
} StatusInput;

Value *status_build(const StatusInput *in);
/* Of a pod that this node does not take. */
Value *status_rejected(const Value *pod, const char *reason, const char *message, int64_t now);

/* Parts, for tables of tests. */
Value *status_container_list(const StatusInput *in, ContainerKind kind);
const char *status_phase(const Value *pod, const Value *init_statuses, const Value *statuses, bool terminal);

/* A strategic merge patch of a pod that turns status `old_status` into `new_status` (conditions owned by others are left
 * alone), with metadata.uid as precondition; NULL when there is nothing to change. */
Value *status_patch(const Value *pod, const Value *old_status, const Value *new_status);
