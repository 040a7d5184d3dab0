/* Values: their life, their making and their reading. Layout and rules: value_private.h. */
#include "core/object/value.h"

#include <math.h>
#include <stdarg.h>

#include "core/base/limits.h"
#include "core/object/value_private.h"

#define SMALL_INT(n) {{0, VALUE_INT, 0, 0}, {.i = (n)}}
#define SMALL_INTS_8(n)                                                                            \
    SMALL_INT(n), SMALL_INT(n + 1), SMALL_INT(n + 2), SMALL_INT(n + 3), SMALL_INT(n + 4),          \
        SMALL_INT(n + 5), SMALL_INT(n + 6), SMALL_INT(n + 7)
#define SMALL_INTS_64(n)                                                                           \
    SMALL_INTS_8(n), SMALL_INTS_8(n + 8), SMALL_INTS_8(n + 16), SMALL_INTS_8(n + 24),              \
        SMALL_INTS_8(n + 32), SMALL_INTS_8(n + 40), SMALL_INTS_8(n + 48), SMALL_INTS_8(n + 56)

static const Value the_null = {0, VALUE_NULL, 0, 0};
static const Value the_false = {0, VALUE_BOOL, false, 0};
static const Value the_true = {0, VALUE_BOOL, true, 0};
static const Container the_empty_array = {.head = {0, VALUE_ARRAY, 0, 0}};
static const Container the_empty_map = {.head = {0, VALUE_MAP, 0, 0}};
static const NumberValue small_ints[] = {SMALL_INTS_64(0), SMALL_INTS_64(64), SMALL_INTS_64(128),
                                         SMALL_INTS_64(192)};

/* ---- life ---- */

Value *
value_ref(const Value *value)
{
    Value *owned = (Value *)value;

    if (owned != NULL && owned->refs > 0)
        owned->refs++;
    return owned;
}

/* Gives up one reference; true when it was the last. */
static inline bool
value_drop(Value *value)
{
    return value != NULL && value->refs > 0 && --value->refs == 0;
}

/* Frees a value whose last reference is gone, or queues it when it has entries of its own: so a tree of any
 * depth is freed without recursion. */
static inline void
value_bury(Value *value, Container **dead)
{
    if (value->type < VALUE_ARRAY) {
        g_free(value);
        return;
    }
    ((Container *)value)->next_dead = *dead;
    *dead = (Container *)value;
}

static void
container_free_entries(Container *container, Container **dead)
{
    if (container->head.type == VALUE_MAP) {
        MapEntry *entries = container_entries(container);
        for (uint32_t i = 0; i < container->size; i++) {
            value_key_unref(entries[i].key);
            if (value_drop(entries[i].value))
                value_bury(entries[i].value, dead);
        }
        return;
    }
    Value **items = container_items(container);
    for (uint32_t i = 0; i < container->size; i++) {
        if (value_drop(items[i]))
            value_bury(items[i], dead);
    }
}

void
value_unref(Value *value)
{
    Container *dead = NULL;

    if (!value_drop(value))
        return;
    value_bury(value, &dead);
    while (dead != NULL) {
        Container *container = dead;
        dead = container->next_dead;
        container_free_entries(container, &dead);
        g_free(container);
    }
}

void
value_replace(Value **slot, Value *take)
{
    Value *old = *slot;

    *slot = take;
    value_unref(old);
}

/* ---- making ---- */

Value *
value_new_null(void)
{
    return (Value *)&the_null;
}

Value *
value_new_bool(bool b)
{
    return (Value *)(b ? &the_true : &the_false);
}

static NumberValue *
number_new(ValueType type)
{
    NumberValue *number = g_malloc(sizeof(*number));

    number->head = (Value){.refs = 1, .type = type};
    return number;
}

Value *
value_new_int(int64_t i)
{
    if (i >= 0 && i < (int64_t)G_N_ELEMENTS(small_ints))
        return (Value *)&small_ints[i].head;
    NumberValue *number = number_new(VALUE_INT);
    number->i = i;
    return &number->head;
}

Value *
value_new_double(double d)
{
    NumberValue *number = number_new(VALUE_DOUBLE);

    /* one form each for zero and not-a-number, so that equal content has equal bits */
    number->d = isnan(d) ? (double)NAN : d == 0 ? 0.0 : d;
    return &number->head;
}

static StringValue *
string_new(size_t len)
{
    g_assert(len < VALUE_SIZE_MAX);
    StringValue *string = g_malloc(offsetof(StringValue, text) + len + 1);
    string->head = (Value){.refs = 1, .type = VALUE_STRING};
    string->len = (uint32_t)len;
    string->text[len] = '\0';
    return string;
}

