#include "core/controllers/common/batch.h"

#include "core/controllers/common/util.h"

typedef struct Batch {
    Sync *sync;
    const BatchOps *ops;
    void *data;
    GDestroyNotify free_data;
    BatchPace pace;
    size_t count, next, size, pending;
    bool starting;
    char *error;
    unsigned
        refs; /* one for the run, one per write in flight: the work queue may be freed with some */
} Batch;

typedef struct BatchWrite {
    Batch *batch;
    size_t index;
} BatchWrite;

static void
batch_unref(Batch *batch)
{
    if (--batch->refs > 0)
        return;
    if (batch->free_data != NULL)
        batch->free_data(batch->data);
    g_free(batch->error);
    g_free(batch);
}

static void
write_free(gpointer data)
{
    BatchWrite *write = data;
    batch_unref(write->batch);
    g_free(write);
}

static void batch_continue(Batch *batch);

static char *
on_answer(const ApiResponse *response, void *data)
{
    BatchWrite *write = data;
    Batch *batch = write->batch;
    char *error = NULL;
    if (batch->ops->answer != NULL)
        error = batch->ops->answer(write->index, response, batch->data);
    else if (!api_response_ok(response))
        error = g_strdup(response_error(response));
    if (error != NULL && batch->error == NULL)
        batch->error = g_strdup(error);
    if (--batch->pending == 0 && !batch->starting)
        batch_continue(batch);
    return error;
}

static void
batch_finish(Batch *batch)
{
    if (batch->ops->done != NULL)
        batch->ops->done(batch->sync, batch->error, batch->count - batch->next, batch->data);
    batch_unref(batch);
}

static void
batch_continue(Batch *batch)
{
    if (batch->next == batch->count || batch->error != NULL) {
        batch_finish(batch);
        return;
    }
    size_t size = MIN(batch->size, batch->count - batch->next);
    batch->size *= 2;
    batch->pending = size;
    batch->starting = true;
    for (size_t i = 0; i < size; i++) {
        BatchWrite *write = g_new(BatchWrite, 1);
        *write = (BatchWrite){batch, batch->next++};
        batch->refs++;
        void *begun = sync_begin_checked(batch->sync, on_answer, write, write_free);
        batch->ops->start(batch->next - 1, begun, batch->data);
    }
    batch->starting = false;
    if (batch->pending == 0)
        batch_continue(batch);
}

void
batch_run(Sync *sync, BatchPace pace, size_t count, const BatchOps *ops, void *data,
          GDestroyNotify free_data)
{
    Batch *batch = g_new0(Batch, 1);
    *batch = (Batch){.sync = sync,
                     .ops = ops,
                     .data = data,
                     .free_data = free_data,
                     .pace = pace,
                     .count = count,
                     .size = pace == BATCH_ALL ? MAX(count, 1) : 1,
                     .refs = 1};
    batch_continue(batch);
}
