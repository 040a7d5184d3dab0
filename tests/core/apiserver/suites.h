#pragma once

#include <check.h>

TCase *verbs_case(void);
TCase *watch_case(void);
TCase *delete_case(void);
TCase *apply_case(void);
TCase *admission_case(void);
