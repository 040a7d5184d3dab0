#pragma once

#include "tests/support/runner.h"

TCase *engine_case(void);
TCase *process_case(void);
TCase *trace_case(void);
TCase *pace_case(void);
