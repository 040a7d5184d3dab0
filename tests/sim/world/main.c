#include "tests/sim/world/fixture.h"

TEST_RUNNER("sim/world", outside_case, streams_case, failures_case, live_case, why_case)
