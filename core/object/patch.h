/* JSON patch (RFC 6902) and JSON merge patch (RFC 7386), with the messages of evanphx/json-patch, which the API
 * server answers with. Nothing given is changed; results are owned. */
#pragma once

#include <glib.h>

#include "core/object/value.h"

/* Applies a list of operations. All or nothing. Bounds as in the API server: JSON_PATCH_OPERATIONS_MAX,
 * JSON_PATCH_COPY_BYTES_MAX (then the error is TIMONEL_ERROR_LIMIT). A failed "test" operation is
 * TIMONEL_ERROR_CONFLICT, everything else TIMONEL_ERROR_INVALID. */
Value *json_patch_apply(const Value *document, const Value *patch, GError **error);

/* The document with the patch merged in: maps by key, null removes, all else replaces. */
Value *merge_patch_apply(const Value *document, const Value *patch);
/* The least patch that turns `from` into `to`. */
Value *merge_patch_create(const Value *from, const Value *to);
/* What kubectl apply sends for a custom resource: additions and changes from current to modified, deletions from
 * original (the last applied one) to modified. (apimachinery util/jsonmergepatch) */
Value *merge_patch_create_three_way(const Value *original, const Value *modified, const Value *current);
