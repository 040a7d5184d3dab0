/* Deployments: ReplicaSets, one a pod template, and the way from one to the next
 * (pkg/controller/deployment). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass deployment_controller_class;
