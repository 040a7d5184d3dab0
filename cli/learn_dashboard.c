/* The lesson's player behind TuiLessonOps. While steps are left, the pane shows the step; then the
 * quiz, one question after the other. Whether a task is done is looked at after every second of the
 * cluster's time: nobody has to ask. */
#include "cli/learn_dashboard.h"

#include <glib/gi18n.h>
#include <string.h>

#include "tui/tui.h"

#define LOOK_EVERY_NS NS_PER_S

typedef struct Pane {
    TuiLesson base;
    const LearnDashboard *options;
    GString *text;
    char *feedback;
    int64_t looked; /* virtual time */
    size_t question;
    bool answered; /* the question, rightly */
} Pane;

static Pane *
pane_of(TuiLesson *lesson)
{
    return (Pane *)lesson;
}

static void
say(Pane *pane, const char *text)
{
    g_free(pane->feedback);
    pane->feedback = g_strdup(text != NULL ? text : "");
}

static void
keep(const Pane *pane)
{
    if (pane->options->progressed != NULL)
        pane->options->progressed(pane->options->data);
}

static bool
quiz_is_over(const Pane *pane)
{
    return pane->question >= lesson_question_count(pane->options->lesson);
}

/* ---- what it shows
 * ------------------------------------------------------------------------------------------------
 */

static const char *
pane_title(TuiLesson *base)
{
    const LearnDashboard *options = pane_of(base)->options;
    return lesson_text(options->lesson, "title", options->language);
}

static void
append_step(Pane *pane, size_t step)
{
    const LearnDashboard *options = pane->options;
    const Lesson *lesson = options->lesson;
    g_string_append_printf(pane->text, "%s\n\n%s\n\n%s\n%s",
                           lesson_step_text(lesson, step, "title", options->language),
                           lesson_step_text(lesson, step, "prose", options->language),
                           _("Your task:"),
                           lesson_step_text(lesson, step, "task", options->language));
    if (!lesson_play_has_passed(options->play) || lesson_difference_count(lesson, step) == 0)
        return;
    g_string_append_printf(pane->text, "\n\n%s",
                           _("Where the source document and Kubernetes differ:"));
    for (size_t i = 0; i < lesson_difference_count(lesson, step); i++)
        g_string_append_printf(pane->text, "\n- %s\n- %s",
                               lesson_difference(lesson, step, i, "document", options->language),
                               lesson_difference(lesson, step, i, "kubernetes", options->language));
}

static void
append_question(Pane *pane)
{
    const LearnDashboard *options = pane->options;
    g_string_append_printf(pane->text, "%s\n",
                           lesson_question(options->lesson, pane->question, options->language));
    for (size_t i = 0; i < lesson_choice_count(options->lesson, pane->question); i++)
        g_string_append_printf(
            pane->text, "\n%zu  %s", i + 1,
            lesson_choice(options->lesson, pane->question, i, options->language));
    g_string_append_printf(pane->text, "\n\n%s", _("Press the number of the answer."));
}

static const char *
pane_text(TuiLesson *base)
{
    Pane *pane = pane_of(base);
    g_string_truncate(pane->text, 0);
    if (!lesson_play_is_done(pane->options->play))
        append_step(pane, lesson_play_step(pane->options->play));
    else if (!quiz_is_over(pane))
        append_question(pane);
    else
        g_string_append(pane->text, _("All steps are done, and all questions are answered."));
    return pane->text->str;
}

static void
pane_step(TuiLesson *base, int *ret_step, int *ret_steps)
{
    const Pane *pane = pane_of(base);
    const Lesson *lesson = pane->options->lesson;
    size_t count = lesson_step_count(lesson), step = lesson_play_step(pane->options->play);
    if (lesson_play_is_done(pane->options->play) && !quiz_is_over(pane)) {
        count = lesson_question_count(lesson);
        step = pane->question;
    }
    *ret_step = (int)MIN(step + 1, count);
    *ret_steps = (int)count;
}

static TuiLessonState
pane_state(TuiLesson *base, World *world)
{
    const Pane *pane = pane_of(base);
    if (!lesson_play_is_done(pane->options->play))
        return lesson_play_has_passed(pane->options->play) ? TUI_LESSON_MET : TUI_LESSON_WORKING;
    if (quiz_is_over(pane))
        return TUI_LESSON_DONE;
    return pane->answered ? TUI_LESSON_MET : TUI_LESSON_WORKING;
}

static const char *
pane_feedback(TuiLesson *base)
{
    return pane_of(base)->feedback;
}

