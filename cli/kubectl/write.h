/* What the writing commands share. */
#pragma once

#include "cli/kubectl/kube.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

Value *with_last_applied(const Value *object); /* owned */
int apply_items(Kube *kube, KubeItems *items);
/* Sends a new object (taken) as the command's flags say (--dry-run, -o, --save-config) and prints
 * it. The exit status. */
int create_object(Kube *kube, Value *take);
int create_item(Kube *kube, const KubeItem *item);
/* Deletes the item by the command's flags; does not wait. *ret_uid: of what waits for its end, or
 * NULL. */
int delete_item(Kube *kube, const KubeItem *item, const Value *options, DryRun dry_run);
