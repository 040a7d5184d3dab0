/* A persistent ordered map: text keys in byte order to pointers. A version, once referenced twice, never
 * changes: a put or remove on a slot then makes a new version that shares all but one path with the old. A
 * version that only the slot holds is changed in place. So a snapshot costs one reference, and thousands of
 * caches of one state cost one state. One thread.
 *
 * A B+ tree: leaves of up to 32 entries, and inner nodes that know how many entries lie below. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct PMap PMap;

typedef struct {
    void (*unref)(void *value); /* when the last version that holds the value is gone; may be NULL */
} PMapType;

/* An empty map. `type` must outlive it and all its versions. */
PMap *pmap_new(const PMapType *type);
PMap *pmap_ref(const PMap *map);
void pmap_unref(PMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PMap, pmap_unref)

size_t pmap_count(const PMap *map);
void *pmap_get(const PMap *map, const char *key); /* borrowed; NULL when absent */

/* Replaces *slot by the version with the change. Both answer whether the key was there before. */
bool pmap_put(PMap **slot, const char *key, void *take);
bool pmap_remove(PMap **slot, const char *key);

/* How many keys come before `key`; from <= key < to (`to` NULL: no end); begin with the prefix. */
size_t pmap_rank(const PMap *map, const char *key);
size_t pmap_count_range(const PMap *map, const char *from, const char *to);
size_t pmap_count_prefix(const PMap *map, const char *prefix);

/* Iteration in key order. The version iterated over must be kept alive and not be changed in place: hold
 * another reference while changing the slot.
 *   PMapIter iter = pmap_seek_prefix(map, "/registry/pods/");
 *   while (pmap_next(&iter)) use(iter.key, iter.value); */
#define PMAP_HEIGHT_MAX 16

typedef struct {
    const char *key; /* borrowed, as long as the version lives */
    void *value;
    const char *prefix; /* ends the iteration; NULL: none */
    int depth;
    struct {
        const void *node;
        unsigned index;
    } path[PMAP_HEIGHT_MAX];
} PMapIter;

PMapIter pmap_seek(const PMap *map, const char *from);          /* first key >= from; NULL: the first */
PMapIter pmap_seek_after(const PMap *map, const char *key);     /* first key > key */
PMapIter pmap_seek_prefix(const PMap *map, const char *prefix); /* prefix must outlive the iteration */
bool pmap_next(PMapIter *iter);

/* Asserts the tree's invariants: for tests. */
void pmap_check(const PMap *map);
