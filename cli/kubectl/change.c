/* What commands that change an object in place share. */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/api/schema.h"
#include "core/object/patch.h"
#include "core/object/selector.h"

static int
say(Kube *kube, const KubeItem *item, const Value *object, const char *operation, DryRun dry_run)
{
    return kube_print_done(kube, item->kind, object, operation, dry_run);
}

int
change_item(Kube *kube, const KubeItem *item, Value *take_changed, const char *operation,
            const char *same)
{
    g_autoptr(Value) changed = take_changed;
    DryRun dry_run = DRY_RUN_NONE;
    if (!kube_dry_run(kube, &dry_run))
        return 1;
    g_autoptr(Value) patch = item->kind->schema != NULL
                                 ? schema_strategic_three_way(item->kind->schema, item->object,
                                                              changed, item->object, NULL)
                                 : NULL;
    PatchType type = PATCH_STRATEGIC;
    if (patch == NULL) {
        patch = merge_patch_create(item->object, changed);
        type = PATCH_MERGE;
    }
    if (value_size(patch) == 0) {
        g_autofree char *text =
            same != NULL ? g_strdup(same) : g_strconcat(operation, " (no change)", NULL);
        return say(kube, item, item->object, text, dry_run);
    }
    if (dry_run == DRY_RUN_CLIENT)
        return say(kube, item, changed, operation, dry_run);
    char *error = NULL;
    g_autoptr(Value) object = kube_patch(kube, item->kind, item->namespace_, item->name, NULL, type,
                                         g_steal_pointer(&patch), &error);
    return object != NULL ? say(kube, item, object, operation, dry_run)
                          : kube_fail_take(kube, error);
}

static bool
is_pair(const char *word)
{
    size_t length = strlen(word);
    return (strchr(word, '=') != NULL && word[0] != '=') || (length > 1 && word[length - 1] == '-');
}

bool
change_pairs(Kube *kube, const char *what, size_t *ret_first)
{
    size_t first = 0;
    while (first < kube_n_args(kube) && !is_pair(kube_arg(kube, first)))
        first++;
    for (size_t i = first; i < kube_n_args(kube); i++) {
        if (is_pair(kube_arg(kube, i)))
            continue;
        kube_fail(kube, "all resources must be specified before %s changes: %s", what,
                  kube_arg(kube, i));
        return false;
    }
    *ret_first = first;
    return true;
}

const char *
template_path(const ApiKind *kind)
{
    if (strcmp(kind->kind, "Pod") == 0)
        return "";
    if (strcmp(kind->kind, "CronJob") == 0)
        return "spec.jobTemplate.spec.template";
    static const char *const with_template[] = {
        "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"};
    for (size_t i = 0; i < G_N_ELEMENTS(with_template); i++)
        if (strcmp(with_template[i], kind->kind) == 0)
            return "spec.template";
    return NULL;
}

char *
template_at(const ApiKind *kind, const char *path)
{
    const char *base = template_path(kind);
    return *base == '\0' ? g_strdup(path) : g_strconcat(base, ".", path, NULL);
}

char *
pods_selector(const Value *object)
{
    const Value *selector = value_at(object, "spec.selector");
    if (selector == NULL)
        return NULL;
    bool structured = value_has(selector, "matchLabels") || value_has(selector, "matchExpressions");
    g_autoptr(Selector) made =
        structured ? selector_from_object(selector, NULL) : selector_from_map(selector);
    return made != NULL ? selector_text(made) : NULL;
}
