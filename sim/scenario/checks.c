/* Expectations over time. A check waits for its step (`from`), is looked at whenever something was written, and is decided:
 *
 *   WAITING --from--> RUNNING --always: broke; never: came; eventually: too late--> UNMET
 *                             --always, never: until or the end; eventually: came--> MET
 */
#include <glib/gi18n.h>
#include <string.h>

#include "core/base/duration.h"
#include "sim/engine/why.h"
#include "sim/scenario/scenario_private.h"
#include "sim/scenario/texts.h"

#define WITHIN_DEFAULT_NS (5 * 60 * NS_PER_S)
#define STABLE_WITHIN_NS (20 * 60 * NS_PER_S)
#define STABLE_STAYS_NS (60 * NS_PER_S)

static int64_t
duration_of(const Value *map, const char *field, int64_t otherwise)
{
    int64_t ns = otherwise;
    duration_parse(value_text_at(map, field), &ns, NULL);
    return ns;
}

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static ScenarioCheck *
check_add(ScenarioRun *run, CheckKind kind, const Value *spec)
{
    ScenarioCheck *check = g_new0(ScenarioCheck, 1);
    check->kind = kind;
    check->spec = spec;
    check->title = texts_get(value_get(spec, "title"), run->language);
    check->within_ns = duration_of(spec, "within", WITHIN_DEFAULT_NS);
    g_ptr_array_add(run->checks, check);
    return check;
}

void
scenario_check_free(void *data)
{
    ScenarioCheck *check = data;
    expect_result_clear(&check->result);
    g_free(check->why);
    g_free(check);
}

void
scenario_checks_init(ScenarioRun *run)
{
    static const char *const NAMES[] = {"always", "never", "eventually", "atEnd"};
    static const CheckKind KINDS[] = {CHECK_ALWAYS, CHECK_NEVER, CHECK_EVENTUALLY, CHECK_AT_END};
    const Value *expectations = value_get(run->scenario->document, "expectations");
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
        VALUE_ARRAY_FOREACH (spec, value_get(expectations, NAMES[i]))
            check_add(run, KINDS[i], spec);
}

/* ---- deciding --------------------------------------------------------------------------------------------------------- */

char *
scenario_why(ScenarioRun *run, const char *subject)
{
    if (subject == NULL)
        return NULL;
    const WhyOptions options = {.epoch = run->zero_ns,
                                .translate = run->tools->translate,
                                .translate_data = run->tools->data};
    return why_subject(world_trace(run->world), subject, &options);
}

static void
decide(ScenarioRun *run, ScenarioCheck *check, CheckState state)
{
    check->state = state;
    check->decided_ns = world_now(run->world);
    if (state == CHECK_UNMET)
        check->why = scenario_why(run, check->result.subject);
    /* message: when, what kind of expectation, its title */
    scenario_say(run, scenario_tr(run, state == CHECK_MET ? N_("%10.3fs  met: %s: %s") : N_("%10.3fs  NOT MET: %s: %s")),
                 scenario_seconds(run, check->decided_ns), scenario_check_word(run, check->kind), check->title);
    if (state == CHECK_UNMET)
        scenario_say(run, "             %s", check->result.reason);
}

static void
look(ScenarioRun *run, ScenarioCheck *check)
{
    int64_t now = world_now(run->world);
    expect_check(run->world, value_get(check->spec, "expect"), &check->result);
    bool holds = check->result.met;
    if (check->kind == CHECK_EVENTUALLY && holds)
        decide(run, check, CHECK_MET);
    else if (check->kind == CHECK_EVENTUALLY && now - check->from_ns >= check->within_ns)
        decide(run, check, CHECK_UNMET);
    else if ((check->kind == CHECK_ALWAYS && !holds) || (check->kind == CHECK_NEVER && holds))
        decide(run, check, CHECK_UNMET);
}

static bool
is_at(const Value *spec, const char *point, const char *step)
{
    const char *named = value_string(value_get(spec, point));
    return step == NULL ? named == NULL && strcmp(point, "from") == 0 : named != NULL && strcmp(named, step) == 0;
}

