/* Manifests: files, folders, standard input and URLs, read and checked as a whole before anything
 * is sent. */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "core/api/meta.h"
#include "core/api/schema.h"
#include "core/base/error.h"
#include "core/base/limits.h"

typedef struct Reader {
    Kube *kube;
    KubeItems *items;
    const char *source;
    bool validate;
    bool failed;
} Reader;

/* ---- checking one document ---- */

/* The path of `unknown field "spec.foo"`; owned, NULL when there is none. */
static char *
path_in(const char *text)
{
    const char *open = strchr(text, '"'), *close = strrchr(text, '"');
    return open != NULL && close > open ? g_strndup(open + 1, (gsize)(close - open - 1)) : NULL;
}

static void
point(Reader *reader, const YamlDocument *document, const char *path, const char *text)
{
    kube_err(reader->kube, "%s:%d: %s%s%s\n", reader->source,
             yaml_document_line(document, path != NULL ? path : ""), path != NULL ? path : "",
             path != NULL ? ": " : "", text);
}

/* Go's decoding errors say "... Go struct field Deployment.spec.replicas of type int32". */
static char *
path_in_decode_error(const char *text)
{
    const char *at = strstr(text, "struct field ");
    const char *dot = at != NULL ? strchr(at, '.') : NULL;
    const char *end = dot != NULL ? strstr(dot, " of type") : NULL;
    return end != NULL ? g_strndup(dot + 1, (gsize)(end - dot - 1)) : NULL;
}

static void
refuse(Reader *reader, const YamlDocument *document, const char *path, const char *text)
{
    kube_err(reader->kube, "error: error validating \"%s\": error validating data: %s\n",
             reader->source, text);
    point(reader, document, path, text);
    reader->failed = true;
}

static void
check_fields(Reader *reader, const ApiKind *kind, const YamlDocument *document, const char *prefix,
             const Value *object)
{
    const char *mode = kube_flag_find(reader->kube->command, "validate") != NULL
                           ? kube_flag(reader->kube, "validate")
                           : "strict";
    if (!reader->validate || kind->schema == NULL || strcmp(mode, "ignore") == 0 ||
        strcmp(mode, "false") == 0)
        return;
    g_autoptr(GPtrArray) unknown = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) decoded = schema_decode(kind->schema, object, &unknown, &error);
    if (decoded == NULL) {
        g_autofree char *inner = path_in_decode_error(error->message);
        g_autofree char *path = g_strconcat(prefix, inner != NULL ? inner : "", NULL);
        refuse(reader, document, inner != NULL ? path : NULL, error->message);
        return;
    }
    if (unknown == NULL || unknown->len == 0)
        return;
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < unknown->len; i++)
        g_string_append_printf(all, "%s%s", i > 0 ? ", " : "",
                               (const char *)g_ptr_array_index(unknown, i));
    bool warn = strcmp(mode, "warn") == 0;
    if (warn)
        kube_err(reader->kube, "Warning: %s: %s\n", reader->source, all->str);
    else
        kube_err(reader->kube,
                 "error: error validating \"%s\": error validating data: %s; if you choose "
                 "to ignore these errors, turn validation off with --validate=false\n",
                 reader->source, all->str);
    for (guint i = 0; i < unknown->len; i++) {
        g_autofree char *inner = path_in(g_ptr_array_index(unknown, i));
        g_autofree char *path = g_strconcat(prefix, inner != NULL ? inner : "", NULL);
        point(reader, document, path, "unknown field");
    }
    reader->failed = reader->failed || !warn;
}

/* False: what every object needs is not there. */
static bool
check_head(Reader *reader, const YamlDocument *document, const char *prefix, const Value *object)
{
    if (!value_is_map(object)) {
        refuse(reader, document, NULL, "invalid object to validate: a manifest is a map of fields");
        return false;
    }
    bool kind = *value_text(value_get(object, "kind")) != '\0';
    bool version = *value_text(value_get(object, "apiVersion")) != '\0';
    if (kind && version)
        return true;
    refuse(reader, document, *prefix != '\0' ? prefix : NULL,
           kind      ? "apiVersion not set"
           : version ? "kind not set"
                     : "[apiVersion not set, kind not set]");
    return false;
}

static const ApiKind *
check_kind(Reader *reader, const YamlDocument *document, const Value *object)
{
    const ApiKind *kind = kube_kind_of(reader->kube, object);
    if (kind != NULL)
        return kind;
    kube_err(reader->kube,
             "error: resource mapping not found for name: \"%s\" namespace: \"%s\" from \"%s\": no "
             "matches for kind \"%s\" in version \"%s\"\nensure CRDs are installed first\n",
             object_name(object), object_namespace(object), reader->source, object_kind(object),
             object_api_version(object));
    point(reader, document, "kind", "unknown kind");
    reader->failed = true;
    return NULL;
}

