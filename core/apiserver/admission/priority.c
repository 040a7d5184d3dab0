/* Priority: a pod's priority is that of its class, or of the default class, or 0; and at most one
 * class is the default (plugin/pkg/admission/priority). */
#include "core/apiserver/admission/admission.h"

static bool
find_default(const Value *class, void *data)
{
    const Value **best = data;

    /* Several may be marked during an update: the smallest value wins, as upstream. */
    if (value_bool_at(class, "globalDefault") &&
        (*best == NULL || value_int_at(class, "value") < value_int_at(*best, "value")))
        *best = class;
    return true;
}

static Value *
pod_priority_set(ApiCall *call, Value **object)
{
    g_autofree char *name = g_strdup(value_text_at(*object, "spec.priorityClassName"));
    const Value *class = NULL;
    const char *policy;
    int64_t priority;

    if (*name == '\0') {
        server_each(call->server, "scheduling.k8s.io", "priorityclasses", NULL, find_default,
                    &class);
        if (class != NULL)
            value_edit(object, "spec.priorityClassName", value_new_string(object_name(class)));
    } else {
        class = server_head(call->server, "scheduling.k8s.io", "priorityclasses", NULL, name);
        if (class == NULL) {
            g_autofree char *text =
                g_strdup_printf("no PriorityClass with name %s was found", name);

            return status_forbidden(call->kind, object_name(*object), text);
        }
    }
    priority = value_int_at(class, "value");
    if (value_at(*object, "spec.priority") != NULL &&
        value_int_at(*object, "spec.priority") != priority) {
        g_autofree char *text = g_strdup_printf("the integer value of priority (%" G_GINT64_FORMAT
                                                ") must not be provided in pod spec; priority "
                                                "admission controller computed %" G_GINT64_FORMAT
                                                " from the given PriorityClass name",
                                                value_int_at(*object, "spec.priority"), priority);

        return status_forbidden(call->kind, object_name(*object), text);
    }
    policy = value_text_at(class, "preemptionPolicy");
    value_edit(object, "spec.priority", value_new_int(priority));
    if (value_at(*object, "spec.preemptionPolicy") == NULL)
        value_edit(object, "spec.preemptionPolicy",
                   value_new_string(*policy == '\0' ? "PreemptLowerPriority" : policy));
    return NULL;
}

static Value *
mutate(ApiCall *call, Value **object, const Value *old)
{
    if (!admission_is(call, "", "pods") || old != NULL)
        return NULL;
    return pod_priority_set(call, object);
}

static Value *
validate(ApiCall *call, const Value *object, const Value *old)
{
    const Value *class = NULL;

    if (!admission_is(call, "scheduling.k8s.io", "priorityclasses") ||
        !value_bool_at(object, "globalDefault"))
        return NULL;
    server_each(call->server, "scheduling.k8s.io", "priorityclasses", NULL, find_default, &class);
    if (class != NULL && strcmp(object_name(class), object_name(object)) != 0) {
        g_autofree char *text = g_strdup_printf(
            "PriorityClass %s is already marked as default. Only one default can exist",
            object_name(class));

        return status_forbidden(call->kind, object_name(object), text);
    }
    return NULL;
}

const AdmissionStep admission_priority = {
    .name = "Priority", .mutate = mutate, .validate = validate};
