/* Probes (pkg/kubelet/prober): one a container and kind, each with its own timer while its container runs.
 *
 *   wait for the container -> initialDelaySeconds -> probe every periodSeconds -> result after threshold equal answers
 *
 * Startup holds the other two back. After a failed liveness or startup probe the probe rests until a new container of the
 * name is there (`resting`). Before the first result: readiness false, liveness true, startup not yet. */
#include "core/kubelet/internal.h"

#define PROBE_TRIES 3 /* maxProbeRetries: after errors, not after failures */

typedef enum { PROBE_STARTUP, PROBE_READINESS, PROBE_LIVENESS } ProbeKind;
typedef enum { RESULT_UNKNOWN, RESULT_SUCCESS, RESULT_FAILURE } ProbeResult;

struct Probe {
    PodWorker *worker;
    char *name, *container_id;
    TimerId timer;
    ProbeKind kind;
    ProbeResult result;
    ProbeResult last; /* of equal answers in a row */
    unsigned run;
    unsigned serial; /* of the attempt: late answers are not for a new container */
    bool resting, busy;
};

static const char *const FIELDS[] = {"startupProbe", "readinessProbe", "livenessProbe"};
static const char *const WORDS[] = {"Startup", "Readiness", "Liveness"};

static const Value *
probe_spec(const Probe *probe)
{
    return value_get(pod_find_container(probe->worker->pod, probe->name, NULL), FIELDS[probe->kind]);
}

static void
probe_free(void *data)
{
    Probe *probe = data;
    clock_cancel(probe->worker->kubelet->ports->clock, &probe->timer);
    g_free(probe->name);
    g_free(probe->container_id);
    g_free(probe);
}

static Probe *
find(const PodWorker *worker, const char *name, ProbeKind kind)
{
    for (guint i = 0; worker->probes != NULL && i < worker->probes->len; i++) {
        Probe *probe = worker->probes->pdata[i];
        if (probe->kind == kind && g_str_equal(probe->name, name))
            return probe;
    }
    return NULL;
}

bool
probes_lookup(const PodWorker *worker, const char *container, const char *container_id, ProbeVerdicts *ret_verdicts)
{
    const Probe *startup = find(worker, container, PROBE_STARTUP);
    const Probe *readiness = find(worker, container, PROBE_READINESS);
    const Probe *liveness = find(worker, container, PROBE_LIVENESS);
    bool same[3];
    const Probe *all[] = {startup, readiness, liveness};
    for (size_t i = 0; i < 3; i++)
        same[i] = all[i] != NULL && all[i]->container_id != NULL && g_str_equal(all[i]->container_id, container_id);
    ret_verdicts->started = startup == NULL || (same[0] && startup->result == RESULT_SUCCESS);
    ret_verdicts->startup_failed = same[0] && startup->result == RESULT_FAILURE;
    ret_verdicts->ready = readiness == NULL || (same[1] && readiness->result == RESULT_SUCCESS);
    ret_verdicts->liveness_failed = same[2] && liveness->result == RESULT_FAILURE;
    return startup != NULL || readiness != NULL || liveness != NULL;
}

/* ---- answers ------------------------------------------------------------------------------------------------- */

static int64_t
threshold(const Probe *probe, ProbeResult answer)
{
    return answer == RESULT_SUCCESS ? value_int_at_or(probe_spec(probe), "successThreshold", 1)
                                    : value_int_at_or(probe_spec(probe), "failureThreshold", 3);
}

static void
set_result(Probe *probe, ProbeResult result)
{
    if (probe->result == result)
        return;
    probe->result = result;
    worker_decision(probe->worker, "probe", "%s probe of container %s: %s", WORDS[probe->kind], probe->name,
                    result == RESULT_SUCCESS ? "success" : "failure");
    if (result == RESULT_FAILURE && probe->kind != PROBE_READINESS) {
        probe->resting = true;
        clock_cancel(probe->worker->kubelet->ports->clock, &probe->timer);
    }
    worker_wake(probe->worker);
}

