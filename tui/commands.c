/* What can be typed behind a colon: one line in a table each; any other word is a kind. */
#include <glib/gi18n.h>
#include <string.h>

#include "tui/state.h"

typedef struct TuiCommand {
    const char *name;
    void (*run)(TuiState *state, const char *argument);
} TuiCommand;

static void
run_quit(TuiState *state, const char *argument)
{
    while (state->views->len > 1)
        tui_pop(state);
    tui_update(state, &(TuiEvent){.type = TUI_EVENT_KEY, .key = 'q'});
}

static void
run_cluster(TuiState *state, const char *argument)
{
    while (state->views->len > 1)
        tui_pop(state);
}

#define SIMPLE_COMMAND(name, function)                                                             \
    static void name(TuiState *state, const char *argument)                                        \
    {                                                                                              \
        function(state);                                                                           \
    }
SIMPLE_COMMAND(run_help, open_help)
SIMPLE_COMMAND(run_faults, fault_menu)
SIMPLE_COMMAND(run_yaml, open_yaml)
SIMPLE_COMMAND(run_describe, open_describe)
SIMPLE_COMMAND(run_logs, open_logs)
SIMPLE_COMMAND(run_why, open_why)
SIMPLE_COMMAND(run_verdict, open_verdict)
SIMPLE_COMMAND(run_output, open_transcript)
SIMPLE_COMMAND(run_next, lesson_next)
SIMPLE_COMMAND(run_hint, lesson_hint)
SIMPLE_COMMAND(run_check, lesson_check)
SIMPLE_COMMAND(run_lesson, lesson_toggle)

static void
run_kubectl(TuiState *state, const char *argument)
{
    if (*argument != '\0')
        kubectl_run_in_pane(state, argument);
}

static const TuiCommand COMMANDS[] = {
    {"check", run_check},     {"cluster", run_cluster}, {"describe", run_describe},
    {"faults", run_faults},   {"help", run_help},       {"hint", run_hint},
    {"kubectl", run_kubectl}, {"lesson", run_lesson},   {"logs", run_logs},
    {"next", run_next},       {"output", run_output},   {"quit", run_quit},
    {"verdict", run_verdict}, {"why", run_why},         {"yaml", run_yaml},
};

static const TuiCommand *
find_command(const char *name)
{
    if (strcmp(name, "q") == 0 || strcmp(name, "q!") == 0)
        name = "quit";
    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
        if (strcmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    return NULL;
}

/* "pods", "pods kube-system", "pods -A", "pods /web". */
static void
open_kind(TuiState *state, const char *word, const char *argument)
{
    const char *namespace_ = NULL, *filter = NULL;
    if (*argument == '/')
        filter = argument + 1;
    else if (*argument != '\0' && strcmp(argument, "-A") != 0)
        namespace_ = argument;
    TuiView *view = view_table_new(state, word, namespace_);
    if (view == NULL) {
        g_auto(GStrv) near = api_types_near(world_types(live_world(state->live)), word, 3);
        g_autofree char *names = near != NULL ? g_strjoinv(", ", near) : g_strdup("");
        tui_note(state, STYLE_BAD, _("\"%s\" is neither a command nor a kind%s%s"), word,
                 *names != '\0' ? _("; near to it: ") : "", names);
        return;
    }
    tui_push(state, view);
    if (filter != NULL)
        view->class->filter(view, state, filter);
}

void
command_run(TuiState *state, const char *line)
{
    g_autofree char *text = g_strstrip(g_strdup(line));
    char *argument = strchr(text, ' ');
    if (argument != NULL) {
        *argument++ = '\0';
        argument = g_strstrip(argument);
    }
    if (*text == '\0')
        return;
    const TuiCommand *command = find_command(text);
    if (command != NULL)
        command->run(state, argument != NULL ? argument : "");
    else
        open_kind(state, text, argument != NULL ? argument : "");
}

static int
compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Namespaces for the second word, commands and kinds for the first. */
char **
command_complete(TuiState *state, const char *line)
{
    World *world = live_world(state->live);
    const char *space = strrchr(line, ' '), *begin = space != NULL ? space + 1 : line;
    GPtrArray *words = g_ptr_array_new();
    if (space != NULL) {
        PMap *namespaces = world_objects(world, "", "namespaces");
        PMapIter iter = {0};
        if (namespaces != NULL)
            iter = pmap_seek_prefix(namespaces, begin);
        while (namespaces != NULL && pmap_next(&iter))
            g_ptr_array_add(words, g_strdup(iter.key));
    } else {
        for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++)
            if (g_str_has_prefix(COMMANDS[i].name, begin))
                g_ptr_array_add(words, g_strdup(COMMANDS[i].name));
        for (size_t i = 0; i < api_types_count(world_types(world)); i++) {
            const ApiKind *kind = api_types_item(world_types(world), i);
            if ((kind->verbs & API_VERB_LIST) != 0 && g_str_has_prefix(kind->resource, begin) &&
                !g_ptr_array_find_with_equal_func(words, kind->resource, g_str_equal, NULL))
                g_ptr_array_add(words, g_strdup(kind->resource));
        }
    }
    g_ptr_array_sort(words, compare_words);
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}
