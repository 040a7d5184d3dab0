/* kubectl delete */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/api/status.h"

typedef struct Ending {
    const KubeItem *item;
    char *uid;
} Ending;

static void
ending_free(void *data)
{
    Ending *ending = data;
    g_free(ending->uid);
    g_free(ending);
}

/* A DeleteOptions by the flags; NULL: the error is printed. */
static Value *
delete_options(Kube *kube)
{
    int64_t grace = kube_flag_int(kube, "grace-period");
    bool force = kube_flag_bool(kube, "force");
    const char *cascade = kube_flag(kube, "cascade");
    if (kube_flag_bool(kube, "now")) {
        if (grace != -1) {
            kube_fail(kube, "--now and --grace-period cannot be specified together");
            return NULL;
        }
        grace = 1;
    }
    if (grace == 0 && !force)
        grace = 1;
    if (force && grace < 0)
        grace = 0;
    if (force && grace > 0) {
        kube_fail(kube, "--force and --grace-period greater than 0 cannot be specified together");
        return NULL;
    }
    const char *policy =
        strcmp(cascade, "background") == 0 || strcmp(cascade, "true") == 0 ? "Background"
        : strcmp(cascade, "foreground") == 0                               ? "Foreground"
        : strcmp(cascade, "orphan") == 0 || strcmp(cascade, "false") == 0  ? "Orphan"
                                                                           : NULL;
    if (policy == NULL) {
        kube_fail(
            kube,
            "invalid cascade value (%s). Must be \"background\", \"foreground\", or \"orphan\"",
            cascade);
        return NULL;
    }
    Value *options =
        value_new_f("{apiVersion: v1, kind: DeleteOptions, propagationPolicy: %s}", policy);
    if (grace >= 0)
        value_edit(&options, "gracePeriodSeconds", value_new_int(grace));
    return options;
}

static void
say_deleted(Kube *kube, const KubeItem *item, DryRun dry_run)
{
    bool force =
        kube_flag_find(kube->command, "grace-period") != NULL && kube_flag_bool(kube, "force");
    if (kube_flag_find(kube->command, "output") != NULL &&
        strcmp(kube_flag(kube, "output"), "name") == 0) {
        g_autofree char *label = kube_item_label(item->kind, item->name);
        kube_out(kube, "%s\n", label);
        return;
    }
    g_autofree char *word = kube_kind_short(item->kind);
    g_autofree char *from = item->namespace_ != NULL
                                ? g_strdup_printf(" from %s namespace", item->namespace_)
                                : g_strdup("");
    kube_out(kube, "%s \"%s\" %sdeleted%s%s\n", word, item->name, force ? "force " : "", from,
             dry_run_suffix(dry_run));
}

/* *ret_uid: what is to end; owned; NULL on failure. */
static int
delete_one(Kube *kube, const KubeItem *item, const Value *options, DryRun dry_run, char **ret_uid)
{
    *ret_uid = NULL;
    if (dry_run == DRY_RUN_CLIENT) {
        say_deleted(kube, item, dry_run);
        return 0;
    }
    ApiRequest *request = kube_request(API_VERB_DELETE, item->kind, item->namespace_, item->name);
    request->body = value_ref(options);
    request->dry_run = dry_run == DRY_RUN_SERVER;
    g_autoptr(ApiResponse) response = kube_call(kube, request);
    if (response == NULL)
        return kube_fail(kube, "interrupted");
    if (!api_response_ok(response)) {
        if (response->code == 404 && kube_flag_find(kube->command, "ignore-not-found") != NULL &&
            kube_flag_bool(kube, "ignore-not-found"))
            return 0;
        return kube_fail_take(kube, kube_status_text(response->object, "deleting", item->source));
    }
    say_deleted(kube, item, dry_run);
    const char *uid = status_is(response->object) ? value_text_at(response->object, "details.uid")
                                                  : object_uid(response->object);
    *ret_uid = g_strdup(*uid == '\0' && item->object != NULL ? object_uid(item->object) : uid);
    return 0;
}

int
delete_item(Kube *kube, const KubeItem *item, const Value *options, DryRun dry_run)
{
    g_autofree char *uid = NULL;
    return delete_one(kube, item, options, dry_run, &uid);
}

static bool
is_gone(const Value *object, void *data)
{
    const Ending *ending = data;
    return object == NULL || (*ending->uid != '\0' && strcmp(object_uid(object), ending->uid) != 0);
}

