#include "sim/scenario/scenario.h"

#include <string.h>

#include "core/base/error.h"
#include "core/object/json.h"
#include "tests/support/runner.h"

TCase *scenario_suite(void);

#define HEAD                                                                                                           \
    "apiVersion: sim.timonel.dev/v1\nkind: Scenario\nmetadata: {name: test}\ntitle: {en: '<b>Test</b>', es: Prueba}\n"
#define CLUSTER                                                                                                        \
    "cluster: {apiVersion: sim.timonel.dev/v1, kind: Cluster, metadata: {name: small}, spec: {controlPlane: {count: 1}, "  \
    "nodeGroups: [{name: worker, count: 2, cpu: '2', memory: 4Gi}]}}\n"
#define PODS                                                                                                           \
    "manifests:\n- |\n  apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: web}\n  spec:\n    replicas: 2\n"      \
    "    selector: {matchLabels: {app: web}}\n    template:\n      metadata: {labels: {app: web}}\n"                     \
    "      spec: {containers: [{name: main, image: 'nginx:1.27'}]}\n"
#define STEPS                                                                                                          \
    "steps:\n- name: up\n  title: it comes up\n  wait: {within: 2m, expect: {kind: Deployment, name: web, condition: "    \
    "Available}}\n"                                                                                                    \
    "- name: kill\n  title: a container dies\n  after: 5s\n  fault: {type: process-crash, target: {node: worker-1, "      \
    "process: kubelet}}\n"

typedef struct Heard {
    GString *lines, *trace;
} Heard;

static void
say(const char *line, void *data)
{
    Heard *heard = data;
    g_string_append_printf(heard->lines, "%s\n", line);
}

static void
trace(const char *bytes, size_t length, void *data)
{
    Heard *heard = data;
    g_string_append_len(heard->trace, bytes, (gssize)length);
}

static char *
read_nothing(SourceKind kind, const char *name, GError **error, void *data)
{
    g_set_error(error, TIMONEL_ERROR, TIMONEL_ERROR_NOT_FOUND, "no %s", name);
    return NULL;
}

static const ScenarioTools TOOLS = {.read = read_nothing};

static ScenarioRun *
run(const char *text, uint64_t seed, TraceFormat format, Heard *ret_heard, Scenario **ret_scenario)
{
    GError *error = NULL;
    *ret_scenario = scenario_parse("test.yaml", text, &error);
    ck_assert_msg(*ret_scenario != NULL, "%s", error != NULL ? error->message : "");
    ret_heard->lines = g_string_new(NULL);
    ret_heard->trace = g_string_new(NULL);
    const ScenarioOptions options = {.seed = seed,
                                     .language = "en",
                                     .version = "1.2.3",
                                     .say = say,
                                     .trace = trace,
                                     .trace_format = format,
                                     .data = ret_heard};
    ScenarioRun *done = scenario_run(*ret_scenario, &options, &TOOLS, &error);
    ck_assert_msg(done != NULL, "%s", error != NULL ? error->message : "");
    return done;
}

static void
heard_clear(Heard *heard)
{
    g_string_free(heard->lines, TRUE);
    g_string_free(heard->trace, TRUE);
}

START_TEST(two_runs_of_one_seed_are_the_same_bytes)
{
    char *lines[2], *traces[2], *pages[2], *junits[2];
    for (int i = 0; i < 2; i++) {
        Heard heard;
        g_autoptr(Scenario) scenario = NULL;
        g_autoptr(ScenarioRun) done = run(HEAD CLUSTER PODS STEPS, 7, TRACE_FORMAT_JSON_LINES, &heard, &scenario);
        pages[i] = scenario_run_html(done);
        junits[i] = scenario_run_junit(done);
        lines[i] = g_string_free(heard.lines, FALSE);
        traces[i] = g_string_free(heard.trace, FALSE);
    }
    ck_assert_str_eq(lines[0], lines[1]);
    ck_assert_str_eq(pages[0], pages[1]);
    ck_assert_str_eq(junits[0], junits[1]);
    ck_assert(strcmp(traces[0], traces[1]) == 0);
    ck_assert_uint_gt(strlen(traces[0]), 10000);
    for (int i = 0; i < 2; i++) {
        g_free(lines[i]);
        g_free(traces[i]);
        g_free(pages[i]);
        g_free(junits[i]);
    }
}
END_TEST

