/* What the commands give to players of scenarios and lessons: files, kubectl and the person's language. */
#pragma once

#include "sim/scenario/tools.h"

typedef struct PlaySources {
    const Value *files; /* name -> text: files that a lesson brings along; NULL: none. Borrowed */
} PlaySources;

/* Tools whose data is `sources` (borrowed; NULL: no further files). */
ScenarioTools play_tools(PlaySources *sources);
/* The option's language, else the environment's (LANGUAGE, LC_ALL, LC_MESSAGES, LANG): "en" or "es". NULL with an
 * error for one that we do not speak. Static. With an option, messages follow it too. */
const char *play_language(const char *option, GError **error);
