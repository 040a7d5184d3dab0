/* kubectl logs */
#include <string.h>

#include "cli/kubectl/stream.h"
#include "core/api/meta.h"
#include "core/base/duration.h"
#include "core/base/timestamp.h"

static Value *
text_array(const char *text)
{
    g_autoptr(Value) array = value_new_array();
    return value_append(array, value_new_string(text));
}

static void
set_query(Value **query, const char *key, const char *text)
{
    value_replace(query, value_set(*query, key, text_array(text)));
}

/* Owned; NULL: printed. */
static Value *
log_query(Kube *kube, const char *container, bool selected)
{
    Value *query = value_new_map();
    set_query(&query, "container", container);
    static const struct {
        const char *flag, *key;
    } bools[] = {{"follow", "follow"}, {"previous", "previous"}, {"timestamps", "timestamps"}};
    for (size_t i = 0; i < G_N_ELEMENTS(bools); i++)
        if (kube_flag_bool(kube, bools[i].flag))
            set_query(&query, bools[i].key, "true");
    if (kube_flag_given(kube, "tail") && kube_flag_int(kube, "tail") >= 0)
        set_query(&query, "tailLines", kube_flag(kube, "tail"));
    else if (selected && !kube_flag_given(kube, "tail"))
        set_query(&query, "tailLines", "10");
    if (kube_flag_int(kube, "limit-bytes") > 0)
        set_query(&query, "limitBytes", kube_flag(kube, "limit-bytes"));
    if (kube_flag_duration(kube, "since") > 0) {
        g_autofree char *seconds = g_strdup_printf(
            "%" G_GINT64_FORMAT,
            (kube_flag_duration(kube, "since") + DURATION_SECOND - 1) / DURATION_SECOND);
        set_query(&query, "sinceSeconds", seconds);
    }
    if (kube_flag_given(kube, "since-time"))
        set_query(&query, "sinceTime", kube_flag(kube, "since-time"));
    return query;
}

static int
log_container(Kube *kube, const Value *pod, const char *container, bool selected, bool prefix)
{
    ApiRequest *request = kube_request(API_VERB_GET, kube_kind_named(kube, "", "pods"),
                                       object_namespace(pod), object_name(pod));
    g_autofree char *text =
        prefix ? g_strdup_printf("[pod/%s/%s] ", object_name(pod), container) : NULL;
    PodStream stream = {.kube = kube, .prefix = text};
    request->subresource = g_strdup("log");
    request->query = log_query(kube, container, selected);
    bool ok = pod_stream_run(&stream, request, false, false);
    int status = ok ? pod_stream_exit(&stream) : 1;
    value_unref(stream.status);
    return status;
}

static int
log_pod(Kube *kube, const Value *pod, bool selected)
{
    bool prefix = kube_flag_bool(kube, "prefix"), all = kube_flag_bool(kube, "all-containers");
    if (!all) {
        const char *container = stream_container(kube, pod, selected);
        return container == NULL ? 1 : log_container(kube, pod, container, selected, prefix);
    }
    static const char *const lists[] = {"spec.initContainers", "spec.containers",
                                        "spec.ephemeralContainers"};
    int status = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        VALUE_ARRAY_FOREACH (container, value_at(pod, lists[i]))
            status |= log_container(kube, pod, value_text(value_get(container, "name")), selected,
                                    prefix);
    return status;
}

