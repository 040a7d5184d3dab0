/* One simulated node with a kubelet's process, and helpers that read like prose. */
#pragma once

#include "core/object/yaml.h"
#include "sim/backend/simulated/node.h"

typedef struct NodeBench {
    Engine *engine;
    SimulatedNet *net;
    SimulatedBackend *backend;
    SimulatedNode *node;
    EngineProcess *kubelet;
    Runtime *runtime;
    Host *host;
    GString *out; /* what callbacks say */
    char id[128]; /* of what was made last */
    char sandbox[128];
} NodeBench;

void bench_setup(NodeBench *b);
uint64_t bench_teardown(NodeBench *b); /* the digest */
void bench_run(NodeBench *b, int64_t ns);
void bench_done(const char *id, const char *error, void *data); /* "ok " or "error: ... " */
void bench_run_sandbox(NodeBench *b, const char *pod);
/* image's container from YAML such as "{command: [sh, -c, ...]}"; created and started; the id is in b->id. */
void bench_run_container(NodeBench *b, const char *image, const char *definition);
ContainerStatus bench_status(NodeBench *b);
const char *bench_log(NodeBench *b); /* in b->out, which is emptied before */
