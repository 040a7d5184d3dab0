/* kubectl cordon, uncordon, drain */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/api/status.h"

#define RETRY_NS (5 * NS_PER_S)

typedef int (*NodeFunc)(Kube *kube, const KubeItem *node);

static KubeItems *
select_nodes(Kube *kube)
{
    if (kube_n_args(kube) == 0 && *kube_flag(kube, "selector") == '\0') {
        kube_fail_usage(kube, "USAGE: %s NODE [flags]",
                        kube_flag_find(kube->command, "force") ? "drain" : kube->command->name);
        return NULL;
    }
    /* The words are names of nodes: "nodes" is put before them. */
    bool slashed = kube_n_args(kube) > 0 && strchr(kube_arg(kube, 0), '/') != NULL;
    if (!slashed)
        g_ptr_array_insert(kube->args, 0, g_strdup("nodes"));
    return kube_select(kube, SELECT_FETCH | SELECT_ALL_OK, 0, kube_n_args(kube));
}

static int
set_unschedulable(Kube *kube, const KubeItem *node, bool unschedulable)
{
    if (value_bool_at(node->object, "spec.unschedulable") == unschedulable) {
        kube_out(kube, "node/%s already %s\n", node->name,
                 unschedulable ? "cordoned" : "uncordoned");
        return 0;
    }
    Value *changed = unschedulable
                         ? value_set_at(node->object, "spec.unschedulable", value_new_bool(true))
                         : value_remove_at(node->object, "spec.unschedulable");
    return change_item(kube, node, changed, unschedulable ? "cordoned" : "uncordoned", NULL);
}

static int
each_node(Kube *kube, bool unschedulable)
{
    g_autoptr(KubeItems) nodes = select_nodes(kube);
    int status = 0;
    for (guint i = 0; nodes != NULL && i < nodes->items->len; i++)
        status |= set_unschedulable(kube, kube_item(nodes, i), unschedulable);
    return nodes == NULL ? 1 : kube_items_end(kube, nodes) | status;
}

static int
cordon_run(Kube *kube)
{
    return each_node(kube, true);
}

static int
uncordon_run(Kube *kube)
{
    return each_node(kube, false);
}

/* ---- which pods ---- */

typedef struct Draining {
    Kube *kube;
    const KubeItem *node;
    GPtrArray *pods; /* borrowed from list */
    Value *list;
    GString *fatal, *warning; /* texts by reason */
} Draining;

static const char *const reasons[][2] = {
    {"DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
     "ignoring DaemonSet-managed Pods"},
    {"Pods with local storage (use --delete-emptydir-data to override)",
     "deleting Pods with local storage"},
    {"Pods that declare no controller (use --force to override)",
     "deleting Pods that declare no controller"},
};
enum { BY_DAEMON_SET, WITH_STORAGE, UNMANAGED, N_REASONS };

static bool
has_local_storage(const Value *pod)
{
    VALUE_ARRAY_FOREACH (volume, value_at(pod, "spec.volumes"))
        if (value_has(volume, "emptyDir"))
            return true;
    return false;
}

/* Which reasons speak against a pod, as bits; whether it is left alone altogether in *ret_skip. */
static unsigned
objections(const Value *pod, bool *ret_skip)
{
    const Value *owner = object_controller(pod);
    *ret_skip = pod_is_mirror(pod);
    if (*ret_skip)
        return 0;
    bool daemon = strcmp(value_text(value_get(owner, "kind")), "DaemonSet") == 0;
    if (daemon && !pod_is_terminal(pod)) {
        *ret_skip = true;
        return 1u << BY_DAEMON_SET;
    }
    if (pod_is_terminal(pod))
        return 0;
    return (has_local_storage(pod) ? 1u << WITH_STORAGE : 0) |
           (owner == NULL ? 1u << UNMANAGED : 0);
}

static bool
allowed(Kube *kube, int reason)
{
    return kube_flag_bool(kube, reason == BY_DAEMON_SET  ? "ignore-daemonsets"
                                : reason == WITH_STORAGE ? "delete-emptydir-data"
                                                         : "force");
}

static void
add_reason(GString *text, GString *names, const char *before, const char *reason,
           const char *between)
{
    if (names->len > 0)
        g_string_append_printf(text, "%s%s%s: %s", text->len > 0 ? between : "", before, reason,
                               names->str);
}

