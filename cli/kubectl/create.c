/* kubectl create: from files, or by its subcommands (create_*.c). */
#include <string.h>

#include "cli/kubectl/create.h"
#include "cli/kubectl/write.h"
#include "core/api/meta.h"
#include "core/api/status.h"

static bool
flag_is_set(Kube *kube, const char *name)
{
    return kube_flag_find(kube->command, name) != NULL && kube_flag_bool(kube, name);
}

int
create_item(Kube *kube, const KubeItem *item)
{
    DryRun dry_run;
    if (!kube_dry_run(kube, &dry_run))
        return 1;
    g_autoptr(Value) object = flag_is_set(kube, "save-config") ? with_last_applied(item->object)
                                                               : value_ref(item->object);
    if (dry_run == DRY_RUN_CLIENT)
        return kube_print_done(kube, item->kind, object, "created", dry_run);
    ApiRequest *request = kube_request(API_VERB_CREATE, item->kind, item->namespace_, NULL);
    request->body = g_steal_pointer(&object);
    request->dry_run = dry_run == DRY_RUN_SERVER;
    if (kube_flag_find(kube->command, "field-manager") != NULL)
        request->field_manager = g_strdup(kube_flag(kube, "field-manager"));
    g_autoptr(ApiResponse) response = kube_call(kube, request);
    if (response == NULL)
        return kube_fail(kube, "interrupted");
    if (api_response_ok(response)) {
        g_autoptr(Value) made =
            value_set(response->object, "kind", value_new_string(item->kind->kind));
        value_edit(&made, "apiVersion", value_new_string(api_kind_api_version(item->kind)));
        return kube_print_done(kube, item->kind, made, "created", dry_run);
    }
    if (item->source != NULL) {
        kube_fail_take(kube, kube_status_text(response->object, "creating", item->source));
        kube_point_at_lines(kube, item, response->object);
        return 1;
    }
    if (strcmp(status_reason(response->object), "AlreadyExists") == 0) {
        kube_err(kube, "error: failed to create %s: %s\n", item->kind->singular,
                 status_message(response->object));
        return 1;
    }
    return kube_fail_status(kube, response->object);
}

int
create_object(Kube *kube, Value *take)
{
    g_autoptr(Value) object = take;
    const ApiKind *kind = kube_kind_of(kube, object);
    g_assert(kind != NULL);
    if (kind->namespaced && (kube->namespace_given || *object_namespace(object) == '\0'))
        value_edit(&object, "metadata.namespace", value_new_string(kube->namespace_));
    KubeItem item = {.kind = kind,
                     .namespace_ = kind->namespaced ? (char *)kube->namespace_ : NULL,
                     .name = (char *)object_name(object),
                     .object = object};
    return create_item(kube, &item);
}

static int
create_run(Kube *kube)
{
    if (kube_n_args(kube) > 0)
        return kube_fail(kube,
                         "Unexpected args: [%s]\nSee 'kubectl create -h' for help and examples",
                         kube_arg(kube, 0));
    if (!kube_flag_given(kube, "filename") && !kube_flag_given(kube, "kustomize"))
        return kube_fail(kube, "must specify one of -f and -k");
    g_autoptr(KubeItems) items = kube_manifests(kube, true);
    int status = 0;
    for (guint i = 0; items != NULL && i < items->items->len; i++)
        status |= create_item(kube, kube_item(items, i));
    return items == NULL ? 1 : status;
}

static const KubeFlag create_flags[] = {KUBE_FLAGS_FILES, CREATE_FLAGS, KUBE_FLAGS_SELECTOR,
                                        KUBE_FLAGS_END};

const KubeCommand KUBECTL_CREATE = {
    .name = "create",
    .group = "Basic Commands (Beginner)",
    .usage = "-f FILENAME",
    .summary = "Create a resource from a file or from stdin",
    .help = "JSON and YAML are understood. All documents are checked before the first one is sent.",
    .examples =
        "  kubectl create -f pod.yaml\n  kubectl create deployment web --image=nginx --replicas=3\n"
        "  kubectl create namespace shop --dry-run=client -o yaml",
    .flags = create_flags,
    .run = create_run,
    .children = CREATE_CHILDREN,
};
