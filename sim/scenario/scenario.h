/* Scenarios: a cluster, what runs in it, a timeline of what is done to it, and what is expected. One YAML file each; the
 * format is described in docs/scenarios.md. A run is a function of the file and the seed: same seed, same bytes. */
#pragma once

#include "sim/engine/trace_export.h"
#include "sim/scenario/tools.h"

typedef struct Scenario Scenario;
typedef struct ScenarioRun ScenarioRun;

#define SCENARIO_STEPS_MAX 1000
#define SCENARIO_EXPECTATIONS_MAX 1000
#define SCENARIO_DURATION_MAX_NS (INT64_C(30) * 24 * 3600 * NS_PER_S)

/* Reads and checks a file's text; `name` is for errors, which name the field. */
Scenario *scenario_parse(const char *name, const char *text, GError **error);
void scenario_free(Scenario *scenario);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scenario, scenario_free)

const char *scenario_name(const Scenario *scenario);
const char *scenario_title(const Scenario *scenario, const char *language);
size_t scenario_seed_count(const Scenario *scenario); /* at least 1 */
uint64_t scenario_seed(const Scenario *scenario, size_t index);

typedef struct ScenarioOptions {
    uint64_t seed;        /* 0: the scenario's first */
    const char *language; /* "en", "es" */
    const char *version;  /* of the program */
    /* A line for people, without newline, as it happens. May be NULL. */
    void (*say)(const char *line, void *data);
    /* The trace as it happens; NULL: none. */
    TraceWriteFunc trace;
    TraceFormat trace_format;
    void *data; /* for say and trace */
} ScenarioOptions;

/* Runs it to its end. NULL with an error when it could not be run: a manifest is missing, the cluster does not come up.
 * Unmet expectations and kubectl lines that fail are outcomes, not errors. Scenario and tools outlive the run. */
ScenarioRun *scenario_run(const Scenario *scenario, const ScenarioOptions *options, const ScenarioTools *tools,
                          GError **error);
void scenario_run_free(ScenarioRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScenarioRun, scenario_run_free)

bool scenario_run_met(const ScenarioRun *run); /* all expectations, steps and oracles */
uint64_t scenario_run_digest(const ScenarioRun *run);
/* Owned texts. The page needs nothing beside it; JUnit has one test case for each step, expectation and oracle. */
char *scenario_run_html(const ScenarioRun *run);
char *scenario_run_junit(const ScenarioRun *run);
