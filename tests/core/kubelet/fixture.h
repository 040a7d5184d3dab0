/* A kubelet on node-1 with a fake API, runtime and host. */
#pragma once

#include <check.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/kubelet/kubelet.h"
#include "tests/support/fake_api.h"
#include "tests/support/fake_runtime.h"
#include "tests/support/runner.h"
#include "tests/support/test_ports.h"

typedef struct Fixture {
    TestWorld *world;
    ApiTypes *types;
    FakeApi *api;
    FakeRuntime *runtime;
    Client *client;
    Kubelet *kubelet;
    KubeletConfig config;
    char path[128];
} Fixture;

void fixture_init(Fixture *f);        /* with a kubelet that has registered */
void fixture_init_idle(Fixture *f);   /* without; then fixture_start */
void fixture_start(Fixture *f);
void fixture_stop(Fixture *f);        /* the kubelet dies; what runs goes on */
void fixture_clear(Fixture *f);

/* Seconds pass. */
void fixture_run(Fixture *f, double seconds);
/* A pod default/NAME, bound, of this spec in the template language (containers: [...] etc. without braces). */
const Value *fixture_add_pod(Fixture *f, const char *name, const char *spec);
/* One container web with image nginx. */
const Value *fixture_add_web(Fixture *f, const char *name);
const Value *fixture_pod(Fixture *f, const char *name);
const char *fixture_phase(Fixture *f, const char *name);
/* A text at a path of the pod. */
const char *fixture_text(Fixture *f, const char *name, const char *path);
int64_t fixture_int(Fixture *f, const char *name, const char *path);
const char *fixture_condition(Fixture *f, const char *name, const char *type, const char *field);
/* Marks for deletion as the API server does. */
void fixture_delete_pod(Fixture *f, const char *name, int64_t grace);
/* How many events of this reason there are (counts included), and whether one of them says this. */
int64_t fixture_events(Fixture *f, const char *reason);
bool fixture_event_says(Fixture *f, const char *reason, const char *message);
