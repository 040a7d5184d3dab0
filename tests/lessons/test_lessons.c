/* Every lesson: the start state of each step fails, the reference solution passes, near misses fail with their own reply.
 * That both languages are complete is held by lesson_parse, and its refusals are tested here too. */
#include <string.h>

#include "cli/lessons.h"
#include "cli/play.h"
#include "core/base/embed.h"
#include "tests/support/runner.h"

extern const EmbeddedFile LESSONS[];

typedef struct Stage {
    const Lesson *lesson;
    PlaySources sources;
    ScenarioTools tools;
    World *world;
    LessonPlay *play;
    GString *output;
} Stage;

static void
stage_begin(Stage *stage, const Lesson *lesson, size_t step)
{
    g_autoptr(GError) error = NULL;
    *stage = (Stage){.lesson = lesson, .sources = {lesson_files(lesson)}, .output = g_string_new(NULL)};
    stage->tools = play_tools(&stage->sources);
    stage->world = lesson_world_new(lesson, &stage->tools, &error);
    ck_assert_msg(stage->world != NULL, "%s: %s", lesson_name(lesson), error != NULL ? error->message : "");
    stage->play = lesson_play_new(lesson, stage->world, &stage->tools, "en");
    bool begun = lesson_play_begin(stage->play, step, &error);
    ck_assert_msg(begun, "%s, step %zu: %s", lesson_name(lesson), step + 1, error != NULL ? error->message : "");
}

static void
stage_end(Stage *stage)
{
    lesson_play_free(stage->play);
    world_free(stage->world);
    g_string_free(stage->output, TRUE);
}

static void
type_lines(Stage *stage, const Value *lines)
{
    VALUE_ARRAY_FOREACH (line, lines) {
        g_string_append_printf(stage->output, "$ %s\n", value_text(line));
        lesson_play_kubectl(stage->play, value_text(line), stage->output);
        world_run_for(stage->world, NS_PER_S);
    }
}

static void
check_near_miss(const Lesson *lesson, size_t step, const Value *miss)
{
    Stage stage;
    g_auto(LessonVerdict) verdict = {0};
    stage_begin(&stage, lesson, step);
    type_lines(&stage, value_get(miss, "lines"));
    lesson_play_check(stage.play, LESSON_CHECK_WAIT, &verdict);
    ck_assert_msg(!verdict.passed, "%s, step %zu: a near miss passes:\n%s", lesson_name(lesson), step + 1,
                  stage.output->str);
    ck_assert_msg(strcmp(verdict.reply, value_text_at(miss, "reply.en")) == 0,
                  "%s, step %zu: a near miss gets the reply \"%s\" (%s)\n%s", lesson_name(lesson), step + 1,
                  verdict.reply, verdict.detail != NULL ? verdict.detail : "", stage.output->str);
    stage_end(&stage);
}

static void
check_start_and_solution(const Lesson *lesson, size_t step)
{
    Stage stage;
    g_auto(LessonVerdict) before = {0}, after = {0};
    stage_begin(&stage, lesson, step);
    lesson_play_check(stage.play, LESSON_CHECK_NOW, &before);
    ck_assert_msg(!before.passed, "%s, step %zu passes before anything is done", lesson_name(lesson), step + 1);
    ck_assert(!lesson_play_next(stage.play, NULL));
    type_lines(&stage, value_get(lesson_step(lesson, step), "solution"));
    lesson_play_check(stage.play, LESSON_CHECK_WAIT, &after);
    ck_assert_msg(after.passed, "%s, step %zu: the solution does not pass: %s (%s)\n%s", lesson_name(lesson), step + 1,
                  after.reply, after.detail != NULL ? after.detail : "", stage.output->str);
    ck_assert(lesson_play_next(stage.play, NULL));
    stage_end(&stage);
}

START_TEST(starts_fail_solutions_pass_and_near_misses_fail)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) lessons = lessons_all(&error);
    ck_assert_msg(lessons != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_uint_ge(lessons->len, 2);
    const Lesson *lesson = lessons->pdata[_i];
    for (size_t step = 0; step < lesson_step_count(lesson); step++) {
        check_start_and_solution(lesson, step);
        VALUE_ARRAY_FOREACH (miss, value_get(lesson_step(lesson, step), "nearMisses"))
            check_near_miss(lesson, step, miss);
    }
}
END_TEST

