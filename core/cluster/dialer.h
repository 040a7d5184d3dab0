/* How the API server reaches the kubelets: streams over port/net to port 10250 (core/stream/kubelet_wire.h). */
#pragma once

#include "core/apiserver/apiserver.h"
#include "core/client/client.h"
#include "core/stream/kubelet_wire.h"

typedef struct KubeletDialer KubeletDialer;
typedef struct KubeletSession KubeletSession;

KubeletDialer *kubelet_dialer_new(const Ports *ports);
/* Ends the sessions: `ended` gets a Status, the logs of kubelet_dialer_port end without a word. */
void kubelet_dialer_free(KubeletDialer *dialer);

/* Opens log, exec, attach or portforward of a pod on the kubelet of its node (node: the Node object, or NULL when unknown).
 * request: query parameters as the REST API has them (a map name -> array of texts). The handler's functions come by later
 * events; `ended` exactly once, unless it is closed before. NULL when the request is wrong: then *ret_refusal is a Status. */
KubeletSession *kubelet_dialer_open(KubeletDialer *dialer, const Value *node, const Value *pod, const ApiRequest *request,
                                    const ApiStreamHandler *handler, void *data, Value **ret_refusal);
/* Channel 0: input (length 0: its end); channel 4: {"Width":80,"Height":24}. */
void kubelet_session_send(KubeletSession *session, int channel, const void *bytes, size_t length);
/* Called once with the session's data when the kubelet says yes, before anything is received. */
void kubelet_session_on_accepted(KubeletSession *session, void (*accepted)(void *data));
void kubelet_session_close(KubeletSession *session);

/* For ApiServerOptions: logs as chunks. */
ApiKubeletDialer kubelet_dialer_port(KubeletDialer *dialer);
