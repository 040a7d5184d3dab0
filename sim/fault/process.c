#include <glib/gi18n.h>

#include "core/base/error.h"
#include "sim/fault/fault_private.h"

static bool
crash_start(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->process_kill(target, fault_target_text(spec, "node"),
                                     fault_target_text(spec, "process"), error);
}

const FaultClass FAULT_PROCESS_CRASH = {
    .type = "process-crash",
    .title = N_("A component crashes"),
    .target = "node process!",
    .parameters = "",
    .start = crash_start,
};

static bool
pause_start(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->process_pause(target, fault_target_text(spec, "node"),
                                      fault_target_text(spec, "process"), true, error);
}

static bool
pause_stop(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->process_pause(target, fault_target_text(spec, "node"),
                                      fault_target_text(spec, "process"), false, error);
}

const FaultClass FAULT_PROCESS_PAUSE = {
    .type = "process-pause",
    .title = N_("A component stands still"),
    .target = "node process!",
    .parameters = "",
    .start = pause_start,
    .stop = pause_stop,
};

static bool
slow_start(FaultTarget *target, const Value *spec, GError **error)
{
    int64_t factor;
    return fault_parameter_int(spec, "factor", 10, 1, 1000000, &factor, error) &&
           target->ops->process_slow(target, fault_target_text(spec, "node"),
                                     fault_target_text(spec, "process"), (unsigned)factor, error);
}

static bool
slow_stop(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->process_slow(target, fault_target_text(spec, "node"),
                                     fault_target_text(spec, "process"), 1, error);
}

const FaultClass FAULT_PROCESS_SLOW = {
    .type = "process-slow",
    .title = N_("A component becomes slow"),
    .target = "node process!",
    .parameters = N_("factor: how many times slower, 10 by default"),
    .start = slow_start,
    .stop = slow_stop,
};
