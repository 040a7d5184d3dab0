/* Timonel: a Kubernetes that fits in one C program. */
#include <libintl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

/* A machine may lack the person's locale (es_ES.UTF-8) and can show that language all the same: any
 * UTF-8 locale will do, and gettext is told the language. */
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
        g_autofree char *lower = g_ascii_strdown(name, -1);
        if ((strstr(lower, "utf-8") != NULL || strstr(lower, "utf8") != NULL) &&
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

int
main(int argc, char **argv)
{
    choose_locale();
    g_autofree char *locales = locale_folder();
    setlocale(LC_NUMERIC, "C"); /* numbers in files and texts have one form */
    bindtextdomain("timonel", locales);
    bind_textdomain_codeset("timonel", "UTF-8");
    textdomain("timonel");
    signal(SIGPIPE, SIG_IGN);

    const char *program = strrchr(argv[0], '/');
    program = program != NULL ? program + 1 : argv[0];
    if (strcmp(program, "kubectl") == 0 && command_find("kubectl") != NULL)
        return command_find("kubectl")->run(argc, argv);
    if (argc < 2)
        return command_find("help")->run(1, argv);
    if (strcmp(argv[1], "--version") == 0)
        return command_find("version")->run(1, argv);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return command_find("help")->run(1, argv);
    const Command *command = command_find(argv[1]);
    if (command == NULL) {
        fprintf(stderr, _("timonel: no command is called \"%s\"; `timonel help` lists them\n"),
                argv[1]);
        return EXIT_USAGE;
    }
    return command->run(argc - 1, argv + 1);
}
