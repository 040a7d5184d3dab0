/* The way of a request: documents and health first, then who asks, what is asked, and the API
 * server's answer. */
#include "core/http/private.h"

HttpFace *
http_face_new(ApiServer *server)
{
    HttpFace *face = g_new0(HttpFace, 1);

    face->server = server;
    g_queue_init(&face->streams);
    face->documents = documents_new(api_server_types(server));
    face->kubelet = api_server_options(server)->kubelet;
    if (face->kubelet.open == NULL && api_server_ports(server)->net != NULL) {
        face->dial = kubelet_dial_new(api_server_ports(server));
        face->kubelet = kubelet_dial_ops(face->dial);
    }
    return face;
}

void
http_face_free(HttpFace *face)
{
    if (face == NULL)
        return;
    stream_end_all(face);
    kubelet_dial_free(face->dial);
    documents_free(face->documents);
    answer_cache_clear(face);
    g_free(face);
}

void
http_face_set_upgrade(HttpFace *face, HttpUpgradeFunc func, void *data)
{
    face->upgrade = func;
    face->upgrade_data = data;
}

void
http_face_set_observer(HttpFace *face, HttpObserveFunc func, void *data)
{
    face->observe = func;
    face->observe_data = data;
}

void
exchange_free(Exchange *exchange)
{
    if (exchange == NULL)
        return;
    g_free(exchange->include_object);
    g_free(exchange);
}

/* ---- who asks
 * ----------------------------------------------------------------------------------------------------------
 */

static ApiUser *
face_impersonated(const HttpRequest *request, const char *name)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new();

    for (size_t i = 0; i < request->n_headers; i++)
        if (g_ascii_strcasecmp(request->headers[i].name, "Impersonate-Group") == 0)
            g_ptr_array_add(groups, (gpointer)request->headers[i].value);
    if (strcmp(name, "system:anonymous") != 0)
        g_ptr_array_add(groups, (gpointer) "system:authenticated");
    g_ptr_array_add(groups, NULL);
    return api_user_new(name, (const char *const *)groups->pdata);
}

/* NULL: the credentials are wrong. */
static ApiUser *
face_authenticate(HttpFace *face, const HttpRequest *request)
{
    const char *authorization = http_request_header(request, "Authorization");
    const char *as = http_request_header(request, "Impersonate-User");
    ApiUser *user;

    if (request->peer_common_name != NULL)
        user = api_server_authenticate_certificate(request->peer_common_name,
                                                   request->peer_organizations);
    else if (authorization != NULL && g_ascii_strncasecmp(authorization, "Bearer ", 7) == 0)
        user = api_server_authenticate_token(face->server, authorization + 7);
    else
        user = api_server_anonymous();
    if (user == NULL || as == NULL || !api_user_in_group(user, "system:authenticated"))
        return user;
    api_user_unref(user);
    return face_impersonated(request, as);
}

/* ---- what is asked
 * -------------------------------------------------------------------------------------------------------
 */

static void
face_done(ApiResponse *take_response, void *data)
{
    Exchange *exchange = data;

    answer_object(exchange, take_response->code, take_response->object, take_response->warnings,
                  take_response->retry_after_s);
    api_response_free(take_response);
    exchange_free(exchange);
}

static bool
face_shows_tables(const ApiRequest *api)
{
    return !g_str_has_prefix(api->group, "authentication.") &&
           !g_str_has_prefix(api->group, "authorization.");
}

/* The kind that an answer's rows are of; a subresource may carry another. */
static const ApiKind *
face_row_kind(HttpFace *face, const ApiRequest *api)
{
    const ApiTypes *types = api_server_types(face->server);
    const ApiKind *kind = api_types_by_resource(types, api->group, api->version, api->resource);
    const ApiSubresource *sub =
        api->subresource == NULL ? NULL : api_kind_subresource(kind, api->subresource);

    if (sub == NULL || strcmp(sub->kind, kind->kind) == 0)
        return kind;
    return api_types_by_kind(types, sub->group, sub->version, sub->kind);
}

static Exchange *
exchange_new(HttpFace *face, const HttpRequest *request, const Url *url, const ApiRequest *api,
             HttpResponder *responder)
{
    Exchange *exchange = g_new0(Exchange, 1);
    const char *agent = http_request_header(request, "User-Agent");

    exchange->face = face;
    exchange->responder = responder;
    exchange->kind = face_row_kind(face, api);
    exchange->include_object = g_strdup(url_param(url, "includeObject"));
    exchange->gzip = media_accepts_gzip(request);
    exchange->is_write = strcmp(request->method, "GET") != 0;
    /* As upstream: people's tools get indented JSON. */
    exchange->pretty = url_param(url, "pretty") != NULL
                           ? url_param_bool(url, "pretty")
                           : agent != NULL && (g_str_has_prefix(agent, "curl") ||
                                               g_str_has_prefix(agent, "Wget") ||
                                               g_str_has_prefix(agent, "Mozilla/5.0"));
    return exchange;
}

