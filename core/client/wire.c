/* Bodies of the messages between clients and API servers. */
#include "core/client/wire.h"

#include "core/base/pmap.h"

/* Sizes only matter for modelled bandwidth: a guess from the number of top fields and items does.
 */
#define REQUEST_SIZE 256
#define OBJECT_SIZE 1500

WatchBatch *
watch_batch_new(size_t n)
{
    WatchBatch *batch = g_malloc0(sizeof *batch + n * sizeof batch->events[0]);
    batch->n = n;
    return batch;
}

void
watch_batch_free(WatchBatch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->n; i++) {
        value_unref(batch->events[i].object);
        pmap_unref(batch->events[i].state);
    }
    g_free(batch);
}

/* Traces keep a message's label for longer than its body. There are only so many: verbs times
 * kinds. */
NetMessage
wire_request(ApiRequest *take)
{
    return (NetMessage){.body = take,
                        .free_body = (GDestroyNotify)api_request_free,
                        .size = REQUEST_SIZE + (take->body != NULL ? OBJECT_SIZE : 0),
                        .label = g_intern_string(api_request_label(take))};
}

NetMessage
wire_response(ApiResponse *take)
{
    size_t items = value_size(value_get(take->object, "items"));
    size_t size = OBJECT_SIZE * (items > 0 ? items : 1);
    return (NetMessage){.body = take,
                        .free_body = (GDestroyNotify)api_response_free,
                        .size = (uint32_t)MIN(size, UINT32_MAX),
                        .label = "response"};
}

NetMessage
wire_batch(WatchBatch *take)
{
    return (NetMessage){.body = take,
                        .free_body = (GDestroyNotify)watch_batch_free,
                        .size = (uint32_t)MIN(take->n * OBJECT_SIZE, UINT32_MAX),
                        .label = "watch"};
}
