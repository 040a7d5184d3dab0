#include "tests/core/proxy/suites.h"

TEST_RUNNER("core/proxy", rules_case, render_case, proxy_case)
