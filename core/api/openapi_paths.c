/* Paths: what can be asked of which URL. kubectl looks here for the query parameters that a PATCH
 * of a kind knows. */
#include <string.h>

#include "core/api/openapi_private.h"
#include "core/api/types_private.h"

typedef struct {
    ApiVerb verb;
    const char *method;     /* of HTTP, in lower case */
    const char *action;     /* x-kubernetes-action */
    const char *prefix;     /* of the operationId */
    const char *does;       /* of the description */
    const char *parameters; /* names, separated by blanks */
} Verb;

#define LIST_PARAMETERS                                                                            \
    "allowWatchBookmarks continue fieldSelector labelSelector limit pretty resourceVersion "       \
    "resourceVersionMatch "                                                                        \
    "sendInitialEvents timeoutSeconds watch"
#define WRITE_PARAMETERS "dryRun fieldManager fieldValidation pretty"

static const Verb COLLECTION[] = {
    {API_VERB_LIST, "get", "list", "list", "list or watch objects of kind", LIST_PARAMETERS},
    {API_VERB_CREATE, "post", "post", "create", "create", WRITE_PARAMETERS},
    {API_VERB_DELETECOLLECTION, "delete", "deletecollection", "deleteCollection",
     "delete collection of", LIST_PARAMETERS " dryRun gracePeriodSeconds propagationPolicy"},
};

static const Verb OBJECT[] = {
    {API_VERB_GET, "get", "get", "read", "read the specified", "pretty"},
    {API_VERB_CREATE, "post", "post", "create", "create", WRITE_PARAMETERS},
    {API_VERB_UPDATE, "put", "put", "replace", "replace the specified", WRITE_PARAMETERS},
    {API_VERB_DELETE, "delete", "delete", "delete", "delete",
     "dryRun gracePeriodSeconds propagationPolicy pretty"},
    {API_VERB_PATCH, "patch", "patch", "patch", "partially update the specified",
     WRITE_PARAMETERS " force"},
};

static const struct {
    const char *name;
    const char *type;
    const char *description;
} PARAMETERS[] = {
    {"allowWatchBookmarks", "boolean", "Send events of type BOOKMARK while watching"},
    {"continue", "string", "Token of the last page: go on from there"},
    {"dryRun", "string", "All: do everything but store the result"},
    {"fieldManager", "string", "Name under which the changed fields are owned"},
    {"fieldSelector", "string", "Only objects whose fields match"},
    {"fieldValidation", "string",
     "What to do about unknown and duplicate fields: Ignore, Warn or Strict"},
    {"force", "boolean", "Apply only: take fields over from other managers"},
    {"gracePeriodSeconds", "integer", "Seconds until the object is removed"},
    {"labelSelector", "string", "Only objects whose labels match"},
    {"limit", "integer", "At most so many objects in one answer"},
    {"pretty", "string", "Indent the answer"},
    {"propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground"},
    {"resourceVersion", "string", "The state to read, or after which to watch"},
    {"resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan"},
    {"sendInitialEvents", "boolean", "Begin a watch with what is there now"},
    {"timeoutSeconds", "integer", "Seconds after which a list or watch ends"},
    {"watch", "boolean", "Stream changes instead of answering once"},
};

static Value *
parameter(const OpenapiDocument *document, const char *name, const char *in, const char *type,
          const char *description)
{
    bool path = strcmp(in, "path") == 0;
    Value *result = document->version == OPENAPI_V3
                        ? value_new_f("{name: %s, in: %s, schema: {type: %s}}", name, in, type)
                        : value_new_f("{name: %s, in: %s, type: %s}", name, in, type);
    value_replace(&result, value_set(result, "description", value_new_string(description)));
    if (path)
        value_replace(&result, value_set(result, "required", value_new_bool(true)));
    value_replace(&result, value_set(result, "uniqueItems", value_new_bool(true)));
    return result;
}

static Value *
query_parameters(const OpenapiDocument *document, const char *names)
{
    Value *list = value_new_array();
    g_auto(GStrv) words = g_strsplit(names, " ", -1);
    for (char **word = words; *word; word++)
        for (size_t i = 0; i < G_N_ELEMENTS(PARAMETERS); i++)
            if (strcmp(PARAMETERS[i].name, *word) == 0)
                value_replace(&list, value_append(list, parameter(document, *word, "query",
                                                                  PARAMETERS[i].type,
                                                                  PARAMETERS[i].description)));
    return list;
}

