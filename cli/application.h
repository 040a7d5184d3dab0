/* The sample application: applied to a cluster that starts without a name, and told about in plain lines where there is no
 * dashboard. */
#pragma once

#include "sim/world/live.h"

/* Applies the documents of a built-in folder ("drone-tracker") or of a file. */
bool application_apply(Live *live, const char *name, GError **error);
/* Lets the world run until every workload of the application is available, and prints what happens, a line each. False with
 * an error when that does not come about within ten minutes of virtual time. */
bool application_watch_plain(Live *live, GError **error);
