#include "tests/support/runner.h"

TCase *scenario_suite(void);
TCase *builtin_suite(void);

TEST_RUNNER("sim/scenario", scenario_suite, builtin_suite)
