/* Pods and pod templates. */
#include <string.h>

#include "cli/kubectl/describe.h"
#include "core/api/meta.h"
#include "core/api/pod.h"

/* Writes a text of several lines, one a line. */
static void
lines(Describing *d, int level, const Value *texts)
{
    VALUE_ARRAY_FOREACH (text, texts) {
        g_auto(GStrv) parts = g_strsplit(value_text(text), "\n", -1);
        for (char **part = parts; *part != NULL; part++)
            describe_line(d, level, "%s", *part);
    }
}

static void
ports(Describing *d, const Value *container, const char *field, const char *title)
{
    g_autoptr(GString) text = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (port, value_get(container, "ports")) {
        const char *protocol = value_text(value_get(port, "protocol")),
                   *name = value_text(value_get(port, "name"));
        bool named = *name != '\0' && strcmp(field, "containerPort") == 0;
        g_string_append_printf(text, "%s%" G_GINT64_FORMAT "/%s", text->len > 0 ? ", " : "",
                               value_int(value_get(port, field)),
                               *protocol != '\0' ? protocol : "TCP");
        if (named)
            g_string_append_printf(text, " (%s)", name);
    }
    describe_line(d, 2, "%s%s:\t%s", title, strchr(text->str, ',') != NULL ? "s" : "",
                  or_none(text->str));
}

static void
state(Describing *d, const char *title, const Value *state_)
{
    const Value *running = value_get(state_, "running"), *waiting = value_get(state_, "waiting");
    const Value *terminated = value_get(state_, "terminated");
    if (running != NULL) {
        g_autofree char *started = describe_time(value_get(running, "startedAt"));
        describe_line(d, 2, "%s:\tRunning", title);
        describe_line(d, 3, "Started:\t%s", started);
    } else if (terminated != NULL) {
        g_autofree char *started = describe_time(value_get(terminated, "startedAt"));
        g_autofree char *finished = describe_time(value_get(terminated, "finishedAt"));
        const char *reason = value_text(value_get(terminated, "reason"));
        const char *message = value_text(value_get(terminated, "message"));
        describe_line(d, 2, "%s:\tTerminated", title);
        if (*reason != '\0')
            describe_line(d, 3, "Reason:\t%s", reason);
        if (*message != '\0')
            describe_line(d, 3, "Message:\t%s", message);
        describe_line(d, 3, "Exit Code:\t%" G_GINT64_FORMAT,
                      value_int(value_get(terminated, "exitCode")));
        if (value_int(value_get(terminated, "signal")) > 0)
            describe_line(d, 3, "Signal:\t%" G_GINT64_FORMAT,
                          value_int(value_get(terminated, "signal")));
        describe_line(d, 3, "Started:\t%s", started);
        describe_line(d, 3, "Finished:\t%s", finished);
    } else {
        describe_line(d, 2, "%s:\tWaiting", title);
        if (*value_text(value_get(waiting, "reason")) != '\0')
            describe_line(d, 3, "Reason:\t%s", value_text(value_get(waiting, "reason")));
    }
}

static char *
probe_text(const Value *probe)
{
    const Value *http = value_get(probe, "httpGet"), *tcp = value_get(probe, "tcpSocket");
    const Value *exec = value_get(probe, "exec"), *grpc = value_get(probe, "grpc");
    g_autofree char *attributes = g_strdup_printf(
        "delay=%" G_GINT64_FORMAT "s timeout=%" G_GINT64_FORMAT "s period=%" G_GINT64_FORMAT
        "s #success=%" G_GINT64_FORMAT " #failure=%" G_GINT64_FORMAT,
        value_int_at(probe, "initialDelaySeconds"), value_int_at(probe, "timeoutSeconds"),
        value_int_at(probe, "periodSeconds"), value_int_at(probe, "successThreshold"),
        value_int_at(probe, "failureThreshold"));
    if (exec != NULL) {
        g_autoptr(GString) words = g_string_new(NULL);
        VALUE_ARRAY_FOREACH (word, value_get(exec, "command"))
            g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", value_text(word));
        return g_strdup_printf("exec [%s] %s", words->str, attributes);
    }
    if (http != NULL) {
        g_autofree char *scheme = g_ascii_strdown(value_text(value_get(http, "scheme")), -1);
        g_autofree char *port = describe_text(value_get(http, "port"));
        const char *path = value_text(value_get(http, "path"));
        return g_strdup_printf("http-get %s://%s:%s%s%s %s", *scheme != '\0' ? scheme : "http",
                               value_text(value_get(http, "host")), port, *path == '/' ? "" : "/",
                               path, attributes);
    }
    if (tcp != NULL) {
        g_autofree char *port = describe_text(value_get(tcp, "port"));
        return g_strdup_printf("tcp-socket %s:%s %s", value_text(value_get(tcp, "host")), port,
                               attributes);
    }
    if (grpc != NULL)
        return g_strdup_printf("grpc <pod>:%" G_GINT64_FORMAT " %s %s",
                               value_int(value_get(grpc, "port")),
                               value_text(value_get(grpc, "service")), attributes);
    return g_strdup_printf("unknown %s", attributes);
}

