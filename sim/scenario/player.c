/* Plays a scenario: boots its world, applies what runs in it, walks the timeline and looks at the expectations on the way. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "sim/scenario/scenario_private.h"
#include "sim/scenario/texts.h"

#define SLICE_NS (100 * NS_PER_MS) /* how often expectations are looked at */
#define SAMPLE_NS NS_PER_S
#define LOOK_NS (10 * NS_PER_S) /* how often oracles look at the whole */
#define WAIT_DEFAULT_NS (5 * 60 * NS_PER_S)

/* ---- words ------------------------------------------------------------------------------------------------------- */

const char *
scenario_tr(const ScenarioRun *run, const char *message_id)
{
    return run->tools->translate != NULL ? run->tools->translate(message_id, run->tools->data) : message_id;
}

void
scenario_say(const ScenarioRun *run, const char *format, ...)
{
    if (run->options->say == NULL)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_sanitize(line, strlen(line), TEXT_LINES);
    run->options->say(safe, run->options->data);
}

static void
say_lines(const ScenarioRun *run, const char *indent, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++)
        if (*lines[i] != '\0')
            scenario_say(run, "%s%s", indent, lines[i]);
}

double
scenario_seconds(const ScenarioRun *run, int64_t time_ns)
{
    return (double)((time_ns - run->zero_ns) / NS_PER_MS) / 1000.0;
}

const char *
scenario_check_word(const ScenarioRun *run, CheckKind kind)
{
    static const char *const WORDS[] = {
        [CHECK_ALWAYS] = N_("always"),    [CHECK_NEVER] = N_("never"),   [CHECK_EVENTUALLY] = N_("eventually"),
        [CHECK_AT_END] = N_("at the end"), [CHECK_TRAFFIC] = N_("traffic"), [CHECK_STABLE] = N_("afterwards"),
    };
    return scenario_tr(run, WORDS[kind]);
}

/* Numbers are made into text before: a message id must not hold a length modifier of the machine. */
char *
scenario_identity(const ScenarioRun *run)
{
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, run->seed);
    return g_strdup_printf(scenario_tr(run, N_("Scenario %s, seed %s, hash %s, timonel %s")), run->scenario->name,
                           seed, run->hash, run->version);
}

char *
scenario_digest_line(const ScenarioRun *run)
{
    g_autofree char *digest = g_strdup_printf("%016" G_GINT64_MODIFIER "x", run->digest);
    return g_strdup_printf(scenario_tr(run, N_("Digest %s")), digest);
}

/* ---- time ---------------------------------------------------------------------------------------------------------- */

static void
look_around(ScenarioRun *run)
{
    int64_t now = world_now(run->world);
    int64_t revision = store_revision(cluster_store(world_cluster(run->world)));
    bool waits_for_time = scenario_checks_are_waiting(run);
    if (revision != run->seen_revision || waits_for_time)
        scenario_checks_look(run);
    run->seen_revision = revision;
    if (now >= run->next_sample_ns) {
        scenario_sample(run);
        run->next_sample_ns = now + SAMPLE_NS;
    }
    if (now >= run->next_look_ns) {
        oracles_look(run->oracles);
        run->next_look_ns = now + LOOK_NS;
    }
}

void
scenario_advance(ScenarioRun *run, int64_t until_ns)
{
    while (world_now(run->world) < until_ns) {
        world_run_until(run->world, MIN(world_now(run->world) + SLICE_NS, until_ns));
        look_around(run);
    }
}

/* ---- steps ----------------------------------------------------------------------------------------------------------- */

static void G_GNUC_PRINTF(3, 4)
step_fails(ScenarioRun *run, ScenarioStep *step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_free(step->reason);
    step->reason = g_strdup_vprintf(format, args);
    va_end(args);
    step->met = false;
    scenario_say(run, scenario_tr(run, N_("%10.3fs  FAILED: %s")), scenario_seconds(run, world_now(run->world)),
                 step->reason);
}

