/* Edits: new roots that share what they do not touch, and changes in place of what only one holder sees.
 *
 * All of them work on a slot (a place that owns one reference). value_own makes the container in a slot
 * unshared: it stays when the slot holds the only reference, else it is copied one level deep. Owning the
 * containers along a path from the root down makes the whole path private, because a copy adds a reference
 * to each child and so forces the child to be copied in its turn. */
#include "core/object/value_private.h"

/* ---- one level ---- */

static Container *
container_copy(const Container *from, size_t capacity)
{
    Container *copy = value_container_new(from->head.type, capacity);

    copy->size = from->size;
    if (from->size == 0)
        return copy;
    memcpy(container_items(copy), container_items(from),
           from->size * value_entry_size(from->head.type));
    for (uint32_t i = 0; i < copy->size; i++) {
        if (copy->head.type == VALUE_MAP) {
            value_key_ref(container_entries(copy)[i].key);
            value_ref(container_entries(copy)[i].value);
        } else {
            value_ref(container_items(copy)[i]);
        }
    }
    return copy;
}

/* Makes *slot an unshared container of that type (an empty one if it holds anything else) with room for
 * `room` more entries, and without a digest. */
static Container *
value_own(Value **slot, ValueType type, size_t room)
{
    Container *old = (Container *)*slot;

    if (value_type(*slot) != type) {
        Container *fresh = value_container_new(type, room);
        value_replace(slot, &fresh->head);
        return fresh;
    }
    size_t wanted = old->size + room;
    if (old->head.refs != 1) {
        Container *copy = container_copy(old, wanted);
        value_replace(slot, &copy->head);
        return copy;
    }
    if (wanted > old->capacity) {
        size_t capacity = MAX(wanted, (size_t)old->size + old->size / 2 + 2);
        old = g_realloc(old, CONTAINER_HEAD_SIZE + capacity * value_entry_size(type));
        old->capacity = (uint32_t)capacity;
        *slot = &old->head;
    }
    old->head.flags = 0;
    return old;
}

/* The place of a map's entry, made (holding null) when it is absent. */
static Value **
slot_entry(Value **slot, const char *key, size_t len)
{
    const Container *seen = value_as_map(*slot);
    bool found = false;
    size_t index = seen != NULL ? value_map_search(seen, key, len, &found) : 0;
    Container *map = value_own(slot, VALUE_MAP, found ? 0 : 1);
    MapEntry *entries = container_entries(map);

    if (!found) {
        memmove(&entries[index + 1], &entries[index], (map->size - index) * sizeof(*entries));
        entries[index].key = value_key_new(key, len);
        entries[index].value = value_new_null();
        map->size++;
    }
    return &entries[index].value;
}

/* The place of an array's item; index == size appends null. */
static Value **
slot_item(Value **slot, int64_t index)
{
    int64_t size = value_is_array(*slot) ? (int64_t)value_size(*slot) : 0;

    if (index < 0)
        index += size;
    g_assert(index >= 0 && index <= size);
    Container *array = value_own(slot, VALUE_ARRAY, index == size ? 1 : 0);
    if (index == size)
        container_items(array)[array->size++] = value_new_null();
    return &container_items(array)[index];
}

static void
slot_remove_key(Value **slot, const char *key, size_t len)
{
    bool found = false;
    size_t index =
        value_is_map(*slot) ? value_map_search((Container *)*slot, key, len, &found) : 0;

    if (!found)
        return;
    Container *map = value_own(slot, VALUE_MAP, 0);
    MapEntry *entries = container_entries(map);
    MapEntry gone = entries[index];
    map->size--;
    memmove(&entries[index], &entries[index + 1], (map->size - index) * sizeof(*entries));
    value_key_unref(gone.key);
    value_unref(gone.value);
}

static void
slot_remove_index(Value **slot, int64_t index)
{
    int64_t size = (int64_t)value_size(*slot);

    if (index < 0)
        index += size;
    if (!value_is_array(*slot) || index < 0 || index >= size)
        return;
    Container *array = value_own(slot, VALUE_ARRAY, 0);
    Value **items = container_items(array);
    Value *gone = items[index];
    array->size--;
    memmove(&items[index], &items[index + 1], (array->size - (size_t)index) * sizeof(*items));
    value_unref(gone);
}

/* ---- along a path ---- */

static Value **
slot_step(Value **slot, const PathStep *step)
{
    return step->key != NULL ? slot_entry(slot, step->key, step->len)
                             : slot_item(slot, step->index);
}

