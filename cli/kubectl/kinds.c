/* Kinds by what a person types: the built-in ones, then those that the server tells of. */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "core/object/json.h"

/* ---- discovery ---- */

static Value *
get_json(Kube *kube, const char *path)
{
    g_autofree char *text = kube->env->get_raw(path, NULL, kube->env->data);
    return text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
}

static unsigned
verbs_of(const Value *names)
{
    unsigned verbs = 0;
    VALUE_ARRAY_FOREACH (name, names)
        for (unsigned bit = API_VERB_GET; bit <= API_VERB_DELETECOLLECTION; bit <<= 1)
            if (strcmp(api_verb_name((ApiVerb)bit), value_text(name)) == 0)
                verbs |= bit;
    return verbs;
}

static char **
texts_of(const Value *array)
{
    char **texts = g_new0(char *, value_size(array) + 1);
    for (size_t i = 0; i < value_size(array); i++)
        texts[i] = g_strdup(value_text(value_item(array, i)));
    return texts;
}

static void
add_resource(Kube *kube, const char *group, const char *version, const Value *resource)
{
    const char *name = value_text(value_get(resource, "name"));
    if (strchr(name, '/') != NULL || api_types_by_resource(kube->env->types, group, NULL, name))
        return;
    g_auto(GStrv) short_names = texts_of(value_get(resource, "shortNames"));
    g_auto(GStrv) categories = texts_of(value_get(resource, "categories"));
    g_ptr_array_add(kube->kinds,
                    api_kind_new(group, version, value_text(value_get(resource, "kind")), name,
                                 value_text(value_get(resource, "singularName")),
                                 value_bool(value_get(resource, "namespaced")),
                                 verbs_of(value_get(resource, "verbs")),
                                 (const char *const *)short_names,
                                 (const char *const *)categories));
}

static void
add_group_version(Kube *kube, const char *group, const char *version)
{
    g_autofree char *path = *group == '\0' ? g_strdup_printf("/api/%s", version)
                                           : g_strdup_printf("/apis/%s/%s", group, version);
    g_autoptr(Value) list = get_json(kube, path);
    VALUE_ARRAY_FOREACH (resource, value_get(list, "resources"))
        add_resource(kube, group, version, resource);
}

/* Asks once a command line. */
static void
discover(Kube *kube)
{
    if (kube->discovered || kube->env->get_raw == NULL)
        return;
    kube->discovered = true;
    g_autoptr(Value) groups = get_json(kube, "/apis");
    add_group_version(kube, "", "v1");
    VALUE_ARRAY_FOREACH (group, value_get(groups, "groups"))
        add_group_version(kube, value_text(value_get(group, "name")),
                          value_text_at(group, "preferredVersion.version"));
}

static void
kind_free(void *kind)
{
    api_kind_free(kind);
}

void
kube_kinds_clear(Kube *kube)
{
    if (kube->kinds != NULL)
        g_ptr_array_free(kube->kinds, TRUE);
    kube->kinds = NULL;
}

/* ---- looking up ---- */

static bool
discovered_matches(const ApiKind *kind, const char *word)
{
    const char *dot = strchr(word, '.');
    g_autofree char *name = dot != NULL ? g_strndup(word, (gsize)(dot - word)) : g_strdup(word);
    bool same = g_ascii_strcasecmp(name, kind->resource) == 0 ||
                g_ascii_strcasecmp(name, kind->singular) == 0 ||
                g_ascii_strcasecmp(name, kind->kind) == 0;
    for (const char *const *short_name = kind->short_names; !same && *short_name; short_name++)
        same = g_ascii_strcasecmp(name, *short_name) == 0;
    if (!same || dot == NULL)
        return same;
    g_autofree char *versioned = g_strconcat(kind->version, ".", kind->group, NULL);
    return g_str_has_prefix(kind->group, dot + 1) || strcmp(versioned, dot + 1) == 0;
}

const ApiKind *
kube_kind_quiet(Kube *kube, const char *word)
{
    const ApiKind *kind = api_types_lookup(kube->env->types, word);
    if (kind != NULL || *word == '\0')
        return kind;
    if (kube->kinds == NULL)
        kube->kinds = g_ptr_array_new_with_free_func(kind_free);
    discover(kube);
    for (guint i = 0; i < kube->kinds->len; i++)
        if (discovered_matches(g_ptr_array_index(kube->kinds, i), word))
            return g_ptr_array_index(kube->kinds, i);
    return NULL;
}

const ApiKind *
kube_kind(Kube *kube, const char *word)
{
    const ApiKind *kind = kube_kind_quiet(kube, word);
    if (kind != NULL)
        return kind;
    kube_err(kube, "error: the server doesn't have a resource type \"%s\"\n", word);
    g_auto(GStrv) near = api_types_near(kube->env->types, word, 3);
    if (near != NULL && near[0] != NULL) {
        g_autofree char *names = g_strjoinv(", ", near);
        kube_err(kube, "did you mean: %s?\n", names);
    }
    return NULL;
}

const ApiKind *
kube_kind_of(Kube *kube, const Value *object)
{
    const ApiKind *kind = api_types_of(kube->env->types, object);
    if (kind != NULL)
        return kind;
    const char *api_version = value_text(value_get(object, "apiVersion"));
    if (kube->kinds == NULL)
        kube->kinds = g_ptr_array_new_with_free_func(kind_free);
    discover(kube);
    for (guint i = 0; i < kube->kinds->len; i++) {
        const ApiKind *known = g_ptr_array_index(kube->kinds, i);
        if (strcmp(known->kind, value_text(value_get(object, "kind"))) == 0 &&
            strcmp(api_kind_api_version(known), api_version) == 0)
            return known;
    }
    return NULL;
}

const ApiKind *
kube_kind_named(Kube *kube, const char *group, const char *resource)
{
    const ApiKind *kind = api_types_by_resource(kube->env->types, group, NULL, resource);
    g_assert(kind != NULL);
    return kind;
}

GPtrArray *
kube_kinds(Kube *kube)
{
    GPtrArray *all = g_ptr_array_new();
    for (size_t i = 0; i < api_types_count(kube->env->types); i++)
        g_ptr_array_add(all, (void *)api_types_item(kube->env->types, i));
    if (kube->kinds == NULL)
        kube->kinds = g_ptr_array_new_with_free_func(kind_free);
    discover(kube);
    for (guint i = 0; i < kube->kinds->len; i++)
        g_ptr_array_add(all, g_ptr_array_index(kube->kinds, i));
    return all;
}

char *
kube_kind_short(const ApiKind *kind)
{
    g_autofree char *lower = g_ascii_strdown(kind->kind, -1);
    return *kind->group != '\0' ? g_strconcat(lower, ".", kind->group, NULL) : g_strdup(lower);
}

char *
kube_item_label(const ApiKind *kind, const char *name)
{
    g_autofree char *word = kube_kind_short(kind);
    return g_strconcat(word, "/", name, NULL);
}