static bool
apply_source(ScenarioRun *run, const Value *source, GError **error)
{
    const char *word = value_text(source);
    if (strchr(word, '\n') != NULL)
        return world_apply(run->world, "inline manifest", word, error);
    g_autofree char *text = run->tools->read(SOURCE_MANIFEST, word, error, run->tools->data);
    return text != NULL && world_apply(run->world, word, text, error);
}

static void
step_apply(ScenarioRun *run, ScenarioStep *step, const Value *apply)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) list = value_is_array(apply) ? value_ref(apply) : value_new_f("[%v]", apply);
    VALUE_ARRAY_FOREACH (source, list)
        if (error == NULL && !apply_source(run, source, &error))
            step_fails(run, step, "%s", error->message);
}

static void
look_for_kubectl(void *data)
{
    look_around(data);
}

static void
step_kubectl_line(ScenarioRun *run, ScenarioStep *step, const char *line)
{
    bool fails = value_bool_at(step->spec, "fails");
    if (run->tools->kubectl == NULL) {
        step_fails(run, step, "%s", scenario_tr(run, N_("there is no kubectl here")));
        return;
    }
    scenario_say(run, "%10.3fs  $ kubectl %s", scenario_seconds(run, world_now(run->world)), line);
    g_autoptr(GString) output = g_string_new(NULL);
    int status = run->tools->kubectl(run->world, line, &(ScenarioPace){look_for_kubectl, run}, output, run->tools->data);
    say_lines(run, "             ", output->str);
    g_string_append_printf(step->output, "$ kubectl %s\n%s", line, output->str);
    if ((status != 0) != fails)
        step_fails(run, step, scenario_tr(run, N_("kubectl %s: exit status %d")), line, status);
}

static void
step_kubectl(ScenarioRun *run, ScenarioStep *step, const Value *kubectl)
{
    if (value_is_string(kubectl))
        step_kubectl_line(run, step, value_text(kubectl));
    VALUE_ARRAY_FOREACH (line, kubectl)
        step_kubectl_line(run, step, value_text(line));
}

static void
step_fault(ScenarioRun *run, ScenarioStep *step, const Value *spec)
{
    g_autoptr(GError) error = NULL;
    if (!world_fault(run->world, spec, "scenario", &error))
        step_fails(run, step, "%s", error->message);
    else if (!value_has(spec, "duration"))
        g_ptr_array_add(run->faults, value_ref(spec));
}

/* mend: "all", or the name of the step whose fault ends. */
static void
step_mend(ScenarioRun *run, ScenarioStep *step, const char *name)
{
    bool found = false;
    for (guint i = run->faults->len; i > 0; i--) {
        const Value *spec = run->faults->pdata[i - 1];
        bool named = strcmp(name, "all") == 0;
        VALUE_ARRAY_FOREACH (other, value_get(run->scenario->document, "steps"))
            if (value_get(other, "fault") == spec && strcmp(value_text_at(other, "name"), name) == 0)
                named = true;
        if (!named)
            continue;
        g_autoptr(GError) error = NULL;
        found = true;
        if (!world_fault_stop(run->world, spec, "scenario", &error))
            step_fails(run, step, "%s", error->message);
        g_ptr_array_remove_index(run->faults, i - 1);
    }
    if (!found)
        step_fails(run, step, scenario_tr(run, N_("mend: \"%s\": no such fault is in force")), name);
}

static void
step_wait(ScenarioRun *run, ScenarioStep *step, const Value *wait)
{
    int64_t within = WAIT_DEFAULT_NS;
    duration_parse(value_text_at(wait, "within"), &within, NULL);
    int64_t end = world_now(run->world) + within;
    g_auto(ExpectResult) result = {0};
    for (;;) {
        expect_check(run->world, value_get(wait, "expect"), &result);
        if (result.met || world_now(run->world) >= end)
            break;
        scenario_advance(run, MIN(world_now(run->world) + SLICE_NS, end));
    }
    if (!result.met) {
        step_fails(run, step, "%s", result.reason);
        step->why = scenario_why(run, result.subject);
    }
}

