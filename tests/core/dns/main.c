#include "tests/core/dns/suites.h"

TEST_RUNNER("core/dns", records_case, wire_case, server_case)
