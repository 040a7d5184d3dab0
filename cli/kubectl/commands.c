/* The table of kubectl's commands, and how a command line finds its command. */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "cli/kubectl/write.h"

extern const KubeCommand KUBECTL_ANNOTATE, KUBECTL_API_RESOURCES, KUBECTL_API_VERSIONS,
    KUBECTL_APPLY, KUBECTL_ATTACH, KUBECTL_AUTH, KUBECTL_CLUSTER_INFO, KUBECTL_CONFIG,
    KUBECTL_CORDON, KUBECTL_CP, KUBECTL_CREATE, KUBECTL_DELETE, KUBECTL_DESCRIBE, KUBECTL_DIFF,
    KUBECTL_DRAIN, KUBECTL_EDIT, KUBECTL_EVENTS, KUBECTL_EXEC, KUBECTL_EXPLAIN, KUBECTL_EXPOSE,
    KUBECTL_GET, KUBECTL_LABEL, KUBECTL_LOGS, KUBECTL_OPTIONS, KUBECTL_PATCH, KUBECTL_PORT_FORWARD,
    KUBECTL_REPLACE, KUBECTL_ROLLOUT, KUBECTL_RUN, KUBECTL_SCALE, KUBECTL_SET, KUBECTL_TAINT,
    KUBECTL_TOP, KUBECTL_UNCORDON, KUBECTL_VERSION, KUBECTL_WAIT;

/* In the order in which they are listed. */
static const KubeCommand *const commands[] = {
    &KUBECTL_CREATE,
    &KUBECTL_EXPOSE,
    &KUBECTL_RUN,
    &KUBECTL_SET,
    &KUBECTL_EXPLAIN,
    &KUBECTL_GET,
    &KUBECTL_EDIT,
    &KUBECTL_DELETE,
    &KUBECTL_ROLLOUT,
    &KUBECTL_SCALE,
    &KUBECTL_CLUSTER_INFO,
    &KUBECTL_TOP,
    &KUBECTL_CORDON,
    &KUBECTL_UNCORDON,
    &KUBECTL_DRAIN,
    &KUBECTL_TAINT,
    &KUBECTL_DESCRIBE,
    &KUBECTL_LOGS,
    &KUBECTL_ATTACH,
    &KUBECTL_EXEC,
    &KUBECTL_PORT_FORWARD,
    &KUBECTL_CP,
    &KUBECTL_AUTH,
    &KUBECTL_EVENTS,
    &KUBECTL_DIFF,
    &KUBECTL_APPLY,
    &KUBECTL_PATCH,
    &KUBECTL_REPLACE,
    &KUBECTL_WAIT,
    &KUBECTL_LABEL,
    &KUBECTL_ANNOTATE,
    &KUBECTL_API_RESOURCES,
    &KUBECTL_API_VERSIONS,
    &KUBECTL_CONFIG,
    &KUBECTL_VERSION,
    &KUBECTL_OPTIONS,
    NULL,
};

const KubeCommand KUBECTL_ROOT = {
    .name = "kubectl",
    .usage = "[flags] [options]",
    .summary = "kubectl controls the Kubernetes cluster manager",
    .children = commands,
};

const KubeCommand *
kube_command_find(const KubeCommand *parent, const char *word)
{
    for (const KubeCommand *const *child = parent->children; child != NULL && *child != NULL;
         child++) {
        if (strcmp((*child)->name, word) == 0)
            return *child;
        g_auto(GStrv) aliases =
            (*child)->aliases != NULL ? g_strsplit((*child)->aliases, ",", -1) : NULL;
        if (aliases != NULL && g_strv_contains((const char *const *)aliases, word))
            return *child;
    }
    return NULL;
}

/* ---- near words ---- */

