/* What a schema says of a type, and what follows from it for values of that type. */
#pragma once

#include "core/api/types.h"
#include "core/object/value.h"

typedef enum {
    SCHEMA_STRING,
    SCHEMA_INT32,
    SCHEMA_INT64,
    SCHEMA_BOOL,
    SCHEMA_DOUBLE,
    SCHEMA_BYTES,         /* base64 text in JSON */
    SCHEMA_QUANTITY,      /* "500m" */
    SCHEMA_INT_OR_STRING,
    SCHEMA_TIME,          /* RFC 3339, seconds */
    SCHEMA_MICRO_TIME,    /* RFC 3339, microseconds */
    SCHEMA_DURATION,      /* "30s" (metav1.Duration) */
    SCHEMA_FIELDS_V1,     /* managedFields */
    SCHEMA_RAW,           /* any JSON value (RawExtension, JSON) */
    SCHEMA_OBJECT,        /* named fields */
    SCHEMA_MAP,           /* string -> element */
    SCHEMA_ARRAY,
} SchemaType;

typedef enum { SCHEMA_LIST_ATOMIC, SCHEMA_LIST_SET, SCHEMA_LIST_MAP } SchemaListType;

typedef struct SchemaField {
    const char *name;         /* JSON name */
    const Schema *schema;
    int number;               /* protobuf field number; 0 when the field has none */
    bool required;            /* must be present and, for strings and lists, not empty */
    bool pointer;             /* a Go pointer: absent and zero differ; absent on the wire when not set */
    bool inlined;             /* protobuf: the message of this number carries fields that JSON has in the parent */
    bool immutable;           /* may not change by update */
    const Value *default_value; /* NULL: none */
    bool patch_merge;         /* strategic merge: patchStrategy=merge */
    bool patch_replace;       /* patchStrategy=replace, of a map (maps are merged otherwise) */
    bool patch_retain_keys;   /* patchStrategy=retainKeys */
    const char *patch_merge_key; /* patchMergeKey, or NULL */
    SchemaListType list_type;
    const char *const *list_map_keys; /* NULL terminated */
    const char *const *enum_values;   /* NULL, or NULL terminated */
    const char *description;  /* one line, our own words */
} SchemaField;

struct Schema {
    const char *name;  /* "PodSpec"; NULL for simple types */
    const char *openapi_name; /* "io.k8s.api.core.v1.PodSpec"; NULL for simple types */
    SchemaType type;
    const SchemaField *fields; /* sorted by JSON name; of an object */
    size_t n_fields;
    const Schema *element;     /* of a map or an array */
    bool map_atomic;           /* x-kubernetes-map-type: atomic */
    bool preserve_unknown;     /* keeps fields it does not know (custom resources) */
    const char *description;
};

const SchemaField *schema_field(const Schema *schema, const char *json_name); /* inlined ones are looked through */

/* Drops fields that the schema does not know (nulls too, as decoding into Go structs does), converts loosely as Go's
 * decoder would not: a value of a wrong type is an error, said like the real API server says it
 * ("json: cannot unmarshal string into Go struct field PodSpec.spec.replicas of type int32").
 * Returns a new object. When ret_unknown is not NULL it receives texts such as `unknown field "spec.foo"` (for
 * fieldValidation; sorted by path; may be empty). */
Value *schema_decode(const Schema *schema, const Value *object, GPtrArray **ret_unknown, GError **error);

/* Fills in what the schema's static defaults say (core/api/defaults.h adds those that depend on other fields). */
Value *schema_default(const Schema *schema, const Value *object);

/* Strategic merge patch with $patch, $retainKeys, $setElementOrder, $deleteFromPrimitiveList
 * (apimachinery pkg/util/strategicpatch). `schema` NULL is not allowed: custom resources have no strategic merge. */
Value *schema_strategic_merge(const Schema *schema, const Value *original, const Value *patch, GError **error);
/* The patch that brings `original` to `modified` given what the last writer had (three-way, as kubectl apply makes it). */
Value *schema_strategic_three_way(const Schema *schema, const Value *original, const Value *modified,
                                  const Value *current, GError **error);

/* Protobuf in and out, without the k8s\0 envelope. Lengths in bytes. */
Value *schema_from_protobuf(const Schema *schema, const uint8_t *bytes, size_t length, GError **error);
GByteArray *schema_to_protobuf(const Schema *schema, const Value *object, GError **error);
/* With the envelope (runtime.Unknown): reads apiVersion and kind from it and finds the schema itself. */
Value *api_from_protobuf(const ApiTypes *types, const uint8_t *bytes, size_t length, GError **error);

/* The OpenAPI documents. v3: one group-version's ("api/v1", "apis/apps/v1"); v2: the whole. JSON as a Value. */
Value *api_openapi_v3(const ApiTypes *types, const char *group, const char *version);
Value *api_openapi_v2(const ApiTypes *types);
/* The gnostic protobuf form of the v2 document (Document message of openapiv2/OpenAPIv2.proto). */
GByteArray *api_openapi_v2_protobuf(const ApiTypes *types);
