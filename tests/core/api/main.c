#include "tests/core/api/suites.h"

TEST_RUNNER("core/api", types_case, schema_case, defaults_case, protobuf_case, openapi_case)
