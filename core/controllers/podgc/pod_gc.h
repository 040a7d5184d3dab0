/* Pods that nobody else clears away (pkg/controller/podgc): on nodes that do not exist, deleting
 * and never placed, on nodes out of service, and ended ones beyond a threshold. */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass pod_gc_controller_class;
