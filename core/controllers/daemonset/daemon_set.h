/* DaemonSets: a pod on every eligible node (pkg/controller/daemon). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass daemon_set_controller_class;