/* ---- what it does
 * ----------------------------------------------------------------------------------------------------
 */

static void
pane_next(TuiLesson *base, World *world)
{
    Pane *pane = pane_of(base);
    const LearnDashboard *options = pane->options;
    g_autoptr(GError) error = NULL;
    if (lesson_play_is_done(options->play)) {
        if (pane->answered)
            pane->question++;
        pane->answered = false;
        say(pane, NULL);
    } else if (!lesson_play_has_passed(options->play)) {
        say(pane, _("This step is not passed yet; h gives a hint."));
    } else if (!lesson_play_next(options->play, &error)) {
        say(pane, error->message);
    } else {
        say(pane, NULL);
        live_step_for(options->live, 0); /* setting the step up took time */
    }
    keep(pane);
}

static void
pane_hint(TuiLesson *base, World *world)
{
    Pane *pane = pane_of(base);
    say(pane, lesson_play_hint(pane->options->play));
    keep(pane);
}

static void
look(Pane *pane, bool aloud)
{
    g_auto(LessonVerdict) verdict = {0};
    LessonPlay *play = pane->options->play;
    bool before = lesson_play_has_passed(play);
    if (lesson_play_is_done(play) || before)
        return;
    lesson_play_check(play, LESSON_CHECK_NOW, &verdict);
    if (verdict.passed) {
        say(pane, NULL);
        keep(pane);
    } else if (aloud) {
        g_autofree char *text = g_strdup_printf(
            "%s %s%s%s%s", _("Not yet."), verdict.reply, verdict.detail != NULL ? " (" : "",
            verdict.detail != NULL ? verdict.detail : "", verdict.detail != NULL ? ")" : "");
        say(pane, text);
    }
}

static void
pane_check(TuiLesson *base, World *world)
{
    look(pane_of(base), true);
}

static void
pane_moved(TuiLesson *base, World *world)
{
    Pane *pane = pane_of(base);
    if (world_now(world) - pane->looked < LOOK_EVERY_NS)
        return;
    pane->looked = world_now(world);
    look(pane, false);
}

static void
pane_typed(TuiLesson *base, World *world, const char *line, int status)
{
    look(pane_of(base), false); /* the player itself ran the line and remembers it */
}

static void
pane_answer(TuiLesson *base, World *world, int choice)
{
    Pane *pane = pane_of(base);
    const LearnDashboard *options = pane->options;
    const char *explanation = "";
    if (!lesson_play_is_done(options->play) || quiz_is_over(pane) || pane->answered ||
        (size_t)choice > lesson_choice_count(options->lesson, pane->question))
        return;
    pane->answered =
        lesson_play_answer(options->play, pane->question, (size_t)choice - 1, &explanation);
    g_autofree char *text =
        g_strdup_printf("%s %s", pane->answered ? _("Yes.") : _("No."), explanation);
    say(pane, text);
    keep(pane);
}

static const TuiLessonOps PANE_OPS = {
    .title = pane_title,
    .text = pane_text,
    .step = pane_step,
    .state = pane_state,
    .feedback = pane_feedback,
    .next = pane_next,
    .hint = pane_hint,
    .check = pane_check,
    .moved = pane_moved,
    .typed = pane_typed,
    .answer = pane_answer,
};

/* The player's kubectl knows the lesson's files and what was typed; it lets time run until the
 * answer is there. */
static int
run_line(Live *live, const char *line, const TuiOutput *output, void *data)
{
    const LearnDashboard *options = data;
    g_autoptr(GString) text = g_string_new(NULL);
    live_catch_up(live);
    int status = lesson_play_kubectl(options->play, line, text);
    live_step_for(live, 0);
    output->write(status == 0 ? 1 : 2, text->str, text->len, output->data);
    return status;
}

bool
learn_dashboard_run(const LearnDashboard *options, GError **error)
{
    const char *no_colour = g_getenv("NO_COLOR");
    Pane pane = {.base = {.ops = &PANE_OPS},
                 .options = options,
                 .text = g_string_new(NULL),
                 .feedback = g_strdup("")};
    const TuiOptions tui = {.cluster_name = lesson_name(options->lesson),
                            .colour = no_colour == NULL || *no_colour == '\0',
                            .ascii = options->ascii,
                            .lesson = &pane.base,
                            .kubectl = run_line,
                            .data = (void *)options};
    live_set_factor(options->live, PACE_LIFE);
    int outcome = tui_run(options->live, &tui, error);
    g_string_free(pane.text, TRUE);
    g_free(pane.feedback);
    return outcome != TUI_FAILED;
}
