#include "tests/support/runner.h"

TCase *face_case(void);

TEST_RUNNER("core/http", face_case)
