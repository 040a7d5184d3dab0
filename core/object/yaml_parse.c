/* Composes values from libyaml's events. Recursion follows the nesting of the text, which VALUE_DEPTH_MAX bounds.
 * An alias shares its anchor's value; what it would cost written out is counted, so that a few lines cannot
 * stand for a billion nodes. */
#include <math.h>
#include <string.h>
#include <yaml.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/object/number.h"
#include "core/object/value_assembler.h"
#include "core/object/yaml.h"

#define TAG_PREFIX "tag:yaml.org,2002:"

typedef struct {
    Value *value; /* NULL while the anchored node is still open */
    size_t nodes; /* of it written out */
    int depth;    /* nesting of it; 0 for a scalar */
} Anchor;

/* What composing one node gave. */
typedef struct {
    Value *value;
    size_t nodes;
    int depth;
} Node;

typedef struct {
    yaml_parser_t yaml;
    yaml_event_t event; /* the current one */
    GHashTable *anchors;
    GHashTable *lines;
    GPtrArray *duplicates; /* of the map that ended last */
    GString *path;
    size_t nodes; /* of the whole input, written out */
    int depth;
} Composer;

static bool compose_node(Composer *composer, Node *ret_node, GError **error);

static void
anchor_free(gpointer data)
{
    Anchor *anchor = data;

    value_unref(anchor->value);
    g_free(anchor);
}

static int
event_line(const Composer *composer)
{
    return (int)composer->event.start_mark.line + 1;
}

static bool
composer_next(Composer *composer, GError **error)
{
    yaml_event_delete(&composer->event);
    if (yaml_parser_parse(&composer->yaml, &composer->event))
        return true;
    memset(&composer->event, 0, sizeof(composer->event));
    const yaml_parser_t *yaml = &composer->yaml;
    size_t line = yaml->error == YAML_READER_ERROR ? 0 : yaml->problem_mark.line + 1;
    const char *problem = yaml->problem != NULL ? yaml->problem : "could not be read";
    if (line == 0)
        return fail(error, TIMONEL_ERROR_INVALID, "yaml: %s", problem);
    return fail(error, TIMONEL_ERROR_INVALID, "yaml: line %zu: %s", line, problem);
}

static bool
refuse(const Composer *composer, GError **error, const char *why)
{
    return fail(error, TIMONEL_ERROR_INVALID, "yaml: line %d: %s", event_line(composer), why);
}

static bool
count_nodes(Composer *composer, size_t nodes, GError **error)
{
    composer->nodes += nodes;
    if (composer->nodes > YAML_NODES_MAX)
        return refuse(composer, error, "document contains excessive aliasing");
    return true;
}

/* ---- scalars ---- */

/* A double that JSON would write as an integer is one: YAML reaches Kubernetes by way of JSON. */
static Value *
settle_number(Value *take)
{
    double d = value_double(take);

    if (value_type(take) != VALUE_DOUBLE || d != floor(d) || fabs(d) >= 9.2e18)
        return take;
    value_unref(take);
    return value_new_int((int64_t)d);
}

static Value *
binary_value(const char *text)
{
    g_autofree char *joined = g_strdup(text);
    char *to = joined;
    size_t len;

    for (const char *from = joined; *from != '\0'; from++) {
        if (!g_ascii_isspace(*from))
            *to++ = *from;
    }
    *to = '\0';
    g_autofree uint8_t *bytes = text_base64_decode(joined, &len);
    if (bytes == NULL)
        return NULL;
    return value_new_string_take(g_utf8_make_valid((char *)bytes, (gssize)len));
}

/* The value of a scalar with an explicit tag; NULL when it does not fit the tag. */
static Value *
tagged_value(const char *tag, const char *text, size_t len)
{
    static const struct {
        const char *tag;
        ValueType type;
    } types[] = {{"bool", VALUE_BOOL}, {"int", VALUE_INT}, {"float", VALUE_DOUBLE}, {"null", VALUE_NULL}};
    const char *name = g_str_has_prefix(tag, TAG_PREFIX) ? tag + strlen(TAG_PREFIX) : "";

    if (strcmp(name, "binary") == 0)
        return binary_value(text);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(name, types[i].tag) != 0)
            continue;
        Value *value = yaml_resolve_plain(text, len);
        if (value_type(value) == types[i].type)
            return value;
        if (types[i].type == VALUE_DOUBLE && value_type(value) == VALUE_INT)
            return value;
        value_unref(value);
        return NULL;
    }
    return value_new_string_len(text, len);
}

