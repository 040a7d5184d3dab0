/* Reads the schema texts. One line says one thing, in the order of its words:
 *
 *   package io.k8s.api.apps.v1               the OpenAPI package of the types of this file
 *   group apps v1                            its group ("core" is "") and version; absent: types
 * only use PACKAGE...                           where names that this file does not have are looked
 * up, in order kind Deployment deployments namespaced -- doc singular WORD | list KIND | short
 * WORD... | categories WORD... | select PATH... | generation verbs VERB... (without the line: all
 * eight) storage v1                             objects live under this apiVersion's resource of
 * the same name subresource NAME VERB... = apps/v1 Kind     (without `=`: the kind itself) type
 * DeploymentSpec [object] [atomic] [open] -- doc replicas 1 *int32 FLAG... -- doc       JSON name,
 * protobuf number (0: none), type
 *
 * An `object` has apiVersion and kind, an `atomic` type is one unit to server-side apply, an `open`
 * one keeps unknown fields. Types: string int32 int64 bool double bytes quantity int-or-string time
 * micro-time duration fields-v1 raw, a named type, []T, map[string]T, and *T for what is a pointer
 * in Go (absent and zero differ). Flags: required, inline, immutable, default=TEXT, merge[=KEY],
 * replace, retain-keys, list=KEY,KEY, set, atomic, enum=A|B. */
#include <string.h>

#include "core/api/types_private.h"

typedef struct {
    ApiTypes *types;
    const char *file;
    int line;
    const char *package;
    const char *group;
    const char *version;
    char **uses;
    Schema *type;   /* the type whose fields are being read, or */
    GArray *fields; /* SchemaField */
    ApiKindEntry *kind;
    GArray *subresources; /* ApiSubresource */
} Reader;

static const char *const SIMPLE_NAMES[] = {
    [SCHEMA_STRING] = "string",     [SCHEMA_INT32] = "int32",
    [SCHEMA_INT64] = "int64",       [SCHEMA_BOOL] = "bool",
    [SCHEMA_DOUBLE] = "double",     [SCHEMA_BYTES] = "bytes",
    [SCHEMA_QUANTITY] = "quantity", [SCHEMA_INT_OR_STRING] = "int-or-string",
    [SCHEMA_TIME] = "time",         [SCHEMA_MICRO_TIME] = "micro-time",
    [SCHEMA_DURATION] = "duration", [SCHEMA_FIELDS_V1] = "fields-v1",
    [SCHEMA_RAW] = "raw",
};

static const char *const NO_WORDS[] = {NULL};

static G_NORETURN void
broken(const Reader *reader, const char *what, const char *word)
{
    g_error("%s:%d: %s: %s", reader->file, reader->line, what, word ? word : "(nothing)");
}

static const char *
intern(Reader *reader, const char *text)
{
    return api_types_intern(reader->types, text);
}

static const char *const *
intern_words(Reader *reader, char *const *words)
{
    size_t n = g_strv_length((char **)words);
    const char **list = api_types_alloc(reader->types, (n + 1) * sizeof(char *));
    for (size_t i = 0; i < n; i++)
        list[i] = intern(reader, words[i]);
    return list;
}

static const char *const *
intern_split(Reader *reader, const char *text, const char *separator)
{
    g_auto(GStrv) words = g_strsplit(text, separator, -1);
    return intern_words(reader, words);
}

/* ---- types
 * ------------------------------------------------------------------------------------------------
 */

static const Schema *
named_type(Reader *reader, const char *name)
{
    g_autofree char *own = g_strdup_printf("%s.%s", reader->package, name);
    const Schema *schema = g_hash_table_lookup(reader->types->by_openapi, own);
    for (char **use = reader->uses; !schema && use && *use; use++) {
        g_autofree char *other = g_strdup_printf("%s.%s", *use, name);
        schema = g_hash_table_lookup(reader->types->by_openapi, other);
    }
    if (!schema)
        broken(reader, "no such type", name);
    return schema;
}

