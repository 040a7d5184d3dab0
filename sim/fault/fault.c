#include "sim/fault/fault.h"

#include <string.h>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "sim/fault/fault_private.h"

/* The order of menus: what a person tries first comes first. */
static const FaultClass *const CLASSES[] = {
    &FAULT_CONTAINER_KILL,  &FAULT_CONTAINER_OOM,    &FAULT_CONTAINER_HANG, &FAULT_PROCESS_CRASH,
    &FAULT_PROCESS_PAUSE,   &FAULT_PROCESS_SLOW,     &FAULT_NODE_POWER_OFF, &FAULT_LINK_CUT,
    &FAULT_LINK_DELAY,      &FAULT_LINK_LOSS,        &FAULT_NODE_PRESSURE,  &FAULT_CLOCK_SKEW,
    &FAULT_REGISTRY_DOWN,   &FAULT_REGISTRY_SLOW,    &FAULT_FIELD_ALTERED,
};

size_t
fault_class_count(void)
{
    return G_N_ELEMENTS(CLASSES);
}

const FaultClass *
fault_class_item(size_t index)
{
    return index < G_N_ELEMENTS(CLASSES) ? CLASSES[index] : NULL;
}

const FaultClass *
fault_class(const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(CLASSES); i++)
        if (strcmp(CLASSES[i]->type, type) == 0)
            return CLASSES[i];
    return NULL;
}

static char *
known_types(void)
{
    GString *names = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(CLASSES); i++)
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "", CLASSES[i]->type);
    return g_string_free(names, FALSE);
}

/* Every target field that the class names with "!" must be there. */
static bool
target_is_complete(const FaultClass *class, const Value *target, GError **error)
{
    g_auto(GStrv) wanted = g_strsplit(class->target, " ", -1);
    for (size_t i = 0; wanted[i] != NULL; i++) {
        size_t length = strlen(wanted[i]);
        if (length == 0 || wanted[i][length - 1] != '!')
            continue;
        wanted[i][length - 1] = '\0';
        if (value_string(value_get(target, wanted[i])) == NULL)
            return fail(error, TIMONEL_ERROR_INVALID,
                        "spec.target.%s: required for a fault of type %s", wanted[i], class->type);
    }
    return true;
}

bool
fault_validate(const Value *spec, GError **error)
{
    const char *type = value_string(value_get(spec, "type"));
    const FaultClass *class = type != NULL ? fault_class(type) : NULL;
    if (class == NULL) {
        g_autofree char *names = known_types();
        return fail(error, TIMONEL_ERROR_INVALID, "spec.type: %s%s%s; known types: %s",
                    type != NULL ? "\"" : "", type != NULL ? type : "required",
                    type != NULL ? "\" is unknown" : "", names);
    }
    static const char *const DURATIONS[] = {"duration", "startAfter"};
    for (size_t i = 0; i < G_N_ELEMENTS(DURATIONS); i++) {
        int64_t ns;
        const Value *text = value_get(spec, DURATIONS[i]);
        if (text != NULL && !duration_parse(value_text(text), &ns, NULL))
            return fail(error, TIMONEL_ERROR_INVALID,
                        "spec.%s: \"%s\" is not a duration such as 30s or 5m", DURATIONS[i],
                        value_text(text));
    }
    return target_is_complete(class, value_get(spec, "target"), error);
}
