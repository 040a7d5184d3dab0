/* What a request for logs, exec, attach or portforward asks of the kubelet. */
#include <string.h>

#include "core/api/meta.h"
#include "core/api/status.h"
#include "core/base/timestamp.h"
#include "core/cluster/private.h"

static const char *
parameter(const ApiRequest *request, const char *name)
{
    return value_string(value_item(value_get(request->query, name), 0));
}

static bool
flag(const ApiRequest *request, const char *name)
{
    const char *text = parameter(request, name);
    return text != NULL && (strcmp(text, "1") == 0 || g_ascii_strcasecmp(text, "t") == 0 ||
                            g_ascii_strcasecmp(text, "true") == 0);
}

static int64_t
number(const ApiRequest *request, const char *name, int64_t otherwise)
{
    const char *text = parameter(request, name);
    return text != NULL ? g_ascii_strtoll(text, NULL, 10) : otherwise;
}

static char **
command_of(const ApiRequest *request)
{
    const Value *words = value_get(request->query, "command");
    if (value_size(words) == 0)
        return NULL;
    GPtrArray *command = g_ptr_array_new();
    VALUE_ARRAY_FOREACH(word, words)
    {
        g_ptr_array_add(command, g_strdup(value_text(word)));
    }
    g_ptr_array_add(command, NULL);
    return (char **)g_ptr_array_free(command, FALSE);
}

/* As upstream's validateContainer: the named one, or the only one. Returns a Status that refuses. */
static Value *
choose_container(const Value *pod, const ApiRequest *request, const char **ret_container)
{
    static const char *const LISTS[] = {"initContainers", "containers", "ephemeralContainers"};
    const char *wanted = parameter(request, "container");
    const Value *containers = value_at(pod, "spec.containers");
    const bool named = wanted != NULL && *wanted != '\0';
    g_autoptr(GString) names = g_string_new(NULL);
    if (!named && value_size(containers) == 1) {
        *ret_container = value_text_at(value_item(containers, 0), "name");
        return NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(LISTS); i++)
        VALUE_ARRAY_FOREACH(container, value_get(value_get(pod, "spec"), LISTS[i]))
        {
            const char *name = value_text_at(container, "name");
            if (named && strcmp(name, wanted) == 0) {
                *ret_container = name;
                return NULL;
            }
            g_string_append_printf(names, "%s%s", names->len == 0 ? "" : " ", name);
        }
    if (named)
        return status_bad_request("container %s is not valid for pod %s", wanted,
                                  object_name(pod));
    return status_bad_request(
        "a container name must be specified for pod %s, choose one of: [%s]", object_name(pod),
        names->str);
}

KubeletRequest *
dialer_request(const Value *pod, const ApiRequest *request, Value **ret_refusal)
{
    static const char *const NAMES[] = {"log", "exec", "attach", "portforward"};
    static const KubeletRequestKind KINDS[] = {KUBELET_LOGS, KUBELET_EXEC, KUBELET_ATTACH,
                                               KUBELET_PORT_FORWARD};
    size_t i = 0;
    const char *container = NULL;
    while (i < G_N_ELEMENTS(NAMES) && g_strcmp0(request->subresource, NAMES[i]) != 0)
        i++;
    if (i == G_N_ELEMENTS(NAMES)) {
        *ret_refusal = status_bad_request("pods have no stream called \"%s\"",
                                          request->subresource);
        return NULL;
    }
    if (KINDS[i] != KUBELET_PORT_FORWARD &&
        (*ret_refusal = choose_container(pod, request, &container)) != NULL)
        return NULL;
    KubeletRequest *kubelet =
        kubelet_request_new(KINDS[i], object_namespace(pod), object_name(pod), container);
    kubelet->user = request->user != NULL ? g_strdup(request->user->name) : NULL;
    kubelet->previous = flag(request, "previous");
    kubelet->follow = flag(request, "follow");
    kubelet->timestamps = flag(request, "timestamps");
    kubelet->tail_lines = number(request, "tailLines", -1);
    kubelet->limit_bytes = number(request, "limitBytes", 0);
    kubelet->since_seconds = number(request, "sinceSeconds", 0);
    kubelet->since_ns = timestamp_of(parameter(request, "sinceTime"));
    kubelet->command = command_of(request);
    kubelet->stdin_open = flag(request, "stdin");
    kubelet->stdout_open = flag(request, "stdout");
    kubelet->stderr_open = flag(request, "stderr");
    kubelet->tty = flag(request, "tty");
    const char *ports = parameter(request, "ports");
    kubelet->port = (uint16_t)(ports != NULL ? g_ascii_strtoull(ports, NULL, 10) : 0);
    if (KINDS[i] == KUBELET_EXEC && kubelet->command == NULL) {
        kubelet_request_free(kubelet);
        *ret_refusal = status_bad_request("you must specify at least 1 command");
        return NULL;
    }
    return kubelet;
}
