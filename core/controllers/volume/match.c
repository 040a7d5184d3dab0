#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/volume/volume.h"
#include "core/object/quantity.h"

const char *
storage_class_name(const Value *object)
{
    const char *annotated = object_annotation(object, "volume.beta.kubernetes.io/storage-class");
    return annotated != NULL ? annotated : value_text_at(object, "spec.storageClassName");
}

bool
volume_is_for_claim(const Value *volume, const Value *claim)
{
    const Value *reference = value_at(volume, "spec.claimRef");
    const char *uid = value_text(value_get(reference, "uid"));
    return reference != NULL &&
           strcmp(value_text(value_get(reference, "name")), object_name(claim)) == 0 &&
           strcmp(value_text(value_get(reference, "namespace")), object_namespace(claim)) == 0 &&
           (*uid == '\0' || strcmp(uid, object_uid(claim)) == 0);
}

static int64_t
size_of(const Value *quantity)
{
    return quantity_units(quantity_of(quantity));
}

static bool
modes_fit(const Value *offered, const Value *wanted)
{
    VALUE_ARRAY_FOREACH (mode, wanted) {
        bool found = false;
        VALUE_ARRAY_FOREACH (other, offered)
            found |= value_equal(mode, other);
        if (!found)
            return false;
    }
    return true;
}

static const char *
volume_mode(const Value *object)
{
    const char *mode = value_text_at(object, "spec.volumeMode");
    return *mode != '\0' ? mode : "Filesystem";
}

bool
volume_fits_claim(const Value *volume, const Value *claim)
{
    const Value *selector = value_at(claim, "spec.selector");
    return strcmp(storage_class_name(volume), storage_class_name(claim)) == 0 &&
           strcmp(volume_mode(volume), volume_mode(claim)) == 0 &&
           size_of(value_at(volume, "spec.capacity.storage")) >=
               size_of(value_at(claim, "spec.resources.requests.storage")) &&
           modes_fit(value_at(volume, "spec.accessModes"), value_at(claim, "spec.accessModes")) &&
           (selector == NULL || label_selector_matches(selector, object_labels(volume)));
}

const Value *
volume_find_match(const Informer *volumes, const Value *claim)
{
    const Value *best = NULL;
    InformerIter iter;
    informer_iter_init(&iter, volumes, NULL);
    const Value *volume;
    while ((volume = informer_iter_next(&iter, NULL)) != NULL) {
        if (object_is_deleting(volume))
            continue;
        if (value_at(volume, "spec.claimRef") != NULL) {
            if (volume_is_for_claim(volume, claim) && volume_fits_claim(volume, claim))
                return volume;
            continue;
        }
        const char *phase = value_text_at(volume, "status.phase");
        if ((strcmp(phase, "Available") != 0 && *phase != '\0') ||
            !volume_fits_claim(volume, claim))
            continue;
        if (best == NULL || size_of(value_at(volume, "spec.capacity.storage")) <
                                size_of(value_at(best, "spec.capacity.storage")))
            best = volume;
    }
    return best;
}
