/* What making and applying strategic merge patches share. Not for other folders. */
#pragma once

#include <stdint.h>

#include "core/api/schema.h"

#define MERGE_NONE SIZE_MAX

/* The schema of a key's value, and its field when the parent is an object; both NULL where the
 * schema says nothing. */
const SchemaField *merge_child(const Schema *schema, const char *key, const Schema **ret_schema);
/* An element's identity: its merge key's value, or without a key the element itself. */
const Value *merge_key_of(const Value *item, const char *key);
/* Index of the element with that identity, or MERGE_NONE. */
size_t merge_find(const Value *list, const char *key, const Value *wanted);
/* Sets the error for an element without its merge key; returns false. */
bool merge_fail_key(GError **error, const Value *item, const char *key);
