/* Nodes that stop answering (pkg/controller/nodelifecycle): conditions turn Unknown after the grace
 * period, taints follow the conditions, NoExecute taints zone by zone at a limited rate, pods of a
 * lost node are marked not ready. Evicting is the taint-eviction-controller's. */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass node_lifecycle_controller_class;
extern const ControllerClass taint_eviction_controller_class;
