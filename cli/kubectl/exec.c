/* kubectl exec, attach; cp and port-forward are refused clearly. */
#include <string.h>

#include "cli/kubectl/stream.h"
#include "core/api/meta.h"
#include "core/api/pod.h"

static Value *
text_array(const char *text)
{
    g_autoptr(Value) array = value_new_array();
    return value_append(array, value_new_string(text));
}

static ApiRequest *
session_request(Kube *kube, const Value *pod, const char *subresource, const char *container,
                bool input, bool tty)
{
    ApiRequest *request = kube_request(API_VERB_CONNECT, kube_kind_named(kube, "", "pods"),
                                       object_namespace(pod), object_name(pod));
    request->subresource = g_strdup(subresource);
    request->query = value_new_f("{container: [%s], stdout: [\"true\"]}", container);
    if (input)
        value_edit(&request->query, "stdin", text_array("true"));
    value_edit(&request->query, tty ? "tty" : "stderr", text_array("true"));
    return request;
}

static int
run_session(Kube *kube, ApiRequest *take, bool input, bool tty)
{
    PodStream stream = {.kube = kube};
    bool ok = pod_stream_run(&stream, take, input, tty);
    int status = ok ? pod_stream_exit(&stream) : 1;
    value_unref(stream.status);
    return status;
}

/* -t without a terminal is taken back, as kubectl does. */
static bool
wants_tty(Kube *kube)
{
    bool tty = kube_flag_bool(kube, "tty");
    if (tty && (kube->env->terminal == NULL || !kube->env->terminal->is_tty)) {
        kube_err(kube, "Unable to use a TTY - input is not a terminal or the right kind of file\n");
        return false;
    }
    return tty;
}

static int
exec_run(Kube *kube)
{
    size_t next;
    if (kube_n_args(kube) == 0 || kube->dash_at == 0)
        return kube_fail(kube, "pod, type/name or --filename must be specified");
    g_autoptr(Value) pod = NULL;
    size_t first = kube->dash_at > 0 ? (size_t)kube->dash_at : 1;
    if (kube_n_args(kube) <= first)
        return kube_fail(kube, "you must specify at least one command for the container");
    if (kube->dash_at < 0)
        return kube_fail(
            kube,
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead");
    pod = stream_pod_from_args(kube, 0, &next);
    if (pod == NULL)
        return 1;
    if (pod_is_terminal(pod))
        return kube_fail(kube,
                         "cannot exec into a container in a completed pod; current phase is %s",
                         pod_phase(pod));
    const char *container = stream_container(kube, pod, kube_flag_bool(kube, "quiet"));
    if (container == NULL)
        return 1;
    bool input = kube_flag_bool(kube, "stdin"), tty = wants_tty(kube);
    ApiRequest *request = session_request(kube, pod, "exec", container, input, tty);
    ValueBuilder *command = value_builder_new_array();
    for (size_t i = first; i < kube_n_args(kube); i++)
        value_builder_append(command, value_new_string(kube_arg(kube, i)));
    value_edit(&request->query, "command", value_builder_end(command));
    return run_session(kube, request, input, tty);
}

static int
attach_run(Kube *kube)
{
    size_t next;
    if (kube_n_args(kube) == 0)
        return kube_fail(kube, "at least 1 argument is required for attach");
    g_autoptr(Value) pod = stream_pod_from_args(kube, 0, &next);
    if (pod == NULL)
        return 1;
    if (pod_is_terminal(pod))
        return kube_fail(kube, "cannot attach a container in a completed pod; current phase is %s",
                         pod_phase(pod));
    const char *container = stream_container(kube, pod, kube_flag_bool(kube, "quiet"));
    if (container == NULL)
        return 1;
    bool input = kube_flag_bool(kube, "stdin"), tty = wants_tty(kube);
    return run_session(kube, session_request(kube, pod, "attach", container, input, tty), input,
                       tty);
}

static int
refused_run(Kube *kube)
{
    return kube_fail(
        kube,
        "%s cannot be had yet with this kubectl; the server serves it: use the kubectl of "
        "kubernetes.io with `timonel kubeconfig`",
        kube->path);
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_FILES,
    {"container", 'c', FLAG_TEXT, NULL, NULL, "The container"},
    {"stdin", 'i', FLAG_BOOL, "false", NULL, "Pass standard input on"},
    {"tty", 't', FLAG_BOOL, "false", NULL, "Standard input is a terminal"},
    {"quiet", 'q', FLAG_BOOL, "false", NULL, "Only what the container prints"},
    {"pod-running-timeout", 0, FLAG_DURATION, "1m0s", NULL, "Accepted"},
    KUBE_FLAGS_END,
};

static const KubeFlag refused_flags[] = {
    {"container", 'c', FLAG_TEXT, NULL, NULL, "The container"},
    {"address", 0, FLAG_LIST, NULL, NULL, "Addresses to listen on"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_EXEC = {
    .name = "exec",
    .group = "Troubleshooting and Debugging Commands",
    .usage = "(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    .summary = "Execute a command in a container",
    .examples = "  kubectl exec web -- date\n  kubectl exec -it deploy/web -- sh",
    .flags = flags,
    .run = exec_run,
};
const KubeCommand KUBECTL_ATTACH = {
    .name = "attach",
    .group = "Troubleshooting and Debugging Commands",
    .usage = "(POD | TYPE/NAME) -c CONTAINER",
    .summary = "Attach to a running container",
    .examples = "  kubectl attach web -c app -i",
    .flags = flags,
    .run = attach_run,
};
const KubeCommand KUBECTL_CP = {
    .name = "cp",
    .group = "Troubleshooting and Debugging Commands",
    .usage = "<file-spec-src> <file-spec-dest>",
    .summary = "Copy files and directories to and from containers",
    .flags = refused_flags,
    .run = refused_run,
};
const KubeCommand KUBECTL_PORT_FORWARD = {
    .name = "port-forward",
    .group = "Troubleshooting and Debugging Commands",
    .usage = "TYPE/NAME [LOCAL_PORT:]REMOTE_PORT",
    .summary = "Forward one or more local ports to a pod",
    .flags = refused_flags,
    .run = refused_run,
};
