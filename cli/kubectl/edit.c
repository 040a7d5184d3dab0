/* kubectl patch, replace, edit */
#include <string.h>

#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/api/schema.h"
#include "core/api/status.h"
#include "core/object/json.h"
#include "core/object/patch.h"

/* ---- patch ---- */

static bool
patch_type(Kube *kube, PatchType *ret_type)
{
    const char *word = kube_flag(kube, "type");
    static const struct {
        const char *word;
        PatchType type;
    } types[] = {{"strategic", PATCH_STRATEGIC}, {"merge", PATCH_MERGE}, {"json", PATCH_JSON}};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        if (strcmp(types[i].word, word) == 0) {
            *ret_type = types[i].type;
            return true;
        }
    }
    kube_fail(kube, "--type must be one of [json merge strategic], not \"%s\"", word);
    return false;
}

/* Owned; NULL: printed. */
static Value *
patch_body(Kube *kube)
{
    g_autoptr(GError) error = NULL;
    const char *text = kube_flag(kube, "patch");
    g_autofree char *file = NULL;
    if (kube_flag_given(kube, "patch-file")) {
        size_t length;
        file = kube->env->read_file != NULL ? kube->env->read_file(kube_flag(kube, "patch-file"),
                                                                   &length, &error, kube->env->data)
                                            : NULL;
        if (file == NULL) {
            kube_fail(kube, "unable to read patch file: %s", error != NULL ? error->message : "");
            return NULL;
        }
        text = file;
    }
    if (*text == '\0') {
        kube_fail(kube,
                  "must specify --patch or --patch-file containing the contents of the patch");
        return NULL;
    }
    Value *body = yaml_parse(text, strlen(text), &error);
    if (body == NULL)
        kube_fail(kube, "unable to parse \"%s\": %s", text, error->message);
    return body;
}

/* --dry-run=client: the merge is done here. */
static int
patch_locally(Kube *kube, const KubeItem *item, PatchType type, const Value *patch)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) merged =
        type == PATCH_JSON    ? json_patch_apply(item->object, patch, &error)
        : type == PATCH_MERGE ? merge_patch_apply(item->object, patch)
        : item->kind->schema
            ? schema_strategic_merge(item->kind->schema, item->object, patch, &error)
            : merge_patch_apply(item->object, patch);
    if (merged == NULL)
        return kube_fail(kube, "%s", error->message);
    bool same = value_equal(merged, item->object);
    return kube_print_done(kube, item->kind, merged, same ? "patched (no change)" : "patched",
                           DRY_RUN_CLIENT);
}

