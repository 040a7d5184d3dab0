#pragma once

#include <check.h>

TCase *life_case(void);
TCase *containers_case(void);
TCase *beside_case(void);
TCase *tables_case(void);
TCase *server_case(void);
