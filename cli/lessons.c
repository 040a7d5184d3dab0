#include "cli/lessons.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/base/embed.h"
#include "core/base/error.h"

extern const EmbeddedFile LESSONS[];

static gint
by_order(gconstpointer a, gconstpointer b)
{
    const Lesson *first = *(Lesson *const *)a, *second = *(Lesson *const *)b;
    if (lesson_order(first) != lesson_order(second))
        return lesson_order(first) < lesson_order(second) ? -1 : 1;
    return strcmp(lesson_name(first), lesson_name(second));
}

GPtrArray *
lessons_all(GError **error)
{
    GPtrArray *lessons = g_ptr_array_new_with_free_func((GDestroyNotify)lesson_free);
    for (const EmbeddedFile *file = LESSONS; file->name != NULL; file++) {
        Lesson *lesson = lesson_parse(file->name, file->text, error);
        if (lesson == NULL) {
            g_ptr_array_unref(lessons);
            return NULL;
        }
        g_ptr_array_add(lessons, lesson);
    }
    g_ptr_array_sort(lessons, by_order);
    return lessons;
}

Lesson *
lessons_find(const char *word, GError **error)
{
    g_autofree char *builtin = g_strdup_printf("%s/lesson.yaml", word);
    const EmbeddedFile *file = embedded_file(LESSONS, builtin);
    if (file != NULL)
        return lesson_parse(file->name, file->text, error);
    g_autofree char *text = NULL;
    if (!g_file_test(word, G_FILE_TEST_IS_REGULAR)) {
        fail(error, TIMONEL_ERROR_NOT_FOUND, _("there is no lesson called \"%s\"; `timonel learn` lists them"), word);
        return NULL;
    }
    return g_file_get_contents(word, &text, NULL, error) ? lesson_parse(word, text, error) : NULL;
}
