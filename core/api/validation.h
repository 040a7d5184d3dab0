/* Whether an object may be stored (k8s.io/kubernetes pkg/apis/<group>/validation, with its texts). */
#pragma once

#include "core/api/status.h"
#include "core/api/types.h"

/* Adds what is wrong with a decoded and defaulted object. `old` is what it replaces, NULL when it is created. `subresource` is
 * NULL for the main resource. */
void api_validate(const ApiKind *kind, const Value *object, const Value *old, const char *subresource, FieldErrors *errors);
