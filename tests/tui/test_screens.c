/* Screens as text: each file of screens/ is a script with the screens that are expected, driven by
 * a real world in virtual time. TUI_SCREENS_WRITE=1 writes what is shown into the files, to be
 * looked at before it is committed.
 *
 *   size 80x24        ascii        pod NAME        run SECONDS        keys TEXT<Enter>
 *   screen            followed by lines that begin with "|"; cells in reverse are listed as
 * "reverse TEXT" behind them
 *
 * What depends on the random stream or on timing of other parts is masked: rates, name suffixes,
 * times, digests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tui/suites.h"

static const char *const FILES[] = {"cluster", "table", "texts", "break",
                                    "narrow",  "wide",  "lesson"};

/* Each is replaced by as many '#' as it has characters. */
static const char *const MASKS[] = {
    "\\d\\d:\\d\\d:\\d\\d\\.\\d+",
    "[◂▸<>] +[0-9.]+/s[^│|\n]*",
    "(?<=-)[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9])",
    "(?<=-)[bcdfghjklmnpqrstvwxz2456789]{8,10}(?![a-z0-9])",
    "(?<=-)[^ -]{1,12}[…~]",
    "\\b[0-9a-f]{16}\\b",
    "event \\d+",
    "10\\.244\\.\\d+\\.\\d+",
    "\\b\\d+(m\\d+)?s\\b",
    "[─•✖]{6}(?= [●◐✖])",
};

static gboolean
mask_match(const GMatchInfo *match, GString *result, gpointer data)
{
    g_autofree char *text = g_match_info_fetch(match, 0);
    for (glong i = g_utf8_strlen(text, -1); i > 0; i--)
        g_string_append_c(result, '#');
    return FALSE;
}

static char *
mask(const char *text)
{
    char *masked = g_strdup(text);
    for (size_t i = 0; i < G_N_ELEMENTS(MASKS); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GRegex) regex = g_regex_new(MASKS[i], G_REGEX_MULTILINE, 0, &error);
        ck_assert_msg(regex != NULL, "%s", error != NULL ? error->message : "");
        char *next = g_regex_replace_eval(regex, masked, -1, 0, 0, mask_match, NULL, &error);
        ck_assert_msg(next != NULL, "%s", error != NULL ? error->message : "");
        g_free(masked);
        masked = next;
    }
    return masked;
}

/* ---- a lesson to show
 * ------------------------------------------------------------------------------------------- */

typedef struct Lesson {
    TuiLesson base;
    int step;
    const char *feedback;
} Lesson;

static const char *
lesson_title(TuiLesson *lesson)
{
    return "A first pod";
}

static const char *
lesson_text(TuiLesson *lesson)
{
    return "A pod is the smallest thing that Kubernetes runs. Make one:\n$ kubectl run web "
           "--image=nginx\nThen look at it in the picture.";
}

static void
lesson_step(TuiLesson *lesson, int *ret_step, int *ret_steps)
{
    *ret_step = ((Lesson *)lesson)->step;
    *ret_steps = 3;
}

static TuiLessonState
lesson_state(TuiLesson *lesson, World *world)
{
    return world_peek(world, "", "pods", "default", "web") != NULL ? TUI_LESSON_MET
                                                                   : TUI_LESSON_WORKING;
}

static const char *
lesson_feedback(TuiLesson *lesson)
{
    return ((Lesson *)lesson)->feedback;
}

static void
test_lesson_next(TuiLesson *lesson, World *world)
{
    if (lesson_state(lesson, world) == TUI_LESSON_MET)
        ((Lesson *)lesson)->step++;
    else
        ((Lesson *)lesson)->feedback = "There is no pod called web yet.";
}

static void
test_lesson_hint(TuiLesson *lesson, World *world)
{
    ((Lesson *)lesson)->feedback = "Press ! and type the command.";
}

static const TuiLessonOps LESSON_OPS = {
    .title = lesson_title,
    .text = lesson_text,
    .step = lesson_step,
    .state = lesson_state,
    .feedback = lesson_feedback,
    .next = test_lesson_next,
    .hint = test_lesson_hint,
    .check = test_lesson_hint,
};

/* ---- the player
 * ---------------------------------------------------------------------------------------------------
 */

