#include <glib/gi18n.h>

#include "core/base/error.h"
#include "sim/fault/fault_private.h"

static bool
power_off_start(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->node_power(target, fault_target_text(spec, "node"), false, error);
}

static bool
power_off_stop(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->node_power(target, fault_target_text(spec, "node"), true, error);
}

const FaultClass FAULT_NODE_POWER_OFF = {
    .type = "node-power-off",
    .title = N_("A node loses power"),
    .target = "node!",
    .parameters = "",
    .start = power_off_start,
    .stop = power_off_stop,
};

static bool
pressure(FaultTarget *target, const Value *spec, bool on, GError **error)
{
    const char *resource = value_string(fault_parameter(spec, "resource"));
    return target->ops->node_pressure(target, fault_target_text(spec, "node"),
                                      resource != NULL ? resource : "memory", on, error);
}

static bool
pressure_start(FaultTarget *target, const Value *spec, GError **error)
{
    return pressure(target, spec, true, error);
}

static bool
pressure_stop(FaultTarget *target, const Value *spec, GError **error)
{
    return pressure(target, spec, false, error);
}

const FaultClass FAULT_NODE_PRESSURE = {
    .type = "node-pressure",
    .title = N_("A node runs short of memory, disk or process ids"),
    .target = "node!",
    .parameters = N_("resource: memory (default), disk or pid"),
    .start = pressure_start,
    .stop = pressure_stop,
};

static bool
skew_start(FaultTarget *target, const Value *spec, GError **error)
{
    int64_t skew;
    return fault_parameter_duration(spec, "by", INT64_C(60000000000), &skew, error) &&
           target->ops->clock_skew(target, fault_target_text(spec, "node"), skew, error);
}

static bool
skew_stop(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->clock_skew(target, fault_target_text(spec, "node"), 0, error);
}

const FaultClass FAULT_CLOCK_SKEW = {
    .type = "clock-skew",
    .title = N_("A node's clock is wrong"),
    .target = "node!",
    .parameters = N_("by: how far ahead, 1m by default; negative: behind"),
    .start = skew_start,
    .stop = skew_stop,
};
