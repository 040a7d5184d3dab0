#include "tests/core/apiserver/suites.h"
#include "tests/support/runner.h"

TEST_RUNNER("core/apiserver", verbs_case, watch_case, delete_case, admission_case, apply_case)
