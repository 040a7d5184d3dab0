#include "core/controllers/daemonset/view.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/pod_control.h"
#include "core/controllers/common/util.h"

typedef struct AutomaticToleration {
    const char *key, *effect;
    bool host_network_only;
} AutomaticToleration;

static const AutomaticToleration automatic_tolerations[] = {
    {"node.kubernetes.io/not-ready", "NoExecute", false},
    {"node.kubernetes.io/unreachable", "NoExecute", false},
    {"node.kubernetes.io/disk-pressure", "NoSchedule", false},
    {"node.kubernetes.io/memory-pressure", "NoSchedule", false},
    {"node.kubernetes.io/pid-pressure", "NoSchedule", false},
    {"node.kubernetes.io/unschedulable", "NoSchedule", false},
    {"node.kubernetes.io/network-unavailable", "NoSchedule", true},
};

Value *
daemon_tolerations(const Value *pod_spec)
{
    const Value *old = value_get(pod_spec, "tolerations");
    Value *tolerations = old != NULL ? value_ref(old) : value_new_array();
    for (size_t i = 0; i < G_N_ELEMENTS(automatic_tolerations); i++) {
        const AutomaticToleration *entry = &automatic_tolerations[i];
        if (entry->host_network_only && !value_bool(value_get(pod_spec, "hostNetwork")))
            continue;
        g_autoptr(Value) toleration =
            value_new_f("{key: %s, operator: Exists, effect: %s}", entry->key, entry->effect);
        bool known = false;
        for (size_t j = 0; j < value_size(tolerations); j++)
            known |= value_equal(value_item(tolerations, j), toleration);
        if (!known)
            value_replace(&tolerations, value_append(tolerations, g_steal_pointer(&toleration)));
    }
    return tolerations;
}

void
daemon_should_run(const Value *sample, const Value *node, bool *ret_run, bool *ret_continue)
{
    static const char *const scheduling[] = {"NoSchedule", "NoExecute", NULL},
                             *const executing[] = {"NoExecute", NULL};
    const char *pinned = pod_node_name(sample);
    *ret_run = *ret_continue = false;
    if ((*pinned != '\0' && strcmp(pinned, object_name(node)) != 0) ||
        !pod_matches_node_affinity(sample, node))
        return;
    const Value *taints = value_at(node, "spec.taints"),
                *tolerations = value_at(sample, "spec.tolerations");
    *ret_run = taints_find_untolerated(taints, tolerations, scheduling) == NULL;
    *ret_continue = *ret_run || taints_find_untolerated(taints, tolerations, executing) == NULL;
}

const char *
daemon_pod_node(const Value *pod)
{
    if (*pod_node_name(pod) != '\0')
        return pod_node_name(pod);
    const Value *terms =
        value_at(pod, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
                      "nodeSelectorTerms");
    VALUE_ARRAY_FOREACH (term, terms)
        VALUE_ARRAY_FOREACH (field, value_get(term, "matchFields"))
            if (strcmp(value_text(value_get(field, "key")), "metadata.name") == 0 &&
                strcmp(value_text(value_get(field, "operator")), "In") == 0 &&
                value_size(value_get(field, "values")) == 1)
                return value_text(value_item(value_get(field, "values"), 0));
    return "";
}

Value *
daemon_pod_new(const DaemonView *view, const char *node_name)
{
    Value *pod =
        pod_from_template(value_at(view->set, "spec.template"), view->set, "apps/v1", "DaemonSet");
    const Value *spec = value_get(view->sample, "spec");
    Value *terms = value_new_f("{nodeSelectorTerms: [{matchFields: [{key: 'metadata.name', "
                               "operator: In, values: [%s]}]}]}",
                               node_name);
    /* The node selector's other terms are what the controller has just checked. */
    value_edit(&pod, "spec",
               value_set_at(spec,
                            "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
                            terms));
    value_edit(&pod, "metadata.labels['" LABEL_REVISION_HASH "']", value_new_string(view->hash));
    const char *generation =
        object_annotation(view->set, "deprecated.daemonset.template.generation");
    if (generation != NULL)
        value_edit(&pod, "metadata.labels['pod-template-generation']",
                   value_new_string(generation));
    return pod;
}

