/* kubectl apply: three-way merge on the client (what was applied last, what is to be, what is), or
 * server-side apply. */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/api/schema.h"
#include "core/api/status.h"
#include "core/object/json.h"
#include "core/object/patch.h"

Value *
with_last_applied(const Value *object)
{
    g_autoptr(Value) bare = value_ref(object);
    value_edit_remove(&bare, "metadata.annotations['" LAST_APPLIED "']");
    if (!value_has(value_get(bare, "metadata"), "annotations"))
        value_edit(&bare, "metadata.annotations", value_new_map());
    g_autofree char *json = json_text(bare);
    g_autofree char *text = g_strconcat(json, "\n", NULL);
    return value_set_at(bare, "metadata.annotations['" LAST_APPLIED "']", value_new_string(text));
}

typedef struct Applying {
    Kube *kube;
    DryRun dry_run;
    GPtrArray *visited; /* uids */
    GPtrArray *printed; /* Value: for -o of a list */
} Applying;

static int
applied(Applying *applying, const KubeItem *item, const Value *object, const char *operation)
{
    if (*object_uid(object) != '\0')
        g_ptr_array_add(applying->visited, g_strdup(object_uid(object)));
    return kube_print_done(applying->kube, item->kind, object, operation, applying->dry_run);
}

static int
apply_failed(Applying *applying, const KubeItem *item, const ApiResponse *response,
             const char *verb)
{
    if (response == NULL)
        return kube_fail(applying->kube, "interrupted");
    kube_fail_take(applying->kube, kube_status_text(response->object, verb, item->source));
    kube_point_at_lines(applying->kube, item, response->object);
    return 1;
}

static int
apply_new(Applying *applying, const KubeItem *item, const Value *modified)
{
    if (applying->dry_run == DRY_RUN_CLIENT)
        return applied(applying, item, modified, "created");
    ApiRequest *request = kube_request(API_VERB_CREATE, item->kind, item->namespace_, NULL);
    request->body = value_ref(modified);
    request->dry_run = applying->dry_run == DRY_RUN_SERVER;
    request->field_manager = g_strdup(kube_flag(applying->kube, "field-manager"));
    g_autoptr(ApiResponse) response = kube_call(applying->kube, request);
    if (response == NULL || !api_response_ok(response))
        return apply_failed(applying, item, response, "creating");
    return applied(applying, item, response->object, "created");
}

/* Owned; NULL with error. */
static Value *
three_way(const KubeItem *item, const Value *modified, const Value *current, GError **error)
{
    const char *last = object_annotation(current, LAST_APPLIED);
    g_autoptr(Value) original = last != NULL ? json_parse(last, strlen(last), NULL) : NULL;
    g_autoptr(Value) empty = value_new_map();
    const Value *base = original != NULL ? original : empty;
    if (item->kind->schema == NULL)
        return merge_patch_create_three_way(base, modified, current);
    return schema_strategic_three_way(item->kind->schema, base, modified, current, error);
}