typedef struct Player {
    Live *live;
    Lesson lesson;
    TuiOptions options;
    TuiState *state;
    bool ascii;
} Player;

static void
append_reversed(GString *out, const CellGrid *grid)
{
    for (int y = 0; y < grid->height; y++) {
        GString *run = g_string_new(NULL);
        for (int x = 0; x < grid->width; x++) {
            const Cell *cell = grid_cell(grid, x, y);
            if ((cell->style & STYLE_REVERSE) != 0 && cell->width > 0)
                g_string_append_unichar(run, cell->character);
        }
        g_strchomp(run->str);
        if (*run->str != '\0')
            g_string_append_printf(out, "reverse %s\n", run->str);
        g_string_free(run, TRUE);
    }
}

static void
append_screen(Player *player, GString *out)
{
    g_autoptr(CellGrid) grid = grid_new(player->state->width, player->state->height, player->ascii);
    tui_update(player->state, &(TuiEvent){.type = TUI_EVENT_MOVED});
    tui_render(player->state, grid);
    g_autofree char *text = grid_text(grid);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (int y = 0; y < grid->height; y++)
        g_string_append_printf(out, "|%s\n", lines[y]);
    append_reversed(out, grid);
}

static void
play_line(Player *player, const char *line, GString *out)
{
    int width, height;
    g_string_append_printf(out, "%s\n", line);
    if (sscanf(line, "size %dx%d", &width, &height) == 2)
        tui_update(player->state,
                   &(TuiEvent){.type = TUI_EVENT_RESIZE, .width = width, .height = height});
    else if (strcmp(line, "ascii") == 0)
        player->ascii = true;
    else if (strcmp(line, "lesson") == 0)
        player->options.lesson = &player->lesson.base, player->state->lesson_shown = true;
    else if (g_str_has_prefix(line, "pod "))
        live_add_pod(player->live, line + 4);
    else if (g_str_has_prefix(line, "run "))
        live_step_for(player->live, atoi(line + 4) * NS_PER_S);
    else if (g_str_has_prefix(line, "keys "))
        type_keys(player->state, line + 5);
    else if (strcmp(line, "screen") == 0)
        append_screen(player, out);
    else
        ck_assert_msg(*line == '\0' || *line == '#', "what is \"%s\"?", line);
}

/* What the file would be if all were as it is now. */
static char *
play(const char *script)
{
    Player player = {
        .live = live_for_test(),
        .lesson = {.base = {.ops = &LESSON_OPS}, .step = 1, .feedback = ""},
        .options = {.cluster_name = "test", .can_keep = true, .kubectl = kubectl_for_test}};
    player.state = tui_state_new(player.live, &player.options, 80, 24);
    g_autoptr(GString) out = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(script, "\n", -1);
    for (size_t i = 0; lines[i] != NULL; i++) {
        bool result = lines[i][0] == '|' || g_str_has_prefix(lines[i], "reverse ");
        if (!result && (lines[i + 1] != NULL || *lines[i] != '\0'))
            play_line(&player, lines[i], out);
    }
    tui_state_free(player.state);
    live_free(player.live);
    return mask(out->str);
}

START_TEST(a_script_of_keys_shows_the_expected_screens)
{
    g_autofree char *path = g_strdup_printf("%s/%s.txt", TUI_SCREENS_DIR, FILES[_i]);
    g_autofree char *expected = NULL;
    ck_assert(g_file_get_contents(path, &expected, NULL, NULL));
    g_autofree char *shown = play(expected);
    if (g_getenv("TUI_SCREENS_WRITE") != NULL)
        ck_assert(g_file_set_contents(path, shown, -1, NULL));
    else
    {
        bool same = strcmp(shown, expected) == 0;
        if (!same) /* longer than a message of Check may be */
            fprintf(stderr, "%s.txt differs; shown is:\n%s\n", FILES[_i], shown);
        ck_assert_msg(same, "%s.txt differs", FILES[_i]);
    }
}
END_TEST

TCase *
screens_case(void)
{
    TCase *tcase = tcase_create("screens");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_script_of_keys_shows_the_expected_screens, 0,
                        (int)G_N_ELEMENTS(FILES));
    return tcase;
}
