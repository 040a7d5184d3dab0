/* A world: one engine, its back ends and one cluster, composed. Everything in it is a function of the options and the
 * inputs given to it: same seed, same inputs, same trace. Many worlds may live in one process; a world owns no descriptors. */
#pragma once

#include "core/cluster/cluster.h"
#include "sim/engine/engine.h"
#include "sim/engine/trace.h"
#include "sim/engine/why.h"
#include "sim/fault/fault.h"

typedef struct World World;

/* Scripted runs begin at this fixed instant: 2026-01-01T00:00:00Z. */
#define WORLD_EPOCH_NS (INT64_C(1767225600) * NS_PER_S)
#define WORLD_SEED_DEFAULT 1

typedef struct WorldOptions {
    const Value *cluster;  /* document of kind Cluster; borrowed */
    uint64_t seed;         /* 0: WORLD_SEED_DEFAULT */
    int64_t start_ns;      /* 0: WORLD_EPOCH_NS */
    const char *store_path; /* file that keeps the objects (sqlite); NULL: memory */
    const char *service_account_key, *root_ca, *admin_token; /* see ClusterOptions */
    bool no_client_limits;
    bool no_addons;        /* no kube-proxy, CoreDNS, StorageClass (bench, small tests) */
} WorldOptions;

/* Powers all hosts on; nothing has happened yet. The error names the field of the cluster document. */
World *world_new(const WorldOptions *options, GError **error);
void world_free(World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

Engine *world_engine(World *world);
EngineTrace *world_trace(World *world);
Cluster *world_cluster(World *world);
const ApiTypes *world_types(const World *world);
struct SimulatedNet *world_net(World *world); /* for simulated clients (sim/traffic) */
uint64_t world_seed(const World *world);

/* ---- time ------------------------------------------------------------------------------------------------ */

int64_t world_now(const World *world);
bool world_step(World *world); /* one event */
void world_run_until(World *world, int64_t time_ns);
void world_run_for(World *world, int64_t duration_ns);
/* Runs until the condition holds (asked after every event batch of 10 ms) or the time is over; says which. */
bool world_run_until_true(World *world, int64_t timeout_ns, bool (*holds)(World *world, void *data), void *data);
/* Runs until the API server answers (at most a minute of virtual time). */
bool world_boot(World *world);

/* ---- asking the API from outside the cluster's machines ------------------------------------------------------- */

/* An API server that is up and reachable, or NULL. */
ApiServer *world_api_server(World *world);
/* Ports of "the person's machine": for clients made by commands, lessons and the dashboard. */
const Ports *world_outside_ports(World *world);
/* A transport to the API server from there; requests are answered by a later event, reads in the frozen instant when the
 * caller runs world_settle. user NULL: kubernetes-admin in system:masters. Owned by the client that is made of it. */
Transport *world_transport(World *world, const char *user, const char *const *groups);
/* Runs what is due at this very instant, without moving time. */
void world_settle(World *world);
/* Asks and runs the world until the answer is there (at most 60 s of virtual time). Owned. */
ApiResponse *world_call(World *world, ApiRequest *take);
/* The current object, read past the API (borrowed until the world moves); NULL when absent. For views and checks. */
const Value *world_peek(World *world, const char *group, const char *resource, const char *namespace_, const char *name);
/* All of a resource: a map "namespace/name" -> object of one version (borrowed PMap). */
PMap *world_objects(World *world, const char *group, const char *resource);

/* ---- breaking things --------------------------------------------------------------------------------------------- */

FaultTarget *world_fault_target(World *world);
/* Starts a fault of this spec now, as an input: `actor` is who did it. Mended after spec.duration when that is given. */
bool world_fault(World *world, const Value *spec, const char *actor, GError **error);
bool world_fault_stop(World *world, const Value *spec, const char *actor, GError **error);

/* ---- explaining ------------------------------------------------------------------------------------------------------- */

/* Why is this object as it is: lines of plain words, newest first (owned strings). subject "Pod/default/web-1". */
GPtrArray *world_why(World *world, const char *subject);
/* The language of those lines; NULL: English. A new world has English. */
void world_set_translate(World *world, WhyTranslateFunc translate, void *data);
