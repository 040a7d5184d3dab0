/* Binding takes four writes, each a step of its own; what a sync finds done it does not do again:
 *
 *   volume.spec.claimRef -> claim.spec.volumeName and its annotations -> volume.status Bound ->
 * claim.status Bound
 *
 * Keys: "claim <namespace/name>" and "volume <name>". */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"
#include "core/controllers/volume/volume.h"

#define CLAIM_PREFIX "claim "
#define VOLUME_PREFIX "volume "

typedef struct Binder {
    Controller base;
    Informer *claims, *volumes, *classes;
} Binder;

static void
enqueue(Binder *binder, const char *prefix, const char *key, uint64_t cause)
{
    g_autofree char *prefixed = g_strconcat(prefix, key, NULL);
    controller_enqueue(&binder->base, prefixed, cause);
}

/* ---- claims
 * ------------------------------------------------------------------------------------------ */

static void
write_claim_phase(Binder *binder, Sync *sync, const Value *claim, const char *phase,
                  const Value *volume)
{
    Value *status = value_new_f("{phase: %s, accessModes: ?%v, capacity: ?%v, conditions: ?%v}",
                                phase, volume != NULL ? value_at(volume, "spec.accessModes") : NULL,
                                volume != NULL ? value_at(volume, "spec.capacity") : NULL,
                                value_at(claim, "status.conditions"));
    if (values_equal_semantically(status, value_get(claim, "status"))) {
        value_unref(status);
        return;
    }
    client_update(binder->base.client, "", "persistentvolumeclaims", "status",
                  value_set(claim, "status", status), sync_call,
                  sync_begin_tolerating(sync, "NotFound"));
}

static void
lose_claim(Binder *binder, Sync *sync, const Value *claim, const char *reason, const char *message)
{
    if (strcmp(value_text_at(claim, "status.phase"), "Lost") != 0)
        event_record(binder->base.recorder, claim, "Warning", reason, "%s", message);
    write_claim_phase(binder, sync, claim, "Lost", NULL);
}

static void
write_volume_phase(Binder *binder, Sync *sync, const Value *volume, const char *phase,
                   const char *message)
{
    if (strcmp(value_text_at(volume, "status.phase"), phase) == 0)
        return;
    Value *now = time_value(controller_now(&binder->base));
    Value *status =
        value_new_f("{phase: %s, message: ?%s, lastPhaseTransitionTime: %V}", phase, message, now);
    client_update(binder->base.client, "", "persistentvolumes", "status",
                  value_set(volume, "status", status), sync_call,
                  sync_begin_tolerating(sync, "NotFound"));
}

/* The next of the four writes. */
static void
bind(Binder *binder, Sync *sync, const Value *volume, const Value *claim)
{
    const Value *reference = value_at(volume, "spec.claimRef");
    if (reference == NULL || *value_text(value_get(reference, "uid")) == '\0') {
        controller_decide(&binder->base, "bind", claim, "PersistentVolumeClaim",
                          "claim %s/%s is bound to volume %s", object_namespace(claim),
                          object_name(claim), object_name(volume));
        Value *written = value_set_at(volume, "spec.claimRef",
                                      object_reference_new(claim, "v1", "PersistentVolumeClaim"));
        if (reference == NULL)
            value_edit(&written, "metadata.annotations['" ANNOTATION_BOUND_BY_CONTROLLER "']",
                       value_new_string("yes"));
        client_update(binder->base.client, "", "persistentvolumes", NULL, written, sync_call,
                      sync_begin(sync));
        return;
    }
    bool named = strcmp(value_text_at(claim, "spec.volumeName"), object_name(volume)) == 0;
    if (!named || object_annotation(claim, ANNOTATION_BIND_COMPLETED) == NULL) {
        Value *written =
            value_set_at(claim, "metadata.annotations['" ANNOTATION_BIND_COMPLETED "']",
                         value_new_string("yes"));
        if (!named) {
            value_edit(&written, "spec.volumeName", value_new_string(object_name(volume)));
            value_edit(&written, "metadata.annotations['" ANNOTATION_BOUND_BY_CONTROLLER "']",
                       value_new_string("yes"));
        }
        client_update(binder->base.client, "", "persistentvolumeclaims", NULL, written, sync_call,
                      sync_begin(sync));
        return;
    }
    write_volume_phase(binder, sync, volume, "Bound", NULL);
    write_claim_phase(binder, sync, claim, "Bound", volume);
}

