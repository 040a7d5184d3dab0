/* Shared by expect.c (what is said) and expect_choose.c (of whom). */
#pragma once

#include "sim/check/expect.h"

/* The kind that an expectation names; an Event for one that only says `event`. NULL when unknown. */
const ApiKind *expect_kind(const ApiTypes *types, const Value *expect);
/* The objects (const Value *, borrowed until the world moves) that it chooses, by key. */
GPtrArray *expect_choose(World *world, const Value *expect);
bool expect_choose_validate(const Value *expect, const ApiTypes *types, const char *path, GError **error);
/* The text that a jsonpath gives for an object; "" when there is nothing. Owned. */
char *expect_field_text(const char *jsonpath, const Value *object);
/* Does a found text satisfy a wanted scalar, {not: x} or {oneOf: [..]}? */
bool expect_text_fits(const char *found, const Value *wanted);
char *expect_scalar_text(const Value *scalar);
