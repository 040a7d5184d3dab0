/* Completions of a command line's last word. */
#include <string.h>

#include "cli/kubectl/kube.h"
#include "core/api/meta.h"

static void
offer(GPtrArray *found, const char *text, const char *word)
{
    if (g_str_has_prefix(text, word))
        g_ptr_array_add(found, g_strdup(text));
}

static void
offer_flags(GPtrArray *found, const KubeFlag *flags, const char *word)
{
    for (; flags != NULL && flags->name != NULL; flags++) {
        g_autofree char *text = g_strconcat("--", flags->name, NULL);
        offer(found, text, word);
    }
}

static void
offer_names(Kube *kube, GPtrArray *found, const char *type, const char *prefix, const char *word)
{
    const ApiKind *kind = kube_kind_quiet(kube, type);
    g_autofree char *error = NULL;
    g_autoptr(Value) list = kind != NULL && (kind->verbs & API_VERB_LIST)
                                ? kube_list(kube, kind, kube->namespace_, NULL, NULL, &error)
                                : NULL;
    VALUE_ARRAY_FOREACH (object, value_get(list, "items")) {
        g_autofree char *text = g_strconcat(prefix, object_name(object), NULL);
        offer(found, text, word);
    }
}

static bool
takes_pods(const KubeCommand *command)
{
    static const char *const names[] = {"logs", "exec", "attach", "port-forward", NULL};
    return g_strv_contains(names, command->name);
}

static bool
takes_nodes(const KubeCommand *command)
{
    static const char *const names[] = {"cordon", "uncordon", "drain", NULL};
    return g_strv_contains(names, command->name);
}

static void
complete_argument(Kube *kube, GPtrArray *found, const char *type, const char *word)
{
    const char *slash = strchr(word, '/');
    if (slash != NULL) {
        g_autofree char *before = g_strndup(word, (gsize)(slash - word + 1));
        g_autofree char *kind = g_strndup(word, (gsize)(slash - word));
        offer_names(kube, found, kind, before, word);
    } else if (takes_pods(kube->command)) {
        offer_names(kube, found, "pods", "", word);
    } else if (takes_nodes(kube->command)) {
        offer_names(kube, found, "nodes", "", word);
    } else if (type != NULL) {
        offer_names(kube, found, type, "", word);
    } else {
        for (size_t i = 0; i < api_types_count(kube->env->types); i++)
            offer(found, api_types_item(kube->env->types, i)->resource, word);
    }
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
values_free(void *values)
{
    g_ptr_array_unref(values);
}

char **
kubectl_complete(const KubectlEnv *env, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t", KUBE_WORDS_MAX);
    GPtrArray *found = g_ptr_array_new();
    Kube kube = {.env = env, .command = &KUBECTL_ROOT, .path = (char *)"kubectl", .dash_at = -1};
    kube.args = g_ptr_array_new();
    kube.flags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, values_free);
    kube.namespace_ =
        env->namespace_ != NULL && *env->namespace_ != '\0' ? env->namespace_ : "default";
    size_t n = g_strv_length(words);
    const char *last = n > 0 ? words[n - 1] : "", *type = NULL;
    for (size_t i = 0; i + 1 < n; i++) {
        if (i == 0 && strcmp(words[i], "kubectl") == 0)
            continue;
        const KubeCommand *child = type == NULL ? kube_command_find(kube.command, words[i]) : NULL;
        bool names_it = strcmp(words[i], "-n") == 0 || strcmp(words[i], "--namespace") == 0;
        if (names_it && i + 2 < n)
            kube.namespace_ = words[++i];
        else if (*words[i] == '-' || *words[i] == '\0')
            continue;
        else if (child != NULL)
            kube.command = child;
        else
            type = words[i];
    }
    if (*last == '-') {
        offer_flags(found, kube.command->flags, last);
        offer_flags(found, KUBE_GLOBAL_FLAGS, last);
    } else if (kube.command->children != NULL && kube.command->run == NULL) {
        for (const KubeCommand *const *child = kube.command->children; *child != NULL; child++)
            offer(found, (*child)->name, last);
    } else {
        complete_argument(&kube, found, type, last);
    }
    if (found->len > 0)
        qsort(found->pdata, found->len, sizeof(void *), compare);
    g_ptr_array_add(found, NULL);
    kube_kinds_clear(&kube);
    g_ptr_array_unref(kube.args);
    g_hash_table_unref(kube.flags);
    return (char **)g_ptr_array_free(found, FALSE);
}
