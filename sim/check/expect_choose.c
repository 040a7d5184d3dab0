#include <string.h>

#include "core/api/meta.h"
#include "core/base/error.h"
#include "core/object/jsonpath.h"
#include "core/object/selector.h"
#include "sim/check/expect_private.h"

const ApiKind *
expect_kind(const ApiTypes *types, const Value *expect)
{
    const char *kind = value_string(value_get(expect, "kind"));
    if (kind == NULL)
        return value_has(expect, "event") ? api_types_lookup(types, "events") : NULL;
    return api_types_lookup(types, kind);
}

/* ---- texts of fields ---------------------------------------------------------------------------------- */

char *
expect_scalar_text(const Value *scalar)
{
    GString *text = g_string_new(NULL);
    if (!value_is_null(scalar))
        jsonpath_append_value(text, scalar);
    return g_string_free(text, FALSE);
}

char *
expect_field_text(const char *jsonpath, const Value *object)
{
    GString *text = g_string_new(NULL);
    g_autofree char *relaxed = jsonpath_relax(jsonpath, NULL);
    g_autoptr(JsonPath) path = relaxed != NULL ? jsonpath_parse(relaxed, NULL) : NULL;
    if (path != NULL)
        jsonpath_print(path, object, JSONPATH_MISSING_KEYS_ARE_EMPTY, text, NULL);
    return g_string_free(text, FALSE);
}

bool
expect_text_fits(const char *found, const Value *wanted)
{
    if (value_is_map(wanted)) {
        if (value_has(wanted, "not"))
            return !expect_text_fits(found, value_get(wanted, "not"));
        VALUE_ARRAY_FOREACH (one, value_get(wanted, "oneOf"))
            if (expect_text_fits(found, one))
                return true;
        return false;
    }
    g_autofree char *text = expect_scalar_text(wanted);
    return strcmp(found, text) == 0;
}

/* ---- choosing -------------------------------------------------------------------------------------------- */

static bool
fits_where(const Value *where, const Value *object)
{
    VALUE_MAP_FOREACH (path, wanted, where) {
        g_autofree char *found = expect_field_text(path, object);
        if (!expect_text_fits(found, wanted))
            return false;
    }
    return true;
}

static bool
fits_event(const Value *event, const Value *object)
{
    const char *wanted = value_string(value_get(event, "object"));
    if (wanted != NULL) {
        g_autofree char *about =
            g_strdup_printf("%s/%s", value_text_at(object, "involvedObject.kind"),
                            value_text_at(object, "involvedObject.name"));
        if (!g_pattern_match_simple(wanted, about))
            return false;
    }
    const char *reason = value_string(value_get(event, "reason"));
    const char *type = value_string(value_get(event, "type"));
    const char *message = value_string(value_get(event, "message"));
    return (reason == NULL || strcmp(reason, value_text_at(object, "reason")) == 0) &&
           (type == NULL || strcmp(type, value_text_at(object, "type")) == 0) &&
           (message == NULL || strstr(value_text_at(object, "message"), message) != NULL);
}

/* "default" for a kind with namespaces, NULL for all and for kinds without. */
static const char *
wanted_namespace(const ApiKind *kind, const Value *expect)
{
    const char *given = value_string(value_get(expect, "namespace"));
    if (!kind->namespaced || (given != NULL && strcmp(given, "*") == 0))
        return NULL;
    return given != NULL ? given : "default";
}

GPtrArray *
expect_choose(World *world, const Value *expect)
{
    GPtrArray *chosen = g_ptr_array_new();
    const ApiKind *kind = expect_kind(world_types(world), expect);
    PMap *objects = kind != NULL ? world_objects(world, kind->storage_group, kind->resource) : NULL;
    if (objects == NULL)
        return chosen;
    const char *namespace_ = wanted_namespace(kind, expect);
    const char *name = value_string(value_get(expect, "name"));
    const char *labels = value_string(value_get(expect, "selector"));
    g_autoptr(Selector) selector = labels != NULL ? selector_parse(labels, NULL) : NULL;
    g_autofree char *prefix = namespace_ != NULL ? g_strconcat(namespace_, "/", NULL) : g_strdup("");
    PMapIter iter = pmap_seek_prefix(objects, prefix);
    while (pmap_next(&iter)) {
        const Value *object = iter.value;
        if ((name == NULL || g_pattern_match_simple(name, object_name(object))) &&
            (selector == NULL || selector_matches(selector, object_labels(object))) &&
            fits_where(value_get(expect, "where"), object) &&
            fits_event(value_get(expect, "event"), object))
            g_ptr_array_add(chosen, iter.value);
    }
    return chosen;
}

/* ---- is it well formed? -------------------------------------------------------------------------------------- */

static bool
jsonpath_is_valid(const char *text, const char *path, const char *field, GError **error)
{
    g_autofree char *relaxed = jsonpath_relax(text, error);
    g_autoptr(JsonPath) parsed = relaxed != NULL ? jsonpath_parse(relaxed, error) : NULL;
    if (parsed == NULL)
        g_prefix_error(error, "%s.%s: ", path, field);
    return parsed != NULL;
}

bool
expect_choose_validate(const Value *expect, const ApiTypes *types, const char *path, GError **error)
{
    const char *kind = value_string(value_get(expect, "kind"));
    const Value *event = value_get(expect, "event");
    if (event != NULL && !value_is_map(event))
        return fail(error, TIMONEL_ERROR_INVALID, "%s.event: must be a map such as {reason: Killing}", path);
    if (kind == NULL && event == NULL)
        return fail(error, TIMONEL_ERROR_INVALID, "%s.kind: required, as Pod or Deployment", path);
    if (expect_kind(types, expect) == NULL) {
        g_auto(GStrv) near = api_types_near(types, kind, 3);
        g_autofree char *names = g_strjoinv(", ", near);
        return fail(error, TIMONEL_ERROR_INVALID, "%s.kind: \"%s\" is unknown%s%s", path, kind,
                    *names != '\0' ? "; near it are " : "", names);
    }
    const char *labels = value_string(value_get(expect, "selector"));
    if (labels != NULL) {
        g_autoptr(Selector) selector = selector_parse(labels, error);
        if (selector == NULL) {
            g_prefix_error(error, "%s.selector: ", path);
            return false;
        }
    }
    VALUE_MAP_FOREACH (field, wanted, value_get(expect, "where"))
        if (!jsonpath_is_valid(field, path, "where", error))
            return false;
    const char *jsonpath = value_string(value_get(expect, "jsonpath"));
    return jsonpath == NULL || jsonpath_is_valid(jsonpath, path, "jsonpath", error);
}
