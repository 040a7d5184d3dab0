/* kubectl label, annotate */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/object/label.h"

typedef struct Labelling {
    Kube *kube;
    const char *field;                   /* "labels" */
    const char *done, *none, *taken_off; /* "labeled", "not labeled", "unlabeled" */
    size_t first;                        /* of the pairs */
} Labelling;

static bool
is_annotate(const Labelling *labelling)
{
    return strcmp(labelling->field, "annotations") == 0;
}

/* False: refused, and that is printed. */
static bool
set_pair(Labelling *labelling, Value **map, const char *pair, bool *added)
{
    Kube *kube = labelling->kube;
    const char *equals = strchr(pair, '=');
    if (equals == NULL) {
        g_autofree char *key = g_strndup(pair, strlen(pair) - 1);
        if (!value_has(*map, key))
            kube_out(kube, "%s \"%s\" not found.\n",
                     is_annotate(labelling) ? "annotation" : "label", key);
        value_replace(map, value_remove(*map, key));
        return true;
    }
    g_autofree char *key = g_strndup(pair, (gsize)(equals - pair));
    const char *old = value_string(value_get(*map, key));
    g_autofree char *problem = is_annotate(labelling) ? NULL : label_value_problem(equals + 1);
    if (problem != NULL) {
        kube_fail(kube, "invalid label value: \"%s\": %s", pair, problem);
        return false;
    }
    if (old != NULL && strcmp(old, equals + 1) != 0 && !kube_flag_bool(kube, "overwrite")) {
        if (is_annotate(labelling))
            kube_fail(kube,
                      "--overwrite is false but found the following declared annotation(s): '%s' "
                      "already has "
                      "a value (%s)",
                      key, old);
        else
            kube_fail(kube, "'%s' already has a value (%s), and --overwrite is false", key, old);
        return false;
    }
    value_replace(map, value_set(*map, key, value_new_string(equals + 1)));
    *added = true;
    return true;
}

static int
label_item(Labelling *labelling, const KubeItem *item)
{
    Kube *kube = labelling->kube;
    g_autofree char *path = g_strconcat("metadata.", labelling->field, NULL);
    const Value *old = value_at(item->object, path);
    g_autoptr(Value) map = old != NULL ? value_ref(old) : value_new_map();
    bool added = false;
    for (size_t i = labelling->first; i < kube_n_args(kube); i++)
        if (!set_pair(labelling, &map, kube_arg(kube, i), &added))
            return 1;
    Value *changed = value_size(map) > 0 || old != NULL
                         ? value_set_at(item->object, path, value_ref(map))
                         : value_ref(item->object);
    return change_item(kube, item, changed, added ? labelling->done : labelling->taken_off,
                       labelling->none);
}

static int
list_item(Labelling *labelling, const KubeItem *item, bool several)
{
    Kube *kube = labelling->kube;
    g_autofree char *path = g_strconcat("metadata.", labelling->field, NULL);
    if (several) {
        kube_out(kube, "Listing %s for %s.%s/%s:\n", labelling->field, item->kind->kind,
                 item->kind->group, item->name);
    }
    VALUE_MAP_FOREACH (key, text, value_at(item->object, path))
        kube_out(kube, "%s%s=%s\n", several ? " " : "", key, value_text(text));
    return 0;
}

static int
run(Labelling *labelling)
{
    Kube *kube = labelling->kube;
    const char *one = is_annotate(labelling) ? "annotation" : "label";
    bool list = kube_flag_bool(kube, "list");
    if (!change_pairs(kube, one, &labelling->first))
        return 1;
    if (labelling->first == 0 && !kube_flag_given(kube, "filename"))
        return kube_fail(
            kube,
            "one or more resources must be specified as <resource> <name> or <resource>/<name>");
    if (labelling->first == kube_n_args(kube) && !list)
        return kube_fail(kube, "at least one %s update is required", one);
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, labelling->first);
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= list ? list_item(labelling, kube_item(items, i), items->items->len > 1)
                       : label_item(labelling, kube_item(items, i));
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static int
label_run(Kube *kube)
{
    Labelling labelling = {kube, "labels", "labeled", "not labeled", "unlabeled", 0};
    return run(&labelling);
}

static int
annotate_run(Kube *kube)
{
    Labelling labelling = {kube, "annotations", "annotated", "annotated", "annotated", 0};
    return run(&labelling);
}

static const KubeFlag flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_FIELD_SELECTOR,
    KUBE_FLAGS_ALL_NAMESPACES,
    KUBE_FLAGS_OUTPUT,
    KUBE_FLAGS_DRY_RUN,
    KUBE_FLAGS_MANAGER(""),
    {"all", 0, FLAG_BOOL, "false", NULL, "All objects of the kind in the namespace"},
    {"overwrite", 0, FLAG_BOOL, "false", NULL, "Values that are there may be replaced"},
    {"list", 0, FLAG_BOOL, "false", NULL, "Print what is there"},
    {"local", 0, FLAG_BOOL, "false", NULL, "Accepted; the server is asked"},
    {"resource-version", 0, FLAG_TEXT, NULL, NULL, "Accepted; the latest one is changed"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_LABEL = {
    .name = "label",
    .group = "Settings Commands",
    .usage = "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N",
    .summary = "Update the labels on a resource",
    .help = "A key with a minus sign behind it is taken off.",
    .examples =
        "  kubectl label pods web unhealthy=true\n  kubectl label --overwrite pods web status=bad\n"
        "  kubectl label pods web status-",
    .flags = flags,
    .run = label_run,
};

const KubeCommand KUBECTL_ANNOTATE = {
    .name = "annotate",
    .group = "Settings Commands",
    .usage = "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N",
    .summary = "Update the annotations on a resource",
    .help = "A key with a minus sign behind it is taken off.",
    .examples = "  kubectl annotate pods web description='my frontend'\n  kubectl annotate pods "
                "web description-",
    .flags = flags,
    .run = annotate_run,
};
