/* kubectl scale: through the scale subresource. */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/api/meta.h"

static bool
has_replicas(const Value *object, void *data)
{
    int64_t wanted = *(int64_t *)data;
    return object != NULL && value_int_at(object, "status.replicas") == wanted &&
           value_int_at(object, "status.observedGeneration") >= object_generation(object);
}

static int
scale_item(Kube *kube, const KubeItem *item, int64_t replicas)
{
    DryRun dry_run;
    int64_t current = kube_flag_int(kube, "current-replicas");
    if (!kube_dry_run(kube, &dry_run))
        return 1;
    if (item->kind->schema != NULL && api_kind_subresource(item->kind, "scale") == NULL)
        return kube_fail(kube, "cannot scale %s", item->kind->resource);
    if (current >= 0 && value_int_at_or(item->object, "spec.replicas", 1) != current)
        return kube_fail(kube,
                         "Expected replicas to be %" G_GINT64_FORMAT ", was %" G_GINT64_FORMAT,
                         current, value_int_at_or(item->object, "spec.replicas", 1));
    const char *version = kube_flag(kube, "resource-version");
    if (*version != '\0' &&
        strcmp(version, value_text_at(item->object, "metadata.resourceVersion")) != 0)
        return kube_fail(kube, "Expected resource version to be %s, was %s", version,
                         value_text_at(item->object, "metadata.resourceVersion"));
    if (dry_run != DRY_RUN_CLIENT) {
        char *error = NULL;
        g_autoptr(Value) scale =
            kube_patch(kube, item->kind, item->namespace_, item->name, "scale", PATCH_MERGE,
                       value_new_f("{spec: {replicas: %i}}", replicas), &error);
        if (scale == NULL)
            return kube_fail_take(kube, error);
    }
    int status = kube_print_done(kube, item->kind, item->object, "scaled", dry_run);
    int64_t timeout = kube_flag_duration(kube, "timeout");
    if (timeout <= 0 || dry_run != DRY_RUN_NONE)
        return status;
    char *error = NULL;
    Await outcome = kube_await(kube, item->kind, item->namespace_, item->name, has_replicas,
                               &replicas, timeout, &error);
    if (outcome == AWAIT_FAILED)
        return kube_fail_take(kube, error);
    return outcome == AWAIT_DONE
               ? status
               : kube_fail(kube, "timed out waiting for \"%s\" to be synced", item->name);
}

static int
scale_run(Kube *kube)
{
    if (!kube_flag_given(kube, "replicas"))
        return kube_fail(kube, "required flag(s) \"replicas\" not set");
    int64_t replicas = kube_flag_int(kube, "replicas");
    if (replicas < 0)
        return kube_fail(
            kube,
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, kube_n_args(kube));
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= scale_item(kube, kube_item(items, i), replicas);
    if (items != NULL && items->items->len == 0 && items->errors->len == 0)
        return kube_fail(kube, "no objects passed to scale");
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_OUTPUT,
    KUBE_FLAGS_DRY_RUN,
    {"all", 0, FLAG_BOOL, "false", NULL, "All objects of the kind in the namespace"},
    {"replicas", 0, FLAG_INT, "0", NULL, "How many there shall be; required"},
    {"current-replicas", 0, FLAG_INT, "-1", NULL, "Only when there are to be so many now"},
    {"resource-version", 0, FLAG_TEXT, NULL, NULL, "Only when the object still is of this version"},
    {"timeout", 0, FLAG_DURATION, "0s", NULL, "How long to wait until it is done; 0: not at all"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_SCALE = {
    .name = "scale",
    .group = "Deploy Commands",
    .usage = "[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f "
             "FILENAME | TYPE NAME)",
    .summary = "Set a new size for a deployment, replica set, or replication controller",
    .examples = "  kubectl scale --replicas=3 deploy/web\n  kubectl scale --current-replicas=2 "
                "--replicas=3 deployment/web",
    .flags = flags,
    .run = scale_run,
};