START_TEST(hints_grow_and_the_last_stays)
{
    g_autoptr(Lesson) lesson = lessons_find("what-a-cluster-is", NULL);
    Stage stage;
    stage_begin(&stage, lesson, 0);
    g_autofree char *first = g_strdup(lesson_play_hint(stage.play));
    g_autofree char *second = g_strdup(lesson_play_hint(stage.play));
    ck_assert_str_ne(first, second);
    for (int i = 0; i < 5; i++)
        lesson_play_hint(stage.play);
    ck_assert_str_eq(lesson_play_hint(stage.play), "Type: kubectl get nodes");
    stage_end(&stage);
}
END_TEST

START_TEST(progress_is_kept_and_taken_up_again)
{
    g_autoptr(Lesson) lesson = lessons_find("what-a-cluster-is", NULL);
    Stage stage;
    const char *explanation;
    g_auto(LessonVerdict) verdict = {0};
    stage_begin(&stage, lesson, 0);
    lesson_play_hint(stage.play);
    ck_assert(!lesson_play_answer(stage.play, 0, 0, &explanation));
    ck_assert(lesson_play_answer(stage.play, 0, 1, &explanation));
    lesson_play_kubectl(stage.play, "kubectl  get   nodes", stage.output);
    lesson_play_check(stage.play, LESSON_CHECK_WAIT, &verdict);
    ck_assert(verdict.passed);
    g_autoptr(Value) progress = lesson_play_progress(stage.play);
    ck_assert_int_eq(value_int_at(progress, "step"), 1);
    ck_assert_int_eq(value_int_at(progress, "hints[0]"), 1);
    ck_assert_int_eq(value_int_at(progress, "answers[0]"), 1);
    g_autoptr(LessonPlay) other = lesson_play_new(lesson, stage.world, &stage.tools, "es");
    lesson_play_restore(other, progress);
    g_autoptr(Value) again = lesson_play_progress(other);
    ck_assert(value_equal(value_get(progress, "passed"), value_get(again, "passed")));
    stage_end(&stage);
}
END_TEST

START_TEST(each_question_explains_every_choice)
{
    g_autoptr(GPtrArray) lessons = lessons_all(NULL);
    for (guint i = 0; i < lessons->len; i++) {
        const Lesson *lesson = lessons->pdata[i];
        ck_assert_uint_ge(lesson_question_count(lesson), 3);
        for (size_t q = 0; q < lesson_question_count(lesson); q++) {
            unsigned right = 0;
            for (size_t c = 0; c < lesson_choice_count(lesson, q); c++) {
                const char *explanation = "";
                right += lesson_choice_is_right(lesson, q, c, "es", &explanation);
                ck_assert_uint_gt(strlen(explanation), 10);
            }
            ck_assert_uint_eq(right, 1);
        }
    }
}
END_TEST

START_TEST(a_lesson_without_its_spanish_is_refused)
{
    const char *text = LESSONS[0].text, *spanish = strstr(text, "      es: ");
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_nonnull(spanish);
    g_autoptr(GString) cut = g_string_new_len(text, spanish - text);
    g_string_append(cut, "      fr: ");
    g_string_append(cut, spanish + strlen("      es: "));
    ck_assert_ptr_null(lesson_parse("cut", cut->str, &error));
    ck_assert_ptr_nonnull(error);
}
END_TEST

static TCase *
lessons_suite(void)
{
    TCase *tcase = test_case("lessons", hints_grow_and_the_last_stays, progress_is_kept_and_taken_up_again,
                             each_question_explains_every_choice, a_lesson_without_its_spanish_is_refused);
    tcase_add_loop_test(tcase, starts_fail_solutions_pass_and_near_misses_fail, 0, 2);
    tcase_set_timeout(tcase, 120);
    return tcase;
}

TEST_RUNNER("lessons", lessons_suite)
