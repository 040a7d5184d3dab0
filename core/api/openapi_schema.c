/* Types as JSON schemas. Versions 2 and 3 differ in where definitions live and in how a reference
 * carries more than itself. */
#include <string.h>

#include "core/api/openapi_private.h"
#include "core/api/types_private.h"

/* The simple types that are named in documents, by SchemaType. */
static const struct {
    SchemaType type;
    const char *name;
    const char *v2;
    const char *v3;
} NAMED[] = {
    {SCHEMA_QUANTITY, "io.k8s.apimachinery.pkg.api.resource.Quantity",
     "{type: string, description: 'A number with a suffix, such as 500m, 2 or 1.5Gi'}",
     "{oneOf: [{type: string}, {type: number}], description: 'A number with a suffix, such as "
     "500m, 2 or 1.5Gi'}"},
    {SCHEMA_INT_OR_STRING, "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
     "{type: string, format: int-or-string, description: 'A number, or a text such as a percentage "
     "or the name of a port'}",
     "{format: int-or-string, oneOf: [{type: integer}, {type: string}],"
     " description: 'A number, or a text such as a percentage or the name of a port'}"},
    {SCHEMA_TIME, "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
     "{type: string, format: date-time, description: 'RFC 3339, in seconds'}",
     "{type: string, format: date-time, description: 'RFC 3339, in seconds'}"},
    {SCHEMA_MICRO_TIME, "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
     "{type: string, format: date-time, description: 'RFC 3339, in microseconds'}",
     "{type: string, format: date-time, description: 'RFC 3339, in microseconds'}"},
    {SCHEMA_DURATION, "io.k8s.apimachinery.pkg.apis.meta.v1.Duration",
     "{type: string, description: 'A time span such as 1h30m'}",
     "{type: string, description: 'A time span such as 1h30m'}"},
    {SCHEMA_FIELDS_V1, "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
     "{type: object, description: 'A set of fields, as a tree of keys'}",
     "{type: object, description: 'A set of fields, as a tree of keys'}"},
    {SCHEMA_RAW, "io.k8s.apimachinery.pkg.runtime.RawExtension",
     "{type: object, description: 'Any JSON object'}",
     "{type: object, description: 'Any JSON object'}"},
    {SCHEMA_OBJECT, "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
     "{type: object, description: 'A patch in one of the known formats'}",
     "{type: object, description: 'A patch in one of the known formats'}"},
};

void
openapi_document_init(OpenapiDocument *document, const ApiTypes *types, OpenapiVersion version)
{
    document->types = types;
    document->version = version;
    document->definitions = value_builder_new(NULL);
    document->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    document->todo = g_ptr_array_new();
}

void
openapi_document_clear(OpenapiDocument *document)
{
    value_builder_free(document->definitions);
    g_hash_table_unref(document->seen);
    g_ptr_array_unref(document->todo);
}

static Value *
reference(const OpenapiDocument *document, const char *name)
{
    const char *prefix =
        document->version == OPENAPI_V2 ? "#/definitions/" : "#/components/schemas/";
    return value_new_f("{'$ref': %V}", value_new_stringf("%s%s", prefix, name));
}

Value *
openapi_ref(OpenapiDocument *document, const Schema *schema)
{
    if (g_hash_table_add(document->seen, g_strdup(schema->openapi_name)))
        g_ptr_array_add(document->todo, (gpointer)schema);
    return reference(document, schema->openapi_name);
}

Value *
openapi_ref_named(OpenapiDocument *document, const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(NAMED); i++)
        if (strcmp(NAMED[i].name, name) == 0 && g_hash_table_add(document->seen, g_strdup(name)))
            value_builder_set(
                document->definitions, name,
                value_new_f(document->version == OPENAPI_V2 ? NAMED[i].v2 : NAMED[i].v3));
    return reference(document, name);
}

static void
set_text(Value **schema, const char *key, const char *text)
{
    if (text && *text)
        value_replace(schema, value_set(*schema, key, value_new_string(text)));
}