static int
apply_to(Applying *applying, const KubeItem *item, const Value *modified, const Value *current)
{
    Kube *kube = applying->kube;
    g_autoptr(GError) error = NULL;
    if (object_annotation(current, LAST_APPLIED) == NULL)
        kube_err(kube,
                 "Warning: resource %s/%s is missing the " LAST_APPLIED
                 " annotation which is required by kubectl "
                 "apply. kubectl apply should only be used on resources created declaratively by "
                 "either kubectl "
                 "create --save-config or kubectl apply. The missing annotation will be patched "
                 "automatically.\n",
                 item->kind->resource, item->name);
    g_autoptr(Value) patch = three_way(item, modified, current, &error);
    if (patch == NULL)
        return kube_fail(kube, "error when creating patch for %s/%s from \"%s\": %s",
                         item->kind->resource, item->name, item->source, error->message);
    if (value_size(patch) == 0)
        return applied(applying, item, current, "unchanged");
    if (applying->dry_run == DRY_RUN_CLIENT) {
        g_autoptr(Value) merged =
            item->kind->schema != NULL
                ? schema_strategic_merge(item->kind->schema, current, patch, NULL)
                : merge_patch_apply(current, patch);
        return applied(applying, item, merged != NULL ? merged : current, "configured");
    }
    ApiRequest *request = kube_request(API_VERB_PATCH, item->kind, item->namespace_, item->name);
    request->patch_type = item->kind->schema != NULL ? PATCH_STRATEGIC : PATCH_MERGE;
    request->body = value_ref(patch);
    request->dry_run = applying->dry_run == DRY_RUN_SERVER;
    request->field_manager = g_strdup(kube_flag(kube, "field-manager"));
    g_autoptr(ApiResponse) response = kube_call(kube, request);
    if (response == NULL || !api_response_ok(response)) {
        if (response != NULL && strcmp(status_reason(response->object), "Invalid") != 0) {
            g_autofree char *text = json_text(patch);
            kube_err(kube, "Resource: \"%s\", Name: \"%s\" could not be patched with %s\n",
                     api_kind_qualified(item->kind), item->name, text);
        }
        return apply_failed(applying, item, response, "applying patch to");
    }
    bool same = object_resource_version(response->object) == object_resource_version(current) &&
                applying->dry_run == DRY_RUN_NONE;
    return applied(applying, item, response->object, same ? "unchanged" : "configured");
}

static int
apply_server_side(Applying *applying, const KubeItem *item)
{
    Kube *kube = applying->kube;
    ApiRequest *request = kube_request(API_VERB_PATCH, item->kind, item->namespace_, item->name);
    request->patch_type = PATCH_APPLY;
    request->body = value_ref(item->object);
    request->force = kube_flag_bool(kube, "force-conflicts");
    request->dry_run = applying->dry_run == DRY_RUN_SERVER;
    const char *manager = kube_flag(kube, "field-manager");
    request->field_manager = g_strdup(kube_flag_given(kube, "field-manager") ? manager : "kubectl");
    g_autoptr(ApiResponse) response = kube_call(kube, request);
    if (response != NULL && api_response_ok(response))
        return applied(applying, item, response->object, "serverside-applied");
    if (response == NULL || strcmp(status_reason(response->object), "Conflict") != 0)
        return apply_failed(applying, item, response, "applying");
    kube_err(
        kube,
        "error: %s\nPlease review the fields above--they currently have other managers. Give "
        "--force-conflicts to take them over, or take them out of the manifest to leave them.\n",
        status_message(response->object));
    return 1;
}

static int
apply_item(Applying *applying, const KubeItem *item)
{
    Kube *kube = applying->kube;
    if (item->name == NULL)
        return kube_fail(kube, "from %s: cannot use generate name with apply", item->source);
    if (kube_flag_bool(kube, "server-side"))
        return apply_server_side(applying, item);
    g_autoptr(Value) modified = with_last_applied(item->object);
    g_autoptr(ApiResponse) response =
        kube_call(kube, kube_request(API_VERB_GET, item->kind, item->namespace_, item->name));
    if (response == NULL)
        return kube_fail(kube, "interrupted");
    if (response->code == 404 && strcmp(status_reason(response->object), "NotFound") == 0)
        return apply_new(applying, item, modified);
    if (!api_response_ok(response))
        return apply_failed(applying, item, response, "retrieving current configuration of");
    return apply_to(applying, item, modified, response->object);
}

/* ---- --prune ---- */

static const struct {
    const char *group, *resource;
} prunable[] = {
    {"", "configmaps"},
    {"", "endpoints"},
    {"", "persistentvolumeclaims"},
    {"", "pods"},
    {"", "replicationcontrollers"},
    {"", "secrets"},
    {"", "services"},
    {"batch", "jobs"},
    {"batch", "cronjobs"},
    {"networking.k8s.io", "ingresses"},
    {"apps", "daemonsets"},
    {"apps", "deployments"},
    {"apps", "replicasets"},
    {"apps", "statefulsets"},
    {"", "persistentvolumes"},
};

