/* What the files that make, read and search an ApiTypes share. Not for other folders. */
#pragma once

#include "core/api/schema.h"
#include "core/api/types.h"

/* The embedded schema texts in serving order; the last has a NULL name. Made by schemas/embed.py.
 */
typedef struct SchemaFile {
    const char *name;
    const char *text;
} SchemaFile;

extern const SchemaFile SCHEMA_FILES[];

/* Every ApiKind is the first member of one of these. */
typedef struct ApiKindEntry {
    ApiKind kind;
    const char *api_version; /* "apps/v1" */
    const char *qualified;   /* "deployments.apps" */
} ApiKindEntry;

/* The OpenAPI package that holds a group-version's types. */
typedef struct SchemaPackage {
    const char *name;        /* "io.k8s.api.apps.v1" */
    const char *api_version; /* "apps/v1" */
    const char *group;
    const char *version;
} SchemaPackage;

struct ApiTypes {
    GPtrArray *kinds; /* ApiKindEntry, serving order */
    GPtrArray
        *schemas; /* Schema of every named type, sorted by openapi_name once reading is over */
    GHashTable *by_openapi;  /* openapi_name -> Schema; for look-ups only */
    GHashTable *by_kind;     /* "group/version/Kind" and "group//Kind" -> ApiKindEntry */
    GHashTable *by_resource; /* "group/version/resource" and "group//resource" -> ApiKindEntry */
    GArray *packages;        /* SchemaPackage, in the order of the files */
    GStringChunk *strings;
    GPtrArray *owned;             /* what g_free releases */
    GPtrArray *values;            /* defaults */
    Schema simple[SCHEMA_OBJECT]; /* one a simple type */
};

/* Memory, zeroed, that lives as long as the types. */
void *api_types_alloc(ApiTypes *types, size_t size);
const char *api_types_intern(ApiTypes *types, const char *text);

/* Adds all files of a NULL-terminated table: types first, then their fields and the kinds. The text
 * is part of the program, so a duplicate, an unknown name or a malformed line ends it with the file
 * and line. */
void schema_read_files(ApiTypes *types, const SchemaFile *files);

const SchemaPackage *schema_package_find(const ApiTypes *types, const char *api_version);
/* The package that the named type is in; NULL for those of every group. */
const SchemaPackage *schema_package_of(const ApiTypes *types, const Schema *schema);
