/* Invariants (pmap_check asserts them):
 *   1. all leaves have the same depth; keys rise strictly from left to right;
 *   2. an inner node's separator i is <= every key below child i and > every key below child i - 1;
 *      separator 0 is never compared;
 *   3. a node's total is the number of entries below it; no node but the root is empty.
 * A node with one reference, reached through nodes with one reference each, belongs to one slot alone and
 * may be changed in place (node_own). Entries and separators are shared by reference between versions. */
#include "core/base/pmap.h"

#include <string.h>

#define NODE_SIZE 32
#define NODE_MERGE 24 /* two neighbours of together at most so many are joined */
#define NODE_THIN 8   /* a node of at most so many looks for a neighbour to join */

typedef struct {
    guint refs;
    void *value; /* NULL in separators */
    char key[];
} Entry;

typedef struct Node Node;

struct Node {
    guint refs;
    guint16 size;
    guint16 height; /* 0: a leaf */
    size_t total;
    Entry *entries[NODE_SIZE]; /* of a leaf; separators of an inner node */
    Node *children[];          /* NODE_SIZE of them in an inner node */
};

struct PMap {
    guint refs;
    const PMapType *type;
    Node *root;
};

/* ---- entries and nodes ---- */

static Entry *
entry_new(const char *key, void *take)
{
    size_t size = strlen(key) + 1;
    Entry *entry = g_malloc(offsetof(Entry, key) + size);

    entry->refs = 1;
    entry->value = take;
    memcpy(entry->key, key, size);
    return entry;
}

static void
entry_unref(const PMapType *type, Entry *entry)
{
    if (--entry->refs > 0)
        return;
    if (entry->value != NULL && type->unref != NULL)
        type->unref(entry->value);
    g_free(entry);
}

static Node *
node_new(guint height)
{
    Node *node = g_malloc(sizeof(Node) + (height > 0 ? NODE_SIZE * sizeof(Node *) : 0));

    node->refs = 1;
    node->size = 0;
    node->height = (guint16)height;
    node->total = 0;
    return node;
}

static void
node_unref(const PMapType *type, Node *node)
{
    if (--node->refs > 0)
        return;
    for (guint i = 0; i < node->size; i++) {
        entry_unref(type, node->entries[i]);
        if (node->height > 0)
            node_unref(type, node->children[i]);
    }
    g_free(node);
}

/* Makes the node in *slot changeable: itself when nobody else holds it, else a copy. */
static Node *
node_own(const PMapType *type, Node **slot)
{
    Node *node = *slot;

    if (node->refs == 1)
        return node;
    Node *copy = node_new(node->height);
    copy->size = node->size;
    copy->total = node->total;
    memcpy(copy->entries, node->entries, node->size * sizeof(Entry *));
    for (guint i = 0; i < node->size; i++)
        copy->entries[i]->refs++;
    if (node->height > 0) {
        memcpy(copy->children, node->children, node->size * sizeof(Node *));
        for (guint i = 0; i < node->size; i++)
            copy->children[i]->refs++;
    }
    node_unref(type, node);
    *slot = copy;
    return copy;
}

