/* The cases of this folder, one a file. */
#pragma once

#include "tests/support/runner.h"

TCase *types_case(void);