static int
patch_run(Kube *kube)
{
    PatchType type;
    DryRun dry_run;
    if (!patch_type(kube, &type) || !kube_dry_run(kube, &dry_run))
        return 1;
    g_autoptr(Value) patch = patch_body(kube);
    g_autoptr(KubeItems) items =
        patch != NULL ? kube_select(kube, SELECT_FETCH, 0, kube_n_args(kube)) : NULL;
    const char *subresource = kube_flag(kube, "subresource");
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++) {
        KubeItem *item = kube_item(items, i);
        char *error = NULL;
        if (dry_run == DRY_RUN_CLIENT) {
            status |= patch_locally(kube, item, type, patch);
            continue;
        }
        g_autoptr(Value) object =
            kube_patch(kube, item->kind, item->namespace_, item->name,
                       *subresource != '\0' ? subresource : NULL, type, value_ref(patch), &error);
        if (object == NULL) {
            status |= kube_fail_take(kube, error);
            continue;
        }
        bool same = object_resource_version(object) == object_resource_version(item->object) &&
                    dry_run == DRY_RUN_NONE;
        status |= kube_print_done(kube, item->kind, object,
                                  same ? "patched (no change)" : "patched", dry_run);
    }
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag patch_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_OUTPUT,
    KUBE_FLAGS_DRY_RUN,
    KUBE_FLAGS_MANAGER("kubectl-patch"),
    {"patch", 'p', FLAG_TEXT, NULL, NULL, "The patch, as JSON or YAML"},
    {"patch-file", 0, FLAG_TEXT, NULL, NULL, "A file that holds the patch"},
    {"type", 0, FLAG_TEXT, "strategic", NULL, "strategic, merge or json"},
    {"subresource", 0, FLAG_TEXT, NULL, NULL, "status or scale"},
    {"local", 0, FLAG_BOOL, "false", NULL, "Accepted; use --dry-run=client"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_PATCH = {
    .name = "patch",
    .group = "Advanced Commands",
    .usage = "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
    .summary = "Update fields of a resource",
    .examples = "  kubectl patch node worker-1 -p '{\"spec\":{\"unschedulable\":true}}'\n"
                "  kubectl patch pod web --type=json -p='[{\"op\": \"remove\", \"path\": "
                "\"/metadata/labels/app\"}]'\n"
                "  kubectl patch deploy web --subresource=scale --type=merge -p "
                "'{\"spec\":{\"replicas\":2}}'",
    .flags = patch_flags,
    .run = patch_run,
};

/* ---- replace ---- */

static int
replace_one(Kube *kube, const KubeItem *item, DryRun dry_run)
{
    if (dry_run == DRY_RUN_CLIENT)
        return kube_print_done(kube, item->kind, item->object, "replaced", dry_run);
    if (item->name == NULL)
        return kube_fail(kube, "error when replacing \"%s\": resource name may not be empty",
                         item->source);
    ApiRequest *request = kube_request(API_VERB_UPDATE, item->kind, item->namespace_, item->name);
    const char *subresource = kube_flag(kube, "subresource");
    request->subresource = *subresource != '\0' ? g_strdup(subresource) : NULL;
    request->body = kube_flag_bool(kube, "save-config") ? with_last_applied(item->object)
                                                        : value_ref(item->object);
    request->dry_run = dry_run == DRY_RUN_SERVER;
    request->field_manager = g_strdup(kube_flag(kube, "field-manager"));
    g_autoptr(ApiResponse) response = kube_call(kube, request);
    if (response == NULL)
        return kube_fail(kube, "interrupted");
    if (api_response_ok(response))
        return kube_print_done(kube, item->kind, response->object, "replaced", dry_run);
    kube_fail_take(kube, kube_status_text(response->object, "replacing", item->source));
    kube_point_at_lines(kube, item, response->object);
    return 1;
}

static bool
is_gone(const Value *object, void *data)
{
    return object == NULL || strcmp(object_uid(object), data) != 0;
}

static int
replace_by_force(Kube *kube, const KubeItem *item)
{
    g_autofree char *ignored = NULL;
    char *error = NULL;
    g_autoptr(Value) old = kube_get(kube, item->kind, item->namespace_, item->name, &ignored);
    if (old != NULL) {
        int64_t grace = kube_flag_int(kube, "grace-period");
        g_autoptr(Value) options =
            value_new_f("{apiVersion: v1, kind: DeleteOptions, propagationPolicy: Background, "
                        "gracePeriodSeconds: %i}",
                        grace < 0 ? 0 : grace);
        if (delete_item(kube, item, options, DRY_RUN_NONE) != 0)
            return 1;
        Await outcome = kube_await(kube, item->kind, item->namespace_, item->name, is_gone,
                                   (void *)object_uid(old), 300 * NS_PER_S, &error);
        if (outcome == AWAIT_FAILED)
            return kube_fail_take(kube, error);
        if (outcome != AWAIT_DONE)
            return kube_fail(kube, "timed out waiting for the condition");
    }
    ApiRequest *request = kube_request(API_VERB_CREATE, item->kind, item->namespace_, NULL);
    request->body = value_ref(item->object);
    g_autoptr(ApiResponse) response = kube_call(kube, request);
    if (response != NULL && api_response_ok(response))
        return kube_print_done(kube, item->kind, response->object, "replaced", DRY_RUN_NONE);
    return response == NULL
               ? 1
               : kube_fail_take(kube, kube_status_text(response->object, "creating", item->source));
}

static int
replace_run(Kube *kube)
{
    DryRun dry_run;
    if (!kube_flag_given(kube, "filename") && !kube_flag_given(kube, "kustomize"))
        return kube_fail(kube, "must specify --filename to replace");
    if (!kube_dry_run(kube, &dry_run))
        return 1;
    g_autoptr(KubeItems) items = kube_manifests(kube, true);
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= kube_flag_bool(kube, "force") && dry_run == DRY_RUN_NONE
                      ? replace_by_force(kube, kube_item(items, i))
                      : replace_one(kube, kube_item(items, i), dry_run);
    return items == NULL ? 1 : status;
}

static const KubeFlag replace_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_OUTPUT,
    KUBE_FLAGS_DRY_RUN,
    KUBE_FLAGS_VALIDATE,
    KUBE_FLAGS_MANAGER("kubectl-replace"),
    {"force", 0, FLAG_BOOL, "false", NULL, "Delete and make anew"},
    {"grace-period", 0, FLAG_INT, "-1", NULL, "With --force: seconds that containers get to end"},
    {"save-config", 0, FLAG_BOOL, "false", NULL,
     "Keep this configuration in the annotation that apply compares with"},
    {"subresource", 0, FLAG_TEXT, NULL, NULL, "status or scale"},
    {"cascade", 0, FLAG_TEXT, "background", "background",
     "Accepted; dependents are deleted in the background"},
    {"timeout", 0, FLAG_DURATION, "0s", NULL,
     "Accepted; a deletion is waited for up to five minutes"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_REPLACE = {
    .name = "replace",
    .group = "Advanced Commands",
    .usage = "-f FILENAME",
    .summary = "Replace a resource by file name or stdin",
    .examples = "  kubectl replace -f pod.yaml\n  kubectl replace --force -f pod.yaml",
    .flags = replace_flags,
    .run = replace_run,
};

/* ---- edit ---- */

static const char edit_head[] =
    "# Please edit the object below. Lines beginning with a '#' will be ignored,\n"
    "# and an empty file will abort the edit. If an error occurs while saving this file will be\n"
    "# reopened with the relevant failures.\n#\n";

static char *
without_comments(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) out = g_string_new(NULL);
    for (char **line = lines; *line != NULL; line++)
        if (**line != '#')
            g_string_append_printf(out, "%s%s", *line, line[1] != NULL ? "\n" : "");
    return g_strdup(g_strstrip(out->str));
}

/* What to say at the top of the next attempt, owned; NULL: done, with *ret_status. */
static char *
take_edited(Kube *kube, const KubeItem *item, const char *text, int *ret_status)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) changed = yaml_parse(text, strlen(text), &error);
    if (changed == NULL)
        return g_strdup_printf("# %s\n#\n", error->message);
    g_autoptr(Value) clean = kube_without_managed_fields(item->object);
    if (value_equal(clean, changed)) {
        kube_err(kube, "Edit cancelled, no changes made.\n");
        *ret_status = 0;
        return NULL;
    }
    g_autoptr(Value) patch = merge_patch_create(clean, changed);
    char *refusal = NULL;
    g_autoptr(Value) made = kube_patch(kube, item->kind, item->namespace_, item->name, NULL,
                                       PATCH_MERGE, g_steal_pointer(&patch), &refusal);
    if (made == NULL) {
        g_auto(GStrv) lines = g_strsplit(refusal, "\n", -1);
        g_autofree char *joined = g_strjoinv("\n# ", lines);
        g_free(refusal);
        return g_strdup_printf("# %s\n#\n", joined);
    }
    *ret_status = kube_print_done(kube, item->kind, made, "edited", DRY_RUN_NONE);
    return NULL;
}

