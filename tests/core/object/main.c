#include "tests/core/object/suites.h"

TEST_RUNNER("core/object", json_case, jsonpath_case, patch_case, quantity_case, selector_case, value_case, yaml_case)
