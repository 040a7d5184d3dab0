/* Values: what every API object, patch, table and configuration is made of.
 *
 * A Value is null, bool, integer, double, string, array or map. It is reference counted (not atomic: one
 * thread) and, once another piece of code can see it, never changes. An edit makes a new root that shares
 * every subtree it did not touch. Maps keep their keys sorted by bytes, each key once: so equal content has
 * one form, one digest and one order on the wire, and no hash order can leak out.
 *
 * Ownership: `const Value *` is borrowed, `Value *` is owned. Functions whose parameter is named `take` own
 * it from then on, also when they fail. Every reader accepts NULL and answers as for a missing value, so
 * paths can be read without checks on the way. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_DOUBLE,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_MAP,
} ValueType;

typedef struct Value Value;

/* ---- life ---------------------------------------------------------------------------------------- */

Value *value_ref(const Value *value);
void value_unref(Value *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Value, value_unref)

/* Replaces *slot (owned, may hold NULL) by take. */
void value_replace(Value **slot, Value *take);

Value *value_new_null(void);
Value *value_new_bool(bool b);
Value *value_new_int(int64_t i);
Value *value_new_double(double d);
Value *value_new_string(const char *text);
Value *value_new_string_len(const char *text, size_t len);
Value *value_new_string_take(char *take);
Value *value_new_stringf(const char *format, ...) G_GNUC_PRINTF(1, 2);
Value *value_new_array(void); /* empty */
Value *value_new_map(void);   /* empty */

/* A value from a template in relaxed JSON (keys and plain words need no quotes), with arguments in order:
 *   %s const char * (NULL gives null)   %i int64_t   %b int (bool)   %d double
 *   %v const Value * (borrowed; NULL gives null)     %V Value * (taken)
 * A map entry whose value is written `?%s`, `?%v` or `?%V` is left out when the argument is NULL, and
 * `?%i`, `?%b` when it is 0. A key may be `%s` too. The template is part of the program: a wrong one asserts.
 *   value_new_f("{kind: Pod, metadata: {name: %s, labels: ?%v}, spec: {replicas: %i}}", name, labels, n) */
Value *value_new_f(const char *format, ...);

/* ---- reading ------------------------------------------------------------------------------------- */

/* The head of every value. For the functions below, which run in every loop of the program, and the files
 * value_*.c; nobody else looks into it. */
struct Value {
    uint32_t refs; /* 0: immortal */
    uint8_t type;  /* a ValueType */
    uint8_t flags; /* a bool's content; of a container: VALUE_HAS_DIGEST */
    uint16_t spare;
};

/* NULL reads as VALUE_NULL. */
static inline ValueType
value_type(const Value *value)
{
    return value == NULL ? VALUE_NULL : (ValueType)value->type;
}

static inline bool
value_is_map(const Value *value)
{
    return value_type(value) == VALUE_MAP;
}

static inline bool
value_is_array(const Value *value)
{
    return value_type(value) == VALUE_ARRAY;
}

static inline bool
value_is_string(const Value *value)
{
    return value_type(value) == VALUE_STRING;
}

static inline bool
value_is_null(const Value *value) /* also for NULL */
{
    return value_type(value) == VALUE_NULL;
}

bool value_bool(const Value *value);          /* false unless it is true */
int64_t value_int(const Value *value);        /* a double is truncated; else 0 */
double value_double(const Value *value);      /* an integer is converted; else 0 */
const char *value_string(const Value *value); /* NULL unless a string; NUL terminated */
const char *value_text(const Value *value);   /* as value_string, but "" in place of NULL */
size_t value_string_len(const Value *value);

/* Entries of an array or map; 0 for all else. */
size_t value_size(const Value *value);
const Value *value_item(const Value *array, size_t index);         /* NULL when out of range */
const char *value_key_at(const Value *map, size_t index);          /* keys in byte order */
const Value *value_value_at(const Value *map, size_t index);
const Value *value_get(const Value *map, const char *key);         /* NULL when absent */
bool value_has(const Value *map, const char *key);

