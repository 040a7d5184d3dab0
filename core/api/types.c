/* Making, owning and naming the table of kinds. Reading its text: schema_read.c; searching:
 * types_lookup.c. */
#include "core/api/types.h"

#include <string.h>

#include "core/api/types_private.h"

void *
api_types_alloc(ApiTypes *types, size_t size)
{
    void *memory = g_malloc0(size);
    g_ptr_array_add(types->owned, memory);
    return memory;
}

const char *
api_types_intern(ApiTypes *types, const char *text)
{
    return g_string_chunk_insert_const(types->strings, text);
}

static void
value_free(gpointer value)
{
    value_unref(value);
}

static int
schema_by_name(gconstpointer a, gconstpointer b)
{
    const Schema *left = *(Schema *const *)a;
    const Schema *right = *(Schema *const *)b;
    return strcmp(left->openapi_name, right->openapi_name);
}

ApiTypes *
api_types_new(void)
{
    ApiTypes *types = g_new0(ApiTypes, 1);
    types->kinds = g_ptr_array_new();
    types->schemas = g_ptr_array_new();
    types->by_openapi = g_hash_table_new(g_str_hash, g_str_equal);
    types->by_kind = g_hash_table_new(g_str_hash, g_str_equal);
    types->by_resource = g_hash_table_new(g_str_hash, g_str_equal);
    types->packages = g_array_new(FALSE, FALSE, sizeof(SchemaPackage));
    types->strings = g_string_chunk_new(16 * 1024);
    types->owned = g_ptr_array_new_with_free_func(g_free);
    types->values = g_ptr_array_new_with_free_func(value_free);
    for (int i = 0; i < SCHEMA_OBJECT; i++)
        types->simple[i].type = (SchemaType)i;
    schema_read_files(types, SCHEMA_FILES);
    g_ptr_array_sort(types->schemas, schema_by_name);
    return types;
}

void
api_types_free(ApiTypes *types)
{
    if (!types)
        return;
    g_ptr_array_unref(types->values);
    g_ptr_array_unref(types->owned);
    g_string_chunk_free(types->strings);
    g_array_unref(types->packages);
    g_hash_table_unref(types->by_resource);
    g_hash_table_unref(types->by_kind);
    g_hash_table_unref(types->by_openapi);
    g_ptr_array_unref(types->schemas);
    g_ptr_array_unref(types->kinds);
    g_free(types);
}

const char *
api_verb_name(ApiVerb verb)
{
    switch (verb) {
    case API_VERB_GET:
        return "get";
    case API_VERB_LIST:
        return "list";
    case API_VERB_WATCH:
        return "watch";
    case API_VERB_CREATE:
        return "create";
    case API_VERB_UPDATE:
        return "update";
    case API_VERB_PATCH:
        return "patch";
    case API_VERB_DELETE:
        return "delete";
    case API_VERB_DELETECOLLECTION:
        return "deletecollection";
    case API_VERB_CONNECT:
        return "connect";
    }
    g_assert_not_reached();
}

size_t
api_types_count(const ApiTypes *types)
{
    return types->kinds->len;
}

const ApiKind *
api_types_item(const ApiTypes *types, size_t index)
{
    g_assert(index < types->kinds->len);
    return g_ptr_array_index(types->kinds, index);
}

const ApiSubresource *
api_kind_subresource(const ApiKind *kind, const char *name)
{
    for (size_t i = 0; i < kind->n_subresources; i++)
        if (strcmp(kind->subresources[i].name, name) == 0)
            return &kind->subresources[i];
    return NULL;
}

const char *
api_kind_api_version(const ApiKind *kind)
{
    return ((const ApiKindEntry *)kind)->api_version;
}

const char *
api_kind_qualified(const ApiKind *kind)
{
    return ((const ApiKindEntry *)kind)->qualified;
}
