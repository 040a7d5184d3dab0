#include "sim/scenario/lesson.h"

#include <string.h>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/object/yaml.h"
#include "sim/check/expect.h"
#include "sim/check/oracle.h"
#include "sim/scenario/texts.h"

#define CALM_MAX_NS (120 * NS_PER_S)

struct Lesson {
    Value *document;
};

static const char *const LANGUAGES[] = {"en", "es", NULL};

/* ---- validation ---------------------------------------------------------------------------------------------------- */

static bool
only_known(const Value *map, const char *const *known, const char *path, GError **error)
{
    if (!value_is_map(map))
        return fail(error, TIMONEL_ERROR_INVALID, "%s: must be a map", path);
    VALUE_MAP_FOREACH (key, item, map)
        if (!g_strv_contains(known, key)) {
            g_autofree char *names = g_strjoinv(", ", (char **)known);
            return fail(error, TIMONEL_ERROR_INVALID, "%s.%s: unknown field; known are %s", path, key, names);
        }
    return true;
}

/* Texts of lessons are never plain: both languages must be there. */
static bool
both_languages(const Value *map, const char *field, const char *path, GError **error)
{
    g_autofree char *here = g_strdup_printf("%s%s%s", path, *path != '\0' ? "." : "", field);
    const Value *texts = value_get(map, field);
    if (!value_is_map(texts))
        return fail(error, TIMONEL_ERROR_INVALID, "%s: must have a text in each language", here);
    return only_known(texts, LANGUAGES, here, error) && texts_validate(texts, LANGUAGES, here, error);
}

static bool
valid_look(const Value *look, const ApiTypes *types, const char *path, GError **error)
{
    const char *ran = value_string(value_get(look, "ran"));
    int64_t ns;
    if (ran != NULL) {
        g_autoptr(GRegex) regex = g_regex_new(ran, 0, 0, error);
        if (regex == NULL) {
            g_prefix_error(error, "%s.ran: ", path);
            return false;
        }
    }
    if (value_has(look, "within") && !duration_parse(value_text_at(look, "within"), &ns, error)) {
        g_prefix_error(error, "%s.within: ", path);
        return false;
    }
    g_autofree char *expect = g_strdup_printf("%s.expect", path);
    if (value_has(look, "expect"))
        return expect_validate(value_get(look, "expect"), types, expect, error);
    return ran != NULL || fail(error, TIMONEL_ERROR_INVALID, "%s: needs expect or ran", path);
}

static bool
valid_checks(const Value *step, const ApiTypes *types, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"expect", "ran", "within", "reply", NULL};
    size_t index = 0;
    VALUE_ARRAY_FOREACH (check, value_get(step, "checks")) {
        g_autofree char *here = g_strdup_printf("%s.checks[%zu]", path, index++);
        if (!only_known(check, KNOWN, here, error) || !valid_look(check, types, here, error) ||
            !both_languages(check, "reply", here, error))
            return false;
    }
    return index > 0 || fail(error, TIMONEL_ERROR_INVALID, "%s.checks: at least one", path);
}

static bool
valid_near_misses(const Value *step, const ApiTypes *types, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"lines", "when", "reply", NULL};
    static const char *const WHEN[] = {"expect", "ran", NULL};
    size_t index = 0;
    VALUE_ARRAY_FOREACH (miss, value_get(step, "nearMisses")) {
        g_autofree char *here = g_strdup_printf("%s.nearMisses[%zu]", path, index++);
        g_autofree char *when = g_strdup_printf("%s.when", here);
        if (!only_known(miss, KNOWN, here, error) || !only_known(value_get(miss, "when"), WHEN, when, error) ||
            !valid_look(value_get(miss, "when"), types, when, error) || !both_languages(miss, "reply", here, error))
            return false;
        if (value_size(value_get(miss, "lines")) == 0)
            return fail(error, TIMONEL_ERROR_INVALID, "%s.lines: at least one", here);
    }
    return index > 0 || fail(error, TIMONEL_ERROR_INVALID, "%s.nearMisses: at least one", path);
}

static bool
valid_hints(const Value *step, const char *path, GError **error)
{
    size_t index = 0;
    VALUE_ARRAY_FOREACH (hint, value_get(step, "hints")) {
        g_autofree char *here = g_strdup_printf("%s.hints[%zu]", path, index++);
        if (!value_is_map(hint) || !only_known(hint, LANGUAGES, here, error) ||
            !texts_validate(hint, LANGUAGES, here, error))
            return (error != NULL && *error != NULL) ? false
                                                     : fail(error, TIMONEL_ERROR_INVALID, "%s: must be a map", here);
    }
    return index >= 2 || fail(error, TIMONEL_ERROR_INVALID, "%s.hints: at least two", path);
}

