/* Faults: what can be broken in a world, one line in a table each. A fault is an object of kind Fault (sim.timonel.dev/v1):
 *
 *   spec: {type: node-power-off, target: {node: worker-1}, parameters: {...}, startAfter: 10s, duration: 5m}
 *
 * This module knows what each type means in terms of FaultTarget, the handles that a world offers. */
#pragma once

#include "core/object/value.h"

typedef struct FaultTarget FaultTarget;

/* What a link suffers; all 0 mends it. */
typedef struct FaultLink {
    bool cut;
    int64_t delay_ns, jitter_ns;
    unsigned loss_ppm;
    uint64_t bandwidth; /* bytes a second; 0: no limit */
} FaultLink;

/* Every op returns false with an error when the target does not exist or the back end cannot do it. */
typedef struct FaultTargetOps {
    bool (*node_power)(FaultTarget *target, const char *node, bool on, GError **error);
    /* One direction; from or to NULL: all others. link NULL mends. */
    bool (*link)(FaultTarget *target, const char *from, const char *to, const FaultLink *link, GError **error);
    /* A component process by name on a node ("kubelet" too; node NULL: wherever it runs). */
    bool (*process_kill)(FaultTarget *target, const char *node, const char *process, GError **error);
    bool (*process_pause)(FaultTarget *target, const char *node, const char *process, bool paused, GError **error);
    bool (*process_slow)(FaultTarget *target, const char *node, const char *process, unsigned factor, GError **error);
    /* container NULL: the first. signal 9 and the like; signal 0: exits with exit_code; oom: as the kernel's OOM killer. */
    bool (*container_kill)(FaultTarget *target, const char *namespace_, const char *pod, const char *container,
                           int signal, int exit_code, bool oom, GError **error);
    bool (*container_hang)(FaultTarget *target, const char *namespace_, const char *pod, const char *container,
                           bool hung, GError **error);
    bool (*clock_skew)(FaultTarget *target, const char *node, int64_t skew_ns, GError **error);
    /* registry NULL: all. slow_factor 1 is normal. */
    bool (*registry)(FaultTarget *target, const char *registry, bool down, unsigned slow_factor, GError **error);
    bool (*node_pressure)(FaultTarget *target, const char *node, const char *resource /* memory, disk, pid */, bool on,
                          GError **error);
    /* Alters one field of a stored object (null value removes it) behind the API server's back. */
    bool (*corrupt_field)(FaultTarget *target, const char *kind, const char *namespace_, const char *name,
                          const char *path, const Value *value, GError **error);
} FaultTargetOps;

struct FaultTarget {
    const FaultTargetOps *ops;
};

typedef struct FaultClass {
    const char *type;        /* "node-power-off" */
    const char *title;       /* "A node loses power", translatable */
    /* Target fields that it reads; a "!" behind a name: it must be given. */
    const char *target;
    const char *parameters;  /* names and meanings, one line, translatable; "" for none */
    bool (*start)(FaultTarget *target, const Value *spec, GError **error);
    /* Mends; NULL when there is nothing to mend (a kill). */
    bool (*stop)(FaultTarget *target, const Value *spec, GError **error);
} FaultClass;

/* The table, in the order in which menus show it. */
size_t fault_class_count(void);
const FaultClass *fault_class_item(size_t index); /* NULL behind the end */
const FaultClass *fault_class(const char *type); /* NULL when unknown */
/* Is the spec complete and of a known type? The error names the field. */
bool fault_validate(const Value *spec, GError **error);
