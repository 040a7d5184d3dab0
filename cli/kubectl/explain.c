/* kubectl explain: from the schemas that the program is built with. */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "core/api/schema.h"

#define DEPTH_MAX 24

static char *
type_name(const Schema *schema)
{
    static const char *const names[] = {
        [SCHEMA_STRING] = "string",     [SCHEMA_INT32] = "integer",
        [SCHEMA_INT64] = "integer",     [SCHEMA_BOOL] = "boolean",
        [SCHEMA_DOUBLE] = "number",     [SCHEMA_BYTES] = "string",
        [SCHEMA_QUANTITY] = "Quantity", [SCHEMA_INT_OR_STRING] = "IntOrString",
        [SCHEMA_TIME] = "string",       [SCHEMA_MICRO_TIME] = "string",
        [SCHEMA_DURATION] = "string",   [SCHEMA_FIELDS_V1] = "FieldsV1",
        [SCHEMA_RAW] = "Object"};
    if (schema->type == SCHEMA_ARRAY) {
        g_autofree char *inner = type_name(schema->element);
        return g_strconcat("[]", inner, NULL);
    }
    if (schema->type == SCHEMA_MAP) {
        g_autofree char *inner = type_name(schema->element);
        return g_strconcat("map[string]", inner, NULL);
    }
    if (schema->type == SCHEMA_OBJECT)
        return g_strdup(schema->name != NULL ? schema->name : "Object");
    return g_strdup(names[schema->type]);
}

static const Schema *
inner_of(const Schema *schema)
{
    for (int depth = 0;
         depth < DEPTH_MAX && (schema->type == SCHEMA_ARRAY || schema->type == SCHEMA_MAP); depth++)
        schema = schema->element;
    return schema;
}

static void
enum_lines(GString *out, const SchemaField *field, const char *indent)
{
    if (field->enum_values == NULL)
        return;
    g_autofree char *values = g_strjoinv(", ", (char **)field->enum_values);
    g_string_append_printf(out, "%senum: %s\n", indent, values);
}

static void
field_lines(GString *out, const Schema *schema, int depth, bool recursive)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        const SchemaField *field = &schema->fields[i];
        if (field->inlined && *field->name == '\0')
            continue;
        g_autofree char *type = type_name(field->schema),
                        *indent = g_strnfill((gsize)(2 + 2 * depth), ' ');
        g_string_append_printf(out, "%s%s\t<%s>%s\n", indent, field->name, type,
                               field->required ? " -required-" : "");
        g_autofree char *deeper = g_strconcat(indent, "  ", NULL);
        const Schema *inner = inner_of(field->schema);
        if (recursive) {
            enum_lines(out, field, deeper);
            /* JSONSchemaProps and their like contain themselves. */
            if (inner->type == SCHEMA_OBJECT && inner != schema && depth < DEPTH_MAX &&
                !(inner->name != NULL && strcmp(inner->name, "ObjectMeta") == 0 && depth > 0))
                field_lines(out, inner, depth + 1, true);
            continue;
        }
        enum_lines(out, field, deeper);
        g_string_append_printf(out, "%s%s\n\n", deeper,
                               field->description != NULL ? field->description : "");
    }
}

static int
explain(Kube *kube, const ApiKind *kind, char **path)
{
    const Schema *schema = kind->schema;
    const SchemaField *field = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    for (char **step = path; *step != NULL; step++) {
        const Schema *inner = inner_of(schema);
        field = inner->type == SCHEMA_OBJECT ? schema_field(inner, *step) : NULL;
        if (field == NULL)
            return kube_fail(kube, "field \"%s\" does not exist", *step);
        schema = field->schema;
    }
    if (*kind->group != '\0')
        g_string_append_printf(out, "GROUP:      %s\n", kind->group);
    g_string_append_printf(out, "KIND:       %s\nVERSION:    %s\n\n", kind->kind, kind->version);
    g_autofree char *type = type_name(schema);
    const Schema *inner = inner_of(schema);
    if (field != NULL) {
        g_string_append_printf(out, "FIELD: %s <%s>%s\n", field->name, type,
                               field->required ? " -required-" : "");
        enum_lines(out, field, "");
        g_string_append_c(out, '\n');
    }
    const char *description = field != NULL && field->description != NULL  ? field->description
                              : field == NULL && kind->description != NULL ? kind->description
                              : inner->description != NULL                 ? inner->description
                                                                           : "<empty>";
    g_string_append_printf(out, "DESCRIPTION:\n    %s\n", description);
    if (inner->type == SCHEMA_OBJECT) {
        g_string_append(out, "    \nFIELDS:\n");
        field_lines(out, inner, 0, kube_flag_bool(kube, "recursive"));
    }
    g_string_append_c(out, '\n');
    kube_write(kube, 1, out->str);
    return 0;
}

static int
explain_run(Kube *kube)
{
    if (kube_n_args(kube) != 1)
        return kube_fail(kube, kube_n_args(kube) == 0
                                   ? "You must specify the type of resource to explain. Use "
                                     "\"kubectl api-resources\" for a "
                                     "complete list of supported resources."
                                   : "We accept only this format: explain RESOURCE");
    g_auto(GStrv) steps = g_strsplit(kube_arg(kube, 0), ".", DEPTH_MAX);
    const ApiKind *kind = steps[0] != NULL ? kube_kind(kube, steps[0]) : NULL;
    if (kind == NULL)
        return 1;
    if (*kube_flag(kube, "api-version") != '\0') {
        g_autoptr(Value) head =
            value_new_f("{apiVersion: %s, kind: %s}", kube_flag(kube, "api-version"), kind->kind);
        const ApiKind *other = kube_kind_of(kube, head);
        if (other == NULL)
            return kube_fail(kube, "couldn't find resource for \"%s, Kind=%s\"",
                             kube_flag(kube, "api-version"), kind->kind);
        kind = other;
    }
    if (kind->schema == NULL)
        return kube_fail(kube, "the schema of \"%s\" is not known here", kind->resource);
    return explain(kube, kind, steps + 1);
}

static const KubeFlag flags[] = {
    {"recursive", 0, FLAG_BOOL, "false", NULL, "All fields below it too, by name only"},
    {"api-version", 0, FLAG_TEXT, NULL, NULL, "Of this group and version (apps/v1)"},
    {"output", 0, FLAG_TEXT, "plaintext", NULL, "Accepted"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_EXPLAIN = {
    .name = "explain",
    .group = "Basic Commands (Intermediate)",
    .usage = "TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] "
             "[-o|--output=plaintext|plaintext-openapiv2]",
    .summary = "Get documentation for a resource",
    .help = "Fields are named as <type>.<fieldName>[.<fieldName>].",
    .examples = "  kubectl explain pods\n  kubectl explain deploy.spec.strategy --recursive",
    .flags = flags,
    .run = explain_run,
};