static void
play_step(ScenarioRun *run, ScenarioStep *step, int64_t last_end)
{
    int64_t when = 0;
    if (duration_parse(value_text_at(step->spec, "at"), &when, NULL))
        scenario_advance(run, run->zero_ns + when);
    else if (duration_parse(value_text_at(step->spec, "after"), &when, NULL))
        scenario_advance(run, last_end + when);
    step->start_ns = world_now(run->world);
    step->met = true;
    scenario_say(run, "%10.3fs  %s", scenario_seconds(run, step->start_ns), step->title);
    if (value_has(step->spec, "mend"))
        step_mend(run, step, value_text_at(step->spec, "mend"));
    if (value_has(step->spec, "fault"))
        step_fault(run, step, value_get(step->spec, "fault"));
    if (value_has(step->spec, "apply"))
        step_apply(run, step, value_get(step->spec, "apply"));
    if (value_has(step->spec, "kubectl"))
        step_kubectl(run, step, value_get(step->spec, "kubectl"));
    if (value_has(step->spec, "wait"))
        step_wait(run, step, value_get(step->spec, "wait"));
    step->end_ns = world_now(run->world);
    scenario_checks_reached(run, value_text_at(step->spec, "name"));
    scenario_traffic_reached(run, value_text_at(step->spec, "name"));
}

static void
step_free(void *data)
{
    ScenarioStep *step = data;
    g_free(step->reason);
    g_free(step->why);
    g_string_free(step->output, TRUE);
    g_free(step);
}

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

/* The scenario and every text that it names: two runs with one hash and one seed are the same run. */
static bool
hash_sources(ScenarioRun *run, const Value *cluster, GError **error)
{
    g_autoptr(GString) all = g_string_new(run->scenario->source);
    g_string_append_printf(all, "\ncluster %016" G_GINT64_MODIFIER "x", value_digest(cluster));
    VALUE_ARRAY_FOREACH (source, value_get(run->scenario->document, "manifests")) {
        if (strchr(value_text(source), '\n') != NULL)
            continue;
        g_autofree char *text =
            run->tools->read(SOURCE_MANIFEST, value_text(source), error, run->tools->data);
        if (text == NULL)
            return false;
        g_string_append(all, text);
    }
    g_autofree char *digest = text_sha256(all->str, all->len);
    run->hash = g_strndup(digest, 16);
    return true;
}

static bool
start(ScenarioRun *run, GError **error)
{
    g_autoptr(Value) cluster = scenario_cluster(value_get(run->scenario->document, "cluster"), run->tools, error);
    if (cluster == NULL || !hash_sources(run, cluster, error))
        return false;
    g_autofree char *identity = scenario_identity(run);
    scenario_say(run, "%s", identity);
    scenario_say(run, "%s", scenario_title(run->scenario, run->language));
    run->world = world_new(&(WorldOptions){.cluster = cluster, .seed = run->seed}, error);
    if (run->world == NULL)
        return false;
    run->zero_ns = world_now(run->world);
    run->oracles = oracles_new(run->world);
    if (run->options->trace != NULL)
        run->export = trace_export_new(world_trace(run->world), run->options->trace_format, true, run->options->trace,
                                       run->options->data);
    if (!world_become_ready(run->world, error))
        return false;
    run->zero_ns = world_now(run->world);
    scenario_say(run, scenario_tr(run, N_("%10.3fs  the cluster is ready: %zu nodes")), 0.0,
                 pmap_count(world_objects(run->world, "", "nodes")));
    VALUE_ARRAY_FOREACH (source, value_get(run->scenario->document, "manifests"))
        if (!apply_source(run, source, error))
            return false;
    return true;
}

static void
play(ScenarioRun *run)
{
    int64_t duration = 0;
    const Value *document = run->scenario->document;
    scenario_checks_init(run);
    scenario_checks_reached(run, NULL);
    scenario_traffic_init(run);
    scenario_traffic_reached(run, NULL);
    int64_t last_end = world_now(run->world);
    VALUE_ARRAY_FOREACH (spec, value_get(document, "steps")) {
        ScenarioStep *step = g_new0(ScenarioStep, 1);
        step->spec = spec;
        step->title = texts_get(value_get(spec, "title"), run->language);
        step->output = g_string_new(NULL);
        g_ptr_array_add(run->steps, step);
        play_step(run, step, last_end);
        last_end = step->end_ns;
    }
    duration_parse(value_text_at(document, "duration"), &duration, NULL);
    scenario_advance(run, run->zero_ns + duration);
    while (scenario_checks_are_waiting(run))
        scenario_advance(run, world_now(run->world) + SLICE_NS);
    scenario_checks_end(run);
    scenario_traffic_end(run);
    run->end_ns = world_now(run->world);
    scenario_checks_stable(run);
    oracles_look(run->oracles);
}

