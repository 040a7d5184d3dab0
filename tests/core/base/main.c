#include "tests/core/base/suites.h"

TEST_RUNNER("core/base", duration_case, heap_case, pmap_case, rng_case, text_case)
