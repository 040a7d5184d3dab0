#include "tests/cli/kubectl/bench.h"

TEST_RUNNER("cli/kubectl", commands_suite, describe_suite, get_suite, http_suite, write_suite)