static bool
was_visited(const Applying *applying, const Value *object)
{
    for (guint i = 0; i < applying->visited->len; i++)
        if (strcmp(g_ptr_array_index(applying->visited, i), object_uid(object)) == 0)
            return true;
    return false;
}

static int
prune_object(Applying *applying, const ApiKind *kind, const Value *object)
{
    g_autofree char *label = kube_item_label(kind, object_name(object));
    if (object_annotation(object, LAST_APPLIED) == NULL || was_visited(applying, object))
        return 0;
    if (applying->dry_run != DRY_RUN_CLIENT) {
        ApiRequest *request =
            kube_request(API_VERB_DELETE, kind, object_namespace(object), object_name(object));
        request->dry_run = applying->dry_run == DRY_RUN_SERVER;
        request->body =
            value_new_f("{apiVersion: v1, kind: DeleteOptions, propagationPolicy: Background}");
        char *error = NULL;
        g_autoptr(Value) gone = kube_ask(applying->kube, request, &error);
        if (gone == NULL)
            return kube_fail_take(applying->kube, error);
    }
    kube_out(applying->kube, "%s pruned%s\n", label, dry_run_suffix(applying->dry_run));
    return 0;
}

static int
prune(Applying *applying, const KubeItems *items)
{
    Kube *kube = applying->kube;
    g_autoptr(GPtrArray) namespaces = g_ptr_array_new();
    int status = 0;
    for (guint i = 0; i < items->items->len; i++) {
        const char *namespace_ = kube_item(items, i)->namespace_;
        bool known = namespace_ == NULL;
        for (guint k = 0; k < namespaces->len && !known; k++)
            known = strcmp(g_ptr_array_index(namespaces, k), namespace_) == 0;
        if (!known)
            g_ptr_array_add(namespaces, (void *)namespace_);
    }
    const char *selector = kube_flag(kube, "selector");
    for (size_t p = 0; p < G_N_ELEMENTS(prunable); p++) {
        const ApiKind *kind =
            api_types_by_resource(kube->env->types, prunable[p].group, NULL, prunable[p].resource);
        guint n = kind == NULL ? 0 : kind->namespaced ? namespaces->len : 1;
        for (guint i = 0; i < n; i++) {
            char *error = NULL;
            g_autoptr(Value) list =
                kube_list(kube, kind, kind->namespaced ? g_ptr_array_index(namespaces, i) : NULL,
                          *selector != '\0' ? selector : NULL, NULL, &error);
            if (list == NULL)
                return kube_fail_take(kube, error);
            VALUE_ARRAY_FOREACH (object, value_get(list, "items"))
                status |= prune_object(applying, kind, object);
        }
    }
    return status;
}

/* ---- the command ---- */

int
apply_items(Kube *kube, KubeItems *items)
{
    Applying applying = {.kube = kube};
    int status = 0;
    if (!kube_dry_run(kube, &applying.dry_run))
        return 1;
    applying.visited = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < items->items->len; i++)
        status |= apply_item(&applying, kube_item(items, i));
    if (status == 0 && kube_flag_bool(kube, "prune"))
        status = prune(&applying, items);
    g_ptr_array_free(applying.visited, TRUE);
    return status;
}

