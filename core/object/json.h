/* JSON in and out of values. */
#pragma once

#include <glib.h>

#include "core/object/value.h"

/* Parses one document. Text is UTF-8 (checked); nesting is bounded by VALUE_DEPTH_MAX; integers that fit become
 * int64 and all other numbers doubles; of a key given twice the last wins. Errors name line and column. */
Value *json_parse(const char *text, size_t len, GError **error);

/* The same, and *ret_duplicates is a new list of the paths of keys given twice ("spec.containers[0].image"),
 * each once: for strict field validation. */
Value *json_parse_strict(const char *text, size_t len, GPtrArray **ret_duplicates, GError **error);

/* As Go's encoding/json writes: compact; and with 4 spaces of indent, as kubectl -o json prints (without the
 * newline at the end). <, > and & are escaped, doubles are in Go's form, keys are sorted. */
void json_write(GString *out, const Value *value);
void json_write_pretty(GString *out, const Value *value);
char *json_text(const Value *value); /* compact; owned */

/* One quoted string. */
void json_write_string(GString *out, const char *text, size_t len);
