#pragma once

#include "tests/support/runner.h"

TCase *algorithm_suite(void);
TCase *filters_suite(void);
TCase *preemption_suite(void);
TCase *queue_suite(void);
TCase *scheduler_suite(void);
TCase *scores_suite(void);
