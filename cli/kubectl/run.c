/* kubectl run, expose */
#include <string.h>

#include "cli/kubectl/create.h"
#include "cli/kubectl/stream.h"
#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/api/schema.h"
#include "core/object/selector.h"

/* ---- run ---- */

/* NULL: printed. */
static Value *
pod_to_run(Kube *kube, const char *name)
{
    const char *labels = kube_flag(kube, "labels"), *policy = kube_flag(kube, "image-pull-policy");
    g_autoptr(Value) label_map = value_new_map();
    if (*labels == '\0')
        value_replace(&label_map, value_new_f("{run: %s}", name));
    else if (!create_pairs(kube, labels, &label_map))
        return NULL;
    g_autoptr(Value) words = create_command_words(kube);
    Value *container = value_new_f("{name: %s, image: %s, resources: {}, imagePullPolicy: ?%s}",
                                   name, kube_flag(kube, "image"), *policy != '\0' ? policy : NULL);
    if (words != NULL)
        value_edit(&container, kube_flag_bool(kube, "command") ? "command" : "args",
                   value_ref(words));
    if (kube_flag_int(kube, "port") > 0)
        value_edit(&container, "ports",
                   value_new_f("[{containerPort: %i}]", kube_flag_int(kube, "port")));
    g_auto(GStrv) env = kube_flag_list(kube, "env");
    ValueBuilder *variables = value_builder_new_array();
    for (char **pair = env; *pair != NULL; pair++) {
        const char *equals = strchr(*pair, '=');
        g_autofree char *key =
            equals != NULL ? g_strndup(*pair, (gsize)(equals - *pair)) : g_strdup(*pair);
        value_builder_append(
            variables, value_new_f("{name: %s, value: %s}", key, equals != NULL ? equals + 1 : ""));
    }
    Value *list = value_builder_end(variables);
    if (env[0] != NULL)
        value_edit(&container, "env", list);
    else
        value_unref(list);
    if (kube_flag_bool(kube, "stdin")) {
        value_edit(&container, "stdin", value_new_bool(true));
        value_edit(&container, "stdinOnce", value_new_bool(true));
    }
    if (kube_flag_bool(kube, "tty"))
        value_edit(&container, "tty", value_new_bool(true));
    return value_new_f(
        "{apiVersion: v1, kind: Pod, metadata: {name: %s, labels: %v}, spec: {containers: [%V], "
        "dnsPolicy: ClusterFirst, restartPolicy: %s}}",
        name, label_map, container, kube_flag(kube, "restart"));
}

static bool
with_overrides(Kube *kube, Value **pod)
{
    const char *text = kube_flag(kube, "overrides");
    g_autoptr(GError) error = NULL;
    if (*text == '\0')
        return true;
    g_autoptr(Value) patch = yaml_parse(text, strlen(text), &error);
    const ApiKind *kind = kube_kind_named(kube, "", "pods");
    Value *merged =
        patch != NULL ? schema_strategic_merge(kind->schema, *pod, patch, &error) : NULL;
    if (merged == NULL) {
        kube_fail(kube, "Invalid JSON Patch: %s", error->message);
        return false;
    }
    value_replace(pod, merged);
    return true;
}

static bool
has_started(const Value *pod, void *data)
{
    return pod == NULL || pod_is_terminal(pod) || strcmp(pod_phase(pod), "Running") == 0;
}

static bool
has_ended(const Value *pod, void *data)
{
    int64_t *ret_code = data;
    if (pod == NULL)
        return true;
    *ret_code = value_int_at(pod, "status.containerStatuses[0].state.terminated.exitCode");
    return pod_is_terminal(pod) ||
           value_at(pod, "status.containerStatuses[0].state.terminated") != NULL;
}

