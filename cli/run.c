/* timonel run: plays scenarios. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/play.h"
#include "core/base/embed.h"
#include "core/base/error.h"
#include "sim/scenario/scenario.h"

extern const EmbeddedFile MANIFESTS[];

#define FOLDER "scenarios/"

typedef struct RunOptions {
    char *trace, *report, *junit, *language;
    gint64 seed;
    gboolean quiet;
} RunOptions;

static void
run_options_clear(RunOptions *options)
{
    g_free(options->trace);
    g_free(options->report);
    g_free(options->junit);
    g_free(options->language);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RunOptions, run_options_clear)

typedef struct Output {
    const RunOptions *options;
    FILE *trace;
} Output;

static void
say(const char *line, void *data)
{
    puts(line);
    fflush(stdout);
}

static void
say_nothing(const char *line, void *data)
{
}

static void
write_trace(const char *bytes, size_t length, void *data)
{
    Output *output = data;
    fwrite(bytes, 1, length, output->trace);
}

static char *
builtin_name(const char *path)
{
    return g_strndup(path + strlen(FOLDER), strlen(path) - strlen(FOLDER) - strlen(".yaml"));
}

static int
list(const char *language)
{
    for (const EmbeddedFile *file = MANIFESTS; file->name != NULL; file++) {
        if (!g_str_has_prefix(file->name, FOLDER))
            continue;
        g_autoptr(Scenario) scenario = scenario_parse(file->name, file->text, NULL);
        g_autofree char *name = builtin_name(file->name);
        printf("%-20s %s\n", name, scenario != NULL ? scenario_title(scenario, language) : "");
    }
    fprintf(stderr, "%s\n", _("`timonel run NAME` or `timonel run FILE` plays one."));
    return EXIT_DONE;
}

static Scenario *
load(const char *word, GError **error)
{
    g_autofree char *builtin = g_strdup_printf(FOLDER "%s.yaml", word);
    const EmbeddedFile *file = embedded_file(MANIFESTS, builtin);
    if (file != NULL && !g_file_test(word, G_FILE_TEST_IS_REGULAR))
        return scenario_parse(word, file->text, error);
    g_autofree char *text = NULL;
    if (!g_file_test(word, G_FILE_TEST_EXISTS)) {
        fail(error, TIMONEL_ERROR_NOT_FOUND,
             _("\"%s\": no such file, and no scenario of that name; `timonel run` lists them"), word);
        return NULL;
    }
    return g_file_get_contents(word, &text, NULL, error) ? scenario_parse(word, text, error) : NULL;
}

/* The last seed's files stay when there are several. */
static gboolean
write_reports(const ScenarioRun *run, const RunOptions *options, GError **error)
{
    g_autofree char *html = options->report != NULL ? scenario_run_html(run) : NULL;
    g_autofree char *junit = options->junit != NULL ? scenario_run_junit(run) : NULL;
    return (html == NULL || g_file_set_contents(options->report, html, -1, error)) &&
           (junit == NULL || g_file_set_contents(options->junit, junit, -1, error));
}

static int
play(const Scenario *scenario, uint64_t seed, const RunOptions *options, const char *language, GError **error)
{
    Output output = {.options = options};
    const ScenarioTools tools = play_tools(NULL);
    if (options->trace != NULL && (output.trace = fopen(options->trace, "w")) == NULL) {
        fail(error, TIMONEL_ERROR_IO, "%s: %s", options->trace, g_strerror(errno));
        return EXIT_FAILED;
    }
    const ScenarioOptions play = {
        .seed = seed,
        .language = language,
        .version = TIMONEL_VERSION,
        .say = options->quiet ? say_nothing : say,
        .trace = output.trace != NULL ? write_trace : NULL,
        .trace_format = options->trace != NULL && g_str_has_suffix(options->trace, ".chrome.json")
                            ? TRACE_FORMAT_CHROME
                            : TRACE_FORMAT_JSON_LINES,
        .data = &output,
    };
    g_autoptr(ScenarioRun) run = scenario_run(scenario, &play, &tools, error);
    if (output.trace != NULL && fclose(output.trace) != 0 && run != NULL) {
        fail(error, TIMONEL_ERROR_IO, "%s: %s", options->trace, g_strerror(errno));
        return EXIT_FAILED;
    }
    if (run == NULL || !write_reports(run, options, error))
        return EXIT_FAILED;
    return scenario_run_met(run) ? EXIT_DONE : EXIT_UNMET;
}

static int
play_file(const char *word, const RunOptions *options, const char *language, GError **error)
{
    g_autoptr(Scenario) scenario = load(word, error);
    int worst = EXIT_DONE;
    if (scenario == NULL)
        return EXIT_FAILED;
    size_t count = options->seed != 0 ? 1 : scenario_seed_count(scenario);
    for (size_t i = 0; i < count && worst != EXIT_FAILED; i++) {
        uint64_t seed = options->seed != 0 ? (uint64_t)options->seed : scenario_seed(scenario, i);
        int status = play(scenario, seed, options, language, error);
        worst = status == EXIT_FAILED ? EXIT_FAILED : MAX(worst, status);
    }
    return worst;
}

static int
run_run(int argc, char **argv)
{
    extern const Command COMMAND_RUN;
    g_auto(RunOptions) options = {0};
    g_autoptr(GError) error = NULL;
    int status = EXIT_DONE;
    const GOptionEntry entries[] = {
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options.seed, N_("Seed of all that is random, in place of the file's"), "N"},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &options.trace,
         N_("Write all that happens: JSON lines, or Chrome's trace format for *.chrome.json"), "FILE"},
        {"report", 0, 0, G_OPTION_ARG_FILENAME, &options.report, N_("Write a page with pictures"), "FILE.html"},
        {"junit", 0, 0, G_OPTION_ARG_FILENAME, &options.junit, N_("Write a JUnit report"), "FILE.xml"},
        {"lang", 0, 0, G_OPTION_ARG_STRING, &options.language, N_("Language: en or es"), "LANG"},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options.quiet, N_("Say nothing: the exit status tells"), NULL},
        {NULL}};
    if (!command_parse(&COMMAND_RUN, entries, &argc, &argv, &status))
        return status;
    if (options.seed < 0)
        return command_usage(&COMMAND_RUN, _("--seed: must be a number from 1"));
    const char *language = play_language(options.language, &error);
    if (language == NULL)
        return command_usage(&COMMAND_RUN, "%s", error->message);
    if (argc < 2)
        return list(language);
    for (int i = 1; i < argc && error == NULL; i++) {
        int one = play_file(argv[i], &options, language, &error);
        status = MAX(status, one);
    }
    return error != NULL ? command_failed(&COMMAND_RUN, error) : status;
}

const Command COMMAND_RUN = {"run", "[--seed N] [--report FILE.html] [NAME|FILE...]",
                             N_("Plays scenarios; without an argument, lists them"), run_run};