static const Schema *
type_of(Reader *reader, const char *text, bool atomic)
{
    bool map = g_str_has_prefix(text, "map[string]");
    if (map || g_str_has_prefix(text, "[]")) {
        Schema *schema = api_types_alloc(reader->types, sizeof(Schema));
        schema->type = map ? SCHEMA_MAP : SCHEMA_ARRAY;
        schema->element = type_of(reader, text + (map ? strlen("map[string]") : 2), false);
        schema->map_atomic = atomic;
        return schema;
    }
    for (int i = 0; i < SCHEMA_OBJECT; i++)
        if (strcmp(text, SIMPLE_NAMES[i]) == 0)
            return &reader->types->simple[i];
    return named_type(reader, text);
}

static const Value *
default_of(Reader *reader, const Schema *schema, const char *text)
{
    Value *value = NULL;
    switch (schema->type) {
    case SCHEMA_INT32:
    case SCHEMA_INT64:
        value = value_new_int(g_ascii_strtoll(text, NULL, 10));
        break;
    case SCHEMA_BOOL:
        value = value_new_bool(strcmp(text, "true") == 0);
        break;
    case SCHEMA_OBJECT:
    case SCHEMA_MAP:
        value = value_new_map();
        break;
    case SCHEMA_STRING:
    case SCHEMA_QUANTITY:
        value = value_new_string(strcmp(text, "\"\"") == 0 ? "" : text);
        break;
    default:
        broken(reader, "no default of this type", text);
    }
    g_ptr_array_add(reader->types->values, value);
    return value;
}

/* ---- fields
 * -----------------------------------------------------------------------------------------------
 */

static void
field_flag(Reader *reader, SchemaField *field, const char *flag)
{
    const char *equals = strchr(flag, '=');
    const char *text = equals ? equals + 1 : NULL;
    if (strcmp(flag, "required") == 0) {
        field->required = true;
    } else if (strcmp(flag, "inline") == 0) {
        field->inlined = true;
    } else if (strcmp(flag, "immutable") == 0) {
        field->immutable = true;
    } else if (g_str_has_prefix(flag, "default=")) {
        field->default_value = default_of(reader, field->schema, text);
    } else if (strcmp(flag, "merge") == 0 || g_str_has_prefix(flag, "merge=")) {
        field->patch_merge = true;
        field->patch_merge_key = text ? intern(reader, text) : NULL;
    } else if (strcmp(flag, "replace") == 0) {
        field->patch_replace = true;
    } else if (strcmp(flag, "retain-keys") == 0) {
        field->patch_retain_keys = true;
    } else if (g_str_has_prefix(flag, "list=")) {
        field->list_type = SCHEMA_LIST_MAP;
        field->list_map_keys = intern_split(reader, text, ",");
    } else if (strcmp(flag, "set") == 0) {
        field->list_type = SCHEMA_LIST_SET;
    } else if (g_str_has_prefix(flag, "enum=")) {
        field->enum_values = intern_split(reader, text, "|");
    } else if (strcmp(flag, "atomic") != 0) {
        broken(reader, "no such flag", flag);
    }
}

static void
read_field(Reader *reader, char **words, const char *doc)
{
    if (g_strv_length(words) < 3)
        broken(reader, "a field is NAME NUMBER TYPE", words[0]);
    SchemaField field = {.name = intern(reader, words[0]), .description = doc};
    field.number = (int)g_ascii_strtoll(words[1], NULL, 10);
    field.pointer = words[2][0] == '*';
    bool atomic = g_strv_contains((const char *const *)words, "atomic");
    field.schema = type_of(reader, words[2] + field.pointer, atomic);
    for (char **flag = words + 3; *flag; flag++)
        field_flag(reader, &field, *flag);
    for (guint i = 0; i < reader->fields->len; i++) {
        const SchemaField *other = &g_array_index(reader->fields, SchemaField, i);
        if (strcmp(other->name, field.name) == 0 || (field.number && other->number == field.number))
            broken(reader, "the field or its number is there already", field.name);
    }
    g_array_append_val(reader->fields, field);
}