/* What a downward field reads as in this pod. */
static char *
field_value(Describing *d, const char *path)
{
    const Value *pod = strcmp(object_kind(d->object), "Pod") == 0 ? d->object : NULL;
    static const char *const known[] = {"metadata.name", "metadata.namespace",      "metadata.uid",
                                        "spec.nodeName", "spec.serviceAccountName", "status.hostIP",
                                        "status.podIP"};
    for (size_t i = 0; pod != NULL && i < G_N_ELEMENTS(known); i++)
        if (strcmp(known[i], path) == 0)
            return describe_text(value_at(pod, path));
    return g_strdup("");
}

static void
environment(Describing *d, const Value *container)
{
    const Value *env = value_get(container, "env");
    describe_line(d, 2, value_size(env) == 0 ? "Environment:\t<none>" : "Environment:");
    VALUE_ARRAY_FOREACH (variable, env) {
        const char *name = value_text(value_get(variable, "name"));
        const Value *from = value_get(variable, "valueFrom");
        const Value *secret = value_get(from, "secretKeyRef"),
                    *map = value_get(from, "configMapKeyRef");
        const Value *field = value_get(from, "fieldRef"),
                    *resource = value_get(from, "resourceFieldRef");
        if (secret != NULL) {
            describe_line(d, 3, "%s:\t<set to the key '%s' in secret '%s'>\tOptional: %s", name,
                          value_text(value_get(secret, "key")),
                          value_text(value_get(secret, "name")),
                          value_bool(value_get(secret, "optional")) ? "true" : "false");
        } else if (map != NULL) {
            describe_line(d, 3, "%s:\t<set to the key '%s' of config map '%s'>\tOptional: %s", name,
                          value_text(value_get(map, "key")), value_text(value_get(map, "name")),
                          value_bool(value_get(map, "optional")) ? "true" : "false");
        } else if (field != NULL) {
            const char *path = value_text(value_get(field, "fieldPath"));
            g_autofree char *text = field_value(d, path);
            describe_line(d, 3, "%s:\t%s (%s:%s)", name, text,
                          value_text(value_get(field, "apiVersion")), path);
        } else if (resource != NULL) {
            describe_line(d, 3, "%s:\t (%s)", name, value_text(value_get(resource, "resource")));
        } else {
            g_auto(GStrv) parts = g_strsplit(value_text(value_get(variable, "value")), "\n", -1);
            describe_line(d, 3, "%s:\t%s", name, parts[0] != NULL ? parts[0] : "");
            for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
                describe_line(d, 3, "\t%s", parts[i]);
        }
    }
}

static void
environment_from(Describing *d, const Value *container)
{
    const Value *sources = value_get(container, "envFrom");
    if (value_size(sources) == 0)
        return;
    describe_line(d, 2, "Environment Variables from:");
    VALUE_ARRAY_FOREACH (source, sources) {
        const Value *map = value_get(source, "configMapRef"),
                    *secret = value_get(source, "secretRef");
        const Value *ref = map != NULL ? map : secret;
        const char *prefix = value_text(value_get(source, "prefix"));
        g_autofree char *with =
            *prefix != '\0' ? g_strdup_printf(" with prefix '%s'", prefix) : g_strdup("");
        describe_line(d, 3, "%s\t%s%s\tOptional: %s", value_text(value_get(ref, "name")),
                      map != NULL ? "ConfigMap" : "Secret", with,
                      value_bool(value_get(ref, "optional")) ? "true" : "false");
    }
}

