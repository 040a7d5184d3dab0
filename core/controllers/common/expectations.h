/* What a controller expects to see in its caches before it may count again (controller_utils.go
 * ControllerExpectations and UIDTrackingControllerExpectations): so many additions, and the
 * deletion of these uids. They expire after 5 minutes. */
#pragma once

#include "core/object/value.h"

#define EXPECTATIONS_TIMEOUT_NS (INT64_C(300) * 1000000000)

typedef struct Expectations Expectations;

Expectations *expectations_new(void);
void expectations_free(Expectations *expectations);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Expectations, expectations_free)
/* Forget what was expected for the key and expect this. uids: NULL or borrowed strings. */
void expectations_set(Expectations *expectations, const char *key, int64_t additions,
                      const GPtrArray *uids, int64_t now);
void expectations_creation_observed(Expectations *expectations, const char *key);
void expectations_deletion_observed(Expectations *expectations, const char *key, const char *uid);
/* A creation that failed or was never tried. */
void expectations_lower(Expectations *expectations, const char *key, int64_t additions);
/* Met, expired or none. */
bool expectations_satisfied(const Expectations *expectations, const char *key, int64_t now);
void expectations_delete(Expectations *expectations, const char *key);
