/* timonel learn: a lesson as a conversation of lines. The learner types kubectl's words, or one of ours (WORDS below). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/learn_dashboard.h"
#include "cli/lessons.h"
#include "cli/play.h"
#include "cli/progress.h"
#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/text.h"

#define WIDTH 78
#define AFTER_LINE_NS (2 * NS_PER_S) /* what passes in the cluster after each kubectl line */
#define TIME_MAX_NS (INT64_C(24) * 3600 * NS_PER_S)

typedef struct Session {
    Lesson *lesson;
    World *world;
    LessonPlay *play;
    PlaySources sources;
    ScenarioTools tools;
    Value *progress;
    const char *language;
    bool unmet; /* the last check failed */
    bool over;
    gboolean plain, ascii;
} Session;

static void
session_clear(Session *session)
{
    lesson_play_free(session->play);
    world_free(session->world);
    lesson_free(session->lesson);
    value_unref(session->progress);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Session, session_clear)

/* ---- showing ---------------------------------------------------------------------------------------------------- */

/* A paragraph, broken between words to WIDTH columns; `first` stands before its first line, `rest` before the others. */
static void
print_paragraph(const char *first, const char *rest, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
    glong column = g_utf8_strlen(first, -1);
    bool begins = true;
    fputs(first, stdout);
    for (size_t i = 0; words[i] != NULL; i++) {
        glong length = g_utf8_strlen(words[i], -1);
        if (length == 0)
            continue;
        if (!begins && column + 1 + length > WIDTH) {
            printf("\n%s", rest);
            column = g_utf8_strlen(rest, -1);
            begins = true;
        }
        printf("%s%s", begins ? "" : " ", words[i]);
        column += length + (begins ? 0 : 1);
        begins = false;
    }
    putchar('\n');
}

static void
print_wrapped(const char *indent, const char *text)
{
    print_paragraph(indent, indent, text);
}

static void
print_output(const char *text)
{
    g_autofree char *safe = text_sanitize(text, strlen(text), TEXT_LINES);
    fputs(safe, stdout);
}

static void
print_differences(const Session *session, size_t step)
{
    size_t count = lesson_difference_count(session->lesson, step);
    if (count > 0)
        printf("\n%s\n", _("Where the source document and Kubernetes differ:"));
    for (size_t i = 0; i < count; i++) {
        print_paragraph("  - ", "    ", lesson_difference(session->lesson, step, i, "document", session->language));
        print_wrapped("    ", lesson_difference(session->lesson, step, i, "kubernetes", session->language));
    }
}

static void
print_task(const Session *session)
{
    size_t step = lesson_play_step(session->play);
    if (lesson_play_is_done(session->play)) {
        printf("\n%s\n", _("All steps are done. `quiz` asks what you remember; `quit` leaves."));
        return;
    }
    printf("\n%s\n", _("Your task:"));
    print_wrapped("  ", lesson_step_text(session->lesson, step, "task", session->language));
}

static void
print_step(const Session *session)
{
    size_t step = lesson_play_step(session->play);
    if (!lesson_play_is_done(session->play)) {
        printf("\n== ");
        printf(_("Step %zu of %zu: %s"), step + 1, lesson_step_count(session->lesson),
               lesson_step_text(session->lesson, step, "title", session->language));
        printf(" ==\n");
        print_wrapped("", lesson_step_text(session->lesson, step, "prose", session->language));
    }
    print_task(session);
}

/* ---- beginning ------------------------------------------------------------------------------------------------------ */

static bool
save(Session *session, GError **error)
{
    value_replace(&session->progress, progress_with(session->progress, lesson_name(session->lesson),
                                                    lesson_play_progress(session->play)));
    return progress_save(session->progress, error);
}

static bool
begin(Session *session, size_t step, GError **error)
{
    g_clear_pointer(&session->play, lesson_play_free);
    g_clear_pointer(&session->world, world_free);
    session->world = lesson_world_new(session->lesson, &session->tools, error);
    if (session->world == NULL)
        return false;
    session->play = lesson_play_new(session->lesson, session->world, &session->tools, session->language);
    lesson_play_restore(session->play, progress_of(session->progress, lesson_name(session->lesson)));
    return lesson_play_begin(session->play, step, error);
}

/* ---- our words ---------------------------------------------------------------------------------------------------------- */

static bool
word_check(Session *session, const char *argument, GError **error)
{
    g_auto(LessonVerdict) verdict = {0};
    size_t step = lesson_play_step(session->play);
    lesson_play_check(session->play, LESSON_CHECK_WAIT, &verdict);
    session->unmet = !verdict.passed;
    if (!verdict.passed) {
        g_autofree char *first = g_strdup_printf("%s ", _("Not yet."));
        print_paragraph(first, "", verdict.reply);
        if (verdict.detail != NULL) {
            g_autofree char *safe = text_sanitize(verdict.detail, strlen(verdict.detail), TEXT_ONE_LINE);
            printf("  (%s)\n", safe);
        }
        return true;
    }
    printf("%s\n", _("Well done: this step is passed."));
    print_differences(session, step);
    printf("\n%s\n", _("`next` goes on."));
    return save(session, error);
}

