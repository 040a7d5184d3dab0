#include "core/scheduler/symbols.h"

struct Symbols {
    GHashTable *numbers; /* text -> number; only ever looked up */
    GPtrArray *texts;    /* index: number */
};

Symbols *
symbols_new(void)
{
    Symbols *symbols = g_new0(Symbols, 1);
    symbols->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    symbols->texts = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(symbols->texts, g_strdup(""));
    return symbols;
}

void
symbols_free(Symbols *symbols)
{
    if (symbols == NULL)
        return;
    g_hash_table_destroy(symbols->numbers);
    g_ptr_array_free(symbols->texts, TRUE);
    g_free(symbols);
}

Symbol
symbols_find(const Symbols *symbols, const char *text)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(symbols->numbers, text));
}

Symbol
symbols_intern(Symbols *symbols, const char *text)
{
    Symbol found = symbols_find(symbols, text);
    if (found != 0)
        return found;
    char *copy = g_strdup(text);
    Symbol symbol = symbols->texts->len;
    g_ptr_array_add(symbols->texts, copy);
    g_hash_table_insert(symbols->numbers, copy, GUINT_TO_POINTER(symbol));
    return symbol;
}

const char *
symbols_text(const Symbols *symbols, Symbol symbol)
{
    return symbols->texts->pdata[symbol];
}
