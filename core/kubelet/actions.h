/* What a pod needs next: computePodActions of pkg/kubelet/kuberuntime/kuberuntime_manager.go, as a pure function. */
#pragma once

#include "core/kubelet/containers.h"

/* What the probes say about one running container. */
typedef struct ProbeVerdicts {
    bool liveness_failed, startup_failed;
    bool started; /* no startup probe, or it succeeded */
    bool ready;   /* no readiness probe, or it succeeds */
} ProbeVerdicts;
typedef void (*ProbeLookup)(const Value *container, const char *container_id, ProbeVerdicts *ret_verdicts, void *data);

typedef struct ContainerStart {
    ContainerKind kind;
    unsigned index; /* in its list */
} ContainerStart;

typedef struct ContainerKill {
    char *id, *name;
    char *message; /* of the Killing event */
    enum { KILL_DEFINITION_CHANGED, KILL_LIVENESS, KILL_STARTUP, KILL_UNKNOWN } reason;
} ContainerKill;

typedef struct PodActions {
    bool kill_pod;       /* stop the sandbox and all in it */
    bool create_sandbox;
    char *sandbox_id;    /* the one there is, or NULL */
    uint32_t attempt;    /* of the sandbox to create */
    GArray *start;       /* of ContainerStart, in order: ephemeral, init, main */
    GPtrArray *kill;     /* of ContainerKill */
} PodActions;

PodActions *pod_actions_compute(const Value *pod, const RuntimeView *view, ProbeLookup probe, void *data);
void pod_actions_free(PodActions *actions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PodActions, pod_actions_free)
