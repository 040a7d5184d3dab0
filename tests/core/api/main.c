#include "tests/core/api/suites.h"

TEST_RUNNER("core/api", types_case)
