/* One pod, the nodes, and the choice: schedulePod of pkg/scheduler/schedule_one.go. */
#include "core/scheduler/framework.h"

#include <stdlib.h>
#include <string.h>

#define NODES_TO_FIND_MIN 100
#define PERCENTAGE_MIN 5

int32_t
nodes_to_find(const Profile *profile, int32_t n_nodes)
{
    int32_t percentage = profile->percentage_of_nodes_to_score;
    if (n_nodes < NODES_TO_FIND_MIN || percentage >= 100)
        return n_nodes;
    if (percentage <= 0)
        percentage = MAX(50 - n_nodes / 125, PERCENTAGE_MIN);
    return MAX(n_nodes * percentage / 100, NODES_TO_FIND_MIN);
}

void
schedule_result_clear(ScheduleResult *result)
{
    g_clear_pointer(&result->verdicts, g_array_unref);
    g_clear_pointer(&result->nodes, g_ptr_array_unref);
    g_clear_pointer(&result->raw, g_free);
    g_clear_pointer(&result->normalised, g_free);
    g_clear_pointer(&result->totals, g_free);
}

static bool
name_allowed(const PodClass *class_, Symbol name)
{
    for (uint32_t i = 0; i < class_->n_node_names; i++)
        if (class_->node_names[i] == name)
            return true;
    return false;
}

static bool
look_at(Cycle *cycle, NodeInfo *node, ScheduleResult *result)
{
    NodeVerdict verdict = {.node = node};
    cycle_filter(cycle, node, &verdict.status);
    if (verdict.status.code == STATUS_SUCCESS) {
        g_ptr_array_add(result->nodes, node);
        return true;
    }
    result->rejectors |= 1u << verdict.status.plugin;
    g_array_append_val(result->verdicts, verdict);
    return false;
}

/* The nodes that node affinity names: usually one (a DaemonSet's pod). */
static void
look_at_named(Cycle *cycle, const GPtrArray *order, ScheduleResult *result)
{
    const PodClass *class_ = cycle->class_;
    uint32_t inside = 0;
    if (class_->n_node_names <= 8) {
        for (uint32_t i = 0; i < class_->n_node_names; i++) {
            const char *name = symbols_text(cycle->cache->symbols, class_->node_names[i]);
            NodeInfo *node = cluster_cache_find_node(cycle->cache, name);
            if (node == NULL || !node->present ||
                (i > 0 && class_->node_names[i - 1] == class_->node_names[i]))
                continue;
            inside++;
            look_at(cycle, node, result);
        }
    } else {
        for (guint i = 0; i < order->len; i++) {
            NodeInfo *node = order->pdata[i];
            if (!name_allowed(class_, node->name_symbol))
                continue;
            inside++;
            look_at(cycle, node, result);
        }
    }
    result->n_outside = order->len - inside;
    if (result->n_outside > 0)
        result->rejectors |= 1u << PLUGIN_NODE_AFFINITY;
}

static void
find_feasible(Cycle *cycle, const GPtrArray *order, uint32_t *next_start_node,
              ScheduleResult *result)
{
    if (cycle->class_->limited_to_names) {
        look_at_named(cycle, order, result);
        return;
    }
    uint32_t wanted = next_start_node != NULL
                          ? (uint32_t)nodes_to_find(cycle->profile, (int32_t)order->len)
                          : order->len;
    uint32_t start = next_start_node != NULL ? *next_start_node % order->len : 0, looked = 0;
    for (; looked < order->len && result->nodes->len < wanted; looked++) {
        uint32_t at = start + looked;
        look_at(cycle, order->pdata[at < order->len ? at : at - order->len], result);
    }
    if (next_start_node != NULL)
        *next_start_node = (start + looked) % order->len;
}

/* A node that preemption made room on is looked at first, and is enough. */
static bool
try_nominated(Cycle *cycle, ScheduleResult *result)
{
    NodeInfo *node = cycle->pod->nominated;
    if (node == NULL || !node->present ||
        (cycle->class_->limited_to_names && !name_allowed(cycle->class_, node->name_symbol)))
        return false;
    Status status = {0};
    cycle_filter(cycle, node, &status);
    if (status.code != STATUS_SUCCESS)
        return false;
    g_ptr_array_add(result->nodes, node);
    return true;
}

