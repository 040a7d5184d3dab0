/* The driver of simulations and tests: keeps nothing. Writes are durable at once, or after a
 * simulated fsync. */
#pragma once

#include "core/port/clock.h"
#include "core/store/driver.h"

/* With fsync_ns 0 the clock may be NULL. Writes that arrive while a sync is under way share the
 * next one. */
StoreDriver *store_driver_memory_new(Clock *clock, int64_t fsync_ns);
