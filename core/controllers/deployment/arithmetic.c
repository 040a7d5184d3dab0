/* How many of what: the sums of a rolling update
 * (pkg/controller/deployment/util/deployment_util.go). */
#include <string.h>

#include "core/api/meta.h"
#include "core/controllers/common/util.h"
#include "core/controllers/deployment/rollout.h"

int64_t
deployment_replicas(const Value *deployment)
{
    return value_int_at_or(deployment, "spec.replicas", 1);
}

int64_t
set_replicas(const Value *set)
{
    return value_int_at_or(set, "spec.replicas", 1);
}

bool
deployment_is_rolling(const Value *deployment)
{
    return strcmp(value_text_at(deployment, "spec.strategy.type"), "Recreate") != 0;
}

void
resolve_fenceposts(const Value *max_surge, const Value *max_unavailable, int64_t desired,
                   int64_t *ret_surge, int64_t *ret_unavailable)
{
    *ret_surge = int_or_percent(max_surge, desired, ROUND_UP, 0);
    *ret_unavailable = int_or_percent(max_unavailable, desired, ROUND_DOWN, 0);
    /* Both may be 0 by rounding; a rollout must be able to move. */
    if (*ret_surge == 0 && *ret_unavailable == 0)
        *ret_unavailable = 1;
}

static void
fenceposts(const Value *deployment, int64_t *ret_surge, int64_t *ret_unavailable)
{
    const Value *rolling = value_at(deployment, "spec.strategy.rollingUpdate");
    resolve_fenceposts(value_get(rolling, "maxSurge"), value_get(rolling, "maxUnavailable"),
                       deployment_replicas(deployment), ret_surge, ret_unavailable);
}

int64_t
deployment_max_surge(const Value *deployment)
{
    int64_t surge, unavailable;
    if (!deployment_is_rolling(deployment))
        return 0;
    fenceposts(deployment, &surge, &unavailable);
    return surge;
}

int64_t
deployment_max_unavailable(const Value *deployment)
{
    int64_t surge, unavailable, replicas = deployment_replicas(deployment);
    if (!deployment_is_rolling(deployment) || replicas == 0)
        return 0;
    fenceposts(deployment, &surge, &unavailable);
    return MIN(unavailable, replicas);
}

int64_t
new_set_size(const Value *deployment, int64_t all_replicas, int64_t new_replicas)
{
    int64_t replicas = deployment_replicas(deployment);
    if (!deployment_is_rolling(deployment))
        return replicas;
    int64_t surge = int_or_percent(value_at(deployment, "spec.strategy.rollingUpdate.maxSurge"),
                                   replicas, ROUND_UP, 0);
    int64_t room = replicas + surge - all_replicas;
    if (room <= 0)
        return new_replicas;
    return new_replicas + MIN(room, replicas - new_replicas);
}

static int64_t
round_half_away(int64_t numerator, int64_t denominator)
{
    /* Both not negative here. */
    return (2 * numerator + denominator) / (2 * denominator);
}

static int64_t
set_fraction(const Value *set, const Value *deployment)
{
    int64_t size = set_replicas(set);
    if (deployment_replicas(deployment) == 0)
        return -size;
    const char *annotation = object_annotation(set, ANNOTATION_MAX_REPLICAS);
    int64_t whole = annotation != NULL ? g_ascii_strtoll(annotation, NULL, 10) : 0;
    if (whole <= 0)
        whole = value_int_at(deployment, "status.replicas");
    if (whole <= 0)
        return 0;
    int64_t target = deployment_replicas(deployment) + deployment_max_surge(deployment);
    return round_half_away(size * target, whole) - size;
}

int64_t
set_proportion(const Value *set, const Value *deployment, int64_t to_add, int64_t added)
{
    if (set == NULL || set_replicas(set) == 0 || to_add == 0 || to_add == added)
        return 0;
    int64_t fraction = set_fraction(set, deployment), allowed = to_add - added;
    return to_add > 0 ? MIN(fraction, allowed) : MAX(fraction, allowed);
}

bool
deployment_is_saturated(const Value *deployment, const Value *set)
{
    const char *desired = object_annotation(set, ANNOTATION_DESIRED_REPLICAS);
    int64_t replicas = deployment_replicas(deployment);
    return set != NULL && desired != NULL && set_replicas(set) == replicas &&
           g_ascii_strtoll(desired, NULL, 10) == replicas &&
           value_int_at(set, "status.availableReplicas") == replicas;
}

bool
deployment_is_complete(const Value *deployment, const Value *status)
{
    int64_t replicas = deployment_replicas(deployment);
    return value_int(value_get(status, "updatedReplicas")) == replicas &&
           value_int(value_get(status, "replicas")) == replicas &&
           value_int(value_get(status, "availableReplicas")) == replicas &&
           value_int(value_get(status, "observedGeneration")) >= object_generation(deployment);
}

bool
deployment_has_progress_deadline(const Value *deployment)
{
    const Value *deadline = value_at(deployment, "spec.progressDeadlineSeconds");
    return deadline != NULL && value_int(deadline) != INT32_MAX;
}

bool
templates_equal_ignoring_hash(const Value *a, const Value *b)
{
    if (!values_equal_semantically(value_get(a, "spec"), value_get(b, "spec")))
        return false;
    g_autoptr(Value) meta_a =
        value_remove_at(value_get(a, "metadata"), "labels." LABEL_POD_TEMPLATE_HASH);
    g_autoptr(Value) meta_b =
        value_remove_at(value_get(b, "metadata"), "labels." LABEL_POD_TEMPLATE_HASH);
    return values_equal_semantically(meta_a, meta_b);
}
