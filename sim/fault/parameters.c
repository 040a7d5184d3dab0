#include <string.h>

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

bool
fault_parameter_int(const Value *spec, const char *name, int64_t otherwise, int64_t min,
                    int64_t max, int64_t *ret_number, GError **error)
{
    const Value *value = fault_parameter(spec, name);
    gint64 number = value_int(value);
    *ret_number = otherwise;
    if (value == NULL)
        return true;
    bool good = value_type(value) == VALUE_INT
                    ? number >= min && number <= max
                    : g_ascii_string_to_signed(value_text(value), 10, min, max, &number, NULL);
    if (!good)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "spec.parameters.%s: expected a whole number from %" G_GINT64_FORMAT
                    " to %" G_GINT64_FORMAT,
                    name, min, max);
    *ret_number = number;
    return true;
}

bool
fault_parameter_is_on(const Value *spec, const char *name)
{
    const Value *value = fault_parameter(spec, name);
    return value_bool(value) || strcmp(value_text(value), "true") == 0;
}
