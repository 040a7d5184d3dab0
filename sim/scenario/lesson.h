/* Lessons: prose, tasks and checks over a world, with hints, near misses and a quiz. A lesson is data (lessons/NAME/lesson.yaml;
 * docs/lessons.md), in English and Spanish throughout. The player is a state machine that a command or the dashboard drives:
 *
 *   begin(step) -> TRYING --check fails--> TRYING --check passes--> PASSED --next--> begin(step + 1) ... -> DONE, quiz at any time
 *
 * It borrows the world; starting over is a new world and a new player. */
#pragma once

#include "sim/scenario/tools.h"

typedef struct Lesson Lesson;
typedef struct LessonPlay LessonPlay;

#define LESSON_STEPS_MAX 100
#define LESSON_HISTORY_MAX 1000 /* lines of one step that are remembered */

/* ---- the lesson ---- */

/* Reads and checks a text, both languages too. The error names `name` and the field. */
Lesson *lesson_parse(const char *name, const char *text, GError **error);
void lesson_free(Lesson *lesson);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lesson, lesson_free)

const char *lesson_name(const Lesson *lesson);
/* title, summary or goal. */
const char *lesson_text(const Lesson *lesson, const char *field, const char *language);
int64_t lesson_order(const Lesson *lesson); /* lists are sorted by it */
const Value *lesson_files(const Lesson *lesson); /* name -> text, for kubectl apply -f; NULL when none */
size_t lesson_step_count(const Lesson *lesson);
/* title, prose or task of a step; "" when it has none. */
const char *lesson_step_text(const Lesson *lesson, size_t step, const char *field, const char *language);
/* The step's data: checks, hints, solution, nearMisses, differences. */
const Value *lesson_step(const Lesson *lesson, size_t step);
/* Where the source document and Kubernetes differ in what the step shows; "" behind the last. */
size_t lesson_difference_count(const Lesson *lesson, size_t step);
const char *lesson_difference(const Lesson *lesson, size_t step, size_t index, const char *side /* document, kubernetes */,
                              const char *language);

size_t lesson_question_count(const Lesson *lesson);
const char *lesson_question(const Lesson *lesson, size_t question, const char *language);
size_t lesson_choice_count(const Lesson *lesson, size_t question);
const char *lesson_choice(const Lesson *lesson, size_t question, size_t choice, const char *language);

/* Is it the right one? *ret_explanation (borrowed) says why or why not. */
bool lesson_choice_is_right(const Lesson *lesson, size_t question, size_t choice, const char *language,
                            const char **ret_explanation);

/* ---- playing it ---- */

/* A world of the lesson's cluster, ready and with its manifests applied. */
World *lesson_world_new(const Lesson *lesson, const ScenarioTools *tools, GError **error);

/* lesson, world and tools outlive it; language: "en" or "es". Nothing is begun. */
LessonPlay *lesson_play_new(const Lesson *lesson, World *world, const ScenarioTools *tools, const char *language);
void lesson_play_free(LessonPlay *play);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LessonPlay, lesson_play_free)

/* Brings a new world to where the step begins: does the reference solution of each step before it, then the step's own set-up. */
bool lesson_play_begin(LessonPlay *play, size_t step, GError **error);
size_t lesson_play_step(const LessonPlay *play); /* lesson_step_count when all is done */
bool lesson_play_is_done(const LessonPlay *play);
bool lesson_play_has_passed(const LessonPlay *play); /* the step: next may be called */

/* A line that the learner typed, with or without "kubectl" before it. Output is appended. kubectl's exit status. */
int lesson_play_kubectl(LessonPlay *play, const char *line, GString *output);
/* Remembers a line that was run elsewhere (the dashboard's command line), for checks on what was typed. */
void lesson_play_typed(LessonPlay *play, const char *line, int status);

typedef struct LessonVerdict {
    bool passed;
    char *reply;  /* to the learner: the near miss's, the check's; NULL when passed */
    char *detail; /* what was found in the cluster; NULL: nothing to say */
} LessonVerdict;
void lesson_verdict_clear(LessonVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LessonVerdict, lesson_verdict_clear)

typedef enum {
    LESSON_CHECK_NOW,  /* as it is (the dashboard, whose world goes on by itself) */
    LESSON_CHECK_WAIT, /* lets the world run as long as each check's `within` */
} LessonPatience;
void lesson_play_check(LessonPlay *play, LessonPatience patience, LessonVerdict *ret_verdict);
/* The next hint of the step, each larger than the one before; the last one again. */
const char *lesson_play_hint(LessonPlay *play);
size_t lesson_play_hints_used(const LessonPlay *play);
/* To the next step, when this one was passed. False with an error otherwise. */
bool lesson_play_next(LessonPlay *play, GError **error);
/* Is the choice right? *ret_explanation (borrowed) says why or why not. */
bool lesson_play_answer(LessonPlay *play, size_t question, size_t choice, const char **ret_explanation);

/* {step, passed: [bool...], hints: [n...], answers: [choice or -1...], done}: what is kept between sessions. Owned. */
Value *lesson_play_progress(const LessonPlay *play);
/* Takes over answers and hints; where to begin is the caller's to choose (progress.step). */
void lesson_play_restore(LessonPlay *play, const Value *progress);
