/* The cases of this folder's runner, one per file. */
#pragma once

#include "tests/support/runner.h"

TCase *rules_case(void);
TCase *render_case(void);
TCase *proxy_case(void);
