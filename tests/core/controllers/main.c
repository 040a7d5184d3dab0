#include "tests/core/controllers/suites.h"

TEST_RUNNER("core/controllers", deployment_suite, sets_suite, job_suite, small_suite, node_suite,
            scaling_suite, failures_suite)
