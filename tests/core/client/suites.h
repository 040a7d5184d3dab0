/* The cases of this folder's runner, one per file. */
#pragma once

#include "tests/support/fake_api.h"
#include "tests/support/runner.h"
#include "tests/support/test_ports.h"

TCase *client_case(void);
TCase *transport_case(void);
TCase *informer_case(void);
TCase *workqueue_case(void);
TCase *events_case(void);
TCase *leader_case(void);
