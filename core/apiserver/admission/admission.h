/* Admission: steps that may change or refuse a write, one file each, in the order of the table in
 * admission.c (kube-apiserver's recommended plug-in order). */
#pragma once

#include "core/apiserver/private.h"

typedef struct AdmissionStep {
    const char *name;
    /* Each may be NULL. `old` is NULL when an object comes into being. Each returns a Status that
     * refuses, or NULL. */
    Value *(*mutate)(ApiCall *call, Value **object, const Value *old);
    Value *(*validate)(ApiCall *call, const Value *object, const Value *old);
    Value *(*validate_delete)(ApiCall *call, const ApiResource *resource, const Value *old);
} AdmissionStep;

bool admission_is(const ApiCall *call, const char *group, const char *resource);

extern const AdmissionStep admission_default_storage_class;
extern const AdmissionStep admission_default_toleration_seconds;
extern const AdmissionStep admission_limit_ranger;
extern const AdmissionStep admission_namespace_lifecycle;
extern const AdmissionStep admission_priority;
extern const AdmissionStep admission_resource_quota;
extern const AdmissionStep admission_service_account;
extern const AdmissionStep admission_storage_object_in_use_protection;
extern const AdmissionStep admission_taint_nodes_by_condition;