/* False: printed. */
static bool
find_pods(Draining *draining)
{
    Kube *kube = draining->kube;
    g_autofree char *fields = g_strdup_printf("spec.nodeName=%s", draining->node->name);
    const char *labels = kube_flag(kube, "pod-selector");
    char *error = NULL;
    draining->list = kube_list(kube, kube_kind_named(kube, "", "pods"), NULL,
                               *labels != '\0' ? labels : NULL, fields, &error);
    if (draining->list == NULL) {
        kube_fail_take(kube, error);
        return false;
    }
    GString *names[N_REASONS];
    for (int i = 0; i < N_REASONS; i++)
        names[i] = g_string_new(NULL);
    VALUE_ARRAY_FOREACH (pod, value_get(draining->list, "items")) {
        bool skip;
        unsigned against = objections(pod, &skip);
        g_autofree char *key = object_key(pod);
        for (int i = 0; i < N_REASONS; i++)
            if (against & 1u << i)
                g_string_append_printf(names[i], "%s%s", names[i]->len > 0 ? ", " : "", key);
        if (!skip)
            g_ptr_array_add(draining->pods, (void *)pod);
    }
    for (int i = 0; i < N_REASONS; i++) {
        if (allowed(kube, i))
            add_reason(draining->warning, names[i], "", reasons[i][1], "; ");
        else
            add_reason(draining->fatal, names[i], "cannot delete ", reasons[i][0], ", ");
        g_string_free(names[i], TRUE);
    }
    return true;
}

/* ---- evicting ---- */

/* The end of a grace period may be said as in delete. */
static Value *
eviction(Kube *kube, const Value *pod)
{
    int64_t grace = kube_flag_int(kube, "grace-period");
    Value *body =
        value_new_f("{apiVersion: policy/v1, kind: Eviction, metadata: {name: %s, namespace: %s}}",
                    object_name(pod), object_namespace(pod));
    if (grace >= 0)
        value_edit(&body, "deleteOptions.gracePeriodSeconds", value_new_int(grace));
    return body;
}

static ApiRequest *
eviction_request(Kube *kube, const Value *pod)
{
    const ApiKind *kind = kube_kind_named(kube, "", "pods");
    if (kube_flag_bool(kube, "disable-eviction"))
        return kube_request(API_VERB_DELETE, kind, object_namespace(pod), object_name(pod));
    ApiRequest *request =
        kube_request(API_VERB_CREATE, kind, object_namespace(pod), object_name(pod));
    request->subresource = g_strdup("eviction");
    request->body = eviction(kube, pod);
    return request;
}

static int
evict(Draining *draining, const Value *pod, int64_t end_ns)
{
    Kube *kube = draining->kube;
    kube_out(kube, "evicting pod %s/%s\n", object_namespace(pod), object_name(pod));
    for (;;) {
        g_autoptr(ApiResponse) response = kube_call(kube, eviction_request(kube, pod));
        if (response == NULL)
            return kube_fail(kube, "interrupted");
        if (api_response_ok(response) || response->code == 404)
            return 0;
        const char *message = status_message(response->object);
        if (response->code != 429)
            return kube_fail(kube, "error when evicting pods/\"%s\" -n \"%s\": %s",
                             object_name(pod), object_namespace(pod), message);
        kube_err(kube, "error when evicting pods/\"%s\" -n \"%s\" (will retry after 5s): %s\n",
                 object_name(pod), object_namespace(pod), message);
        if (kube_now(kube) + RETRY_NS > end_ns)
            return kube_fail(
                kube, "error when evicting pods/\"%s\" -n \"%s\": global timeout reached: %s",
                object_name(pod), object_namespace(pod), kube_flag(kube, "timeout"));
        if (!kube_sleep(kube, RETRY_NS))
            return kube_fail(kube, "interrupted");
        kube_out(kube, "evicting pod %s/%s\n", object_namespace(pod), object_name(pod));
    }
}

static bool
is_gone(const Value *object, void *data)
{
    return object == NULL || strcmp(object_uid(object), data) != 0;
}

static int
await_end(Draining *draining, const Value *pod, int64_t end_ns)
{
    Kube *kube = draining->kube;
    char *error = NULL;
    Await outcome = kube_await(kube, kube_kind_named(kube, "", "pods"), object_namespace(pod),
                               object_name(pod), is_gone, (void *)object_uid(pod),
                               end_ns == INT64_MAX ? -1 : MAX(end_ns - kube_now(kube), 0), &error);
    if (outcome == AWAIT_FAILED)
        return kube_fail_take(kube, error);
    if (outcome == AWAIT_TIMEOUT)
        return kube_fail(
            kube,
            "error when waiting for pod \"%s\" in namespace \"%s\" to terminate: global timeout "
            "reached: %s",
            object_name(pod), object_namespace(pod), kube_flag(kube, "timeout"));
    if (outcome == AWAIT_DONE)
        kube_out(kube, "pod/%s evicted\n", object_name(pod));
    return outcome == AWAIT_DONE ? 0 : 1;
}