bool
daemon_pod_is_available(const DaemonView *view, const Value *pod)
{
    return pod_is_available(pod, value_int_at(view->set, "spec.minReadySeconds"), view->now);
}

bool
daemon_pod_is_updated(const DaemonView *view, const Value *pod)
{
    const char *hash = object_label(pod, LABEL_REVISION_HASH);
    return hash != NULL && strcmp(hash, view->hash) == 0;
}

static DaemonNode *
find_node(const DaemonView *view, const char *name)
{
    guint low = 0, high = view->nodes->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        DaemonNode *node = &g_array_index(view->nodes, DaemonNode, middle);
        int order = strcmp(object_name(node->node), name);
        if (order == 0)
            return node;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void
daemon_view_init(DaemonView *view, Informer *nodes)
{
    const Value *spec = value_at(view->set, "spec.template.spec");
    Value *with_tolerations = value_set(spec, "tolerations", daemon_tolerations(spec));
    view->sample = value_new_f("{spec: %V}", with_tolerations);
    view->nodes = g_array_new(FALSE, TRUE, sizeof(DaemonNode));
    view->node_values = objects_new();
    view->stray = g_ptr_array_new();
    InformerIter iter;
    informer_iter_init(&iter, nodes, NULL);
    const Value *value;
    while ((value = informer_iter_next(&iter, NULL)) != NULL) {
        DaemonNode node = {.node = value};
        objects_add(view->node_values, value);
        daemon_should_run(view->sample, value, &node.should_run, &node.should_continue);
        g_array_append_val(view->nodes, node);
    }
    objects_sort_by_age(view->pods);
    for (guint i = 0; i < view->pods->len; i++) {
        gpointer pod = g_ptr_array_index(view->pods, i);
        DaemonNode *node = find_node(view, daemon_pod_node(pod));
        if (node == NULL) {
            g_ptr_array_add(view->stray, pod);
            continue;
        }
        if (node->pods == NULL)
            node->pods = g_ptr_array_new();
        g_ptr_array_add(node->pods, pod);
    }
}

void
daemon_view_clear(DaemonView *view)
{
    for (guint i = 0; i < view->nodes->len; i++)
        if (g_array_index(view->nodes, DaemonNode, i).pods != NULL)
            g_ptr_array_free(g_array_index(view->nodes, DaemonNode, i).pods, TRUE);
    g_array_free(view->nodes, TRUE);
    g_ptr_array_unref(view->node_values);
    g_ptr_array_free(view->stray, TRUE);
    value_unref(view->sample);
}

Value *
daemon_status(const DaemonView *view)
{
    int64_t desired = 0, current = 0, misscheduled = 0, ready = 0, updated = 0, available = 0;
    for (guint i = 0; i < view->nodes->len; i++) {
        const DaemonNode *node = &g_array_index(view->nodes, DaemonNode, i);
        if (!node->should_run) {
            misscheduled += node->pods != NULL;
            continue;
        }
        desired++;
        if (node->pods == NULL)
            continue;
        current++;
        const Value *pod = objects_item(node->pods, 0);
        ready += pod_is_ready(pod);
        available += pod_is_ready(pod) && daemon_pod_is_available(view, pod);
        updated += daemon_pod_is_updated(view, pod);
    }
    const Value *old = value_get(view->set, "status");
    return value_new_f("{currentNumberScheduled: %i, numberMisscheduled: %i, "
                       "desiredNumberScheduled: %i, numberReady: %i, "
                       "observedGeneration: ?%i, updatedNumberScheduled: ?%i, numberAvailable: "
                       "?%i, numberUnavailable: ?%i, "
                       "collisionCount: ?%v, conditions: ?%v}",
                       current, misscheduled, desired, ready, object_generation(view->set), updated,
                       available, desired - available, value_get(old, "collisionCount"),
                       value_get(old, "conditions"));
}
