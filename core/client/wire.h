/* What travels over port/net between a client and the API server's process (core/cluster puts the server's end in place). */
#pragma once

#include "core/api/request.h"
#include "core/port/net.h"

#define API_SERVER_PORT 6443

/* Calls: body ApiRequest -> reply body ApiResponse. Streams: first body ApiRequest with verb watch; then from the server
 * bodies WatchBatch. All bodies are owned by the message. */
typedef struct WatchBatch {
    size_t n;
    WatchEvent events[];
} WatchBatch;

WatchBatch *watch_batch_new(size_t n); /* events zeroed */
void watch_batch_free(WatchBatch *batch);
NetMessage wire_request(ApiRequest *take);
NetMessage wire_response(ApiResponse *take);
NetMessage wire_batch(WatchBatch *take);