/* Follows the pod to its end: attached while it runs, else its log. */
static int
follow_run(Kube *kube, const char *name)
{
    const ApiKind *pods = kube_kind_named(kube, "", "pods");
    char *error = NULL;
    bool input = kube_flag_bool(kube, "stdin"), tty = kube_flag_bool(kube, "tty");
    int64_t code = 0;
    if (kube_await(kube, pods, kube->namespace_, name, has_started, NULL,
                   kube_flag_duration(kube, "pod-running-timeout"), &error) != AWAIT_DONE)
        return error != NULL ? kube_fail_take(kube, error)
                             : kube_fail(kube, "timed out waiting for the condition");
    g_autoptr(Value) pod = kube_get(kube, pods, kube->namespace_, name, &error);
    if (pod == NULL)
        return kube_fail_take(kube, error);
    bool over = pod_is_terminal(pod);
    ApiRequest *request =
        kube_request(over ? API_VERB_GET : API_VERB_CONNECT, pods, kube->namespace_, name);
    request->subresource = g_strdup(over ? "log" : "attach");
    request->query =
        over ? value_new_f("{container: [%s]}", name)
             : value_new_f(
                   "{container: [%s], stdout: [\"true\"], stderr: [%s], stdin: [%s], tty: [%s]}",
                   name, tty ? "false" : "true", input ? "true" : "false", tty ? "true" : "false");
    PodStream stream = {.kube = kube};
    if (input && tty)
        kube_err(kube, "If you don't see a command prompt, try pressing enter.\n");
    bool ok = pod_stream_run(&stream, request, input && !over, tty);
    value_unref(stream.status);
    if (!ok)
        return 1;
    if (kube_await(kube, pods, kube->namespace_, name, has_ended, &code, -1, &error) ==
        AWAIT_FAILED)
        return kube_fail_take(kube, error);
    return (int)code;
}

static int
run_run(Kube *kube)
{
    DryRun dry_run;
    if (kube_n_args(kube) == 0 || kube->dash_at == 0)
        return kube_fail_usage(kube, "NAME is required for run");
    const char *name = kube_arg(kube, 0);
    if (*kube_flag(kube, "image") == '\0')
        return kube_fail(kube, "required flag(s) \"image\" not set");
    bool follow = kube_flag_bool(kube, "attach") || kube_flag_bool(kube, "stdin");
    if (kube_flag_bool(kube, "tty") && !kube_flag_bool(kube, "stdin"))
        return kube_fail(kube, "-i/--stdin is required for containers with -t/--tty=true");
    if (kube_flag_bool(kube, "rm") && !follow)
        return kube_fail(kube, "--rm should only be used for attached containers");
    if (kube->dash_at < 0 && kube_n_args(kube) > 1)
        kube->dash_at = 1; /* run NAME --image=I COMMAND: kubectl lets the "--" be left out */
    if (!kube_dry_run(kube, &dry_run))
        return 1;
    Value *pod = pod_to_run(kube, name);
    if (pod == NULL)
        return 1;
    if (!with_overrides(kube, &pod)) {
        value_unref(pod);
        return 1;
    }
    int status = create_object(kube, pod);
    if (status != 0 || !follow || dry_run != DRY_RUN_NONE)
        return status;
    status = follow_run(kube, name);
    if (kube_flag_bool(kube, "rm")) {
        KubeItem item = {.kind = kube_kind_named(kube, "", "pods"),
                         .namespace_ = (char *)kube->namespace_,
                         .name = (char *)name};
        g_autoptr(Value) options = value_new_f("{apiVersion: v1, kind: DeleteOptions}");
        delete_item(kube, &item, options, DRY_RUN_NONE);
    }
    return status;
}