/* By a dotted path such as "spec.template.spec.containers[0].image". A key that holds dots, brackets or
 * slashes is written ['app.kubernetes.io/name']; an index may be negative, from the end. NULL when any step
 * is absent. Do not build paths from foreign text: step with value_get. */
const Value *value_at(const Value *value, const char *path);
bool value_bool_at(const Value *value, const char *path);
int64_t value_int_at(const Value *value, const char *path);
int64_t value_int_at_or(const Value *value, const char *path, int64_t otherwise);
const char *value_string_at(const Value *value, const char *path); /* NULL unless a string */
const char *value_text_at(const Value *value, const char *path);   /* "" unless a string */

/* Loops over entries; break and continue work as in any loop, the container is evaluated once.
 *   VALUE_ARRAY_FOREACH (container, value_at(pod, "spec.containers")) { ... }
 *   VALUE_MAP_FOREACH (key, label, value_at(pod, "metadata.labels")) { ... } */
typedef struct {
    const Value *container;
    size_t next;
    const char *key;
    const Value *value;
    int state; /* 0 between entries, 1 in the body, 2 left by break */
} ValueIter;

ValueIter value_iter_init(const Value *container);
bool value_iter_next(ValueIter *iter);

#define VALUE_ARRAY_FOREACH(item, array)                                                                     \
    for (ValueIter item##_iter = value_iter_init(array); value_iter_next(&item##_iter);)                     \
        for (const Value *item G_GNUC_UNUSED = item##_iter.value; item##_iter.state == 1; item##_iter.state = 0)
#define VALUE_MAP_FOREACH(key_name, item, map)                                                               \
    for (ValueIter item##_iter = value_iter_init(map); value_iter_next(&item##_iter);)                       \
        for (const char *key_name G_GNUC_UNUSED = item##_iter.key; item##_iter.state == 1;                                 \
             item##_iter.state = item##_iter.state == 1 ? 2 : 0)                                             \
            for (const Value *item G_GNUC_UNUSED = item##_iter.value; item##_iter.state == 1; item##_iter.state = 0)

/* Deep equality; 1 and 1.0 differ. Total order for sorting: by type, then content. */
bool value_equal(const Value *a, const Value *b);
int value_compare(const Value *a, const Value *b);

/* 64-bit digest of the content (not of addresses), the same on every machine. Cached per array and map. */
uint64_t value_digest(const Value *value);

/* ---- making new ones from old ones ---------------------------------------------------------------- */

/* Each returns a new owned root that shares what did not change (or another reference to the same root, when
 * nothing did). Missing maps on the way are created; an index equal to the array's size appends. */
Value *value_set(const Value *map, const char *key, Value *take);
Value *value_remove(const Value *map, const char *key);
Value *value_set_at(const Value *value, const char *path, Value *take);
Value *value_remove_at(const Value *value, const char *path);
Value *value_append(const Value *array, Value *take);
Value *value_set_item(const Value *array, size_t index, Value *take);
Value *value_remove_item(const Value *array, size_t index);

/* For several edits in a row: a builder owns its root and changes in place whatever only it can see. */
typedef struct ValueBuilder ValueBuilder;

ValueBuilder *value_builder_new(const Value *base); /* NULL: an empty map */
ValueBuilder *value_builder_new_array(void);
void value_builder_free(ValueBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ValueBuilder, value_builder_free)
const Value *value_builder_peek(const ValueBuilder *builder); /* valid until the next change */
void value_builder_set(ValueBuilder *builder, const char *key, Value *take);
void value_builder_remove(ValueBuilder *builder, const char *key);
void value_builder_set_at(ValueBuilder *builder, const char *path, Value *take);
void value_builder_remove_at(ValueBuilder *builder, const char *path);
void value_builder_append(ValueBuilder *builder, Value *take);
Value *value_builder_end(ValueBuilder *builder); /* the result; the builder is freed */

/* The same edits on an owned slot, for step by step changes: *slot is replaced by the edited root. In place
 * when nobody else holds it. */
void value_edit(Value **slot, const char *path, Value *take);
void value_edit_remove(Value **slot, const char *path);
