/* StorageObjectInUseProtection: volumes and claims carry a finalizer while they are in use
 * (plugin/pkg/admission/storage/storageobjectinuseprotection). */
#include "core/apiserver/admission/admission.h"

static Value *
mutate(ApiCall *call, Value **object, const Value *old)
{
    const char *finalizer =
        admission_is(call, "", "persistentvolumeclaims") ? "kubernetes.io/pvc-protection"
        : admission_is(call, "", "persistentvolumes")    ? "kubernetes.io/pv-protection"
                                                         : NULL;

    if (finalizer == NULL || old != NULL || object_has_finalizer(*object, finalizer))
        return NULL;
    value_edit(object, "metadata.finalizers",
               value_append(value_at(*object, "metadata.finalizers"), value_new_string(finalizer)));
    return NULL;
}

const AdmissionStep admission_storage_object_in_use_protection = {
    .name = "StorageObjectInUseProtection",
    .mutate = mutate,
};