static int
compare_mounts(const void *a, const void *b)
{
    return strcmp(value_text_at(*(const Value *const *)a, "mountPath"),
                  value_text_at(*(const Value *const *)b, "mountPath"));
}

static void
mounts(Describing *d, const Value *container)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    VALUE_ARRAY_FOREACH (mount, value_get(container, "volumeMounts"))
        g_ptr_array_add(sorted, (void *)mount);
    describe_line(d, 2, sorted->len == 0 ? "Mounts:\t<none>" : "Mounts:");
    if (sorted->len > 0)
        qsort(sorted->pdata, sorted->len, sizeof(void *), compare_mounts);
    for (guint i = 0; i < sorted->len; i++) {
        const Value *mount = g_ptr_array_index(sorted, i);
        const char *sub = value_text(value_get(mount, "subPath"));
        g_autofree char *path = *sub != '\0' ? g_strdup_printf(",path=\"%s\"", sub) : g_strdup("");
        describe_line(d, 3, "%s from %s (%s%s)", value_text(value_get(mount, "mountPath")),
                      value_text(value_get(mount, "name")),
                      value_bool(value_get(mount, "readOnly")) ? "ro" : "rw", path);
    }
}

static void
container(Describing *d, const Value *spec, const Value *status, const char *space)
{
    describe_line(d, 1, "%s%s:", *space != '\0' ? " " : "", value_text(value_get(spec, "name")));
    if (status != NULL)
        describe_line(d, 2, "Container ID:\t%s", value_text(value_get(status, "containerID")));
    describe_line(d, 2, "Image:\t%s", value_text(value_get(spec, "image")));
    if (status != NULL)
        describe_line(d, 2, "Image ID:\t%s", value_text(value_get(status, "imageID")));
    ports(d, spec, "containerPort", "Port");
    ports(d, spec, "hostPort", "Host Port");
    if (value_size(value_get(spec, "command")) > 0) {
        describe_line(d, 2, "Command:");
        lines(d, 3, value_get(spec, "command"));
    }
    if (value_size(value_get(spec, "args")) > 0) {
        describe_line(d, 2, "Args:");
        lines(d, 3, value_get(spec, "args"));
    }
    if (status != NULL) {
        state(d, "State", value_get(status, "state"));
        if (value_at(status, "lastState.terminated") != NULL)
            state(d, "Last State", value_get(status, "lastState"));
        describe_line(d, 2, "Ready:\t%s",
                      value_bool(value_get(status, "ready")) ? "True" : "False");
        describe_line(d, 2, "Restart Count:\t%" G_GINT64_FORMAT,
                      value_int(value_get(status, "restartCount")));
    }
    describe_resources(d, 2, "Limits", value_at(spec, "resources.limits"));
    describe_resources(d, 2, "Requests", value_at(spec, "resources.requests"));
    static const char *const probes[][2] = {{"livenessProbe", "Liveness"},
                                            {"readinessProbe", "Readiness"},
                                            {"startupProbe", "Startup"}};
    for (size_t i = 0; i < G_N_ELEMENTS(probes); i++) {
        const Value *probe = value_get(spec, probes[i][0]);
        g_autofree char *text = probe != NULL ? probe_text(probe) : NULL;
        if (text != NULL)
            describe_line(d, 2, "%s:\t%s", probes[i][1], text);
    }
    environment_from(d, spec);
    environment(d, spec);
    mounts(d, spec);
}

static void
containers(Describing *d, const char *title, const Value *specs, const Value *statuses,
           const char *space)
{
    describe_line(d, 0, value_size(specs) == 0 ? "%s%s:\t<none>" : "%s%s:", space, title);
    VALUE_ARRAY_FOREACH (spec, specs) {
        const Value *found = NULL;
        VALUE_ARRAY_FOREACH (status, statuses)
            if (value_equal(value_get(status, "name"), value_get(spec, "name")))
                found = status;
        container(d, spec, found, space);
    }
}