/* In a leaf: the first entry >= key. */
static guint
leaf_search(const Node *leaf, const char *key, bool *ret_found)
{
    guint low = 0, high = leaf->size;

    while (low < high) {
        guint middle = (low + high) / 2;
        int order = strcmp(leaf->entries[middle]->key, key);
        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

/* In an inner node: the child whose range holds the key. */
static guint
inner_search(const Node *inner, const char *key)
{
    guint low = 1, high = inner->size;

    while (low < high) {
        guint middle = (low + high) / 2;
        if (strcmp(inner->entries[middle]->key, key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

static void
node_insert(Node *node, guint index, Entry *entry, Node *child)
{
    memmove(&node->entries[index + 1], &node->entries[index],
            (node->size - index) * sizeof(Entry *));
    node->entries[index] = entry;
    if (node->height > 0) {
        memmove(&node->children[index + 1], &node->children[index],
                (node->size - index) * sizeof(Node *));
        node->children[index] = child;
    }
    node->size++;
}

static void
node_delete(Node *node, guint index)
{
    node->size--;
    memmove(&node->entries[index], &node->entries[index + 1],
            (node->size - index) * sizeof(Entry *));
    if (node->height > 0)
        memmove(&node->children[index], &node->children[index + 1],
                (node->size - index) * sizeof(Node *));
}

static void
node_sum(Node *node)
{
    node->total = node->height == 0 ? node->size : 0;
    for (guint i = 0; node->height > 0 && i < node->size; i++)
        node->total += node->children[i]->total;
}

/* Appends the entries of `from` behind index `start` to the end of `to`. */
static void
node_move(Node *to, Node *from, guint start)
{
    guint count = from->size - start;

    memcpy(&to->entries[to->size], &from->entries[start], count * sizeof(Entry *));
    if (to->height > 0)
        memcpy(&to->children[to->size], &from->children[start], count * sizeof(Node *));
    to->size = (guint16)(to->size + count);
    from->size = (guint16)start;
    node_sum(to);
    node_sum(from);
}

/* ---- maps ---- */

PMap *
pmap_new(const PMapType *type)
{
    PMap *map = g_new(PMap, 1);

    *map = (PMap){.refs = 1, .type = type, .root = node_new(0)};
    return map;
}

PMap *
pmap_ref(const PMap *map)
{
    PMap *owned = (PMap *)map;

    if (owned != NULL)
        owned->refs++;
    return owned;
}

void
pmap_unref(PMap *map)
{
    if (map == NULL || --map->refs > 0)
        return;
    node_unref(map->type, map->root);
    g_free(map);
}

/* Makes the version in *slot changeable. */
static PMap *
pmap_own(PMap **slot)
{
    PMap *map = *slot;

    if (map->refs == 1)
        return map;
    PMap *next = g_new(PMap, 1);
    *next = (PMap){.refs = 1, .type = map->type, .root = map->root};
    next->root->refs++;
    map->refs--;
    *slot = next;
    return next;
}

size_t
pmap_count(const PMap *map)
{
    return map == NULL ? 0 : map->root->total;
}

static Entry *
pmap_find(const PMap *map, const char *key)
{
    const Node *node = map->root;
    bool found;

    while (node->height > 0)
        node = node->children[inner_search(node, key)];
    guint index = leaf_search(node, key, &found);
    return found ? node->entries[index] : NULL;
}

void *
pmap_get(const PMap *map, const char *key)
{
    Entry *entry = map == NULL ? NULL : pmap_find(map, key);

    return entry == NULL ? NULL : entry->value;
}

/* ---- put ---- */

/* Splits the full child `index` of an owned parent. A key behind all others leaves the left half nearly
 * full, so that rising keys make a compact tree. */
static void
child_split(const PMapType *type, Node *parent, guint index, const char *key)
{
    Node *left = node_own(type, &parent->children[index]);
    Node *right = node_new(left->height);
    bool at_end = strcmp(left->entries[left->size - 1]->key, key) < 0;
    guint middle = at_end ? NODE_SIZE - 2 : NODE_SIZE / 2;

    node_move(right, left, middle);
    node_insert(parent, index + 1, entry_new(right->entries[0]->key, NULL), right);
}

static void
root_split(PMap *map, const char *key)
{
    Node *root = node_new(map->root->height + 1u);

    g_assert(root->height < PMAP_HEIGHT_MAX);
    node_insert(root, 0, entry_new("", NULL), map->root);
    root->total = map->root->total;
    map->root = root;
    child_split(map->type, root, 0, key);
}

bool
pmap_put(PMap **slot, const char *key, void *take)
{
    PMap *map = pmap_own(slot);
    Node *path[PMAP_HEIGHT_MAX];
    int depth = 0;
    bool found;

    g_assert(take != NULL);
    if (map->root->size == NODE_SIZE)
        root_split(map, key);
    Node *node = node_own(map->type, &map->root);
    while (node->height > 0) {
        guint index = inner_search(node, key);
        if (node->children[index]->size == NODE_SIZE) {
            child_split(map->type, node, index, key);
            index = inner_search(node, key);
        }
        path[depth++] = node;
        node = node_own(map->type, &node->children[index]);
    }
    guint index = leaf_search(node, key, &found);
    if (found) {
        Entry *old = node->entries[index];
        node->entries[index] = entry_new(old->key, take);
        entry_unref(map->type, old);
        return true;
    }
    node_insert(node, index, entry_new(key, take), NULL);
    node->total++;
    while (depth > 0)
        path[--depth]->total++;
    return false;
}

/* ---- remove ---- */

static void
child_drop(const PMapType *type, Node *parent, guint index)
{
    Entry *separator = parent->entries[index];
    Node *child = parent->children[index];

    node_delete(parent, index);
    entry_unref(type, separator);
    node_unref(type, child);
}

/* After a removal below child `index` of an owned parent: drops it when empty, joins it when thin. */
static void
child_mend(const PMapType *type, Node *parent, guint index)
{
    Node *child = parent->children[index];

    if (child->size == 0) {
        child_drop(type, parent, index);
        return;
    }
    if (child->size > NODE_THIN || parent->size < 2)
        return;
    guint left = index > 0 ? index - 1 : index;
    if (parent->children[left]->size + parent->children[left + 1]->size > NODE_MERGE)
        return;
    Node *to = node_own(type, &parent->children[left]);
    Node *from = node_own(type, &parent->children[left + 1]);
    if (from->height > 0) {
        /* separator 0 of the right node was never compared and may be stale: the parent's is right */
        entry_unref(type, from->entries[0]);
        from->entries[0] = parent->entries[left + 1];
        from->entries[0]->refs++;
    }
    node_move(to, from, 0);
    child_drop(type, parent, left + 1);
}

static void
node_remove(const PMapType *type, Node **slot, const char *key)
{
    Node *node = node_own(type, slot);
    bool found;

    node->total--;
    if (node->height > 0) {
        guint index = inner_search(node, key);
        node_remove(type, &node->children[index], key);
        child_mend(type, node, index);
        return;
    }
    guint index = leaf_search(node, key, &found);
    Entry *gone = node->entries[index];
    node_delete(node, index);
    entry_unref(type, gone);
}

bool
pmap_remove(PMap **slot, const char *key)
{
    if (pmap_find(*slot, key) == NULL)
        return false;
    PMap *map = pmap_own(slot);
    node_remove(map->type, &map->root, key);
    while (map->root->height > 0 && map->root->size <= 1) {
        Node *old = map->root;
        map->root = old->size == 1 ? old->children[0] : node_new(0);
        if (old->size == 1)
            map->root->refs++;
        node_unref(map->type, old);
    }
    return true;
}

/* ---- counts and iteration ---- */

size_t
pmap_rank(const PMap *map, const char *key)
{
    if (map == NULL)
        return 0;
    const Node *node = map->root;
    size_t rank = 0;
    bool found;
    while (node->height > 0) {
        guint index = inner_search(node, key);
        for (guint i = 0; i < index; i++)
            rank += node->children[i]->total;
        node = node->children[index];
    }
    return rank + leaf_search(node, key, &found);
}

size_t
pmap_count_range(const PMap *map, const char *from, const char *to)
{
    size_t start = pmap_rank(map, from);
    size_t end = to == NULL ? pmap_count(map) : pmap_rank(map, to);

    return end > start ? end - start : 0;
}

size_t
pmap_count_prefix(const PMap *map, const char *prefix)
{
    size_t len = strlen(prefix);
    g_autofree char *end = g_strdup(prefix);

    /* the first text behind all those with the prefix: its last byte that can be raised is */
    while (len > 0 && (unsigned char)end[len - 1] == 0xff)
        len--;
    if (len == 0)
        return pmap_count_range(map, prefix, NULL);
    end[len - 1] = (char)((unsigned char)end[len - 1] + 1);
    end[len] = '\0';
    return pmap_count_range(map, prefix, end);
}

PMapIter
pmap_seek(const PMap *map, const char *from)
{
    PMapIter iter = {0};
    bool found;

    if (map == NULL)
        return iter;
    const Node *node = map->root;
    while (node->height > 0) {
        guint index = from == NULL ? 0 : inner_search(node, from);
        iter.path[iter.depth].node = node;
        iter.path[iter.depth++].index = index + 1;
        node = node->children[index];
    }
    iter.path[iter.depth].node = node;
    iter.path[iter.depth++].index = from == NULL ? 0 : leaf_search(node, from, &found);
    return iter;
}

PMapIter
pmap_seek_after(const PMap *map, const char *key)
{
    PMapIter iter = pmap_seek(map, key);

    if (iter.depth > 0) {
        const Node *leaf = iter.path[iter.depth - 1].node;
        guint index = iter.path[iter.depth - 1].index;
        if (index < leaf->size && strcmp(leaf->entries[index]->key, key) == 0)
            iter.path[iter.depth - 1].index++;
    }
    return iter;
}

PMapIter
pmap_seek_prefix(const PMap *map, const char *prefix)
{
    PMapIter iter = pmap_seek(map, prefix);

    iter.prefix = prefix;
    return iter;
}

bool
pmap_next(PMapIter *iter)
{
    while (iter->depth > 0) {
        const Node *node = iter->path[iter->depth - 1].node;
        guint index = iter->path[iter->depth - 1].index;
        if (index >= node->size) {
            iter->depth--;
            continue;
        }
        iter->path[iter->depth - 1].index++;
        if (node->height > 0) {
            iter->path[iter->depth].node = node->children[index];
            iter->path[iter->depth++].index = 0;
            continue;
        }
        iter->key = node->entries[index]->key;
        iter->value = node->entries[index]->value;
        if (iter->prefix == NULL || g_str_has_prefix(iter->key, iter->prefix))
            return true;
        iter->depth = 0;
    }
    iter->key = NULL;
    iter->value = NULL;
    return false;
}

/* ---- check ---- */

static void
node_check(const Node *node, bool is_root, const char *low, const char *high)
{
    size_t total = 0;

    g_assert(node->refs > 0 && node->size <= NODE_SIZE && (is_root || node->size > 0));
    for (guint i = 0; i < node->size; i++) {
        const char *key = node->entries[i]->key;
        if (node->height == 0) {
            g_assert(node->entries[i]->value != NULL);
            g_assert(low == NULL || strcmp(low, key) <= 0);
            g_assert(high == NULL || strcmp(key, high) < 0);
            g_assert(i == 0 || strcmp(node->entries[i - 1]->key, key) < 0);
            total++;
            continue;
        }
        const Node *child = node->children[i];
        g_assert(child->height + 1 == node->height);
        g_assert(i < 2 || strcmp(node->entries[i - 1]->key, key) < 0);
        node_check(child, false, i == 0 ? low : key,
                   i + 1u < node->size ? node->entries[i + 1]->key : high);
        total += child->total;
    }
    g_assert(total == node->total);
}

void
pmap_check(const PMap *map)
{
    node_check(map->root, true, NULL, NULL);
}
