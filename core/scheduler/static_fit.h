/* What a pod's node selector, node affinity and tolerations make of each node: it changes only when
 * the node's labels, taints or spec.unschedulable do, so it is computed once a pod template and
 * node and kept. */
#pragma once

#include "core/scheduler/symbols.h"

#include "core/object/value.h"

struct NodeInfo;
struct PodClass;

enum {
    FIT_UNSCHEDULABLE = 1 << 0, /* spec.unschedulable, and not tolerated */
    FIT_TAINT = 1 << 1,         /* a NoSchedule or NoExecute taint not tolerated */
    FIT_AFFINITY = 1 << 2,      /* selector or required node affinity does not match */
};

typedef struct StaticVerdict {
    uint32_t generation;  /* the node's, plus one; 0: not computed */
    uint8_t failures;     /* FIT_ */
    uint16_t intolerable; /* PreferNoSchedule taints not tolerated */
    int32_t preference;   /* sum of matching preferred terms' weights */
} StaticVerdict;

typedef struct StaticFit StaticFit;
typedef struct StaticFits StaticFits;

StaticFits *static_fits_new(void);
void static_fits_free(StaticFits *fits);
/* One for all classes with the same constraints; released with static_fit_release. */
StaticFit *static_fit_get(StaticFits *fits, const struct PodClass *class_);
void static_fit_release(StaticFits *fits, StaticFit *fit);
void static_fits_grow(StaticFits *fits, int32_t slot_capacity);
/* Valid until the next call. */
const StaticVerdict *static_fit_verdict(StaticFits *fits, StaticFit *fit,
                                        const struct NodeInfo *node);
bool static_fit_has_preferences(const StaticFit *fit);
bool static_fit_has_affinity(const StaticFit *fit); /* selector or required affinity */
uint64_t static_fit_digest(const StaticFit *fit);
/* Against a node that need not be in the cache (an older version of one). */
unsigned static_fit_failures(const StaticFit *fit, const Value *node);
