/* The scenarios that come with the program end as they say. */
#include <string.h>

#include "cli/play.h"
#include "core/base/embed.h"
#include "sim/scenario/scenario.h"
#include "tests/support/runner.h"

TCase *builtin_suite(void);
extern const EmbeddedFile MANIFESTS[];

static void
keep(const char *line, void *data)
{
    g_string_append_printf(data, "%s\n", line);
}

START_TEST(every_built_in_scenario_is_met)
{
    const ScenarioTools tools = play_tools(NULL);
    unsigned count = 0;
    for (const EmbeddedFile *file = MANIFESTS; file->name != NULL; file++) {
        if (!g_str_has_prefix(file->name, "scenarios/"))
            continue;
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) said = g_string_new(NULL);
        g_autoptr(Scenario) scenario = scenario_parse(file->name, file->text, &error);
        ck_assert_msg(scenario != NULL, "%s", error != NULL ? error->message : "");
        ck_assert_str_ne(scenario_title(scenario, "es"), scenario_title(scenario, "en"));
        const ScenarioOptions options = {.language = "en", .version = "test", .say = keep, .data = said};
        g_autoptr(ScenarioRun) run = scenario_run(scenario, &options, &tools, &error);
        ck_assert_msg(run != NULL, "%s", error != NULL ? error->message : "");
        ck_assert_msg(scenario_run_met(run), "%s:\n%s", file->name, said->str);
        count++;
    }
    ck_assert_uint_ge(count, 2);
}
END_TEST

TCase *
builtin_suite(void)
{
    return test_case("builtin", every_built_in_scenario_is_met);
}
