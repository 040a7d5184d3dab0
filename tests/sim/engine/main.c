#include "tests/sim/engine/suites.h"

TEST_RUNNER("sim/engine", engine_case, process_case, trace_case, pace_case)
