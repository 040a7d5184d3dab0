#include "tests/core/object/suites.h"

TEST_RUNNER("core/object", value_case)