/* Among the best, each with the same chance; without random, the first. */
static NodeInfo *
select_node(const ScheduleResult *result, Random *random)
{
    uint32_t best = 0, ties = 1;
    for (uint32_t i = 1; i < result->nodes->len; i++) {
        if (result->totals[i] > result->totals[best]) {
            best = i;
            ties = 1;
        } else if (result->totals[i] == result->totals[best]) {
            ties++;
            if (random != NULL && random_below(random, ties) == 0)
                best = i;
        }
    }
    return result->nodes->pdata[best];
}

void
schedule_pod(Cycle *cycle, Random *random, uint32_t *next_start_node, ScheduleResult *ret_result)
{
    const GPtrArray *order = cluster_cache_order(cycle->cache);
    ScheduleResult *result = ret_result;
    *result = (ScheduleResult){.all = order->len};
    result->verdicts = g_array_new(FALSE, FALSE, sizeof(NodeVerdict));
    result->nodes = g_ptr_array_new();
    if (order->len == 0) {
        result->no_nodes = true;
        return;
    }
    if (!cycle_pre_filter(cycle, &result->pre_filter)) {
        result->pre_filter_failed = true;
        result->rejectors = 1u << result->pre_filter.plugin;
        return;
    }
    if (next_start_node == NULL || !try_nominated(cycle, result))
        find_feasible(cycle, order, next_start_node, result);
    result->feasible = result->nodes->len;
    result->evaluated = result->feasible + result->verdicts->len;
    if (result->feasible == 0)
        return;
    if (result->feasible == 1 && next_start_node != NULL) {
        result->node = result->nodes->pdata[0];
        return;
    }
    size_t cells = (size_t)PLUGIN_COUNT * result->feasible;
    result->raw = g_new(int64_t, cells);
    result->normalised = g_new(int64_t, cells);
    result->totals = g_new(int64_t, result->feasible);
    cycle_score(cycle, (NodeInfo *const *)result->nodes->pdata, result->feasible, result->raw,
                result->normalised, result->totals);
    result->node = select_node(result, random);
}

/* ---- the message ----------------------------------------------------------------------------- */

static int
text_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
count_reason(GArray *counts, Symbol reason, uint32_t times)
{
    for (guint i = 0; i < counts->len; i++) {
        ScalarAmount *count = &g_array_index(counts, ScalarAmount, i);
        if (count->name == reason) {
            count->amount += times;
            return;
        }
    }
    ScalarAmount count = {.name = reason, .amount = times};
    g_array_append_val(counts, count);
}

char *
schedule_failure_message(const ClusterCache *cache, const ScheduleResult *result)
{
    if (result->no_nodes)
        return g_strdup("no nodes available to schedule pods");
    GString *text = g_string_new(NULL);
    g_string_printf(text, "0/%u nodes are available:", result->all);
    if (result->pre_filter_failed) {
        for (int i = 0; i < result->pre_filter.n_reasons; i++)
            g_string_append_printf(text, "%s%s", i > 0 ? ", " : " ",
                                   symbols_text(cache->symbols, result->pre_filter.reasons[i]));
        g_string_append_c(text, '.');
        return g_string_free(text, FALSE);
    }
    g_autoptr(GArray) counts = g_array_new(FALSE, FALSE, sizeof(ScalarAmount));
    for (guint i = 0; i < result->verdicts->len; i++) {
        const Status *status = &g_array_index(result->verdicts, NodeVerdict, i).status;
        for (int r = 0; r < status->n_reasons; r++)
            count_reason(counts, status->reasons[r], 1);
    }
    if (result->n_outside > 0)
        count_reason(counts, REASON_NOT_SATISFIED, result->n_outside);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < counts->len; i++) {
        const ScalarAmount *count = &g_array_index(counts, ScalarAmount, i);
        g_ptr_array_add(texts, g_strdup_printf("%" G_GINT64_FORMAT " %s", count->amount,
                                               symbols_text(cache->symbols, count->name)));
    }
    if (texts->len > 0)
        qsort(texts->pdata, texts->len, sizeof(char *), text_compare);
    for (guint i = 0; i < texts->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : " ", (char *)texts->pdata[i]);
    if (texts->len > 0)
        g_string_append_c(text, '.');
    return g_string_free(text, FALSE);
}
