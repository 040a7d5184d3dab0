/* The cases of this folder's runner, one per file. */
#pragma once

#include "tests/support/runner.h"

TCase *json_case(void);
TCase *jsonpath_case(void);
TCase *patch_case(void);
TCase *quantity_case(void);
TCase *selector_case(void);
TCase *value_case(void);
TCase *yaml_case(void);
