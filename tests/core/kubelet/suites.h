#pragma once

#include <check.h>

TCase *life_case(void);
TCase *containers_case(void);
TCase *beside_case(void);
