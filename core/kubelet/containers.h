/* A pod's containers: in the specification (by list and name) and below, in the runtime. */
#pragma once

#include "core/object/value.h"
#include "core/port/runtime.h"

typedef enum { CONTAINER_INIT, CONTAINER_MAIN, CONTAINER_EPHEMERAL } ContainerKind;

/* spec.initContainers, spec.containers, spec.ephemeralContainers. */
const Value *pod_container_list(const Value *pod, ContainerKind kind);
/* NULL when there is none of this name; *ret_kind may be NULL. */
const Value *pod_find_container(const Value *pod, const char *name, ContainerKind *ret_kind);
/* An init container with restartPolicy Always: a sidecar. */
bool container_is_sidecar(const Value *container, ContainerKind kind);
/* "spec.containers{web}": the field path of events. Caller frees. */
char *container_field_path(const char *name, ContainerKind kind);
/* HashContainer: over what makes a running container be replaced, its name and image. Never 0. */
uint64_t container_hash(const Value *container);
/* The policy that holds for one container: its own, else the pod's. */
const char *container_restart_policy(const Value *pod, const Value *container);
/* Would a container that ended with this exit code be started again (container restartPolicyRules included)? */
bool container_restarts_on(const Value *pod, const Value *container, ContainerKind kind, int exit_code);

/* What the runtime has of one pod, copied: newest container first. */
typedef struct RuntimeView {
    GArray *containers; /* of ContainerStatus */
    GArray *sandboxes;  /* of PodSandboxStatus, newest first */
    GStringChunk *strings;
} RuntimeView;

RuntimeView *runtime_view_new(Runtime *runtime, const char *pod_uid);
/* An empty one, for tables of tests; add_container copies. */
RuntimeView *runtime_view_new_empty(void);
void runtime_view_add_container(RuntimeView *view, const ContainerStatus *status);
void runtime_view_add_sandbox(RuntimeView *view, const PodSandboxStatus *status);
void runtime_view_sort(RuntimeView *view);
void runtime_view_free(RuntimeView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RuntimeView, runtime_view_free)

/* The newest container of this name, or NULL. */
const ContainerStatus *runtime_view_find(const RuntimeView *view, const char *name);
/* The newest sandbox that is ready, else the newest, or NULL. */
const PodSandboxStatus *runtime_view_sandbox(const RuntimeView *view);
bool runtime_view_any_running(const RuntimeView *view);

/* kubecontainer.ShouldContainerBeRestarted. */
bool container_should_start(const Value *pod, const Value *container, ContainerKind kind, const RuntimeView *view);