static int
field_by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(((const SchemaField *)a)->name, ((const SchemaField *)b)->name);
}

static void
end_type(Reader *reader)
{
    if (!reader->type)
        return;
    GArray *fields = reader->fields;
    g_array_sort(fields, field_by_name);
    SchemaField *kept = api_types_alloc(reader->types, MAX(fields->len, 1) * sizeof(SchemaField));
    if (fields->len)
        memcpy(kept, fields->data, fields->len * sizeof(SchemaField));
    reader->type->fields = kept;
    reader->type->n_fields = fields->len;
    g_array_set_size(fields, 0);
    reader->type = NULL;
}

static void
begin_type(Reader *reader, char **words, const char *doc)
{
    reader->type = (Schema *)named_type(reader, words[1]);
    if (!g_strv_contains((const char *const *)words, "object"))
        return;
    SchemaField field = {.name = "apiVersion", .schema = &reader->types->simple[SCHEMA_STRING]};
    field.description = "Group and version that the object is written in";
    g_array_append_val(reader->fields, field);
    field.name = "kind";
    field.description = "Kind of the object, in CamelCase";
    g_array_append_val(reader->fields, field);
}

/* First pass: only that the type exists, so that files may name each other's types. */
static void
declare_type(Reader *reader, char **words, const char *doc)
{
    ApiTypes *types = reader->types;
    g_autofree char *name = g_strdup_printf("%s.%s", reader->package, words[1]);
    Schema *schema = api_types_alloc(types, sizeof(Schema));
    schema->name = intern(reader, words[1]);
    schema->openapi_name = intern(reader, name);
    schema->type = SCHEMA_OBJECT;
    schema->description = doc;
    for (char **word = words + 2; *word; word++) {
        schema->map_atomic = schema->map_atomic || strcmp(*word, "atomic") == 0;
        schema->preserve_unknown = schema->preserve_unknown || strcmp(*word, "open") == 0;
    }
    if (!g_hash_table_insert(types->by_openapi, (char *)schema->openapi_name, schema))
        broken(reader, "the type is there already", words[1]);
    g_ptr_array_add(types->schemas, schema);
}

/* ---- kinds
 * ------------------------------------------------------------------------------------------------
 */

static unsigned
verbs_of(Reader *reader, char *const *words)
{
    unsigned verbs = 0;
    for (; *words; words++) {
        unsigned found = 0;
        for (unsigned verb = API_VERB_GET; verb <= API_VERB_CONNECT; verb <<= 1)
            if (strcmp(*words, api_verb_name((ApiVerb)verb)) == 0)
                found = verb;
        if (!found)
            broken(reader, "no such verb", *words);
        verbs |= found;
    }
    return verbs;
}

static void
index_kind(Reader *reader, GHashTable *table, const char *name, ApiKindEntry *entry)
{
    const ApiKind *kind = &entry->kind;
    g_autofree char *exact = g_strdup_printf("%s/%s/%s", kind->group, kind->version, name);
    g_autofree char *preferred = g_strdup_printf("%s//%s", kind->group, name);
    if (!g_hash_table_insert(table, (char *)intern(reader, exact), entry))
        broken(reader, "the kind is there already", name);
    if (!g_hash_table_contains(table, preferred))
        g_hash_table_insert(table, (char *)intern(reader, preferred), entry);
}

