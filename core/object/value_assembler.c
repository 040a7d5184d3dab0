/* All open containers' entries lie on one stack; a frame says where a container's begin. Ending a container
 * pops its entries into one block of the right size, and adds that to the container below. */
#include "core/object/value_assembler.h"

#include <stdlib.h>

#include "core/object/value_private.h"

#define KEY_CACHE_SIZE 256 /* a power of two */
#define KEY_CACHE_FROM 16  /* keys after which a cache is worth its making */

typedef struct {
    ValueKey *key; /* NULL in arrays */
    Value *value;  /* NULL while a key waits for its value */
    size_t order;  /* position as it came in */
} Entry;

typedef struct {
    size_t start;
    ValueType type;
} Frame;

struct ValueAssembler {
    GArray *entries;
    GArray *frames;
    GPtrArray *duplicates;
    Value *root;
    guint keys_seen;
    ValueKey **cache; /* KEY_CACHE_SIZE keys seen lately; NULL before KEY_CACHE_FROM */
};

ValueAssembler *
value_assembler_new(void)
{
    ValueAssembler *assembler = g_new0(ValueAssembler, 1);

    assembler->entries = g_array_sized_new(FALSE, FALSE, sizeof(Entry), 16);
    assembler->frames = g_array_sized_new(FALSE, FALSE, sizeof(Frame), 4);
    return assembler;
}

void
value_assembler_free(ValueAssembler *assembler)
{
    if (assembler == NULL)
        return;
    for (guint i = 0; i < assembler->entries->len; i++) {
        Entry *entry = &g_array_index(assembler->entries, Entry, i);
        if (entry->key != NULL)
            value_key_unref(entry->key);
        value_unref(entry->value);
    }
    for (int i = 0; assembler->cache != NULL && i < KEY_CACHE_SIZE; i++) {
        if (assembler->cache[i] != NULL)
            value_key_unref(assembler->cache[i]);
    }
    g_free(assembler->cache);
    g_array_unref(assembler->entries);
    g_array_unref(assembler->frames);
    value_unref(assembler->root);
    g_free(assembler);
}

void
value_assembler_note_duplicates(ValueAssembler *assembler, GPtrArray *paths)
{
    assembler->duplicates = paths;
}

size_t
value_assembler_depth(const ValueAssembler *assembler)
{
    return assembler->frames->len;
}

static Frame *
top_frame(const ValueAssembler *assembler)
{
    guint depth = assembler->frames->len;

    return depth == 0 ? NULL : &g_array_index(assembler->frames, Frame, depth - 1);
}

static Entry *
top_entry(const ValueAssembler *assembler)
{
    guint size = assembler->entries->len;

    return size == 0 ? NULL : &g_array_index(assembler->entries, Entry, size - 1);
}

/* ---- keys ---- */

/* A new reference, from those seen lately where possible. */
static ValueKey *
assembler_key_ref(ValueAssembler *assembler, const char *text, size_t len)
{
    if (assembler->cache == NULL) {
        if (assembler->keys_seen++ < KEY_CACHE_FROM)
            return value_key_new(text, len);
        assembler->cache = g_new0(ValueKey *, KEY_CACHE_SIZE);
    }
    uint64_t digest = value_digest_bytes(text, len, 0);
    ValueKey **cached = &assembler->cache[digest & (KEY_CACHE_SIZE - 1)];
    if (*cached != NULL && (*cached)->len == len && memcmp((*cached)->text, text, len) == 0)
        return value_key_ref(*cached);
    if (*cached != NULL)
        value_key_unref(*cached);
    *cached = value_key_new(text, len);
    return value_key_ref(*cached);
}

void
value_assembler_key(ValueAssembler *assembler, const char *key, size_t len)
{
    Entry entry = {.order = assembler->entries->len};

    g_assert(value_assembler_wants_key(assembler));
    entry.key = assembler_key_ref(assembler, key, len);
    g_array_append_val(assembler->entries, entry);
}

bool
value_assembler_wants_key(const ValueAssembler *assembler)
{
    const Frame *frame = top_frame(assembler);

    if (frame == NULL || frame->type != VALUE_MAP)
        return false;
    return assembler->entries->len == frame->start || top_entry(assembler)->value != NULL;
}

void
value_assembler_drop_key(ValueAssembler *assembler)
{
    Entry *entry = top_entry(assembler);

    g_assert(entry != NULL && entry->key != NULL && entry->value == NULL);
    value_key_unref(entry->key);
    g_array_set_size(assembler->entries, assembler->entries->len - 1);
}

/* ---- values ---- */

void
value_assembler_add(ValueAssembler *assembler, Value *take)
{
    const Frame *frame = top_frame(assembler);

    if (frame == NULL) {
        value_replace(&assembler->root, take);
    } else if (frame->type == VALUE_MAP) {
        Entry *entry = top_entry(assembler);
        g_assert(entry->key != NULL && entry->value == NULL);
        entry->value = take;
    } else {
        Entry entry = {.value = take};
        g_array_append_val(assembler->entries, entry);
    }
}

