/* An API server over the memory store, asked as text: `ask(f, API_VERB_CREATE, "pods", "default",
 * NULL, "{...}")`. */
#pragma once

#include "core/api/meta.h"
#include "core/api/status.h"
#include "core/apiserver/apiserver.h"
#include "core/object/json.h"
#include "core/store/memory.h"
#include "tests/support/runner.h"
#include "tests/support/test_ports.h"

typedef struct Fixture {
    TestWorld *world;
    const Ports *ports;
    ApiTypes *types;
    Store *store;
    ApiServer *server;
    ApiUser *user;
    ApiResponse *response; /* of the last ask */
    GString *heard;        /* of watches: "+name ~name -name" */
} Fixture;

Fixture *fixture_new(void);
void fixture_free(Fixture *fixture);
/* "pods", "deployments.apps", "pods/status"; body is relaxed JSON as value_new_f reads it, or NULL.
 * Returns the answer's object, borrowed until the next ask. */
const Value *ask(Fixture *f, ApiVerb verb, const char *resource, const char *namespace_,
                 const char *name, const char *body);
/* A request to fill in further. */
ApiRequest *request_new(Fixture *f, ApiVerb verb, const char *resource, const char *namespace_,
                        const char *name, const char *body);
const Value *send_request(Fixture *f, ApiRequest *take);
int code(const Fixture *f);
/* The message of the Status that was answered. */
const char *said(const Fixture *f);
void hear_to_text(const WatchEvent *event, void *data); /* data: the fixture */
ApiServerWatch *listen_to(Fixture *f, const char *resource, const char *namespace_,
                          const char *version, const char *field_selector);
/* A pod of one container, created. */
const Value *make_pod(Fixture *f, const char *name);
