/* Interned strings: label keys and values, names and reasons as small numbers, so that hot loops
 * compare integers. Numbers are given in order of first use and live as long as the table; nobody
 * walks it. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef uint32_t Symbol; /* 0: none */
typedef struct Symbols Symbols;

Symbols *symbols_new(void);
void symbols_free(Symbols *symbols);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Symbols, symbols_free)
Symbol symbols_intern(Symbols *symbols, const char *text);
Symbol symbols_find(const Symbols *symbols, const char *text);   /* 0 when it was never interned */
const char *symbols_text(const Symbols *symbols, Symbol symbol); /* "" for 0 */