static int
wait_for_ends(Kube *kube, const GPtrArray *endings)
{
    int64_t timeout = kube_flag_duration(kube, "timeout");
    int64_t end_ns = kube_now(kube) + timeout;
    for (guint i = 0; i < endings->len; i++) {
        Ending *ending = g_ptr_array_index(endings, i);
        char *error = NULL;
        Await outcome =
            kube_await(kube, ending->item->kind, ending->item->namespace_, ending->item->name,
                       is_gone, ending, timeout > 0 ? MAX(end_ns - kube_now(kube), 0) : -1, &error);
        if (outcome == AWAIT_FAILED)
            return kube_fail_take(kube, error);
        if (outcome == AWAIT_TIMEOUT)
            return kube_fail(kube, "timed out waiting for the condition on %s/%s",
                             ending->item->kind->resource, ending->item->name);
        if (outcome == AWAIT_CANCELLED)
            return 1;
    }
    return 0;
}

static void
warn_of_force(Kube *kube)
{
    if (kube_flag_bool(kube, "force"))
        kube_err(
            kube,
            "Warning: Immediate deletion does not wait for confirmation that the running resource "
            "has "
            "been terminated. The resource may continue to run on the cluster indefinitely.\n");
}

static int
delete_run(Kube *kube)
{
    DryRun dry_run;
    g_autoptr(Value) options = delete_options(kube);
    if (options == NULL || !kube_dry_run(kube, &dry_run))
        return 1;
    bool files = kube_flag_given(kube, "filename");
    g_autoptr(KubeItems) items = kube_select(kube, files ? 0 : SELECT_FETCH, 0, kube_n_args(kube));
    if (items == NULL)
        return 1;
    warn_of_force(kube);
    g_autoptr(GPtrArray) endings = g_ptr_array_new_with_free_func(ending_free);
    int status = 0;
    for (guint i = 0; i < items->items->len; i++) {
        Ending *ending = g_new0(Ending, 1);
        ending->item = kube_item(items, i);
        status |= delete_one(kube, ending->item, options, dry_run, &ending->uid);
        if (ending->uid != NULL)
            g_ptr_array_add(endings, ending);
        else
            g_free(ending);
    }
    if (items->items->len == 0 && items->errors->len == 0 &&
        !kube_flag_bool(kube, "ignore-not-found"))
        kube_out(kube, "No resources found\n");
    status |= kube_items_end(kube, items);
    if (kube_flag_bool(kube, "wait") && dry_run == DRY_RUN_NONE)
        status |= wait_for_ends(kube, endings);
    return status;
}

static const KubeFlag delete_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_FIELD_SELECTOR,
    KUBE_FLAGS_ALL_NAMESPACES,
    KUBE_FLAGS_DRY_RUN,
    {"all", 0, FLAG_BOOL, "false", NULL, "All objects of the kind in the namespace"},
    {"cascade", 0, FLAG_TEXT, "background", "background",
     "What happens to dependents: background, foreground or orphan"},
    {"force", 0, FLAG_BOOL, "false", NULL,
     "Do not wait for the kubelet's word (with a grace period of 0)"},
    {"grace-period", 0, FLAG_INT, "-1", NULL,
     "Seconds that containers get to end; -1: what the pod says"},
    {"now", 0, FLAG_BOOL, "false", NULL, "As --grace-period=1"},
    {"wait", 0, FLAG_BOOL, "true", NULL, "Wait until the objects are gone (finalizers too)"},
    {"timeout", 0, FLAG_DURATION, "0s", NULL, "How long to wait; 0: as long as it takes"},
    {"ignore-not-found", 0, FLAG_BOOL, "false", NULL, "Status 0 when it does not exist"},
    {"output", 'o', FLAG_TEXT, NULL, NULL, "name: print TYPE/NAME"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_DELETE = {
    .name = "delete",
    .group = "Basic Commands (Intermediate)",
    .usage = "([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
    .summary = "Delete resources by file names, stdin, resources and names, or by resources and "
               "label selector",
    .help = "Containers get their grace period to end. Deleting by force lets a name be used again "
            "while the old "
            "process may still run.",
    .examples = "  kubectl delete -f web.yaml\n  kubectl delete pod,service web\n  kubectl delete "
                "pods -l app=web\n"
                "  kubectl delete pod web --now",
    .flags = delete_flags,
    .run = delete_run,
};
