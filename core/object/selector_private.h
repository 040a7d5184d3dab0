/* What the parser and the matcher of label selectors share: for the files selector*.c only. */
#pragma once

#include "core/object/json.h"
#include "core/object/label.h"
#include "core/object/selector.h"

typedef enum {
    SELECTOR_IN,
    SELECTOR_NOT_IN,
    SELECTOR_EQUALS,
    SELECTOR_DOUBLE_EQUALS,
    SELECTOR_NOT_EQUALS,
    SELECTOR_EXISTS,
    SELECTOR_NOT_EXISTS,
    SELECTOR_GREATER,
    SELECTOR_LESS,
} SelectorOperator;

typedef struct {
    char *key;
    SelectorOperator operator;
    GPtrArray *values; /* char *; sorted and single after requirement_check */
} Requirement;

Requirement *requirement_new(const char *key, SelectorOperator operator);
void requirement_free(Requirement *requirement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Requirement, requirement_free)
bool requirement_check(Requirement *requirement, GError **error);
void selector_add(Selector *selector, Requirement *take);
size_t selector_size(const Selector *selector);
