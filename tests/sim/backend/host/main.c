#include "tests/sim/backend/host/suites.h"

TEST_RUNNER("sim/backend/host", http_server_case, pki_case)
