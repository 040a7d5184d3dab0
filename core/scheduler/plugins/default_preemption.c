/* Makes room for a pod by taking off less important ones (pkg/scheduler/framework/preemption and
 * plugins/defaultpreemption).
 *
 * A dry run really takes pods off the node in the cache and puts them back: all counts follow pods
 * incrementally, so what the filters see is exactly what would be, and nothing is copied. */
#include "core/scheduler/plugins/plugins.h"

#include "core/api/meta.h"
#include "core/base/timestamp.h"

#include <stdlib.h>
#include <string.h>

typedef struct Candidate {
    NodeInfo *node;
    GPtrArray *victims; /* PodInfo, most important first */
    int64_t violations; /* of disruption budgets */
} Candidate;

typedef struct Budget {
    const Value *object;
    Matcher *matcher;
    int64_t allowed;
} Budget;

static void
candidate_clear(void *data)
{
    Candidate *candidate = data;
    g_clear_pointer(&candidate->victims, g_ptr_array_unref);
}

static void
budget_clear(void *data)
{
    Budget *budget = data;
    matcher_unref(budget->matcher);
}

void
preemption_clear(Preemption *preemption)
{
    g_clear_pointer(&preemption->victims, g_ptr_array_unref);
    g_clear_pointer(&preemption->message, g_free);
}

/* ---- importance ------------------------------------------------------------------------------ */

/* A pod that has not started counts as started now: later than all others. */
static int64_t
start_time(const PodInfo *pod)
{
    int64_t start = timestamp_of(value_string_at(pod->pod, "status.startTime"));
    return start != 0 ? start : INT64_MAX;
}

/* Higher priority first, then who started earlier; the key decides between equals. */
static int
importance_compare(const void *a, const void *b)
{
    const PodInfo *left = *(PodInfo *const *)a, *right = *(PodInfo *const *)b;
    if (left->class_->priority != right->class_->priority)
        return left->class_->priority > right->class_->priority ? -1 : 1;
    int64_t left_start = start_time(left), right_start = start_time(right);
    if (left_start != right_start)
        return left_start < right_start ? -1 : 1;
    return strcmp(left->key, right->key);
}

/* ---- disruption budgets ---------------------------------------------------------------------- */

typedef struct BudgetReader {
    ClusterCache *cache;
    GArray *budgets;
} BudgetReader;

static bool
budget_add(const char *key, const Value *object, void *data)
{
    BudgetReader *reader = data;
    Budget budget = {.object = object,
                     .matcher =
                         matcher_new(reader->cache->symbols, value_at(object, "spec.selector")),
                     .allowed = value_int_at(object, "status.disruptionsAllowed")};
    g_array_append_val(reader->budgets, budget);
    return true;
}

/* Splits pods (in their order) into those whose eviction breaks a budget and those whose does not.
 */
static void
split_by_budget(const ClusterCache *cache, const GPtrArray *pods, const GArray *budgets,
                GPtrArray *ret_violating, GPtrArray *ret_others)
{
    g_autofree int64_t *allowed = g_new(int64_t, MAX(budgets->len, 1));
    for (guint b = 0; b < budgets->len; b++)
        allowed[b] = g_array_index(budgets, Budget, b).allowed;
    for (guint i = 0; i < pods->len; i++) {
        const PodInfo *pod = pods->pdata[i];
        bool violates = false;
        for (guint b = 0; b < budgets->len && pod->class_->labels->n > 0; b++) {
            const Budget *budget = &g_array_index(budgets, Budget, b);
            if (strcmp(object_namespace(budget->object), object_namespace(pod->pod)) != 0 ||
                matcher_is_empty(budget->matcher) ||
                !matcher_matches(budget->matcher, pod->class_->labels))
                continue;
            const Value *disrupted = value_at(budget->object, "status.disruptedPods");
            if (value_has(disrupted, object_name(pod->pod)))
                continue; /* counted already */
            violates |= --allowed[b] < 0;
        }
        g_ptr_array_add(violates ? ret_violating : ret_others, pods->pdata[i]);
    }
}

/* ---- one node -------------------------------------------------------------------------------- */

/* Puts each back, most important first, as long as the preemptor still fits; the others are
 * victims. */
static int64_t
reprieve(Cycle *cycle, NodeInfo *node, const GPtrArray *pods, GPtrArray *victims)
{
    int64_t taken = 0;
    for (guint i = 0; i < pods->len; i++) {
        Status status = {0};
        node_info_add_pod(cycle->cache, node, pods->pdata[i]);
        cycle_filter(cycle, node, &status);
        if (status.code == STATUS_SUCCESS)
            continue;
        node_info_remove_pod(cycle->cache, pods->pdata[i]);
        g_ptr_array_add(victims, pods->pdata[i]);
        taken++;
    }
    return taken;
}

