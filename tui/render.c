/* Header, body, hint line, status line; prompt and menu over them. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/base/timestamp.h"
#include "tui/state.h"

#define WIDTH_MIN 20
#define HEIGHT_MIN 5

char *
tui_clock_text(int64_t ns)
{
    g_autofree char *text = timestamp_nano_text(ns); /* 2026-01-01T00:00:12.345678901Z */
    text[10] = ' ';
    return g_strndup(text, 23);
}

/* "paused", "max", "x1", "x0.5". */
static char *
pace_text(const Pace *pace)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (pace->mode == PACE_PAUSED)
        return g_strdup(_("paused"));
    if (pace->mode == PACE_MAX)
        return g_strdup(_("max"));
    g_ascii_formatd(number, sizeof number, "%g", (double)pace->factor / 1000);
    return g_strdup_printf("×%s", number);
}

static void
render_header(const TuiState *state, CellGrid *grid)
{
    g_autofree char *clock = tui_clock_text(state->facts.now);
    g_autofree char *pace = pace_text(live_pace(state->live));
    bool paused = live_pace(state->live)->mode == PACE_PAUSED;
    const char *time = state->width < 60 ? clock + strlen("2026-01-01 ") : clock;
    g_autofree char *right = g_strdup_printf("%.*s %s ", (int)strlen(time) - 2, time, pace);
    int room = state->width - text_columns(right) - 1, x = 0;
    grid_put_right(grid, 0, 0, state->width, paused ? STYLE_BUSY | STYLE_BOLD : STYLE_TITLE, right);
    x += grid_putf(grid, x, 0, room - x, STYLE_TITLE | STYLE_BOLD, " %s", _("Timonel"));
    if (state->options->cluster_name != NULL && state->width >= 60)
        x += grid_putf(grid, x, 0, room - x, STYLE_TITLE, " %s", state->options->cluster_name);
    x += 2;
    if (!state->facts.api_up)
        x += grid_put(grid, x, 0, room - x, STYLE_BAD | STYLE_BOLD, _("✖ the API is down")) + 2;
    if (state->width >= 60)
        grid_putf(grid, x, 0, room - x, STYLE_NORMAL, _("nodes %d/%d  pods %d/%d"),
                  state->facts.nodes_ready, state->facts.nodes, state->facts.pods_running,
                  state->facts.pods);
}

/* What can be pressed, from the key tables: as many as there is room for. */
static int
render_hints(CellGrid *grid, const TuiKey *keys, int x, int y, int width)
{
    for (const TuiKey *key = keys; key->run != NULL; key++) {
        if (key->hint == NULL)
            continue;
        char letter[8] = {0};
        if (key->key < TUI_KEY_UP)
            letter[g_unichar_to_utf8((gunichar)key->key, letter)] = '\0';
        const char *label = key->label != NULL ? _(key->label) : letter;
        const char *hint = _(key->hint);
        int needed = text_columns(label) + text_columns(hint) + 3;
        if (x + needed > width)
            return x;
        x += grid_put(grid, x, y, width - x, STYLE_KEY | STYLE_BOLD, label) + 1;
        x += grid_put(grid, x, y, width - x, STYLE_DIM, hint) + 2;
    }
    return x;
}

static void
render_hint_line(const TuiState *state, CellGrid *grid, int y)
{
    const TuiView *view = tui_top(state);
    if (state->prompt.completions != NULL) {
        g_autofree char *all = g_strjoinv("  ", state->prompt.completions);
        grid_put(grid, 1, y, state->width - 2, STYLE_DIM, all);
        return;
    }
    if (state->prompt.help != NULL) {
        grid_put(grid, 1, y, state->width - 2, STYLE_DIM, state->prompt.help);
        return;
    }
    int x = render_hints(grid, view->class->keys, 1, y, state->width);
    render_hints(grid, TUI_KEYS, x, y, state->width);
}

/* Of a lesson that is hidden: how far it is, and how to see it. */
static int
render_lesson_state(const TuiState *state, CellGrid *grid, int x, int y, int width)
{
    TuiLesson *lesson = state->options->lesson;
    int step = 0, steps = 0;
    bool working = lesson->ops->state(lesson, live_world(state->live)) == TUI_LESSON_WORKING;
    lesson->ops->step(lesson, &step, &steps);
    g_autofree char *text =
        g_strdup_printf(_("%s lesson %d/%d (t shows it)"), working ? "○" : "✔", step, steps);
    return grid_put(grid, x, y, width, working ? STYLE_BUSY : STYLE_GOOD, text);
}

static void
render_status(const TuiState *state, CellGrid *grid, int y)
{
    const TuiView *view = tui_top(state);
    if (state->prompt.type != PROMPT_NONE) {
        prompt_render(state, grid, y);
        return;
    }
    if (state->running != NULL) {
        bool paused = live_pace(state->live)->mode == PACE_PAUSED;
        grid_put(grid, 1, y, state->width - 2, STYLE_BUSY,
                 paused ? _("kubectl waits, and time is paused: space goes on, ctrl-c gives up")
                        : _("kubectl is running: ctrl-c stops it"));
        return;
    }
    if (state->note != NULL) {
        grid_put(grid, 1, y, state->width - 2, state->note_style, state->note);
        return;
    }
    g_autofree char *number =
        g_strdup_printf("%" G_GUINT64_FORMAT, world_seed(live_world(state->live)));
    g_autofree char *events = g_strdup_printf("%" G_GUINT64_FORMAT, state->facts.events);
    g_autofree char *digest = g_strdup_printf("%016" G_GINT64_MODIFIER "x", state->facts.digest);
    g_autofree char *seed = g_strdup_printf(_("seed %s"), number);
    g_autofree char *right =
        state->width >= 120  ? g_strdup_printf(_("%s  event %s  digest %s "), seed, events, digest)
        : state->width >= 60 ? g_strdup_printf("%s ", seed)
                             : g_strdup("");
    int room = state->width - text_columns(right) - 1;
    grid_put_right(grid, 0, y, state->width, STYLE_DIM, right);
    g_autofree char *title = view->class->title(view, state);
    int x = 1 + grid_put(grid, 1, y, room - 1, STYLE_TITLE, title);
    if (state->options->lesson != NULL && !state->lesson_shown)
        x += 2 + render_lesson_state(state, grid, x + 2, y, room - x - 2);
    if (state->faults->len > 0)
        grid_putf(grid, x + 2, y, room - x - 2, STYLE_BAD,
                  ngettext("%d fault active", "%d faults active", state->faults->len),
                  (int)state->faults->len);
}

void
tui_render(const TuiState *state, CellGrid *grid)
{
    const TuiView *view = tui_top(state);
    grid_clear(grid, (Rect){0, 0, grid->width, grid->height});
    grid->cursor_x = grid->cursor_y = -1;
    if (state->width < WIDTH_MIN || state->height < HEIGHT_MIN) {
        grid_putf(grid, 0, 0, state->width, STYLE_NORMAL, _("%dx%d is too small: 40x10 is needed"),
                  state->width, state->height);
        return;
    }
    render_header(state, grid);
    Rect body = tui_body(state), lesson = tui_lesson_rect(state);
    if (lesson.width < state->width)
        view->class->render(view, state, grid, body);
    if (lesson.width > 0)
        lesson_render(state, grid, lesson);
    if (state->height >= 12)
        render_hint_line(state, grid, state->height - 2);
    render_status(state, grid, state->height - 1);
    menu_render(state, grid);
}