static void
conclude(ScenarioRun *run)
{
    size_t unmet = 0;
    for (guint i = 0; i < run->steps->len; i++)
        unmet += !((ScenarioStep *)run->steps->pdata[i])->met;
    for (guint i = 0; i < run->checks->len; i++) {
        const ScenarioCheck *check = run->checks->pdata[i];
        unmet += check->state != CHECK_MET;
        if (check->state == CHECK_MET)
            continue;
        scenario_say(run, scenario_tr(run, N_("Not met: %s: %s")), scenario_check_word(run, check->kind), check->title);
        scenario_say(run, "  %s", check->result.reason != NULL ? check->result.reason : "");
        if (check->why != NULL)
            scenario_say(run, scenario_tr(run, N_("  Why, newest first (%s):")), check->result.subject);
        say_lines(run, "    ", check->why != NULL ? check->why : "");
    }
    for (size_t i = 0; i < oracles_breach_count(run->oracles); i++) {
        const OracleBreach *breach = oracles_breach(run->oracles, i);
        scenario_say(run, scenario_tr(run, N_("Rule broken at %.3fs: %s: %s %s")),
                     scenario_seconds(run, breach->time_ns), scenario_tr(run, breach->class->title),
                     breach->subject, breach->text);
        unmet++;
    }
    run->met = unmet == 0;
    if (run->met)
        scenario_say(run, "%s", scenario_tr(run, N_("All is as expected.")));
    else
        scenario_say(run, scenario_tr(run, N_("%zu things are not as expected.")), unmet);
    run->digest = engine_digest(world_engine(run->world));
    g_autofree char *digest = scenario_digest_line(run);
    scenario_say(run, "%s", digest);
}

ScenarioRun *
scenario_run(const Scenario *scenario, const ScenarioOptions *options, const ScenarioTools *tools, GError **error)
{
    ScenarioRun *run = g_new0(ScenarioRun, 1);
    run->scenario = scenario;
    run->options = options;
    run->tools = tools;
    run->seed = options->seed != 0 ? options->seed : scenario_seed(scenario, 0);
    run->language = g_strdup(options->language != NULL ? options->language : "en");
    run->version = g_strdup(options->version != NULL ? options->version : "");
    run->steps = g_ptr_array_new_with_free_func(step_free);
    run->checks = g_ptr_array_new_with_free_func(scenario_check_free);
    run->faults = g_ptr_array_new_with_free_func((GDestroyNotify)value_unref);
    run->traffic = g_ptr_array_new_with_free_func(scenario_traffic_free);
    run->samples = g_array_new(FALSE, FALSE, sizeof(ScenarioSample));
    run->nodes = oracle_tree_new(NULL);
    if (!start(run, error)) {
        scenario_run_free(run);
        return NULL;
    }
    play(run);
    conclude(run);
    g_clear_pointer(&run->export, trace_export_free);
    run->options = NULL;
    return run;
}

void
scenario_run_free(ScenarioRun *run)
{
    if (run == NULL)
        return;
    trace_export_free(run->export);
    oracles_free(run->oracles);
    g_ptr_array_unref(run->traffic);
    world_free(run->world);
    g_ptr_array_unref(run->steps);
    g_ptr_array_unref(run->checks);
    g_ptr_array_unref(run->faults);
    g_array_unref(run->samples);
    g_tree_unref(run->nodes);
    g_free(run->hash);
    g_free(run->language);
    g_free(run->version);
    g_free(run);
}

bool
scenario_run_met(const ScenarioRun *run)
{
    return run->met;
}

uint64_t
scenario_run_digest(const ScenarioRun *run)
{
    return run->digest;
}
