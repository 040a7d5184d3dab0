#pragma once

#include "tests/support/runner.h"

TCase *disk_case(void);
TCase *net_case(void);
TCase *images_case(void);
TCase *runtime_case(void);
TCase *kubelet_case(void);
TCase *shell_case(void);