static int
log_selected(Kube *kube)
{
    char *error = NULL;
    const char *labels = kube_flag(kube, "selector");
    g_autoptr(Value) list =
        kube_list(kube, kube_kind_named(kube, "", "pods"),
                  kube_flag_bool(kube, "all-pods") ? NULL : kube->namespace_, labels, NULL, &error);
    int status = 0;
    if (list == NULL)
        return kube_fail_take(kube, error);
    size_t n = value_size(value_get(list, "items"));
    int64_t most = kube_flag_int(kube, "max-log-requests");
    if (n == 0)
        kube_err(kube, "No resources found in %s namespace.\n", kube->namespace_);
    if (kube_flag_bool(kube, "follow") && (int64_t)n > most)
        return kube_fail(kube,
                         "you are attempting to follow %zu log streams, but maximum allowed "
                         "concurrency is %" G_GINT64_FORMAT
                         ", use --max-log-requests to increase the limit",
                         n, most);
    VALUE_ARRAY_FOREACH (pod, value_get(list, "items"))
        status |= log_pod(kube, pod, true);
    return status;
}

static int
logs_run(Kube *kube)
{
    int64_t ns;
    if (kube_flag_given(kube, "since-time") && kube_flag_given(kube, "since"))
        return kube_fail(kube, "at most one of `sinceTime` or `sinceSeconds` may be specified");
    if (kube_flag_given(kube, "since-time") && !timestamp_parse(kube_flag(kube, "since-time"), &ns))
        return kube_fail(kube,
                         "--since-time: expected a time such as 2026-01-02T03:04:05Z, got \"%s\"",
                         kube_flag(kube, "since-time"));
    if (kube_flag_given(kube, "selector") && kube_n_args(kube) > 0)
        return kube_fail(kube, "only a selector (-l) or a POD name is allowed");
    if (kube_flag_given(kube, "selector"))
        return log_selected(kube);
    if (kube_n_args(kube) == 0)
        return kube_fail_usage(
            kube,
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a "
            "required argument for the logs command");
    if (kube_n_args(kube) > 2)
        return kube_fail_usage(kube, "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'");
    if (kube_n_args(kube) == 2) {
        GPtrArray *given = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(given, g_strdup(kube_arg(kube, 1)));
        g_hash_table_insert(kube->flags, g_strdup("container"), given);
    }
    size_t next;
    g_autoptr(Value) pod = stream_pod_from_args(kube, 0, &next);
    return pod == NULL ? 1 : log_pod(kube, pod, false);
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_SELECTOR,
    {"container", 'c', FLAG_TEXT, NULL, NULL, "The container"},
    {"all-containers", 0, FLAG_BOOL, "false", NULL, "All containers of the pod"},
    {"all-pods", 0, FLAG_BOOL, "false", NULL, "Accepted with -l: pods of all namespaces"},
    {"follow", 'f', FLAG_BOOL, "false", NULL, "Go on with what is written"},
    {"previous", 'p', FLAG_BOOL, "false", NULL, "Of the container's previous run"},
    {"prefix", 0, FLAG_BOOL, "false", NULL, "Say before each line whose it is"},
    {"tail", 0, FLAG_INT, "-1", NULL, "The last lines only; -1: all (with -l: 10)"},
    {"since", 0, FLAG_DURATION, "0s", NULL, "Not older than this (5s, 2m, 3h)"},
    {"since-time", 0, FLAG_TEXT, NULL, NULL, "Not before this time (RFC 3339)"},
    {"timestamps", 0, FLAG_BOOL, "false", NULL, "The time before each line"},
    {"limit-bytes", 0, FLAG_INT, "0", NULL, "No more bytes than this; 0: all"},
    {"max-log-requests", 0, FLAG_INT, "5", NULL, "How many logs may be followed with -l"},
    {"ignore-errors", 0, FLAG_BOOL, "false", NULL, "Accepted"},
    {"pod-running-timeout", 0, FLAG_DURATION, "20s", NULL, "Accepted"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_LOGS = {
    .name = "logs",
    .aliases = "log",
    .group = "Troubleshooting and Debugging Commands",
    .usage = "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
    .summary = "Print the logs for a container in a pod",
    .examples = "  kubectl logs web\n  kubectl logs -f deploy/web --all-containers\n  kubectl logs "
                "-p web -c app --tail=20",
    .flags = flags,
    .run = logs_run,
};
