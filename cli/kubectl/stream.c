#include "cli/kubectl/stream.h"

#include <string.h>

#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/api/status.h"

#define DEFAULT_CONTAINER "kubectl.kubernetes.io/default-container"

/* ---- carrying ---- */

static void
received(int channel, const void *bytes, size_t length, void *data)
{
    PodStream *stream = data;
    const KubectlEnv *env = stream->kube->env;
    int to = channel == 2 ? 2 : 1;
    if (channel != 1 && channel != 2)
        return;
    if (stream->prefix == NULL) {
        env->write(to, bytes, length, env->data);
        return;
    }
    const char *at = bytes, *end = at + length;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline != NULL ? newline + 1 : end;
        if (!stream->line_open)
            env->write(to, stream->prefix, strlen(stream->prefix), env->data);
        env->write(to, at, (size_t)(next - at), env->data);
        stream->line_open = newline == NULL;
        at = next;
    }
}

static void
ended(const Value *status, void *data)
{
    PodStream *stream = data;
    stream->ended = true;
    stream->stream = NULL;
    stream->status = status != NULL ? value_ref(status) : NULL;
}

static bool
stream_over(void *data)
{
    return ((PodStream *)data)->ended;
}

static void
typed(const void *bytes, size_t length, void *data)
{
    PodStream *stream = data;
    if (stream->stream != NULL)
        stream->kube->env->transport->ops->send(stream->stream, 0, bytes, length);
}

static void
resized(int columns, int rows, void *data)
{
    PodStream *stream = data;
    g_autofree char *size = g_strdup_printf("{\"Width\":%d,\"Height\":%d}", columns, rows);
    if (stream->stream != NULL)
        stream->kube->env->transport->ops->send(stream->stream, 4, size, strlen(size));
}

bool
pod_stream_run(PodStream *stream, ApiRequest *take, bool with_input, bool raw)
{
    static const ApiStreamHandler handler = {received, ended};
    Kube *kube = stream->kube;
    const KubectlEnv *env = kube->env;
    Transport *transport = env->transport;
    if (transport->ops->connect == NULL) {
        api_request_free(take);
        kube_fail(kube, "streams of pods cannot be had here");
        return false;
    }
    if (take->user_agent == NULL)
        take->user_agent = g_strdup("kubectl");
    stream->stream = transport->ops->connect(transport, take, &handler, stream);
    bool input = with_input && env->terminal != NULL;
    if (input && !stream->ended)
        env->terminal->start(raw, typed, resized, stream, env->data);
    else if (with_input && stream->stream != NULL)
        transport->ops->send(stream->stream, 0, "", 0);
    bool went_on = stream->ended || env->wait(stream_over, stream, env->data);
    if (input)
        env->terminal->stop(env->data);
    if (!stream->ended && stream->stream != NULL)
        transport->ops->disconnect(stream->stream);
    return went_on;
}

int
pod_stream_exit(PodStream *stream)
{
    const Value *status = stream->status;
    if (status == NULL || strcmp(value_text(value_get(status, "status")), "Success") == 0)
        return 0;
    if (strcmp(status_reason(status), "NonZeroExitCode") == 0) {
        VALUE_ARRAY_FOREACH (cause, value_at(status, "details.causes")) {
            if (strcmp(value_text(value_get(cause, "reason")), "ExitCode") != 0)
                continue;
            const char *code = value_text(value_get(cause, "message"));
            kube_err(stream->kube, "command terminated with exit code %s\n", code);
            return (int)g_ascii_strtoll(code, NULL, 10);
        }
    }
    if (strcmp(status_reason(status), "InternalError") == 0 || *status_reason(status) == '\0')
        return kube_fail(stream->kube, "%s", status_message(status));
    return kube_fail_status(stream->kube, status);
}

/* ---- which pod ---- */

static int
compare_pods(const void *a, const void *b)
{
    const Value *left = *(const Value *const *)a, *right = *(const Value *const *)b;
    int order = pod_is_ready(right) - pod_is_ready(left);
    return order != 0 ? order : strcmp(object_name(left), object_name(right));
}

