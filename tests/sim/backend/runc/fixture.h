/* A real node without a cluster: its operations done one after the other, in the machine's time. */
#pragma once

#include "sim/backend/runc/node.h"

typedef struct Fixture {
    Engine *engine;
    EngineProcess *kubelet;
    RuncNode *node;
    Runtime *runtime;
    Host *host;
    char *directory;
    unsigned numbers;
    /* The last completion. */
    bool done;
    char *id, *error, *output;
    int exit_code, http_status;
    bool timed_out;
    char *before; /* the machine, before the node was made */
} Fixture;

Fixture *fixture_new(void);
/* Frees the node and asserts that the machine looks as before. */
void fixture_free(Fixture *fixture);
/* Runs main loop and engine until `done`, at most 20 s. */
void fixture_wait(Fixture *fixture);
/* A pod of that template ("{spec: {...}}" or NULL): id of its sandbox, owned. */
char *fixture_sandbox(Fixture *fixture, const char *spec);
/* A container of an API object in JSON that runs `sh -c script`; made and started. Owned. */
char *fixture_container(Fixture *fixture, const char *sandbox, const char *container, const char *script);
void fixture_create(Fixture *fixture, const char *sandbox, const char *container, const char *script,
                    const RuntimeMount *mounts, size_t n_mounts);
void fixture_start(Fixture *fixture, const char *id);
ContainerStatus fixture_status(Fixture *fixture, const char *id);
/* Waits until it has exited. */
ContainerStatus fixture_exited(Fixture *fixture, const char *id);
void fixture_exec(Fixture *fixture, const char *id, const char *script, int64_t timeout_ns);
/* "stdout F text\n"... of a container named by its number. Owned. */
char *fixture_log(Fixture *fixture, const char *id);
void fixture_runtime_done(const char *id, const char *error, void *data);
void fixture_host_done(const char *error, void *data);
/* Mounts, routes, links and cgroups that bear the names of these tests; owned. Others may work on this machine, too. */
char *fixture_machine(void);
