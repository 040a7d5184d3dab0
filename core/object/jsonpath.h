/* kubectl's JSONPath templates (client-go util/jsonpath): "{.items[*].metadata.name}",
 * "{range .items[*]}{.metadata.name}{'\t'}{.status.phase}{'\n'}{end}", filters, slices, unions, "..". */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/object/value.h"

typedef struct JsonPath JsonPath;

typedef enum {
    JSONPATH_MISSING_KEYS_FAIL,
    JSONPATH_MISSING_KEYS_ARE_EMPTY, /* as kubectl get -o jsonpath */
} JsonPathMissing;

JsonPath *jsonpath_parse(const char *text, GError **error);
void jsonpath_free(JsonPath *path);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonPath, jsonpath_free)

/* Appends the template's text for the data. What was appended before an error stays. */
bool jsonpath_print(const JsonPath *path, const Value *data, JsonPathMissing missing, GString *out,
                    GError **error);

/* All values that the template's parts yield, in order: const Value *, borrowed from path and data. For
 * --sort-by and custom columns. */
GPtrArray *jsonpath_find(const JsonPath *path, const Value *data, JsonPathMissing missing, GError **error);

/* kubectl's relaxed form: "x.y", ".x.y" and "{.x.y}" all give "{.x.y}". Owned; NULL with error. */
char *jsonpath_relax(const char *text, GError **error);

/* A value as kubectl prints it in a template: text as it is, maps and lists as compact JSON. */
void jsonpath_append_value(GString *out, const Value *value);
