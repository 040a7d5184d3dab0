/* ResourceQuotas: what is used of them (pkg/controller/resourcequota; the evaluators of
 * pkg/quota/v1/evaluator/core). Admission counts up when things are made; this counts anew when
 * they go, when a quota changes, and every five minutes. */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass resource_quota_controller_class;
