/* Label sets and label selectors as symbols: what the scheduler matches pods against pods with. */
#pragma once

#include "core/object/value.h"
#include "core/scheduler/symbols.h"

typedef struct Label {
    Symbol key, value;
} Label;

/* Sorted by key. */
typedef struct Labels {
    uint32_t n;
    Label items[];
} Labels;

Labels *labels_new(Symbols *symbols,
                   const Value *map); /* NULL and empty give an empty set; g_free it */
Symbol labels_get(const Labels *labels, Symbol key); /* 0 when absent */

typedef struct Matcher Matcher; /* a metav1.LabelSelector, digested; counted references */

/* selector NULL matches nothing, an empty one everything (metav1.LabelSelectorAsSelector). */
Matcher *matcher_new(Symbols *symbols, const Value *selector);
Matcher *matcher_ref(Matcher *matcher);
void matcher_unref(Matcher *matcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Matcher, matcher_unref)
/* Adds the requirements of a selector, of a map ({app: web}), or one key's value. Only before it is
 * shared. */
void matcher_add_selector(Matcher *matcher, Symbols *symbols, const Value *selector);
void matcher_add_map(Matcher *matcher, Symbols *symbols, const Value *map);
void matcher_add_value(Matcher *matcher, Symbol key, Symbol value);
bool matcher_matches(const Matcher *matcher, const Labels *labels);
bool matcher_is_empty(const Matcher *matcher); /* no requirement: matches everything */
uint64_t matcher_digest(const Matcher *matcher);

/* One step of an order-dependent 64-bit digest. */
static inline uint64_t
digest_mix(uint64_t digest, uint64_t value)
{
    digest ^= value + UINT64_C(0x9e3779b97f4a7c15) + (digest << 6) + (digest >> 2);
    digest *= UINT64_C(0xff51afd7ed558ccd);
    return digest ^ (digest >> 32);
}
