/* pods/eviction: a delete that PodDisruptionBudgets may refuse (k8s.io/kubernetes
 * pkg/registry/core/pod/storage/eviction.go). An allowed disruption is taken off the budget's
 * status before the pod goes, so that two evictions do not share one. */
#include "core/api/pod.h"
#include "core/apiserver/subresources.h"
#include "core/object/selector.h"

#define DISRUPTED_PODS_MAX 2000 /* as upstream's MaxDisruptedPodSize */

typedef struct BudgetSearch {
    const Value *pod;
    const Value *found;
    unsigned count;
} BudgetSearch;

static bool
budget_consider(const Value *budget, void *data)
{
    BudgetSearch *search = data;
    g_autoptr(Selector) selector = selector_from_object(value_at(budget, "spec.selector"), NULL);

    if (selector != NULL && selector_matches(selector, object_labels(search->pod))) {
        search->found = budget;
        search->count++;
    }
    return true;
}

static Value *
eviction_refusal(const Value *budget)
{
    Value *status = status_too_many_requests(
        "Cannot evict pod as it would violate the pod's disruption budget.", 0);
    g_autofree char *message =
        g_strdup_printf("The disruption budget %s needs %" G_GINT64_FORMAT
                        " healthy pods and has %" G_GINT64_FORMAT " currently",
                        object_name(budget), value_int_at(budget, "status.desiredHealthy"),
                        value_int_at(budget, "status.currentHealthy"));

    value_edit(&status, "details.causes",
               value_new_f("[{reason: DisruptionBudget, message: %s}]", message));
    return status;
}

/* Pods that serve nobody may go without asking a budget. */
static bool
eviction_needs_budget(const Value *pod)
{
    return !pod_is_terminal(pod) && strcmp(pod_phase(pod), "Pending") != 0 &&
           !object_is_deleting(pod);
}

static bool
budget_ignores(const Value *pod, const Value *budget)
{
    if (pod_is_ready(pod))
        return false;
    if (strcmp(value_text_at(budget, "spec.unhealthyPodEvictionPolicy"), "AlwaysAllow") == 0)
        return true;
    return value_int_at(budget, "status.currentHealthy") >=
               value_int_at(budget, "status.desiredHealthy") &&
           value_int_at(budget, "status.desiredHealthy") > 0;
}

static Value *
budget_take(ApiCall *call, const Value *budget)
{
    ApiResource *budgets = server_resource(call->server, "policy", "poddisruptionbudgets");
    int64_t allowed = value_int_at(budget, "status.disruptionsAllowed");
    g_autoptr(Value) disrupted = value_at(budget, "status.disruptedPods") == NULL
                                     ? value_new_map()
                                     : value_ref(value_at(budget, "status.disruptedPods"));
    Value *changed;

    if (value_int_at(budget, "status.observedGeneration") < object_generation(budget)) {
        Value *status = status_too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget.", 10);
        g_autofree char *message =
            g_strdup_printf("The disruption budget %s is still being processed by the server.",
                            object_name(budget));

        value_edit(&status, "details.causes",
                   value_new_f("[{reason: DisruptionBudget, message: %s}]", message));
        return status;
    }
    if (allowed <= 0)
        return eviction_refusal(budget);
    if (value_size(disrupted) > DISRUPTED_PODS_MAX) {
        g_autofree char *text = g_strdup(
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller");

        return status_forbidden(budgets->kind, object_name(budget), text);
    }
    if (call->request->dry_run)
        return NULL;
    changed = value_ref(budget);
    value_edit(&changed, "status.disruptionsAllowed", value_new_int(allowed - 1));
    value_edit(&changed, "status.disruptedPods",
               value_set(disrupted, call->request->name, call_now(call->server)));
    server_replace(budgets, budget, changed);
    return NULL;
}

static Value *
eviction_shape(ApiCall *call, Value *take)
{
    call->code = 201;
    value_unref(take);
    return value_new_f("{kind: Status, apiVersion: v1, metadata: {}, status: Success, code: 201}");
}

static void
eviction_mark(Value **pod, ApiServer *server)
{
    Value *condition = value_new_f(
        "{type: DisruptionTarget, status: 'True', reason: EvictionByEvictionAPI, message: "
        "'Eviction API: evicting', lastTransitionTime: %V}",
        call_now(server));

    value_edit(pod, "status.conditions",
               condition_set(value_at(*pod, "status.conditions"), condition, false));
}

void
call_eviction(ApiCall *call)
{
    const Value *pod = call_head(call), *options = value_get(call->request->body, "deleteOptions");
    BudgetSearch search = {.pod = pod};
    Value *refusal = NULL, *marked;

    if (pod == NULL) {
        call_refuse(call, status_not_found(call->kind, call->request->name));
        return;
    }
    if (eviction_needs_budget(pod))
        server_each(call->server, "policy", "poddisruptionbudgets", object_namespace(pod),
                    budget_consider, &search);
    /* What is committed may be a sync behind: the count that is taken from is head's. */
    if (search.found != NULL)
        search.found = server_head(call->server, "policy", "poddisruptionbudgets",
                                   object_namespace(pod), object_name(search.found));
    if (search.count > 1)
        refusal = status_internal("This pod has more than one PodDisruptionBudget, which the "
                                  "eviction subresource does not "
                                  "support.");
    else if (search.found != NULL && !budget_ignores(pod, search.found))
        refusal = budget_take(call, search.found);
    if (refusal != NULL) {
        call_refuse(call, refusal);
        return;
    }
    call->shape = eviction_shape;
    call->verb = "evict";
    if (!call->request->dry_run && !object_is_deleting(pod)) {
        marked = value_ref(pod);
        eviction_mark(&marked, call->server);
        server_replace(call->resource, pod, marked);
    }
    call_delete_object(call, options);
}
