#include <string.h>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "sim/check/expect.h"
#include "sim/scenario/lesson.h"
#include "sim/scenario/texts.h"

#define WITHIN_DEFAULT_NS (60 * NS_PER_S)
#define LOOK_NS (100 * NS_PER_MS)
#define AFTER_LINE_NS NS_PER_S /* what the set-up and solutions let pass after each line */

typedef struct StepState {
    bool passed;
    unsigned hints;
} StepState;

struct LessonPlay {
    const Lesson *lesson;
    World *world;
    const ScenarioTools *tools;
    char *language;
    size_t step;
    GPtrArray *typed; /* lines of this step that succeeded, without "kubectl" */
    StepState *steps;
    int *answers; /* -1: none yet */
};

LessonPlay *
lesson_play_new(const Lesson *lesson, World *world, const ScenarioTools *tools, const char *language)
{
    LessonPlay *play = g_new0(LessonPlay, 1);
    play->lesson = lesson;
    play->world = world;
    play->tools = tools;
    play->language = g_strdup(language);
    play->typed = g_ptr_array_new_with_free_func(g_free);
    play->steps = g_new0(StepState, lesson_step_count(lesson));
    play->answers = g_new(int, lesson_question_count(lesson) + 1);
    for (size_t i = 0; i < lesson_question_count(lesson); i++)
        play->answers[i] = -1;
    return play;
}

void
lesson_play_free(LessonPlay *play)
{
    if (play == NULL)
        return;
    g_ptr_array_unref(play->typed);
    g_free(play->steps);
    g_free(play->answers);
    g_free(play->language);
    g_free(play);
}

/* ---- what was typed -------------------------------------------------------------------------------------------------- */

/* "  kubectl   get  pods" -> "get pods". */
static char *
normalize(const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t\n", -1);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; words[i] != NULL; i++) {
        if (*words[i] == '\0' || (text->len == 0 && strcmp(words[i], "kubectl") == 0))
            continue;
        g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", words[i]);
    }
    return g_string_free(text, FALSE);
}

void
lesson_play_typed(LessonPlay *play, const char *line, int status)
{
    if (status == 0 && play->typed->len < LESSON_HISTORY_MAX)
        g_ptr_array_add(play->typed, normalize(line));
}

int
lesson_play_kubectl(LessonPlay *play, const char *line, GString *output)
{
    int status = play->tools->kubectl(play->world, line, NULL, output, play->tools->data);
    lesson_play_typed(play, line, status);
    return status;
}

static bool
was_typed(const LessonPlay *play, const char *pattern)
{
    for (guint i = 0; i < play->typed->len; i++)
        if (g_regex_match_simple(pattern, play->typed->pdata[i], 0, 0))
            return true;
    return false;
}

/* ---- checks ------------------------------------------------------------------------------------------------------------- */

void
lesson_verdict_clear(LessonVerdict *verdict)
{
    g_clear_pointer(&verdict->reply, g_free);
    g_clear_pointer(&verdict->detail, g_free);
}

/* Does {expect, ran} hold now? Both when both are given. */
static bool
look_holds(const LessonPlay *play, const Value *look, char **ret_detail)
{
    const char *ran = value_string(value_get(look, "ran"));
    if (ran != NULL && !was_typed(play, ran))
        return false;
    if (!value_has(look, "expect"))
        return true;
    g_auto(ExpectResult) result = {0};
    expect_check(play->world, value_get(look, "expect"), &result);
    if (!result.met && ret_detail != NULL)
        *ret_detail = g_steal_pointer(&result.reason);
    return result.met;
}

static int64_t
patience_of(const Value *look)
{
    int64_t within = WITHIN_DEFAULT_NS;
    duration_parse(value_text_at(look, "within"), &within, NULL);
    return within;
}

/* What was typed does not change by waiting. */
static bool
wait_for(const LessonPlay *play, const Value *look, LessonPatience patience)
{
    const char *ran = value_string(value_get(look, "ran"));
    if (ran != NULL && !was_typed(play, ran))
        return false;
    int64_t end = world_now(play->world) + (patience == LESSON_CHECK_WAIT ? patience_of(look) : 0);
    while (!look_holds(play, look, NULL)) {
        if (world_now(play->world) >= end)
            return false;
        world_run_until(play->world, MIN(world_now(play->world) + LOOK_NS, end));
    }
    return true;
}

static const Value *
near_miss(const LessonPlay *play, const Value *step)
{
    VALUE_ARRAY_FOREACH (miss, value_get(step, "nearMisses"))
        if (look_holds(play, value_get(miss, "when"), NULL))
            return miss;
    return NULL;
}

