/* Documents that do not change while the server runs: discovery and OpenAPI. Each is made when it
 * is first asked for and kept, with its hash as ETag. */
#include "core/api/schema.h"
#include "core/base/text.h"
#include "core/http/private.h"

#define GNOSTIC_TYPE "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

typedef struct Document {
    GBytes *bytes;
    char *hash;
    char *etag; /* the hash in quotes */
} Document;

struct Documents {
    const ApiTypes *types;
    GHashTable *by_path; /* path (and variant) -> Document; look-ups only */
};

static void
document_free(gpointer data)
{
    Document *document = data;

    g_bytes_unref(document->bytes);
    g_free(document->hash);
    g_free(document->etag);
    g_free(document);
}

struct Documents *
documents_new(const ApiTypes *types)
{
    struct Documents *documents = g_new0(struct Documents, 1);

    documents->types = types;
    documents->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, document_free);
    return documents;
}

void
documents_free(struct Documents *documents)
{
    if (documents == NULL)
        return;
    g_hash_table_unref(documents->by_path);
    g_free(documents);
}

static const Document *
document_keep(struct Documents *documents, const char *path, GBytes *take)
{
    Document *document = g_new0(Document, 1);
    gsize length = 0;
    const void *bytes = g_bytes_get_data(take, &length);
    g_autofree char *hash = text_sha256(bytes, length);

    document->bytes = take;
    document->hash = g_ascii_strup(hash, -1);
    document->etag = g_strdup_printf("\"%s\"", document->hash);
    g_hash_table_insert(documents->by_path, g_strdup(path), document);
    return document;
}

static const Document *
document_keep_value(struct Documents *documents, const char *path, Value *take)
{
    GString *text = g_string_new(NULL);

    json_write(text, take);
    g_string_append_c(text, '\n');
    value_unref(take);
    return document_keep(documents, path, g_string_free_to_bytes(text));
}

/* ---- discovery
 * ------------------------------------------------------------------------------------------------------------
 */

static Value *
discovery_old(struct Documents *documents, const Url *url)
{
    const ApiTypes *types = documents->types;
    bool core = strcmp(url->segments[0], "api") == 0;

    switch (url->n_segments) {
    case 1:
        return core ? discovery_versions() : discovery_groups(types);
    case 2:
        return core ? discovery_resources(types, "", url->segments[1])
                    : discovery_group(types, url->segments[1]);
    case 3:
        return core ? NULL : discovery_resources(types, url->segments[1], url->segments[2]);
    default:
        return NULL;
    }
}