static Value *
words_value(const char *const *words)
{
    Value *list = value_new_array();
    for (; words && *words; words++)
        value_replace(&list, value_append(list, value_new_string(*words)));
    return list;
}

/* What is true of a type wherever it stands. *ret_is_ref tells whether it is but a reference. */
static Value *
type_schema(OpenapiDocument *document, const Schema *schema, bool *ret_is_ref)
{
    *ret_is_ref = false;
    switch (schema->type) {
    case SCHEMA_STRING:
        return value_new_f("{type: string}");
    case SCHEMA_INT32:
        return value_new_f("{type: integer, format: int32}");
    case SCHEMA_INT64:
        return value_new_f("{type: integer, format: int64}");
    case SCHEMA_BOOL:
        return value_new_f("{type: boolean}");
    case SCHEMA_DOUBLE:
        return value_new_f("{type: number, format: double}");
    case SCHEMA_BYTES:
        return value_new_f("{type: string, format: byte}");
    case SCHEMA_MAP:
    case SCHEMA_ARRAY: {
        bool is_ref;
        Value *element = type_schema(document, schema->element, &is_ref);
        if (is_ref && document->version == OPENAPI_V3)
            element = value_new_f("{allOf: [%V], default: ?%V}", element,
                                  schema->element->type == SCHEMA_OBJECT ? value_new_map() : NULL);
        return schema->type == SCHEMA_ARRAY
                   ? value_new_f("{type: array, items: %V}", element)
                   : value_new_f("{type: object, additionalProperties: %V}", element);
    }
    case SCHEMA_OBJECT:
        *ret_is_ref = true;
        return openapi_ref(document, schema);
    default:
        break;
    }
    *ret_is_ref = true;
    for (size_t i = 0; i < G_N_ELEMENTS(NAMED); i++)
        if (NAMED[i].type == schema->type)
            return openapi_ref_named(document, NAMED[i].name);
    g_assert_not_reached();
}

static void
add_list_facts(Value **schema, const SchemaField *field)
{
    static const char *const LIST_TYPES[] = {
        [SCHEMA_LIST_ATOMIC] = "atomic", [SCHEMA_LIST_SET] = "set", [SCHEMA_LIST_MAP] = "map"};
    if (field->schema->type == SCHEMA_ARRAY) {
        set_text(schema, "x-kubernetes-list-type", LIST_TYPES[field->list_type]);
        if (field->list_type == SCHEMA_LIST_MAP)
            value_replace(schema, value_set(*schema, "x-kubernetes-list-map-keys",
                                            words_value(field->list_map_keys)));
    }
    if (field->schema->type == SCHEMA_MAP && field->schema->map_atomic)
        set_text(schema, "x-kubernetes-map-type", "atomic");
    if (field->patch_merge && field->patch_retain_keys)
        set_text(schema, "x-kubernetes-patch-strategy", "merge,retainKeys");
    else if (field->patch_merge || field->patch_retain_keys || field->patch_replace)
        set_text(schema, "x-kubernetes-patch-strategy",
                 field->patch_merge         ? "merge"
                 : field->patch_retain_keys ? "retainKeys"
                                            : "replace");
    set_text(schema, "x-kubernetes-patch-merge-key", field->patch_merge_key);
}

static Value *
field_schema(OpenapiDocument *document, const SchemaField *field)
{
    bool is_ref;
    Value *schema = type_schema(document, field->schema, &is_ref);
    bool v3 = document->version == OPENAPI_V3;
    if (is_ref && v3)
        value_replace(&schema, value_new_f("{allOf: [%v]}", schema));
    if (v3 && field->default_value)
        value_replace(&schema, value_set(schema, "default", value_ref(field->default_value)));
    else if (v3 && is_ref && field->schema->type == SCHEMA_OBJECT && !field->pointer)
        value_replace(&schema, value_set(schema, "default", value_new_map()));
    if (field->enum_values)
        value_replace(&schema, value_set(schema, "enum", words_value(field->enum_values)));
    set_text(&schema, "description", field->description);
    add_list_facts(&schema, field);
    return schema;
}

