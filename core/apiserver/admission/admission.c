/* The table of admission steps. */
#include "core/apiserver/admission/admission.h"

static const AdmissionStep *const steps[] = {
    &admission_namespace_lifecycle,
    &admission_service_account,
    &admission_taint_nodes_by_condition,
    &admission_priority,
    &admission_default_toleration_seconds,
    &admission_default_storage_class,
    &admission_storage_object_in_use_protection,
    &admission_limit_ranger,
    &admission_resource_quota,
};

bool
admission_is(const ApiCall *call, const char *group, const char *resource)
{
    return strcmp(call->resource->kind->resource, resource) == 0 &&
           strcmp(call->resource->kind->group, group) == 0;
}

Value *
admission_mutate(ApiCall *call, Value **object, const Value *old)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        Value *refusal = steps[i]->mutate == NULL ? NULL : steps[i]->mutate(call, object, old);

        if (refusal != NULL)
            return refusal;
    }
    return NULL;
}

Value *
admission_validate(ApiCall *call, const Value *object, const Value *old)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        Value *refusal = steps[i]->validate == NULL ? NULL : steps[i]->validate(call, object, old);

        if (refusal != NULL)
            return refusal;
    }
    return NULL;
}

Value *
admission_validate_delete(ApiCall *call, const ApiResource *resource, const Value *old)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        Value *refusal = steps[i]->validate_delete == NULL
                             ? NULL
                             : steps[i]->validate_delete(call, resource, old);

        if (refusal != NULL)
            return refusal;
    }
    return NULL;
}