/* "AppsV1", "CoreV1", "NetworkingV1": part of each operationId. */
static char *
group_words(const ApiKind *kind, bool capital, const char *separator)
{
    GString *text = g_string_new(NULL);
    g_autofree char *group = g_strdup(*kind->group ? kind->group : "core");
    char *suffix =
        g_str_has_suffix(group, ".k8s.io") ? group + strlen(group) - strlen(".k8s.io") : NULL;
    if (suffix)
        *suffix = '\0';
    g_auto(GStrv) parts = g_strsplit(group, ".", -1);
    for (char **part = parts; *part; part++)
        g_string_append_printf(
            text, "%c%s", capital || part != parts ? g_ascii_toupper(**part) : **part, *part + 1);
    g_string_append(text, separator);
    g_string_append_printf(text, "%c%s",
                           capital ? g_ascii_toupper(kind->version[0]) : kind->version[0],
                           kind->version + 1);
    return g_string_free(text, FALSE);
}

typedef struct {
    const ApiKind *kind;
    const ApiSubresource *sub; /* or NULL */
    const Schema *schema;      /* of what is sent and answered; NULL: plain text */
    bool all_namespaces;
} Target;

static Value *
operation_id(const Target *target, const Verb *verb)
{
    g_autofree char *group = group_words(target->kind, true, "");
    g_autofree char *sub =
        target->sub
            ? g_strdup_printf("%c%s", g_ascii_toupper(target->sub->name[0]), target->sub->name + 1)
            : g_strdup("");
    return value_new_stringf(
        "%s%s%s%s%s%s", verb->prefix, group,
        target->kind->namespaced && !target->all_namespaces ? "Namespaced" : "", target->kind->kind,
        sub, target->all_namespaces ? "ForAllNamespaces" : "");
}

static Value *
answer_schema(OpenapiDocument *document, const Target *target, const Verb *verb)
{
    if (verb->verb == API_VERB_LIST)
        return openapi_ref_list(document, target->kind);
    if (verb->verb == API_VERB_DELETE || verb->verb == API_VERB_DELETECOLLECTION)
        return openapi_ref(document, api_types_schema(document->types, "v1", "Status"));
    return target->schema ? openapi_ref(document, target->schema) : value_new_f("{type: string}");
}

static Value *
body_schema(OpenapiDocument *document, const Target *target, const Verb *verb)
{
    switch (verb->verb) {
    case API_VERB_CREATE:
    case API_VERB_UPDATE:
        return target->schema ? openapi_ref(document, target->schema) : NULL;
    case API_VERB_PATCH:
        return openapi_ref_named(document, "io.k8s.apimachinery.pkg.apis.meta.v1.Patch");
    case API_VERB_DELETE:
    case API_VERB_DELETECOLLECTION:
        return openapi_ref(document, api_types_schema(document->types, "v1", "DeleteOptions"));
    default:
        return NULL;
    }
}

static void
add_body(OpenapiDocument *document, Value **operation, Value *take_schema, bool patch)
{
    if (document->version == OPENAPI_V3) {
        Value *media = value_new_f("{schema: %V}", take_schema);
        Value *content =
            patch ? value_new_f(
                        "{'application/apply-patch+yaml': %v, 'application/json-patch+json': %v,"
                        "'application/merge-patch+json': %v, "
                        "'application/strategic-merge-patch+json': %v}",
                        media, media, media, media)
                  : value_new_f("{'*/*': %v}", media);
        value_unref(media);
        value_replace(operation,
                      value_set(*operation, "requestBody", value_new_f("{content: %V}", content)));
        return;
    }
    Value *parameters = value_append(
        value_get(*operation, "parameters"),
        value_new_f("{name: body, in: body, required: %b, schema: %V}", patch, take_schema));
    value_replace(operation, value_set(*operation, "parameters", parameters));
    Value *media =
        patch ? value_new_f(
                    "['application/json-patch+json', 'application/merge-patch+json',"
                    "'application/strategic-merge-patch+json', 'application/apply-patch+yaml']")
              : value_new_f("['*/*']");
    value_replace(operation, value_set(*operation, "consumes", media));
}

static void
add_answer(OpenapiDocument *document, Value **operation, Value *take_schema)
{
    Value *response =
        document->version == OPENAPI_V3
            ? value_new_f("{description: OK, content: {'application/json': {schema: %v},"
                          "'application/vnd.kubernetes.protobuf': {schema: %v}, "
                          "'application/yaml': {schema: %V}}}",
                          take_schema, take_schema, take_schema)
            : value_new_f("{description: OK, schema: %V}", take_schema);
    value_replace(
        operation,
        value_set(*operation, "responses",
                  value_new_f("{'200': %V, '401': {description: Unauthorized}}", response)));
    if (document->version == OPENAPI_V2)
        value_replace(operation, value_set(*operation, "produces",
                                           value_new_f("['application/json', 'application/yaml', "
                                                       "'application/vnd.kubernetes.protobuf']")));
}

