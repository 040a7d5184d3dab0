/* The durable driver of a cluster with a name: SQLite, one table whose rows are events, as kine
 * does it. Write-ahead log, synchronous=FULL: what is acknowledged survives kill -9 and power loss.
 * All transactions of one engine round share one commit. */
#pragma once

#include "core/port/clock.h"
#include "core/store/driver.h"

/* Opens or makes the file; it is locked against a second process. The clock gives the end of the
 * round. */
StoreDriver *store_driver_sqlite_new(const char *path, Clock *clock, GError **error);
