/* Dotted paths into values: "spec.containers[0].image", "metadata.labels['app.kubernetes.io/name']". */
#include <string.h>

#include "core/object/value_private.h"

/* The text between ['...'] or the number between [...]; `from` points behind the bracket. */
static const char *
path_bracket(const char *from, PathStep *ret_step)
{
    if (*from == '\'' || *from == '"') {
        const char *end = strchr(from + 1, *from);
        g_assert(end != NULL && end[1] == ']');
        *ret_step = (PathStep){.key = from + 1, .len = (size_t)(end - from - 1)};
        return end + 2;
    }
    char *end;
    int64_t index = g_ascii_strtoll(from, &end, 10);
    g_assert(end != from && *end == ']');
    *ret_step = (PathStep){.index = index};
    return end + 1;
}

bool
value_path_next(const char **path, PathStep *ret_step)
{
    const char *from = *path;

    if (*from == '.')
        from++;
    if (*from == '\0')
        return false;
    if (*from == '[') {
        *path = path_bracket(from + 1, ret_step);
        return true;
    }
    const char *end = from;
    while (*end != '\0' && *end != '.' && *end != '[')
        end++;
    g_assert(end > from);
    *ret_step = (PathStep){.key = from, .len = (size_t)(end - from)};
    *path = end;
    return true;
}

static const Value *
value_step(const Value *value, const PathStep *step)
{
    if (step->key == NULL) {
        int64_t size = (int64_t)value_size(value);
        int64_t index = step->index < 0 ? step->index + size : step->index;
        return index < 0 ? NULL : value_item(value, (size_t)index);
    }
    const Container *map = value_as_map(value);
    bool found;
    if (map == NULL)
        return NULL;
    size_t index = value_map_search(map, step->key, step->len, &found);
    return found ? container_entries(map)[index].value : NULL;
}

const Value *
value_at(const Value *value, const char *path)
{
    PathStep step;

    while (value != NULL && value_path_next(&path, &step))
        value = value_step(value, &step);
    return value;
}

bool
value_bool_at(const Value *value, const char *path)
{
    return value_bool(value_at(value, path));
}

int64_t
value_int_at(const Value *value, const char *path)
{
    return value_int(value_at(value, path));
}

int64_t
value_int_at_or(const Value *value, const char *path, int64_t otherwise)
{
    const Value *found = value_at(value, path);
    ValueType type = value_type(found);

    return type == VALUE_INT || type == VALUE_DOUBLE ? value_int(found) : otherwise;
}

const char *
value_string_at(const Value *value, const char *path)
{
    return value_string(value_at(value, path));
}

const char *
value_text_at(const Value *value, const char *path)
{
    return value_text(value_at(value, path));
}
