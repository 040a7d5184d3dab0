/* DefaultTolerationSeconds: pods stay 300 s on a node that is not ready or not reachable, unless
 * they say otherwise (plugin/pkg/admission/defaulttolerationseconds). */
#include "core/apiserver/admission/admission.h"

#define DEFAULT_SECONDS 300

static const char *const keys[] = {"node.kubernetes.io/not-ready",
                                   "node.kubernetes.io/unreachable"};

static bool
tolerates(const Value *tolerations, const char *key)
{
    VALUE_ARRAY_FOREACH (toleration, tolerations) {
        const char *its_key = value_text_at(toleration, "key"),
                   *effect = value_text_at(toleration, "effect");

        if ((*its_key == '\0' || strcmp(its_key, key) == 0) &&
            (*effect == '\0' || strcmp(effect, "NoExecute") == 0))
            return true;
    }
    return false;
}

static Value *
with_toleration(const Value *tolerations, const char *key)
{
    return value_append(
        tolerations,
        value_new_f("{key: %s, operator: Exists, effect: NoExecute, tolerationSeconds: %i}", key,
                    (int64_t)DEFAULT_SECONDS));
}

/* Pods without tolerations of their own share one list. */
static Value *
both_tolerations(ApiServer *server)
{
    if (server->default_tolerations == NULL) {
        server->default_tolerations = with_toleration(NULL, keys[0]);
        value_replace(&server->default_tolerations,
                      with_toleration(server->default_tolerations, keys[1]));
    }
    return value_ref(server->default_tolerations);
}

static Value *
mutate(ApiCall *call, Value **object, const Value *old)
{
    if (!admission_is(call, "", "pods") || old != NULL)
        return NULL;
    if (value_size(value_at(*object, "spec.tolerations")) == 0) {
        value_edit(object, "spec.tolerations", both_tolerations(call->server));
        return NULL;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const Value *tolerations = value_at(*object, "spec.tolerations");

        if (!tolerates(tolerations, keys[i]))
            value_edit(object, "spec.tolerations", with_toleration(tolerations, keys[i]));
    }
    return NULL;
}

const AdmissionStep admission_default_toleration_seconds = {.name = "DefaultTolerationSeconds",
                                                            .mutate = mutate};
