/* A booted cluster of one worker with a running pod "web" (nginx) and a pod "two" of two containers. */
#pragma once

#include "core/api/status.h"
#include "sim/world/world_private.h"
#include "tests/support/runner.h"

World *world_fixture_new(void);

TCase *outside_case(void);
TCase *streams_case(void);
TCase *failures_case(void);
TCase *live_case(void);
TCase *why_case(void);