START_TEST(another_seed_is_another_run)
{
    uint64_t digests[2];
    for (uint64_t i = 0; i < 2; i++) {
        Heard heard;
        g_autoptr(Scenario) scenario = NULL;
        g_autoptr(ScenarioRun) done = run(HEAD CLUSTER PODS, i + 1, TRACE_FORMAT_JSON_LINES, &heard, &scenario);
        digests[i] = scenario_run_digest(done);
        heard_clear(&heard);
    }
    ck_assert(digests[0] != digests[1]);
}
END_TEST

START_TEST(the_first_line_is_the_identity_and_the_last_the_digest)
{
    Heard heard;
    g_autoptr(Scenario) scenario = NULL;
    g_autoptr(ScenarioRun) done = run(HEAD CLUSTER, 0, TRACE_FORMAT_CHROME, &heard, &scenario);
    g_autofree char *last = g_strdup_printf("Digest %016" G_GINT64_MODIFIER "x\n", scenario_run_digest(done));
    ck_assert(g_str_has_prefix(heard.lines->str, "Scenario test, seed 1, hash "));
    ck_assert_ptr_nonnull(strstr(heard.lines->str, ", timonel 1.2.3\n"));
    ck_assert(g_str_has_suffix(heard.lines->str, last));
    g_autoptr(Value) chrome = json_parse(heard.trace->str, heard.trace->len, NULL);
    ck_assert_ptr_nonnull(chrome);
    heard_clear(&heard);
}
END_TEST

typedef struct Outcome {
    const char *expectations;
    bool met;
    const char *said;
} Outcome;

static const Outcome OUTCOMES[] = {
    {"  eventually:\n  - {title: t, within: 1m, expect: {kind: Deployment, name: web, condition: Available}}\n", true,
     "met: eventually: t"},
    {"  eventually:\n  - {title: t, within: 5s, expect: {kind: Pod, name: ghost}}\n", false,
     "expected at least 1, found 0"},
    {"  always:\n  - {title: t, expect: {kind: Node, name: worker-1, condition: Ready}}\n", true, "met: always: t"},
    {"  always:\n  - {title: t, expect: {kind: Deployment, name: web, condition: Available}}\n", false,
     "NOT MET: always: t"},
    {"  always:\n  - {title: t, from: up, expect: {kind: Deployment, name: web, condition: Available}}\n", true, NULL},
    {"  never:\n  - {title: t, expect: {kind: Pod, selector: app=web, atLeast: 3}}\n", true, "met: never: t"},
    {"  never:\n  - {title: t, expect: {kind: Pod, selector: app=web, atLeast: 2}}\n", false, "NOT MET: never: t"},
    {"  atEnd:\n  - {title: t, expect: {kind: Pod, selector: app=web, condition: Ready, count: 2}}\n", true, NULL},
    {"  atEnd:\n  - {title: t, expect: {kind: Pod, selector: app=web, condition: Ready, count: 9}}\n", false,
     "expected 9, found 2"},
};

START_TEST(expectations_decide_the_outcome)
{
    for (size_t i = 0; i < G_N_ELEMENTS(OUTCOMES); i++) {
        Heard heard;
        g_autoptr(Scenario) scenario = NULL;
        g_autofree char *text =
            g_strconcat(HEAD CLUSTER PODS STEPS "expectations:\n", OUTCOMES[i].expectations, NULL);
        g_autoptr(ScenarioRun) done = run(text, 0, TRACE_FORMAT_JSON_LINES, &heard, &scenario);
        ck_assert_msg(scenario_run_met(done) == OUTCOMES[i].met, "%s%s", OUTCOMES[i].expectations, heard.lines->str);
        ck_assert_msg(OUTCOMES[i].said == NULL || strstr(heard.lines->str, OUTCOMES[i].said) != NULL, "%s",
                      heard.lines->str);
        heard_clear(&heard);
    }
}
END_TEST

