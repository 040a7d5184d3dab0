/* kubectl rollout history, undo: revisions are ReplicaSets of a Deployment, ControllerRevisions of
 * the other two. */
#include <string.h>

#include "cli/kubectl/describe.h"
#include "cli/kubectl/rollout.h"
#include "core/api/meta.h"
#include "core/api/schema.h"
#include "core/object/patch.h"

#define INT G_GINT64_FORMAT
#define REVISION_ANNOTATION "deployment.kubernetes.io/revision"
#define CHANGE_CAUSE "kubernetes.io/change-cause"

static bool
is_deployment(const KubeItem *item)
{
    return strcmp(item->kind->kind, "Deployment") == 0;
}

static int
compare_revisions(const void *a, const void *b)
{
    const Revision *left = a, *right = b;
    return left->number < right->number ? -1 : left->number > right->number;
}

GArray *
rollout_revisions(Kube *kube, const KubeItem *item, Value **ret_list)
{
    bool deployment = is_deployment(item);
    static const char *const known[] = {"Deployment", "DaemonSet", "StatefulSet", NULL};
    if (!g_strv_contains(known, item->kind->kind)) {
        kube_fail(kube, "no history viewer has been implemented for %s", item->kind->kind);
        return NULL;
    }
    const ApiKind *kind =
        kube_kind_named(kube, "apps", deployment ? "replicasets" : "controllerrevisions");
    g_autofree char *selector = pods_selector(item->object);
    char *error = NULL;
    Value *list = kube_list(kube, kind, item->namespace_, selector, NULL, &error);
    if (list == NULL) {
        kube_fail_take(kube, error);
        return NULL;
    }
    GArray *revisions = g_array_new(FALSE, FALSE, sizeof(Revision));
    VALUE_ARRAY_FOREACH (object, value_get(list, "items")) {
        if (!object_is_controlled_by(object, object_uid(item->object)))
            continue;
        const char *annotation = object_annotation(object, REVISION_ANNOTATION);
        Revision revision = {deployment
                                 ? (annotation != NULL ? g_ascii_strtoll(annotation, NULL, 10) : 0)
                                 : value_int_at(object, "revision"),
                             object};
        g_array_append_val(revisions, revision);
    }
    if (revisions->len > 0)
        qsort(revisions->data, revisions->len, sizeof(Revision), compare_revisions);
    *ret_list = list;
    return revisions;
}

Value *
rollout_template(const KubeItem *item, const Revision *revision)
{
    if (is_deployment(item)) {
        g_autoptr(Value) template_ = value_ref(value_at(revision->object, "spec.template"));
        return value_remove_at(template_, "metadata.labels['pod-template-hash']");
    }
    const Value *template_ = value_at(revision->object, "data.spec.template");
    g_autoptr(Value) bare = template_ != NULL ? value_ref(template_) : value_new_map();
    return value_remove(bare, "$patch");
}

static const Revision *
find_revision(const GArray *revisions, int64_t number)
{
    for (guint i = 0; i < revisions->len; i++)
        if (g_array_index(revisions, Revision, i).number == number)
            return &g_array_index(revisions, Revision, i);
    return NULL;
}

/* ---- history ---- */

static int
history_table(Kube *kube, const KubeItem *item, const GArray *revisions)
{
    g_autoptr(GString) text = g_string_new("REVISION\tCHANGE-CAUSE\n"), out = g_string_new(NULL);
    g_autofree char *label = kube_item_label(item->kind, item->name);
    for (guint i = 0; i < revisions->len; i++) {
        const Revision *revision = &g_array_index(revisions, Revision, i);
        g_string_append_printf(text, "%" INT "\t%s\n", revision->number,
                               or_none(object_annotation(revision->object, CHANGE_CAUSE)));
    }
    tabs_write(out, text->str, 0, 2);
    kube_out(kube, "%s \n%s\n", label, out->str);
    return 0;
}

static int
history_one(Kube *kube, const KubeItem *item, const GArray *revisions, int64_t number)
{
    const Revision *revision = find_revision(revisions, number);
    if (revision == NULL)
        return kube_fail(kube, "unable to find the specified revision");
    g_autoptr(Value) template_ = is_deployment(item)
                                     ? value_ref(value_at(revision->object, "spec.template"))
                                     : rollout_template(item, revision);
    g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
    Describing d = {.kube = kube, .out = text, .kind = item->kind, .object = item->object};
    const char *cause = object_annotation(revision->object, CHANGE_CAUSE);
    if (cause != NULL)
        value_edit(&template_, "metadata.annotations['" CHANGE_CAUSE "']", value_new_string(cause));
    describe_template(&d, template_);
    tabs_write(out, text->str, 0, 2);
    g_autofree char *label = kube_item_label(item->kind, item->name);
    kube_out(kube, "%s with revision #%" INT "\n%s\n", label, number, out->str);
    return 0;
}

