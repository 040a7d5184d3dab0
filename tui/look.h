/* How pods and nodes look: a glyph, a word and a style each, the same everywhere. */
#pragma once

#include "core/object/value.h"
#include "tui/grid.h"

typedef struct Look {
    const char *glyph; /* one column */
    const char *word;  /* Kubernetes' own, so not translated; borrowed from the object or static */
    Style style;
} Look;

Look pod_look(const Value *pod);
/* node NULL: not registered yet. */
Look node_look(const Value *node);
/* The legend: NULL glyph behind the end. */
Look legend_item(size_t index);