static int
drain_pods(Draining *draining)
{
    Kube *kube = draining->kube;
    int64_t timeout = kube_flag_duration(kube, "timeout");
    int64_t end_ns = timeout > 0 ? kube_now(kube) + timeout : INT64_MAX / 2;
    DryRun dry_run;
    kube_dry_run(kube, &dry_run);
    if (draining->warning->len > 0)
        kube_err(kube, "Warning: %s\n", draining->warning->str);
    for (guint i = 0; i < draining->pods->len; i++) {
        const Value *pod = g_ptr_array_index(draining->pods, i);
        if (dry_run != DRY_RUN_NONE)
            kube_out(kube, "evicting pod %s/%s%s\n", object_namespace(pod), object_name(pod),
                     dry_run_suffix(dry_run));
        else if (evict(draining, pod, end_ns) != 0)
            return 1;
    }
    for (guint i = 0; i < draining->pods->len && dry_run == DRY_RUN_NONE; i++)
        if (await_end(draining, g_ptr_array_index(draining->pods, i),
                      timeout > 0 ? end_ns : INT64_MAX) != 0)
            return 1;
    return 0;
}

static int
drain_node(Kube *kube, const KubeItem *node)
{
    Draining draining = {.kube = kube,
                         .node = node,
                         .pods = g_ptr_array_new(),
                         .fatal = g_string_new(NULL),
                         .warning = g_string_new(NULL)};
    DryRun dry_run;
    int status = 1;
    if (kube_dry_run(kube, &dry_run) && find_pods(&draining)) {
        if (draining.fatal->len > 0)
            kube_err(kube,
                     "error: unable to drain node \"%s\" due to error: %s, continuing command...\n"
                     "There are pending nodes to be drained:\n %s\n%s\n",
                     node->name, draining.fatal->str, node->name, draining.fatal->str);
        else
            status = drain_pods(&draining);
    }
    if (status == 0)
        kube_out(kube, "node/%s drained%s\n", node->name, dry_run_suffix(dry_run));
    g_ptr_array_unref(draining.pods);
    g_string_free(draining.fatal, TRUE);
    g_string_free(draining.warning, TRUE);
    value_unref(draining.list);
    return status;
}

static int
drain_run(Kube *kube)
{
    g_autoptr(KubeItems) nodes = select_nodes(kube);
    int status = 0;
    for (guint i = 0; nodes != NULL && i < nodes->items->len; i++)
        status |= set_unschedulable(kube, kube_item(nodes, i), true);
    for (guint i = 0; nodes != NULL && status == 0 && i < nodes->items->len; i++)
        status |= drain_node(kube, kube_item(nodes, i));
    return nodes == NULL ? 1 : kube_items_end(kube, nodes) | status;
}

static const KubeFlag cordon_flags[] = {KUBE_FLAGS_SELECTOR, KUBE_FLAGS_DRY_RUN, KUBE_FLAGS_END};
static const KubeFlag drain_flags[] = {
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_DRY_RUN,
    {"force", 0, FLAG_BOOL, "false", NULL,
     "Go on though there are pods without a controller: they are lost"},
    {"ignore-daemonsets", 0, FLAG_BOOL, "false", NULL, "Leave pods of daemon sets where they are"},
    {"delete-emptydir-data", 0, FLAG_BOOL, "false", NULL,
     "Go on though pods use emptyDir: its data is lost"},
    {"grace-period", 0, FLAG_INT, "-1", NULL,
     "Seconds that containers get to end; -1: what the pod says"},
    {"timeout", 0, FLAG_DURATION, "0s", NULL, "How long to wait; 0: as long as it takes"},
    {"pod-selector", 0, FLAG_TEXT, NULL, NULL, "Only pods with these labels"},
    {"disable-eviction", 0, FLAG_BOOL, "false", NULL,
     "Delete in place of evicting: disruption budgets do not count"},
    {"skip-wait-for-delete-timeout", 0, FLAG_INT, "0", NULL, "Accepted"},
    {"chunk-size", 0, FLAG_INT, "500", NULL, "How many objects to ask for at a time; 0: all"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_CORDON = {.name = "cordon",
                                    .group = "Cluster Management Commands",
                                    .usage = "NODE",
                                    .summary = "Mark node as unschedulable",
                                    .examples = "  kubectl cordon worker-1",
                                    .flags = cordon_flags,
                                    .run = cordon_run};
const KubeCommand KUBECTL_UNCORDON = {.name = "uncordon",
                                      .group = "Cluster Management Commands",
                                      .usage = "NODE",
                                      .summary = "Mark node as schedulable",
                                      .examples = "  kubectl uncordon worker-1",
                                      .flags = cordon_flags,
                                      .run = uncordon_run};
const KubeCommand KUBECTL_DRAIN = {
    .name = "drain",
    .group = "Cluster Management Commands",
    .usage = "NODE",
    .summary = "Drain node in preparation for maintenance",
    .help = "The node is cordoned, then its pods are evicted (disruption budgets are heeded) and "
            "waited for.",
    .examples = "  kubectl drain worker-1 --ignore-daemonsets --delete-emptydir-data",
    .flags = drain_flags,
    .run = drain_run};
