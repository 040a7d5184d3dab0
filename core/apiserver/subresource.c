/* Subresources other than status: a table from name to function. */
#include "core/apiserver/private.h"
#include "core/apiserver/subresources.h"

static const struct {
    const char *resource; /* NULL: any */
    const char *name;
    void (*call)(ApiCall *call);
} subresources[] = {
    {"pods", "binding", call_binding},
    {"pods", "eviction", call_eviction},
    {"pods", "ephemeralcontainers", call_pod_part},
    {"pods", "resize", call_pod_part},
    {"namespaces", "finalize", call_finalize},
    {"serviceaccounts", "token", call_token_request},
    {NULL, "scale", call_scale},
};

void
call_subresource(ApiCall *call)
{
    for (size_t i = 0; i < G_N_ELEMENTS(subresources); i++)
        if (strcmp(subresources[i].name, call->sub->name) == 0 &&
            (subresources[i].resource == NULL ||
             strcmp(subresources[i].resource, call->kind->resource) == 0)) {
            subresources[i].call(call);
            return;
        }
    call_refuse(call, status_method_not_supported(call->kind, api_verb_name(call->request->verb)));
}
