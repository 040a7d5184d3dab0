/* PodDisruptionBudgets: how many of their pods may go now (pkg/controller/disruption). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass disruption_controller_class;
