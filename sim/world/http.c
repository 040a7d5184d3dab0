/* What comes in over HTTP goes to the REST face of the API server's process; while none runs, the answer is 503. */
#include <string.h>

#include "core/http/face.h"
#include "sim/world/world_private.h"

static void
refuse(HttpResponder *responder)
{
    static const char body[] =
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
        "\"message\":\"the API server is not running\",\"reason\":\"ServiceUnavailable\","
        "\"code\":503}\n";
    static const HttpHeader headers[] = {{"Content-Type", "application/json"},
                                         {"Retry-After", "1"}};
    g_autoptr(GBytes) bytes = g_bytes_new_static(body, sizeof body - 1);
    responder->ops->start(responder, 503, headers, G_N_ELEMENTS(headers),
                          (gint64)(sizeof body - 1));
    responder->ops->write(responder, bytes);
    responder->ops->end(responder);
}

void
world_http(World *world, const HttpRequest *request, HttpResponder *responder)
{
    HttpFace *face =
        cluster_etcd_is_running(world->cluster) ? cluster_http_face(world->cluster) : NULL;
    if (face == NULL) {
        refuse(responder);
        return;
    }
    http_face_handle(face, request, responder);
}
