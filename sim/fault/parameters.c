#include "core/base/duration.h"
#include "core/base/error.h"
#include "sim/fault/fault_private.h"

const char *
fault_target_text(const Value *spec, const char *field)
{
    return value_string(value_get(value_get(spec, "target"), field));
}

const Value *
fault_parameter(const Value *spec, const char *name)
{
    return value_get(value_get(spec, "parameters"), name);
}

bool
fault_parameter_duration(const Value *spec, const char *name, int64_t otherwise, int64_t *ret_ns,
                         GError **error)
{
    const Value *value = fault_parameter(spec, name);
    *ret_ns = otherwise;
    if (value == NULL || duration_parse(value_text(value), ret_ns, NULL))
        return true;
    return fail(error, TIMONEL_ERROR_INVALID,
                "spec.parameters.%s: \"%s\" is not a duration such as 200ms", name,
                value_text(value));
}