static bool
word_hint(Session *session, const char *argument, GError **error)
{
    print_wrapped("", lesson_play_hint(session->play));
    return save(session, error);
}

static bool
word_next(Session *session, const char *argument, GError **error)
{
    if (!lesson_play_is_done(session->play) && !lesson_play_has_passed(session->play)) {
        printf("%s\n", _("This step is not passed yet: `check` looks, `hint` helps."));
        return true;
    }
    if (!lesson_play_is_done(session->play) && !lesson_play_next(session->play, error))
        return false;
    print_step(session);
    return save(session, error);
}

/* A line without its end; NULL at the end of the input. Owned. */
static char *
read_line(const char *prompt)
{
    char *line = NULL;
    size_t size = 0;
    fputs(prompt, stdout);
    fflush(stdout);
    if (getline(&line, &size, stdin) < 0) {
        free(line);
        return NULL;
    }
    char *own = g_strdup(g_strstrip(line));
    free(line);
    return own;
}

static bool
ask(Session *session, size_t question)
{
    putchar('\n');
    print_wrapped("", lesson_question(session->lesson, question, session->language));
    size_t count = lesson_choice_count(session->lesson, question);
    for (size_t i = 0; i < count; i++)
        printf("  %zu  %s\n", i + 1, lesson_choice(session->lesson, question, i, session->language));
    for (;;) {
        g_autofree char *line = read_line(_("answer> "));
        guint64 choice;
        const char *explanation;
        if (line == NULL || strcmp(line, "quit") == 0)
            return false;
        if (!g_ascii_string_to_unsigned(line, 10, 1, count, &choice, NULL)) {
            printf(_("A number from 1 to %zu, or quit.\n"), count);
            continue;
        }
        bool right = lesson_play_answer(session->play, question, choice - 1, &explanation);
        g_autofree char *first = g_strdup_printf("%s ", right ? _("Yes.") : _("No."));
        print_paragraph(first, "", explanation);
        if (right)
            return true;
    }
}

static bool
word_quiz(Session *session, const char *argument, GError **error)
{
    for (size_t i = 0; i < lesson_question_count(session->lesson); i++)
        if (!ask(session, i))
            break;
    return save(session, error);
}

static bool
word_reset(Session *session, const char *argument, GError **error)
{
    size_t step = lesson_play_step(session->play);
    if (!begin(session, strcmp(argument, "all") == 0 ? 0 : step, error))
        return false;
    print_step(session);
    return save(session, error);
}

static bool
word_time(Session *session, const char *argument, GError **error)
{
    int64_t ns;
    if (!duration_parse(argument, &ns, NULL) || ns <= 0 || ns > TIME_MAX_NS) {
        printf("%s\n", _("time DURATION lets that much pass in the cluster, such as 30s or 5m."));
        return true;
    }
    world_run_for(session->world, ns);
    return true;
}

static bool
word_task(Session *session, const char *argument, GError **error)
{
    print_step(session);
    return true;
}

static bool
word_quit(Session *session, const char *argument, GError **error)
{
    session->over = true;
    return save(session, error);
}

static bool word_help(Session *session, const char *argument, GError **error);

typedef struct Word {
    const char *name, *summary;
    bool (*run)(Session *session, const char *argument, GError **error);
} Word;

static const Word WORDS[] = {
    {"check", N_("looks whether the task is done"), word_check},
    {"hint", N_("helps; each time a little more"), word_hint},
    {"next", N_("goes to the next step"), word_next},
    {"task", N_("shows the step again"), word_task},
    {"time", N_("lets time pass in the cluster: time 30s"), word_time},
    {"quiz", N_("asks questions"), word_quiz},
    {"reset", N_("begins the step anew; reset all: the lesson"), word_reset},
    {"help", N_("shows these words"), word_help},
    {"quit", N_("leaves; the next time goes on from here"), word_quit},
};

static bool
word_help(Session *session, const char *argument, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++)
        printf("  %-6s %s\n", WORDS[i].name, _(WORDS[i].summary));
    printf("  %s\n", _("Anything else is a kubectl command; \"kubectl\" before it may be left out."));
    return true;
}

static bool
obey(Session *session, const char *line, GError **error)
{
    size_t length = strcspn(line, " ");
    g_autofree char *first = g_strndup(line, length);
    for (size_t i = 0; i < G_N_ELEMENTS(WORDS); i++)
        if (strcmp(WORDS[i].name, first) == 0)
            return WORDS[i].run(session, line + length + strspn(line + length, " "), error);
    g_autoptr(GString) output = g_string_new(NULL);
    lesson_play_kubectl(session->play, line, output);
    world_run_for(session->world, AFTER_LINE_NS);
    print_output(output->str);
    return true;
}

