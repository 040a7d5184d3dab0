/* The lessons that come with the program. */
#pragma once

#include "sim/scenario/lesson.h"

/* All, in the order in which they are best taken (Lesson *, owned by the array). A broken one is an error. */
GPtrArray *lessons_all(GError **error);
/* By its name, or the path of a lesson file. Owned. */
Lesson *lessons_find(const char *word, GError **error);
