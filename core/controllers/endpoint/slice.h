/* EndpointSlices: which endpoints go into which slice (staging/src/k8s.io/endpointslice
 * reconciler.go). */
#pragma once

#include "core/controllers/controller.h"

#define ENDPOINTS_PER_SLICE_MAX 100

extern const ControllerClass endpoint_slice_controller_class;

/* Pure: what to write so that the slices of one address type and one set of ports hold `wanted`
 * (endpoints: owned Values, as an array of pointers). Slices keep what they have; changed ones are
 * filled first, the fullest first; what is left goes into one unchanged slice with room if it fits,
 * else into new ones. */
typedef struct SlicePlan {
    GPtrArray *create; /* endpoint arrays (owned Values) for new slices */
    GPtrArray *update; /* written slices (owned Values) */
    GPtrArray *remove; /* existing slices (references) */
} SlicePlan;

void slice_plan_init(SlicePlan *plan);
void slice_plan_clear(SlicePlan *plan);
/* labels: what each slice shall have. existing: borrowed slots. */
void slice_plan_add(SlicePlan *plan, const GPtrArray *existing, const GPtrArray *wanted,
                    const Value *labels);