static Value *
operation(OpenapiDocument *document, const Target *target, const Verb *verb)
{
    g_autofree char *tag = group_words(target->kind, false, "_");
    const ApiSubresource *sub = target->sub;
    Value *description =
        sub ? value_new_stringf("%s %s of a %s", verb->does, sub->name, target->kind->kind)
            : value_new_stringf("%s %s", verb->does, target->kind->kind);
    Value *result = value_new_f("{operationId: %V, description: %V, tags: [%s], parameters: %V}",
                                operation_id(target, verb), description, tag,
                                query_parameters(document, verb->parameters));
    value_replace(&result,
                  value_set(result, "x-kubernetes-action", value_new_string(verb->action)));
    value_replace(&result, value_set(result, "x-kubernetes-group-version-kind",
                                     value_new_f("{group: %s, kind: %s, version: %s}",
                                                 sub ? sub->group : target->kind->group,
                                                 sub ? sub->kind : target->kind->kind,
                                                 sub ? sub->version : target->kind->version)));
    Value *body = body_schema(document, target, verb);
    if (body)
        add_body(document, &result, body, verb->verb == API_VERB_PATCH);
    add_answer(document, &result, answer_schema(document, target, verb));
    return result;
}

/* One path with those of the operations that the verbs allow. */
static void
add_path(OpenapiDocument *document, ValueBuilder *paths, const Target *target, const char *path,
         const Verb *verbs, size_t n_verbs, unsigned allowed)
{
    g_autoptr(ValueBuilder) item = value_builder_new(NULL);
    for (size_t i = 0; i < n_verbs; i++)
        if (verbs[i].verb & allowed)
            value_builder_set(item, verbs[i].method, operation(document, target, &verbs[i]));
    if (value_size(value_builder_peek(item)) == 0)
        return;
    Value *parameters = value_new_array();
    if (strstr(path, "{name}"))
        value_replace(&parameters,
                      value_append(parameters, parameter(document, "name", "path", "string",
                                                         "Name of the object")));
    if (strstr(path, "{namespace}"))
        value_replace(&parameters,
                      value_append(parameters, parameter(document, "namespace", "path", "string",
                                                         "Namespace of the object")));
    if (value_size(parameters) > 0)
        value_builder_set(item, "parameters", parameters);
    else
        value_unref(parameters);
    value_builder_set(paths, path, value_builder_end(g_steal_pointer(&item)));
}

void
openapi_add_paths(OpenapiDocument *document, ValueBuilder *paths, const ApiKind *kind)
{
    g_autofree char *root =
        g_strdup_printf("/%s/%s", *kind->group ? "apis" : "api", api_kind_api_version(kind));
    g_autofree char *collection = g_strdup_printf(
        "%s%s/%s", root, kind->namespaced ? "/namespaces/{namespace}" : "", kind->resource);
    g_autofree char *object = g_strconcat(collection, "/{name}", NULL);
    Target target = {kind, NULL, kind->schema, false};
    add_path(document, paths, &target, collection, COLLECTION, G_N_ELEMENTS(COLLECTION),
             kind->verbs);
    add_path(document, paths, &target, object, OBJECT, G_N_ELEMENTS(OBJECT),
             kind->verbs & ~(unsigned)API_VERB_CREATE);
    for (size_t i = 0; i < kind->n_subresources; i++) {
        const ApiSubresource *sub = &kind->subresources[i];
        g_autofree char *path = g_strdup_printf("%s/%s", object, sub->name);
        g_autofree char *version =
            *sub->group ? g_strconcat(sub->group, "/", sub->version, NULL) : g_strdup(sub->version);
        bool text = (sub->verbs & API_VERB_CONNECT) || strcmp(sub->name, "log") == 0;
        Target inner = {kind, sub,
                        text ? NULL : api_types_schema(document->types, version, sub->kind), false};
        add_path(document, paths, &inner, path, OBJECT, G_N_ELEMENTS(OBJECT), sub->verbs);
    }
    if (kind->namespaced) {
        g_autofree char *all = g_strdup_printf("%s/%s", root, kind->resource);
        target.all_namespaces = true;
        add_path(document, paths, &target, all, COLLECTION, 1, kind->verbs);
    }
}
