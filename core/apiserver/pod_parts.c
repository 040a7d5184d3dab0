/* pods/ephemeralcontainers, pods/resize and namespaces/finalize: updates that may touch one part of
 * an object only. */
#include "core/apiserver/subresources.h"
#include "core/object/patch.h"

static Value *
part_patched(ApiCall *call, const Value *old, Value **ret_object)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) patched = NULL;

    switch (call->request->patch_type) {
    case PATCH_JSON:
        patched = json_patch_apply(old, call->request->body, &error);
        break;
    case PATCH_MERGE:
        patched = merge_patch_apply(old, call->request->body);
        break;
    default:
        patched = schema_strategic_merge(call->kind->schema, old, call->request->body, &error);
    }
    if (patched == NULL)
        return patch_failed(error);
    return call_decode(call, patched, ret_object);
}

/* The object that the request asks for: PUT body or patched. */
static Value *
part_wanted(ApiCall *call, const Value *old, Value **ret_object)
{
    return call->request->verb == API_VERB_PATCH
               ? part_patched(call, old, ret_object)
               : call_decode(call, call->request->body, ret_object);
}

static Value *
resized(const Value *old, const Value *wanted)
{
    static const char *const lists[] = {"containers", "initContainers"};
    Value *result = value_ref(old);

    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++) {
        const Value *containers = value_get(value_get(wanted, "spec"), lists[l]);

        for (size_t i = 0; i < value_size(value_get(value_get(old, "spec"), lists[l])); i++) {
            g_autofree char *path = g_strdup_printf("spec.%s[%zu]", lists[l], i);
            const Value *before = value_at(old, path), *after = value_item(containers, i);
            Value *container;

            if (strcmp(value_text_at(before, "name"), value_text_at(after, "name")) != 0)
                continue;
            container = value_ref(before);
            if (value_get(after, "resources") != NULL)
                value_edit(&container, "resources", value_ref(value_get(after, "resources")));
            if (value_get(after, "resizePolicy") != NULL)
                value_edit(&container, "resizePolicy", value_ref(value_get(after, "resizePolicy")));
            value_edit(&result, path, container);
        }
    }
    return result;
}

/* Ephemeral containers only ever come: those that are there stay as they are. */
static Value *
check_ephemeral(ApiCall *call, const Value *old, const Value *wanted)
{
    const Value *containers = value_at(wanted, "spec.ephemeralContainers");
    g_autoptr(FieldErrors) errors = field_errors_new();

    VALUE_ARRAY_FOREACH (before, value_at(old, "spec.ephemeralContainers")) {
        const Value *after = NULL;
        g_autofree char *detail = NULL;

        VALUE_ARRAY_FOREACH (container, containers)
            if (strcmp(value_text_at(container, "name"), value_text_at(before, "name")) == 0)
                after = container;
        if (value_equal(before, after))
            continue;
        detail =
            g_strdup_printf("existing ephemeral containers \"%s\" may not be %s",
                            value_text_at(before, "name"), after == NULL ? "removed" : "changed");
        field_forbidden(errors, "spec.ephemeralContainers", detail);
    }
    return field_errors_count(errors) == 0 ? NULL
                                           : status_invalid(call->kind, object_name(old), errors);
}

void
call_pod_part(ApiCall *call)
{
    const Value *old = call_head(call);
    g_autoptr(Value) wanted = NULL;
    Value *refusal, *object;

    if (old == NULL) {
        call_refuse(call, status_not_found(call->kind, call->request->name));
        return;
    }
    if (call->request->verb == API_VERB_GET) {
        call_answer(call, 200, value_ref(old));
        return;
    }
    if ((refusal = part_wanted(call, old, &wanted)) != NULL) {
        call_refuse(call, refusal);
        return;
    }
    if (strcmp(call->sub->name, "resize") == 0) {
        object = resized(old, wanted);
    } else {
        const Value *containers = value_at(wanted, "spec.ephemeralContainers");

        if ((refusal = check_ephemeral(call, old, wanted)) != NULL) {
            call_refuse(call, refusal);
            return;
        }
        object = value_ref(old);
        if (containers != NULL)
            value_edit(&object, "spec.ephemeralContainers", value_ref(containers));
    }
    call_update_object(call, old, object);
}

void
call_finalize(ApiCall *call)
{
    const Value *old = call_head(call);
    g_autoptr(Value) wanted = NULL;
    Value *refusal, *object;

    if (old == NULL) {
        call_refuse(call, status_not_found(call->kind, call->request->name));
        return;
    }
    if ((refusal = part_wanted(call, old, &wanted)) != NULL) {
        call_refuse(call, refusal);
        return;
    }
    object = value_ref(old);
    if (value_at(wanted, "spec.finalizers") != NULL)
        value_edit(&object, "spec.finalizers", value_ref(value_at(wanted, "spec.finalizers")));
    else if (value_at(old, "spec.finalizers") != NULL)
        value_edit_remove(&object, "spec.finalizers");
    if (*value_text_at(wanted, "metadata.resourceVersion") != '\0')
        value_edit(&object, "metadata.resourceVersion",
                   value_ref(value_at(wanted, "metadata.resourceVersion")));
    call_update_object(call, old, object);
}