static bool
valid_setup(const Value *step, const ApiTypes *types, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"kubectl", "fault", "expect", "within", NULL};
    size_t index = 0;
    VALUE_ARRAY_FOREACH (action, value_get(step, "setup")) {
        g_autofree char *here = g_strdup_printf("%s.setup[%zu]", path, index++);
        if (!only_known(action, KNOWN, here, error) ||
            (value_has(action, "expect") && !valid_look(action, types, here, error)))
            return false;
        if (value_has(action, "fault") && !fault_validate(value_get(action, "fault"), error)) {
            g_prefix_error(error, "%s.fault: ", here);
            return false;
        }
    }
    return true;
}

static bool
valid_step(const Value *step, const ApiTypes *types, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"name",  "title",    "prose",      "task",        "setup", "checks",
                                        "hints", "solution", "nearMisses", "differences", NULL};
    static const char *const SIDES[] = {"document", "kubernetes", NULL};
    if (!only_known(step, KNOWN, path, error) || !both_languages(step, "title", path, error) ||
        !both_languages(step, "prose", path, error) || !both_languages(step, "task", path, error) ||
        !valid_setup(step, types, path, error) || !valid_checks(step, types, path, error) ||
        !valid_hints(step, path, error) || !valid_near_misses(step, types, path, error))
        return false;
    if (value_size(value_get(step, "solution")) == 0)
        return fail(error, TIMONEL_ERROR_INVALID, "%s.solution: at least one line", path);
    size_t index = 0;
    VALUE_ARRAY_FOREACH (difference, value_get(step, "differences")) {
        g_autofree char *here = g_strdup_printf("%s.differences[%zu]", path, index++);
        if (!only_known(difference, SIDES, here, error) || !both_languages(difference, SIDES[0], here, error) ||
            !both_languages(difference, SIDES[1], here, error))
            return false;
    }
    return true;
}

static bool
valid_question(const Value *question, const char *path, GError **error)
{
    static const char *const KNOWN[] = {"question", "choices", NULL};
    static const char *const CHOICE[] = {"text", "correct", "explanation", NULL};
    size_t index = 0, right = 0;
    if (!only_known(question, KNOWN, path, error) || !both_languages(question, "question", path, error))
        return false;
    VALUE_ARRAY_FOREACH (choice, value_get(question, "choices")) {
        g_autofree char *here = g_strdup_printf("%s.choices[%zu]", path, index++);
        if (!only_known(choice, CHOICE, here, error) || !both_languages(choice, "text", here, error) ||
            !both_languages(choice, "explanation", here, error))
            return false;
        right += value_bool_at(choice, "correct");
    }
    return (index >= 2 && right == 1) ||
           fail(error, TIMONEL_ERROR_INVALID, "%s.choices: at least two, and exactly one correct", path);
}

static bool
valid_document(const Value *document, GError **error)
{
    static const char *const KNOWN[] = {"apiVersion", "kind",      "metadata", "title", "summary", "goal", "order",
                                        "cluster",    "manifests", "files",    "steps", "quiz",    NULL};
    size_t index = 0;
    if (strcmp(value_text_at(document, "apiVersion"), "sim.timonel.dev/v1") != 0 ||
        strcmp(value_text_at(document, "kind"), "Lesson") != 0)
        return fail(error, TIMONEL_ERROR_INVALID, "not a lesson: apiVersion must be sim.timonel.dev/v1 and kind Lesson");
    if (value_string_len(value_at(document, "metadata.name")) == 0)
        return fail(error, TIMONEL_ERROR_INVALID, "metadata.name: required");
    if (!only_known(document, KNOWN, "lesson", error) || !both_languages(document, "title", "", error) ||
        !both_languages(document, "summary", "", error) || !both_languages(document, "goal", "", error))
        return false;
    g_autoptr(ApiTypes) types = api_types_new();
    VALUE_ARRAY_FOREACH (step, value_get(document, "steps")) {
        g_autofree char *path = g_strdup_printf("steps[%zu]", index++);
        if (!valid_step(step, types, path, error))
            return false;
    }
    if (index == 0 || index > LESSON_STEPS_MAX)
        return fail(error, TIMONEL_ERROR_INVALID, "steps: between 1 and %d", LESSON_STEPS_MAX);
    index = 0;
    VALUE_ARRAY_FOREACH (question, value_get(document, "quiz")) {
        g_autofree char *path = g_strdup_printf("quiz[%zu]", index++);
        if (!valid_question(question, path, error))
            return false;
    }
    return true;
}

