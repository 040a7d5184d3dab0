/* What decoding, protobuf and defaulting share. Not for other folders. */
#pragma once

#include "core/api/schema.h"

/* Would Go's JSON encoder leave this field out (omitempty: not a pointer, not required, and empty)?
 */
bool schema_field_omits(const SchemaField *field, const Value *value);

/* What Go has in a map or list where JSON says null: "", 0, false, {} or []. */
Value *schema_zero(const Schema *schema);

/* One simple value (not an object, map or array) in the form the API writes it: times in UTC,
 * quantities in canonical form. When the JSON type is wrong it returns NULL with *ret_mismatch set
 * and no error; else it sets error. */
Value *schema_scalar(const Schema *schema, const Value *value, bool *ret_mismatch, GError **error);

/* Go's name of the type: "int32", "[]v1.Container", "map[string]string". Owned. */
char *schema_go_type(const Schema *schema);
