#pragma once

#include <check.h>

TCase *life_case(void);