void
describe_tolerations(Describing *d, const char *title, const Value *tolerations)
{
    g_string_append_printf(d->out, "%s:\t", title);
    if (value_size(tolerations) == 0)
        g_string_append(d->out, "<none>\n");
    bool first = true;
    VALUE_ARRAY_FOREACH (toleration, tolerations) {
        const char *key = value_text(value_get(toleration, "key")),
                   *value = value_text(value_get(toleration, "value"));
        const char *effect = value_text(value_get(toleration, "effect"));
        const Value *seconds = value_get(toleration, "tolerationSeconds");
        bool exists = strcmp(value_text(value_get(toleration, "operator")), "Exists") == 0;
        g_string_append_printf(d->out, "%s%s", first ? "" : "\t", key);
        if (*value != '\0')
            g_string_append_printf(d->out, "=%s", value);
        if (*effect != '\0')
            g_string_append_printf(d->out, ":%s", effect);
        if (exists && *value == '\0')
            g_string_append(d->out, *key != '\0' || *effect != '\0' ? " op=Exists" : "op=Exists");
        if (seconds != NULL)
            g_string_append_printf(d->out, " for %" G_GINT64_FORMAT "s", value_int(seconds));
        g_string_append_c(d->out, '\n');
        first = false;
    }
}

static void
spread_constraints(Describing *d, const Value *constraints)
{
    bool first = true;
    VALUE_ARRAY_FOREACH (constraint, constraints) {
        g_autofree char *selector = describe_selector(value_get(constraint, "labelSelector"));
        g_string_append_printf(
            d->out, "%s\t%s:%s when max skew %" G_GINT64_FORMAT " is exceeded for selector %s\n",
            first ? "Topology Spread Constraints:" : "",
            value_text(value_get(constraint, "topologyKey")),
            value_text(value_get(constraint, "whenUnsatisfiable")),
            value_int(value_get(constraint, "maxSkew")), selector);
        first = false;
    }
}

static void
pod_head(Describing *d, const Value *pod)
{
    const Value *spec = value_get(pod, "spec"), *status = value_get(pod, "status");
    const char *node = value_text(value_get(spec, "nodeName"));
    describe_name(d, pod, true);
    if (value_has(spec, "priority"))
        describe_line(d, 0, "Priority:\t%" G_GINT64_FORMAT, value_int(value_get(spec, "priority")));
    if (*value_text(value_get(spec, "priorityClassName")) != '\0')
        describe_line(d, 0, "Priority Class Name:\t%s",
                      value_text(value_get(spec, "priorityClassName")));
    if (*value_text(value_get(spec, "runtimeClassName")) != '\0')
        describe_line(d, 0, "Runtime Class Name:\t%s",
                      value_text(value_get(spec, "runtimeClassName")));
    if (*value_text(value_get(spec, "serviceAccountName")) != '\0')
        describe_line(d, 0, "Service Account:\t%s",
                      value_text(value_get(spec, "serviceAccountName")));
    if (*node == '\0')
        describe_line(d, 0, "Node:\t<none>");
    else
        describe_line(d, 0, "Node:\t%s/%s", node, value_text(value_get(status, "hostIP")));
    if (value_has(status, "startTime")) {
        g_autofree char *started = describe_time(value_get(status, "startTime"));
        describe_line(d, 0, "Start Time:\t%s", started);
    }
    describe_map(d, "Labels", object_labels(pod));
    describe_annotations(d, "Annotations", object_annotations(pod));
    if (object_is_deleting(pod)) {
        g_autofree char *since = describe_since(d, value_at(pod, "metadata.deletionTimestamp"));
        describe_line(d, 0, "Status:\tTerminating (lasts %s)", since);
        describe_line(d, 0, "Termination Grace Period:\t%" G_GINT64_FORMAT "s",
                      value_int_at(pod, "metadata.deletionGracePeriodSeconds"));
    } else {
        describe_line(d, 0, "Status:\t%s", pod_phase(pod));
    }
    if (*value_text(value_get(status, "reason")) != '\0')
        describe_line(d, 0, "Reason:\t%s", value_text(value_get(status, "reason")));
    if (*value_text(value_get(status, "message")) != '\0')
        describe_line(d, 0, "Message:\t%s", value_text(value_get(status, "message")));
    describe_line(d, 0, "IP:\t%s", pod_ip(pod));
    describe_line(d, 0, value_size(value_get(status, "podIPs")) == 0 ? "IPs:\t<none>" : "IPs:");
    VALUE_ARRAY_FOREACH (ip, value_get(status, "podIPs"))
        describe_line(d, 1, "IP:\t%s", value_text(value_get(ip, "ip")));
    describe_controlled_by(d, pod);
    if (*value_text(value_get(status, "nominatedNodeName")) != '\0')
        describe_line(d, 0, "NominatedNodeName:\t%s",
                      value_text(value_get(status, "nominatedNodeName")));
}

