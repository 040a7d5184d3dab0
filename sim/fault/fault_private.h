/* The constants of the table in fault.c, and how they read a spec. */
#pragma once

#include "sim/fault/fault.h"

extern const FaultClass FAULT_CONTAINER_KILL, FAULT_CONTAINER_OOM, FAULT_CONTAINER_HANG,
    FAULT_PROCESS_CRASH, FAULT_PROCESS_PAUSE, FAULT_PROCESS_SLOW, FAULT_NODE_POWER_OFF,
    FAULT_LINK_CUT, FAULT_LINK_DELAY, FAULT_LINK_LOSS, FAULT_NODE_PRESSURE, FAULT_CLOCK_SKEW,
    FAULT_REGISTRY_DOWN, FAULT_REGISTRY_SLOW, FAULT_FIELD_ALTERED;

/* NULL when absent. */
const char *fault_target_text(const Value *spec, const char *field);
const Value *fault_parameter(const Value *spec, const char *name);
/* A duration parameter in ns; otherwise when absent. */
bool fault_parameter_duration(const Value *spec, const char *name, int64_t otherwise, int64_t *ret_ns, GError **error);
/* Numbers and switches may be written as texts, as the API's map of strings does. otherwise when absent; an error for what is
 * neither. */
bool fault_parameter_int(const Value *spec, const char *name, int64_t otherwise, int64_t min, int64_t max,
                         int64_t *ret_number, GError **error);
bool fault_parameter_is_on(const Value *spec, const char *name);
