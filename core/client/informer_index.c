/* An index is a hash table (for look-up only, never walked) of arrays sorted by the objects' keys.
 */
#include "core/client/informer_index.h"

#include <string.h>

#define STRINGS_MAX 64 /* under which one object is listed in one index */

struct InformerIndex {
    char *name;
    IndexFunc func;
    GHashTable *buckets;                  /* text -> GPtrArray of const Value */
    GPtrArray *old_strings, *new_strings; /* kept for the next change */
};

typedef struct {
    const char *namespace_, *name;
} Key;

static Key
key_of(const Value *object)
{
    const Value *metadata = value_get(object, "metadata");
    return (Key){.namespace_ = value_text(value_get(metadata, "namespace")),
                 .name = value_text(value_get(metadata, "name"))};
}

/* The bytes of "namespace/name" one after another. */
static unsigned char
key_byte(const Key *key, size_t namespace_length, size_t i)
{
    if (namespace_length == 0)
        return (unsigned char)key->name[i];
    if (i < namespace_length)
        return (unsigned char)key->namespace_[i];
    return i == namespace_length ? '/' : (unsigned char)key->name[i - namespace_length - 1];
}

static int
key_compare(const Key *a, const Key *b)
{
    if (a->namespace_[0] != '\0' && strcmp(a->namespace_, b->namespace_) == 0)
        return strcmp(a->name, b->name);
    size_t a_length = strlen(a->namespace_), b_length = strlen(b->namespace_);
    for (size_t i = 0;; i++) {
        unsigned char x = key_byte(a, a_length, i), y = key_byte(b, b_length, i);
        if (x != y)
            return x < y ? -1 : 1;
        if (x == '\0')
            return 0;
    }
}

int
object_key_compare(const Value *a, const Value *b)
{
    Key x = key_of(a), y = key_of(b);
    return key_compare(&x, &y);
}

/* Where the object with this key is, or belongs. */
static unsigned
bucket_position(const GPtrArray *bucket, const Key *key, bool *ret_found)
{
    unsigned low = 0, high = bucket->len;
    *ret_found = false;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        Key other = key_of(bucket->pdata[middle]);
        int order = key_compare(&other, key);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
index_insert(InformerIndex *index, const char *text, const Value *object)
{
    GPtrArray *bucket = g_hash_table_lookup(index->buckets, text);
    if (bucket == NULL) {
        bucket = g_ptr_array_new();
        g_hash_table_insert(index->buckets, g_strdup(text), bucket);
    }
    Key key = key_of(object);
    bool found;
    unsigned position = bucket_position(bucket, &key, &found);
    if (found)
        bucket->pdata[position] = (void *)object;
    else
        g_ptr_array_insert(bucket, (int)position, (void *)object);
}

static void
index_remove(InformerIndex *index, const char *text, const Value *object)
{
    GPtrArray *bucket = g_hash_table_lookup(index->buckets, text);
    if (bucket == NULL)
        return;
    Key key = key_of(object);
    bool found;
    unsigned position = bucket_position(bucket, &key, &found);
    if (!found)
        return;
    g_ptr_array_remove_index(bucket, position);
    if (bucket->len == 0)
        g_hash_table_remove(index->buckets, text);
}

static void
strings_of(const InformerIndex *index, const Value *object, GPtrArray *strings)
{
    g_ptr_array_set_size(strings, 0);
    if (object != NULL)
        index->func(object, strings);
    g_assert(strings->len <= STRINGS_MAX);
}

static bool
has_string(const GPtrArray *strings, const char *text)
{
    for (unsigned i = 0; i < strings->len; i++)
        if (strcmp(strings->pdata[i], text) == 0)
            return true;
    return false;
}

void
informer_index_change(InformerIndex *index, const Value *old, const Value *new_)
{
    strings_of(index, old, index->old_strings);
    strings_of(index, new_, index->new_strings);
    for (unsigned i = 0; i < index->old_strings->len; i++)
        if (!has_string(index->new_strings, index->old_strings->pdata[i]))
            index_remove(index, index->old_strings->pdata[i], old);
    for (unsigned i = 0; i < index->new_strings->len; i++)
        index_insert(index, index->new_strings->pdata[i], new_);
}

const GPtrArray *
informer_index_get(const InformerIndex *index, const char *text)
{
    return g_hash_table_lookup(index->buckets, text);
}

InformerIndex *
informer_index_new(const char *name, IndexFunc func)
{
    InformerIndex *index = g_new0(InformerIndex, 1);
    index->name = g_strdup(name);
    index->func = func;
    index->buckets =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    index->old_strings = g_ptr_array_new_with_free_func(g_free);
    index->new_strings = g_ptr_array_new_with_free_func(g_free);
    return index;
}

void
informer_index_free(InformerIndex *index)
{
    if (index == NULL)
        return;
    g_hash_table_unref(index->buckets);
    g_ptr_array_unref(index->old_strings);
    g_ptr_array_unref(index->new_strings);
    g_free(index->name);
    g_free(index);
}

const char *
informer_index_name(const InformerIndex *index)
{
    return index->name;
}
