/* A bounded cache by text: what was not used for longest goes first. */
#pragma once

#include <glib.h>

typedef struct Lru Lru;

Lru *lru_new(unsigned max, GDestroyNotify free_value);
void lru_free(Lru *lru);
void *lru_get(Lru *lru, const char *key); /* NULL when absent; counts as use */
void lru_put(Lru *lru, const char *key, void *take_value);
