/* NamespaceLifecycle: nothing comes into being in a namespace that does not exist or is being
 * deleted, and the namespaces of the system stay (apiserver
 * pkg/admission/plugin/namespace/lifecycle). */
#include "core/apiserver/admission/admission.h"

static Value *
terminating(ApiCall *call, const Value *object, const char *namespace_)
{
    g_autofree char *text = g_strdup_printf(
        "unable to create new content in namespace %s because it is being terminated", namespace_);
    Value *status = status_forbidden(call->kind, object_name(object), text);
    g_autofree char *message = g_strdup_printf("namespace %s is being terminated", namespace_);
    const Value *causes = value_at(status, "details.causes");

    value_edit(
        &status, "details.causes",
        value_append(
            causes,
            value_new_f("{reason: NamespaceTerminating, message: %s, field: metadata.namespace}",
                        message)));
    return status;
}

static Value *
mutate(ApiCall *call, Value **object, const Value *old)
{
    const char *namespace_ = call->request->namespace_;
    const Value *found;

    if (old != NULL || !call->resource->kind->namespaced || namespace_ == NULL)
        return NULL;
    found = server_head(call->server, "", "namespaces", NULL, namespace_);
    if (found == NULL)
        return status_not_found(api_types_by_resource(call->server->types, "", NULL, "namespaces"),
                                namespace_);
    if (strcmp(value_text_at(found, "status.phase"), "Terminating") == 0 ||
        object_is_deleting(found))
        return terminating(call, *object, namespace_);
    return NULL;
}

static Value *
validate_delete(ApiCall *call, const ApiResource *resource, const Value *old)
{
    static const char *const immortal[] = {"default", "kube-system", "kube-public"};

    if (strcmp(resource->kind->resource, "namespaces") != 0)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(immortal); i++)
        if (strcmp(object_name(old), immortal[i]) == 0)
            return status_forbidden(resource->kind, object_name(old),
                                    "this namespace may not be deleted");
    return NULL;
}

const AdmissionStep admission_namespace_lifecycle = {
    .name = "NamespaceLifecycle",
    .mutate = mutate,
    .validate_delete = validate_delete,
};
