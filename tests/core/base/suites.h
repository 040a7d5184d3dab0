/* The cases of this folder's runner, one per file. */
#pragma once

#include "tests/support/runner.h"

TCase *duration_case(void);
TCase *heap_case(void);
TCase *pmap_case(void);
TCase *rng_case(void);
TCase *text_case(void);
