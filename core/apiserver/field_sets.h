/* Sets of an object's fields in the form of metadata.managedFields (FieldsV1): a map whose keys are
 * "f:NAME" (a field), "k:{...}" (an item of an associative list, by its keys), "v:..." (a member of
 * a set) and "." (the thing itself); a leaf is an empty map. NULL is the empty set.
 * (sigs.k8s.io/structured-merge-diff fieldpath) */
#pragma once

#include "core/api/schema.h"

/* What is known of a value's type: its schema, and the field that holds it (for a list's type and
 * keys); both may be NULL. */
typedef struct Shape {
    const Schema *schema;
    const SchemaField *field;
} Shape;

/* Each returns an owned set or NULL for none; arguments are borrowed. */
Value *field_set_of(Shape shape, const Value *value);
Value *field_set_changed(Shape shape, const Value *old,
                         const Value *value); /* what in `value` differs from `old` */
Value *field_set_union(const Value *a, const Value *b);
Value *field_set_subtract(const Value *a, const Value *b);
Value *field_set_intersect(const Value *a, const Value *b);

/* The config laid over the live value: objects, maps and associative lists by key, sets joined, all
 * else replaced. */
Value *field_merge(Shape shape, const Value *live, const Value *config);
/* The value without the members of the set. */
Value *field_remove(Shape shape, const Value *value, const Value *set);
/* Adds an owned path (".spec.containers[name=\"c\"].image") for each leaf of the set at which the
 * two values differ. */
void field_conflicts(Shape shape, const Value *set, const Value *live, const Value *config,
                     const char *path, GPtrArray *paths);