static void
answered(Probe *probe, ProbeResult answer, const char *text)
{
    if (answer == RESULT_FAILURE)
        worker_container_event(probe->worker, probe->name, "Warning", "Unhealthy", "%s probe failed: %s", WORDS[probe->kind],
                               text);
    if (probe->last == answer)
        probe->run++;
    else
        probe->run = 1;
    probe->last = answer;
    if ((int64_t)probe->run >= threshold(probe, answer))
        set_result(probe, answer);
}

/* Hosts may give the whole of Go's error, or only its end ("connection refused"). */
static bool
is_whole(const char *error)
{
    return error != NULL && (g_str_has_prefix(error, "Get ") || g_str_has_prefix(error, "dial ") ||
                             g_str_has_prefix(error, "timeout:") || g_str_has_prefix(error, "service unhealthy"));
}

static void
on_http_answer(Probe *probe, const Op *op, const char *error)
{
    bool failed = error != NULL || op->code < 200 || op->code >= 400;
    if (!failed) {
        answered(probe, RESULT_SUCCESS, NULL);
        return;
    }
    g_autofree char *text = NULL;
    bool slow = error != NULL && (strstr(error, "timeout") != NULL || strstr(error, "deadline") != NULL);
    if (is_whole(error))
        text = g_strdup(error);
    else if (error == NULL)
        text = g_strdup_printf("HTTP probe failed with statuscode: %d", op->code);
    else if (slow)
        text = g_strdup_printf("Get \"%s\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                               op->text);
    else
        text = g_strdup_printf("Get \"%s\": dial tcp %s: connect: %s", op->text, value_text(op->value), error);
    answered(probe, RESULT_FAILURE, text);
}

static void
on_tcp_answer(Probe *probe, const Op *op, const char *error)
{
    if (error == NULL) {
        answered(probe, RESULT_SUCCESS, NULL);
        return;
    }
    bool slow = strstr(error, "timeout") != NULL;
    g_autofree char *text = is_whole(error) ? g_strdup(error)
                            : slow ? g_strdup_printf("dial tcp %s: i/o timeout", op->text)
                                   : g_strdup_printf("dial tcp %s: connect: %s", op->text, error);
    answered(probe, RESULT_FAILURE, text);
}

static void
on_grpc_answer(Probe *probe, const Op *op, const char *error)
{
    if (error == NULL && op->code == 0) {
        answered(probe, RESULT_SUCCESS, NULL);
        return;
    }
    g_autofree char *text = is_whole(error) ? g_strdup(error)
                            : error != NULL
                                ? g_strdup_printf("timeout: failed to connect service \"%s\" within %" G_GINT64_FORMAT
                                                  "s: %s", op->text, value_int_at_or(probe_spec(probe), "timeoutSeconds", 1),
                                                  error)
                                : g_strdup("service unhealthy (responded with \"NOT_SERVING\")");
    answered(probe, RESULT_FAILURE, text);
}

static void
on_exec_answer(Probe *probe, const Op *op, const char *output, const char *error)
{
    if (op->flag) {
        g_autofree char *text = g_strdup_printf("command timed out: \"%s\" timed out after %" G_GINT64_FORMAT "s", op->text,
                                                value_int_at_or(probe_spec(probe), "timeoutSeconds", 1));
        answered(probe, RESULT_FAILURE, text);
    } else if (error != NULL) {
        worker_container_event(probe->worker, probe->name, "Warning", "Unhealthy", "%s probe errored and resulted in unknown "
                               "state: %s", WORDS[probe->kind], error);
        answered(probe, RESULT_FAILURE, error);
    } else {
        answered(probe, op->code == 0 ? RESULT_SUCCESS : RESULT_FAILURE, output);
    }
}

static Probe *
probe_of(const Op *op)
{
    if (op->worker == NULL || op->worker->probes == NULL)
        return NULL;
    for (guint i = 0; i < op->worker->probes->len; i++) {
        Probe *probe = op->worker->probes->pdata[i];
        if (probe->serial == op->index && (intptr_t)op->time == (intptr_t)probe)
            return probe;
    }
    return NULL;
}

static void
on_answer(Op *op, const char *id, const char *error)
{
    Probe *probe = probe_of(op);
    if (probe == NULL || probe->resting)
        return;
    probe->busy = false;
    const Value *spec = probe_spec(probe);
    if (value_has(spec, "httpGet"))
        on_http_answer(probe, op, error);
    else if (value_has(spec, "tcpSocket"))
        on_tcp_answer(probe, op, error);
    else if (value_has(spec, "grpc"))
        on_grpc_answer(probe, op, error);
    else
        on_exec_answer(probe, op, id, error);
}

/* ---- asking --------------------------------------------------------------------------------------------------- */

static void
ask_host(Probe *probe, const Value *spec, const char *ip, int64_t timeout_ns, Op *op)
{
    Host *host = probe->worker->kubelet->host;
    const Value *container = pod_find_container(probe->worker->pod, probe->name, NULL);
    const Value *get = value_get(spec, "httpGet"), *tcp = value_get(spec, "tcpSocket"), *grpc = value_get(spec, "grpc");
    const Value *handler = get != NULL ? get : tcp != NULL ? tcp : grpc;
    const char *own_host = value_string(value_get(handler, "host"));
    const char *scheme = value_string(value_get(get, "scheme"));
    const char *path = value_string(value_get(get, "path"));
    HostProbe request = {
        .kind = get != NULL ? HOST_PROBE_HTTP : tcp != NULL ? HOST_PROBE_TCP : HOST_PROBE_GRPC,
        .address = own_host != NULL && *own_host != '\0' ? own_host : ip,
        .port = container_port(container, value_get(handler, "port")),
        .scheme = scheme != NULL ? scheme : "HTTP",
        .path = path != NULL ? path : "/",
        .headers = value_get(get, "httpHeaders"),
        .grpc_service = value_text(value_get(grpc, "service")),
        .timeout_ns = timeout_ns,
    };
    g_autofree char *where = g_strdup_printf("%s:%u", request.address, request.port);
    g_autofree char *lower = g_ascii_strdown(request.scheme, -1);
    op->text = get != NULL ? g_strdup_printf("%s://%s%s%s", lower, where, *request.path == '/' ? "" : "/", request.path)
                           : g_strdup(where);
    op->value = value_new_string(where);
    host->ops->probe(host, &request, op_probe_done, op);
}

static void
ask(Probe *probe)
{
    PodWorker *worker = probe->worker;
    Kubelet *kubelet = worker->kubelet;
    const Value *spec = probe_spec(probe);
    g_autoptr(RuntimeView) view = runtime_view_new(kubelet->runtime, worker->uid);
    const PodSandboxStatus *sandbox = runtime_view_sandbox(view);
    const ContainerStatus *status = runtime_view_find(view, probe->name);
    if (status == NULL || status->state != CONTAINER_RUNNING || g_strcmp0(status->id, probe->container_id) != 0)
        return;
    const char *ip = sandbox != NULL && sandbox->ip != NULL ? sandbox->ip : value_text(value_get(worker->status, "hostIP"));
    int64_t timeout_ns = value_int_at_or(spec, "timeoutSeconds", 1) * NS_PER_S;
    Op *op = op_new(kubelet, worker, on_answer);
    op->time = (int64_t)(intptr_t)probe;
    op->index = probe->serial;
    probe->busy = true;
    if (!value_has(spec, "exec")) {
        ask_host(probe, spec, ip, timeout_ns, op);
        return;
    }
    static const char *const NOTHING[] = {NULL};
    g_auto(GStrv) command = env_expand_array(value_at(spec, "exec.command"), NULL);
    op->text = command != NULL ? g_strjoinv(" ", command) : g_strdup("");
    kubelet->runtime->ops->exec_sync(kubelet->runtime, probe->container_id,
                                     command != NULL ? (const char *const *)command : NOTHING, timeout_ns, op_exec_done, op);
}

static void
on_period(void *data)
{
    Probe *probe = data;
    PodWorker *worker = probe->worker;
    Clock *clock = worker->kubelet->ports->clock;
    int64_t period = MAX(value_int_at_or(probe_spec(probe), "periodSeconds", 10), 1) * NS_PER_S;
    probe->timer = clock_timer_in(clock, period, on_period, probe);
    const Probe *startup = probe->kind == PROBE_STARTUP ? NULL : find(worker, probe->name, PROBE_STARTUP);
    bool held = startup != NULL && startup->result != RESULT_SUCCESS;
    bool done = probe->kind == PROBE_STARTUP && probe->result == RESULT_SUCCESS;
    if (done)
        clock_cancel(clock, &probe->timer); /* it has succeeded: never again for this container */
    else if (!held && !probe->busy)
        ask(probe);
}

/* ---- coming and going ----------------------------------------------------------------------------------------- */

/* Was the container ready before this kubelet started? Then it stays so until the first answer. */
static bool
was_ready(const PodWorker *worker, const ContainerStatus *status)
{
    if (!worker->adopted)
        return false;
    VALUE_ARRAY_FOREACH (old, value_get(worker->status, "containerStatuses")) {
        if (g_str_has_suffix(value_text(value_get(old, "containerID")), status->id))
            return value_bool(value_get(old, "ready"));
    }
    return false;
}

static void
start(PodWorker *worker, const Value *spec, const ContainerStatus *status, ProbeKind kind)
{
    Kubelet *kubelet = worker->kubelet;
    Probe *probe = find(worker, status->name, kind);
    if (probe != NULL && g_strcmp0(probe->container_id, status->id) == 0)
        return;
    if (probe == NULL) {
        if (worker->probes == NULL)
            worker->probes = g_ptr_array_new_with_free_func(probe_free);
        probe = g_new0(Probe, 1);
        probe->worker = worker;
        probe->name = g_strdup(status->name);
        probe->kind = kind;
        g_ptr_array_add(worker->probes, probe);
    }
    g_free(probe->container_id);
    probe->container_id = g_strdup(status->id);
    probe->resting = probe->busy = false;
    probe->run = 0;
    probe->last = RESULT_UNKNOWN;
    probe->serial++;
    bool ready = was_ready(worker, status);
    probe->result = kind == PROBE_LIVENESS ? RESULT_SUCCESS : kind == PROBE_STARTUP ? RESULT_UNKNOWN : RESULT_FAILURE;
    if (ready)
        probe->result = RESULT_SUCCESS;
    int64_t now = kubelet_now(kubelet);
    int64_t period = MAX(value_int_at_or(spec, "periodSeconds", 10), 1) * NS_PER_S;
    int64_t first = MAX(status->started_at + value_int_at(spec, "initialDelaySeconds") * NS_PER_S, now);
    if (now - kubelet->started_at < period) /* a kubelet that has just started spreads its probes */
        first += (int64_t)random_below(kubelet->ports->random, (uint64_t)period);
    clock_cancel(kubelet->ports->clock, &probe->timer);
    probe->timer = clock_timer_at(kubelet->ports->clock, first, on_period, probe);
}

void
probes_update(PodWorker *worker, const RuntimeView *view)
{
    for (ContainerKind list = CONTAINER_INIT; list <= CONTAINER_MAIN; list++) {
        VALUE_ARRAY_FOREACH (container, pod_container_list(worker->pod, list)) {
            if (list == CONTAINER_INIT && !container_is_sidecar(container, list))
                continue;
            const ContainerStatus *status = runtime_view_find(view, value_text(value_get(container, "name")));
            for (ProbeKind kind = PROBE_STARTUP; kind <= PROBE_LIVENESS; kind++) {
                const Value *spec = value_get(container, FIELDS[kind]);
                Probe *probe = find(worker, value_text(value_get(container, "name")), kind);
                if (status != NULL && status->state == CONTAINER_RUNNING && spec != NULL)
                    start(worker, spec, status, kind);
                else if (probe != NULL)
                    clock_cancel(worker->kubelet->ports->clock, &probe->timer);
            }
        }
    }
}

void
probes_stop(PodWorker *worker, bool readiness_too)
{
    for (guint i = worker->probes == NULL ? 0 : worker->probes->len; i-- > 0;) {
        Probe *probe = worker->probes->pdata[i];
        if (readiness_too || probe->kind != PROBE_READINESS)
            g_ptr_array_remove_index(worker->probes, i);
    }
    if (worker->probes != NULL && worker->probes->len == 0)
        g_clear_pointer(&worker->probes, g_ptr_array_unref);
}
