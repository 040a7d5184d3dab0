/* CronJobs: a Job whenever the schedule says so (pkg/controller/cronjob, version 2). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass cron_job_controller_class;
