/* Shared by the files that write OpenAPI documents. Not for other folders. */
#pragma once

#include "core/api/schema.h"
#include "core/api/types.h"

typedef enum { OPENAPI_V2, OPENAPI_V3 } OpenapiVersion;

/* A document being made: the definitions it has so far, and the types that they still name. */
typedef struct OpenapiDocument {
    const ApiTypes *types;
    OpenapiVersion version;
    ValueBuilder *definitions;
    GHashTable *seen; /* definition names; for look-ups only */
    GPtrArray *todo;  /* Schema, first in first out */
} OpenapiDocument;

void openapi_document_init(OpenapiDocument *document, const ApiTypes *types,
                           OpenapiVersion version);
void openapi_document_clear(OpenapiDocument *document);

/* {$ref: ...} to a named type, which is then defined as well. */
Value *openapi_ref(OpenapiDocument *document, const Schema *schema);
/* The same for one of the small types that have no fields: Patch, Quantity, ... */
Value *openapi_ref_named(OpenapiDocument *document, const char *name);
/* Defines the kind's list and returns a reference to it. */
Value *openapi_ref_list(OpenapiDocument *document, const ApiKind *kind);
/* Defines all that was named and not yet defined. */
void openapi_define_all(OpenapiDocument *document);

/* Adds the paths of one kind. */
void openapi_add_paths(OpenapiDocument *document, ValueBuilder *paths, const ApiKind *kind);
