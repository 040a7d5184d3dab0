#include "core/scheduler/explain.h"

#include "core/base/limits.h"
#include "core/base/timestamp.h"

#include <string.h>

typedef struct Row {
    Symbol node;
    bool selected, scored;
    Status status; /* success: feasible */
    int64_t total;
    int64_t raw[PLUGIN_COUNT], normalised[PLUGIN_COUNT];
} Row;

typedef struct Decision {
    char *pod;
    char *message;
    int64_t time;
    Symbol node;
    uint32_t all, evaluated, feasible, scored_by; /* scored_by: plug-ins, bits */
    int32_t weights[PLUGIN_COUNT];
    Status pre_filter;
    bool pre_filter_failed;
    uint32_t n_rows;
    Row *rows;
} Decision;

struct DecisionTable {
    Decision ring[SCHEDULER_DECISIONS_MAX];
    uint32_t next;
    GHashTable *by_pod; /* key -> Decision; looked up only */
};

DecisionTable *
decision_table_new(void)
{
    DecisionTable *table = g_new0(DecisionTable, 1);
    table->by_pod = g_hash_table_new(g_str_hash, g_str_equal);
    return table;
}

static void
decision_clear(Decision *decision)
{
    g_free(decision->pod);
    g_free(decision->message);
    g_free(decision->rows);
    memset(decision, 0, sizeof *decision);
}

void
decision_table_free(DecisionTable *table)
{
    if (table == NULL)
        return;
    for (int i = 0; i < SCHEDULER_DECISIONS_MAX; i++)
        decision_clear(&table->ring[i]);
    g_hash_table_destroy(table->by_pod);
    g_free(table);
}

/* ---- recording ------------------------------------------------------------------------------- */

static void
row_fill_scores(Row *row, const ScheduleResult *result, uint32_t scored_by, uint32_t at)
{
    row->scored = result->raw != NULL;
    if (!row->scored)
        return;
    row->total = result->totals[at];
    for (uint32_t p = 0; p < PLUGIN_COUNT; p++) {
        if (!(scored_by & (1u << p)))
            continue;
        row->raw[p] = result->raw[p * result->feasible + at];
        row->normalised[p] = result->normalised[p * result->feasible + at];
    }
}

static void
decision_fill(Decision *decision, const Cycle *cycle, const ScheduleResult *result,
              uint32_t rows_max)
{
    decision->node = result->node != NULL ? result->node->name_symbol : 0;
    decision->all = result->all;
    decision->evaluated = result->evaluated;
    decision->feasible = result->feasible;
    decision->pre_filter_failed = result->pre_filter_failed;
    decision->pre_filter = result->pre_filter;
    decision->scored_by = ~cycle->skip_score;
    memcpy(decision->weights, cycle->profile->weights, sizeof decision->weights);
    uint32_t rejected = result->verdicts != NULL ? result->verdicts->len : 0;
    decision->rows =
        g_renew(Row, decision->rows, MAX(MIN(rejected + result->feasible, rows_max), 1));
    decision->n_rows = 0;
    uint32_t feasible_max = rejected < rows_max / 2 ? rows_max - rejected : rows_max - rows_max / 2;
    for (uint32_t i = 0; i < result->feasible; i++) {
        const NodeInfo *node = result->nodes->pdata[i];
        bool selected = node == result->node;
        bool last = decision->n_rows + 1 >= feasible_max;
        if (decision->n_rows >= feasible_max || (last && !selected && i + 1 < result->feasible))
            if (!selected)
                continue; /* the last place is kept for the one that was selected */
        Row *row = &decision->rows[decision->n_rows++];
        memset(row, 0, sizeof *row);
        row->node = node->name_symbol;
        row->selected = selected;
        row_fill_scores(row, result, decision->scored_by, i);
    }
    for (uint32_t i = 0; i < rejected && decision->n_rows < rows_max; i++) {
        const NodeVerdict *verdict = &g_array_index(result->verdicts, NodeVerdict, i);
        Row *row = &decision->rows[decision->n_rows++];
        memset(row, 0, sizeof *row);
        row->node = verdict->node->name_symbol;
        row->status = verdict->status;
    }
}