static int
history_run(Kube *kube)
{
    int64_t number = kube_flag_int(kube, "revision");
    if (number < 0)
        return kube_fail(kube, "revision must be a positive integer: %" INT, number);
    g_autoptr(KubeItems) items =
        kube_select(kube, SELECT_FETCH | SELECT_ALL_OK, 0, kube_n_args(kube));
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++) {
        g_autoptr(Value) list = NULL;
        g_autoptr(GArray) revisions = rollout_revisions(kube, kube_item(items, i), &list);
        if (revisions == NULL)
            return 1;
        if (revisions->len == 0)
            kube_out(kube, "No rollout history found.\n");
        else
            status |= number == 0 ? history_table(kube, kube_item(items, i), revisions)
                                  : history_one(kube, kube_item(items, i), revisions, number);
    }
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag history_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    {"revision", 0, FLAG_INT, "0", NULL, "Show this revision's pod template"},
    KUBE_FLAGS_END,
};

const KubeCommand ROLLOUT_HISTORY = {
    .name = "history",
    .usage = "(TYPE NAME | TYPE/NAME) [flags]",
    .summary = "View rollout history",
    .examples = "  kubectl rollout history deployment/web --revision=2",
    .flags = history_flags,
    .run = history_run,
};

/* ---- undo ---- */

/* --to-revision=0 is the one before the latest. NULL: printed. */
static const Revision *
choose(Kube *kube, const KubeItem *item, const GArray *revisions, int64_t number)
{
    const Revision *found = number > 0 ? find_revision(revisions, number) : NULL;
    if (number == 0 && revisions->len >= 2)
        found = &g_array_index(revisions, Revision, revisions->len - 2);
    if (found == NULL && number == 0)
        kube_fail(kube, "no rollout history found for %s \"%s\"", item->kind->singular, item->name);
    else if (found == NULL)
        kube_fail(kube, "unable to find specified revision %" INT " in history", number);
    return found;
}

static int
undo_item(Kube *kube, const KubeItem *item)
{
    int64_t number = kube_flag_int(kube, "to-revision");
    g_autoptr(Value) list = NULL;
    DryRun dry_run;
    if (!kube_dry_run(kube, &dry_run))
        return 1;
    g_autoptr(GArray) revisions = rollout_revisions(kube, item, &list);
    const Revision *revision = revisions != NULL ? choose(kube, item, revisions, number) : NULL;
    if (revision == NULL)
        return 1;
    if (value_bool_at(item->object, "spec.paused"))
        return kube_fail(
            kube,
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume "
            "%s/%s' and try again",
            item->kind->singular, item->name);
    g_autoptr(Value) template_ = rollout_template(item, revision);
    if (dry_run == DRY_RUN_CLIENT) {
        g_autoptr(GString) text = g_string_new(NULL), out = g_string_new(NULL);
        Describing d = {.kube = kube, .out = text, .kind = item->kind, .object = item->object};
        describe_template(&d, template_);
        tabs_write(out, text->str, 0, 2);
        g_autofree char *label = kube_item_label(item->kind, item->name);
        kube_out(kube, "%s %s\n", label, out->str);
        return 0;
    }
    if (value_equal(template_, value_at(item->object, "spec.template"))) {
        g_autofree char *label = kube_item_label(item->kind, item->name);
        kube_out(kube, "%s skipped rollback (current template already matches revision %" INT ")\n",
                 label, revision->number);
        return 0;
    }
    char *error = NULL;
    g_autoptr(Value) patch =
        value_new_f("[{op: replace, path: \"/spec/template\", value: %v}]", template_);
    g_autoptr(Value) object = kube_patch(kube, item->kind, item->namespace_, item->name, NULL,
                                         PATCH_JSON, g_steal_pointer(&patch), &error);
    return object == NULL ? kube_fail_take(kube, error)
                          : kube_print_done(kube, item->kind, object, "rolled back", dry_run);
}

static int
undo_run(Kube *kube)
{
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, kube_n_args(kube));
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= undo_item(kube, kube_item(items, i));
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag undo_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_OUTPUT,
    KUBE_FLAGS_DRY_RUN,
    {"to-revision", 0, FLAG_INT, "0", NULL, "The revision to go back to; 0: the last one"},
    KUBE_FLAGS_END,
};

const KubeCommand ROLLOUT_UNDO = {
    .name = "undo",
    .usage = "(TYPE NAME | TYPE/NAME) [flags]",
    .summary = "Undo a previous rollout",
    .examples = "  kubectl rollout undo deployment/web --to-revision=3",
    .flags = undo_flags,
    .run = undo_run,
};