static int
edit_item(Kube *kube, const KubeItem *item)
{
    bool json = strcmp(kube_flag(kube, "output"), "json") == 0;
    g_autoptr(Value) clean = kube_without_managed_fields(item->object);
    g_autoptr(GString) body = g_string_new(NULL);
    g_autofree char *said = g_strdup("");
    int status = 1;
    if (json)
        json_write_pretty(body, clean);
    else
        yaml_write(body, clean);
    for (int attempt = 0; attempt < KUBE_EDIT_ATTEMPTS_MAX; attempt++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *shown = json && attempt == 0
                                     ? g_strdup(body->str)
                                     : g_strconcat(edit_head, said, body->str, NULL);
        g_autofree char *text =
            kube->env->edit(shown, json ? ".json" : ".yaml", &error, kube->env->data);
        if (text == NULL)
            return kube_fail(kube, "%s", error->message);
        g_autofree char *bare = without_comments(text);
        if (*bare == '\0') {
            kube_err(kube, "Edit cancelled, saved file was empty.\n");
            return 0;
        }
        g_autofree char *before = without_comments(shown);
        if (attempt > 0 && strcmp(bare, before) == 0) {
            kube_err(kube, "Edit cancelled, no valid changes were saved.\n");
            return 1;
        }
        g_free(said);
        said = take_edited(kube, item, bare, &status);
        if (said == NULL) {
            said = g_strdup("");
            return status;
        }
        g_string_assign(body, bare);
        g_string_append_c(body, '\n');
    }
    return kube_fail(kube, "the object still is not right after %d attempts",
                     KUBE_EDIT_ATTEMPTS_MAX);
}

static int
edit_run(Kube *kube)
{
    if (kube->env->edit == NULL)
        return kube_fail(kube, "there is no editor here; use apply, patch or set");
    g_autoptr(KubeItems) items = kube_select(kube, SELECT_FETCH, 0, kube_n_args(kube));
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= edit_item(kube, kube_item(items, i));
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag edit_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_MANAGER("kubectl-edit"),
    {"output", 'o', FLAG_TEXT, "yaml", NULL, "yaml or json"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_EDIT = {
    .name = "edit",
    .group = "Basic Commands (Intermediate)",
    .usage = "(RESOURCE/NAME | -f FILENAME)",
    .summary = "Edit a resource on the server",
    .help = "Opens the editor of $KUBE_EDITOR or $EDITOR. What the server refuses is shown in the "
            "file again.",
    .examples = "  kubectl edit deploy/web",
    .flags = edit_flags,
    .run = edit_run,
};