static void
begin_kind(Reader *reader, char **words, const char *doc)
{
    if (!reader->group || g_strv_length(words) < 3)
        broken(reader, "a kind needs a group before it and is KIND RESOURCE", words[1]);
    ApiKindEntry *entry = api_types_alloc(reader->types, sizeof(ApiKindEntry));
    ApiKind *kind = &entry->kind;
    kind->group = reader->group;
    kind->version = reader->version;
    kind->kind = intern(reader, words[1]);
    kind->resource = intern(reader, words[2]);
    kind->namespaced = words[3] != NULL && strcmp(words[3], "namespaced") == 0;
    g_autofree char *singular = g_ascii_strdown(words[1], -1);
    kind->singular = intern(reader, singular);
    g_autofree char *list = g_strconcat(words[1], "List", NULL);
    kind->list_kind = intern(reader, list);
    kind->verbs = 2 * API_VERB_DELETECOLLECTION - 1;
    kind->short_names = kind->categories = kind->selectable_fields = NO_WORDS;
    kind->storage_group = kind->group;
    kind->storage_version = kind->version;
    kind->schema = named_type(reader, words[1]);
    kind->description = doc;
    g_autofree char *version =
        *kind->group ? g_strconcat(kind->group, "/", kind->version, NULL) : g_strdup(kind->version);
    g_autofree char *qualified = *kind->group ? g_strconcat(kind->resource, ".", kind->group, NULL)
                                              : g_strdup(kind->resource);
    entry->api_version = intern(reader, version);
    entry->qualified = intern(reader, qualified);
    g_ptr_array_add(reader->types->kinds, entry);
    index_kind(reader, reader->types->by_kind, kind->kind, entry);
    index_kind(reader, reader->types->by_resource, kind->resource, entry);
    reader->kind = entry;
}

/* Splits "apps/v1" into interned group and version. */
static void
split_api_version(Reader *reader, const char *text, const char **ret_group,
                  const char **ret_version)
{
    const char *slash = strchr(text, '/');
    g_autofree char *group = slash ? g_strndup(text, (gsize)(slash - text)) : g_strdup("");
    *ret_group = intern(reader, group);
    *ret_version = intern(reader, slash ? slash + 1 : text);
}

static void
read_subresource(Reader *reader, char **words)
{
    const ApiKind *kind = &reader->kind->kind;
    ApiSubresource sub = {.name = intern(reader, words[1]),
                          .group = kind->group,
                          .version = kind->version,
                          .kind = kind->kind};
    size_t n = 2;
    while (words[n] && strcmp(words[n], "=") != 0)
        n++;
    if (words[n]) {
        if (g_strv_length(words) != n + 3)
            broken(reader, "after = come apiVersion and kind", words[1]);
        split_api_version(reader, words[n + 1], &sub.group, &sub.version);
        sub.kind = intern(reader, words[n + 2]);
        g_clear_pointer(&words[n], g_free);
        g_clear_pointer(&words[n + 1], g_free);
        g_clear_pointer(&words[n + 2], g_free);
    }
    sub.verbs = verbs_of(reader, words + 2);
    if (strcmp(sub.name, "status") == 0)
        reader->kind->kind.has_status_subresource = true;
    g_array_append_val(reader->subresources, sub);
}

static void
read_kind_line(Reader *reader, char **words)
{
    ApiKind *kind = &reader->kind->kind;
    if (strcmp(words[0], "generation") == 0) {
        kind->has_generation = true;
        return;
    }
    if (!words[1])
        broken(reader, "a word is missing after", words[0]);
    if (strcmp(words[0], "singular") == 0)
        kind->singular = intern(reader, words[1]);
    else if (strcmp(words[0], "list") == 0)
        kind->list_kind = intern(reader, words[1]);
    else if (strcmp(words[0], "short") == 0)
        kind->short_names = intern_words(reader, words + 1);
    else if (strcmp(words[0], "categories") == 0)
        kind->categories = intern_words(reader, words + 1);
    else if (strcmp(words[0], "select") == 0)
        kind->selectable_fields = intern_words(reader, words + 1);
    else if (strcmp(words[0], "verbs") == 0)
        kind->verbs = verbs_of(reader, words + 1);
    else if (strcmp(words[0], "storage") == 0)
        split_api_version(reader, words[1], &kind->storage_group, &kind->storage_version);
    else if (strcmp(words[0], "subresource") == 0)
        read_subresource(reader, words);
    else
        broken(reader, "no such line of a kind", words[0]);
}

static void
end_kind(Reader *reader)
{
    if (!reader->kind)
        return;
    size_t n = reader->subresources->len;
    ApiSubresource *kept = api_types_alloc(reader->types, MAX(n, 1) * sizeof(ApiSubresource));
    if (n)
        memcpy(kept, reader->subresources->data, n * sizeof(ApiSubresource));
    reader->kind->kind.subresources = kept;
    reader->kind->kind.n_subresources = n;
    g_array_set_size(reader->subresources, 0);
    reader->kind = NULL;
}