void
value_assembler_begin(ValueAssembler *assembler, ValueType array_or_map)
{
    Frame frame = {.start = assembler->entries->len, .type = array_or_map};

    g_array_append_val(assembler->frames, frame);
}

static int
entry_key_compare(const Entry *a, const Entry *b)
{
    if (a->key == b->key)
        return 0;
    return value_text_compare(a->key->text, a->key->len, b->key->text, b->key->len);
}

static int
entry_compare(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    int order = entry_key_compare(x, y);

    if (order != 0)
        return order;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void
entries_sort(Entry *entries, size_t count)
{
    bool sorted = true;

    for (size_t i = 1; i < count && sorted; i++)
        sorted = entry_compare(&entries[i - 1], &entries[i]) < 0;
    if (sorted)
        return;
    if (count > 24) {
        qsort(entries, count, sizeof(*entries), entry_compare);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        Entry moving = entries[i];
        size_t to = i;
        for (; to > 0 && entry_compare(&entries[to - 1], &moving) > 0; to--)
            entries[to] = entries[to - 1];
        entries[to] = moving;
    }
}

static void
path_append_key(GString *path, const char *key)
{
    if (strpbrk(key, ".[]/'") != NULL) {
        g_string_append_printf(path, "['%s']", key);
        return;
    }
    if (path->len > 0)
        g_string_append_c(path, '.');
    g_string_append(path, key);
}

/* The path of the container that the top frame makes. */
static void
path_append_open(const ValueAssembler *assembler, GString *path)
{
    for (guint i = 0; i + 1 < assembler->frames->len; i++) {
        const Frame *frame = &g_array_index(assembler->frames, Frame, i);
        const Frame *inner = &g_array_index(assembler->frames, Frame, i + 1);
        if (frame->type == VALUE_ARRAY)
            g_string_append_printf(path, "[%zu]", inner->start - frame->start);
        else
            path_append_key(path, g_array_index(assembler->entries, Entry, inner->start - 1).key->text);
    }
}

char *
value_assembler_path(const ValueAssembler *assembler)
{
    const Frame *frame = top_frame(assembler);
    GString *path = g_string_new(NULL);

    path_append_open(assembler, path);
    if (frame != NULL && frame->type == VALUE_ARRAY)
        g_string_append_printf(path, "[%zu]", assembler->entries->len - frame->start);
    else if (frame != NULL && !value_assembler_wants_key(assembler))
        path_append_key(path, top_entry(assembler)->key->text);
    return g_string_free(path, FALSE);
}

static void
duplicate_note(ValueAssembler *assembler, const char *key)
{
    if (assembler->duplicates == NULL)
        return;
    GString *path = g_string_new(NULL);
    path_append_open(assembler, path);
    path_append_key(path, key);
    for (guint i = 0; i < assembler->duplicates->len; i++) {
        if (strcmp(assembler->duplicates->pdata[i], path->str) == 0) {
            g_string_free(path, TRUE);
            return;
        }
    }
    g_ptr_array_add(assembler->duplicates, g_string_free(path, FALSE));
}

/* Leaves the last of equal keys; returns how many entries remain. */
static size_t
entries_merge(ValueAssembler *assembler, Entry *entries, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || entry_key_compare(&entries[kept - 1], &entries[i]) != 0) {
            entries[kept++] = entries[i];
            continue;
        }
        duplicate_note(assembler, entries[i].key->text);
        value_key_unref(entries[i].key);
        value_replace(&entries[kept - 1].value, entries[i].value);
    }
    return kept;
}

static Value *
assemble_map(ValueAssembler *assembler, Entry *entries, size_t count)
{
    entries_sort(entries, count);
    count = entries_merge(assembler, entries, count);
    Container *map = value_container_new(VALUE_MAP, count);
    for (size_t i = 0; i < count; i++)
        container_entries(map)[i] = (MapEntry){entries[i].key, entries[i].value};
    map->size = (uint32_t)count;
    return &map->head;
}

static Value *
assemble_array(const Entry *entries, size_t count)
{
    Container *array = value_container_new(VALUE_ARRAY, count);

    for (size_t i = 0; i < count; i++)
        container_items(array)[i] = entries[i].value;
    array->size = (uint32_t)count;
    return &array->head;
}

void
value_assembler_end(ValueAssembler *assembler)
{
    const Frame *frame = top_frame(assembler);

    g_assert(frame != NULL && (frame->type == VALUE_ARRAY || value_assembler_wants_key(assembler)));
    size_t start = frame->start, count = assembler->entries->len - start;
    Entry *entries = &g_array_index(assembler->entries, Entry, start);
    Value *value;
    if (count == 0)
        value = frame->type == VALUE_MAP ? value_new_map() : value_new_array();
    else
        value = frame->type == VALUE_MAP ? assemble_map(assembler, entries, count)
                                         : assemble_array(entries, count);
    g_array_set_size(assembler->entries, (guint)start);
    g_array_set_size(assembler->frames, assembler->frames->len - 1);
    value_assembler_add(assembler, value);
}

Value *
value_assembler_steal(ValueAssembler *assembler)
{
    return assembler->frames->len > 0 ? NULL : g_steal_pointer(&assembler->root);
}
