/* The pane of a lesson: whatever it teaches comes through TuiLessonOps. */
#include <glib/gi18n.h>
#include <string.h>

#include "tui/state.h"

static TuiLesson *
lesson_of(TuiState *state)
{
    if (state->options->lesson == NULL)
        tui_note(state, STYLE_BUSY, _("no lesson is open: `timonel learn` lists them"));
    return state->options->lesson;
}

static void
tell_feedback(TuiState *state)
{
    TuiLesson *lesson = state->options->lesson;
    const char *text = lesson->ops->feedback(lesson);
    if (!state->lesson_shown && text != NULL && *text != '\0')
        tui_note(state, STYLE_NORMAL, "%s", text);
}

void
lesson_next(TuiState *state)
{
    TuiLesson *lesson = lesson_of(state);
    if (lesson == NULL)
        return;
    lesson->ops->next(lesson, live_world(state->live));
    state->lesson_first = 0;
    tell_feedback(state);
}

void
lesson_hint(TuiState *state)
{
    TuiLesson *lesson = lesson_of(state);
    if (lesson == NULL)
        return;
    lesson->ops->hint(lesson, live_world(state->live));
    tell_feedback(state);
}

void
lesson_check(TuiState *state)
{
    TuiLesson *lesson = lesson_of(state);
    if (lesson == NULL)
        return;
    lesson->ops->check(lesson, live_world(state->live));
    tell_feedback(state);
}

void
lesson_typed(TuiState *state, const char *line, int status)
{
    TuiLesson *lesson = state->options->lesson;
    if (lesson != NULL && lesson->ops->typed != NULL)
        lesson->ops->typed(lesson, live_world(state->live), line, status);
}

bool
lesson_answer(TuiState *state, int key)
{
    TuiLesson *lesson = state->options->lesson;
    if (lesson == NULL || lesson->ops->answer == NULL || key < '1' || key > '9')
        return false;
    lesson->ops->answer(lesson, live_world(state->live), key - '0');
    tell_feedback(state);
    return true;
}

void
lesson_toggle(TuiState *state)
{
    if (lesson_of(state) != NULL)
        state->lesson_shown = !state->lesson_shown;
}

void
lesson_moved(TuiState *state)
{
    TuiLesson *lesson = state->options->lesson;
    if (lesson != NULL && lesson->ops->moved != NULL)
        lesson->ops->moved(lesson, live_world(state->live));
}

void
lesson_scroll(TuiState *state, int lines)
{
    state->lesson_first = (guint)CLAMP((int)state->lesson_first + lines, 0, LINES_MAX);
}

static void
add_prose(Lines *lines, const char *text, int width)
{
    g_auto(GStrv) paragraphs = g_strsplit(text, "\n", -1);
    for (size_t i = 0; paragraphs[i] != NULL; i++) {
        if (g_str_has_prefix(paragraphs[i], "$ "))
            lines_addf(lines, STYLE_KEY | STYLE_BOLD, "  %s", paragraphs[i] + 2);
        else
            lines_add_folded(lines, STYLE_NORMAL, paragraphs[i], width, 0);
    }
}

/* What was said last stands first: it is what the person waits for. */
static Lines *
lesson_lines(const TuiState *state, int width)
{
    TuiLesson *lesson = state->options->lesson;
    Lines *lines = lines_new();
    const char *feedback = lesson->ops->feedback(lesson);
    if (feedback != NULL && *feedback != '\0') {
        lines_add_folded(lines, STYLE_TITLE, feedback, width, 0);
        lines_add(lines, STYLE_NORMAL, "");
    }
    add_prose(lines, lesson->ops->text(lesson), width);
    return lines;
}

/* In the frame, so that it is in sight however long the text is. */
static void
render_state(const TuiState *state, CellGrid *grid, Rect rect)
{
    TuiLesson *lesson = state->options->lesson;
    static const char *const TEXTS[] = {
        [TUI_LESSON_WORKING] = N_("○ not done yet — h: a hint"),
        [TUI_LESSON_MET] = N_("✔ done — n: the next step"),
        [TUI_LESSON_DONE] = N_("✔ the lesson is complete"),
    };
    TuiLessonState met = lesson->ops->state(lesson, live_world(state->live));
    g_autofree char *text = g_strdup_printf(" %s ", _(TEXTS[met]));
    grid_put(grid, rect.x + 2, rect.y + rect.height - 1, rect.width - 4,
             met == TUI_LESSON_WORKING ? STYLE_BUSY : STYLE_GOOD | STYLE_BOLD, text);
}

void
lesson_render(const TuiState *state, CellGrid *grid, Rect rect)
{
    TuiLesson *lesson = state->options->lesson;
    int step = 0, steps = 0, width = rect.width - 4;
    lesson->ops->step(lesson, &step, &steps);
    g_autofree char *count = g_strdup_printf("%d/%d", step, steps);
    const char *text = lesson->ops->title(lesson);
    g_autofree char *title = g_strdup_printf("%s  %s", text, count);
    grid_box(grid, rect, STYLE_BORDER, title, STYLE_TITLE | STYLE_BOLD);
    render_state(state, grid, rect);
    g_autoptr(GPtrArray) lines = lesson_lines(state, width);
    int rows = rect.height - 2;
    guint last = (guint)MAX((int)lines->len - rows, 0);
    lines_render(lines, grid, (Rect){rect.x + 2, rect.y + 1, width, rows},
                 MIN(state->lesson_first, last), 0);
}
