/* Expectations as data: what scenarios and lessons say about a cluster. One expectation is a map:
 *
 *   kind: Deployment            any kind, short name or resource ("deploy", "pods.v1")
 *   namespace: drones           "default" when not given; "*": all
 *   name: web                   or  selector: app=web   or neither: all of the kind
 *   where: {status.phase: Running, spec.nodeName: {not: worker-1}}   only those whose fields are so
 *
 * and what is said about the objects that this chooses:
 *
 *   exists: true | absent: true       at least one, none
 *   count: 3                          exactly; atLeast, atMost bound the number
 *   condition: Available              True of every one; "Ready=False", "Ready!=True" say otherwise
 *   jsonpath: "{.status.phase}"       with equals, notEquals, oneOf: [..], contains, atLeast, atMost: of every one
 *   event: {reason: Killing, message: text, object: Pod/web-1, type: Warning}   an Event exists; kind is not needed
 *
 * When nothing is said, exists is meant. `all: [..]`, `any: [..]` and `not: {..}` join expectations. */
#pragma once

#include "sim/world/world.h"

typedef struct ExpectResult {
    bool met;
    char *reason;  /* what was wanted and what was found; a sentence without a full stop */
    char *subject; /* "Pod/default/web-1": whom to ask why; NULL: nobody in particular */
} ExpectResult;

void expect_result_clear(ExpectResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ExpectResult, expect_result_clear)

#define EXPECT_DEPTH_MAX 8

/* Is it well formed, and are its kinds known? The error names the field below `path` ("steps[2].wait.expect"). */
bool expect_validate(const Value *expect, const ApiTypes *types, const char *path, GError **error);
/* Looks at the world as it is now, past the API; time does not move. A validated expectation only. */
void expect_check(World *world, const Value *expect, ExpectResult *ret_result);
