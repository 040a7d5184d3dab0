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

/* ---- changing what is there (change.c) ---- */

/* Patches the item's object into `changed` (taken) with the least patch and prints "TYPE/NAME
 * operation"; "same" (may be NULL: then the operation with " (no change)") when nothing differs.
 * The exit status. */
int change_item(Kube *kube, const KubeItem *item, Value *take_changed, const char *operation,
                const char *same);
/* Splits args into objects and "key=value", "key-" pairs; *ret_first is the index of the first
 * pair. False: printed. */
bool change_pairs(Kube *kube, const char *what, size_t *ret_first);
/* The pod template's place in kinds that have one: "spec.template" or
 * "spec.jobTemplate.spec.template", "" for a pod; NULL. */
const char *template_path(const ApiKind *kind);
/* A path below the template, owned: template_at(kind, "spec.containers"). */
char *template_at(const ApiKind *kind, const char *path);
/* The pods that an object has by its selector, as a label selector text; owned; NULL when it has
 * none. */
char *pods_selector(const Value *object);
