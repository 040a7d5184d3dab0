/* The layout of values, for the files value_*.c only.
 *
 * Every value is one block: a head, then what its type needs. `refs` 0 marks an immortal value in constant
 * memory, which is never written. A string's text, an array's items and a map's entries lie in the block.
 * A map's entries are sorted by key bytes. Whoever holds the only reference may change a block in place;
 * a changed container forgets its digest (value_own does both halves of that rule). */
#pragma once

#include <string.h>

#include "core/object/value.h"

#define VALUE_HAS_DIGEST 1

typedef struct {
    Value head;
    union {
        int64_t i;
        double d;
    };
} NumberValue;

typedef struct {
    Value head;
    uint32_t len;
    char text[]; /* len bytes and a NUL */
} StringValue;

/* A map's key: shared by reference between maps; the names of Kubernetes' fields are immortal (refs 0). */
typedef struct {
    uint32_t refs;
    uint32_t len;
    char text[];
} ValueKey;

typedef struct {
    ValueKey *key;
    Value *value;
} MapEntry;

typedef struct Container Container;

struct Container {
    Value head;
    uint32_t size;
    uint32_t capacity;
    union {
        uint64_t digest;      /* valid by VALUE_HAS_DIGEST */
        Container *next_dead; /* while being freed */
    };
    /* then `capacity` Value * (array) or MapEntry (map) */
};

#define CONTAINER_HEAD_SIZE sizeof(Container)

ValueKey *value_key_new(const char *text, size_t len);

static inline ValueKey *
value_key_ref(ValueKey *key)
{
    if (key->refs > 0)
        key->refs++;
    return key;
}

static inline void
value_key_unref(ValueKey *key)
{
    if (key->refs > 0 && --key->refs == 0)
        g_free(key);
}

/* Order of two texts by bytes; the shorter first when one begins the other. */
static inline int
value_text_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    if (order != 0)
        return order;
    return a_len < b_len ? -1 : a_len > b_len;
}

static inline size_t
value_entry_size(ValueType type)
{
    return type == VALUE_MAP ? sizeof(MapEntry) : sizeof(Value *);
}

static inline Value **
container_items(const Container *container)
{
    return (Value **)((char *)container + CONTAINER_HEAD_SIZE);
}

static inline MapEntry *
container_entries(const Container *container)
{
    return (MapEntry *)((char *)container + CONTAINER_HEAD_SIZE);
}

static inline const Container *
value_as_map(const Value *value)
{
    return value != NULL && value->type == VALUE_MAP ? (const Container *)value : NULL;
}

static inline const Container *
value_as_array(const Value *value)
{
    return value != NULL && value->type == VALUE_ARRAY ? (const Container *)value : NULL;
}

/* A new unshared array or map with room for `capacity` entries and none in it yet. */
Container *value_container_new(ValueType type, size_t capacity);

/* Where the key is, or would be inserted; *ret_found says which. */
size_t value_map_search(const Container *map, const char *key, size_t len, bool *ret_found);

/* One step of a path. */
typedef struct {
    const char *key; /* NULL: an index */
    size_t len;
    int64_t index;
} PathStep;

/* Takes the next step off *path; false at its end. A malformed path asserts. */
bool value_path_next(const char **path, PathStep *ret_step);

/* 64-bit digest of bytes, the same on every machine. */
uint64_t value_digest_bytes(const void *bytes, size_t len, uint64_t seed);
