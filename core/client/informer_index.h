/* An informer's index: text -> objects in key order. Used by informer.c only. */
#pragma once

#include "core/client/informer.h"

typedef struct InformerIndex InformerIndex;

InformerIndex *informer_index_new(const char *name, IndexFunc func);
void informer_index_free(InformerIndex *index);
const char *informer_index_name(const InformerIndex *index);
/* Either may be NULL. Objects must outlive their stay in the index. */
void informer_index_change(InformerIndex *index, const Value *old, const Value *new_);
const GPtrArray *informer_index_get(const InformerIndex *index, const char *text);

/* "namespace/name" or "name" of an object, without writing it out: orders objects as their keys
 * would. */
int object_key_compare(const Value *a, const Value *b);
