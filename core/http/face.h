/* The REST face of an API server: paths, media types, discovery, OpenAPI, health, metrics, watches
 * as chunked JSON. Bytes in, bytes out. Follows apiserver pkg/endpoints and pkg/server. */
#pragma once

#include "core/apiserver/apiserver.h"
#include "core/http/http.h"

typedef struct HttpFace HttpFace;

/* Borrows the server, which must outlive it. */
HttpFace *http_face_new(ApiServer *server);
/* Ends the watches that are open. Exchanges that wait for the store's sync must have ended. */
void http_face_free(HttpFace *face);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpFace, http_face_free)

/* Answers one request through the responder, now or in later events. The request is read during the
 * call only. */
void http_face_handle(HttpFace *face, const HttpRequest *request, HttpResponder *responder);

/* Who serves exec, attach and port-forward once the connection is upgraded: called with the
 * authenticated request (owned by the callee). Without one such requests are refused with 400. */
typedef void (*HttpUpgradeFunc)(ApiRequest *take, const HttpRequest *request,
                                HttpResponder *responder, void *data);
void http_face_set_upgrade(HttpFace *face, HttpUpgradeFunc func, void *data);

/* Sees every request (but watches and streams) just before the API server does: what came from outside can be recorded. */
typedef void (*HttpObserveFunc)(const ApiRequest *request, void *data);
void http_face_set_observer(HttpFace *face, HttpObserveFunc func, void *data);