void
lesson_play_check(LessonPlay *play, LessonPatience patience, LessonVerdict *ret_verdict)
{
    lesson_verdict_clear(ret_verdict);
    ret_verdict->passed = true;
    if (lesson_play_is_done(play))
        return;
    const Value *step = lesson_step(play->lesson, play->step);
    VALUE_ARRAY_FOREACH (check, value_get(step, "checks")) {
        if (wait_for(play, check, patience))
            continue;
        const Value *miss = near_miss(play, step);
        ret_verdict->passed = false;
        ret_verdict->reply =
            g_strdup(texts_get(value_get(miss != NULL ? miss : check, "reply"), play->language));
        look_holds(play, check, &ret_verdict->detail);
        return;
    }
    play->steps[play->step].passed = true;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------ */

static bool
set_up_one(LessonPlay *play, const Value *action, GError **error)
{
    const char *line = value_string(value_get(action, "kubectl"));
    if (line != NULL) {
        g_autoptr(GString) output = g_string_new(NULL);
        if (play->tools->kubectl(play->world, line, NULL, output, play->tools->data) != 0)
            return fail(error, TIMONEL_ERROR_INVALID, "kubectl %s: %s", line, output->str);
    }
    if (value_has(action, "fault") && !world_fault(play->world, value_get(action, "fault"), "lesson", error))
        return false;
    world_run_for(play->world, AFTER_LINE_NS);
    if (!value_has(action, "expect") || wait_for(play, action, LESSON_CHECK_WAIT))
        return true;
    g_autofree char *detail = NULL;
    look_holds(play, action, &detail);
    return fail(error, TIMONEL_ERROR_UNAVAILABLE, "the step's set-up: %s", detail != NULL ? detail : "");
}

static bool
set_up(LessonPlay *play, GError **error)
{
    g_ptr_array_set_size(play->typed, 0);
    VALUE_ARRAY_FOREACH (action, value_get(lesson_step(play->lesson, play->step), "setup"))
        if (!set_up_one(play, action, error))
            return false;
    return true;
}

static bool
solve(LessonPlay *play, GError **error)
{
    g_autoptr(GString) output = g_string_new(NULL);
    g_auto(LessonVerdict) verdict = {0};
    VALUE_ARRAY_FOREACH (line, value_get(lesson_step(play->lesson, play->step), "solution")) {
        lesson_play_kubectl(play, value_text(line), output);
        world_run_for(play->world, AFTER_LINE_NS);
    }
    lesson_play_check(play, LESSON_CHECK_WAIT, &verdict);
    if (verdict.passed)
        return true;
    return fail(error, TIMONEL_ERROR_UNAVAILABLE, "step %zu: the reference solution does not pass: %s %s\n%s",
                play->step + 1, verdict.reply, verdict.detail != NULL ? verdict.detail : "", output->str);
}

bool
lesson_play_begin(LessonPlay *play, size_t step, GError **error)
{
    size_t count = lesson_step_count(play->lesson);
    for (play->step = 0; play->step < MIN(step, count); play->step++)
        if (!set_up(play, error) || !solve(play, error))
            return false;
    if (lesson_play_is_done(play))
        return true;
    play->steps[play->step].passed = false;
    return set_up(play, error);
}

size_t
lesson_play_step(const LessonPlay *play)
{
    return play->step;
}

bool
lesson_play_is_done(const LessonPlay *play)
{
    return play->step >= lesson_step_count(play->lesson);
}

bool
lesson_play_has_passed(const LessonPlay *play)
{
    return lesson_play_is_done(play) || play->steps[play->step].passed;
}

bool
lesson_play_next(LessonPlay *play, GError **error)
{
    if (lesson_play_is_done(play))
        return fail(error, TIMONEL_ERROR_INVALID, "the lesson is done");
    if (!play->steps[play->step].passed)
        return fail(error, TIMONEL_ERROR_INVALID, "this step has not been passed yet");
    play->step++;
    return lesson_play_is_done(play) || set_up(play, error);
}

const char *
lesson_play_hint(LessonPlay *play)
{
    if (lesson_play_is_done(play))
        return "";
    StepState *state = &play->steps[play->step];
    const Value *hints = value_get(lesson_step(play->lesson, play->step), "hints");
    size_t index = MIN(state->hints, value_size(hints) - 1);
    state->hints = (unsigned)index + 1;
    return texts_get(value_item(hints, index), play->language);
}

size_t
lesson_play_hints_used(const LessonPlay *play)
{
    return lesson_play_is_done(play) ? 0 : play->steps[play->step].hints;
}

/* ---- the quiz and what is kept ------------------------------------------------------------------------------------------------- */

bool
lesson_play_answer(LessonPlay *play, size_t question, size_t choice, const char **ret_explanation)
{
    *ret_explanation = "";
    if (question >= lesson_question_count(play->lesson) || choice >= lesson_choice_count(play->lesson, question))
        return false;
    play->answers[question] = (int)choice;
    return lesson_choice_is_right(play->lesson, question, choice, play->language, ret_explanation);
}

Value *
lesson_play_progress(const LessonPlay *play)
{
    size_t steps = lesson_step_count(play->lesson);
    ValueBuilder *passed = value_builder_new_array(), *hints = value_builder_new_array(),
                 *answers = value_builder_new_array();
    for (size_t i = 0; i < steps; i++) {
        value_builder_append(passed, value_new_bool(play->steps[i].passed));
        value_builder_append(hints, value_new_int(play->steps[i].hints));
    }
    for (size_t i = 0; i < lesson_question_count(play->lesson); i++)
        value_builder_append(answers, value_new_int(play->answers[i]));
    size_t step = play->step < steps && play->steps[play->step].passed ? play->step + 1 : play->step;
    Value *lists[] = {value_builder_end(passed), value_builder_end(hints), value_builder_end(answers)};
    return value_new_f("{step: %i, passed: %V, hints: %V, answers: %V, done: %b}", (int64_t)step, lists[0], lists[1],
                       lists[2], step >= steps);
}

void
lesson_play_restore(LessonPlay *play, const Value *progress)
{
    for (size_t i = 0; i < lesson_step_count(play->lesson); i++) {
        int64_t hints = value_int(value_item(value_get(progress, "hints"), i));
        play->steps[i].passed = value_bool(value_item(value_get(progress, "passed"), i));
        play->steps[i].hints = (unsigned)CLAMP(hints, 0, 100);
    }
    for (size_t i = 0; i < lesson_question_count(play->lesson); i++) {
        const Value *answer = value_item(value_get(progress, "answers"), i);
        int64_t choice = answer != NULL ? value_int(answer) : -1;
        bool known = choice >= 0 && choice < (int64_t)lesson_choice_count(play->lesson, i);
        play->answers[i] = known ? (int)choice : -1;
    }
}
