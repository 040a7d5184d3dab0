#include "core/scheduler/static_fit.h"

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/base/limits.h"
#include "core/scheduler/cache.h"

#include <string.h>

struct StaticFit {
    uint64_t digest;
    int refs;
    Value *pod; /* one of the pods */
    const Value *preferred;
    bool has_affinity;
    StaticVerdict *verdicts; /* by slot; NULL: not kept */
};

struct StaticFits {
    GHashTable *by_digest; /* looked up only */
    int32_t slot_capacity;
    int n_tables;
    StaticVerdict scratch;
};

StaticFits *
static_fits_new(void)
{
    StaticFits *fits = g_new0(StaticFits, 1);
    fits->by_digest = g_hash_table_new(g_int64_hash, g_int64_equal);
    return fits;
}

static void
fit_free(StaticFit *fit)
{
    value_unref(fit->pod);
    g_free(fit->verdicts);
    g_free(fit);
}

void
static_fits_free(StaticFits *fits)
{
    if (fits == NULL)
        return;
    g_assert(g_hash_table_size(fits->by_digest) == 0);
    g_hash_table_destroy(fits->by_digest);
    g_free(fits);
}

StaticFit *
static_fit_get(StaticFits *fits, const PodClass *class_)
{
    const Value *spec = value_get(class_->sample, "spec");
    const Value *selector = value_get(spec, "nodeSelector");
    const Value *affinity = value_at(spec, "affinity.nodeAffinity");
    uint64_t digest = digest_mix(value_digest(selector), value_digest(affinity));
    digest = digest_mix(digest, value_digest(value_get(spec, "tolerations")));
    StaticFit *fit = g_hash_table_lookup(fits->by_digest, &digest);
    if (fit != NULL) {
        fit->refs++;
        return fit;
    }
    fit = g_new0(StaticFit, 1);
    fit->digest = digest;
    fit->refs = 1;
    fit->pod = value_ref(class_->sample);
    fit->preferred = value_get(affinity, "preferredDuringSchedulingIgnoredDuringExecution");
    fit->has_affinity = value_size(selector) > 0 ||
                        value_has(affinity, "requiredDuringSchedulingIgnoredDuringExecution");
    if (!class_->limited_to_names && fits->n_tables < SCHEDULER_FIT_TABLES_MAX) {
        fit->verdicts = g_new0(StaticVerdict, MAX(fits->slot_capacity, 1));
        fits->n_tables++;
    }
    g_hash_table_insert(fits->by_digest, &fit->digest, fit);
    return fit;
}

void
static_fit_release(StaticFits *fits, StaticFit *fit)
{
    if (fit == NULL || --fit->refs > 0)
        return;
    g_hash_table_remove(fits->by_digest, &fit->digest);
    fits->n_tables -= fit->verdicts != NULL;
    fit_free(fit);
}

void
static_fits_grow(StaticFits *fits, int32_t slot_capacity)
{
    GHashTableIter iter; /* each table by itself: the order reaches nothing */
    gpointer value;
    g_hash_table_iter_init(&iter, fits->by_digest);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        StaticFit *fit = value;
        if (fit->verdicts == NULL)
            continue;
        fit->verdicts = g_renew(StaticVerdict, fit->verdicts, slot_capacity);
        memset(fit->verdicts + fits->slot_capacity, 0,
               (size_t)(slot_capacity - fits->slot_capacity) * sizeof fit->verdicts[0]);
    }
    fits->slot_capacity = slot_capacity;
}

static bool
tolerates(const Value *tolerations, const Value *taint)
{
    VALUE_ARRAY_FOREACH (toleration, tolerations)
        if (toleration_tolerates(toleration, taint))
            return true;
    return false;
}

static bool
tolerates_unschedulable(const Value *tolerations)
{
    g_autoptr(Value) taint =
        value_new_f("{key: %s, effect: NoSchedule}", "node.kubernetes.io/unschedulable");
    return tolerates(tolerations, taint);
}

unsigned
static_fit_failures(const StaticFit *fit, const Value *node)
{
    const Value *tolerations = value_at(fit->pod, "spec.tolerations");
    unsigned failures = 0;
    if (value_bool_at(node, "spec.unschedulable") && !tolerates_unschedulable(tolerations))
        failures |= FIT_UNSCHEDULABLE;
    if (taints_find_untolerated(value_at(node, "spec.taints"), tolerations, NULL) != NULL)
        failures |= FIT_TAINT;
    if (fit->has_affinity && !pod_matches_node_affinity(fit->pod, node))
        failures |= FIT_AFFINITY;
    return failures;
}

/* Tolerations without effect, or for PreferNoSchedule, count against such taints. */
static int
count_intolerable(const Value *taints, const Value *tolerations)
{
    int count = 0;
    VALUE_ARRAY_FOREACH (taint, taints)
        if (strcmp(value_text_at(taint, "effect"), "PreferNoSchedule") == 0)
            count += !tolerates(tolerations, taint);
    return count;
}

static void
verdict_compute(const StaticFit *fit, const NodeInfo *node, StaticVerdict *ret_verdict)
{
    int64_t preference = 0;
    VALUE_ARRAY_FOREACH (term, fit->preferred)
        if (value_int_at(term, "weight") != 0 &&
            node_selector_term_matches(value_get(term, "preference"), node->node))
            preference += value_int_at(term, "weight");
    *ret_verdict = (StaticVerdict){
        .generation = node->static_generation + 1,
        .failures = (uint8_t)static_fit_failures(fit, node->node),
        .intolerable = (uint16_t)count_intolerable(value_at(node->node, "spec.taints"),
                                                   value_at(fit->pod, "spec.tolerations")),
        .preference = (int32_t)preference};
}

const StaticVerdict *
static_fit_verdict(StaticFits *fits, StaticFit *fit, const NodeInfo *node)
{
    StaticVerdict *verdict = fit->verdicts != NULL ? &fit->verdicts[node->slot] : &fits->scratch;
    if (fit->verdicts == NULL || verdict->generation != node->static_generation + 1)
        verdict_compute(fit, node, verdict);
    return verdict;
}

bool
static_fit_has_preferences(const StaticFit *fit)
{
    return value_size(fit->preferred) > 0;
}

bool
static_fit_has_affinity(const StaticFit *fit)
{
    return fit->has_affinity;
}

uint64_t
static_fit_digest(const StaticFit *fit)
{
    return fit->digest;
}
