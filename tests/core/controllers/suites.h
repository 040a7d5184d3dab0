/* What the tests of controllers stand on: a controller manager over the fake API, and a hand that
 * plays the kubelet. */
#pragma once

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/base/pmap.h"
#include "core/controllers/common/util.h"
#include "core/controllers/manager.h"
#include "tests/support/fake_api.h"
#include "tests/support/runner.h"
#include "tests/support/test_ports.h"

typedef struct Bench {
    TestWorld *world;
    const Ports *ports;
    FakeApi *api;
    ApiTypes *types;
    Client *client;
    ControllerManager *manager;
} Bench;

/* The controllers named (a value_new_f array text such as "[deployment-controller]"), with further
 * configuration or NULL. */
void bench_open(Bench *bench);
void bench_start(Bench *bench, Value *take_config);
void bench_close(Bench *bench);
/* From a relaxed JSON text; kind decides where it goes: "apps/deployments". */
void bench_put(Bench *bench, const char *group, const char *resource, Value *take);
const Value *bench_get(Bench *bench, const char *group, const char *resource, const char *name);
/* Objects of a resource in namespace "d", in key order; references. */
GPtrArray *bench_list(Bench *bench, const char *group, const char *resource);
/* Every pod that is not deleting becomes bound, running and ready; every deleting one vanishes.
 * Then settles. */
void bench_play_kubelet(Bench *bench);
void pod_make_ready(Bench *bench, const char *name);
bool bench_has_event(Bench *bench, const char *reason, const char *message);
void bench_settle(Bench *bench);
#define bench_run_s(bench, seconds)                                                                \
    test_world_run_for((bench)->world, (int64_t)((seconds) * (double)NS_PER_S))
const char *condition_reason(const Value *object, const char *type);
const char *condition_status(const Value *object, const char *type);

TCase *deployment_suite(void);
TCase *sets_suite(void);
TCase *job_suite(void);
TCase *small_suite(void);
TCase *node_suite(void);
TCase *scaling_suite(void);
TCase *failures_suite(void);
