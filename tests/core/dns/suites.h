/* The cases of this folder's runner, one per file. */
#pragma once

#include "tests/support/runner.h"

TCase *records_case(void);
TCase *wire_case(void);
TCase *server_case(void);
