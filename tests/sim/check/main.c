#include "tests/support/runner.h"

TCase *expect_suite(void);
TCase *oracle_suite(void);

TEST_RUNNER("sim/check", expect_suite, oracle_suite)
