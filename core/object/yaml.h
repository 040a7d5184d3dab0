/* YAML in and out of values, with the typing of YAML 1.1 as go-yaml v2 and sigs.k8s.io/yaml do it: yes, no, on
 * and off are bools, 0644 is octal, keys become text, a key given twice is refused. */
#pragma once

#include <glib.h>

#include "core/object/value.h"

typedef struct {
    Value *value;      /* owned; null for an empty document */
    int line;          /* of its first node, from 1 */
    GHashTable *lines; /* path -> line; see yaml_document_line */
} YamlDocument;

void yaml_document_free(YamlDocument *document);

/* All documents of a text, in order, as YamlDocument * that the array frees. Documents without any node (such as
 * what stands between two ---) are left out. NULL with an error that starts "yaml: line N: ...". Aliases are
 * expanded within YAML_NODES_MAX, nesting within VALUE_DEPTH_MAX. */
GPtrArray *yaml_parse_all(const char *text, size_t len, GError **error);

/* Exactly one document; no node at all gives null. Owned. */
Value *yaml_parse(const char *text, size_t len, GError **error);

/* The line of a field by its dotted path (as in value_at), or of the nearest parent that has one. */
int yaml_document_line(const YamlDocument *document, const char *path);

/* Block style as kubectl -o yaml prints; ends with a newline. */
void yaml_write(GString *out, const Value *value);
char *yaml_text(const Value *value); /* owned */

/* Whether a plain (unquoted) scalar reads as that text itself, not as a number, bool or null. */
bool yaml_plain_is_string(const char *text, size_t len);
/* What a plain scalar reads as. Owned. */
Value *yaml_resolve_plain(const char *text, size_t len);