static Value *
first_pod_of(Kube *kube, const ApiKind *kind, const char *name)
{
    char *error = NULL;
    g_autoptr(Value) owner = kube_get(kube, kind, kube->namespace_, name, &error);
    g_autofree char *selector = owner != NULL ? pods_selector(owner) : NULL;
    if (owner == NULL) {
        kube_fail_take(kube, error);
        return NULL;
    }
    if (selector == NULL || *selector == '\0') {
        kube_fail(kube, "cannot attach to or read logs of %s/%s: it selects no pods",
                  kind->resource, name);
        return NULL;
    }
    g_autoptr(Value) list = kube_list(kube, kube_kind_named(kube, "", "pods"), kube->namespace_,
                                      selector, NULL, &error);
    g_autoptr(GPtrArray) pods = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (pod, value_get(list, "items"))
        g_ptr_array_add(pods, (void *)pod);
    if (list == NULL || pods->len == 0) {
        if (list == NULL)
            kube_fail_take(kube, error);
        else
            kube_fail(kube, "timed out waiting for the condition: %s/%s has no pods",
                      kind->resource, name);
        return NULL;
    }
    qsort(pods->pdata, pods->len, sizeof(void *), compare_pods);
    const Value *chosen = g_ptr_array_index(pods, 0);
    if (pods->len > 1)
        kube_err(kube, "Found %u pods, using pod/%s\n", pods->len, object_name(chosen));
    return value_ref(chosen);
}

Value *
stream_pod(Kube *kube, const char *type, const char *name)
{
    const ApiKind *kind = kube_kind(kube, type);
    if (kind == NULL)
        return NULL;
    if (strcmp(kind->kind, "Pod") != 0)
        return first_pod_of(kube, kind, name);
    char *error = NULL;
    Value *pod = kube_get(kube, kind, kube->namespace_, name, &error);
    if (pod == NULL)
        kube_fail_take(kube, error);
    return pod;
}

Value *
stream_pod_from_args(Kube *kube, size_t index, size_t *ret_next)
{
    const char *word = kube_arg(kube, index), *slash = strchr(word, '/');
    *ret_next = index + 1;
    if (slash == NULL)
        return stream_pod(kube, "pods", word);
    g_autofree char *type = g_strndup(word, (gsize)(slash - word));
    return stream_pod(kube, type, slash + 1);
}

static const Value *
find_container(const Value *pod, const char *name)
{
    static const char *const lists[] = {"spec.containers", "spec.initContainers",
                                        "spec.ephemeralContainers"};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        VALUE_ARRAY_FOREACH (container, value_at(pod, lists[i]))
            if (strcmp(value_text(value_get(container, "name")), name) == 0)
                return container;
    return NULL;
}

const char *
stream_container(Kube *kube, const Value *pod, bool quiet)
{
    const char *given = kube_flag(kube, "container");
    const char *annotated = object_annotation(pod, DEFAULT_CONTAINER);
    const Value *containers = value_at(pod, "spec.containers"), *found;
    if (*given == '\0' && annotated != NULL)
        given = annotated;
    if (*given != '\0') {
        found = find_container(pod, given);
        if (found == NULL)
            kube_fail(kube, "container %s is not valid for pod %s out of: %s", given,
                      object_name(pod), value_text_at(pod, "spec.containers[0].name"));
        return found != NULL ? value_text(value_get(found, "name")) : NULL;
    }
    if (value_size(containers) > 1 && !quiet) {
        g_autoptr(GString) names = g_string_new(NULL);
        VALUE_ARRAY_FOREACH (container, containers)
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "",
                                   value_text(value_get(container, "name")));
        VALUE_ARRAY_FOREACH (container, value_at(pod, "spec.initContainers"))
            g_string_append_printf(names, ", %s (init)", value_text(value_get(container, "name")));
        kube_err(kube, "Defaulted container \"%s\" out of: %s\n",
                 value_text(value_get(value_item(containers, 0), "name")), names->str);
    }
    return value_text(value_get(value_item(containers, 0), "name"));
}
