#include "tests/sim/backend/simulated/suites.h"

TEST_RUNNER("sim/backend/simulated", net_case, images_case, runtime_case, kubelet_case, shell_case, disk_case)
