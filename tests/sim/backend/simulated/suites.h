#pragma once

#include "tests/support/runner.h"

TCase *net_case(void);
