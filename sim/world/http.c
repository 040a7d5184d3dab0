/* What comes in over HTTP goes to the REST face of the API server's process; while none runs, the answer is 503. */
#include <string.h>

#include "core/http/face.h"
#include "sim/world/world_private.h"

static void
answer(HttpResponder *responder, int code, const char *type, const char *text)
{
    const HttpHeader headers[] = {{"Content-Type", type}};
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    responder->ops->start(responder, code, headers, G_N_ELEMENTS(headers), (gint64)strlen(text));
    responder->ops->write(responder, bytes);
    responder->ops->end(responder);
}

#define WHY_PATH "/timonel/why?subject="

/* Only for somebody whom the API server knows: the certificate's subject, or a bearer token. */
static bool
is_known(World *world, const HttpRequest *request)
{
    ApiServer *server = world_api_server(world);
    const char *authorization = http_request_header(request, "Authorization");
    if (request->peer_common_name != NULL)
        return true;
    if (server == NULL || authorization == NULL || !g_str_has_prefix(authorization, "Bearer "))
        return false;
    g_autoptr(ApiUser) user =
        api_server_authenticate_token(server, authorization + strlen("Bearer "));
    return user != NULL;
}

/* GET /timonel/why?subject=Pod/default/web-1: the why-chain as plain text, for `timonel why`. */
static void
answer_why(World *world, const HttpRequest *request, HttpResponder *responder)
{
    if (!is_known(world, request)) {
        answer(responder, 401, "text/plain; charset=utf-8", "Unauthorized\n");
        return;
    }
    g_autofree char *subject =
        g_uri_unescape_string(request->target + strlen(WHY_PATH), NULL);
    g_autoptr(GPtrArray) lines = world_why(world, subject != NULL ? subject : "");
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(text, "%s\n", (const char *)lines->pdata[i]);
    answer(responder, lines->len > 0 ? 200 : 404, "text/plain; charset=utf-8", text->str);
    g_string_free(text, TRUE);
}

static void
refuse(HttpResponder *responder)
{
    static const char body[] =
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
        "\"message\":\"the API server is not running\",\"reason\":\"ServiceUnavailable\","
        "\"code\":503}\n";
    answer(responder, 503, "application/json", body);
}

void
world_http(World *world, const HttpRequest *request, HttpResponder *responder)
{
    if (strcmp(request->method, "GET") == 0 && g_str_has_prefix(request->target, WHY_PATH)) {
        answer_why(world, request, responder);
        return;
    }
    HttpFace *face =
        cluster_etcd_is_running(world->cluster) ? cluster_http_face(world->cluster) : NULL;
    if (face == NULL) {
        refuse(responder);
        return;
    }
    http_face_handle(face, request, responder);
}
