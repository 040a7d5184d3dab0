/* Endpoints, the old form of EndpointSlices: at most 1,000 addresses of a Service in one object
 * (pkg/controller/endpoint). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass endpoints_controller_class;