void
value_edit(Value **slot, const char *path, Value *take)
{
    PathStep step;

    if ((*slot == NULL || (*slot)->refs != 1) && take != NULL) {
        const Value *old = value_at(*slot, path);
        if (old != NULL && value_equal(old, take)) {
            value_unref(take);
            return;
        }
    }
    while (value_path_next(&path, &step))
        slot = slot_step(slot, &step);
    value_replace(slot, take != NULL ? take : value_new_null());
}

void
value_edit_remove(Value **slot, const char *path)
{
    PathStep step, next;

    if (value_at(*slot, path) == NULL || !value_path_next(&path, &step))
        return;
    while (value_path_next(&path, &next)) {
        slot = slot_step(slot, &step);
        step = next;
    }
    if (step.key != NULL)
        slot_remove_key(slot, step.key, step.len);
    else
        slot_remove_index(slot, step.index);
}

/* ---- new roots ---- */

Value *
value_set(const Value *map, const char *key, Value *take)
{
    Value *root = value_ref(map);
    const Value *old = value_get(map, key);

    if (old != NULL && take != NULL && value_equal(old, take)) {
        value_unref(take);
        return root;
    }
    value_replace(slot_entry(&root, key, strlen(key)), take != NULL ? take : value_new_null());
    return root;
}

Value *
value_remove(const Value *map, const char *key)
{
    Value *root = value_ref(map);

    slot_remove_key(&root, key, strlen(key));
    return root;
}

Value *
value_set_at(const Value *value, const char *path, Value *take)
{
    Value *root = value_ref(value);

    value_edit(&root, path, take);
    return root;
}

Value *
value_remove_at(const Value *value, const char *path)
{
    Value *root = value_ref(value);

    value_edit_remove(&root, path);
    return root;
}

Value *
value_append(const Value *array, Value *take)
{
    Value *root = value_ref(array);
    int64_t size = value_is_array(root) ? (int64_t)value_size(root) : 0;

    value_replace(slot_item(&root, size), take != NULL ? take : value_new_null());
    return root;
}

Value *
value_set_item(const Value *array, size_t index, Value *take)
{
    Value *root = value_ref(array);
    const Value *old = value_item(array, index);

    if (old != NULL && take != NULL && value_equal(old, take)) {
        value_unref(take);
        return root;
    }
    value_replace(slot_item(&root, (int64_t)index), take != NULL ? take : value_new_null());
    return root;
}

Value *
value_remove_item(const Value *array, size_t index)
{
    Value *root = value_ref(array);

    slot_remove_index(&root, (int64_t)index);
    return root;
}

/* ---- the builder ---- */

struct ValueBuilder {
    Value *root;
};

ValueBuilder *
value_builder_new(const Value *base)
{
    ValueBuilder *builder = g_new(ValueBuilder, 1);

    builder->root = base != NULL ? value_ref(base) : value_new_map();
    return builder;
}

ValueBuilder *
value_builder_new_array(void)
{
    ValueBuilder *builder = g_new(ValueBuilder, 1);

    builder->root = value_new_array();
    return builder;
}

void
value_builder_free(ValueBuilder *builder)
{
    if (builder == NULL)
        return;
    value_unref(builder->root);
    g_free(builder);
}

const Value *
value_builder_peek(const ValueBuilder *builder)
{
    return builder->root;
}

void
value_builder_set(ValueBuilder *builder, const char *key, Value *take)
{
    value_replace(slot_entry(&builder->root, key, strlen(key)),
                  take != NULL ? take : value_new_null());
}

void
value_builder_remove(ValueBuilder *builder, const char *key)
{
    slot_remove_key(&builder->root, key, strlen(key));
}

void
value_builder_set_at(ValueBuilder *builder, const char *path, Value *take)
{
    value_edit(&builder->root, path, take);
}

void
value_builder_remove_at(ValueBuilder *builder, const char *path)
{
    value_edit_remove(&builder->root, path);
}

void
value_builder_append(ValueBuilder *builder, Value *take)
{
    int64_t size = value_is_array(builder->root) ? (int64_t)value_size(builder->root) : 0;

    value_replace(slot_item(&builder->root, size), take != NULL ? take : value_new_null());
}

Value *
value_builder_end(ValueBuilder *builder)
{
    Value *root = builder->root;

    g_free(builder);
    return root;
}