static bool
compose_scalar(Composer *composer, Node *ret_node, GError **error)
{
    const char *text = (const char *)composer->event.data.scalar.value;
    const char *tag = (const char *)composer->event.data.scalar.tag;
    size_t len = composer->event.data.scalar.length;
    Value *value;

    if (tag != NULL && strcmp(tag, "!") != 0)
        value = tagged_value(tag, text, len);
    else if (tag == NULL && composer->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        value = yaml_resolve_plain(text, len);
    else
        value = value_new_string_len(text, len);
    if (value == NULL) {
        if (strcmp(tag, TAG_PREFIX "binary") == 0)
            return refuse(composer, error, "!!binary value contains invalid base64 data");
        g_autofree char *why = g_strdup_printf("cannot decode `%s` as a !!%s", text,
                                               tag + strlen(TAG_PREFIX));
        return refuse(composer, error, why);
    }
    if (value_type(value) == VALUE_DOUBLE && !isfinite(value_double(value))) {
        value_unref(value);
        return refuse(composer, error, "json: unsupported value: not-a-number and infinities");
    }
    *ret_node = (Node){.value = settle_number(value), .nodes = 1};
    return true;
}

/* ---- maps ---- */

/* The current event as the text of a key; owned. */
static char *
compose_key(Composer *composer, bool *ret_merge, GError **error)
{
    Node node;

    *ret_merge = false;
    if (composer->event.type == YAML_SCALAR_EVENT &&
        composer->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        strcmp((const char *)composer->event.data.scalar.value, "<<") == 0) {
        *ret_merge = true;
        return g_strdup("<<");
    }
    if (composer->event.type != YAML_SCALAR_EVENT && composer->event.type != YAML_ALIAS_EVENT) {
        refuse(composer, error, "invalid map key: a map or a list cannot be a key");
        return NULL;
    }
    if (!compose_node(composer, &node, error))
        return NULL;
    g_autoptr(Value) key = node.value;
    switch (value_type(key)) {
    case VALUE_STRING:
        if (strlen(value_text(key)) == value_string_len(key))
            return g_strdup(value_text(key));
        break;
    case VALUE_BOOL:
        return g_strdup(value_bool(key) ? "true" : "false");
    case VALUE_INT:
        return g_strdup_printf("%" G_GINT64_FORMAT, value_int(key));
    case VALUE_DOUBLE: {
        GString *text = g_string_new(NULL);
        number_append_yaml(text, value_double(key));
        return g_string_free(text, FALSE);
    }
    default:
        break;
    }
    refuse(composer, error, "unsupported map key: a key must be text, a number or a bool");
    return NULL;
}

static bool
merge_one(int line, Value **map, const Value *from, GError **error)
{
    if (!value_is_map(from))
        return fail(error, TIMONEL_ERROR_INVALID,
                    "yaml: line %d: map merge requires map or sequence of maps as the value", line);
    VALUE_MAP_FOREACH (key, value, from) {
        if (!value_has(*map, key))
            value_replace(map, value_set(*map, key, value_ref(value)));
    }
    return true;
}

/* Fills in what a `<<` gives: own keys win, then earlier maps. */
static bool
merge_all(int line, Value **map, const Value *merge, GError **error)
{
    if (!value_is_array(merge))
        return merge_one(line, map, merge, error);
    VALUE_ARRAY_FOREACH (item, merge) {
        if (!merge_one(line, map, item, error))
            return false;
    }
    return true;
}

/* A key: one step of a path as value_at reads it. */
static void
path_push(Composer *composer, const char *key)
{
    if (strpbrk(key, ".[]/'") != NULL) {
        g_string_append_printf(composer->path, "['%s']", key);
        return;
    }
    if (composer->path->len > 0)
        g_string_append_c(composer->path, '.');
    g_string_append(composer->path, key);
}

static void
note_line(Composer *composer, int line)
{
    g_hash_table_insert(composer->lines, g_strdup(composer->path->str), GINT_TO_POINTER(line));
}

typedef struct {
    ValueAssembler *assembler;
    Value *merge;     /* of `<<`; NULL: none */
    int merge_line;
    Node *node;
} MapWork;

static bool
refuse_duplicate(int line, const char *key, GError **error)
{
    g_autofree char *quoted = text_quote(key);

    return fail(error, TIMONEL_ERROR_INVALID,
                "yaml: unmarshal errors:\n  line %d: key %s already set in map", line, quoted);
}

/* Ends the map; refuses a key given twice, whose second line is the one that the table of lines kept. */
static bool
end_map(Composer *composer, ValueAssembler *assembler, GError **error)
{
    value_assembler_end(assembler);
    if (composer->duplicates->len == 0)
        return true;
    const char *piece = composer->duplicates->pdata[0];
    bool bracketed = *piece == '[';
    g_autofree char *key = bracketed ? g_strndup(piece + 2, strlen(piece) - 4) : g_strdup(piece);
    g_autofree char *path =
        g_strconcat(composer->path->str, bracketed || composer->path->len == 0 ? "" : ".", piece, NULL);
    return refuse_duplicate(GPOINTER_TO_INT(g_hash_table_lookup(composer->lines, path)), key, error);
}

static bool
compose_entry(Composer *composer, MapWork *work, GError **error)
{
    bool is_merge;
    int line = event_line(composer);
    size_t path_len = composer->path->len;
    Node child;
    g_autofree char *key = compose_key(composer, &is_merge, error);

    if (key == NULL)
        return false;
    if (is_merge && work->merge != NULL)
        return refuse_duplicate(line, key, error);
    path_push(composer, key);
    note_line(composer, line);
    if (!composer_next(composer, error) || !compose_node(composer, &child, error))
        return false;
    g_string_truncate(composer->path, path_len);
    work->node->nodes += 1 + child.nodes;
    work->node->depth = MAX(work->node->depth, child.depth + 1);
    if (is_merge) {
        work->merge = child.value;
        work->merge_line = line;
        return true;
    }
    value_assembler_key(work->assembler, key, strlen(key));
    value_assembler_add(work->assembler, child.value);
    return true;
}

static bool
compose_map(Composer *composer, Node *ret_node, GError **error)
{
    g_autoptr(ValueAssembler) assembler = value_assembler_new();
    Node node = {.nodes = 1, .depth = 1};
    MapWork work = {.assembler = assembler, .node = &node};
    bool ok = true;

    value_assembler_note_duplicates(assembler, composer->duplicates);
    value_assembler_begin(assembler, VALUE_MAP);
    for (;;) {
        ok = composer_next(composer, error);
        if (!ok || composer->event.type == YAML_MAPPING_END_EVENT)
            break;
        ok = compose_entry(composer, &work, error);
        if (!ok)
            break;
    }
    g_autoptr(Value) merge = work.merge;
    if (!ok || !end_map(composer, assembler, error))
        return false;
    node.value = value_assembler_steal(assembler);
    if (merge != NULL && !merge_all(work.merge_line, &node.value, merge, error)) {
        value_unref(node.value);
        return false;
    }
    *ret_node = node;
    return true;
}

/* ---- lists, aliases, nodes ---- */

static bool
compose_list(Composer *composer, Node *ret_node, GError **error)
{
    g_autoptr(ValueAssembler) assembler = value_assembler_new();
    Node node = {.nodes = 1, .depth = 1}, child;
    size_t path_len = composer->path->len;

    value_assembler_begin(assembler, VALUE_ARRAY);
    for (size_t i = 0;; i++) {
        if (!composer_next(composer, error))
            return false;
        if (composer->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        g_string_append_printf(composer->path, "[%zu]", i);
        note_line(composer, event_line(composer));
        if (!compose_node(composer, &child, error))
            return false;
        g_string_truncate(composer->path, path_len);
        value_assembler_add(assembler, child.value);
        node.nodes += child.nodes;
        node.depth = MAX(node.depth, child.depth + 1);
    }
    value_assembler_end(assembler);
    node.value = value_assembler_steal(assembler);
    *ret_node = node;
    return true;
}

static bool
compose_alias(Composer *composer, Node *ret_node, GError **error)
{
    const char *name = (const char *)composer->event.data.alias.anchor;
    const Anchor *anchor = g_hash_table_lookup(composer->anchors, name);
    g_autofree char *safe = text_sanitize(name, strlen(name), TEXT_ONE_LINE);

    if (anchor == NULL)
        return fail(error, TIMONEL_ERROR_INVALID, "yaml: unknown anchor '%s' referenced", safe);
    if (anchor->value == NULL)
        return fail(error, TIMONEL_ERROR_INVALID, "yaml: anchor '%s' value contains itself", safe);
    if (!count_nodes(composer, anchor->nodes, error))
        return false;
    if (composer->depth + anchor->depth > VALUE_DEPTH_MAX)
        return refuse(composer, error, "exceeded max depth of " G_STRINGIFY(VALUE_DEPTH_MAX));
    *ret_node = (Node){value_ref(anchor->value), anchor->nodes, anchor->depth};
    return true;
}

static const char *
event_anchor(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static bool
compose_inner(Composer *composer, Node *ret_node, GError **error)
{
    if (!count_nodes(composer, 1, error))
        return false;
    if (composer->event.type == YAML_SCALAR_EVENT)
        return compose_scalar(composer, ret_node, error);
    if (composer->depth >= VALUE_DEPTH_MAX)
        return refuse(composer, error, "exceeded max depth of " G_STRINGIFY(VALUE_DEPTH_MAX));
    composer->depth++;
    bool ok = composer->event.type == YAML_MAPPING_START_EVENT
                  ? compose_map(composer, ret_node, error)
                  : compose_list(composer, ret_node, error);
    composer->depth--;
    return ok;
}

/* Composes the node that the current event starts; leaves the event that ends it as the current one. */
static bool
compose_node(Composer *composer, Node *ret_node, GError **error)
{
    if (composer->event.type == YAML_ALIAS_EVENT)
        return compose_alias(composer, ret_node, error);
    g_autofree char *name = g_strdup(event_anchor(&composer->event));
    if (name != NULL)
        g_hash_table_insert(composer->anchors, g_strdup(name), g_new0(Anchor, 1));
    if (!compose_inner(composer, ret_node, error))
        return false;
    if (name != NULL) {
        Anchor *anchor = g_new(Anchor, 1);
        *anchor = (Anchor){value_ref(ret_node->value), ret_node->nodes, ret_node->depth};
        g_hash_table_insert(composer->anchors, g_strdup(name), anchor);
    }
    return true;
}

/* ---- documents ---- */

void
yaml_document_free(YamlDocument *document)
{
    if (document == NULL)
        return;
    value_unref(document->value);
    g_hash_table_unref(document->lines);
    g_free(document);
}

int
yaml_document_line(const YamlDocument *document, const char *path)
{
    g_autofree char *shorter = g_strdup(path);

    while (*shorter != '\0') {
        gpointer line = g_hash_table_lookup(document->lines, shorter);
        if (line != NULL)
            return GPOINTER_TO_INT(line);
        char *dot = strrchr(shorter, '.'), *bracket = strrchr(shorter, '[');
        char *cut = dot == NULL || (bracket != NULL && bracket > dot) ? bracket : dot;
        if (cut == NULL)
            break;
        *cut = '\0';
    }
    return document->line;
}

/* Composes the document whose first node's event is the current one. */
static YamlDocument *
compose_document(Composer *composer, GError **error)
{
    YamlDocument *document = g_new0(YamlDocument, 1);
    Node node;

    document->line = event_line(composer);
    document->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    composer->lines = document->lines;
    g_string_truncate(composer->path, 0);
    g_hash_table_remove_all(composer->anchors);
    if (!compose_node(composer, &node, error)) {
        yaml_document_free(document);
        return NULL;
    }
    document->value = node.value;
    return document;
}

/* A document of nothing but its markers: libyaml reports an empty plain scalar. */
static bool
document_is_empty(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 &&
           event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.tag == NULL &&
           event->data.scalar.anchor == NULL;
}

static bool
compose_stream(Composer *composer, GPtrArray *documents, GError **error)
{
    for (;;) {
        if (!composer_next(composer, error))
            return false;
        if (composer->event.type == YAML_STREAM_END_EVENT)
            return true;
        if (composer->event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (documents->len >= YAML_DOCUMENTS_MAX)
            return refuse(composer, error, "too many documents");
        if (!composer_next(composer, error))
            return false;
        if (document_is_empty(&composer->event))
            continue;
        YamlDocument *document = compose_document(composer, error);
        if (document == NULL)
            return false;
        g_ptr_array_add(documents, document);
    }
}

GPtrArray *
yaml_parse_all(const char *text, size_t len, GError **error)
{
    g_autoptr(GPtrArray) documents =
        g_ptr_array_new_with_free_func((GDestroyNotify)yaml_document_free);
    Composer composer = {0};

    if (len > YAML_DOCUMENT_SIZE_MAX) {
        fail(error, TIMONEL_ERROR_LIMIT, "yaml: the text is longer than %u bytes",
             YAML_DOCUMENT_SIZE_MAX);
        return NULL;
    }
    yaml_parser_initialize(&composer.yaml);
    yaml_parser_set_encoding(&composer.yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&composer.yaml, (const unsigned char *)text, len);
    composer.anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, anchor_free);
    composer.duplicates = g_ptr_array_new_with_free_func(g_free);
    composer.path = g_string_new(NULL);
    bool ok = compose_stream(&composer, documents, error);
    yaml_event_delete(&composer.event);
    yaml_parser_delete(&composer.yaml);
    g_hash_table_unref(composer.anchors);
    g_ptr_array_unref(composer.duplicates);
    g_string_free(composer.path, TRUE);
    return ok ? g_steal_pointer(&documents) : NULL;
}

Value *
yaml_parse(const char *text, size_t len, GError **error)
{
    g_autoptr(GPtrArray) documents = yaml_parse_all(text, len, error);

    if (documents == NULL)
        return NULL;
    if (documents->len > 1) {
        fail(error, TIMONEL_ERROR_INVALID, "yaml: one document was wanted, %u were found",
             documents->len);
        return NULL;
    }
    return documents->len == 0 ? value_new_null()
                               : value_ref(((YamlDocument *)documents->pdata[0])->value);
}
