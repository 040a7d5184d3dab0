/* The functions behind subresources. Each answers or refuses the call. */
#pragma once

#include "core/apiserver/private.h"

void call_binding(ApiCall *call);
/* POST bindings: the pod is named by the body. */
void call_bindings(ApiCall *call);
void call_eviction(ApiCall *call);
void call_pod_part(ApiCall *call); /* ephemeralcontainers, resize */
void call_finalize(ApiCall *call);
void call_token_request(ApiCall *call);
void call_scale(ApiCall *call);