static void
add_fields(OpenapiDocument *document, const Schema *schema, ValueBuilder *properties,
           Value **required)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        const SchemaField *field = &schema->fields[i];
        if (field->inlined) {
            add_fields(document, field->schema, properties, required);
            continue;
        }
        value_builder_set(properties, field->name, field_schema(document, field));
        if (field->required)
            value_replace(required, value_append(*required, value_new_string(field->name)));
    }
}

/* The kinds that a top-level type is read as: its own, or for those of every group, each group's.
 */
static Value *
kinds_of(const OpenapiDocument *document, const Schema *schema)
{
    const ApiTypes *types = document->types;
    const SchemaPackage *own = schema_package_of(types, schema);
    Value *list = value_new_array();
    for (guint i = 0; i < types->packages->len; i++) {
        const SchemaPackage *package = &g_array_index(types->packages, SchemaPackage, i);
        if (!own || package == own)
            value_replace(
                &list,
                value_append(list, value_new_f("{group: %s, kind: %s, version: %s}", package->group,
                                               schema->name, package->version)));
    }
    return list;
}

static Value *
definition(OpenapiDocument *document, const Schema *schema)
{
    ValueBuilder *properties = value_builder_new(NULL);
    Value *required = value_new_array();
    add_fields(document, schema, properties, &required);
    Value *result = value_new_f("{type: object, properties: %V}", value_builder_end(properties));
    set_text(&result, "description", schema->description);
    if (value_size(required) > 0)
        value_replace(&result, value_set(result, "required", value_ref(required)));
    value_unref(required);
    if (schema->map_atomic)
        set_text(&result, "x-kubernetes-map-type", "atomic");
    if (schema_field(schema, "apiVersion") && schema_field(schema, "kind") &&
        schema_field(schema, "apiVersion")->number == 0)
        value_replace(&result, value_set(result, "x-kubernetes-group-version-kind",
                                         kinds_of(document, schema)));
    return result;
}

Value *
openapi_ref_list(OpenapiDocument *document, const ApiKind *kind)
{
    g_autofree char *package =
        g_strndup(kind->schema->openapi_name,
                  strlen(kind->schema->openapi_name) - strlen(kind->schema->name));
    g_autofree char *name = g_strconcat(package, kind->list_kind, NULL);
    if (!g_hash_table_add(document->seen, g_strdup(name)))
        return reference(document, name);
    const Schema *meta = g_hash_table_lookup(document->types->by_openapi,
                                             "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta");
    Value *item = openapi_ref(document, kind->schema);
    Value *metadata = openapi_ref(document, meta);
    if (document->version == OPENAPI_V3) {
        item = value_new_f("{allOf: [%V], default: {}}", item);
        metadata = value_new_f("{allOf: [%V], default: {}}", metadata);
    }
    set_text(&metadata, "description", "Facts of the list as a whole");
    Value *gvk = value_new_f("[{group: %s, kind: %s, version: %s}]", kind->group, kind->list_kind,
                             kind->version);
    Value *list = value_new_f(
        "{type: object, required: [items], description: %V, properties: {"
        "apiVersion: {type: string, description: 'Group and version that the list is written in'},"
        "kind: {type: string, description: 'Kind of the list, in CamelCase'},"
        "items: {type: array, items: %V, description: 'The objects'}, metadata: %V}}",
        value_new_stringf("A list of %s objects", kind->kind), item, metadata);
    value_replace(&list, value_set(list, "x-kubernetes-group-version-kind", gvk));
    value_builder_set(document->definitions, name, list);
    return reference(document, name);
}

void
openapi_define_all(OpenapiDocument *document)
{
    for (guint i = 0; i < document->todo->len; i++) {
        const Schema *schema = g_ptr_array_index(document->todo, i);
        value_builder_set(document->definitions, schema->openapi_name,
                          definition(document, schema));
    }
    g_ptr_array_set_size(document->todo, 0);
}