/* ---- files
 * ------------------------------------------------------------------------------------------------
 */

static void
read_group(Reader *reader, char **words)
{
    if (!words[1] || !words[2])
        broken(reader, "group is NAME VERSION", words[0]);
    reader->group = intern(reader, strcmp(words[1], "core") == 0 ? "" : words[1]);
    reader->version = intern(reader, words[2]);
    g_autofree char *version =
        *reader->group ? g_strconcat(reader->group, "/", words[2], NULL) : g_strdup(words[2]);
    SchemaPackage package = {reader->package, intern(reader, version), reader->group,
                             reader->version};
    if (!schema_package_find(reader->types, version))
        g_array_append_val(reader->types->packages, package);
}

static void
read_line(Reader *reader, char **words, const char *doc, bool indented, bool declare)
{
    if (indented) {
        if (declare)
            return;
        if (reader->type)
            read_field(reader, words, doc);
        else if (reader->kind)
            read_kind_line(reader, words);
        else
            broken(reader, "an indented line needs a kind or a type above it", words[0]);
        return;
    }
    end_type(reader);
    end_kind(reader);
    if (!words[1])
        broken(reader, "a word is missing after", words[0]);
    if (strcmp(words[0], "package") == 0) {
        reader->package = intern(reader, words[1]);
    } else if (strcmp(words[0], "group") == 0) {
        read_group(reader, words);
    } else if (strcmp(words[0], "use") == 0) {
        g_strfreev(reader->uses);
        reader->uses = g_strdupv(words + 1);
    } else if (strcmp(words[0], "type") == 0) {
        if (declare)
            declare_type(reader, words, doc);
        else
            begin_type(reader, words, doc);
    } else if (strcmp(words[0], "kind") != 0) {
        broken(reader, "no such line", words[0]);
    } else if (!declare) {
        begin_kind(reader, words, doc);
    }
}

/* The words of the line without empty ones; sets *ret_doc to what follows " -- ", or "". */
static char **
split_line(Reader *reader, const char *start, size_t length, const char **ret_doc)
{
    g_autofree char *line = g_strndup(start, length);
    char *doc = strstr(line, " -- ");
    *ret_doc = intern(reader, doc ? doc + 4 : "");
    if (doc)
        *doc = '\0';
    GPtrArray *words = g_ptr_array_new();
    g_auto(GStrv) parts = g_strsplit(line, " ", -1);
    for (char **part = parts; *part; part++)
        if (**part)
            g_ptr_array_add(words, g_strdup(*part));
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

static void
read_file(Reader *reader, const SchemaFile *file, bool declare)
{
    reader->file = file->name;
    reader->line = 0;
    reader->package = reader->group = reader->version = NULL;
    g_clear_pointer(&reader->uses, g_strfreev);
    for (const char *at = file->text; *at;) {
        const char *end = strchrnul(at, '\n');
        reader->line++;
        if (*at != '#' && end > at) {
            const char *doc;
            g_auto(GStrv) words = split_line(reader, at, (size_t)(end - at), &doc);
            if (words[0])
                read_line(reader, words, doc, *at == ' ', declare);
        }
        at = *end ? end + 1 : end;
    }
    end_type(reader);
    end_kind(reader);
}

void
schema_read_files(ApiTypes *types, const SchemaFile *files)
{
    Reader reader = {.types = types};
    reader.fields = g_array_new(FALSE, FALSE, sizeof(SchemaField));
    reader.subresources = g_array_new(FALSE, FALSE, sizeof(ApiSubresource));
    for (const SchemaFile *file = files; file->name; file++)
        read_file(&reader, file, true);
    for (const SchemaFile *file = files; file->name; file++)
        read_file(&reader, file, false);
    g_strfreev(reader.uses);
    g_array_unref(reader.fields);
    g_array_unref(reader.subresources);
}
