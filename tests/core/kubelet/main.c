#include "tests/core/kubelet/suites.h"
#include "tests/support/runner.h"

TEST_RUNNER("core/kubelet", life_case, containers_case, beside_case, tables_case, server_case)