static void
take_object(Reader *reader, const YamlDocument *document, const char *prefix, const Value *object)
{
    Kube *kube = reader->kube;
    if (!check_head(reader, document, prefix, object))
        return;
    if (g_str_has_suffix(object_kind(object), "List") && value_has(object, "items")) {
        size_t n = 0;
        VALUE_ARRAY_FOREACH (item, value_get(object, "items")) {
            g_autofree char *inner = g_strdup_printf("%sitems[%zu].", prefix, n++);
            take_object(reader, document, inner, item);
        }
        return;
    }
    const ApiKind *kind = check_kind(reader, document, object);
    if (kind == NULL)
        return;
    const char *own = object_namespace(object);
    if (kind->namespaced && *own != '\0' && kube->namespace_given &&
        strcmp(own, kube->namespace_) != 0) {
        kube_err(kube,
                 "error: the namespace from the provided object \"%s\" does not match the "
                 "namespace \"%s\". You must pass '--namespace=%s' to perform this operation.\n",
                 own, kube->namespace_, own);
        point(reader, document, "metadata.namespace", "another namespace");
        reader->failed = true;
        return;
    }
    check_fields(reader, kind, document, prefix, object);
    const char *namespace_ = *own != '\0' ? own : kube->namespace_;
    Value *placed = kind->namespaced
                        ? value_set_at(object, "metadata.namespace", value_new_string(namespace_))
                        : value_ref(object);
    KubeItem *item =
        kube_items_add(reader->items, kind, kind->namespaced ? namespace_ : NULL,
                       *object_name(object) != '\0' ? object_name(object) : NULL, placed);
    item->source = g_strdup(reader->source);
    item->document = document;
}

/* ---- reading ---- */

static void
read_text(Reader *reader, const char *text, size_t length)
{
    g_autoptr(GError) error = NULL;
    if (length > YAML_DOCUMENT_SIZE_MAX) {
        kube_fail(reader->kube, "%s: the file is larger than %u bytes", reader->source,
                  YAML_DOCUMENT_SIZE_MAX);
        reader->failed = true;
        return;
    }
    GPtrArray *documents = yaml_parse_all(text, length, &error);
    if (documents == NULL) {
        kube_fail(reader->kube, "error parsing %s: error converting YAML to JSON: %s",
                  reader->source, error->message);
        reader->failed = true;
        return;
    }
    g_ptr_array_add(reader->items->documents, documents);
    for (guint i = 0; i < documents->len; i++) {
        const YamlDocument *document = g_ptr_array_index(documents, i);
        if (!value_is_null(document->value))
            take_object(reader, document, "", document->value);
    }
}

static void
read_file(Reader *reader, const char *path)
{
    const KubectlEnv *env = reader->kube->env;
    g_autoptr(GError) error = NULL;
    size_t length = 0;
    if (env->read_file == NULL) {
        kube_fail(reader->kube, "files cannot be read here: %s", path);
        reader->failed = true;
        return;
    }
    g_autofree char *text = env->read_file(path, &length, &error, env->data);
    if (text == NULL) {
        if (g_error_matches(error, TIMONEL_ERROR, TIMONEL_ERROR_NOT_FOUND) ||
            g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            kube_fail(reader->kube, "the path \"%s\" does not exist", path);
        else
            kube_fail(reader->kube, "%s", error->message);
        reader->failed = true;
        return;
    }
    reader->source = strcmp(path, "-") == 0 ? "STDIN" : path;
    read_text(reader, text, length);
}

static void
read_path(Reader *reader, const char *path)
{
    const KubectlEnv *env = reader->kube->env;
    g_auto(GStrv) files = env->list_folder != NULL && strcmp(path, "-") != 0
                              ? env->list_folder(path, env->data)
                              : NULL;
    if (files == NULL) {
        read_file(reader, path);
        return;
    }
    bool recursive = kube_flag_bool(reader->kube, "recursive");
    size_t base = strlen(path), n = 0;
    while (base > 0 && path[base - 1] == '/')
        base--;
    for (char **file = files; *file != NULL; file++) {
        bool direct = strlen(*file) > base && strchr(*file + base + 1, '/') == NULL;
        if (!recursive && !direct)
            continue;
        read_file(reader, *file);
        n++;
    }
    if (n == 0) {
        kube_fail(reader->kube,
                  "error reading [%s]: recognized file extensions are [.json .yaml .yml]", path);
        reader->failed = true;
    }
}

static KubeItems *
end_reading(Reader *reader)
{
    if (!reader->failed && reader->items->items->len == 0) {
        kube_fail(reader->kube, "no objects passed to %s",
                  strrchr(reader->kube->path, ' ') != NULL ? strrchr(reader->kube->path, ' ') + 1
                                                           : reader->kube->path);
        reader->failed = true;
    }
    if (!reader->failed) {
        reader->items->single = reader->items->items->len == 1;
        return reader->items;
    }
    kube_items_free(reader->items);
    return NULL;
}

KubeItems *
kube_manifests(Kube *kube, bool validate)
{
    Reader reader = {.kube = kube, .items = kube_items_new(), .validate = validate};
    g_auto(GStrv) paths = kube_flag_list(kube, "filename");
    if (kube_flag_given(kube, "kustomize")) {
        kube_fail(kube, "kustomize folders (-k) are not supported here; build them with `kustomize "
                        "build` and give the result to -f -");
        reader.failed = true;
    }
    for (char **path = paths; *path != NULL && !kube_flag_given(kube, "kustomize"); path++)
        read_path(&reader, *path);
    return end_reading(&reader);
}

KubeItems *
kube_manifests_text(Kube *kube, const char *name, const char *text, size_t length, bool validate)
{
    Reader reader = {.kube = kube, .items = kube_items_new(), .source = name, .validate = validate};
    read_text(&reader, text, length);
    return end_reading(&reader);
}

void
kube_point_at_lines(Kube *kube, const KubeItem *item, const Value *status)
{
    if (item->document == NULL)
        return;
    VALUE_ARRAY_FOREACH (cause, value_at(status, "details.causes")) {
        const char *field = value_text(value_get(cause, "field"));
        if (*field == '\0' || strchr(field, '<') != NULL)
            continue;
        kube_err(kube, "%s:%d: %s: %s\n", item->source, yaml_document_line(item->document, field),
                 field, value_text(value_get(cause, "message")));
    }
}
