#include "tests/support/runner.h"

TCase *websocket_case(void);
TCase *spdy_case(void);

TEST_RUNNER("core/stream", websocket_case, spdy_case)
