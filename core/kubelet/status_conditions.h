/* The kubelet's conditions of a pod: pkg/kubelet/status/generate.go. */
#pragma once

#include "core/object/value.h"

/* type is Ready, ContainersReady, Initialized, PodReadyToStartContainers or PodScheduled. `status` is the status being
 * built (container statuses and phase are set). Returns {type, status, reason, message, observedGeneration}. */
Value *status_condition(const char *type, const Value *pod, const Value *status, bool sandbox_ready);
