#include "cli/progress.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/object/json.h"

static char *
progress_path(void)
{
    return g_build_filename(g_get_user_data_dir(), "timonel", "progress.json", NULL);
}

Value *
progress_load(GError **error)
{
    g_autofree char *path = progress_path();
    g_autofree char *text = NULL;
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return value_new_f("{lessons: {}}");
    if (!g_file_get_contents(path, &text, NULL, error))
        return NULL;
    Value *progress = json_parse(text, strlen(text), error);
    if (progress == NULL)
        g_prefix_error(error, _("%s (remove it to begin anew): "), path);
    return progress;
}

bool
progress_save(const Value *progress, GError **error)
{
    g_autofree char *path = progress_path();
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GString) text = g_string_new(NULL);
    if (g_mkdir_with_parents(folder, 0700) != 0)
        return fail(error, TIMONEL_ERROR_IO, "%s: %s", folder, g_strerror(errno));
    json_write_pretty(text, progress);
    g_string_append_c(text, '\n');
    return g_file_set_contents_full(path, text->str, (gssize)text->len, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

const Value *
progress_of(const Value *progress, const char *lesson)
{
    return value_get(value_get(progress, "lessons"), lesson);
}

Value *
progress_with(const Value *progress, const char *lesson, Value *take)
{
    const Value *lessons = value_get(progress, "lessons");
    Value *changed = take != NULL ? value_set(lessons, lesson, take) : value_remove(lessons, lesson);
    return value_set(progress, "lessons", changed);
}
