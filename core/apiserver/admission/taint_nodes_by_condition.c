/* TaintNodesByCondition: a new node is tainted not-ready until the node controller sees that it is
 * ready (plugin/pkg/admission/nodetaint). */
#include "core/apiserver/admission/admission.h"

#define TAINT_NOT_READY "node.kubernetes.io/not-ready"

static Value *
mutate(ApiCall *call, Value **object, const Value *old)
{
    const Value *taints = value_at(*object, "spec.taints");

    if (!admission_is(call, "", "nodes") || old != NULL)
        return NULL;
    VALUE_ARRAY_FOREACH (taint, taints)
        if (strcmp(value_text_at(taint, "key"), TAINT_NOT_READY) == 0 &&
            strcmp(value_text_at(taint, "effect"), "NoSchedule") == 0)
            return NULL;
    value_edit(object, "spec.taints",
               value_append(taints, value_new_f("{key: %s, effect: NoSchedule}", TAINT_NOT_READY)));
    return NULL;
}

const AdmissionStep admission_taint_nodes_by_condition = {.name = "TaintNodesByCondition",
                                                          .mutate = mutate};
