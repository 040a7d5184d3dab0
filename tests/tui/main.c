#include "tests/tui/suites.h"

TEST_RUNNER("tui", grid_case, update_case, screens_case, terminal_case)
