/* The cases of this folder's runner, one per file. */
#pragma once

#include "tests/support/runner.h"

TCase *value_case(void);