static unsigned
distance(const char *a, const char *b)
{
    size_t n = strlen(b);
    g_autofree unsigned *row = g_new(unsigned, n + 1);
    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < n; j++) {
            unsigned above = row[j + 1];
            row[j + 1] = MIN(MIN(above, row[j]) + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[n];
}

static int
unknown_command(Kube *kube, const KubeCommand *parent, const char *word)
{
    bool first = true;
    kube_err(kube, "error: unknown command \"%s\" for \"%s\"\n", word, kube->path);
    for (const KubeCommand *const *child = parent->children; *child != NULL; child++) {
        if (strlen(word) > 40 ||
            (distance(word, (*child)->name) > 2 && !g_str_has_prefix((*child)->name, word)))
            continue;
        kube_err(kube, "%s\t%s\n", first ? "\nDid you mean this?\n" : "", (*child)->name);
        first = false;
    }
    return 1;
}

/* ---- running ---- */

static void
kube_clear(Kube *kube)
{
    kube_kinds_clear(kube);
    g_ptr_array_unref(kube->args);
    g_hash_table_unref(kube->flags);
    g_free(kube->path);
}

static void
values_free(void *values)
{
    g_ptr_array_unref(values);
}

/* The first word that is neither a flag nor a global flag's value. -1: none. */
static int
find_word(const KubeCommand *parent, int argc, char **argv, int from)
{
    for (int i = from; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return i;
        const KubeFlag *flag = NULL;
        if (g_str_has_prefix(argv[i], "--") && strchr(argv[i], '=') == NULL)
            flag = kube_flag_find(parent, argv[i] + 2);
        else if (argv[i][1] != '-' && argv[i][2] == '\0')
            for (flag = KUBE_GLOBAL_FLAGS; flag->name != NULL && flag->shorthand != argv[i][1];)
                flag++;
        if (flag != NULL && flag->name != NULL && flag->type != FLAG_BOOL && flag->bare == NULL)
            i++;
    }
    return -1;
}

static int
run_command(Kube *kube, int argc, char **argv)
{
    if (!kube_flags_parse(kube, argc, argv))
        return 1;
    if (kube_flag_given(kube, "namespace")) {
        kube->namespace_ = kube_flag(kube, "namespace");
        kube->namespace_given = true;
    }
    if (kube_flag_bool(kube, "help") || kube->command->run == NULL) {
        kube_help(kube, kube->command, kube->path);
        return 0;
    }
    return kube->command->run(kube);
}

int
kubectl_run(const KubectlEnv *env, int argc, char **argv)
{
    Kube kube = {.env = env, .command = &KUBECTL_ROOT, .path = g_strdup("kubectl"), .dash_at = -1};
    kube.args = g_ptr_array_new_with_free_func(g_free);
    kube.flags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, values_free);
    kube.namespace_ =
        env->namespace_ != NULL && *env->namespace_ != '\0' ? env->namespace_ : "default";
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (int i = 1; i < argc; i++)
        g_ptr_array_add(words, argv[i]);
    int status = -1, at;
    while (kube.command->children != NULL && status < 0 &&
           (at = find_word(kube.command, (int)words->len, (char **)words->pdata, 0)) >= 0) {
        const char *word = g_ptr_array_index(words, at);
        const KubeCommand *child = kube_command_find(kube.command, word);
        if (child == NULL && kube.command->run == NULL) {
            status = unknown_command(&kube, kube.command, word);
            break;
        }
        if (child == NULL)
            break;
        char *path = g_strconcat(kube.path, " ", child->name, NULL);
        g_free(kube.path);
        kube.path = path;
        kube.command = child;
        g_ptr_array_remove_index(words, (guint)at);
    }
    if (status < 0)
        status = run_command(&kube, (int)words->len, (char **)words->pdata);
    kube_clear(&kube);
    return status;
}

char **
kube_split_line(const char *line, GError **error)
{
    int argc;
    char **argv;
    if (strspn(line, " \t\n") == strlen(line))
        return g_new0(char *, 1);
    return g_shell_parse_argv(line, &argc, &argv, error) ? argv : NULL;
}

int
kubectl_run_line(const KubectlEnv *env, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = kube_split_line(line, &error);
    if (words == NULL) {
        g_autofree char *text = g_strdup_printf("error: %s\n", error->message);
        env->write(2, text, strlen(text), env->data);
        return 1;
    }
    bool named = words[0] != NULL && strcmp(words[0], "kubectl") == 0;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, (char *)"kubectl");
    for (char **word = words + named; *word != NULL; word++)
        g_ptr_array_add(argv, *word);
    return kubectl_run(env, (int)argv->len, (char **)argv->pdata);
}

int
kubectl_apply_text(const KubectlEnv *env, const char *name, const char *text)
{
    Kube kube = {.env = env, .path = g_strdup("kubectl apply"), .dash_at = -1};
    kube.command = kube_command_find(&KUBECTL_ROOT, "apply");
    kube.args = g_ptr_array_new_with_free_func(g_free);
    kube.flags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, values_free);
    kube.namespace_ =
        env->namespace_ != NULL && *env->namespace_ != '\0' ? env->namespace_ : "default";
    KubeItems *items = kube_manifests_text(&kube, name, text, strlen(text), true);
    int status = items != NULL ? apply_items(&kube, items) : 1;
    kube_items_free(items);
    kube_clear(&kube);
    return status;
}
