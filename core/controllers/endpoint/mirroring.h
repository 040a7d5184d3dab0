/* Endpoints that a user keeps for a Service without selector, mirrored as EndpointSlices
 * (pkg/controller/endpointslicemirroring). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass endpoint_slice_mirroring_controller_class;