void
describe_pod(Describing *d, const Value *pod)
{
    const Value *spec = value_get(pod, "spec"), *status = value_get(pod, "status");
    pod_head(d, pod);
    if (value_size(value_get(spec, "initContainers")) > 0)
        containers(d, "Init Containers", value_get(spec, "initContainers"),
                   value_get(status, "initContainerStatuses"), "");
    containers(d, "Containers", value_get(spec, "containers"),
               value_get(status, "containerStatuses"), "");
    if (value_size(value_get(spec, "ephemeralContainers")) > 0)
        containers(d, "Ephemeral Containers", value_get(spec, "ephemeralContainers"),
                   value_get(status, "ephemeralContainerStatuses"), "");
    if (value_size(value_get(spec, "readinessGates")) > 0) {
        describe_line(d, 0, "Readiness Gates:");
        describe_line(d, 1, "Type\tStatus");
        VALUE_ARRAY_FOREACH (gate, value_get(spec, "readinessGates")) {
            const char *type = value_text(value_get(gate, "conditionType"));
            const Value *condition = condition_find(value_get(status, "conditions"), type);
            describe_line(d, 1, "%s \t%s ", type,
                          or_none(value_string(value_get(condition, "status"))));
        }
    }
    describe_conditions(d, value_get(status, "conditions"), false);
    describe_volumes(d, value_get(spec, "volumes"), "");
    describe_line(d, 0, "QoS Class:\t%s",
                  value_has(status, "qosClass") ? value_text(value_get(status, "qosClass"))
                                                : pod_qos_class(pod));
    describe_map(d, "Node-Selectors", value_get(spec, "nodeSelector"));
    describe_tolerations(d, "Tolerations", value_get(spec, "tolerations"));
    spread_constraints(d, value_get(spec, "topologySpreadConstraints"));
}

void
describe_template(Describing *d, const Value *template_)
{
    const Value *spec = value_get(template_, "spec");
    describe_line(d, 0, "Pod Template:");
    describe_map(d, "  Labels", object_labels(template_));
    if (value_size(object_annotations(template_)) > 0)
        describe_annotations(d, "  Annotations", object_annotations(template_));
    if (*value_text(value_get(spec, "serviceAccountName")) != '\0')
        describe_line(d, 1, "Service Account:\t%s",
                      value_text(value_get(spec, "serviceAccountName")));
    if (value_size(value_get(spec, "initContainers")) > 0)
        containers(d, "Init Containers", value_get(spec, "initContainers"), NULL, "  ");
    containers(d, "Containers", value_get(spec, "containers"), NULL, "  ");
    describe_volumes(d, value_get(spec, "volumes"), "  ");
    spread_constraints(d, value_get(spec, "topologySpreadConstraints"));
    if (*value_text(value_get(spec, "priorityClassName")) != '\0')
        describe_line(d, 1, "Priority Class Name:\t%s",
                      value_text(value_get(spec, "priorityClassName")));
    describe_map(d, "  Node-Selectors", value_get(spec, "nodeSelector"));
    describe_tolerations(d, "  Tolerations", value_get(spec, "tolerations"));
}
