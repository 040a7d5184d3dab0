#include "tests/cli/kubectl/bench.h"

TEST_RUNNER("cli/kubectl", get_suite, write_suite)
