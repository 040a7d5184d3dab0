/* Oracles: rules that hold in every run, scenario or not. One file and one line in a table each. They watch what the store
 * commits and look at the whole when asked; they never write, so a run with them is the run without them. */
#pragma once

#include "sim/world/world.h"

typedef struct Oracle Oracle;
typedef struct Oracles Oracles;

typedef struct OracleClass {
    const char *name;  /* "node-overcommit" */
    const char *title; /* the rule as a sentence, translatable */
    /* All may be NULL. `begin` makes oracle->data, `end` frees it. */
    void (*begin)(Oracle *oracle);
    void (*end)(Oracle *oracle);
    /* A committed change, in order. */
    void (*changed)(Oracle *oracle, const StoreEvent *event);
    /* A look at the whole, at a moment that the caller chooses. */
    void (*look)(Oracle *oracle);
    /* The storage names ("pods", "replicasets.apps") whose changes are heard, NULL terminated; NULL with no `changed`;
     * an empty list: all that the API serves. */
    const char *const *resources;
} OracleClass;

struct Oracle {
    const OracleClass *class;
    World *world;
    Oracles *all;
    void *data;
};

typedef struct OracleBreach {
    const OracleClass *class;
    int64_t time_ns;
    char *subject; /* "Node/worker-1" */
    char *text;    /* what broke the rule */
} OracleBreach;

#define ORACLE_BREACHES_MAX 100

size_t oracle_class_count(void);
const OracleClass *oracle_class_item(size_t index); /* NULL behind the end */

/* Begins to watch; the world outlives it. */
Oracles *oracles_new(World *world);
void oracles_free(Oracles *oracles);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Oracles, oracles_free)
/* Lets each look; true while no rule was ever broken. */
bool oracles_look(Oracles *oracles);
size_t oracles_breach_count(const Oracles *oracles);
const OracleBreach *oracles_breach(const Oracles *oracles, size_t index);
/* For oracles. The same text about the same subject is kept once. */
void oracle_breach(Oracle *oracle, const char *subject, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Text -> value, in byte order of the texts, which it owns. */
GTree *oracle_tree_new(GDestroyNotify free_value);

/* Eventually stable reconciliation: does every workload's status equal its spec now? If not, *ret_reason (owned) names the
 * first that does not and *ret_subject (owned; may be NULL) is that. The caller mends the faults, waits, and asks again
 * later whether it stayed. */
bool world_is_reconciled(World *world, char **ret_reason, char **ret_subject);
