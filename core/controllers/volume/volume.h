/* PersistentVolumes and their claims: binding (pkg/controller/volume/persistentvolume), a simulated
 * dynamic provisioner, and the protection of what is in use (pvcprotection, pvprotection). */
#pragma once

#include "core/controllers/controller.h"

extern const ControllerClass volume_binder_class;
extern const ControllerClass volume_provisioner_class;
extern const ControllerClass claim_protection_class;
extern const ControllerClass volume_protection_class;

#define ANNOTATION_BIND_COMPLETED "pv.kubernetes.io/bind-completed"
#define ANNOTATION_BOUND_BY_CONTROLLER "pv.kubernetes.io/bound-by-controller"
#define ANNOTATION_PROVISIONED_BY "pv.kubernetes.io/provisioned-by"
#define ANNOTATION_STORAGE_PROVISIONER "volume.kubernetes.io/storage-provisioner"
#define ANNOTATION_STORAGE_PROVISIONER_BETA "volume.beta.kubernetes.io/storage-provisioner"
#define ANNOTATION_SELECTED_NODE "volume.kubernetes.io/selected-node"

/* spec.storageClassName, or the old annotation; "" for none. */
const char *storage_class_name(const Value *claim_or_volume);
/* Is `volume` bound or reserved to this claim? An empty uid in claimRef counts when names fit. */
bool volume_is_for_claim(const Value *volume, const Value *claim);
/* The smallest volume that fits the claim, pre-bound ones first; NULL when none. Borrowed from the
 * informer. */
const Value *volume_find_match(const Informer *volumes, const Value *claim);
/* Could the volume serve the claim (class, size, modes, selector)? */
bool volume_fits_claim(const Value *volume, const Value *claim);
