/* Server-side printing: objects as rows of a meta.k8s.io/v1 Table (k8s.io/kubernetes pkg/printers/internalversion). */
#pragma once

#include "core/api/types.h"

/* A Table of an object or of a list. `include_object` is "None", "Metadata" (default, also for NULL) or "Object". The clock is
 * for ages. `with_headers` false leaves columnDefinitions empty, as in all events of a watch but the first. Owned. */
Value *api_table(const ApiKind *kind, const Value *list_or_object, const char *include_object, int64_t now_ns,
                 bool with_headers);