static int
apply_run(Kube *kube)
{
    if (kube_n_args(kube) > 0)
        return kube_fail_usage(kube, "Unexpected args: [%s]", kube_arg(kube, 0));
    if (!kube_flag_given(kube, "filename") && !kube_flag_given(kube, "kustomize"))
        return kube_fail(kube, "must specify one of -f and -k");
    if (kube_flag_bool(kube, "prune") && *kube_flag(kube, "selector") == '\0' &&
        !kube_flag_bool(kube, "all"))
        return kube_fail(
            kube,
            "all resources selected for prune without explicitly passing --all. To prune all "
            "resources, pass the --all flag. If you did not mean to prune all resources, specify "
            "a label selector");
    g_autoptr(KubeItems) items = kube_manifests(kube, true);
    return items == NULL ? 1 : apply_items(kube, items);
}

static int
view_last_applied_run(Kube *kube)
{
    g_autoptr(KubeItems) items =
        kube_select(kube, SELECT_FETCH | SELECT_ALL_OK, 0, kube_n_args(kube));
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++) {
        const char *text = object_annotation(kube_item(items, i)->object, LAST_APPLIED);
        g_autoptr(Value) value = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
        if (value == NULL) {
            status =
                kube_fail(kube, "no last-applied-configuration annotation found on resource: %s",
                          kube_item(items, i)->name);
            continue;
        }
        g_autoptr(GString) out = g_string_new(NULL);
        if (strcmp(kube_flag(kube, "output"), "json") == 0) {
            json_write_pretty(out, value);
            g_string_append_c(out, '\n');
        } else {
            yaml_write(out, value);
        }
        kube_write(kube, 1, out->str);
    }
    return items == NULL ? 1 : kube_items_end(kube, items) | status;
}

static const KubeFlag view_last_applied_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_SELECTOR,
    {"all", 0, FLAG_BOOL, "false", NULL, "All objects of the kind"},
    {"output", 'o', FLAG_TEXT, "yaml", NULL, "yaml or json"},
    KUBE_FLAGS_END};

static const KubeCommand view_last_applied = {
    .name = "view-last-applied",
    .usage = "(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
    .summary = "View the latest last-applied-configuration annotations of a resource/object",
    .flags = view_last_applied_flags,
    .run = view_last_applied_run,
};

static const KubeCommand *const apply_children[] = {&view_last_applied, NULL};

static const KubeFlag apply_flags[] = {
    KUBE_FLAGS_FILES,
    KUBE_FLAGS_OUTPUT,
    KUBE_FLAGS_DRY_RUN,
    KUBE_FLAGS_VALIDATE,
    KUBE_FLAGS_SELECTOR,
    KUBE_FLAGS_MANAGER("kubectl-client-side-apply"),
    {"server-side", 0, FLAG_BOOL, "false", NULL,
     "Let the server merge, by fields and their owners"},
    {"force-conflicts", 0, FLAG_BOOL, "false", NULL,
     "Take over fields of others (with --server-side)"},
    {"prune", 0, FLAG_BOOL, "false", NULL,
     "Delete what was applied before and is in the files no more"},
    {"all", 0, FLAG_BOOL, "false", NULL, "With --prune: whatever its labels"},
    {"overwrite", 0, FLAG_BOOL, "true", NULL, "Accepted; conflicts are resolved by overwriting"},
    {"force", 0, FLAG_BOOL, "false", NULL, "Accepted; nothing is deleted to be made anew"},
    {"wait", 0, FLAG_BOOL, "false", NULL, "Accepted; pruning does not wait"},
    KUBE_FLAGS_END,
};

const KubeCommand KUBECTL_APPLY = {
    .name = "apply",
    .group = "Advanced Commands",
    .usage = "(-f FILENAME | -k DIRECTORY)",
    .summary = "Apply a configuration to a resource by file name or stdin",
    .help = "Makes what does not exist and changes what differs. All documents are checked before "
            "the first one is "
            "sent; each error names file, line and field.",
    .examples = "  kubectl apply -f web.yaml\n  cat web.yaml | kubectl apply -f -\n"
                "  kubectl apply -f manifests/ -R --dry-run=server\n  kubectl apply --server-side "
                "-f web.yaml",
    .flags = apply_flags,
    .run = apply_run,
    .children = apply_children,
};
