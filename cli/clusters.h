/* Cluster documents: from a file, or one of those that come with the program (manifests/clusters). */
#pragma once

#include "core/object/value.h"

/* word: a file's path, or a name such as "default"; nodes >= 0 replaces the first node group's count. Errors name file, line
 * and field. Owned. */
Value *cluster_document_load(const char *word, int nodes, GError **error);
