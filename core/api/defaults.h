/* What the API server fills in on every read of a request: k8s.io/kubernetes
 * pkg/apis/<group>/v1/defaults.go, and those conversions that show on the wire (Secret's
 * stringData, a pod's serviceAccount). */
#pragma once

#include "core/api/types.h"

/* The object with its static defaults (the schema's) and those that depend on other fields.
 * Idempotent; shares what does not change. What needs the cluster (addresses, node ports, the
 * default ServiceAccount) is left to admission and strategies. */
Value *api_default(const ApiTypes *types, const ApiKind *kind, const Value *object);

/* The pull policy that an image's tag implies: "Always" for latest or none, else "IfNotPresent". */
const char *image_pull_policy(const char *image);
