#include "sim/scenario/scenario_private.h"

static void G_GNUC_PRINTF(5, 6)
test_case(GString *out, const ScenarioRun *run, double seconds, const char *failure, const char *name_format, ...)
{
    va_list args;
    va_start(args, name_format);
    g_autofree char *name = g_strdup_vprintf(name_format, args);
    va_end(args);
    g_autofree char *safe_name = g_markup_escape_text(name, -1);
    g_autofree char *class = g_markup_escape_text(run->scenario->name, -1);
    g_string_append_printf(out, "  <testcase classname=\"%s\" name=\"%s\" time=\"%.3f\"", class, safe_name, seconds);
    if (failure == NULL) {
        g_string_append(out, "/>\n");
        return;
    }
    g_autofree char *safe = g_markup_escape_text(failure, -1);
    g_string_append_printf(out, ">\n    <failure message=\"not met\">%s</failure>\n  </testcase>\n", safe);
}

static char *
failure_text(const char *reason, const char *why)
{
    return g_strdup_printf("%s%s%s", reason != NULL ? reason : "", why != NULL ? "\n" : "", why != NULL ? why : "");
}

char *
scenario_run_junit(const ScenarioRun *run)
{
    GString *cases = g_string_new(NULL);
    size_t count = 0, failures = 0;
    for (guint i = 0; i < run->steps->len; i++, count++) {
        const ScenarioStep *step = run->steps->pdata[i];
        g_autofree char *failure = step->met ? NULL : failure_text(step->reason, step->why);
        failures += !step->met;
        test_case(cases, run, (double)(step->end_ns - step->start_ns) / NS_PER_S, failure, "%s", step->title);
    }
    for (guint i = 0; i < run->checks->len; i++, count++) {
        const ScenarioCheck *check = run->checks->pdata[i];
        bool met = check->state == CHECK_MET;
        g_autofree char *failure = met ? NULL : failure_text(check->result.reason, check->why);
        failures += !met;
        test_case(cases, run, (double)(check->decided_ns - check->from_ns) / NS_PER_S, failure, "%s: %s",
                  scenario_check_word(run, check->kind), check->title);
    }
    for (size_t i = 0; i < oracle_class_count(); i++, count++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (size_t k = 0; k < oracles_breach_count(run->oracles); k++) {
            const OracleBreach *breach = oracles_breach(run->oracles, k);
            if (breach->class == oracle_class_item(i))
                g_string_append_printf(text, "%.3fs %s %s\n", scenario_seconds(run, breach->time_ns), breach->subject,
                                       breach->text);
        }
        failures += text->len > 0;
        test_case(cases, run, 0, text->len > 0 ? text->str : NULL, "rule: %s", oracle_class_item(i)->name);
    }
    g_autofree char *name = g_markup_escape_text(run->scenario->name, -1);
    char *all = g_strdup_printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                "<testsuite name=\"%s\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.3f\">\n"
                                "  <properties>\n    <property name=\"seed\" value=\"%" G_GUINT64_FORMAT "\"/>\n"
                                "    <property name=\"digest\" value=\"%016" G_GINT64_MODIFIER "x\"/>\n  </properties>\n"
                                "%s</testsuite>\n",
                                name, count, failures, scenario_seconds(run, run->end_ns), run->seed, run->digest,
                                cases->str);
    g_string_free(cases, TRUE);
    return all;
}
