/* --help, laid out as kubectl's. */
#include <string.h>

#include "cli/kubectl/kube.h"

static int
compare_flags(const void *a, const void *b)
{
    return strcmp((*(const KubeFlag *const *)a)->name, (*(const KubeFlag *const *)b)->name);
}

static void
append_flags(GString *out, const KubeFlag *flags)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    for (; flags != NULL && flags->name != NULL; flags++)
        g_ptr_array_add(sorted, (void *)flags);
    if (sorted->len > 0)
        qsort(sorted->pdata, sorted->len, sizeof(void *), compare_flags);
    for (guint i = 0; i < sorted->len; i++) {
        const KubeFlag *flag = g_ptr_array_index(sorted, i);
        const char *value = flag->otherwise != NULL   ? flag->otherwise
                            : flag->type == FLAG_BOOL ? "false"
                                                      : "";
        const char *quote = flag->type == FLAG_TEXT ? "'" : "";
        bool list = flag->type == FLAG_LIST || flag->type == FLAG_ARRAY;
        if (flag->shorthand != 0)
            g_string_append_printf(out, "    -%c, --%s=", flag->shorthand, flag->name);
        else
            g_string_append_printf(out, "    --%s=", flag->name);
        g_string_append_printf(out, "%s%s%s:\n\t%s\n\n", quote, list ? "[]" : value, quote,
                               flag->help);
    }
}

static void
append_children(GString *out, const KubeCommand *command, const char *group)
{
    for (const KubeCommand *const *child = command->children; *child != NULL; child++)
        if (group == NULL || ((*child)->group != NULL && strcmp((*child)->group, group) == 0))
            g_string_append_printf(out, "  %-15s %s\n", (*child)->name, (*child)->summary);
}

static const char *const groups[] = {
    "Basic Commands (Beginner)",
    "Basic Commands (Intermediate)",
    "Deploy Commands",
    "Cluster Management Commands",
    "Troubleshooting and Debugging Commands",
    "Advanced Commands",
    "Settings Commands",
    "Other Commands",
};

static void
append_root(GString *out)
{
    g_string_append_printf(out, "%s.\n\n", KUBECTL_ROOT.summary);
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        g_autoptr(GString) part = g_string_new(NULL);
        append_children(part, &KUBECTL_ROOT, groups[i]);
        if (part->len > 0)
            g_string_append_printf(out, "%s:\n%s\n", groups[i], part->str);
    }
    g_string_append(
        out, "Usage:\n  kubectl [flags] [options]\n\n"
             "Use \"kubectl <command> --help\" for more information about a given command.\n"
             "Use \"kubectl options\" for a list of global command-line options (applies to all "
             "commands).\n");
}

void
kube_help(Kube *kube, const KubeCommand *command, const char *path)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (command == &KUBECTL_ROOT) {
        append_root(out);
        kube_write(kube, 1, out->str);
        return;
    }
    g_string_append_printf(out, "%s.\n\n", command->summary);
    if (command->help != NULL)
        g_string_append_printf(out, " %s\n\n", command->help);
    if (command->aliases != NULL)
        g_string_append_printf(out, "Aliases:\n%s,%s\n\n", command->name, command->aliases);
    if (command->examples != NULL)
        g_string_append_printf(out, "Examples:\n%s\n\n", command->examples);
    if (command->children != NULL && command->children[0] != NULL) {
        g_string_append(out, "Available Commands:\n");
        append_children(out, command, NULL);
        g_string_append_c(out, '\n');
    }
    if (command->flags != NULL) {
        g_string_append(out, "Options:\n");
        append_flags(out, command->flags);
    }
    if (command->run != NULL)
        g_string_append_printf(out, "Usage:\n  %s %s [options]\n\n", path, command->usage);
    else
        g_string_append_printf(
            out,
            "Usage:\n  %s [flags] [options]\n\nUse \"%s <command> --help\" for more "
            "information about a given command.\n",
            path, path);
    g_string_append(out, "Use \"kubectl options\" for a list of global command-line options "
                         "(applies to all commands).\n");
    kube_write(kube, 1, out->str);
}
