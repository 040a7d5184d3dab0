/* kubectl rollout: restart, pause, resume; status is in rollout_status.c, history and undo in
 * rollout_history.c. */
#include <string.h>

#include "cli/kubectl/rollout.h"
#include "core/base/timestamp.h"

typedef int (*ItemFunc)(Kube *kube, const KubeItem *item);

static int
each(Kube *kube, ItemFunc func)
{
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, kube_n_args(kube));
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= func(kube, kube_item(items, i));
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static bool
is_deployment(const KubeItem *item)
{
    return strcmp(item->kind->kind, "Deployment") == 0;
}

static int
restart(Kube *kube, const KubeItem *item)
{
    bool restartable = is_deployment(item) || strcmp(item->kind->kind, "DaemonSet") == 0 ||
                       strcmp(item->kind->kind, "StatefulSet") == 0;
    if (!restartable)
        return kube_fail(kube, "%s \"%s\" restarting is not supported", item->kind->resource,
                         item->name);
    if (value_bool_at(item->object, "spec.paused"))
        return kube_fail(kube,
                         "%s \"%s\" can't restart paused deployment (run rollout resume first)",
                         api_kind_qualified(item->kind), item->name);
    g_autofree char *now = timestamp_text(kube_now(kube));
    Value *changed = value_set_at(
        item->object, "spec.template.metadata.annotations['kubectl.kubernetes.io/restartedAt']",
        value_new_string(now));
    return change_item(kube, item, changed, "restarted", "restarted");
}

static int
set_paused(Kube *kube, const KubeItem *item, bool paused)
{
    if (!is_deployment(item))
        return kube_fail(kube, "%s \"%s\" %s is not supported", item->kind->resource, item->name,
                         paused ? "pausing" : "resuming");
    if (value_bool_at(item->object, "spec.paused") == paused)
        return kube_fail(kube, "%s \"%s\" is %s paused", api_kind_qualified(item->kind), item->name,
                         paused ? "already" : "not");
    Value *changed = paused ? value_set_at(item->object, "spec.paused", value_new_bool(true))
                            : value_remove_at(item->object, "spec.paused");
    return change_item(kube, item, changed, paused ? "paused" : "resumed", NULL);
}

static int
pause_item(Kube *kube, const KubeItem *item)
{
    return set_paused(kube, item, true);
}

static int
resume_item(Kube *kube, const KubeItem *item)
{
    return set_paused(kube, item, false);
}

static int
restart_run(Kube *kube)
{
    return each(kube, restart);
}

static int
pause_run(Kube *kube)
{
    return each(kube, pause_item);
}

static int
resume_run(Kube *kube)
{
    return each(kube, resume_item);
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_FILES, KUBE_FLAGS_SELECTOR, KUBE_FLAGS_OUTPUT, KUBE_FLAGS_MANAGER("kubectl-rollout"),
    KUBE_FLAGS_END,
};

static const KubeCommand restart_command = {.name = "restart",
                                            .usage = "RESOURCE",
                                            .summary = "Restart a resource",
                                            .examples = "  kubectl rollout restart deployment/web",
                                            .flags = flags,
                                            .run = restart_run};
static const KubeCommand pause_command = {.name = "pause",
                                          .usage = "RESOURCE",
                                          .summary = "Mark the provided resource as paused",
                                          .examples = "  kubectl rollout pause deployment/web",
                                          .flags = flags,
                                          .run = pause_run};
static const KubeCommand resume_command = {.name = "resume",
                                           .usage = "RESOURCE",
                                           .summary = "Resume a paused resource",
                                           .examples = "  kubectl rollout resume deployment/web",
                                           .flags = flags,
                                           .run = resume_run};

static const KubeCommand *const children[] = {
    &ROLLOUT_HISTORY, &pause_command, &restart_command, &resume_command, &ROLLOUT_STATUS,
    &ROLLOUT_UNDO,    NULL,
};

const KubeCommand KUBECTL_ROLLOUT = {
    .name = "rollout",
    .group = "Deploy Commands",
    .usage = "SUBCOMMAND",
    .summary = "Manage the rollout of a resource",
    .help = "For deployments, daemon sets and stateful sets.",
    .examples = "  kubectl rollout status deployment/web\n  kubectl rollout undo deployment/web",
    .children = children,
};
