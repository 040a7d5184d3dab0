/* The OpenAPI documents, put together. */
#include <string.h>

#include "core/api/openapi_private.h"
#include "core/api/types_private.h"

#define API_TITLE "Kubernetes"
#define API_VERSION "v1.35.0"

static Value *
info(void)
{
    return value_new_f("{title: %s, version: %s}", API_TITLE, API_VERSION);
}

/* Everything an object of this group-version may be read or written as. */
static void
refer_to(OpenapiDocument *document, const Schema *schema)
{
    value_unref(openapi_ref(document, schema));
}

static void
refer_to_common(OpenapiDocument *document)
{
    static const char *const COMMON[] = {"DeleteOptions", "Status"};
    for (size_t i = 0; i < G_N_ELEMENTS(COMMON); i++)
        refer_to(document, api_types_schema(document->types, "v1", COMMON[i]));
}

/* Types such as Scale and Eviction have no resource of their own but belong to their group's
 * document. */
static void
refer_to_package(OpenapiDocument *document, const SchemaPackage *package)
{
    const ApiTypes *types = document->types;
    for (guint i = 0; i < types->schemas->len; i++) {
        const Schema *schema = g_ptr_array_index(types->schemas, i);
        if (schema_package_of(types, schema) == package && schema_field(schema, "apiVersion"))
            refer_to(document, schema);
    }
}

Value *
api_openapi_v3(const ApiTypes *types, const char *group, const char *version)
{
    g_autofree char *api_version =
        *group ? g_strconcat(group, "/", version, NULL) : g_strdup(version);
    const SchemaPackage *package = schema_package_find(types, api_version);
    if (!package)
        return NULL;
    OpenapiDocument document;
    openapi_document_init(&document, types, OPENAPI_V3);
    ValueBuilder *paths = value_builder_new(NULL);
    refer_to_common(&document);
    refer_to_package(&document, package);
    for (guint i = 0; i < types->kinds->len; i++) {
        const ApiKind *kind = g_ptr_array_index(types->kinds, i);
        if (strcmp(kind->group, group) == 0 && strcmp(kind->version, version) == 0)
            openapi_add_paths(&document, paths, kind);
    }
    openapi_define_all(&document);
    Value *schemas = value_ref(value_builder_peek(document.definitions));
    openapi_document_clear(&document);
    return value_new_f(
        "{openapi: '3.0.0', info: %V, paths: %V, components: {schemas: %V,"
        " securitySchemes: {BearerToken: {type: apiKey, name: authorization, in: header}}}}",
        info(), value_builder_end(paths), schemas);
}

Value *
api_openapi_v2(const ApiTypes *types)
{
    OpenapiDocument document;
    openapi_document_init(&document, types, OPENAPI_V2);
    ValueBuilder *paths = value_builder_new(NULL);
    refer_to_common(&document);
    for (guint i = 0; i < types->packages->len; i++)
        refer_to_package(&document, &g_array_index(types->packages, SchemaPackage, i));
    for (guint i = 0; i < types->kinds->len; i++)
        openapi_add_paths(&document, paths, g_ptr_array_index(types->kinds, i));
    openapi_define_all(&document);
    Value *definitions = value_ref(value_builder_peek(document.definitions));
    openapi_document_clear(&document);
    return value_new_f("{swagger: '2.0', info: %V, paths: %V, definitions: %V}", info(),
                       value_builder_end(paths), definitions);
}
