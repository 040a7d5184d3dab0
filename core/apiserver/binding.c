/* pods/binding: the scheduler's word that a pod belongs to a node (k8s.io/kubernetes
 * pkg/registry/core/pod/storage). */
#include "core/api/pod.h"
#include "core/apiserver/subresources.h"

static Value *
binding_shape(ApiCall *call, Value *take)
{
    value_unref(take);
    return value_new_f("{kind: Status, apiVersion: v1, metadata: {}, status: Success, code: 201}");
}

static Value *
binding_check(ApiCall *call, const Value *pod, const Value *binding)
{
    const char *kind = value_text_at(binding, "target.kind"),
               *node = value_text_at(binding, "target.name");
    const char *uid = value_text_at(binding, "metadata.uid");
    g_autofree char *text = NULL;

    if (*node == '\0' || (*kind != '\0' && strcmp(kind, "Node") != 0)) {
        g_autoptr(FieldErrors) errors = field_errors_new();

        if (*node == '\0')
            field_required(errors, "target.name", "");
        else
            field_invalid(errors, "target.kind", value_at(binding, "target.kind"),
                          "must be one of: \"Node\", <empty>");
        return status_invalid(call->kind, object_name(pod), errors);
    }
    if (*uid != '\0' && strcmp(uid, object_uid(pod)) != 0)
        text =
            g_strdup_printf("Precondition failed: UID in precondition: %s, UID in object meta: %s",
                            uid, object_uid(pod));
    else if (object_is_deleting(pod))
        text = g_strdup_printf("pod %s is being deleted, cannot be assigned to a host",
                               object_name(pod));
    else if (*pod_node_name(pod) != '\0')
        text = g_strdup_printf("pod %s is already assigned to node \"%s\"", object_name(pod),
                               pod_node_name(pod));
    else if (value_size(value_at(pod, "spec.schedulingGates")) > 0)
        text = g_strdup_printf("pod %s has non-empty .spec.schedulingGates", object_name(pod));
    return text == NULL ? NULL : status_conflict(call->kind, object_name(pod), text);
}

static Value *
binding_pod(ApiCall *call, const Value *pod, const Value *binding)
{
    Value *bound = value_ref(pod);
    const Value *annotations = value_at(binding, "metadata.annotations");
    Value *condition = value_new_f(
        "{type: PodScheduled, status: 'True', lastProbeTime: null, lastTransitionTime: %V}",
        call_now(call->server));

    value_edit(&bound, "spec.nodeName", value_ref(value_at(binding, "target.name")));
    value_edit(&bound, "status.conditions",
               condition_set(value_at(pod, "status.conditions"), condition, false));
    VALUE_MAP_FOREACH (key, text, annotations) {
        g_autoptr(Value) all = value_at(bound, "metadata.annotations") == NULL
                                   ? value_new_map()
                                   : value_ref(value_at(bound, "metadata.annotations"));

        value_edit(&bound, "metadata.annotations", value_set(all, key, value_ref(text)));
    }
    return bound;
}

void
call_binding(ApiCall *call)
{
    const Value *binding = call->request->body, *pod = call_head(call);
    Value *refusal;

    if (pod == NULL) {
        call_refuse(call, status_not_found(call->kind, call->request->name));
        return;
    }
    if ((refusal = binding_check(call, pod, binding)) != NULL) {
        call_refuse(call, refusal);
        return;
    }
    call->verb = "bind";
    call->shape = binding_shape;
    call_put(call, 201, binding_pod(call, pod, binding));
}

void
call_bindings(ApiCall *call)
{
    call->kind = api_types_by_resource(call->server->types, "", NULL, "pods");
    call->resource = server_resource_of(call->server, call->kind);
    g_free(call->request->name);
    call->request->name = g_strdup(object_name(call->request->body));
    call_binding(call);
}