static const KubeFlag run_flags[] = {
    CREATE_FLAGS,
    {"image", 0, FLAG_TEXT, NULL, NULL, "Image of the container; required"},
    {"restart", 0, FLAG_TEXT, "Always", NULL, "Always, OnFailure or Never"},
    {"env", 0, FLAG_ARRAY, NULL, NULL, "KEY=VALUE; may be repeated"},
    {"labels", 'l', FLAG_TEXT, NULL, NULL, "key=value,...; by default run=NAME"},
    {"port", 0, FLAG_INT, "0", NULL, "Port that the container serves"},
    {"command", 0, FLAG_BOOL, "false", NULL,
     "What follows -- replaces the image's command, not its arguments"},
    {"stdin", 'i', FLAG_BOOL, "false", NULL, "Pass standard input on"},
    {"tty", 't', FLAG_BOOL, "false", NULL, "Standard input is a terminal"},
    {"attach", 0, FLAG_BOOL, "false", NULL, "Wait for the pod and show what it prints"},
    {"rm", 0, FLAG_BOOL, "false", NULL, "Delete the pod after it ended"},
    {"image-pull-policy", 0, FLAG_TEXT, NULL, NULL, "Always, IfNotPresent or Never"},
    {"overrides", 0, FLAG_TEXT, NULL, NULL, "JSON that is merged into the pod"},
    {"quiet", 'q', FLAG_BOOL, "false", NULL, "Accepted"},
    {"pod-running-timeout", 0, FLAG_DURATION, "1m0s", NULL, "How long to wait for the pod to run"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_RUN = {
    .name = "run",
    .group = "Basic Commands (Beginner)",
    .usage = "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] "
             "[--overrides=inline-json] "
             "[--command] -- [COMMAND] [args...]",
    .summary = "Run a particular image on the cluster",
    .examples = "  kubectl run web --image=nginx --port=80\n  kubectl run -it --rm shell "
                "--image=busybox --restart=Never -- sh",
    .flags = run_flags,
    .run = run_run,
};

/* ---- expose ---- */

static void
add_port(ValueBuilder *ports, int64_t port, const Value *target, const char *protocol,
         const char *name)
{
    value_builder_append(ports, value_new_f("{name: ?%s, port: %i, protocol: %s, targetPort: %v}",
                                            name, port, protocol, target));
}

/* Ports by the flags, or by what the containers serve. NULL: printed. */
static Value *
ports_to_expose(Kube *kube, const KubeItem *item)
{
    const char *given = kube_flag(kube, "port"), *target = kube_flag(kube, "target-port");
    const char *protocol =
        *kube_flag(kube, "protocol") != '\0' ? kube_flag(kube, "protocol") : "TCP";
    g_autoptr(ValueBuilder) ports = value_builder_new_array();
    gint64 number;
    g_autoptr(Value) target_value = *target == '\0' ? NULL
                                    : g_ascii_string_to_signed(target, 10, 1, 65535, &number, NULL)
                                        ? value_new_int(number)
                                        : value_new_string(target);
    if (*given != '\0') {
        g_auto(GStrv) parts = g_strsplit(given, ",", -1);
        for (char **part = parts; *part != NULL; part++) {
            if (!g_ascii_string_to_signed(*part, 10, 1, 65535, &number, NULL)) {
                kube_fail(kube, "invalid port: %s", *part);
                return NULL;
            }
            g_autoptr(Value) same = value_new_int(number);
            g_autofree char *name =
                parts[1] != NULL ? g_strdup_printf("port-%d", (int)(part - parts) + 1) : NULL;
            add_port(ports, number, target_value != NULL ? target_value : same, protocol, name);
        }
        return value_ref(value_builder_peek(ports));
    }
    g_autofree char *path = strcmp(item->kind->kind, "Service") == 0 ? NULL
                            : template_path(item->kind) != NULL
                                ? template_at(item->kind, "spec.containers")
                                : NULL;
    int count = 0;
    VALUE_ARRAY_FOREACH (container, path != NULL ? value_at(item->object, path) : NULL)
        VALUE_ARRAY_FOREACH (port, value_get(container, "ports")) {
            const Value *own = value_get(port, "containerPort");
            g_autofree char *name = count++ > 0 ? g_strdup_printf("port-%d", count) : NULL;
            add_port(ports, value_int(own), target_value != NULL ? target_value : own, protocol,
                     name);
        }
    if (count == 0) {
        kube_fail(kube, "couldn't find port via --port flag or introspection\nSee 'kubectl expose "
                        "-h' for help and examples");
        return NULL;
    }
    return value_ref(value_builder_peek(ports));
}

static Value *
selector_to_expose(Kube *kube, const KubeItem *item)
{
    g_autoptr(Value) map = value_new_map();
    const Value *found;
    if (*kube_flag(kube, "selector") != '\0')
        return create_pairs(kube, kube_flag(kube, "selector"), &map) ? value_ref(map) : NULL;
    found = strcmp(item->kind->kind, "Pod") == 0
                ? object_labels(item->object)
                : value_at(item->object, "spec.selector.matchLabels");
    if (found == NULL && strcmp(item->kind->kind, "Service") == 0)
        found = value_at(item->object, "spec.selector");
    if (value_size(found) == 0) {
        kube_fail(kube,
                  strcmp(item->kind->kind, "Pod") == 0
                      ? "couldn't retrieve selectors via --selector flag or introspection: the pod "
                        "has no labels and cannot be exposed"
                      : "cannot expose a %s",
                  item->kind->kind);
        return NULL;
    }
    return value_ref(found);
}

static int
expose_item(Kube *kube, const KubeItem *item)
{
    const char *name = *kube_flag(kube, "name") != '\0' ? kube_flag(kube, "name") : item->name;
    const char *type = kube_flag(kube, "type"), *cluster_ip = kube_flag(kube, "cluster-ip");
    g_autoptr(Value) selector = selector_to_expose(kube, item);
    g_autoptr(Value) ports = selector != NULL ? ports_to_expose(kube, item) : NULL;
    if (ports == NULL)
        return 1;
    Value *service = value_new_f(
        "{apiVersion: v1, kind: Service, metadata: {name: %s, labels: ?%v}, spec: {ports: %v, "
        "selector: %v, type: ?%s, clusterIP: ?%s}}",
        name, object_labels(item->object), ports, selector, *type != '\0' ? type : NULL,
        *cluster_ip != '\0' ? cluster_ip : NULL);
    DryRun dry_run;
    if (!kube_dry_run(kube, &dry_run)) {
        value_unref(service);
        return 1;
    }
    g_autoptr(Value) owned = service;
    value_edit(&owned, "metadata.namespace", value_new_string(kube->namespace_));
    const ApiKind *kind = kube_kind_named(kube, "", "services");
    if (dry_run == DRY_RUN_CLIENT)
        return kube_print_done(kube, kind, owned, "exposed", dry_run);
    ApiRequest *request = kube_request(API_VERB_CREATE, kind, kube->namespace_, NULL);
    request->body = value_ref(owned);
    request->dry_run = dry_run == DRY_RUN_SERVER;
    char *error = NULL;
    g_autoptr(Value) made = kube_ask(kube, request, &error);
    return made != NULL ? kube_print_done(kube, kind, made, "exposed", dry_run)
                        : kube_fail_take(kube, error);
}

static int
expose_run(Kube *kube)
{
    /* --selector is the service's here, not one of objects. */
    GPtrArray *taken = g_hash_table_lookup(kube->flags, "selector");
    g_autofree char *selector =
        taken != NULL ? g_strdup(g_ptr_array_index(taken, taken->len - 1)) : NULL;
    g_hash_table_remove(kube->flags, "selector");
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, kube_n_args(kube));
    if (selector != NULL) {
        GPtrArray *again = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(again, g_steal_pointer(&selector));
        g_hash_table_insert(kube->flags, g_strdup("selector"), again);
    }
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= expose_item(kube, kube_item(items, i));
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag expose_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_OUTPUT,
    KUBE_FLAGS_DRY_RUN,
    KUBE_FLAGS_MANAGER("kubectl-expose"),
    {"selector", 0, FLAG_TEXT, NULL, NULL, "Labels of the pods; by default those of the object"},
    {"port", 0, FLAG_TEXT, NULL, NULL, "Port of the service; by default those of the containers"},
    {"target-port", 0, FLAG_TEXT, NULL, NULL, "Port (or its name) of the containers"},
    {"protocol", 0, FLAG_TEXT, NULL, NULL, "TCP, UDP or SCTP"},
    {"name", 0, FLAG_TEXT, NULL, NULL, "Name of the service"},
    {"type", 0, FLAG_TEXT, NULL, NULL, "ClusterIP, NodePort or LoadBalancer"},
    {"cluster-ip", 0, FLAG_TEXT, NULL, NULL, "The address, or None"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_EXPOSE = {
    .name = "expose",
    .group = "Basic Commands (Beginner)",
    .usage = "(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] "
             "[--target-port=number-or-name] [--name=name] "
             "[--type=type]",
    .summary = "Take a replication controller, service, deployment or pod and expose it as a new "
               "Kubernetes service",
    .examples = "  kubectl expose deployment web --port=80 --target-port=8000",
    .flags = expose_flags,
    .run = expose_run,
};
