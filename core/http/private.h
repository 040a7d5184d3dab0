/* Inside the REST face. */
#pragma once

#include <string.h>

#include "core/api/meta.h"
#include "core/api/status.h"
#include "core/base/limits.h"
#include "core/http/face.h"
#include "core/http/kubelet_dial.h"
#include "core/object/json.h"

#define HTTP_TARGET_MAX 65536
#define HTTP_SEGMENTS_MAX 16
#define HTTP_GZIP_FROM (128 * 1024) /* as the API server: responses above this are compressed */
#define HTTP_WATCH_BACKLOG_MAX (8u << 20) /* a client that falls this far behind is dropped */
#define HTTP_CHUNK 65536                  /* about this much of a list is written at once */
#define JSON_CACHE_SLOTS 2048

/* What a client wants to read. */
typedef enum { FORM_PLAIN, FORM_TABLE, FORM_PARTIAL } MediaForm;

typedef struct MediaChoice {
    MediaForm form;
    bool yaml;
    bool beta;     /* meta.k8s.io/v1beta1 */
    int discovery; /* 0: none; 1: v2beta1; 2: v2 */
} MediaChoice;

/* One request on its way. Copies what is needed after http_face_handle has returned. */
typedef struct Exchange {
    HttpFace *face;
    HttpResponder *responder;
    MediaChoice media;
    const ApiKind *kind; /* of the rows of a Table; NULL: none */
    char *include_object;
    bool pretty;
    bool gzip;
    bool is_write;
} Exchange;

/* A path's parts and its query, decoded. */
typedef struct Url {
    char *path;
    char *segments[HTTP_SEGMENTS_MAX]; /* point into storage */
    size_t n_segments;
    char *storage;
    Value *query; /* name -> array of strings */
} Url;

struct HttpFace {
    ApiServer *server;
    GQueue streams; /* open ones, in the order of their start */
    struct JsonCacheSlot *cache;
    struct Documents *documents;
    KubeletDial *dial; /* NULL when the options bring another way to kubelets, or there is no net */
    ApiKubeletDialer kubelet; /* open NULL: none */
    HttpUpgradeFunc upgrade;
    void *upgrade_data;
    HttpObserveFunc observe;
    void *observe_data;
};

/* ---- url.c */
bool url_parse(const char *target, Url *ret_url);
void url_clear(Url *url);
/* First value of a parameter; NULL when absent. */
const char *url_param(const Url *url, const char *name);
/* As Go's conversion of a query: absent, "false" and "0" are false, all else is true. */
bool url_param_bool(const Url *url, const char *name);

/* ---- media.c */
/* False when nothing of the Accept header can be served. `tables`: the answer can be shown as Table
 * or partial metadata. */
bool media_choose(const char *accept, bool tables, MediaChoice *ret_choice);
bool media_accepts_gzip(const HttpRequest *request);
bool media_accepts_gnostic(const char *accept);

/* ---- route.c */
/* The API request that a URL and a method mean; NULL with a Status. */
ApiRequest *route_request(HttpFace *face, const HttpRequest *request, const Url *url,
                          Value **ret_refusal);

/* ---- body.c: fills in request->body; returns a Status that refuses */
Value *body_read(HttpFace *face, const HttpRequest *request, ApiRequest *api);

/* ---- answer.c */
void answer_object(Exchange *exchange, int code, const Value *object, char *const *warnings,
                   int64_t retry_after_s);
void answer_status(HttpResponder *responder, Value *take_status);
void answer_text(HttpResponder *responder, int code, const char *type, const char *text);
/* With an ETag, and 304 when the client has that one. `headers` may be NULL. */
void answer_bytes(const HttpRequest *request, HttpResponder *responder, const char *type,
                  GBytes *bytes, const char *etag, const HttpHeader *headers, size_t n_headers);
/* The object in the form that was asked for (owned). */
Value *answer_shape(const Exchange *exchange, const Value *object, bool with_headers);
/* JSON of a stored object; kept for a while. Borrowed until the next call. */
const GString *answer_json(HttpFace *face, const Value *object);
void answer_cache_clear(HttpFace *face);

/* ---- stream.c */
void stream_watch(Exchange *take_exchange, ApiRequest *take_request);
void stream_log(Exchange *take_exchange, ApiRequest *take_request);
void stream_end_all(HttpFace *face);
void exchange_free(Exchange *exchange);

/* ---- documents.c, discovery.c, health.c: true when the path was theirs */
struct Documents *documents_new(const ApiTypes *types);
void documents_free(struct Documents *documents);
bool documents_handle(HttpFace *face, const HttpRequest *request, const Url *url,
                      HttpResponder *responder);
bool health_handle(HttpFace *face, const HttpRequest *request, const Url *url,
                   HttpResponder *responder);
Value *discovery_aggregated(const ApiTypes *types, bool core, bool beta);
Value *discovery_versions(void);
Value *discovery_groups(const ApiTypes *types);
Value *discovery_group(const ApiTypes *types, const char *group); /* NULL: unknown */
Value *discovery_resources(const ApiTypes *types, const char *group,
                           const char *version); /* NULL: unknown */
