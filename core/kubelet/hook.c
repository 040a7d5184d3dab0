/* Lifecycle hooks: exec, httpGet and sleep (pkg/kubelet/lifecycle/handlers.go). */
#include "core/kubelet/internal.h"

#define HOOK_HTTP_TIMEOUT_NS (30 * NS_PER_S)


uint16_t
container_port(const Value *container, const Value *port)
{
    if (value_type(port) == VALUE_INT)
        return (uint16_t)CLAMP(value_int(port), 0, 65535);
    const char *name = value_text(port);
    VALUE_ARRAY_FOREACH (candidate, value_get(container, "ports")) {
        if (g_str_equal(value_text(value_get(candidate, "name")), name))
            return (uint16_t)value_int(value_get(candidate, "containerPort"));
    }
    return (uint16_t)CLAMP(g_ascii_strtoll(name, NULL, 10), 0, 65535);
}

static void
finish(Op *target, const char *error)
{
    target->done(target, NULL, error);
    op_free(target);
}

/* The exec completes `op`, whose `done` is kept in place: error texts are made here first. */
static void
on_exec(const ExecResult *result, void *data)
{
    Op *op = data;
    if (result->error != NULL) {
        finish(op, result->error);
        return;
    }
    if (result->timed_out) {
        finish(op, "context deadline exceeded");
        return;
    }
    if (result->exit_code == 0) {
        finish(op, NULL);
        return;
    }
    g_autofree char *error = g_strdup_printf("command '%s' exited with %d: %s", value_text(op->value), result->exit_code,
                                             result->output != NULL ? result->output : "");
    finish(op, error);
}

static void
on_http(const ProbeReply *reply, void *data)
{
    Op *op = data;
    if (reply->error == NULL && reply->http_status >= 400) {
        g_autofree char *error = g_strdup_printf("HTTP hook failed with statuscode: %d", reply->http_status);
        finish(op, error);
        return;
    }
    finish(op, reply->error);
}

static void
run_exec(PodWorker *worker, const char *container_id, const Value *exec, int64_t timeout_ns, Op *op)
{
    g_auto(GStrv) command = env_expand_array(value_get(exec, "command"), NULL);
    g_autofree char *line = command != NULL ? g_strjoinv(" ", command) : g_strdup("");
    value_replace(&op->value, value_new_string(line));
    Runtime *runtime = worker->kubelet->runtime;
    static const char *const NOTHING[] = {NULL};
    runtime->ops->exec_sync(runtime, container_id, command != NULL ? (const char *const *)command : NOTHING, timeout_ns,
                            on_exec, op);
}

static void
run_http(PodWorker *worker, const Value *container, const Value *get, int64_t timeout_ns, Op *op)
{
    Host *host = worker->kubelet->host;
    g_autoptr(RuntimeView) view = runtime_view_new(worker->kubelet->runtime, worker->uid);
    const PodSandboxStatus *sandbox = runtime_view_sandbox(view);
    const char *address = value_string(value_get(get, "host"));
    if (address == NULL)
        address = sandbox != NULL && sandbox->ip != NULL ? sandbox->ip : value_text_at(worker->status, "hostIP");
    const char *scheme = value_string(value_get(get, "scheme"));
    const char *path = value_string(value_get(get, "path"));
    HostProbe probe = {
        .kind = HOST_PROBE_HTTP,
        .address = address,
        .port = container_port(container, value_get(get, "port")),
        .scheme = scheme != NULL ? scheme : "HTTP",
        .path = path != NULL ? path : "/",
        .headers = value_get(get, "httpHeaders"),
        .timeout_ns = timeout_ns > 0 ? MIN(timeout_ns, HOOK_HTTP_TIMEOUT_NS) : HOOK_HTTP_TIMEOUT_NS,
    };
    host->ops->probe(host, &probe, on_http, op);
}

void
hook_run(PodWorker *worker, const Value *container, const char *container_id, const Value *handler, int64_t timeout_ns,
         Op *op)
{
    Clock *clock = worker->kubelet->ports->clock;
    if (value_has(handler, "exec")) {
        run_exec(worker, container_id, value_get(handler, "exec"), timeout_ns, op);
    } else if (value_has(handler, "httpGet")) {
        run_http(worker, container, value_get(handler, "httpGet"), timeout_ns, op);
    } else {
        int64_t sleep_ns = value_int_at(handler, "sleep.seconds") * NS_PER_S;
        clock_timer_in(clock, timeout_ns > 0 ? MIN(sleep_ns, timeout_ns) : sleep_ns, op_timer_done, op);
    }
}
