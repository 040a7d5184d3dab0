#include <glib/gi18n.h>

#include "core/base/error.h"
#include "sim/fault/fault_private.h"

static bool
down_start(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->registry(target, fault_target_text(spec, "registry"), true, 1, error);
}

static bool
registry_stop(FaultTarget *target, const Value *spec, GError **error)
{
    return target->ops->registry(target, fault_target_text(spec, "registry"), false, 1, error);
}

const FaultClass FAULT_REGISTRY_DOWN = {
    .type = "registry-down",
    .title = N_("The image registry does not answer"),
    .target = "registry",
    .parameters = "",
    .start = down_start,
    .stop = registry_stop,
};

static bool
slow_start(FaultTarget *target, const Value *spec, GError **error)
{
    int64_t factor;
    return fault_parameter_int(spec, "factor", 20, 1, 1000000, &factor, error) &&
           target->ops->registry(target, fault_target_text(spec, "registry"), false,
                                 (unsigned)factor, error);
}

const FaultClass FAULT_REGISTRY_SLOW = {
    .type = "registry-slow",
    .title = N_("The image registry is slow"),
    .target = "registry",
    .parameters = N_("factor: how many times slower, 20 by default"),
    .start = slow_start,
    .stop = registry_stop,
};

static bool
altered_start(FaultTarget *target, const Value *spec, GError **error)
{
    const char *path = value_string(fault_parameter(spec, "path"));
    if (path == NULL)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "spec.parameters.path: required, such as spec.replicas");
    const char *namespace_ = fault_target_text(spec, "namespace");
    return target->ops->corrupt_field(target, fault_target_text(spec, "kind"), namespace_,
                                      fault_target_text(spec, "name"), path,
                                      fault_parameter(spec, "value"), error);
}

const FaultClass FAULT_FIELD_ALTERED = {
    .type = "field-altered",
    .title = N_("One field of a stored object changes"),
    .target = "kind! namespace name!",
    .parameters = N_("path: of the field; value: the new one, or nothing to remove it"),
    .start = altered_start,
};