static bool
class_delays_binding(const Binder *binder, const Value *claim)
{
    const Value *class_ = informer_get(binder->classes, storage_class_name(claim));
    return strcmp(value_text(value_get(class_, "volumeBindingMode")), "WaitForFirstConsumer") ==
               0 &&
           object_annotation(claim, ANNOTATION_SELECTED_NODE) == NULL;
}

static void
ask_provisioner(Binder *binder, Sync *sync, const Value *claim)
{
    const char *name = storage_class_name(claim);
    const Value *class_ = informer_get(binder->classes, name);
    if (class_ == NULL) {
        event_record(binder->base.recorder, claim, "Warning", "ProvisioningFailed",
                     "storageclass.storage.k8s.io \"%s\" not found", name);
        return;
    }
    const char *provisioner = value_text(value_get(class_, "provisioner"));
    const char *asked = object_annotation(claim, ANNOTATION_STORAGE_PROVISIONER);
    if (strcmp(provisioner, "kubernetes.io/no-provisioner") == 0) {
        event_record(binder->base.recorder, claim, "Normal", "FailedBinding",
                     "no persistent volumes available for this claim and no storage class is set");
        return;
    }
    if (asked == NULL || strcmp(asked, provisioner) != 0) {
        Value *written =
            value_set_at(claim, "metadata.annotations['" ANNOTATION_STORAGE_PROVISIONER "']",
                         value_new_string(provisioner));
        value_edit(&written, "metadata.annotations['" ANNOTATION_STORAGE_PROVISIONER_BETA "']",
                   value_new_string(provisioner));
        client_update(binder->base.client, "", "persistentvolumeclaims", NULL, written, sync_call,
                      sync_begin(sync));
        return;
    }
    event_record(binder->base.recorder, claim, "Normal", "ExternalProvisioning",
                 "Waiting for a volume to be created either by the external provisioner '%s' or "
                 "manually by the system administrator. If "
                 "volume creation is delayed, please verify that the provisioner is running and "
                 "correctly registered.",
                 provisioner);
    sync_again_after(sync, 15 * NS_PER_S);
}

static void
sync_free_claim(Binder *binder, Sync *sync, const Value *claim)
{
    const Value *volume = volume_find_match(binder->volumes, claim);
    bool delayed = class_delays_binding(binder, claim);
    if (volume != NULL && (!delayed || value_at(volume, "spec.claimRef") != NULL)) {
        bind(binder, sync, volume, claim);
        return;
    }
    if (strcmp(value_text_at(claim, "status.phase"), "Pending") != 0) {
        write_claim_phase(binder, sync, claim, "Pending", NULL);
        return;
    }
    if (delayed)
        event_record(binder->base.recorder, claim, "Normal", "WaitForFirstConsumer",
                     "waiting for first consumer to be created before binding");
    else if (*storage_class_name(claim) != '\0')
        ask_provisioner(binder, sync, claim);
    else
        event_record(binder->base.recorder, claim, "Normal", "FailedBinding",
                     "no persistent volumes available for this claim and no storage class is set");
}