Lesson *
lesson_parse(const char *name, const char *text, GError **error)
{
    g_autoptr(Value) document = yaml_parse(text, strlen(text), error);
    if (document == NULL || !valid_document(document, error)) {
        g_prefix_error(error, "%s: ", name);
        return NULL;
    }
    Lesson *lesson = g_new0(Lesson, 1);
    lesson->document = g_steal_pointer(&document);
    return lesson;
}

void
lesson_free(Lesson *lesson)
{
    if (lesson == NULL)
        return;
    value_unref(lesson->document);
    g_free(lesson);
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

const char *
lesson_name(const Lesson *lesson)
{
    return value_text_at(lesson->document, "metadata.name");
}

const char *
lesson_text(const Lesson *lesson, const char *field, const char *language)
{
    return texts_get(value_get(lesson->document, field), language);
}

int64_t
lesson_order(const Lesson *lesson)
{
    return value_int_at(lesson->document, "order");
}

const Value *
lesson_files(const Lesson *lesson)
{
    return value_get(lesson->document, "files");
}

size_t
lesson_step_count(const Lesson *lesson)
{
    return value_size(value_get(lesson->document, "steps"));
}

const Value *
lesson_step(const Lesson *lesson, size_t step)
{
    return value_item(value_get(lesson->document, "steps"), step);
}

const char *
lesson_step_text(const Lesson *lesson, size_t step, const char *field, const char *language)
{
    return texts_get(value_get(lesson_step(lesson, step), field), language);
}

size_t
lesson_difference_count(const Lesson *lesson, size_t step)
{
    return value_size(value_get(lesson_step(lesson, step), "differences"));
}

const char *
lesson_difference(const Lesson *lesson, size_t step, size_t index, const char *side, const char *language)
{
    const Value *difference = value_item(value_get(lesson_step(lesson, step), "differences"), index);
    return texts_get(value_get(difference, side), language);
}

static const Value *
question_at(const Lesson *lesson, size_t question)
{
    return value_item(value_get(lesson->document, "quiz"), question);
}

size_t
lesson_question_count(const Lesson *lesson)
{
    return value_size(value_get(lesson->document, "quiz"));
}

const char *
lesson_question(const Lesson *lesson, size_t question, const char *language)
{
    return texts_get(value_get(question_at(lesson, question), "question"), language);
}

size_t
lesson_choice_count(const Lesson *lesson, size_t question)
{
    return value_size(value_get(question_at(lesson, question), "choices"));
}

const char *
lesson_choice(const Lesson *lesson, size_t question, size_t choice, const char *language)
{
    const Value *item = value_item(value_get(question_at(lesson, question), "choices"), choice);
    return texts_get(value_get(item, "text"), language);
}

bool
lesson_choice_is_right(const Lesson *lesson, size_t question, size_t choice, const char *language,
                       const char **ret_explanation)
{
    const Value *item = value_item(value_get(question_at(lesson, question), "choices"), choice);
    *ret_explanation = texts_get(value_get(item, "explanation"), language);
    return value_bool_at(item, "correct");
}

/* ---- its world ------------------------------------------------------------------------------------------------------------ */

static bool
apply_manifests(const Lesson *lesson, World *world, const ScenarioTools *tools, GError **error)
{
    VALUE_ARRAY_FOREACH (manifest, value_get(lesson->document, "manifests")) {
        g_autofree char *text = tools->read(SOURCE_MANIFEST, value_text(manifest), error, tools->data);
        if (text == NULL || !world_apply(world, value_text(manifest), text, error))
            return false;
    }
    return true;
}

static bool
is_calm(World *world, void *data)
{
    g_autofree char *reason = NULL, *subject = NULL;
    return world_is_reconciled(world, &reason, &subject);
}

World *
lesson_world_new(const Lesson *lesson, const ScenarioTools *tools, GError **error)
{
    g_autoptr(Value) cluster = scenario_cluster(value_get(lesson->document, "cluster"), tools, error);
    if (cluster == NULL)
        return NULL;
    g_autoptr(World) world = world_new(&(WorldOptions){.cluster = cluster}, error);
    if (world == NULL || !world_become_ready(world, error) || !apply_manifests(lesson, world, tools, error))
        return NULL;
    world_run_until_true(world, CALM_MAX_NS, is_calm, NULL); /* a learner meets a cluster that has come up */
    return g_steal_pointer(&world);
}