static bool
discovery_handle(HttpFace *face, const HttpRequest *request, const Url *url,
                 HttpResponder *responder)
{
    static const HttpHeader headers[] = {{"Cache-Control", "public"}};
    static const char *const types[] = {
        "application/json",
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"};
    bool core = strcmp(url->segments[0], "api") == 0;
    const Document *document;
    MediaChoice media;
    g_autofree char *key = NULL;

    if (!media_choose(http_request_header(request, "Accept"), false, &media))
        memset(&media, 0, sizeof media);
    if (url->n_segments > 1)
        media.discovery = 0;
    key = g_strdup_printf("%d %s", media.discovery, url->path);
    document = g_hash_table_lookup(face->documents->by_path, key);
    if (document == NULL) {
        Value *value = media.discovery != 0 ? discovery_aggregated(face->documents->types, core,
                                                                   media.discovery == 1)
                                            : discovery_old(face->documents, url);

        if (value == NULL)
            return false;
        document = document_keep_value(face->documents, key, value);
    }
    answer_bytes(request, responder, types[media.discovery], document->bytes, document->etag,
                 headers, media.discovery != 0 ? 1 : 0);
    return true;
}

/* ---- OpenAPI
 * ----------------------------------------------------------------------------------------------------------------
 */

/* "api/v1" or "apis/apps/v1" of a group-version. */
static char *
openapi_path(const ApiKind *kind)
{
    return *kind->group == '\0' ? g_strconcat("api/", kind->version, NULL)
                                : g_strconcat("apis/", kind->group, "/", kind->version, NULL);
}

static const Document *
openapi_v3_document(struct Documents *documents, const ApiKind *kind, const char *path)
{
    const Document *document = g_hash_table_lookup(documents->by_path, path);

    if (document != NULL)
        return document;
    return document_keep_value(documents, path,
                               api_openapi_v3(documents->types, kind->group, kind->version));
}

static Value *
openapi_v3_index(struct Documents *documents)
{
    Value *paths = value_new_map();

    for (size_t i = 0; i < api_types_count(documents->types); i++) {
        const ApiKind *kind = api_types_item(documents->types, i);
        g_autofree char *path = openapi_path(kind);
        const Document *document;
        g_autofree char *target = NULL;

        if (value_has(paths, path))
            continue;
        document = openapi_v3_document(documents, kind, path);
        target = g_strdup_printf("/openapi/v3/%s?hash=%s", path, document->hash);
        value_replace(&paths,
                      value_set(paths, path, value_new_f("{serverRelativeURL: %s}", target)));
    }
    return value_new_f("{paths: %V}", paths);
}

static void
openapi_v3_answer(HttpFace *face, const HttpRequest *request, const Url *url, const char *path,
                  const ApiKind *kind, HttpResponder *responder)
{
    const Document *document = openapi_v3_document(face->documents, kind, path);
    const char *hash = url_param(url, "hash");
    HttpHeader headers[3] = {{"Cache-Control", "public, immutable"}};
    g_autofree char *expires = NULL, *target = NULL;
    size_t n = 0;

    if (hash != NULL && *hash != '\0' && strcmp(hash, document->hash) != 0) {
        g_autoptr(GBytes) empty = g_bytes_new_static("", 0);

        target = g_strdup_printf("/openapi/v3/%s?hash=%s", path, document->hash);
        headers[0] = (HttpHeader){"Location", target};
        responder->ops->start(responder, 301, headers, 1, 0);
        responder->ops->end(responder);
        return;
    }
    if (hash != NULL && *hash != '\0') {
        g_autoptr(GDateTime) now = g_date_time_new_from_unix_utc(
            clock_now(api_server_ports(face->server)->clock) / NS_PER_S + 365 * 86400);

        expires = g_date_time_format(now, "%a, %d %b %Y %H:%M:%S GMT");
        headers[1] = (HttpHeader){"Expires", expires};
        n = 2;
    }
    answer_bytes(request, responder, "application/json", document->bytes, document->etag, headers,
                 n);
}

static bool
openapi_v3_handle(HttpFace *face, const HttpRequest *request, const Url *url,
                  HttpResponder *responder)
{
    const char *path = url->path + strlen("/openapi/v3");
    const Document *document;

    path += strspn(path, "/");
    if (*path == '\0') {
        document = g_hash_table_lookup(face->documents->by_path, "v3");
        if (document == NULL)
            document =
                document_keep_value(face->documents, "v3", openapi_v3_index(face->documents));
        answer_bytes(request, responder, "application/json", document->bytes, document->etag, NULL,
                     0);
        return true;
    }
    for (size_t i = 0; i < api_types_count(face->documents->types); i++) {
        const ApiKind *kind = api_types_item(face->documents->types, i);
        g_autofree char *its_path = openapi_path(kind);

        if (strcmp(its_path, path) != 0)
            continue;
        openapi_v3_answer(face, request, url, its_path, kind, responder);
        return true;
    }
    return false;
}

static void
openapi_v2_handle(HttpFace *face, const HttpRequest *request, HttpResponder *responder)
{
    bool gnostic = media_accepts_gnostic(http_request_header(request, "Accept"));
    const char *key = gnostic ? "v2 protobuf" : "v2";
    const Document *document = g_hash_table_lookup(face->documents->by_path, key);

    if (document == NULL && gnostic)
        document = document_keep(
            face->documents, key,
            g_byte_array_free_to_bytes(api_openapi_v2_protobuf(face->documents->types)));
    else if (document == NULL)
        document =
            document_keep_value(face->documents, key, api_openapi_v2(face->documents->types));
    answer_bytes(request, responder, gnostic ? GNOSTIC_TYPE : "application/json", document->bytes,
                 document->etag, NULL, 0);
}

/* What stands at the root: every path that can be asked. */
static void
root_handle(HttpFace *face, const HttpRequest *request, HttpResponder *responder)
{
    static const char *const fixed[] = {"/api",        "/apis",    "/healthz",
                                        "/livez",      "/metrics", "/openapi/v2",
                                        "/openapi/v3", "/readyz",  "/version"};
    const Document *document = g_hash_table_lookup(face->documents->by_path, "/");
    ValueBuilder *paths;
    const char *last = "";

    if (document == NULL) {
        paths = value_builder_new_array();
        for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
            value_builder_append(paths, value_new_string(fixed[i]));
        for (size_t i = 0; i < api_types_count(face->documents->types); i++) {
            const ApiKind *kind = api_types_item(face->documents->types, i);
            g_autofree char *path = openapi_path(kind);

            if (strcmp(last, api_kind_api_version(kind)) != 0)
                value_builder_append(paths, value_new_stringf("/%s", path));
            last = api_kind_api_version(kind);
        }
        document = document_keep_value(face->documents, "/",
                                       value_new_f("{paths: %V}", value_builder_end(paths)));
    }
    answer_bytes(request, responder, "application/json", document->bytes, document->etag, NULL, 0);
}

bool
documents_handle(HttpFace *face, const HttpRequest *request, const Url *url,
                 HttpResponder *responder)
{
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        return false;
    if (url->n_segments == 0) {
        root_handle(face, request, responder);
        return true;
    }
    if (strcmp(url->segments[0], "api") == 0 || strcmp(url->segments[0], "apis") == 0)
        return url->n_segments <= 3 && discovery_handle(face, request, url, responder);
    if (strcmp(url->segments[0], "openapi") != 0 || url->n_segments < 2)
        return false;
    if (strcmp(url->segments[1], "v3") == 0)
        return openapi_v3_handle(face, request, url, responder);
    if (strcmp(url->segments[1], "v2") != 0 || url->n_segments > 2)
        return false;
    openapi_v2_handle(face, request, responder);
    return true;
}
