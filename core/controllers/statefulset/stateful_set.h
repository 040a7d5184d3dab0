/* StatefulSets: pods with names and storage of their own, in order (pkg/controller/statefulset). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass stateful_set_controller_class;
