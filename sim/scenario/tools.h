/* What players of scenarios and lessons need of the program around them: they lie below the commands and may not include
 * kubectl, the files that ship with the program, or gettext. All but `read` may be NULL. */
#pragma once

#include "sim/world/world.h"

typedef enum { SOURCE_CLUSTER, SOURCE_MANIFEST } SourceKind;

/* While a command waits and the world goes on, its caller wants to look around, some ten times a second. */
typedef struct ScenarioPace {
    void (*look)(void *data);
    void *data;
} ScenarioPace;

typedef struct ScenarioTools {
    /* The text behind a name: a file's path, or what ships with the program ("default", "drone-tracker": a whole
     * folder's documents joined). Owned. */
    char *(*read)(SourceKind kind, const char *name, GError **error, void *data);
    /* One kubectl command line against the world, which goes on while it waits (pace may be NULL). What it writes (both streams)
     * is appended to output. Its exit status. */
    int (*kubectl)(World *world, const char *line, const ScenarioPace *pace, GString *output, void *data);
    /* A message in the person's language. */
    const char *(*translate)(const char *message_id, void *data);
    void *data;
} ScenarioTools;

/* Server-side apply of every document of a text, in order, as field manager "timonel". The error names `name` and the
 * object; what came before it stays applied. */
bool world_apply(World *world, const char *name, const char *text, GError **error);
/* Runs a new world until all its nodes are Ready. */
bool world_become_ready(World *world, GError **error);
/* A cluster by name, or the map itself. Owned. */
Value *scenario_cluster(const Value *cluster, const ScenarioTools *tools, GError **error);
