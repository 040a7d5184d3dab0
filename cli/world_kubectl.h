/* kubectl command lines against a world of this process: for the dashboard, scenarios, lessons and the sample application. */
#pragma once

#include "sim/world/live.h"

typedef struct WorldKubectl {
    World *world; /* runs in virtual time, as fast as it can, while a command waits; NULL when live is given */
    Live *live;   /* goes on by its pace, in the main loop, while a command waits; or NULL */
    /* stream 1 stdout, 2 stderr. */
    void (*write)(int stream, const char *text, size_t length, void *data);
    /* May be NULL. true: give up waiting. */
    bool (*cancelled)(void *data);
    /* While waiting in virtual time: lets time pass to until_ns in place of world_run_until. May be NULL. */
    void (*advance)(int64_t until_ns, void *data);
    const Value *files; /* name -> text: files that are looked for first; NULL: none. Borrowed */
    void *data;
} WorldKubectl;

/* kubectl's exit status. Files are this machine's, or, failing that, those that ship with the program. */
int world_kubectl_line(const WorldKubectl *self, const char *line);
int world_kubectl_apply(const WorldKubectl *self, const char *name, const char *text);
char **world_kubectl_complete(const WorldKubectl *self, const char *line); /* owned, sorted */

/* All documents of a folder that ships with the program ("drone-tracker"), joined; owned, NULL when there is none. */
char *builtin_manifests(const char *folder);
