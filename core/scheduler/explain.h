/* The decision table: what the last cycles found, kept small and turned into Values when asked. */
#pragma once

#include "core/scheduler/framework.h"

typedef struct DecisionTable DecisionTable;

DecisionTable *decision_table_new(void);
void decision_table_free(DecisionTable *table);
void decision_table_record(DecisionTable *table, const Cycle *cycle, const ScheduleResult *result,
                           int64_t now_ns);
/* Adds the whole message to the record just made. */
void decision_table_set_message(DecisionTable *table, const char *pod_key, const char *message);
Value *decision_table_explain(const DecisionTable *table, const ClusterCache *cache,
                              const char *pod_key);
/* A result, every node of it. */
Value *schedule_result_describe(const Cycle *cycle, const ScheduleResult *result,
                                const char *message);
