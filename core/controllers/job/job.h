/* Jobs: pods until enough have succeeded (pkg/controller/job). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass job_controller_class;
extern const ControllerClass ttl_after_finished_controller_class;
