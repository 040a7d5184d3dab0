/* kubectl taint */
#include <string.h>

#include "cli/kubectl/write.h"

typedef struct TaintChange {
    char *key, *value, *effect; /* "" for none */
    bool remove;
} TaintChange;

static void
change_clear(void *data)
{
    TaintChange *change = data;
    g_free(change->key);
    g_free(change->value);
    g_free(change->effect);
}

/* "key=value:Effect", "key:Effect", "key:Effect-", "key-". */
static bool
parse(Kube *kube, const char *word, TaintChange *ret_change)
{
    size_t length = strlen(word);
    bool remove = length > 0 && word[length - 1] == '-';
    g_autofree char *text = g_strndup(word, length - remove);
    char *colon = strrchr(text, ':');
    if (colon != NULL)
        *colon = '\0';
    char *equals = strchr(text, '=');
    if (equals != NULL)
        *equals = '\0';
    const char *effect = colon != NULL ? colon + 1 : "";
    static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
    if (*text == '\0' || (!remove && colon == NULL)) {
        kube_fail(kube, "invalid taint spec: %s", word);
        return false;
    }
    if (colon != NULL && !g_strv_contains(effects, effect)) {
        kube_fail(kube, "invalid taint effect: %s, unsupported taint effect", effect);
        return false;
    }
    *ret_change = (TaintChange){g_strdup(text), g_strdup(equals != NULL ? equals + 1 : ""),
                                g_strdup(effect), remove};
    return true;
}

static bool
same_taint(const Value *taint, const TaintChange *change)
{
    return strcmp(value_text(value_get(taint, "key")), change->key) == 0 &&
           (*change->effect == '\0' ||
            strcmp(value_text(value_get(taint, "effect")), change->effect) == 0);
}

static Value *
without(const Value *taints, const TaintChange *change, bool *ret_found)
{
    ValueBuilder *kept = value_builder_new_array();
    *ret_found = false;
    VALUE_ARRAY_FOREACH (taint, taints) {
        if (same_taint(taint, change))
            *ret_found = true;
        else
            value_builder_append(kept, value_ref(taint));
    }
    return value_builder_end(kept);
}

static int
taint_node(Kube *kube, const KubeItem *node, const GArray *changes)
{
    const Value *old = value_at(node->object, "spec.taints");
    g_autoptr(Value) taints = old != NULL ? value_ref(old) : value_new_array();
    const char *operation = "untainted";
    unsigned conflicts = 0;
    g_autofree char *keys = g_strdup("");
    for (guint i = 0; i < changes->len; i++) {
        const TaintChange *change = &g_array_index(changes, TaintChange, i);
        bool found;
        value_replace(&taints, without(taints, change, &found));
        if (change->remove) {
            if (!found)
                return kube_fail(kube, "taint \"%s%s%s\" not found", change->key,
                                 *change->effect != '\0' ? ":" : "", change->effect);
            continue;
        }
        if (found && !kube_flag_bool(kube, "overwrite")) {
            char *more = g_strconcat(keys, conflicts++ > 0 ? "," : "", change->key, NULL);
            g_free(keys);
            keys = more;
        }
        operation = found ? "modified" : strcmp(operation, "modified") == 0 ? operation : "tainted";
        value_replace(
            &taints,
            value_append(taints, value_new_f("{key: %s, value: ?%s, effect: %s}", change->key,
                                             *change->value != '\0' ? change->value : NULL,
                                             change->effect)));
    }
    if (conflicts > 0)
        return kube_fail(
            kube, "node %s already has %s taint(s) with same effect(s) and --overwrite is false",
            node->name, keys);
    Value *changed = value_size(taints) > 0
                         ? value_set_at(node->object, "spec.taints", value_ref(taints))
                         : value_remove_at(node->object, "spec.taints");
    return change_item(kube, node, changed, operation, operation);
}

static int
taint_run(Kube *kube)
{
    size_t first = 0;
    while (first < kube_n_args(kube) && strpbrk(kube_arg(kube, first), "=:") == NULL &&
           !g_str_has_suffix(kube_arg(kube, first), "-"))
        first++;
    if (first == 0)
        return kube_fail(kube, "one or more resources must be specified as <resource> <name>");
    if (first == kube_n_args(kube))
        return kube_fail(kube, "at least one taint update is required");
    g_autoptr(GArray) changes = g_array_new(FALSE, FALSE, sizeof(TaintChange));
    g_array_set_clear_func(changes, change_clear);
    for (size_t i = first; i < kube_n_args(kube); i++) {
        TaintChange change;
        if (!parse(kube, kube_arg(kube, i), &change))
            return 1;
        g_array_append_val(changes, change);
    }
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, first);
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++) {
        if (strcmp(kube_item(items, i)->kind->kind, "Node") != 0)
            return kube_fail(kube, "invalid resource type %s, only node types are supported",
                             kube_item(items, i)->kind->resource);
        status |= taint_node(kube, kube_item(items, i), changes);
    }
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_OUTPUT,
    KUBE_FLAGS_DRY_RUN,
    KUBE_FLAGS_MANAGER("kubectl-taint"),
    {"all", 0, FLAG_BOOL, "false", NULL, "All nodes"},
    {"overwrite", 0, FLAG_BOOL, "false", NULL, "Taints that are there may be replaced"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_TAINT = {
    .name = "taint",
    .group = "Cluster Management Commands",
    .usage = "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
    .summary = "Update the taints on one or more nodes",
    .help = "The effect is NoSchedule, PreferNoSchedule or NoExecute. A minus sign at the end "
            "takes the taint off.",
    .examples = "  kubectl taint nodes worker-1 dedicated=special:NoSchedule\n"
                "  kubectl taint nodes worker-1 dedicated:NoSchedule-\n  kubectl taint node -l "
                "zone=a bar:NoExecute",
    .flags = flags,
    .run = taint_run,
};
