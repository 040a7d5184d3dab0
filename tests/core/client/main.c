#include "tests/core/client/suites.h"

TEST_RUNNER("core/client", client_case, transport_case, informer_case, workqueue_case, events_case,
            leader_case)