static void
sync_named_claim(Binder *binder, Sync *sync, const Value *claim)
{
    const char *name = value_text_at(claim, "spec.volumeName");
    const Value *volume = informer_get(binder->volumes, name);
    if (volume == NULL) {
        write_claim_phase(binder, sync, claim, "Pending", NULL);
    } else if (value_at(volume, "spec.claimRef") == NULL && !volume_fits_claim(volume, claim)) {
        event_record(binder->base.recorder, claim, "Warning", "VolumeMismatch",
                     "Cannot bind to requested volume \"%s\": requested PV is too small, or its "
                     "access modes, class or labels do not match",
                     name);
        write_claim_phase(binder, sync, claim, "Pending", NULL);
    } else if (value_at(volume, "spec.claimRef") == NULL || volume_is_for_claim(volume, claim)) {
        bind(binder, sync, volume, claim);
    } else {
        event_record(binder->base.recorder, claim, "Warning", "FailedBinding",
                     "volume \"%s\" already bound to a different claim.", name);
        write_claim_phase(binder, sync, claim, "Pending", NULL);
    }
}

static void
sync_bound_claim(Binder *binder, Sync *sync, const Value *claim)
{
    const char *name = value_text_at(claim, "spec.volumeName");
    const Value *volume = *name != '\0' ? informer_get(binder->volumes, name) : NULL;
    if (*name == '\0')
        lose_claim(
            binder, sync, claim, "ClaimLost",
            "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
    else if (volume == NULL)
        lose_claim(binder, sync, claim, "ClaimLost",
                   "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
    else if (value_at(volume, "spec.claimRef") == NULL || volume_is_for_claim(volume, claim))
        bind(binder, sync, volume, claim);
    else
        lose_claim(binder, sync, claim, "ClaimMisbound",
                   "Two claims are bound to the same volume, this one is bound incorrectly");
}

/* ---- volumes
 * ----------------------------------------------------------------------------------------- */

/* A volume without its claim: kept, or deleted by whoever provisioned it. */
static void
release_volume(Binder *binder, Sync *sync, const Value *volume)
{
    const char *policy = value_text_at(volume, "spec.persistentVolumeReclaimPolicy"),
               *phase = value_text_at(volume, "status.phase");
    if (strcmp(phase, "Failed") == 0)
        return;
    if (strcmp(phase, "Released") != 0) {
        write_volume_phase(binder, sync, volume, "Released", NULL);
    } else if (strcmp(policy, "Delete") == 0 &&
               object_annotation(volume, ANNOTATION_PROVISIONED_BY) == NULL) {
        g_autofree char *message = g_strdup_printf(
            "error getting deleter volume plugin for volume \"%s\": no volume plugin matched",
            object_name(volume));
        event_record(binder->base.recorder, volume, "Warning", "VolumeFailedDelete", "%s", message);
        write_volume_phase(binder, sync, volume, "Failed", message);
    }
}

static void
unbind_volume(Binder *binder, Sync *sync, const Value *volume)
{
    if (object_annotation(volume, ANNOTATION_BOUND_BY_CONTROLLER) == NULL)
        return;
    Value *written = value_remove_at(volume, "spec.claimRef");
    value_edit_remove(&written, "metadata.annotations['" ANNOTATION_BOUND_BY_CONTROLLER "']");
    client_update(binder->base.client, "", "persistentvolumes", NULL, written, sync_call,
                  sync_begin_tolerating(sync, "NotFound"));
}

static void
sync_volume(Binder *binder, Sync *sync, const Value *volume)
{
    const Value *reference = value_at(volume, "spec.claimRef");
    const char *uid = value_text(value_get(reference, "uid"));
    if (reference == NULL || *uid == '\0') {
        write_volume_phase(binder, sync, volume, "Available", NULL);
        return;
    }
    const Value *claim =
        informer_get_named(binder->claims, value_text(value_get(reference, "namespace")),
                           value_text(value_get(reference, "name")));
    if (claim == NULL || strcmp(object_uid(claim), uid) != 0) {
        int64_t known =
            g_ascii_strtoll(value_text(value_get(reference, "resourceVersion")), NULL, 10);
        if (claim == NULL &&
            known > informer_revision(binder->claims)) /* the cache of claims is behind */
            sync_again_after(sync, NS_PER_S);
        else
            release_volume(binder, sync, volume);
        return;
    }
    const char *name = value_text_at(claim, "spec.volumeName");
    if (strcmp(name, object_name(volume)) == 0) {
        write_volume_phase(binder, sync, volume, "Bound", NULL);
    } else if (*name == '\0') {
        g_autofree char *key = object_key(claim);
        enqueue(binder, CLAIM_PREFIX, key, 0);
    } else if (object_annotation(volume, ANNOTATION_PROVISIONED_BY) != NULL) {
        release_volume(binder, sync, volume);
    } else {
        unbind_volume(binder, sync, volume);
    }
}

static void
sync_key_(const char *key, Sync *sync, void *data)
{
    Binder *binder = data;
    if (g_str_has_prefix(key, VOLUME_PREFIX)) {
        const Value *cached = informer_get(binder->volumes, key + strlen(VOLUME_PREFIX));
        g_autoptr(Value) volume = cached != NULL ? value_ref(cached) : NULL;
        if (volume != NULL && !object_is_deleting(volume))
            sync_volume(binder, sync, volume);
        return;
    }
    const Value *cached = informer_get(binder->claims, key + strlen(CLAIM_PREFIX));
    g_autoptr(Value) claim = cached != NULL ? value_ref(cached) : NULL;
    if (claim == NULL)
        return;
    if (object_annotation(claim, ANNOTATION_BIND_COMPLETED) != NULL)
        sync_bound_claim(binder, sync, claim);
    else if (object_is_deleting(claim))
        return;
    else if (*value_text_at(claim, "spec.volumeName") == '\0')
        sync_free_claim(binder, sync, claim);
    else
        sync_named_claim(binder, sync, claim);
}

/* ---- who is woken
 * ------------------------------------------------------------------------------------ */

static void
claim_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
              void *data)
{
    Binder *binder = data;
    enqueue(binder, CLAIM_PREFIX, key, cause);
    const char *volume = value_text_at(new_ != NULL ? new_ : old, "spec.volumeName");
    if (new_ == NULL && *volume != '\0')
        enqueue(binder, VOLUME_PREFIX, volume, cause);
}

static void
volume_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
               void *data)
{
    Binder *binder = data;
    enqueue(binder, VOLUME_PREFIX, key, cause);
    const Value *reference = value_at(new_ != NULL ? new_ : old, "spec.claimRef");
    if (reference != NULL) {
        g_autofree char *claim =
            g_strdup_printf("%s/%s", value_text(value_get(reference, "namespace")),
                            value_text(value_get(reference, "name")));
        enqueue(binder, CLAIM_PREFIX, claim, cause);
        return;
    }
    if (new_ == NULL || initial)
        return;
    /* A free volume may be what somebody waits for. */
    InformerIter iter;
    informer_iter_init(&iter, binder->claims, NULL);
    const char *claim_key;
    const Value *claim;
    while ((claim = informer_iter_next(&iter, &claim_key)) != NULL)
        if (object_annotation(claim, ANNOTATION_BIND_COMPLETED) == NULL)
            enqueue(binder, CLAIM_PREFIX, claim_key, cause);
}

static Controller *
start(ControllerContext *context)
{
    static const InformerHandler claim_handler = {.changed = claim_changed},
                                 volume_handler = {.changed = volume_changed};
    Binder *binder = g_new0(Binder, 1);
    controller_init(&binder->base, context, &volume_binder_class, "persistentvolume-controller", 1,
                    sync_key_);
    binder->claims = context_informer(context, "", "persistentvolumeclaims");
    binder->volumes = context_informer(context, "", "persistentvolumes");
    binder->classes = context_informer(context, "storage.k8s.io", "storageclasses");
    informer_add_handler(binder->claims, &claim_handler, binder);
    informer_add_handler(binder->volumes, &volume_handler, binder);
    return &binder->base;
}

static void
stop(Controller *base)
{
    controller_clear(base);
    g_free(base);
}

const ControllerClass volume_binder_class = {"persistentvolume-binder-controller", start, NULL,
                                             stop};