/* Writes from outside are inputs: what follows from them is caused by them. */
static void
face_note_input(HttpFace *face, const HttpRequest *request, const ApiRequest *api, const Url *url)
{
    const Ports *ports = api_server_ports(face->server);
    g_autofree char *actor = NULL;

    if (ports->trace == NULL || (api->verb & (API_VERB_GET | API_VERB_LIST | API_VERB_WATCH)) != 0)
        return;
    actor = g_strconcat("user ", api->user->name, NULL);
    trace_record(
        ports->trace,
        &(Fact){.kind = FACT_INPUT, .actor = actor, .verb = request->method, .subject = url->path});
}

static bool
face_is_stream(const ApiRequest *api, const HttpRequest *request)
{
    static const char *const names[] = {"exec", "attach", "portforward", "proxy"};

    for (size_t i = 0; i < G_N_ELEMENTS(names) && api->subresource != NULL; i++)
        if (strcmp(api->subresource, names[i]) == 0)
            return true;
    /* A log may come over a WebSocket too. */
    return g_strcmp0(api->subresource, "log") == 0 &&
           http_request_header(request, "Sec-WebSocket-Key") != NULL;
}

static void
face_serve(HttpFace *face, const HttpRequest *request, const Url *url, ApiRequest *take_api,
           HttpResponder *responder)
{
    g_autoptr(ApiRequest) api = take_api;
    Exchange *exchange;
    MediaChoice media;
    Value *refusal;

    if (face_is_stream(api, request)) {
        if (face->upgrade != NULL && api_user_in_group(api->user, "system:authenticated"))
            face->upgrade(g_steal_pointer(&api), request, responder, face->upgrade_data);
        else
            answer_status(responder,
                          status_bad_request("this server cannot upgrade connections for %s",
                                             api->subresource));
        return;
    }
    if (!media_choose(http_request_header(request, "Accept"), face_shows_tables(api), &media) &&
        g_strcmp0(api->subresource, "log") != 0) {
        answer_status(responder,
                      status_new(406, "NotAcceptable",
                                 "only the following media types are accepted: application/json, "
                                 "application/yaml, application/vnd.kubernetes.protobuf"));
        return;
    }
    if ((refusal = body_read(face, request, api)) != NULL) {
        answer_status(responder, refusal);
        return;
    }
    face_note_input(face, request, api, url);
    if (face->observe != NULL)
        face->observe(api, face->observe_data);
    exchange = exchange_new(face, request, url, api, responder);
    exchange->media = media;
    if (g_strcmp0(api->subresource, "log") == 0 &&
        api_user_in_group(api->user, "system:authenticated"))
        stream_log(exchange, g_steal_pointer(&api));
    else if (api->verb == API_VERB_WATCH)
        stream_watch(exchange, g_steal_pointer(&api));
    else
        api_server_handle(face->server, g_steal_pointer(&api), face_done, exchange);
}

static void
face_route(HttpFace *face, const HttpRequest *request, const Url *url, HttpResponder *responder)
{
    ApiUser *user;
    ApiRequest *api;
    Value *refusal = NULL;

    if (health_handle(face, request, url, responder))
        return;
    user = face_authenticate(face, request);
    if (user == NULL) {
        answer_status(responder, status_unauthorized("Unauthorized"));
        return;
    }
    if (!api_user_in_group(user, "system:authenticated")) {
        g_autofree char *verb = g_ascii_strdown(request->method, -1);

        if (url->n_segments < 3) {
            refusal = status_new(403, "Forbidden", "forbidden: User \"%s\" cannot %s path \"%s\"",
                                 user->name, verb, url->path);
            answer_status(responder, refusal);
            api_user_unref(user);
            return;
        }
    } else if (documents_handle(face, request, url, responder)) {
        api_user_unref(user);
        return;
    }
    api = route_request(face, request, url, &refusal);
    if (api == NULL) {
        answer_status(responder, refusal);
        api_user_unref(user);
        return;
    }
    api->user = user;
    face_serve(face, request, url, api, responder);
}

void
http_face_handle(HttpFace *face, const HttpRequest *request, HttpResponder *responder)
{
    Url url;

    if (url_parse(request->target, &url))
        face_route(face, request, &url, responder);
    else
        answer_status(responder, status_bad_request("the request's target is malformed"));
    url_clear(&url);
}
