/* Exec, attach, port-forward and logs of pods over upgraded HTTP connections: WebSocket and SPDY to the client, port/net to
 * the kubelet. Follows apiserver pkg/util/proxy, kubelet pkg/cri/streaming and apimachinery pkg/util/httpstream. */
#pragma once

#include "core/apiserver/apiserver.h"
#include "core/cluster/dialer.h"
#include "core/http/http.h"

typedef struct Streams Streams;

/* Borrows all, which must outlive it. */
Streams *streams_new(const Ports *ports, ApiServer *server, KubeletDialer *dialer);
/* Ends all connections. */
void streams_free(Streams *streams);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Streams, streams_free)

/* An HttpUpgradeFunc (core/http/face.h); data is the Streams. */
void streams_upgrade(ApiRequest *take, const HttpRequest *http, HttpResponder *responder, void *data);
