/* Reading what every object has (metadata), and making what many controllers make. Readers borrow from the object and
 * accept NULL. */
#pragma once

#include "core/object/value.h"

const char *object_kind(const Value *object);        /* "" when absent */
const char *object_api_version(const Value *object);
const char *object_name(const Value *object);
const char *object_namespace(const Value *object);   /* "" for cluster-scoped */
const char *object_uid(const Value *object);
int64_t object_resource_version(const Value *object);
int64_t object_generation(const Value *object);
int64_t object_creation_time(const Value *object);   /* ns since the epoch; 0 when absent */
bool object_is_deleting(const Value *object);        /* has a deletionTimestamp */
const Value *object_labels(const Value *object);
const Value *object_annotations(const Value *object);
const char *object_label(const Value *object, const char *key);      /* NULL when absent */
const char *object_annotation(const Value *object, const char *key); /* NULL when absent */
bool object_has_finalizer(const Value *object, const char *finalizer);
/* "namespace/name" or "name". */
char *object_key(const Value *object);
/* "Pod/default/web-1", "Node/worker-1": the subject of facts. kind NULL: the object's own. */
char *object_subject(const Value *object, const char *kind);

/* The owner reference with controller: true, or NULL. */
const Value *object_controller(const Value *object);
bool object_is_controlled_by(const Value *object, const char *uid);
/* {apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true} */
Value *owner_reference_new(const Value *owner, const char *api_version, const char *kind);
/* {apiVersion, kind, name, namespace, uid, resourceVersion}: as Events and targetRefs name an object. */
Value *object_reference_new(const Value *object, const char *api_version, const char *kind);

/* Conditions: arrays of {type, status, reason, message, lastTransitionTime, ...}. */
const Value *condition_find(const Value *conditions, const char *type);
bool condition_is(const Value *conditions, const char *type, const char *status);
/* A new array in which the condition of take's type is replaced or appended; lastTransitionTime is kept when the status did
 * not change. Returns another reference to `conditions` when nothing changed (lastHeartbeatTime, lastProbeTime and
 * lastUpdateTime count as change only when `refresh`). */
Value *condition_set(const Value *conditions, Value *take, bool refresh);

/* controller.ComputeHash: the name suffix of a template (FNV-32a over its content, safe-encoded), with collisionCount. */
char *template_hash(const Value *template_, const Value *collision_count);