Value *
value_new_string_len(const char *text, size_t len)
{
    StringValue *string = string_new(len);

    if (len > 0)
        memcpy(string->text, text, len);
    return &string->head;
}

Value *
value_new_string(const char *text)
{
    return text == NULL ? value_new_null() : value_new_string_len(text, strlen(text));
}

Value *
value_new_string_take(char *take)
{
    Value *value = value_new_string(take);

    g_free(take);
    return value;
}

Value *
value_new_stringf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return value_new_string_take(text);
}

Value *
value_new_array(void)
{
    return (Value *)&the_empty_array.head;
}

Value *
value_new_map(void)
{
    return (Value *)&the_empty_map.head;
}

Container *
value_container_new(ValueType type, size_t capacity)
{
    g_assert(capacity < VALUE_SIZE_MAX);
    Container *container = g_malloc(CONTAINER_HEAD_SIZE + capacity * value_entry_size(type));
    container->head = (Value){.refs = 1, .type = type};
    container->size = 0;
    container->capacity = (uint32_t)capacity;
    container->digest = 0;
    return container;
}

/* ---- reading ---- */

bool
value_bool(const Value *value)
{
    return value_type(value) == VALUE_BOOL && value->flags != 0;
}

static int64_t
double_truncate(double d)
{
    if (isnan(d))
        return 0;
    if (d >= 9223372036854775808.0)
        return INT64_MAX;
    return d <= -9223372036854775808.0 ? INT64_MIN : (int64_t)d;
}

int64_t
value_int(const Value *value)
{
    switch (value_type(value)) {
    case VALUE_INT:
        return ((const NumberValue *)value)->i;
    case VALUE_DOUBLE:
        return double_truncate(((const NumberValue *)value)->d);
    default:
        return 0;
    }
}

double
value_double(const Value *value)
{
    switch (value_type(value)) {
    case VALUE_INT:
        return (double)((const NumberValue *)value)->i;
    case VALUE_DOUBLE:
        return ((const NumberValue *)value)->d;
    default:
        return 0;
    }
}

const char *
value_string(const Value *value)
{
    return value_is_string(value) ? ((const StringValue *)value)->text : NULL;
}

const char *
value_text(const Value *value)
{
    return value_is_string(value) ? ((const StringValue *)value)->text : "";
}

size_t
value_string_len(const Value *value)
{
    return value_is_string(value) ? ((const StringValue *)value)->len : 0;
}

size_t
value_size(const Value *value)
{
    return value_type(value) >= VALUE_ARRAY ? ((const Container *)value)->size : 0;
}

const Value *
value_item(const Value *array, size_t index)
{
    const Container *container = value_as_array(array);

    return container != NULL && index < container->size ? container_items(container)[index] : NULL;
}

const char *
value_key_at(const Value *map, size_t index)
{
    const Container *container = value_as_map(map);

    return container != NULL && index < container->size
               ? container_entries(container)[index].key->text
               : NULL;
}

const Value *
value_value_at(const Value *map, size_t index)
{
    const Container *container = value_as_map(map);

    return container != NULL && index < container->size ? container_entries(container)[index].value
                                                        : NULL;
}

size_t
value_map_search(const Container *map, const char *key, size_t len, bool *ret_found)
{
    const MapEntry *entries = container_entries(map);
    size_t low = 0, high = map->size;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const ValueKey *other = entries[middle].key;
        int order = value_text_compare(other->text, other->len, key, len);
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

const Value *
value_get(const Value *map, const char *key)
{
    const Container *container = value_as_map(map);
    bool found;

    if (container == NULL)
        return NULL;
    size_t index = value_map_search(container, key, strlen(key), &found);
    return found ? container_entries(container)[index].value : NULL;
}

bool
value_has(const Value *map, const char *key)
{
    return value_get(map, key) != NULL;
}

/* ---- loops ---- */

ValueIter
value_iter_init(const Value *container)
{
    return (ValueIter){.container = container};
}

bool
value_iter_next(ValueIter *iter)
{
    if (iter->state != 0 || iter->next >= value_size(iter->container))
        return false;
    const Container *container = (const Container *)iter->container;
    if (container->head.type == VALUE_MAP) {
        const MapEntry *entry = &container_entries(container)[iter->next];
        iter->key = entry->key->text;
        iter->value = entry->value;
    } else {
        iter->key = NULL;
        iter->value = container_items(container)[iter->next];
    }
    iter->next++;
    iter->state = 1;
    return true;
}
