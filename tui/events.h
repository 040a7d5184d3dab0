/* Events about one object. */
#pragma once

#include "sim/world/world.h"
#include "tui/lines.h"

/* Newest first, at most `max` lines "12s  Normal  Scheduled: ..."; kind "Pod", namespace_ "" for cluster scope. Folded to
 * `width` columns when that is not 0. */
void events_add_lines(Lines *lines, World *world, const char *kind, const char *namespace_, const char *name,
                      guint max, int width);
