#include "tests/core/scheduler/suites.h"

TEST_RUNNER("core/scheduler", filters_suite, scores_suite, algorithm_suite, queue_suite,
            preemption_suite, scheduler_suite)
