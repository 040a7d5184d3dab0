/* The cases of this folder's runner. */
#pragma once

#include "tests/support/runner.h"

TCase *http_server_case(void);
TCase *pki_case(void);
