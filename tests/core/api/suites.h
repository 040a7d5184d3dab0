/* The cases of this folder, one a file. */
#pragma once

#include "tests/support/runner.h"

TCase *defaults_case(void);
TCase *openapi_case(void);
TCase *protobuf_case(void);
TCase *schema_case(void);
TCase *types_case(void);