void
scenario_checks_reached(ScenarioRun *run, const char *step)
{
    for (guint i = 0; i < run->checks->len; i++) {
        ScenarioCheck *check = run->checks->pdata[i];
        if (check->state == CHECK_RUNNING && check->kind != CHECK_EVENTUALLY && is_at(check->spec, "until", step))
            decide(run, check, CHECK_MET);
        if (check->state == CHECK_WAITING && check->kind != CHECK_AT_END && is_at(check->spec, "from", step)) {
            check->state = CHECK_RUNNING;
            check->from_ns = world_now(run->world);
        }
    }
}

void
scenario_checks_look(ScenarioRun *run)
{
    for (guint i = 0; i < run->checks->len; i++) {
        ScenarioCheck *check = run->checks->pdata[i];
        if (check->state == CHECK_RUNNING && check->kind != CHECK_STABLE)
            look(run, check);
    }
}

bool
scenario_checks_are_waiting(const ScenarioRun *run)
{
    for (guint i = 0; i < run->checks->len; i++) {
        const ScenarioCheck *check = run->checks->pdata[i];
        if (check->kind == CHECK_EVENTUALLY && check->state == CHECK_RUNNING)
            return true;
    }
    return false;
}

/* One whose step never came was never looked at: that is not met, and said so. */
void
scenario_checks_end(ScenarioRun *run)
{
    for (guint i = 0; i < run->checks->len; i++) {
        ScenarioCheck *check = run->checks->pdata[i];
        if (check->state == CHECK_MET || check->state == CHECK_UNMET)
            continue;
        bool reached = check->state == CHECK_RUNNING || check->kind == CHECK_AT_END;
        if (reached)
            expect_check(run->world, value_get(check->spec, "expect"), &check->result);
        else
            check->result.reason = g_strdup(scenario_tr(run, N_("its step was never reached")));
        bool holds = reached && check->result.met;
        bool met = check->kind == CHECK_NEVER ? reached && !holds : holds;
        decide(run, check, met ? CHECK_MET : CHECK_UNMET);
    }
}

void
scenario_checks_add(ScenarioRun *run, CheckKind kind, const char *title, bool met, const char *reason)
{
    ScenarioCheck *check = check_add(run, kind, NULL);
    check->title = title;
    check->from_ns = world_now(run->world);
    check->result.met = met;
    check->result.reason = g_strdup(reason);
    decide(run, check, met ? CHECK_MET : CHECK_UNMET);
    if (met)
        scenario_say(run, "             %s", reason);
}

/* ---- eventually stable reconciliation ---------------------------------------------------------------------------------------- */

static void
mend_all(ScenarioRun *run)
{
    for (guint i = run->faults->len; i > 0; i--) {
        const Value *spec = run->faults->pdata[i - 1];
        const FaultClass *class = fault_class(value_text_at(spec, "type"));
        if (class != NULL && class->stop != NULL)
            world_fault_stop(run->world, spec, "scenario", NULL);
    }
    g_ptr_array_set_size(run->faults, 0);
}

static bool
is_reconciled(ScenarioRun *run, ScenarioCheck *check)
{
    expect_result_clear(&check->result);
    check->result.met = world_is_reconciled(run->world, &check->result.reason, &check->result.subject);
    return check->result.met;
}

void
scenario_checks_stable(ScenarioRun *run)
{
    const Value *stable = value_get(run->scenario->document, "stable");
    if (value_type(stable) == VALUE_BOOL && !value_bool(stable))
        return;
    ScenarioCheck *check = check_add(run, CHECK_STABLE, NULL);
    check->title = scenario_tr(run, N_("with every fault mended, what is equals what was asked for, and stays so"));
    check->state = CHECK_RUNNING;
    check->from_ns = world_now(run->world);
    int64_t within = duration_of(run->scenario->document, "stable", STABLE_WITHIN_NS);
    mend_all(run);
    int64_t since = is_reconciled(run, check) ? world_now(run->world) : -1;
    while (since < 0 || world_now(run->world) - since < STABLE_STAYS_NS) {
        if (world_now(run->world) - check->from_ns >= within + STABLE_STAYS_NS)
            break;
        scenario_advance(run, world_now(run->world) + NS_PER_S);
        if (!is_reconciled(run, check))
            since = -1;
        else if (since < 0)
            since = world_now(run->world);
    }
    decide(run, check, check->result.met && since >= 0 ? CHECK_MET : CHECK_UNMET);
}