static void
select_victims(Cycle *cycle, NodeInfo *node, const GArray *budgets, Candidate *ret_candidate,
               Status *ret_status)
{
    ClusterCache *cache = cycle->cache;
    g_autoptr(GPtrArray) lower = g_ptr_array_new(), violating = g_ptr_array_new(),
                         others = g_ptr_array_new();
    for (uint32_t i = 0; i < node->n_pods; i++)
        if (node->pods[i]->class_->priority < cycle->class_->priority)
            g_ptr_array_add(lower, node->pods[i]);
    if (lower->len == 0) {
        status_add(ret_status, STATUS_UNRESOLVABLE, REASON_NO_VICTIMS);
        return;
    }
    for (guint i = 0; i < lower->len; i++)
        node_info_remove_pod(cache, lower->pdata[i]);
    cycle_filter(cycle, node, ret_status);
    if (ret_status->code == STATUS_SUCCESS) {
        qsort(lower->pdata, lower->len, sizeof(void *), importance_compare);
        split_by_budget(cache, lower, budgets, violating, others);
        ret_candidate->node = node;
        ret_candidate->victims = g_ptr_array_new();
        ret_candidate->violations = reprieve(cycle, node, violating, ret_candidate->victims);
        reprieve(cycle, node, others, ret_candidate->victims);
    }
    for (guint i = 0; i < lower->len; i++)
        if (((PodInfo *)lower->pdata[i])->node == NULL)
            node_info_add_pod(cache, node, lower->pdata[i]);
    if (ret_candidate->victims != NULL)
        qsort(ret_candidate->victims->pdata, ret_candidate->victims->len, sizeof(void *),
              importance_compare);
}

/* ---- the best node --------------------------------------------------------------------------- */

static int64_t
score_violations(const Candidate *candidate)
{
    return -candidate->violations;
}

static int64_t
score_highest_priority(const Candidate *candidate)
{
    const PodInfo *first = candidate->victims->pdata[0];
    return -first->class_->priority;
}

/* Every priority is lifted above 0, so that fewer pods win also among negative ones. */
static int64_t
score_priorities(const Candidate *candidate)
{
    int64_t sum = 0;
    for (guint i = 0; i < candidate->victims->len; i++)
        sum += ((const PodInfo *)candidate->victims->pdata[i])->class_->priority +
               ((int64_t)INT32_MAX + 1);
    return -sum;
}

static int64_t
score_count(const Candidate *candidate)
{
    return -(int64_t)candidate->victims->len;
}

/* The node whose most important victims started last. */
static int64_t
score_start(const Candidate *candidate)
{
    const PodInfo *first =
        candidate->victims->pdata[0]; /* of the highest priority, started first */
    return start_time(first);
}

