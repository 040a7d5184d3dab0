/* DefaultStorageClass: a claim without a class gets the class that is annotated as the default; of
 * several the newest, then the first by name
 * (plugin/pkg/admission/storage/storageclass/setdefault). */
#include "core/apiserver/admission/admission.h"

static bool
find_default(const Value *class, void *data)
{
    const Value **best = data;
    const char *mark = object_annotation(class, "storageclass.kubernetes.io/is-default-class");
    const char *beta = object_annotation(class, "storageclass.beta.kubernetes.io/is-default-class");

    if (g_strcmp0(mark, "true") != 0 && g_strcmp0(beta, "true") != 0)
        return true;
    if (*best == NULL || object_creation_time(class) > object_creation_time(*best))
        *best = class;
    return true;
}

static Value *
mutate(ApiCall *call, Value **object, const Value *old)
{
    const Value *class = NULL;

    if (!admission_is(call, "", "persistentvolumeclaims") || old != NULL)
        return NULL;
    if (value_at(*object, "spec.storageClassName") != NULL ||
        object_annotation(*object, "volume.beta.kubernetes.io/storage-class") != NULL)
        return NULL;
    server_each(call->server, "storage.k8s.io", "storageclasses", NULL, find_default, &class);
    if (class != NULL)
        value_edit(object, "spec.storageClassName", value_new_string(object_name(class)));
    return NULL;
}

const AdmissionStep admission_default_storage_class = {.name = "DefaultStorageClass",
                                                       .mutate = mutate};