START_TEST(an_unmet_expectation_is_explained_everywhere)
{
    Heard heard;
    g_autoptr(Scenario) scenario = NULL;
    g_autoptr(ScenarioRun) done =
        run(HEAD CLUSTER PODS STEPS "expectations:\n  atEnd:\n"
                                    "  - {title: 'a < b', expect: {kind: Deployment, name: web, condition: Flying}}\n",
            0, TRACE_FORMAT_JSON_LINES, &heard, &scenario);
    g_autofree char *page = scenario_run_html(done), *junit = scenario_run_junit(done);
    ck_assert_ptr_nonnull(strstr(heard.lines->str, "Why, newest first (Deployment/default/web)"));
    ck_assert_ptr_nonnull(strstr(junit, "failures=\"1\""));
    ck_assert_ptr_nonnull(strstr(junit, "a &lt; b"));
    ck_assert_ptr_nonnull(strstr(page, "a &lt; b"));
    ck_assert_ptr_nonnull(strstr(page, "<svg"));
    ck_assert_ptr_null(strstr(page, "<b>Test"));
    ck_assert_ptr_null(strstr(page, "http://"));
    ck_assert_ptr_null(strstr(page, "https://"));
    heard_clear(&heard);
}
END_TEST

static const char *const REFUSED[][2] = {
    {"kind: Pod\n", "test.yaml: not a scenario"},
    {HEAD "colour: red\n", "test.yaml: colour: unknown field"},
    {HEAD "seed: -1\n", "test.yaml: seed: "},
    {HEAD "steps: [{title: a, at: soon}]\n", "test.yaml: steps[0].at: must be a duration"},
    {HEAD "steps: [{title: a, at: 1s, after: 1s}]\n", "test.yaml: steps[0]: at and after"},
    {HEAD "steps: [{at: 1s}]\n", "test.yaml: steps[0].title"},
    {HEAD "steps: [{title: a, fault: {type: earthquake}}]\n", "test.yaml: steps[0].fault: spec.type"},
    {HEAD "steps: [{title: a, wait: {expect: {kind: Nope}}}]\n", "test.yaml: steps[0].wait.expect.kind"},
    {HEAD "expectations: {sometimes: []}\n", "test.yaml: expectations.sometimes: unknown field"},
    {HEAD "expectations: {always: [{title: a, from: x, expect: {kind: Pod}}]}\n",
     "test.yaml: expectations.always[0].from: no step"},
    {HEAD "a: [\n", "test.yaml: yaml: "},
};

START_TEST(malformed_scenarios_are_refused_by_field)
{
    for (size_t i = 0; i < G_N_ELEMENTS(REFUSED); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(scenario_parse("test.yaml", REFUSED[i][0], &error));
        ck_assert_msg(g_str_has_prefix(error->message, REFUSED[i][1]), "%s: %s", REFUSED[i][0], error->message);
    }
}
END_TEST

START_TEST(a_missing_manifest_is_an_error)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = scenario_parse("test.yaml", HEAD CLUSTER "manifests: [ghost]\n", NULL);
    ck_assert_ptr_null(scenario_run(scenario, &(ScenarioOptions){0}, &TOOLS, &error));
    ck_assert_str_eq(error->message, "no ghost");
}
END_TEST

TCase *
scenario_suite(void)
{
    return test_case("scenario", two_runs_of_one_seed_are_the_same_bytes, another_seed_is_another_run,
                     the_first_line_is_the_identity_and_the_last_the_digest, expectations_decide_the_outcome,
                     an_unmet_expectation_is_explained_everywhere, malformed_scenarios_are_refused_by_field,
                     a_missing_manifest_is_an_error);
}