static const Candidate *
pick_candidate(const GArray *candidates)
{
    static int64_t (*const criteria[])(const Candidate *) = {
        score_violations, score_highest_priority, score_priorities, score_count, score_start};
    g_autoptr(GPtrArray) left = g_ptr_array_new();
    for (guint i = 0; i < candidates->len; i++)
        g_ptr_array_add(left, &g_array_index(candidates, Candidate, i));
    for (size_t c = 0; c < G_N_ELEMENTS(criteria) && left->len > 1; c++) {
        int64_t best = INT64_MIN;
        guint kept = 0;
        for (guint i = 0; i < left->len; i++) {
            int64_t score = criteria[c](left->pdata[i]);
            if (score > best) {
                best = score;
                kept = 0;
            }
            if (score == best)
                left->pdata[kept++] = left->pdata[i];
        }
        g_ptr_array_set_size(left, (gint)kept);
    }
    return left->pdata[0];
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Not again while what was preempted before is still going. */
static bool
eligible(const Cycle *cycle, const ScheduleResult *result, const char **ret_why)
{
    if (cycle->class_->preempts_never) {
        *ret_why = "not eligible due to preemptionPolicy=Never.";
        return false;
    }
    const NodeInfo *nominated = cycle->pod->nominated;
    if (nominated == NULL)
        return true;
    for (guint i = 0; i < result->verdicts->len; i++) {
        const NodeVerdict *verdict = &g_array_index(result->verdicts, NodeVerdict, i);
        if (verdict->node == nominated && verdict->status.code == STATUS_UNRESOLVABLE)
            return true;
    }
    for (uint32_t i = 0; i < nominated->n_pods; i++) {
        const PodInfo *pod = nominated->pods[i];
        const Value *disruption =
            condition_find(value_at(pod->pod, "status.conditions"), "DisruptionTarget");
        if (pod->deleting && pod->class_->priority < cycle->class_->priority &&
            strcmp(value_text_at(disruption, "reason"), "PreemptionByScheduler") == 0) {
            *ret_why = "not eligible due to a terminating pod on the nominated node.";
            return false;
        }
    }
    return true;
}

typedef struct DryRun {
    GArray *safe, *violating; /* Candidate */
    ScheduleResult refusals;  /* only what the message needs */
} DryRun;

static void
dry_run(Cycle *cycle, Random *random, const GPtrArray *potential, DryRun *run)
{
    const Profile *profile = cycle->profile;
    g_autoptr(GArray) budgets = g_array_new(FALSE, FALSE, sizeof(Budget));
    g_array_set_clear_func(budgets, budget_clear);
    cluster_cache_each(cycle->cache, TABLE_DISRUPTION_BUDGETS, "", budget_add,
                       &(BudgetReader){.cache = cycle->cache, .budgets = budgets});
    guint n = potential->len;
    guint wanted = n * (guint)profile->min_candidates_percentage / 100;
    wanted = MIN(MAX(wanted, (guint)profile->min_candidates_absolute), n);
    guint offset = (guint)random_below(random, n);
    for (guint i = 0; i < n; i++) {
        NodeVerdict verdict = {.node = potential->pdata[(offset + i) % n]};
        Candidate candidate = {0};
        select_victims(cycle, verdict.node, budgets, &candidate, &verdict.status);
        if (candidate.node == NULL)
            g_array_append_val(run->refusals.verdicts, verdict);
        else if (candidate.victims->len == 0)
            candidate_clear(&candidate); /* it fits as it is: a nomination went meanwhile */
        else
            g_array_append_vals(candidate.violations == 0 ? run->safe : run->violating, &candidate,
                                1);
        if (run->safe->len > 0 && run->safe->len + run->violating->len >= wanted)
            break;
    }
}

/* The refusals of the dry run; for all other nodes preemption was no use. */
static char *
refusal_message(const Cycle *cycle, const ScheduleResult *result, const ScheduleResult *refusals)
{
    ScheduleResult shown = {.all = result->all, .verdicts = g_array_copy(refusals->verdicts)};
    for (uint32_t i = refusals->verdicts->len; i < result->all; i++) {
        NodeVerdict verdict = {0};
        status_add(&verdict.status, STATUS_UNRESOLVABLE, REASON_PREEMPTION_USELESS);
        g_array_append_val(shown.verdicts, verdict);
    }
    char *message = schedule_failure_message(cycle->cache, &shown);
    schedule_result_clear(&shown);
    return message;
}

void
schedule_preempt(Cycle *cycle, Random *random, const ScheduleResult *result,
                 Preemption *ret_preemption)
{
    *ret_preemption = (Preemption){0};
    const char *why = NULL;
    if (!eligible(cycle, result, &why)) {
        ret_preemption->message = g_strconcat("preemption: ", why, NULL);
        return;
    }
    g_autoptr(GPtrArray) potential = g_ptr_array_new();
    for (guint i = 0; !result->pre_filter_failed && i < result->verdicts->len; i++) {
        const NodeVerdict *verdict = &g_array_index(result->verdicts, NodeVerdict, i);
        if (verdict->status.code == STATUS_UNSCHEDULABLE)
            g_ptr_array_add(potential, verdict->node);
    }
    DryRun run = {.safe = g_array_new(FALSE, FALSE, sizeof(Candidate)),
                  .violating = g_array_new(FALSE, FALSE, sizeof(Candidate))};
    run.refusals.verdicts = g_array_new(FALSE, FALSE, sizeof(NodeVerdict));
    if (potential->len > 0)
        dry_run(cycle, random, potential, &run);
    g_array_append_vals(run.safe, run.violating->data, run.violating->len);
    g_array_set_clear_func(run.safe, candidate_clear);
    if (run.safe->len == 0) {
        g_autofree char *message = refusal_message(cycle, result, &run.refusals);
        ret_preemption->message = g_strconcat("preemption: ", message, NULL);
        ret_preemption->clear_nomination = true;
    } else {
        const Candidate *best = pick_candidate(run.safe);
        ret_preemption->node = best->node;
        ret_preemption->victims = g_ptr_array_ref(best->victims);
    }
    g_array_unref(run.safe);
    g_array_unref(run.violating);
    schedule_result_clear(&run.refusals);
}

const Plugin DEFAULT_PREEMPTION = {.name = "DefaultPreemption", .events = EVENT_POD_DELETE};
