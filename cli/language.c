#include "cli/language.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <libintl.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Where every Debian keeps the characters of UTF-8, without a language. */
#define PLAIN_LOCALE_FOLDER "/usr/lib/locale/C.utf8"

static bool
is_utf8(const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return strstr(lower, "utf-8") != NULL || strstr(lower, "utf8") != NULL;
}

/* gettext translates nothing in the locales C and C.UTF-8, whatever LANGUAGE says (glibc 2.39 and later). So the plain
 * locale is loaded under a name with a language, from a folder that exists for just this moment: what is loaded stays. */
static bool
borrow_locale(const char *name)
{
    g_autofree char *folder = g_dir_make_tmp("timonel-locale-XXXXXX", NULL);
    if (folder == NULL)
        return false;
    g_autofree char *link = g_build_filename(folder, name, NULL);
    g_autofree char *before = g_strdup(g_getenv("LOCPATH"));
    bool loaded = false;
    if (symlink(PLAIN_LOCALE_FOLDER, link) == 0) {
        g_setenv("LOCPATH", folder, TRUE);
        loaded = setlocale(LC_ALL, name) != NULL;
        if (before != NULL)
            g_setenv("LOCPATH", before, TRUE);
        else
            g_unsetenv("LOCPATH");
        g_unlink(link);
    }
    g_rmdir(folder);
    return loaded;
}

/* A machine may lack the person's locale (es_ES.UTF-8) and can show that language all the same. */
static void
choose_locale(void)
{
    static const char *const NAMES[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    if (setlocale(LC_ALL, "") != NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        const char *name = g_getenv(NAMES[i]);
        if (name == NULL || *name == '\0')
            continue;
        if (is_utf8(name) && strchr(name, '/') == NULL && !borrow_locale(name) &&
            setlocale(LC_ALL, "C.UTF-8") != NULL)
            g_setenv("LANGUAGE", name, FALSE);
        return;
    }
}

/* Translations lie beside a program in its build tree, in ../share/locale of one that was moved, or
 * where it was installed. Owned. */
static char *
locale_folder(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *folder = program != NULL ? g_path_get_dirname(program) : g_strdup(".");
    static const char *const BESIDE[] = {"../po", "../share/locale"};
    for (size_t i = 0; i < G_N_ELEMENTS(BESIDE); i++) {
        g_autofree char *candidate = g_build_filename(folder, BESIDE[i], NULL);
        g_autofree char *probe =
            g_build_filename(candidate, "es", "LC_MESSAGES", "timonel.mo", NULL);
        if (g_file_test(probe, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&candidate);
    }
    return g_strdup(TIMONEL_LOCALE_DIR);
}

/* Numbers in files and texts have one form. */
static void
keep_numbers(void)
{
    setlocale(LC_NUMERIC, "C");
}

void
language_init(void)
{
    g_autofree char *locales = locale_folder();
    choose_locale();
    keep_numbers();
    bindtextdomain("timonel", locales);
    bind_textdomain_codeset("timonel", "UTF-8");
    textdomain("timonel");
}

void
language_choose(const char *language)
{
    const char *locale = setlocale(LC_MESSAGES, NULL);
    bool translates = strcmp(locale, "C") != 0 && strcmp(locale, "POSIX") != 0 && !g_str_has_prefix(locale, "C.");
    if (!translates && strcmp(language, "en") != 0) {
        g_autofree char *name = g_strdup_printf("%s.UTF-8", language);
        borrow_locale(name);
        keep_numbers();
    }
    g_setenv("LANGUAGE", language, TRUE);
    textdomain("timonel"); /* makes gettext look anew */
}
