/* Operations in flight. */
#include "core/api/status.h"
#include "core/kubelet/internal.h"

Op *
op_new(Kubelet *kubelet, PodWorker *worker, OpFunc done)
{
    Op *op = g_new0(Op, 1);
    op->kubelet = kubelet;
    op->worker = worker;
    op->done = done;
    op->round = worker != NULL ? worker->round : 0;
    op->cause = trace_current(kubelet->ports->trace);
    op->next = kubelet->ops;
    if (op->next != NULL)
        op->next->previous = op;
    kubelet->ops = op;
    return op;
}

void
op_free(Op *op)
{
    if (op->next != NULL)
        op->next->previous = op->previous;
    if (op->previous != NULL)
        op->previous->next = op->next;
    else
        op->kubelet->ops = op->next;
    g_free(op->text);
    value_unref(op->value);
    g_free(op);
}

bool
op_is_current(const Op *op)
{
    return op->worker != NULL && op->worker->round == op->round;
}

static void
complete(Op *op, const char *id, const char *error)
{
    op->done(op, id, error);
    op_free(op);
}

void
op_runtime_done(const char *id, const char *error, void *op)
{
    complete(op, id, error);
}

void
op_host_done(const char *error, void *op)
{
    complete(op, NULL, error);
}

void
op_api_done(ApiResponse *take_response, void *data)
{
    g_autoptr(ApiResponse) response = take_response;
    Op *op = data;
    op->code = response->code;
    value_replace(&op->value, value_ref(response->object));
    const char *error = NULL;
    if (!api_response_ok(response))
        error = status_message(response->object);
    complete(op, NULL, error);
}

void
op_exec_done(const ExecResult *result, void *data)
{
    Op *op = data;
    op->code = result->exit_code;
    op->flag = result->timed_out;
    complete(op, result->output != NULL ? result->output : "", result->error);
}

void
op_probe_done(const ProbeReply *reply, void *data)
{
    Op *op = data;
    op->code = reply->http_status;
    complete(op, reply->body != NULL ? reply->body : "", reply->error);
}

void
op_timer_done(void *data)
{
    complete(data, NULL, NULL);
}