void
decision_table_record(DecisionTable *table, const Cycle *cycle, const ScheduleResult *result,
                      int64_t now_ns)
{
    Decision *decision = g_hash_table_lookup(table->by_pod, cycle->pod->key);
    if (decision == NULL) {
        decision = &table->ring[table->next];
        table->next = (table->next + 1) % SCHEDULER_DECISIONS_MAX;
        if (decision->pod != NULL)
            g_hash_table_remove(table->by_pod, decision->pod);
        g_free(decision->pod);
        decision->pod = g_strdup(cycle->pod->key);
        g_hash_table_insert(table->by_pod, decision->pod, decision);
    }
    g_clear_pointer(&decision->message, g_free);
    decision->time = now_ns;
    decision_fill(decision, cycle, result, SCHEDULER_DECISION_NODES_MAX);
}

void
decision_table_set_message(DecisionTable *table, const char *pod_key, const char *message)
{
    Decision *decision = g_hash_table_lookup(table->by_pod, pod_key);
    if (decision == NULL)
        return;
    g_free(decision->message);
    decision->message = g_strdup(message);
}

/* ---- telling --------------------------------------------------------------------------------- */

static Value *
reasons_value(const ClusterCache *cache, const Status *status)
{
    Value *reasons = value_new_array();
    for (int i = 0; i < status->n_reasons; i++) {
        Value *longer = value_append(
            reasons, value_new_string(symbols_text(cache->symbols, status->reasons[i])));
        value_replace(&reasons, longer);
    }
    return reasons;
}

static Value *
filters_value(const ClusterCache *cache, const Status *status)
{
    ValueBuilder *filters = value_builder_new_array();
    for (int p = 0; p < PLUGIN_COUNT; p++) {
        if (SCHEDULER_PLUGINS[p]->filter == NULL)
            continue;
        bool failed = status->code != STATUS_SUCCESS && p == status->plugin;
        Value *reasons = failed ? reasons_value(cache, status) : NULL;
        value_builder_append(filters, value_new_f("{plugin: %s, passed: %b, reasons: ?%V}",
                                                  SCHEDULER_PLUGINS[p]->name, !failed, reasons));
        if (failed)
            break;
    }
    return value_builder_end(filters);
}

static Value *
scores_value(const Decision *decision, const Row *row)
{
    ValueBuilder *scores = value_builder_new_array();
    for (int p = 0; p < PLUGIN_COUNT; p++)
        if (decision->scored_by & (1u << p))
            value_builder_append(
                scores,
                value_new_f("{plugin: %s, raw: %i, normalized: %i, weight: %i, weighted: %i}",
                            SCHEDULER_PLUGINS[p]->name, row->raw[p], row->normalised[p],
                            (int64_t)decision->weights[p],
                            row->normalised[p] * decision->weights[p]));
    return value_builder_end(scores);
}

static Value *
row_value(const ClusterCache *cache, const Decision *decision, const Row *row)
{
    return value_new_f(
        "{name: %s, feasible: %b, selected: %b, total: %i, filters: %V, scores: ?%V}",
        symbols_text(cache->symbols, row->node), row->status.code == STATUS_SUCCESS, row->selected,
        row->total, filters_value(cache, &row->status),
        row->scored ? scores_value(decision, row) : NULL);
}

static Value *
decision_value(const ClusterCache *cache, const Decision *decision)
{
    ValueBuilder *nodes = value_builder_new_array();
    for (uint32_t i = 0; i < decision->n_rows; i++)
        value_builder_append(nodes, row_value(cache, decision, &decision->rows[i]));
    g_autofree char *time = decision->time != 0 ? timestamp_micro_text(decision->time) : NULL;
    return value_new_f(
        "{pod: %s, time: ?%s, node: ?%s, message: ?%s, allNodes: %i, evaluatedNodes: %i, "
        "feasibleNodes: %i, nodes: %V}",
        decision->pod, time,
        decision->node != 0 ? symbols_text(cache->symbols, decision->node) : NULL,
        decision->message, (int64_t)decision->all, (int64_t)decision->evaluated,
        (int64_t)decision->feasible, value_builder_end(nodes));
}

Value *
decision_table_explain(const DecisionTable *table, const ClusterCache *cache, const char *pod_key)
{
    const Decision *decision = g_hash_table_lookup(table->by_pod, pod_key);
    return decision != NULL ? decision_value(cache, decision) : NULL;
}

Value *
schedule_result_describe(const Cycle *cycle, const ScheduleResult *result, const char *message)
{
    Decision decision = {.pod = g_strdup(cycle->pod->key), .message = g_strdup(message)};
    decision_fill(&decision, cycle, result, SCHEDULER_DESCRIBED_NODES_MAX);
    Value *value = decision_value(cycle->cache, &decision);
    decision_clear(&decision);
    return value;
}
