/* Selectors of the fake API. A selector that does not parse matches nothing. */
#include "core/object/selector.h"

#include "tests/support/fake_private.h"

static bool
labels_match(const Value *labels, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Selector) selector = selector_parse(text, &error);
    return selector != NULL && selector_matches(selector, labels);
}

static bool
fields_match(const Value *object, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FieldSelector) selector = field_selector_parse(text, &error);
    return selector != NULL && field_selector_matches_value(selector, object);
}

bool
fake_matches(const Value *object, const char *label_selector, const char *field_selector)
{
    return (label_selector == NULL ||
            labels_match(value_at(object, "metadata.labels"), label_selector)) &&
           (field_selector == NULL || fields_match(object, field_selector));
}
