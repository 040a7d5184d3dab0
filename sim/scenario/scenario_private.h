/* Shared by the player of scenarios and its reports. */
#pragma once

#include "sim/check/expect.h"
#include "sim/check/oracle.h"
#include "sim/scenario/scenario.h"
#include "sim/traffic/client.h"

struct Scenario {
    char *name;
    char *source; /* the text, for the hash */
    Value *document;
};

typedef enum { CHECK_ALWAYS, CHECK_NEVER, CHECK_EVENTUALLY, CHECK_AT_END, CHECK_TRAFFIC, CHECK_STABLE } CheckKind;
typedef enum { CHECK_WAITING, CHECK_RUNNING, CHECK_MET, CHECK_UNMET } CheckState;

typedef struct ScenarioCheck {
    CheckKind kind;
    CheckState state;
    const Value *spec; /* {title, expect, from, until, within}; NULL for CHECK_STABLE */
    const char *title; /* borrowed from the document or static */
    int64_t from_ns;   /* when it began to be looked at */
    int64_t within_ns; /* CHECK_EVENTUALLY */
    int64_t decided_ns;
    ExpectResult result;
    char *why; /* of an unmet one: the chain that led there, lines; or NULL */
} ScenarioCheck;

typedef struct ScenarioStep {
    const Value *spec;
    const char *title;
    int64_t start_ns, end_ns; /* 0: not reached */
    bool met;
    char *reason; /* why it is not */
    GString *output;
    char *why;
} ScenarioStep;

/* Pods on one node ("" for pods on none) at a moment; kept when it changed. */
typedef struct ScenarioSample {
    int64_t time_ns;
    const char *node; /* interned in the run */
    unsigned ready, unready, pending, ended;
    bool node_ready;
} ScenarioSample;

/* One simulated client. */
typedef struct ScenarioTraffic {
    const Value *spec;
    const char *title;
    TrafficClient *client; /* NULL until its step is reached */
    TrafficTotals totals;  /* at the end */
    char *reason;          /* what came of it, or why it could not begin */
} ScenarioTraffic;

#define SCENARIO_SAMPLES_MAX 200000

struct ScenarioRun {
    const Scenario *scenario;
    const ScenarioOptions *options;
    const ScenarioTools *tools;
    char *hash; /* of the scenario and all that it names */
    char *version, *language;
    uint64_t seed;
    World *world;
    Oracles *oracles;
    TraceExport *export;
    int64_t zero_ns, end_ns; /* the cluster was ready; the last expectation was decided */
    int64_t seen_revision, next_sample_ns, next_look_ns;
    GPtrArray *steps;   /* ScenarioStep */
    GPtrArray *checks;  /* ScenarioCheck */
    GPtrArray *traffic; /* ScenarioTraffic */
    GArray *samples;    /* ScenarioSample */
    GTree *nodes;       /* name (which samples point at) -> index of its last sample + 1 */
    GPtrArray *faults;  /* Value: specs that are not mended */
    uint64_t digest;
    bool met;
};

const char *scenario_tr(const ScenarioRun *run, const char *message_id);
void scenario_say(const ScenarioRun *run, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Lines that name the run and its outcome; owned. */
char *scenario_identity(const ScenarioRun *run);
char *scenario_digest_line(const ScenarioRun *run);
/* Seconds since the cluster was ready. */
double scenario_seconds(const ScenarioRun *run, int64_t time_ns);
const char *scenario_check_word(const ScenarioRun *run, CheckKind kind);

/* ---- checks.c ---- */
void scenario_checks_init(ScenarioRun *run);
/* The step of that name is done (NULL: the timeline begins): what is from there on begins, what is until there ends. */
void scenario_checks_reached(ScenarioRun *run, const char *step);
void scenario_checks_look(ScenarioRun *run);
bool scenario_checks_are_waiting(const ScenarioRun *run); /* is an "eventually" still open? */
void scenario_checks_end(ScenarioRun *run);               /* those at the end; what is open is decided */
void scenario_checks_stable(ScenarioRun *run);            /* mends all, waits, looks whether it stays */
char *scenario_why(ScenarioRun *run, const char *subject);
/* One that was decided elsewhere. */
void scenario_checks_add(ScenarioRun *run, CheckKind kind, const char *title, bool met, const char *reason);
void scenario_check_free(void *check);

/* ---- player.c ---- */
/* Runs the world and looks. */
void scenario_advance(ScenarioRun *run, int64_t until_ns);

/* ---- traffic.c ---- */
void scenario_traffic_init(ScenarioRun *run);
void scenario_traffic_reached(ScenarioRun *run, const char *step); /* as scenario_checks_reached */
void scenario_traffic_end(ScenarioRun *run);                       /* stops the clients and judges them */
void scenario_traffic_free(void *traffic);

/* ---- samples.c ---- */
void scenario_sample(ScenarioRun *run);