static bool
converse(Session *session, GError **error)
{
    printf("%s\n", lesson_text(session->lesson, "title", session->language));
    print_wrapped("", lesson_text(session->lesson, "goal", session->language));
    printf("%s\n", _("Type kubectl commands; `check` looks, `hint` helps, `help` lists the other words."));
    print_step(session);
    while (!session->over) {
        g_autofree char *line = read_line("\nlearn> ");
        if (line == NULL)
            return save(session, error);
        if (*line != '\0' && !obey(session, line, error))
            return false;
    }
    return true;
}

/* ---- the command ----------------------------------------------------------------------------------------------------------- */

static bool
list(const Value *progress, const char *language, GError **error)
{
    g_autoptr(GPtrArray) lessons = lessons_all(error);
    if (lessons == NULL)
        return false;
    for (guint i = 0; i < lessons->len; i++) {
        const Lesson *lesson = lessons->pdata[i];
        const Value *one = progress_of(progress, lesson_name(lesson));
        size_t passed = 0;
        VALUE_ARRAY_FOREACH (step, value_get(one, "passed"))
            passed += value_bool(step);
        g_autofree char *state =
            one == NULL ? g_strdup(_("not begun"))
                        : g_strdup_printf(_("%zu of %zu steps"), passed, lesson_step_count(lesson));
        printf("%-20s %-16s %s: %s\n", lesson_name(lesson), state, lesson_text(lesson, "title", language),
               lesson_text(lesson, "summary", language));
    }
    fprintf(stderr, "%s\n", _("`timonel learn NAME` begins one, or goes on with it."));
    return true;
}

static bool
reset(Value **progress, const char *lesson, GError **error)
{
    value_replace(progress, lesson != NULL ? progress_with(*progress, lesson, NULL) : value_new_f("{lessons: {}}"));
    return progress_save(*progress, error);
}

static void
keep_progress(void *data)
{
    g_autoptr(GError) error = NULL;
    if (!save(data, &error)) /* the lesson goes on; what was done is asked for again the next time */
        g_debug("%s", error->message);
}

/* Beside its cluster, which goes on at life's pace. */
static bool
show(Session *session, GError **error)
{
    Live *live = live_new_for(g_steal_pointer(&session->world));
    const LearnDashboard dashboard = {.lesson = session->lesson,
                                      .play = session->play,
                                      .live = live,
                                      .language = session->language,
                                      .ascii = session->ascii,
                                      .progressed = keep_progress,
                                      .data = session};
    bool ok = learn_dashboard_run(&dashboard, error) && save(session, error);
    g_clear_pointer(&session->play, lesson_play_free);
    live_free(live);
    return ok;
}

static bool
learn(Session *session, const char *name, GError **error)
{
    session->lesson = lessons_find(name, error);
    if (session->lesson == NULL)
        return false;
    session->sources.files = lesson_files(session->lesson);
    session->tools = play_tools(&session->sources);
    const Value *before = progress_of(session->progress, lesson_name(session->lesson));
    int64_t step = CLAMP(value_int_at(before, "step"), 0, (int64_t)lesson_step_count(session->lesson));
    if (!begin(session, (size_t)step, error))
        return false;
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    return terminal && !session->plain ? show(session, error) : converse(session, error);
}

static int
learn_run(int argc, char **argv)
{
    extern const Command COMMAND_LEARN;
    g_autofree char *language = NULL;
    gboolean from_start = FALSE;
    g_autoptr(GError) error = NULL;
    g_auto(Session) session = {0};
    int status;
    const GOptionEntry entries[] = {
        {"lang", 0, 0, G_OPTION_ARG_STRING, &language, N_("Language: en or es"), "LANG"},
        {"plain", 0, 0, G_OPTION_ARG_NONE, &session.plain, N_("Talk in lines, without the dashboard"), NULL},
        {"ascii", 0, 0, G_OPTION_ARG_NONE, &session.ascii, N_("Draw the dashboard with ASCII characters only"), NULL},
        {"reset", 0, 0, G_OPTION_ARG_NONE, &from_start, N_("Forget what was done: of the lesson, or of all"), NULL},
        {NULL}};
    if (!command_parse(&COMMAND_LEARN, entries, &argc, &argv, &status))
        return status;
    if (argc > 2)
        return command_usage(&COMMAND_LEARN, _("unexpected argument \"%s\""), argv[2]);
    if ((session.language = play_language(language, &error)) == NULL)
        return command_usage(&COMMAND_LEARN, "%s", error->message);
    const char *name = argc == 2 ? argv[1] : NULL;
    session.progress = progress_load(&error);
    bool ok = session.progress != NULL && (!from_start || reset(&session.progress, name, &error)) &&
              (name != NULL ? learn(&session, name, &error) : list(session.progress, session.language, &error));
    if (!ok)
        return command_failed(&COMMAND_LEARN, error);
    return session.unmet ? EXIT_UNMET : EXIT_DONE;
}

const Command COMMAND_LEARN = {"learn", "[--lang es] [--plain] [--reset] [LESSON]",
                               N_("Teaches Kubernetes; without an argument, lists the lessons"), learn_run};
