/* Label selectors and field selectors, with the grammar and words of apimachinery's pkg/labels and pkg/fields.
 * Immutable and reference counted. A NULL selector matches everything. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "core/object/value.h"

/* ---- labels ---- */

typedef struct Selector Selector;

Selector *selector_ref(const Selector *selector);
void selector_unref(Selector *selector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Selector, selector_unref)

Selector *selector_new_everything(void);
Selector *selector_new_nothing(void);
/* "a=b,c!=d,e in (x,y),f notin (z),g,!h,i>1". */
Selector *selector_parse(const char *text, GError **error);
/* A LabelSelector object {matchLabels, matchExpressions}: NULL or null matches nothing, {} everything. */
Selector *selector_from_object(const Value *label_selector, GError **error);
/* All pairs of a map must be there (a Service's spec.selector); not validated. NULL and {} match everything. */
Selector *selector_from_map(const Value *pairs);

bool selector_matches(const Selector *selector, const Value *labels); /* labels: a map of strings, or NULL */
bool selector_is_empty(const Selector *selector);                     /* no requirement: matches everything */
/* The one value the key must have, or NULL. Borrowed. */
const char *selector_exact_value(const Selector *selector, const char *key);
/* Canonical: requirements by key, values sorted. Owned. */
char *selector_text(const Selector *selector);

/* ---- fields ---- */

typedef struct FieldSelector FieldSelector;

typedef struct {
    const char *field;
    const char *value;
    bool negated;
} FieldTerm;

/* The value of a field, borrowed; NULL reads as "". */
typedef const char *(*FieldGetter)(const char *field, gconstpointer data);

FieldSelector *field_selector_ref(const FieldSelector *selector);
void field_selector_unref(FieldSelector *selector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FieldSelector, field_selector_unref)

/* "metadata.name=a,status.phase!=Running"; backslash escapes \ , and = in values. */
FieldSelector *field_selector_parse(const char *text, GError **error);
bool field_selector_matches(const FieldSelector *selector, FieldGetter getter, gconstpointer data);
/* The getter for fields that are plain string paths of an object. */
bool field_selector_matches_value(const FieldSelector *selector, const Value *object);
size_t field_selector_size(const FieldSelector *selector);
const FieldTerm *field_selector_term(const FieldSelector *selector, size_t index);
const char *field_selector_exact_value(const FieldSelector *selector, const char *field);
char *field_selector_text(const FieldSelector *selector); /* owned */
